//! Repositories that git makes, always in the same way: no setting of the user or the machine has a say, and the
//! clock is the fixture's own.

use std::cell::Cell;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

/// A repository in a directory that goes with it. It is bare: commits come from streams and raw objects, which can
/// say what a working tree cannot.
pub(crate) struct Fixture {
    path: PathBuf,
    clock: Cell<i64>,
    // Last, so that it goes last.
    room: TempDir,
}

/// What a commit does to one path.
pub(crate) struct Change(Vec<u8>);

pub(crate) fn file(path: impl AsRef<[u8]>, content: impl AsRef<[u8]>) -> Change {
    put("100644", path.as_ref(), content.as_ref())
}

pub(crate) fn executable(path: impl AsRef<[u8]>, content: impl AsRef<[u8]>) -> Change {
    put("100755", path.as_ref(), content.as_ref())
}

pub(crate) fn symlink(path: impl AsRef<[u8]>, target: impl AsRef<[u8]>) -> Change {
    put("120000", path.as_ref(), target.as_ref())
}

/// The commit `id` need not be there.
pub(crate) fn submodule(path: &str, id: &str) -> Change {
    Change([format!("M 160000 {id} ").as_bytes(), &in_quotes(path.as_bytes()), b"\n"].concat())
}

pub(crate) fn gone(path: impl AsRef<[u8]>) -> Change {
    Change([b"D ".as_slice(), &in_quotes(path.as_ref()), b"\n"].concat())
}

pub(crate) fn all_gone() -> Change {
    Change(b"deleteall\n".to_vec())
}

fn put(mode: &str, path: &[u8], content: &[u8]) -> Change {
    let head = format!("M {mode} inline ");
    Change([head.as_bytes(), &in_quotes(path), b"\n", &data(content)].concat())
}

fn data(content: &[u8]) -> Vec<u8> {
    [format!("data {}\n", content.len()).as_bytes(), content, b"\n"].concat()
}

fn in_quotes(path: &[u8]) -> Vec<u8> {
    let mut quoted = vec![b'"'];
    for byte in path {
        quoted.extend_from_slice(format!("\\{byte:03o}").as_bytes());
    }
    quoted.push(b'"');
    quoted
}

/// Commits to be made in one go, in the form of `git fast-import`.
pub(crate) struct Stream {
    bytes: Vec<u8>,
    clock: i64,
    marks: usize,
}

/// A commit of a [`Stream`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mark(usize);

impl Stream {
    pub(crate) fn commit(&mut self, branch: &str, parents: &[Mark], changes: &[Change]) -> Mark {
        self.clock += 3_600;
        self.commit_at(self.clock, branch, parents, changes)
    }

    pub(crate) fn commit_at(
        &mut self,
        seconds: i64,
        branch: &str,
        parents: &[Mark],
        changes: &[Change],
    ) -> Mark {
        let parents: Vec<String> = parents.iter().map(|mark| format!(":{}", mark.0)).collect();
        self.add(seconds, branch, &parents.iter().map(String::as_str).collect::<Vec<_>>(), changes)
    }

    fn add(&mut self, seconds: i64, branch: &str, parents: &[&str], changes: &[Change]) -> Mark {
        self.marks += 1;
        let mark = self.marks;
        // Without the reset a commit without parents would continue the branch.
        let mut head = format!("reset refs/heads/{branch}\ncommit refs/heads/{branch}\nmark :{mark}\n");
        for role in ["author", "committer"] {
            head.push_str(&format!("{role} A U Thor <author@example.com> {seconds} +0200\n"));
        }
        self.bytes.extend_from_slice(head.as_bytes());
        self.bytes.extend_from_slice(&data(format!("commit {mark}\n").as_bytes()));
        for (position, parent) in parents.iter().enumerate() {
            let word = if position == 0 { "from" } else { "merge" };
            self.bytes.extend_from_slice(format!("{word} {parent}\n").as_bytes());
        }
        for change in changes {
            self.bytes.extend_from_slice(&change.0);
        }
        Mark(mark)
    }
}

impl Fixture {
    pub(crate) fn new() -> Self {
        Self::with(&[])
    }

    /// Makes a repository with more options of `git init`.
    pub(crate) fn with(options: &[&str]) -> Self {
        let room = tempfile::tempdir().unwrap();
        let path = room.path().join("repository.git");
        let fixture = Self { path, clock: Cell::new(1_700_000_000), room };
        let path = fixture.path.to_str().unwrap();
        let arguments = [&["init", "--quiet", "--bare", "--initial-branch=main"], options, &[path]].concat();
        run(fixture.room(), &arguments, b"");
        fixture
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Returns a directory beside the repository, for its clones and worktrees.
    pub(crate) fn room(&self) -> &Path {
        self.room.path()
    }

    /// Runs git here and returns what it prints.
    pub(crate) fn git(&self, arguments: &[&str]) -> String {
        String::from_utf8(run(&self.path, arguments, b"")).unwrap().trim_end().to_owned()
    }

    /// Returns the lines that git prints, sorted.
    pub(crate) fn git_lines(&self, arguments: &[&str]) -> Vec<String> {
        let mut lines: Vec<String> = self.git(arguments).lines().map(str::to_owned).collect();
        lines.sort_unstable();
        lines
    }

    /// Adds a commit to the branch main and returns its id.
    pub(crate) fn commit(&self, changes: &[Change]) -> String {
        let tip = self.git(&["for-each-ref", "--format=%(objectname)", "refs/heads/main"]);
        let parents: &[&str] = if tip.is_empty() { &[] } else { &[&tip] };
        self.commit_on("main", parents, changes)
    }

    /// Adds a commit, lets `branch` name it and returns its id.
    pub(crate) fn commit_on(&self, branch: &str, parents: &[&str], changes: &[Change]) -> String {
        self.clock.set(self.clock.get() + 3_600);
        self.commit_at(self.clock.get(), branch, parents, changes)
    }

    pub(crate) fn commit_at(
        &self,
        seconds: i64,
        branch: &str,
        parents: &[&str],
        changes: &[Change],
    ) -> String {
        let mut stream = Stream { bytes: Vec::new(), clock: 0, marks: 0 };
        stream.add(seconds, branch, parents, changes);
        self.import(stream.bytes);
        self.git(&["rev-parse", &format!("refs/heads/{branch}")])
    }

    /// Makes all commits that `write` puts into the stream.
    pub(crate) fn stream<T>(&self, write: impl FnOnce(&mut Stream) -> T) -> T {
        let mut stream = Stream { bytes: Vec::new(), clock: self.clock.get(), marks: 0 };
        let written = write(&mut stream);
        self.clock.set(stream.clock);
        self.import(stream.bytes);
        written
    }

    fn import(&self, mut stream: Vec<u8>) {
        stream.extend_from_slice(b"done\n");
        run(&self.path, &["fast-import", "--quiet", "--force", "--done"], &stream);
    }

    /// Writes an object just as it is, sound or not, and returns its id.
    pub(crate) fn object(&self, kind: &str, content: &[u8]) -> String {
        let arguments = ["hash-object", "-w", "-t", kind, "--stdin", "--literally"];
        String::from_utf8(run(&self.path, &arguments, content)).unwrap().trim_end().to_owned()
    }

    /// Writes a tree of entries (mode, name, id), just as they are.
    pub(crate) fn tree(&self, entries: &[(&str, &str, &str)]) -> String {
        let mut content = Vec::new();
        for (mode, name, id) in entries {
            content.extend_from_slice(format!("{mode} {name}\0").as_bytes());
            content.extend_from_slice(gix::ObjectId::from_hex(id.as_bytes()).unwrap().as_bytes());
        }
        self.object("tree", &content)
    }

    /// Lets main name a commit of a tree, on top of what main named before where `parents` holds it.
    pub(crate) fn commit_tree(&self, tree: &str, parents: &[&str]) -> String {
        let mut content = format!("tree {tree}\n");
        for parent in parents {
            content.push_str(&format!("parent {parent}\n"));
        }
        self.clock.set(self.clock.get() + 3_600);
        let who = format!("A U Thor <author@example.com> {} +0000", self.clock.get());
        content.push_str(&format!("author {who}\ncommitter {who}\n\nof a tree\n"));
        let id = self.object("commit", content.as_bytes());
        self.point("main", &id);
        id
    }

    /// Lets `branch` name the commit `id`.
    pub(crate) fn point(&self, branch: &str, id: &str) {
        self.git(&["update-ref", &format!("refs/heads/{branch}"), id]);
    }

    /// Returns the file that holds the loose object `id`.
    pub(crate) fn loose(&self, id: &str) -> PathBuf {
        self.path.join("objects").join(&id[..2]).join(&id[2..])
    }
}

/// Runs git in `directory`, hands it `input` and returns what it prints.
pub(crate) fn run(directory: &Path, arguments: &[&str], input: &[u8]) -> Vec<u8> {
    let mut command = Command::new("git");
    // A test run from a hook inherits variables that name another repository.
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("GIT_") {
            command.env_remove(name);
        }
    }
    command
        .current_dir(directory)
        .args(["-c", "core.quotePath=true", "-c", "gc.auto=0", "-c", "safe.directory=*"])
        .args(arguments)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_ATTR_NOSYSTEM", "1")
        .env("GIT_NO_LAZY_FETCH", "1")
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("XDG_CONFIG_HOME", "/nonexistent")
        .env("LC_ALL", "C")
        .env("TZ", "UTC")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().expect("git is on PATH");
    let mut stdin = child.stdin.take().unwrap();
    let output = std::thread::scope(|scope| {
        // Git may end before it has read everything; its own message then says why.
        scope.spawn(move || drop(stdin.write_all(input)));
        child.wait_with_output().unwrap()
    });
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "git {arguments:?} failed: {said}");
    output.stdout
}
