//! A process of the binary under test. It dies with the thread that started it, however that ends.

use std::fs::File;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

pub(crate) struct Process {
    pub(crate) name: String,
    child: Child,
    log: PathBuf,
}

/// Returns the binary with nothing of the machine's environment. The system kills it when the thread that starts it
/// ends: a test that is killed leaves nobody behind.
pub(crate) fn command(home: &Path) -> Command {
    let mut command = Command::new("setpriv");
    command
        .args(["--pdeathsig", "KILL", env!("CARGO_BIN_EXE_gitfleet")])
        .current_dir(home)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap())
        .env("HOME", home)
        .stdin(Stdio::null());
    command
}

impl Process {
    pub(crate) fn start(name: &str, mut command: Command, log: PathBuf) -> Self {
        let file = File::options().create(true).append(true).open(&log).unwrap();
        let child = command.stdout(Stdio::null()).stderr(file).spawn().unwrap();
        Self { name: name.to_owned(), child, log }
    }

    /// Sends a signal by its name.
    pub(crate) fn signal(&self, name: &str) {
        // A shell has it built in; the program need not be there.
        let sent = Command::new("sh").args(["-c", &format!("kill -{name} {}", self.child.id())]).status();
        assert!(sent.unwrap().success(), "{name} to {}", self.name);
    }

    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    pub(crate) fn is_alive(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Waits until it has ended by itself; `None` where it has not within `patience`.
    pub(crate) fn ended(&mut self, patience: Duration) -> Option<ExitStatus> {
        let begun = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return Some(status);
            }
            if begun.elapsed() > patience {
                return None;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Waits until it has died at the place where it was told to.
    pub(crate) fn crashed(&mut self) {
        const ABORT: i32 = 6;
        let status = self.ended(Duration::from_secs(60));
        let signal =
            status.unwrap_or_else(|| panic!("{} does not crash:\n{}", self.name, self.said())).signal();
        assert_eq!(signal, Some(ABORT), "{}:\n{}", self.name, self.said());
    }

    /// Asks it to end, and returns its exit code.
    pub(crate) fn terminate(&mut self) -> Option<i32> {
        self.signal("TERM");
        let status = self.ended(Duration::from_secs(40));
        status.unwrap_or_else(|| panic!("{} does not end:\n{}", self.name, self.said())).code()
    }

    /// Returns the end of what it said.
    pub(crate) fn said(&self) -> String {
        let said = std::fs::read(&self.log).unwrap_or_default();
        String::from_utf8_lossy(&said[said.len().saturating_sub(6_000)..]).into_owned()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("-- {}:\n{}", self.name, self.said());
        }
    }
}
