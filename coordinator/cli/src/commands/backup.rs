//! `gitfleet backup` and `restore`: the files, and what they hash to. What is in them is the store's business.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use chrono::{SecondsFormat, Utc};
use gitfleet_coordinator::report::number::grouped;
use gitfleet_coordinator::store::backup::{Restored, Saved, Table};
use ring::digest::{Context, SHA256};
use serde::{Deserialize, Serialize};

use super::Surroundings;
use crate::args::{Backup, Restore, StorePlace};
use crate::config::{Loaded, Overrides};
use crate::exit::{Exit, Refusal};
use crate::render::data;
use crate::wiring::{Chosen, Kind, STORE};

/// The form of a backup.
const FORMAT: u32 = 1;
const MANIFEST: &str = "manifest.json";
/// The manifest's hash, in the form of sha256sum.
const SEAL: &str = "manifest.sha256";
const CONFIGURATION: &str = "gitfleet.yaml";
const CHUNK: usize = 1 << 20;

#[derive(Debug, Serialize, Deserialize)]
struct Manifest {
    format: u32,
    /// Which gitfleet made it.
    gitfleet: String,
    made_at: String,
    store: Kind,
    /// The last step of the store's schema.
    schema: i64,
    tables: Vec<Table>,
    files: Vec<Kept>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    name: String,
    bytes: u64,
    sha256: String,
}

pub(super) fn save(args: &Backup) -> anyhow::Result<Exit> {
    let (_, loaded, chosen) = choose(&args.place)?;
    let folder = &args.output;
    make(folder)?;
    let made = runtime()?.block_on(async {
        let saved = chosen.save(folder).await?;
        if let Some(file) = &loaded.file {
            let text = std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
            write(&folder.join(CONFIGURATION), &text)?;
        }
        seal(folder, chosen.kind(), saved)
    });
    let manifest = match made {
        Ok(manifest) => manifest,
        Err(error) => {
            // Half a backup is none. It was made here, so nothing else is lost.
            let _ = std::fs::remove_dir_all(folder);
            return Err(error);
        }
    };
    let bytes: u64 = manifest.files.iter().map(|file| file.bytes).sum();
    data::print(&format!(
        "{}: {} files, {} bytes, schema {}\n",
        folder.display(),
        manifest.files.len() + 2,
        grouped(bytes),
        manifest.schema
    ))?;
    Ok(Exit::Done)
}

pub(super) fn restore(args: &Restore) -> anyhow::Result<Exit> {
    let folder = &args.backup;
    let manifest = read(folder)?;
    let (_, _, chosen) = choose(&args.place)?;
    if chosen.kind() != manifest.store {
        let message = format!(
            "{} is of a store in {}, and not in {}",
            folder.display(),
            manifest.store.name(),
            chosen.kind().name()
        );
        return Err(Refusal::new(Exit::Usage, message)
            .hint("for the store of this machine give --data-dir; for a fleet's set fleet.database_url and leave it out")
            .into());
    }
    let saved = Saved { schema: manifest.schema, tables: manifest.tables };
    match runtime()?.block_on(chosen.restore(folder, &saved, args.replace))? {
        Restored::Done => {}
        Restored::NotEmpty => {
            return Err(Refusal::new(Exit::Conflict, format!("{} is not empty", chosen.told()))
                .hint("--replace lets what it holds go; make a backup of that first")
                .into());
        }
        Restored::InUse => {
            return Err(Refusal::new(Exit::Conflict, format!("a coordinator leads at {}", chosen.told()))
                .hint("stop coordinators and workers first")
                .into());
        }
        Restored::OtherSchema => {
            return Err(Refusal::new(
                Exit::Differs,
                "the schema of the backup, or of the store, is not one that this program knows",
            )
            .hint("use the gitfleet that made it, or a newer one")
            .into());
        }
    }
    let rows: u64 = saved.tables.iter().map(|table| table.rows).sum();
    let rows = if rows > 0 { format!(", {} rows", grouped(rows)) } else { String::new() };
    data::print(&format!(
        "{} is as it was at {}: schema {}{rows}\n",
        chosen.told(),
        manifest.made_at,
        saved.schema
    ))?;
    let configuration = folder.join(CONFIGURATION);
    if configuration.exists() {
        data::print(&format!("the configuration of that time: {}\n", configuration.display()))?;
    }
    Ok(Exit::Done)
}

fn choose(place: &StorePlace) -> anyhow::Result<(Surroundings, Loaded, Chosen)> {
    let surroundings = Surroundings::read()?;
    let overrides = Overrides { data_dir: place.data_dir.clone(), ..Overrides::default() };
    let loaded = surroundings.configuration(place.config.as_deref(), overrides, true)?;
    let fleet = &loaded.settings.fleet;
    let chosen = if fleet.database_url.is_some() && place.data_dir.is_none() {
        Chosen::Fleet(Box::new(fleet.clone()))
    } else {
        Chosen::Local(surroundings.data_dir(&loaded)?)
    };
    Ok((surroundings, loaded, chosen))
}

fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()
}

/// Makes the folder of a backup, for its owner alone.
fn make(folder: &Path) -> anyhow::Result<()> {
    match std::fs::DirBuilder::new().mode(0o700).create(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            Err(Refusal::new(Exit::Conflict, format!("{} is there already", folder.display()))
                .hint("every backup wants a folder of its own")
                .into())
        }
        made => made.with_context(|| format!("cannot create {}", folder.display())),
    }
}

fn write(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let written = || {
        let mut file = File::options().write(true).create_new(true).mode(0o600).open(path)?;
        file.write_all(bytes)?;
        file.sync_all()
    };
    written().with_context(|| format!("cannot write {}", path.display()))
}

/// Writes down what each file is; without it no backup is one.
fn seal(folder: &Path, store: Kind, saved: Saved) -> anyhow::Result<Manifest> {
    let mut names: Vec<String> = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    let files = names.into_iter().map(|name| kept(folder, name)).collect::<anyhow::Result<_>>()?;
    let manifest = Manifest {
        format: FORMAT,
        gitfleet: env!("CARGO_PKG_VERSION").to_owned(),
        made_at: Utc::now().to_rfc3339_opts(SecondsFormat::Secs, true),
        store,
        schema: saved.schema,
        tables: saved.tables,
        files,
    };
    let text = format!("{}\n", serde_json::to_string_pretty(&manifest)?);
    write(&folder.join(MANIFEST), text.as_bytes())?;
    let mut hash = Context::new(&SHA256);
    hash.update(text.as_bytes());
    write(&folder.join(SEAL), format!("{}  {MANIFEST}\n", hex(hash)).as_bytes())?;
    File::open(folder)?.sync_all()?;
    Ok(manifest)
}

fn kept(folder: &Path, name: String) -> anyhow::Result<Kept> {
    let path = folder.join(&name);
    let context = || format!("cannot read {}", path.display());
    let mut file = File::open(&path).with_context(context)?;
    let (mut hash, mut bytes, mut buffer) = (Context::new(&SHA256), 0, vec![0; CHUNK]);
    loop {
        let read = file.read(&mut buffer).with_context(context)?;
        if read == 0 {
            break;
        }
        hash.update(&buffer[..read]);
        bytes += read as u64;
    }
    Ok(Kept { name, bytes, sha256: hex(hash) })
}

fn hex(hash: Context) -> String {
    hash.finish().as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Reads the manifest and checks every file against it.
fn read(folder: &Path) -> anyhow::Result<Manifest> {
    let damaged = |what: &str| {
        Refusal::new(Exit::Differs, format!("the backup in {} is damaged: {what}", folder.display()))
            .hint("take another backup; nothing was changed")
    };
    let file = |name: &str| -> anyhow::Result<String> {
        let path: PathBuf = folder.join(name);
        match std::fs::read(&path) {
            Ok(bytes) => Ok(String::from_utf8(bytes).map_err(|_| damaged(name))?),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Err(Refusal::new(
                Exit::NotFound,
                format!("{} is no whole backup: it has no {name}", folder.display()),
            )
            .hint("`gitfleet backup --output DIR` makes one")
            .into()),
            Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
        }
    };
    let text = file(MANIFEST)?;
    let mut hash = Context::new(&SHA256);
    hash.update(text.as_bytes());
    if file(SEAL)? != format!("{}  {MANIFEST}\n", hex(hash)) {
        return Err(damaged(MANIFEST).into());
    }
    let form: serde_json::Value = serde_json::from_str(&text).map_err(|_| damaged(MANIFEST))?;
    if form["format"] != FORMAT {
        return Err(Refusal::new(Exit::Differs, "the backup is of a form that this program does not know")
            .hint("use the gitfleet that made it, or a newer one")
            .into());
    }
    let manifest: Manifest = serde_json::from_value(form).map_err(|_| damaged(MANIFEST))?;
    for expected in &manifest.files {
        let plain = !expected.name.contains('/') && expected.name != "..";
        let found = match plain.then(|| kept(folder, expected.name.clone())) {
            Some(Ok(found)) => found,
            _ => return Err(damaged(&format!("{} cannot be read", expected.name)).into()),
        };
        if (found.bytes, &found.sha256) != (expected.bytes, &expected.sha256) {
            return Err(damaged(&format!("{} is not the file that was saved", expected.name)).into());
        }
    }
    let is_there = |name: &str| manifest.files.iter().any(|file| file.name == name);
    let wanted = match manifest.store {
        Kind::Sqlite => is_there(STORE),
        Kind::Postgres => manifest.tables.iter().all(|table| is_there(&table.file())),
    };
    if !wanted {
        return Err(damaged("a file is not in its manifest").into());
    }
    Ok(manifest)
}
