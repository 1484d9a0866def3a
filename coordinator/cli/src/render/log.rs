//! The log: what the parts of the program say of themselves, on stderr.

use tracing_subscriber::filter::LevelFilter;

/// Sets the log up: errors alone when quiet, warnings by default, more with each `-v`.
pub(crate) fn init(verbose: u8, quiet: bool) {
    let level = match (quiet, verbose) {
        (true, _) => LevelFilter::ERROR,
        (false, 0) => LevelFilter::WARN,
        (false, 1) => LevelFilter::INFO,
        (false, 2) => LevelFilter::DEBUG,
        (false, _) => LevelFilter::TRACE,
    };
    // Ours alone: what libraries say of themselves is for their authors.
    let targets = tracing_subscriber::filter::Targets::new()
        .with_target("gitfleet", level)
        .with_target("gitfleet_coordinator", level)
        .with_target("gitfleet_worker", level)
        .with_target("gitfleet_shared", level);
    use tracing_subscriber::layer::SubscriberExt as _;
    use tracing_subscriber::util::SubscriberInitExt as _;
    let layer = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()))
        .without_time();
    tracing_subscriber::registry().with(layer).with(targets).init();
}
