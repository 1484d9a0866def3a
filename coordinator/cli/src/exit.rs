//! Exit codes: stable, documented by `gitfleet help exit-codes`, and decided here alone.

use std::process::ExitCode;

use crate::render::talk;

/// How a command ended, where that is not simply "done".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    Done,
    Failed,
    Usage,
    NotFound,
    Unauthenticated,
    Forbidden,
    Conflict,
    Differs,
    FinishedWithFailures,
    Cancelled,
    Limited,
    Unavailable,
    TimedOut,
    Configuration,
    Interrupted,
    Terminated,
}

/// Code, variant and meaning of every exit code.
const CODES: &[(u8, Exit, &str)] = &[
    (0, Exit::Done, "done"),
    (1, Exit::Failed, "failed for another reason; the message says which"),
    (2, Exit::Usage, "the command line makes no sense"),
    (3, Exit::NotFound, "what was named does not exist"),
    (
        4,
        Exit::Unauthenticated,
        "the coordinator wants a token, and this is none, another one, or one that opens no more",
    ),
    (5, Exit::Forbidden, "it is not allowed"),
    (6, Exit::Conflict, "not in this state; or another gitfleet is using the same data directory"),
    (7, Exit::Differs, "what was compared or checked differs"),
    (
        8,
        Exit::FinishedWithFailures,
        "finished, and at least one repository failed; the report's coverage names them",
    ),
    (9, Exit::Cancelled, "the batch was cancelled"),
    (10, Exit::Limited, "asked too often; the message says when to ask again"),
    (69, Exit::Unavailable, "the coordinator, or something it needs, does not answer"),
    (75, Exit::TimedOut, "timed out while waiting; the work goes on"),
    (78, Exit::Configuration, "the configuration has problems; nothing was done"),
    (130, Exit::Interrupted, "stopped by Ctrl-C; run the same command again to go on"),
    (143, Exit::Terminated, "stopped by SIGTERM; run the same command again to go on"),
];

impl Exit {
    pub(crate) fn code(self) -> u8 {
        CODES.iter().find(|(_, exit, _)| *exit == self).expect("every variant stands in the table").0
    }
}

/// An error that knows its exit code and what to do next.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub(crate) struct Refusal {
    pub(crate) exit: Exit,
    pub(crate) message: String,
    pub(crate) hint: Option<String>,
}

impl Refusal {
    pub(crate) fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self { exit, message: message.into(), hint: None }
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// Lists all codes with what they say, in their order.
pub(crate) fn codes() -> impl Iterator<Item = (u8, &'static str)> {
    CODES.iter().map(|(code, _, meaning)| (*code, *meaning))
}

/// Returns the text of `gitfleet help exit-codes`.
pub(crate) fn help() -> String {
    let mut text = String::from("Exit codes\n\n");
    for (code, meaning) in codes() {
        text.push_str(&format!("{code:>5}  {meaning}\n"));
    }
    text
}

/// Prints what clap has to say and returns its code: 0 where help or version was asked for.
pub(crate) fn usage(error: &clap::Error) -> ExitCode {
    // A closed pipe leaves nobody to tell.
    let _ = error.print();
    ExitCode::from(if error.use_stderr() { Exit::Usage.code() } else { Exit::Done.code() })
}

/// Says what went wrong, with its causes and a hint, and returns the code.
pub(crate) fn code(result: anyhow::Result<Exit>) -> ExitCode {
    let exit = match result {
        Ok(exit) => exit,
        // Whoever reads our output has gone: `gitfleet facts . | head` is no failure.
        Err(error) if is_closed_pipe(&error) => Exit::Done,
        Err(error) => {
            let refusal = error.downcast_ref::<Refusal>();
            let mut causes = error.chain().map(ToString::to_string);
            let mut text = causes.next().unwrap_or_default();
            for cause in causes.filter(|_| refusal.is_none()) {
                if !text.contains(&cause) {
                    text.push_str("\n  because: ");
                    text.push_str(&cause);
                }
            }
            talk::error(&text);
            if let Some(hint) = refusal.and_then(|refusal| refusal.hint.as_deref()) {
                talk::hint(hint);
            }
            refusal.map_or(Exit::Failed, |refusal| refusal.exit)
        }
    };
    ExitCode::from(exit.code())
}

fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        cause
            .downcast_ref::<std::io::Error>()
            .is_some_and(|error| error.kind() == std::io::ErrorKind::BrokenPipe)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_given_once() {
        let mut codes: Vec<u8> = CODES.iter().map(|(code, ..)| *code).collect();
        codes.dedup();
        assert_eq!(codes.len(), CODES.len());
        assert!(CODES.is_sorted_by_key(|(code, ..)| code));
        for (code, exit, _) in CODES {
            assert_eq!(exit.code(), *code);
        }
    }
}
