//! A repository that a test makes by hand, one commit at a time.

use std::ffi::OsStr;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

pub(crate) struct Repository {
    path: PathBuf,
}

/// Runs git at `path`, with no settings but the repository's, and returns what it prints.
pub(crate) fn git<S: AsRef<OsStr> + std::fmt::Debug>(path: &Path, arguments: &[S]) -> String {
    String::from_utf8(git_bytes(path, arguments, b"")).unwrap()
}

/// Does the same for output that need not be text, with something to read for git.
pub(crate) fn git_bytes<S: AsRef<OsStr> + std::fmt::Debug>(
    path: &Path,
    arguments: &[S],
    input: &[u8],
) -> Vec<u8> {
    let mut child = Command::new("git")
        .current_dir(path)
        .args(arguments)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap())
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("LC_ALL", "C")
        .envs([("GIT_AUTHOR_NAME", "Ann"), ("GIT_AUTHOR_EMAIL", "ann@example")])
        .envs([("GIT_COMMITTER_NAME", "C"), ("GIT_COMMITTER_EMAIL", "c@example")])
        .env("GIT_COMMITTER_DATE", "2026-01-01T00:00:00Z")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

impl Repository {
    pub(crate) fn init(path: &Path) -> Self {
        std::fs::create_dir_all(path).unwrap();
        let repository = Self { path: path.to_owned() };
        repository.git(&["init", "--quiet", "--initial-branch=main"]);
        repository
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the path as an argument.
    pub(crate) fn text(&self) -> &str {
        self.path.to_str().unwrap()
    }

    pub(crate) fn git(&self, arguments: &[&str]) -> String {
        git(&self.path, arguments)
    }

    pub(crate) fn head(&self) -> String {
        self.git(&["rev-parse", "HEAD"]).trim().to_owned()
    }

    /// Commits a file of `lines` lines, written by Ann at `date`.
    pub(crate) fn commit(&self, file: &str, lines: usize, date: &str) {
        self.commit_by("Ann <ann@example>", file, lines, date);
    }

    pub(crate) fn commit_by(&self, author: &str, file: &str, lines: usize, date: &str) {
        let content: String = (0..lines).map(|line| format!("{line} of {file}\n")).collect();
        self.commit_content(author, file, &content, date);
    }

    pub(crate) fn commit_content(&self, author: &str, file: &str, content: &str, date: &str) {
        std::fs::write(self.path.join(file), content).unwrap();
        self.git(&["add", "--", file]);
        let author = format!("--author={author}");
        self.git(&["commit", "--quiet", "--message=change", &author, "--date", date]);
    }

    /// Commits an empty change whose author is exactly `author`, which git itself would clean.
    pub(crate) fn commit_by_raw(&self, author: &[u8], seconds: i64) {
        let tree = self.git(&["rev-parse", "HEAD^{tree}"]);
        let (tree, parent) = (tree.trim(), self.head());
        let mut commit = format!("tree {tree}\nparent {parent}\nauthor ").into_bytes();
        commit.extend_from_slice(author);
        commit.extend_from_slice(format!(" {seconds} +0000\n").as_bytes());
        commit.extend_from_slice(b"committer C <c@example> 1767225600 +0000\n\nraw\n");
        let id =
            git_bytes(&self.path, &["hash-object", "-t", "commit", "-w", "--stdin", "--literally"], &commit);
        self.git(&["update-ref", "HEAD", std::str::from_utf8(&id).unwrap().trim()]);
    }
}
