//! A generated repository: some hundred commits with merges, renames, binaries, people of several names and a
//! mailmap, the same for the same seed.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

pub(crate) struct History {
    _folder: tempfile::TempDir,
    path: std::path::PathBuf,
}

impl History {
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Runs git in the repository and returns what it prints.
    pub(crate) fn git(&self, arguments: &[&str]) -> String {
        let output = command(&self.path).args(arguments).output().unwrap();
        assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// Commits one file, written at `date`.
    pub(crate) fn commit(&self, path: &str, content: &str, date: &str) {
        std::fs::write(self.path.join(path), content).unwrap();
        self.git(&["add", "--", path]);
        self.git(&["commit", "--quiet", "--message", "change", "--date", date]);
    }
}

fn command(path: &Path) -> Command {
    let mut command = Command::new("git");
    command
        .current_dir(path)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap())
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("LC_ALL", "C")
        .envs([("GIT_AUTHOR_NAME", "A"), ("GIT_AUTHOR_EMAIL", "a@example")])
        .envs([("GIT_COMMITTER_NAME", "C"), ("GIT_COMMITTER_EMAIL", "c@example")])
        .env("GIT_COMMITTER_DATE", "2026-01-01T00:00:00Z");
    command
}

/// Numbers that look random and are the same for the same seed (a 64-bit linear congruential generator).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

pub(crate) fn generate(seed: u64) -> History {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("repository");
    std::fs::create_dir(&path).unwrap();
    let history = History { _folder: folder, path };
    history.git(&["init", "--quiet", "--initial-branch=main"]);
    let mut import =
        command(history.path()).args(["fast-import", "--quiet"]).stdin(Stdio::piped()).spawn().unwrap();
    import.stdin.take().unwrap().write_all(stream(seed).as_bytes()).unwrap();
    assert!(import.wait().unwrap().success());
    history.git(&["reset", "--quiet", "--hard"]);
    history
}

fn stream(seed: u64) -> String {
    let mut numbers = Numbers(seed);
    let mut stream = String::new();
    let mut names: Vec<String> = Vec::new();
    let people = ["Ann <ann@example>", "ann <ann@old.example>", "Bob <bob@example>", "[Cy] <cy@example>"];
    let mut second = 1_600_000_000;
    for number in 1..=200u64 {
        second += 10_000 + numbers.below(100_000);
        let person = people[numbers.below(4) as usize];
        // Now and then a side branch of one commit is merged.
        let merge = number > 10 && numbers.below(8) == 0;
        if merge {
            let _ = writeln!(stream, "commit refs/heads/side\nauthor {person} {second} +0200");
            let from = number - 3;
            let _ = writeln!(stream, "committer {person} {second} +0200\ndata 4\nside\nfrom :{from}");
            let _ = writeln!(stream, "M 100644 inline side{number}.rs\ndata 4\na\nb\n");
            second += 1;
        }
        // Marks begin at 1, and the first commit is number 1.
        let _ = writeln!(stream, "commit refs/heads/main\nmark :{number}\nauthor {person} {second} -0330");
        let _ = writeln!(stream, "committer {person} {second} +0000\ndata 7\nchange\n");
        if merge {
            let _ = writeln!(stream, "merge refs/heads/side");
            let _ = writeln!(stream, "M 100644 inline side{number}.rs\ndata 4\na\nb\n");
            continue;
        }
        match numbers.below(10) {
            0 if names.len() > 3 => {
                let old = names.remove(numbers.below(names.len() as u64) as usize);
                let new = format!("moved/{number}.txt");
                let _ = writeln!(stream, "R {old} {new}");
                names.push(new);
            }
            1 if names.len() > 3 => {
                let old = names.remove(numbers.below(names.len() as u64) as usize);
                let _ = writeln!(stream, "D {old}");
            }
            2 => {
                let _ = writeln!(stream, "M 100644 inline image.bin\ndata 3\n\0{:02}", number % 100);
            }
            3 => {
                let _ = writeln!(stream, "M 100644 inline .mailmap\ndata 24\nAnn <a@x> <ann@example>\n");
            }
            _ => {
                let name = if names.is_empty() || numbers.below(4) == 0 {
                    names.push(format!("dir{}/{number}.py", numbers.below(3)));
                    names.last().unwrap().clone()
                } else {
                    names[numbers.below(names.len() as u64) as usize].clone()
                };
                let content: String =
                    (0..numbers.below(60)).map(|_| format!("line {}\n", numbers.below(12))).collect();
                let _ = writeln!(stream, "M 100644 inline {name}\ndata {}\n{content}", content.len());
            }
        }
    }
    stream
}
