//! Watches a batch until it ends, through whatever happens to the connection.

use std::io::IsTerminal as _;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use gitfleet_coordinator::view::{BatchView, StatusView};

use super::ask::segment;
use super::stop::Signals;
use crate::client::Client;
use crate::exit::{Exit, Refusal};
use crate::render::talk;
use crate::render::watch::{Pace, Watch};

/// How often the coordinator is asked.
const EVERY: Duration = Duration::from_secs(1);

/// How much is said on the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Say {
    Everything,
    Nothing,
}

/// What watching waits for.
enum Event {
    Seen { batch: Box<BatchView>, status: Option<Box<StatusView>> },
    Silent(anyhow::Error),
    Signal(Exit),
}

/// Returns how the batch ended, as an exit code. A signal, or the end of `timeout`, ends the watching alone, and then
/// `back`, a command, is said to be the way to it.
pub(super) fn watch(
    client: &Client,
    id: &str,
    timeout: Option<Duration>,
    say: Say,
    back: &str,
) -> anyhow::Result<Exit> {
    let (told, tells) = channel();
    signals(told.clone())?;
    ask(client.clone(), id, say, told);
    let deadline = timeout.map(|timeout| Instant::now() + timeout);
    let mut display = (say == Say::Everything).then(|| Watch::new(std::io::stderr().is_terminal()));
    let mut pace = Pace::default();
    let (mut told, mut failed) = (None, 0);
    let exit = loop {
        match next(&tells, deadline) {
            Some(Event::Seen { batch, status }) => {
                let left = batch.commits_new - batch.commits_done;
                let pace = pace.note(Instant::now(), batch.commits_done, left);
                if let Some(display) = &mut display {
                    if told.take().is_some() {
                        display.say("the coordinator answers again");
                    }
                    if batch.repositories.failed > failed
                        && let Some(last) = &batch.last_failure
                    {
                        display
                            .say(&format!("{} failed ({}): {}", last.repository, last.class, last.message));
                    }
                    failed = batch.repositories.failed;
                    display.show(&batch, status.as_deref(), pace);
                }
                if let Some(exit) = ended(&batch) {
                    break exit;
                }
            }
            Some(Event::Silent(error)) if is_unavailable(&error) => {
                // Said once, however often it is tried.
                let text = error.to_string();
                if let Some(display) = display.as_ref().filter(|_| told.as_ref() != Some(&text)) {
                    display.say(&format!("{text}; still trying, the batch goes on"));
                }
                told = Some(text);
            }
            Some(Event::Silent(error)) => return Err(error),
            Some(Event::Signal(exit)) => break exit,
            None => break Exit::TimedOut,
        }
    };
    if let Some(display) = &display {
        display.end();
    }
    if matches!(exit, Exit::Interrupted | Exit::Terminated | Exit::TimedOut) {
        talk::line(&format!("the batch goes on; come back with: {back}"));
    }
    Ok(exit)
}

/// Returns what comes next, and `None` when the time is over.
fn next(events: &Receiver<Event>, deadline: Option<Instant>) -> Option<Event> {
    const SENDERS: &str = "whoever asks goes on as long as somebody listens";
    match deadline {
        None => Some(events.recv().expect(SENDERS)),
        Some(deadline) => match events.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(event) => Some(event),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => unreachable!("{SENDERS}"),
        },
    }
}

/// Asks for the batch again and again. On a thread of its own: a coordinator that does not answer is waited for, and
/// whoever presses Ctrl-C is not.
fn ask(client: Client, id: &str, say: Say, told: Sender<Event>) {
    let path = format!("/batches/{}", segment(id));
    std::thread::spawn(move || {
        loop {
            let event = match client.get::<BatchView>(&path, &[]) {
                Ok(batch) => {
                    let status = match say {
                        Say::Everything => client.get::<StatusView>("/status", &[]).ok().map(Box::new),
                        Say::Nothing => None,
                    };
                    Event::Seen { batch: Box::new(batch), status }
                }
                Err(error) => Event::Silent(error),
            };
            if told.send(event).is_err() {
                return;
            }
            std::thread::sleep(EVERY);
        }
    });
}

fn ended(batch: &BatchView) -> Option<Exit> {
    match batch.state.as_str() {
        "running" => None,
        "finished" if batch.repositories.failed > 0 => Some(Exit::FinishedWithFailures),
        "finished" => Some(Exit::Done),
        _ => Some(Exit::Cancelled),
    }
}

fn is_unavailable(error: &anyhow::Error) -> bool {
    error.downcast_ref::<Refusal>().is_some_and(|refusal| refusal.exit == Exit::Unavailable)
}

/// Tells of the first signal; from now on they end nothing by themselves.
fn signals(told: Sender<Event>) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")?;
    let signals = {
        let _inside = runtime.enter();
        Signals::listen().context("cannot listen for signals")?
    };
    std::thread::spawn(move || {
        let exit = runtime.block_on(signals.first());
        // Nobody listens any more where the watching is over.
        let _ = told.send(Event::Signal(exit));
    });
    Ok(())
}
