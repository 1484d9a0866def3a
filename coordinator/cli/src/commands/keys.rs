//! `gitfleet keys`: the file of the cache's keys.

use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use anyhow::Context as _;
use gitfleet_shared::cache::sealed;

use crate::args::{Keys, KeysCommand};
use crate::exit::{Exit, Refusal};
use crate::render::data;
use crate::render::table::table;

pub(super) fn run(args: Keys) -> anyhow::Result<Exit> {
    match args.command {
        KeysCommand::Generate { file } => {
            let context = || format!("cannot create {}", file.display());
            let options = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&file);
            writeln!(options.with_context(context)?, "{}", generated()?).with_context(context)?;
        }
        KeysCommand::Ls { file } => {
            let keys = read(&file)?;
            let mut writes = true;
            let row = |(id, is_retired): (u32, bool)| {
                let state = match is_retired {
                    true => "retired",
                    false if std::mem::take(&mut writes) => "writes and reads",
                    false => "reads",
                };
                [format!("{id:08x}"), state.to_owned()]
            };
            let rows: Vec<_> = keys.ids().map(row).collect();
            data::print(&table(["ID", "STATE"], &rows))?;
        }
        KeysCommand::Rotate { file } => {
            read(&file)?;
            let text = text(&file)?;
            write(&file, &format!("{}\n{text}", generated()?))?;
        }
        KeysCommand::Retire { id, file } => {
            let keys = read(&file)?;
            let is_it = |one: u32| format!("{one:08x}") == id.to_ascii_lowercase();
            if !keys.ids().any(|(one, _)| is_it(one)) {
                return Err(Refusal::new(
                    Exit::NotFound,
                    format!("there is no key {id} in {}", file.display()),
                )
                .hint("`gitfleet keys ls FILE` lists them")
                .into());
            }
            if !keys.ids().any(|(one, is_retired)| !is_it(one) && !is_retired) {
                return Err(Refusal::new(Exit::Conflict, format!("{id} is the only key that is left"))
                    .hint("`gitfleet keys rotate FILE` makes another one first")
                    .into());
            }
            let line = |line: &str| {
                let is_this =
                    line.split_ascii_whitespace().next().is_some_and(|first| first.eq_ignore_ascii_case(&id));
                let mark = if is_this && !line.trim_end().ends_with("retired") { " retired" } else { "" };
                format!("{}{mark}\n", line.trim_end())
            };
            write(&file, &text(&file)?.lines().map(line).collect::<String>())?;
        }
    }
    Ok(Exit::Done)
}

fn generated() -> anyhow::Result<String> {
    sealed::Keys::generate().map_err(anyhow::Error::msg)
}

fn read(file: &Path) -> anyhow::Result<sealed::Keys> {
    sealed::Keys::read(file).map_err(|error| Refusal::new(Exit::Configuration, error.to_string()).into())
}

fn text(file: &Path) -> anyhow::Result<String> {
    std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))
}

/// Puts `text` in the place of a file, as a whole: whoever reads it meanwhile reads the one or the other.
fn write(file: &Path, text: &str) -> anyhow::Result<()> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let context = || format!("cannot write {}", file.display());
    // For its owner alone, as it is made.
    let mut beside = tempfile::NamedTempFile::new_in(folder).with_context(context)?;
    beside.write_all(text.as_bytes()).with_context(context)?;
    beside.as_file().sync_all().with_context(context)?;
    beside.persist(file).with_context(context)?;
    Ok(())
}
