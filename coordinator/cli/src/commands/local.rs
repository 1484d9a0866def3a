//! The store of this machine, for commands that need nothing else.

use std::path::{Path, PathBuf};

use super::Surroundings;
use super::report::nothing_published;
use crate::config::{Overrides, Settings};
use crate::wiring::STORE;

/// Does something in the data directory of this machine, which holds a store.
pub(super) fn in_data_dir<T>(
    config: Option<&Path>,
    data_dir: Option<PathBuf>,
    work: impl AsyncFnOnce(&Path, &Settings) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let surroundings = Surroundings::read()?;
    let overrides = Overrides { data_dir, ..Overrides::default() };
    let loaded = surroundings.configuration(config, overrides, true)?;
    let data_dir = surroundings.data_dir(&loaded)?;
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
        if !data_dir.join(STORE).exists() {
            return Err(nothing_published());
        }
        work(&data_dir, &loaded.settings).await
    })
}
