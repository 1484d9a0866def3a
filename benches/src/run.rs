//! One run of a program: wall time, CPU time and peak memory, as the kernel accounts them to that one child.
//!
//! Each run is started by a small process of its own, the relay. A child's peak memory begins at that of the process
//! it was forked from, and this one holds the answers of both sides when it compares them.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use wait4::Wait4 as _;

/// What a finished program cost, with the children it waited for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Spent {
    pub(crate) wall: Duration,
    /// User and system time together.
    pub(crate) cpu: Duration,
    /// The largest resident set of the program or of one of its children.
    pub(crate) peak_bytes: u64,
}

impl Spent {
    /// One line, for the way from the relay back.
    fn to_line(self) -> String {
        format!("{} {} {}", self.wall.as_nanos(), self.cpu.as_nanos(), self.peak_bytes)
    }

    fn from_line(line: &str) -> Option<Self> {
        let mut numbers = line.split_whitespace().map(|number| number.parse::<u64>().ok());
        Some(Self {
            wall: Duration::from_nanos(numbers.next()??),
            cpu: Duration::from_nanos(numbers.next()??),
            peak_bytes: numbers.next()??,
        })
    }
}

/// A program that is under way.
pub(crate) struct Running {
    relay: Child,
    told: String,
}

/// Starts `command` with its standard output in the file `stdout`.
pub(crate) fn start(command: &Command, stdout: &Path) -> anyhow::Result<Running> {
    let mut relay = Command::new(std::env::current_exe()?);
    relay.arg("relay").arg(stdout).arg("--").arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => relay.env(name, value),
            None => relay.env_remove(name),
        };
    }
    if let Some(directory) = command.get_current_dir() {
        relay.current_dir(directory);
    }
    let relay = relay.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    Ok(Running { relay, told: format!("{command:?}") })
}

impl Running {
    /// Waits for the end.
    ///
    /// # Errors
    ///
    /// Where the program failed, with what it said.
    pub(crate) fn end(self) -> anyhow::Result<Spent> {
        let output = self.relay.wait_with_output()?;
        let said = String::from_utf8_lossy(&output.stderr);
        anyhow::ensure!(output.status.success(), "{} failed: {}", self.told, said.trim_end());
        Spent::from_line(&String::from_utf8_lossy(&output.stdout)).context("the relay told no figures")
    }
}

/// Runs `command` to its end with its standard output in the file `stdout`.
pub(crate) fn run(command: &Command, stdout: &Path) -> anyhow::Result<Spent> {
    start(command, stdout)?.end()
}

/// The relay's side: runs the program and returns the line that tells its cost.
pub(crate) fn relay(stdout: &Path, program: &OsStr, arguments: &[OsString]) -> anyhow::Result<String> {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(File::create(stdout)?);
    let started = Instant::now();
    let child = command.spawn().with_context(|| format!("cannot start {}", program.display()))?;
    let used = child.wait4()?;
    let wall = started.elapsed();
    anyhow::ensure!(used.status.success(), "it ended with {}", used.status);
    let cpu = used.rusage.utime + used.rusage.stime;
    Ok(Spent { wall, cpu, peak_bytes: used.rusage.maxrss }.to_line())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_survive_the_way_back() {
        let spent = Spent {
            wall: Duration::from_nanos(1_234_567_891),
            cpu: Duration::from_micros(7),
            peak_bytes: 3 << 30,
        };
        assert_eq!(Spent::from_line(&spent.to_line()), Some(spent));
        assert_eq!(Spent::from_line("1 2"), None);
        assert_eq!(Spent::from_line("1 2 x"), None);
    }

    #[test]
    fn the_relay_accounts_for_one_child() {
        let stdout = tempfile::NamedTempFile::new().unwrap();
        let line = relay(stdout.path(), OsStr::new("git"), &["--version".into()]).unwrap();
        let spent = Spent::from_line(&line).unwrap();
        assert!(!spent.wall.is_zero() && spent.peak_bytes > 0, "{spent:?}");
        assert!(std::fs::read(stdout.path()).unwrap().starts_with(b"git version"));
        assert!(relay(stdout.path(), OsStr::new("git"), &["no-such-command".into()]).is_err());
    }
}
