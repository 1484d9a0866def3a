//! The configuration: one YAML file, the environment, and the command line, merged into [`Settings`]. This is the only
//! part of gitfleet that knows of any of the three; all others receive values. It reads the files of GitFlow Analytics
//! as they are, and says of every key whether anything comes of it.
//!
//! Not here: whether a repository exists, which weeks a window holds, what a default directory is called.

mod datum;
mod document;
mod dotenv;
mod environment;
mod file;
mod format;
mod github;
mod key;
mod keys;
mod lens;
mod location;
mod logging;
mod member;
mod merge;
mod nearest;
mod node;
mod origin;
mod overrides;
mod problem;
mod reference;
mod repository;
mod schema;
mod settings;
mod show;
mod sources;
mod syntax;
mod telemetry;
mod variables;
mod walk;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub(crate) use environment::settings as variables;
pub(crate) use format::Format;
pub(crate) use github::{Credential, GitHub};
pub(crate) use location::Location;
pub(crate) use merge::Held;
pub(crate) use overrides::Overrides;
pub(crate) use problem::ConfigError;
pub(crate) use reference::reference;
pub(crate) use repository::{Branches, RepositorySetting};
pub(crate) use schema::schema;
pub(crate) use settings::{Fleet, Settings};
pub(crate) use show::show;
pub(crate) use sources::{Asker, NamedCredential};

use file::Unreadable;
use merge::{Line, Merge};
use node::Place;
use origin::Origin;
use problem::{Problem, ProblemKind};
use variables::Variables;
use walk::Found;

/// The file that is read when none is named.
pub(crate) const FILE_NAME: &str = "gitfleet.yaml";

/// What to load from.
pub(crate) struct Request<'a> {
    /// The file named by `-c`; it has to exist.
    pub(crate) file: Option<&'a Path>,
    /// The working directory, absolute.
    pub(crate) directory: &'a Path,
    pub(crate) overrides: Overrides,
    pub(crate) environment: &'a BTreeMap<String, String>,
}

/// A configuration that holds.
#[derive(Debug, Clone)]
pub(crate) struct Loaded {
    pub(crate) settings: Settings,
    /// One sentence each, beginning with the place it speaks of.
    pub(crate) warnings: Vec<String>,
    /// Every merged value with its origin, secrets masked.
    pub(crate) lines: Vec<Line>,
    /// The file that was read, where there was one.
    pub(crate) file: Option<PathBuf>,
    /// Files that hold secrets.
    pub(crate) secret_files: Vec<PathBuf>,
}

/// Merges flags, environment, file and defaults. Reads the configuration file and the `.env` beside it and nothing
/// else; without a file the other voices are heard alone.
pub(crate) fn load(request: &Request<'_>) -> Result<Loaded, ConfigError> {
    let named = request.file.map(Path::to_owned);
    let set = request.environment.get(environment::CONFIG).filter(|path| !path.is_empty());
    let named = named.or_else(|| set.map(PathBuf::from));
    let path = named.clone().unwrap_or_else(|| FILE_NAME.into());
    let name: Arc<str> = path.display().to_string().into();
    let absolute = request.directory.join(&path);
    let text = match file::read(&absolute) {
        Ok(text) => Some(text),
        Err(Unreadable::Absent) if named.is_none() => None,
        Err(unreadable) => return Err(refusal(&name, unreadable).into()),
    };
    let mut warnings = Vec::new();
    let dotenv =
        if text.is_some() { dotenv_beside(&absolute, &mut warnings) } else { dotenv::DotEnv::default() };
    let variables = Variables { environment: request.environment, dotenv, dotenv_name: ".env".into() };
    warnings.extend(environment::unknown(&variables));

    let mut problems = Vec::new();
    let root = text.as_deref().and_then(|text| document::parse(&name, text, &mut problems));
    let found = match &root {
        Some(root) => walk::walk(root, &name, &variables, &mut problems),
        None => Found::default(),
    };
    warnings.extend(idle_keys(&name, &found));

    let refused: BTreeSet<String> = problems.iter().map(|problem| problem.key.clone()).collect();
    let mut merge = Merge {
        file: Arc::clone(&name),
        found: &found,
        variables: &variables,
        overrides: &request.overrides,
        refused,
        file_directory: absolute.parent().unwrap_or(request.directory),
        working_directory: request.directory,
        problems,
        lines: Vec::new(),
        secret_files: Vec::new(),
    };
    let settings = settings::settle(&mut merge);
    let Merge { problems, lines, secret_files, .. } = merge;
    if problems.is_empty() {
        let file = text.is_some().then_some(absolute);
        Ok(Loaded { settings, warnings, lines, file, secret_files })
    } else {
        Err(ConfigError::new(problems))
    }
}

fn refusal(name: &Arc<str>, unreadable: Unreadable) -> Problem {
    let whole = |wrong: String| {
        let wrong = format!("cannot read {name}: {wrong}");
        Problem::new(ProblemKind::Unreadable, Origin::Whole(Arc::clone(name)), "", wrong)
    };
    match unreadable {
        Unreadable::Absent => whole("there is no such file".to_owned())
            .hint("check the path given with -c, or in GITFLEET_CONFIG"),
        Unreadable::Failed(error) => whole(error.to_string()),
        Unreadable::TooLarge => whole(format!("it is larger than {} MiB", file::LARGEST_BYTES >> 20))
            .hint("is this a configuration file?"),
        Unreadable::NotText { line, column } => {
            let origin = Origin::line(name, Place { line, column });
            let problem = Problem::new(ProblemKind::Unreadable, origin, "", "this byte is not UTF-8");
            problem.hint("save the file as UTF-8")
        }
    }
}

/// Reads the `.env` file; what is wrong with it is a warning, since it need not have been made for us.
fn dotenv_beside(config: &Path, warnings: &mut Vec<String>) -> dotenv::DotEnv {
    match file::read(&config.with_file_name(".env")) {
        Ok(text) => {
            let dotenv = dotenv::parse(&text);
            let warn = |line| format!(".env:{line}: this is not NAME=value and is ignored");
            warnings.extend(dotenv.strange.iter().map(warn));
            dotenv
        }
        Err(Unreadable::Absent) => dotenv::DotEnv::default(),
        Err(Unreadable::NotText { line, .. }) => {
            warnings.push(format!(".env:{line}: this is not UTF-8; the whole file is ignored"));
            dotenv::DotEnv::default()
        }
        Err(Unreadable::Failed(error)) => {
            warnings.push(format!(".env: the file is ignored, because it cannot be read: {error}"));
            dotenv::DotEnv::default()
        }
        Err(Unreadable::TooLarge) => {
            warnings.push(".env: the file is ignored, because it is too large".to_owned());
            dotenv::DotEnv::default()
        }
    }
}

/// Names the keys that have no effect: what waits in one sentence, what is declined in one each, with the reason.
fn idle_keys(name: &str, found: &Found) -> Vec<String> {
    let mut warnings = Vec::new();
    let waiting: Vec<_> = found.idle.iter().filter(|idle| idle.why.is_none()).collect();
    if let Some(first) = waiting.first() {
        let keys: Vec<String> =
            waiting.iter().map(|idle| format!("{} (line {})", idle.path, idle.place.line)).collect();
        warnings.push(format!("{name}:{}: known but not acted on yet: {}", first.place, keys.join(", ")));
    }
    for idle in &found.idle {
        if let Some(why) = idle.why {
            warnings.push(format!("{name}:{}: {} is not acted on, on purpose: {why}", idle.place, idle.path));
        }
    }
    warnings
}
