//! The trace that work is part of, as it goes with a message, a request or a row: W3C Trace Context, version 00.
//!
//! Spans are those of `tracing`; whether anybody collects them is decided by whoever sets up the process. Where nobody
//! does, there is no context, nothing is sent along, and none of this costs more than a look.

use std::fmt;

use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt as _, TraceFlags, TraceId, TraceState};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

/// The name of the header that carries it.
pub const HEADER: &str = "traceparent";

/// A span somewhere, which what happens here follows from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TraceContext {
    trace: TraceId,
    span: SpanId,
    flags: TraceFlags,
}

impl TraceContext {
    /// Reads a `traceparent`. What is of a later version is read as far as this one goes; what is none is `None`, and
    /// the trace begins anew then.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.trim().split('-');
        let (version, trace, span, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let is_hex = |text: &str, length| {
            text.len() == length && text.bytes().all(|c| matches!(c, b'0'..=b'9' | b'a'..=b'f'))
        };
        let fits = is_hex(version, 2) && is_hex(trace, 32) && is_hex(span, 16) && is_hex(flags, 2);
        if !fits || version == "ff" || (version == "00" && parts.next().is_some()) {
            return None;
        }
        let context = Self {
            trace: TraceId::from_hex(trace).ok()?,
            span: SpanId::from_hex(span).ok()?,
            flags: TraceFlags::new(u8::from_str_radix(flags, 16).ok()?) & TraceFlags::SAMPLED,
        };
        (context.trace != TraceId::INVALID && context.span != SpanId::INVALID).then_some(context)
    }

    /// Returns that of the span this runs in, where anybody collects it.
    pub fn current() -> Option<Self> {
        let span = Span::current();
        if span.is_disabled() {
            return None;
        }
        let context = span.context();
        let of = context.span();
        let of = of.span_context();
        let context = Self { trace: of.trace_id(), span: of.span_id(), flags: of.trace_flags() };
        of.is_valid().then_some(context)
    }

    fn remote(self) -> SpanContext {
        SpanContext::new(self.trace, self.span, self.flags, true, TraceState::NONE)
    }
}

impl fmt::Display for TraceContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "00-{}-{}-{:02x}", self.trace, self.span, self.flags.to_u8())
    }
}

/// Makes `span`, which has just begun, follow from what happened elsewhere.
pub fn follow(span: &Span, parent: Option<TraceContext>) {
    if let Some(parent) = parent {
        // Fails where nobody collects, and for a span that has been asked for its context.
        let _ = span.set_parent(opentelemetry::Context::new().with_remote_span_context(parent.remote()));
    }
}

/// Notes that `span` follows from more than its parent.
pub fn link(span: &Span, other: TraceContext) {
    span.add_link(other.remote());
}

/// Returns an address without user and password, and without what might be another secret behind a question mark.
pub fn public_url(url: &str) -> String {
    let url = url.split(['?', '#']).next().unwrap_or_default();
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let host = authority.rsplit('@').next().unwrap_or_default();
    format!("{scheme}://{host}{path}")
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn what_is_no_trace_begins_anew() {
        assert_eq!(TraceContext::parse(TEXT).unwrap().to_string(), TEXT);
        let later = TEXT.replacen("00", "01", 1) + "-what-is-to-come";
        assert_eq!(TraceContext::parse(&later).unwrap().to_string(), TEXT);
        for none in [
            "",
            "00",
            &TEXT[..54],
            &TEXT.to_uppercase(),
            &format!("{TEXT}-more"),
            &TEXT.replacen("00", "ff", 1),
            &TEXT.replace("4bf92f3577b34da6a3ce929d0e0e4736", &"0".repeat(32)),
            &TEXT.replace("00f067aa0ba902b7", &"0".repeat(16)),
            &TEXT.replace("00f067aa0ba902b7", "00f067aa0ba902\u{fc}"),
        ] {
            assert_eq!(TraceContext::parse(none), None, "{none}");
        }
    }

    #[test]
    fn without_a_collector_there_is_no_context() {
        let span = tracing::info_span!("alone");
        follow(&span, TraceContext::parse(TEXT));
        assert_eq!(span.in_scope(TraceContext::current), None);
    }

    #[test]
    fn an_address_that_is_told_holds_no_secret() {
        for (url, expect) in [
            ("https://u:p@h.example/o/x.git?token=t#f", "https://h.example/o/x.git"),
            ("https://u@h", "https://h"),
            ("https://h/o/x@y", "https://h/o/x@y"),
            ("ssh://git@h:22/o/x", "ssh://h:22/o/x"),
            ("/srv/x", "/srv/x"),
        ] {
            assert_eq!(public_url(url), expect);
        }
    }
}
