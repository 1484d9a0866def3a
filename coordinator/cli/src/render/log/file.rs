//! A log file that is moved aside when it is full.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use super::LogFile;

pub(super) struct Rotating {
    config: LogFile,
    file: File,
    bytes: u64,
}

impl Rotating {
    /// Opens the file to write behind what is in it; made anew, it is readable for its owner and group.
    pub(super) fn open(config: &LogFile) -> io::Result<Self> {
        let file = open(&config.path)?;
        Ok(Self { bytes: file.metadata()?.len(), file, config: config.clone() })
    }

    /// Writes a line, into a new file where this one is full. A line is never torn.
    pub(super) fn write(&mut self, line: &[u8]) -> io::Result<()> {
        let length = line.len() as u64;
        if self.bytes > 0 && self.bytes + length > self.config.max_bytes {
            // Where files cannot be moved, the log goes on in the one there is.
            if self.rotate().is_err() {
                self.bytes = 0;
            }
        }
        self.file.write_all(line)?;
        self.bytes += length;
        Ok(())
    }

    fn rotate(&mut self) -> io::Result<()> {
        let path = &self.config.path;
        match self.config.keep {
            0 => std::fs::remove_file(path)?,
            keep => {
                for number in (1..keep).rev() {
                    match std::fs::rename(numbered(path, number), numbered(path, number + 1)) {
                        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                        _ => {}
                    }
                }
                std::fs::rename(path, numbered(path, 1))?;
            }
        }
        self.file = open(path)?;
        self.bytes = 0;
        Ok(())
    }
}

fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.create(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o640);
    options.open(path)
}

fn numbered(path: &Path, number: u32) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{number}"));
    name.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn full_files_move_on_and_the_oldest_goes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let config = LogFile { path: path.clone(), max_bytes: 10, keep: 2 };
        let mut log = Rotating::open(&config).unwrap();
        for line in ["one\n", "two\n", "three\n", "four\n", "much longer than a file\n", "six\n"] {
            log.write(line.as_bytes()).unwrap();
        }
        let read = |path: &Path| std::fs::read_to_string(path).unwrap();
        assert_eq!(read(&path), "six\n");
        assert_eq!(read(&numbered(&path, 1)), "much longer than a file\n");
        assert_eq!(read(&numbered(&path, 2)), "four\n");
        assert!(!numbered(&path, 3).exists());
        // Opened again, it goes on where it was.
        let mut again = Rotating::open(&config).unwrap();
        again.write(b"7\n").unwrap();
        assert_eq!(read(&path), "six\n7\n");
        let none = LogFile { keep: 0, ..config };
        let mut alone = Rotating::open(&none).unwrap();
        alone.write(b"eight eight\n").unwrap();
        assert_eq!(read(&path), "eight eight\n");
        assert_eq!(read(&numbered(&path, 1)), "much longer than a file\n");
    }
}
