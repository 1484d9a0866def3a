//! Which levels count where.

use tracing_subscriber::filter::{LevelFilter, Targets};

use super::{Flags, Logging};

/// The parts of the program that are ours.
const OURS: [&str; 4] = ["gitfleet", "gitfleet_coordinator", "gitfleet_worker", "gitfleet_shared"];

/// Returns the filter: what was typed wins.
pub(super) fn of(flags: Flags, logging: &Logging) -> Targets {
    let typed = flags.quiet || flags.verbose > 0;
    let by_flags = match (flags.quiet, flags.verbose + u8::from(flags.role.is_some())) {
        (true, _) => LevelFilter::ERROR,
        (false, 0) => LevelFilter::WARN,
        (false, 1) => LevelFilter::INFO,
        (false, 2) => LevelFilter::DEBUG,
        (false, _) => LevelFilter::TRACE,
    };
    let level = logging.level.filter(|_| !typed).unwrap_or(by_flags);
    let targets = Targets::new().with_targets(OURS.map(|ours| (ours, level)));
    match typed {
        true => targets,
        false => targets.with_targets(logging.targets.iter().cloned()),
    }
}

/// A level for everything, and some for parts.
pub(crate) type Levels = (Option<LevelFilter>, Vec<(String, LevelFilter)>);

/// Reads levels as `info`, or `info,gitfleet_worker=debug`: one for everything, and some for parts.
///
/// # Errors
///
/// With the word that is no level.
pub(crate) fn levels(text: &str) -> Result<Levels, String> {
    let (mut all, mut parts) = (None, Vec::new());
    for word in text.split(',').map(str::trim).filter(|word| !word.is_empty()) {
        match word.split_once('=') {
            Some((target, of)) => parts.push((target.trim().to_owned(), level(of.trim())?)),
            None => all = Some(level(word)?),
        }
    }
    Ok((all, parts))
}

/// Reads a level, in the words of GitFlow Analytics, too.
fn level(word: &str) -> Result<LevelFilter, String> {
    match word.to_ascii_lowercase().as_str() {
        "off" | "none" => Ok(LevelFilter::OFF),
        "error" | "critical" | "fatal" => Ok(LevelFilter::ERROR),
        "warn" | "warning" => Ok(LevelFilter::WARN),
        "info" => Ok(LevelFilter::INFO),
        "debug" => Ok(LevelFilter::DEBUG),
        "trace" => Ok(LevelFilter::TRACE),
        _ => Err(word.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use tracing::Level;

    use super::*;

    const ROLE: Flags = Flags { verbose: 0, quiet: false, role: Some("worker") };

    fn loudest(flags: Flags, text: &str, target: &str) -> Option<Level> {
        let (level, targets) = levels(text).unwrap();
        let filter = of(flags, &Logging { level, targets, ..Logging::default() });
        [Level::TRACE, Level::DEBUG, Level::INFO, Level::WARN, Level::ERROR]
            .into_iter()
            .find(|level| filter.would_enable(target, level))
    }

    #[test]
    fn what_was_typed_beats_what_is_configured() {
        let command = Flags { role: None, ..ROLE };
        assert_eq!(loudest(command, "", "gitfleet"), Some(Level::WARN));
        assert_eq!(loudest(ROLE, "", "gitfleet_worker::job"), Some(Level::INFO));
        assert_eq!(loudest(ROLE, "error", "gitfleet_worker::job"), Some(Level::ERROR));
        assert_eq!(loudest(ROLE, "none", "gitfleet"), None);
        let parts = "warning, gitfleet_worker=debug,gitfleet_worker::mirror=off";
        assert_eq!(loudest(ROLE, parts, "gitfleet_shared"), Some(Level::WARN));
        assert_eq!(loudest(ROLE, parts, "gitfleet_worker::job"), Some(Level::DEBUG));
        assert_eq!(loudest(ROLE, parts, "gitfleet_worker::mirror"), None);
        assert_eq!(loudest(ROLE, "info,sqlx=debug", "sqlx::query"), Some(Level::DEBUG));
        assert_eq!(loudest(ROLE, "", "sqlx::query"), None);
        for typed in [Flags { quiet: true, ..ROLE }, Flags { verbose: 1, ..ROLE }] {
            let expect = if typed.quiet { Level::ERROR } else { Level::DEBUG };
            assert_eq!(loudest(typed, parts, "gitfleet_worker::mirror"), Some(expect));
        }
    }

    #[test]
    fn a_word_that_is_no_level_is_named() {
        assert_eq!(levels("loud"), Err("loud".to_owned()));
        assert_eq!(levels("info,gitfleet=lots"), Err("lots".to_owned()));
    }
}
