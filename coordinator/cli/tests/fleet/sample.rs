//! The repositories every case analyses, and what is to come of them: the report of one process on its own, which
//! knows no fleet. Some are read in place, some by URL, through mirrors.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::OnceLock;

use sha2::{Digest as _, Sha256};

use crate::history;
use crate::process::command;
use crate::servers::Servers;

pub(crate) struct Sample {
    pub(crate) sources: Vec<String>,
    /// Of the report.
    pub(crate) sha256: String,
}

impl Sample {
    /// Returns the one of all cases that change nothing in it.
    pub(crate) fn shared() -> &'static Self {
        static SHARED: OnceLock<Sample> = OnceLock::new();
        SHARED.get_or_init(|| {
            // Goes with the server's own folder when this process ends, however it ends.
            let folder = Servers::shared().redis.server().folder().join("sample");
            std::fs::create_dir(&folder).unwrap();
            Self::generate(&folder, &["alpha", "beta"], &["gamma"], 100)
        })
    }

    /// Makes repositories to be read in place and by URL, in `folder`.
    pub(crate) fn generate(folder: &Path, paths: &[&str], urls: &[&str], seed: u64) -> Self {
        let mut sources = Vec::new();
        for (seed, name) in (seed..).zip(paths.iter().chain(urls)) {
            let place = repository(folder, name, seed);
            let place = place.to_str().unwrap();
            sources.push(if urls.contains(name) { format!("file://{place}") } else { place.to_owned() });
        }
        let sha256 = embedded(folder, &sources);
        Self { sources, sha256 }
    }
}

/// Makes the repository `name` in `folder`, the same for the same seed.
pub(crate) fn repository(folder: &Path, name: &str, seed: u64) -> PathBuf {
    let (history, place) = (history::generate(seed), folder.join(name));
    history.git(&["clone", "--quiet", ".", place.to_str().unwrap()]);
    place
}

/// Returns the SHA-256 of the report that one process makes of `sources` on its own. Failed repositories are in it, too.
pub(crate) fn embedded(folder: &Path, sources: &[String]) -> String {
    let place = tempfile::tempdir_in(folder).unwrap();
    let run = |arguments: &[&str]| {
        let output = command(place.path()).args(arguments).stderr(Stdio::inherit()).output().unwrap();
        assert!(matches!(output.status.code(), Some(0 | 8)), "{arguments:?}: {:?}", output.status);
        output.stdout
    };
    let sources: Vec<&str> = sources.iter().map(String::as_str).collect();
    run(&[&["analyze", "--quiet", "--data-dir", "data", "--output", "out"], &sources[..]].concat());
    sha256(&run(&["report", "show", "--data-dir", "data"]))
}

pub(crate) fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
