//! A place to run gitfleet in: a home, a desk to work at, a data directory and an output directory, all in one
//! temporary folder, with an environment that has nothing of the machine's.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::SystemTime;

use serde_json::Value;

use crate::repository::Repository;

pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_gitfleet");

pub(crate) struct Room {
    folder: tempfile::TempDir,
}

/// How a run ended.
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: String,
}

impl Room {
    pub(crate) fn new() -> Self {
        let room = Self { folder: tempfile::tempdir().unwrap() };
        for name in ["home", "desk"] {
            std::fs::create_dir(room.path(name)).unwrap();
        }
        room
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Returns the path as an argument.
    pub(crate) fn text(&self, name: &str) -> String {
        self.path(name).into_os_string().into_string().unwrap()
    }

    pub(crate) fn write(&self, name: &str, content: &str) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    pub(crate) fn json(&self, name: &str) -> Value {
        serde_json::from_str(&self.read(name)).unwrap()
    }

    /// Makes an empty repository.
    pub(crate) fn repository(&self, name: &str) -> Repository {
        Repository::init(&self.path(name))
    }

    /// Returns the binary, to be run at the desk.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(BINARY);
        command
            .current_dir(self.path("desk"))
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .env("HOME", self.path("home"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    pub(crate) fn gitfleet(&self, arguments: &[&str]) -> Ended {
        Ended::of(self.command().args(arguments).output().unwrap())
    }

    /// Analyses into `out`, with `data` as the data directory.
    pub(crate) fn analyze(&self, arguments: &[&str]) -> Ended {
        Ended::of(self.analyze_command(arguments).output().unwrap())
    }

    pub(crate) fn analyze_command(&self, arguments: &[&str]) -> Command {
        let mut command = self.command();
        command.args(["analyze", "--data-dir", &self.text("data"), "--output", &self.text("out")]);
        command.args(arguments);
        command
    }

    /// Analyses without a failure and returns the report.
    pub(crate) fn report(&self, arguments: &[&str]) -> Value {
        self.analyze(arguments).expect(0);
        self.json("out/report.json")
    }

    /// Returns the files of the last report but the one that may differ between runs.
    pub(crate) fn lasting_files(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut files = contents(&self.path("out"));
        assert!(files.remove(Path::new("manifest.json")).is_some());
        files
    }

    /// Returns everything that is in the room, as paths.
    pub(crate) fn everything(&self) -> Vec<PathBuf> {
        contents(self.folder.path()).into_keys().collect()
    }
}

impl Ended {
    pub(crate) fn of(output: Output) -> Self {
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(!stderr.contains("panicked"), "{stderr}");
        Self { code: output.status.code(), stdout: output.stdout, stderr }
    }

    /// Asserts the exit code.
    #[track_caller]
    pub(crate) fn expect(self, code: i32) -> Self {
        let stdout = String::from_utf8_lossy(&self.stdout);
        assert_eq!(self.code, Some(code), "stdout: {stdout}\nstderr: {}", self.stderr);
        self
    }

    /// Asserts that stderr says all of `words`.
    #[track_caller]
    pub(crate) fn says(self, words: &[&str]) -> Self {
        for word in words {
            assert!(self.stderr.contains(word), "no {word:?} in: {}", self.stderr);
        }
        self
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.stdout).unwrap()
    }
}

/// Returns the files below `folder` by their paths in it.
pub(crate) fn contents(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    entries(folder)
        .into_iter()
        .filter(|path| path.is_file())
        .map(|path| (path.strip_prefix(folder).unwrap().to_owned(), std::fs::read(&path).unwrap()))
        .collect()
}

/// Returns when each file and folder at or below `folder` was changed last.
pub(crate) fn times(folder: &Path) -> BTreeMap<PathBuf, SystemTime> {
    let changed = |path: PathBuf| {
        let time = std::fs::symlink_metadata(&path).unwrap().modified().unwrap();
        (path, time)
    };
    entries(folder).into_iter().map(changed).collect()
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let mut found = vec![folder.to_owned()];
    let mut next = 0;
    while let Some(path) = found.get(next) {
        if path.is_dir() && !path.is_symlink() {
            let inside: Vec<_> =
                std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()).collect();
            found.extend(inside);
        }
        next += 1;
    }
    found
}
