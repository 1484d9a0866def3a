//! What the command line says. It beats everything else, and is read by the same rules as the file.

use std::ffi::OsString;
use std::path::PathBuf;

/// Flags and arguments; what is absent was not typed.
#[derive(Debug, Default, Clone)]
pub(crate) struct Overrides {
    /// Paths, relative to the working directory, and addresses. They take the place of the configured list.
    pub(crate) sources: Vec<OsString>,
    /// The name of what is shown to the hosts of those addresses.
    pub(crate) credential: Option<String>,
    pub(crate) branch: Option<String>,
    pub(crate) all_branches: Option<bool>,
    pub(crate) weeks: Option<u32>,
    pub(crate) time_zone: Option<String>,
    pub(crate) include_current: Option<bool>,
    pub(crate) slice_commits: Option<u32>,
    pub(crate) jobs: Option<usize>,
    pub(crate) max_blob_bytes: Option<u64>,
    pub(crate) line_history: Option<bool>,
    pub(crate) anonymize: Option<bool>,
    pub(crate) public: Option<bool>,
    pub(crate) memory_mib: Option<u64>,
    pub(crate) data_dir: Option<PathBuf>,
    pub(crate) output: Option<PathBuf>,
    pub(crate) formats: Option<Vec<String>>,
    pub(crate) server: Option<String>,
    pub(crate) listen: Option<String>,
    pub(crate) metrics_listen: Option<String>,
    pub(crate) dev: Option<bool>,
}

/// A flag's value before it is read.
pub(super) enum Typed {
    Text(String),
    /// Kept as it is: a path need not be text.
    Path(PathBuf),
}

impl Overrides {
    /// Returns what was typed for the key at `path`.
    pub(super) fn typed(&self, path: &str) -> Option<Typed> {
        let text = match path {
            "analysis.all_branches" => self.all_branches.map(|on| on.to_string()),
            "analysis.weeks" => self.weeks.map(|weeks| weeks.to_string()),
            "analysis.time_zone" => self.time_zone.clone(),
            "analysis.include_current_week" => self.include_current.map(|on| on.to_string()),
            "analysis.batch_size" => self.slice_commits.map(|commits| commits.to_string()),
            "analysis.jobs" => self.jobs.map(|jobs| jobs.to_string()),
            "analysis.memory_mib" => self.memory_mib.map(|mib| mib.to_string()),
            "analysis.max_blob_bytes" => self.max_blob_bytes.map(|bytes| bytes.to_string()),
            "analysis.line_history" => self.line_history.map(|on| on.to_string()),
            "reports.anonymize" => self.anonymize.map(|on| on.to_string()),
            "reports.public" => self.public.map(|on| on.to_string()),
            "fleet.server" => self.server.clone(),
            "fleet.listen" => self.listen.clone(),
            "fleet.metrics_listen" => self.metrics_listen.clone(),
            "fleet.dev" => self.dev.map(|on| on.to_string()),
            "output.formats" => self.formats.as_ref().map(|formats| formats.join(",")),
            "cache.directory" => return self.data_dir.clone().map(Typed::Path),
            "output.directory" => return self.output.clone().map(Typed::Path),
            _ => None,
        };
        text.map(Typed::Text)
    }
}
