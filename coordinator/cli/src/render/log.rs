//! The log: what the parts of the program say of themselves. It goes to stderr, and, as the configuration says, to a file
//! and to the system's log.
//!
//! The lines are made here and not by a library, because what is logged was often written by others: a branch, a path,
//! the words of a server. Whatever it is, a line stays a line, and no terminal is steered.

mod file;
mod filter;
mod line;
mod syslog;

use std::io::Write as _;
use std::path::PathBuf;
use std::sync::{Mutex, OnceLock, PoisonError};

use opentelemetry::trace::TraceContextExt as _;
use tracing::dispatcher::WeakDispatch;
use tracing::subscriber::Interest;
use tracing::{Dispatch, Event, Level, Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::{Context, Filter, SubscriberExt as _};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt as _;

pub(crate) use filter::levels;
use line::{Line, Style};

use crate::telemetry::{Telemetry, Traces};

/// What the command line says of the log.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Flags {
    pub(crate) verbose: u8,
    pub(crate) quiet: bool,
    /// Which part of a fleet this is, if it is one, which says what it does as it goes.
    pub(crate) role: Option<&'static str>,
}

/// What the configuration says of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Logging {
    /// For everything of ours that `targets` says nothing of; `None` leaves it to the flags.
    pub(crate) level: Option<LevelFilter>,
    /// Parts of the program, as their paths begin, each with its own level.
    pub(crate) targets: Vec<(String, LevelFilter)>,
    pub(crate) json: bool,
    pub(crate) file: Option<LogFile>,
    /// The socket of the system's log.
    pub(crate) syslog: Option<PathBuf>,
}

/// A file that begins anew when it is full.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LogFile {
    pub(crate) path: PathBuf,
    pub(crate) max_bytes: u64,
    /// Full files that are kept beside it, as `path.1` (the newest), `path.2` and so on.
    pub(crate) keep: u32,
}

static FLAGS: OnceLock<Flags> = OnceLock::new();
static TRACES: OnceLock<Traces> = OnceLock::new();

/// Keeps what was typed until the configuration is known.
pub(crate) fn remember(flags: Flags) {
    // Only `main` does, once.
    let _ = FLAGS.set(flags);
}

/// Sets the log up, once: errors alone when quiet, warnings by default, more with each `-v`; a role begins one step
/// further. What was typed wins over `logging`. `in_journal` says that whoever reads stderr notes the time itself.
///
/// # Errors
///
/// Where the file cannot be opened, or traces cannot be sent.
pub(crate) fn init(logging: &Logging, telemetry: &Telemetry, in_journal: bool) -> anyhow::Result<()> {
    let flags = FLAGS.get().copied().unwrap_or(Flags { verbose: 0, quiet: false, role: None });
    let targets = filter::of(flags, logging);
    let stderr = std::io::stderr();
    let style = Style {
        json: logging.json,
        time: flags.role.is_some() && !in_journal,
        color: !logging.json && std::io::IsTerminal::is_terminal(&stderr),
    };
    let file = logging.file.as_ref().map(file::Rotating::open).transpose()?.map(Mutex::new);
    let syslog = logging.syslog.clone().map(syslog::Syslog::new).map(Mutex::new);
    let log = Log { style, file, syslog, dispatch: OnceLock::new() }.with_filter(Ours(targets));
    let service = flags.role.map_or_else(|| "gitfleet".to_owned(), |role| format!("gitfleet-{role}"));
    let traces = Traces::begin(telemetry, &service)?;
    let spans = traces.as_ref().map(|traces| {
        let layer = tracing_opentelemetry::layer().with_tracer(traces.tracer());
        layer
            .with_location(false)
            .with_threads(false)
            .with_target(false)
            .with_level(false)
            .with_filter(OurSpans)
    });
    // A second configuration in the same process changes nothing.
    if tracing_subscriber::registry().with(spans).with(log).try_init().is_ok()
        && let Some(traces) = traces
    {
        let _ = TRACES.set(traces);
    }
    Ok(())
}

/// Sends what is still to be sent, before the process ends.
pub(crate) fn end() {
    if let Some(traces) = TRACES.get() {
        traces.end();
    }
}

/// Lets through what is ours and loud enough: what libraries say of themselves is for their authors.
struct Ours(Targets);

impl<S> Filter<S> for Ours {
    fn enabled(&self, metadata: &Metadata<'_>, _: &Context<'_, S>) -> bool {
        metadata.is_event() && self.0.would_enable(metadata.target(), metadata.level())
    }

    fn callsite_enabled(&self, metadata: &'static Metadata<'static>) -> Interest {
        let is_ours = metadata.is_event() && self.0.would_enable(metadata.target(), metadata.level());
        if is_ours { Interest::always() } else { Interest::never() }
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        self.0.iter().map(|(_, level)| level).max()
    }
}

/// Lets spans of ours through, and no events: those are for the log.
struct OurSpans;

impl OurSpans {
    fn lets_through(metadata: &Metadata<'_>) -> bool {
        metadata.is_span() && metadata.target().starts_with("gitfleet")
    }
}

impl<S> Filter<S> for OurSpans {
    fn enabled(&self, metadata: &Metadata<'_>, _: &Context<'_, S>) -> bool {
        Self::lets_through(metadata)
    }

    fn callsite_enabled(&self, metadata: &'static Metadata<'static>) -> Interest {
        if Self::lets_through(metadata) { Interest::always() } else { Interest::never() }
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(LevelFilter::INFO)
    }
}

struct Log {
    style: Style,
    // Held while one line is written, so that lines do not mix.
    file: Option<Mutex<file::Rotating>>,
    syslog: Option<Mutex<syslog::Syslog>>,
    /// By which the trace of a span is found.
    dispatch: OnceLock<WeakDispatch>,
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Log {
    fn on_register_dispatch(&self, dispatch: &Dispatch) {
        let _ = self.dispatch.set(dispatch.downgrade());
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let line = Line::of(event, self.trace_id(event, &context));
        // Held to the end: all places are told the same lines in the same order.
        let mut stderr = std::io::stderr().lock();
        // A log that cannot be written must not end what it speaks of.
        let _ = stderr.write_all(line.render(self.style).as_bytes());
        if let Some(file) = &self.file {
            let style = Style { time: true, color: false, ..self.style };
            let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
            let _ = file.write(line.render(style).as_bytes());
        }
        if let Some(syslog) = &self.syslog {
            // The envelope has time and level.
            let style = Style { time: false, color: false, ..self.style };
            let mut syslog = syslog.lock().unwrap_or_else(PoisonError::into_inner);
            syslog.send(line.level, line.time, line.render(style).trim_end());
        }
    }
}

impl Log {
    /// Returns the trace that the event is part of, where anybody traces.
    fn trace_id<S: Subscriber + for<'a> LookupSpan<'a>>(
        &self,
        event: &Event<'_>,
        context: &Context<'_, S>,
    ) -> Option<String> {
        TRACES.get()?;
        let id = event.parent().cloned().or_else(|| context.current_span().id().cloned())?;
        let of = tracing_opentelemetry::get_otel_context(&id, &self.dispatch.get()?.upgrade()?)?;
        let of = of.span();
        let of = of.span_context();
        of.is_valid().then(|| of.trace_id().to_string())
    }
}

/// The level as a word of five letters.
fn word(level: Level) -> &'static str {
    match level {
        Level::ERROR => "ERROR",
        Level::WARN => " WARN",
        Level::INFO => " INFO",
        Level::DEBUG => "DEBUG",
        Level::TRACE => "TRACE",
    }
}
