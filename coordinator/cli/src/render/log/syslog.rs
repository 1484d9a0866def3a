//! The system's log: RFC 5424 over a local socket.

use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;

use chrono::{DateTime, SecondsFormat, Utc};
use tracing::Level;

/// System daemons.
const FACILITY: u8 = 3;
/// What every receiver takes is 480 bytes, and what common ones do is 8 KiB.
const MOST_BYTES: usize = 8 << 10;

pub(super) struct Syslog {
    path: PathBuf,
    socket: Option<UnixDatagram>,
    host: String,
}

impl Syslog {
    pub(super) fn new(path: PathBuf) -> Self {
        let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
        Self { path, socket: None, host: name(host.trim()) }
    }

    /// Sends a line, over a new connection where the last one is gone. Nobody waits for a log that is away.
    pub(super) fn send(&mut self, level: Level, time: DateTime<Utc>, text: &str) {
        let message = message(level, time, &self.host, std::process::id(), text);
        for _ in 0..2 {
            if self.socket.is_none() {
                self.socket = self.connect().ok();
            }
            match &self.socket {
                Some(socket) if socket.send(&message).is_ok() => return,
                _ => self.socket = None,
            }
        }
    }

    fn connect(&self) -> std::io::Result<UnixDatagram> {
        let socket = UnixDatagram::unbound()?;
        socket.set_nonblocking(true)?;
        socket.connect(&self.path)?;
        Ok(socket)
    }
}

/// Returns what is printable of a host's name, or the word for none.
fn name(text: &str) -> String {
    let name: String = text.chars().filter(char::is_ascii_graphic).take(255).collect();
    if name.is_empty() { "-".to_owned() } else { name }
}

fn message(level: Level, time: DateTime<Utc>, host: &str, process: u32, text: &str) -> Vec<u8> {
    let severity = match level {
        Level::ERROR => 3,
        Level::WARN => 4,
        Level::INFO => 6,
        Level::DEBUG | Level::TRACE => 7,
    };
    let time = time.to_rfc3339_opts(SecondsFormat::Micros, true);
    let mut message = format!("<{}>1 {time} {host} gitfleet {process} - - ", FACILITY * 8 + severity);
    let mut end = text.len().min(MOST_BYTES);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    message.push_str(&text[..end]);
    message.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_as_the_standard_says_and_find_a_receiver_that_came_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let mut syslog = Syslog { path: path.clone(), socket: None, host: "h".into() };
        let time = DateTime::from_timestamp(1_767_225_600, 0).unwrap();
        syslog.send(Level::ERROR, time, "nobody is there");
        for (level, priority) in
            [(Level::ERROR, 27), (Level::WARN, 28), (Level::INFO, 30), (Level::TRACE, 31)]
        {
            // A receiver that began anew has another socket at the same place.
            let _ = std::fs::remove_file(&path);
            let receiver = UnixDatagram::bind(&path).unwrap();
            syslog.send(level, time, "words");
            let mut heard = [0; 200];
            let length = receiver.recv(&mut heard).unwrap();
            let expect = format!(
                "<{priority}>1 2026-01-01T00:00:00.000000Z h gitfleet {} - - words",
                std::process::id()
            );
            assert_eq!(String::from_utf8_lossy(&heard[..length]), expect);
        }
        assert!(message(Level::INFO, time, "h", 1, &"ü".repeat(9_000)).len() < MOST_BYTES + 100);
        assert_eq!((name("a b\u{1b}"), name("")), ("ab".to_owned(), "-".to_owned()));
    }
}
