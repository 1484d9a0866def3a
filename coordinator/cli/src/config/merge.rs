//! One value out of up to four: flags beat the environment, the environment beats the file, the file beats defaults.
//! Every value that is taken leaves a line that says where it came from; `config show` prints those lines.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono_tz::Tz;
use secrecy::SecretString;

use super::datum::Datum;
use super::environment::FILE;
use super::key::Kind;
use super::keys;
use super::location;
use super::origin::Origin;
use super::overrides::{Overrides, Typed};
use super::problem::{Problem, ProblemKind, quote};
use super::variables::Variables;
use super::walk::{Found, Given, did_you_mean};

pub(super) struct Merge<'a> {
    /// How the file is called in messages.
    pub(super) file: Arc<str>,
    pub(super) found: &'a Found,
    pub(super) variables: &'a Variables<'a>,
    pub(super) overrides: &'a Overrides,
    /// Paths of keys whose values were wrong, so that nobody calls them missing as well.
    pub(super) refused: BTreeSet<String>,
    /// What paths in the file are relative to.
    pub(super) file_directory: &'a Path,
    /// What all other paths are relative to.
    pub(super) working_directory: &'a Path,
    pub(super) problems: Vec<Problem>,
    pub(super) lines: Vec<Line>,
    /// Files that hold secrets.
    pub(super) secret_files: Vec<PathBuf>,
}

/// A secret, and the file it came from where that can be read again.
#[derive(Debug, Clone)]
pub(crate) struct Held {
    pub(crate) secret: SecretString,
    pub(crate) file: Option<PathBuf>,
}

/// One merged setting, ready to be shown: a secret is masked from here on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line {
    /// As `analysis.weeks` or `repositories[0].name`.
    pub(crate) path: String,
    /// `None` where nobody set anything and there is no value that stands for that.
    pub(crate) value: Option<String>,
    pub(crate) origin: Origin,
}

impl Merge<'_> {
    pub(super) fn text(&mut self, path: &str) -> Option<(String, Origin)> {
        let Given { datum: Datum::Text(text), origin } = self.taken(path)? else { return None };
        self.show(path, &text, &origin);
        Some((text, origin))
    }

    pub(super) fn secret(&mut self, path: &str) -> Option<SecretString> {
        let Given { datum: Datum::Secret(secret), origin } = self.taken(path)? else { return None };
        self.show(path, "***", &origin);
        Some(secret)
    }

    /// Returns a secret with the file that a variable named for it.
    pub(super) fn held(&mut self, path: &str) -> Option<Held> {
        let known = self.secret_files.len();
        let secret = self.secret(path)?;
        Some(Held { secret, file: self.secret_files.get(known).cloned() })
    }

    pub(super) fn integer(&mut self, path: &str) -> Option<u64> {
        let Given { datum: Datum::Integer(number), origin } = self.taken(path)? else { return None };
        self.show(path, &number.to_string(), &origin);
        Some(number)
    }

    pub(super) fn switch(&mut self, path: &str) -> Option<(bool, Origin)> {
        let Given { datum: Datum::Switch(on), origin } = self.taken(path)? else { return None };
        self.show(path, &on.to_string(), &origin);
        Some((on, origin))
    }

    pub(super) fn zone(&mut self, path: &str) -> Option<Tz> {
        let Given { datum: Datum::Zone(zone), origin } = self.taken(path)? else { return None };
        self.show(path, zone.name(), &origin);
        Some(zone)
    }

    pub(super) fn many(&mut self, path: &str) -> Option<Vec<String>> {
        self.many_said(path).map(|(words, _)| words)
    }

    pub(super) fn many_said(&mut self, path: &str) -> Option<(Vec<String>, Origin)> {
        let Given { datum: Datum::Many(words), origin } = self.taken(path)? else { return None };
        self.show(path, &words.join(", "), &origin);
        Some((words, origin))
    }

    /// Returns what the file gives at a path of a list of mappings, such as `credentials[2].host`.
    pub(super) fn given(&self, path: &str) -> Option<(Datum, Origin)> {
        self.found.given.get(path).map(|given| (given.datum.clone(), given.origin.clone()))
    }

    /// Returns a list or mapping of the user's own words.
    pub(super) fn tree(&mut self, path: &str) -> Option<(serde_json::Value, Origin)> {
        let Given { datum: Datum::Tree(tree), origin } = self.taken(path)? else { return None };
        self.show(path, &tree.to_string(), &origin);
        Some((tree, origin))
    }

    pub(super) fn path(&mut self, path: &str) -> Option<PathBuf> {
        let Given { datum, origin } = self.taken(path)?;
        let typed = match datum {
            Datum::Text(text) => PathBuf::from(text),
            Datum::Path(path) => path,
            _ => return None,
        };
        let absolute = self.absolute(&typed, &origin, path)?;
        self.show(path, &absolute.display().to_string(), &origin);
        Some(absolute)
    }

    /// Makes a typed path absolute: the file's are relative to the file, all others to the working directory.
    pub(super) fn absolute(&mut self, typed: &Path, origin: &Origin, key: &str) -> Option<PathBuf> {
        let base = match origin {
            Origin::File { .. } => self.file_directory,
            _ => self.working_directory,
        };
        let home = self.variables.get("HOME").map(|(home, _)| home);
        match location::resolve(base, typed, home) {
            Ok(path) => Some(path),
            Err(wrong) => {
                self.problems.push(Problem::new(ProblemKind::Value, origin.clone(), key, wrong));
                None
            }
        }
    }

    pub(super) fn show(&mut self, path: &str, value: &str, origin: &Origin) {
        let line = Line { path: path.to_owned(), value: Some(value.to_owned()), origin: origin.clone() };
        self.lines.push(line);
    }

    /// Returns what was said about the key by the strongest voice, or leaves a line for its default.
    fn taken(&mut self, path: &str) -> Option<Given> {
        let said = self.said(path);
        if said.is_none() {
            let (placed, reach) = keys::acted(path);
            let value = placed.key.kind.reads_as_value(reach.default).then(|| reach.default.to_owned());
            self.lines.push(Line { path: path.to_owned(), value, origin: Origin::Default });
        }
        said
    }

    fn said(&mut self, path: &str) -> Option<Given> {
        let (placed, reach) = keys::acted(path);
        // The file is asked in any case: two values for one thing are a mistake even where neither wins.
        let in_file = self.in_file(path);
        if let Some(typed) = self.overrides.typed(path) {
            let origin = Origin::Flag(reach.flag.expect("the table names the flag of what can be typed"));
            return match typed {
                Typed::Path(path) => Some(Given { datum: Datum::Path(path), origin }),
                Typed::Text(text) => self.read(path, &text, origin),
            };
        }
        if let Some((value, origin)) = reach.variable.and_then(|variable| self.variables.own(variable)) {
            let value = value.to_owned();
            return self.read(&placed.path, &value, origin);
        }
        if matches!(placed.key.kind, Kind::Secret)
            && let Some(variable) = reach.variable
            && let Some((file, origin)) = self.variables.own(&format!("{variable}{FILE}"))
        {
            let file = file.to_owned();
            return self.secret_file(&placed.path, &file, origin);
        }
        in_file
    }

    /// Reads a secret from the file that a variable names, as containers hand them out. The line end is no part of it.
    fn secret_file(&mut self, path: &str, file: &str, origin: Origin) -> Option<Given> {
        let absolute = self.absolute(Path::new(file), &origin, path)?;
        match std::fs::read_to_string(&absolute) {
            Ok(text) => {
                self.secret_files.push(absolute);
                self.read(path, text.trim_end_matches(['\r', '\n']), origin)
            }
            Err(error) => {
                let wrong = format!("cannot read {}: {error}", absolute.display());
                let problem = Problem::new(ProblemKind::Unreadable, origin, path, wrong);
                self.problems.push(problem.hint("name a file that holds the secret and nothing else"));
                None
            }
        }
    }

    fn read(&mut self, path: &str, text: &str, origin: Origin) -> Option<Given> {
        let kind = keys::acted(path).0.key.kind;
        if let Some(datum) = kind.read(text) {
            return Some(Given { datum, origin });
        }
        let wrong = format!("{} is not {}", quote(text), kind.expects());
        let hint = kind.nearest(text).map_or(String::new(), did_you_mean);
        self.problems.push(Problem::new(ProblemKind::Value, origin, path, wrong).hint(hint));
        None
    }

    fn in_file(&mut self, path: &str) -> Option<Given> {
        let others = keys::aliases(path).map(|alias| alias.path.as_str());
        self.agreed(std::iter::once(path).chain(others))
    }

    /// Returns the value given at one of these paths; at several, it has to be the same.
    pub(super) fn agreed<'p>(&mut self, paths: impl Iterator<Item = &'p str>) -> Option<Given> {
        let mut agreed: Option<(&str, &Given)> = None;
        for path in paths {
            let Some(given) = self.found.given.get(path) else { continue };
            match agreed {
                None => agreed = Some((path, given)),
                Some((first, other)) if !other.datum.same(&given.datum) => {
                    let wrong = format!("{first} says something else at {}", other.origin);
                    let problem = Problem::new(ProblemKind::Conflict, given.origin.clone(), path, wrong);
                    self.problems.push(problem.hint("they mean the same; keep one of the two"));
                }
                Some(_) => {}
            }
        }
        agreed.map(|(_, given)| given.clone())
    }
}
