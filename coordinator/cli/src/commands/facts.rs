//! `gitfleet facts`: the oracle's door.

use std::io::Write as _;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;

use gitfleet_shared::contract::{Failure, Source};
use gitfleet_shared::facts::{ChangeKind, ClaimedTime, CommitFacts, Lines};
use gitfleet_worker::door::{self, DoorError, Part};
use gitfleet_worker::facts::Depth;
use gitfleet_worker::mirror::Mirrors;
use gitfleet_worker::numstat::{self, Renames};
use gitfleet_worker::objects::Limits;
use serde_json::{Value, json};

use super::Surroundings;
use crate::args::{Facts, FactsFormat};
use crate::config::{Asker, Location, Overrides, Settings};
use crate::exit::{Exit, Refusal};
use crate::wiring::{DataDir, credentials, gate};

pub(super) fn run(args: Facts) -> anyhow::Result<Exit> {
    let surroundings = Surroundings::read()?;
    let overrides = Overrides {
        sources: vec![args.source.clone()],
        credential: args.credential.clone(),
        jobs: args.common.jobs,
        data_dir: args.common.data_dir.clone(),
        max_blob_bytes: args.common.max_blob_bytes,
        memory_mib: args.common.memory_mib,
        ..Overrides::default()
    };
    let loaded = surroundings.configuration(args.common.config.as_deref(), overrides, true)?;
    let settings = &loaded.settings;
    let path = match settings.repositories.first().map(|repository| &repository.location) {
        Some(Location::Path(path)) => {
            let source = Source::Local { path: path.display().to_string() };
            gate(settings, Asker::Oneself)?.check(&source).map_err(refusal)?;
            path.clone()
        }
        Some(Location::Url(url)) => {
            let data_dir = DataDir::open(&surroundings.data_dir(&loaded)?)?;
            fetched(&data_dir, settings, url)?
        }
        None => return Err(Refusal::new(Exit::Usage, "no repository was named").into()),
    };
    let jobs =
        settings.jobs.or_else(|| std::thread::available_parallelism().ok().map(Into::into)).unwrap_or(1);
    let renames = if args.renames { Renames::Followed } else { Renames::Ignored };
    let mut out = std::io::BufWriter::with_capacity(1 << 20, std::io::stdout().lock());
    let mut line = Vec::new();
    let limits = Limits::share(settings.max_blob_bytes, settings.memory_bytes, jobs);
    let part = args.slice.unwrap_or(Part::WHOLE);
    door::facts(&path, &args.rev, jobs, limits, Depth::Counts, part, |facts| {
        line.clear();
        match args.format {
            FactsFormat::Numstat => numstat::write(&facts, renames, &mut line),
            FactsFormat::Json => {
                serde_json::to_writer(&mut line, &as_json(&facts, renames))?;
                line.push(b'\n');
            }
        }
        Ok(out.write_all(&line)?)
    })
    .map_err(|error| match error {
        DoorError::Repository(_) | DoorError::NoSuchRevision { .. } => {
            Refusal::new(Exit::NotFound, error.to_string()).into()
        }
        DoorError::Given(given) => given,
        DoorError::Unreadable(_) => anyhow::Error::new(error),
    })?;
    out.flush()?;
    Ok(Exit::Done)
}

fn fetched(data_dir: &DataDir, settings: &Settings, url: &str) -> anyhow::Result<PathBuf> {
    let credential = settings.repositories.first().and_then(|repository| repository.credential.as_deref());
    let gate = gate(settings, Asker::Oneself)?;
    Mirrors::new(data_dir.mirrors(), gate, credentials(settings, Asker::Oneself)?, None)
        .fetch(url, credential, &AtomicBool::new(false))
        .map_err(|failure| refusal(failure).into())
}

fn refusal(failure: Failure) -> Refusal {
    Refusal::new(Exit::NotFound, failure.message)
}

fn as_json(facts: &CommitFacts, renames: Renames) -> Value {
    let person = |person: &gitfleet_shared::facts::Signature, time: ClaimedTime| {
        json!({
            "name": text(&person.name),
            "email": text(&person.email),
            "seconds": time.seconds,
            "offset_minutes": time.offset_minutes,
        })
    };
    let mut files = Vec::new();
    for file in &facts.files {
        match (&file.kind, renames) {
            (ChangeKind::Renamed { from, .. }, Renames::Followed) => {
                let mut entry = change(&file.path, file.lines, "renamed");
                entry["from"] = text(from).into();
                files.push(entry);
            }
            (ChangeKind::Renamed { .. }, Renames::Ignored) => {
                let kinds = ["deleted", "added"];
                let changes = file.without_renames().zip(kinds);
                files.extend(changes.map(|(plain, kind)| change(plain.path, plain.lines, kind)));
            }
            (kind, _) => {
                let kind = match kind {
                    ChangeKind::Added => "added",
                    ChangeKind::Deleted => "deleted",
                    ChangeKind::Modified | ChangeKind::Renamed { .. } => "modified",
                };
                files.push(change(&file.path, file.lines, kind));
            }
        }
    }
    json!({
        "commit": facts.id.to_string(),
        "parents": facts.parents.len(),
        "author": person(&facts.author, facts.authored),
        "committer": person(&facts.committer, facts.committed),
        "message": text(&facts.message),
        "files": files,
    })
}

fn change(path: &[u8], lines: Lines, kind: &str) -> Value {
    let (added, deleted, reason) = match lines {
        Lines::Counted { added, deleted } => (Some(added), Some(deleted), None),
        Lines::Binary { .. } => (None, None, Some("binary")),
        Lines::Unknown(reason) => (None, None, Some(reason.name())),
    };
    let mut entry = json!({ "path": text(path), "kind": kind, "added": added, "deleted": deleted });
    if let Some(reason) = reason {
        entry["reason"] = reason.into();
    }
    if std::str::from_utf8(path).is_err() {
        // JSON holds no other bytes than UTF-8; this says which they were.
        entry["path_quoted"] = text(&numstat::quote(path)).into();
    }
    entry
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
