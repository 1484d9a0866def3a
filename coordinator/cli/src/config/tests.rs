//! The configuration from the outside: text and variables in, settings, warnings or problems out.

mod effect;
mod original;
mod soup;
mod trouble;
mod voices;

use std::collections::BTreeMap;

use tempfile::TempDir;

use super::{ConfigError, FILE_NAME, Loaded, Overrides, Request, load};

/// A folder with a configuration, and all that is around it.
struct Around {
    folder: TempDir,
    environment: BTreeMap<String, String>,
    overrides: Overrides,
}

impl Around {
    fn new(yaml: &[u8]) -> Self {
        let folder = tempfile::tempdir().expect("the machine has room for a folder");
        let around = Self { folder, environment: BTreeMap::new(), overrides: Overrides::default() };
        around.write(FILE_NAME, yaml);
        around
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        std::fs::write(self.folder.path().join(name), bytes).expect("the folder is ours");
    }

    fn set(mut self, variables: &[(&str, &str)]) -> Self {
        self.environment
            .extend(variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        self
    }

    fn load(&self) -> Result<Loaded, ConfigError> {
        let overrides = self.overrides.clone();
        load(&Request {
            file: None,
            directory: self.folder.path(),
            overrides,
            environment: &self.environment,
        })
    }

    /// Writes `DIR` for the folder, whose name is another one at each run.
    fn redact(&self, text: &str) -> String {
        text.replace(&self.folder.path().display().to_string(), "DIR")
    }
}

/// Loads a file with nothing around it that has to be sound.
fn sound(yaml: &str) -> Loaded {
    let loaded = Around::new(yaml.as_bytes()).load();
    loaded.unwrap_or_else(|error| panic!("{yaml}\n{error}"))
}

/// Loads a file with nothing around it and returns what is wrong with it.
fn wrong(yaml: impl AsRef<[u8]>) -> String {
    let around = Around::new(yaml.as_ref());
    let error = around.load().expect_err("this file is wrong");
    around.redact(&error.to_string())
}
