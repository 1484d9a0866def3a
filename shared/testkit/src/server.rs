//! A child server under a guardian.
//!
//! The guardian is a small shell script in a process group of its own that waits for the end of its stdin. The system
//! closes that when the test process ends, be it by `kill -9`, and then the guardian ends the server and removes its
//! folder.

use std::ffi::{OsStr, OsString};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// What to run, in which folder.
pub struct Spec {
    /// Removed at the end, with all that is in it; what the server says is in its file `log`.
    pub folder: PathBuf,
    pub program: PathBuf,
    pub arguments: Vec<OsString>,
    pub environment: Vec<(OsString, OsString)>,
    /// Asked again and again until it is true; the server can be used from then on.
    pub is_ready: Box<dyn Fn() -> bool + Send + Sync>,
    /// How long that may take.
    pub patience: Duration,
}

pub struct Server {
    spec: Spec,
    // One word and its answer at a time.
    guardian: Mutex<Guardian>,
}

struct Guardian {
    child: Child,
    words: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Server {
    /// Starts the server and waits until it is ready.
    ///
    /// # Panics
    ///
    /// Where it does not become ready in time; the message has the end of its log.
    pub fn start(spec: Spec) -> Self {
        let mut child = Command::new("sh")
            .args(["-c", include_str!("guardian.sh"), "guardian"])
            .arg(&spec.folder)
            .arg(&spec.program)
            .args(&spec.arguments)
            .envs(spec.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            // A Ctrl-C in the terminal is for the test; the guardian must outlive it.
            .process_group(0)
            .spawn()
            .expect("there is a shell");
        let words = child.stdin.take();
        let answers = BufReader::new(child.stdout.take().expect("stdout is piped"));
        let server = Self { spec, guardian: Mutex::new(Guardian { child, words, answers }) };
        server.run();
        server
    }

    /// Starts the server again on its folder and port, after [`kill`](Self::kill) or
    /// [`terminate`](Self::terminate), and waits until it is ready.
    pub fn run(&self) {
        self.begin();
        self.wait_ready();
    }

    /// As [`run`](Self::run), without the wait.
    pub fn begin(&self) {
        self.say("start");
    }

    /// Ends all its processes with SIGKILL, and returns when they are gone.
    pub fn kill(&self) {
        self.say("kill");
    }

    /// Ends it with SIGTERM, and returns when it is gone.
    pub fn terminate(&self) {
        self.say("terminate");
    }

    /// Freezes it with SIGSTOP: the system goes on taking connections for it, and nobody answers.
    pub fn stop(&self) {
        self.say("stop");
    }

    /// Wakes it after [`stop`](Self::stop).
    pub fn resume(&self) {
        self.say("continue");
    }

    /// Kills it and starts it again.
    pub fn restart(&self) {
        self.kill();
        self.run();
    }

    pub fn folder(&self) -> &Path {
        &self.spec.folder
    }

    fn say(&self, word: &str) {
        let mut guardian = self.guardian.lock().unwrap_or_else(PoisonError::into_inner);
        let words = guardian.words.as_mut().expect("open until it is dropped");
        writeln!(words, "{word}").expect("the guardian listens");
        let mut answer = String::new();
        guardian.answers.read_line(&mut answer).expect("the guardian answers");
        assert_eq!(answer.trim_end(), word, "the guardian of {} is gone", self.spec.program.display());
    }

    /// Waits until the server can be used.
    ///
    /// # Panics
    ///
    /// Where it does not become ready in time; the message has the end of its log.
    pub fn wait_ready(&self) {
        let begun = Instant::now();
        while !(self.spec.is_ready)() {
            if begun.elapsed() > self.spec.patience {
                let log = std::fs::read(self.spec.folder.join("log")).unwrap_or_default();
                let log = String::from_utf8_lossy(&log[log.len().saturating_sub(2000)..]).into_owned();
                panic!("{} does not become ready:\n{log}", self.spec.program.display());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let guardian = self.guardian.get_mut().unwrap_or_else(PoisonError::into_inner);
        guardian.words = None;
        let _ = guardian.child.wait();
    }
}

/// Returns a new folder under the system's folder for such things, for a [`Server`] to remove.
///
/// # Panics
///
/// Where none can be made.
pub fn folder(stem: &str) -> PathBuf {
    let made = tempfile::Builder::new().prefix(&format!("gitfleet-{stem}-")).tempdir();
    made.expect("a folder can be made").keep()
}

/// Returns whether somebody at 127.0.0.1:`port` answers `question` with something that begins with `answer`.
pub(crate) fn answers(port: u16, question: &[u8], answer: &[u8]) -> bool {
    use std::io::Read;
    let ask = || {
        let mut stream = std::net::TcpStream::connect(("127.0.0.1", port))?;
        stream.set_read_timeout(Some(Duration::from_secs(2)))?;
        stream.write_all(question)?;
        let mut got = vec![0; answer.len()];
        stream.read_exact(&mut got)?;
        std::io::Result::Ok(got == answer)
    };
    ask().unwrap_or(false)
}

/// Returns `text` for lists of arguments that hold paths, too.
pub(crate) fn os(text: impl AsRef<OsStr>) -> OsString {
    text.as_ref().to_owned()
}
