//! Spans of what the store is asked and told.

use tracing::Span;

/// Returns a span, or none where what is asked is part of no trace: loops look at the store all the time.
pub(super) fn span(operation: &'static str, system: &'static str) -> Span {
    if Span::current().is_disabled() {
        return Span::none();
    }
    tracing::info_span!(
        "store",
        otel.name = %format_args!("store {operation}"),
        otel.kind = "client",
        db.system.name = system,
        db.operation.name = operation,
    )
}
