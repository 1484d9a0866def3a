//! `gitfleet person`.

use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use gitfleet_coordinator::api::ErasureRequest;
use gitfleet_coordinator::person::{self, Erasure, Export, PersonError, PersonRequest, Replaced};
use gitfleet_coordinator::report::number::grouped;
use gitfleet_coordinator::store::ledger::Ledger;

use super::ask::client;
use super::local::in_data_dir;
use crate::args::{Ask, Person, PersonCommand, PersonPlace, Who};
use crate::exit::{Exit, Refusal};
use crate::render::table::table;
use crate::render::{data, talk};
use crate::wiring::{Erasing, open_store};

/// Everything is read, and on erasing much is written.
const PATIENCE: Duration = Duration::from_secs(4 * 60 * 60);

pub(super) fn run(args: Person) -> anyhow::Result<Exit> {
    match args.command {
        PersonCommand::Export { who, output, place } => export(&place, &who, output.as_deref()),
        PersonCommand::Erase { who, yes, json, place } => erase(&place, who, yes, json),
    }
}

fn export(place: &PersonPlace, who: &Who, output: Option<&Path>) -> anyhow::Result<Exit> {
    let request = asked(who);
    let found: Export = match ask(place) {
        Some(ask) => {
            client(&ask)?.post_patiently("/people/export", serde_json::to_string(&request)?, PATIENCE)?
        }
        None => with_store(place, async |store| person::export(store, &request).await.map_err(refused))?,
    };
    let text = format!("{}\n", serde_json::to_string_pretty(&found)?);
    match output {
        Some(file) => {
            write(file, &text)?;
            talk::line(&format!("wrote {}", file.display()));
        }
        None => data::print(&text)?,
    }
    Ok(Exit::Done)
}

/// Writes a file for its owner alone, whole or not at all.
fn write(file: &Path, text: &str) -> anyhow::Result<()> {
    let context = || format!("cannot write {}", file.display());
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut passing = tempfile::NamedTempFile::new_in(folder).with_context(context)?;
    passing.write_all(text.as_bytes()).with_context(context)?;
    passing.as_file().sync_all().with_context(context)?;
    passing.persist(file).map_err(|error| error.error).with_context(context)?;
    Ok(())
}

fn erase(place: &PersonPlace, who: Who, yes: bool, json: bool) -> anyhow::Result<Exit> {
    let request = asked(&who);
    let erasure: Erasure = match ask(place) {
        Some(ask) => {
            let Who { identities, only } = who;
            let body = ErasureRequest { identities, only, confirmed: yes };
            client(&ask)?.post_patiently("/people/erase", serde_json::to_string(&body)?, PATIENCE)?
        }
        None if yes => erase_here(place, &request)?,
        None => with_store(place, async |store| person::preview(store, &request).await.map_err(refused))?,
    };
    match json {
        true => data::print(&format!("{}\n", serde_json::to_string_pretty(&erasure)?))?,
        false => data::print(&talk::harmless(&told(&erasure)))?,
    }
    if erasure.replaced.is_none() {
        return Err(Refusal::new(Exit::Usage, "nothing was erased")
            .hint("look at what would be, and add --yes; there is no way back")
            .into());
    }
    Ok(Exit::Done)
}

fn erase_here(place: &PersonPlace, request: &PersonRequest) -> anyhow::Result<Erasure> {
    in_data_dir(place.config.as_deref(), place.data_dir.clone(), async |data_dir, settings| {
        let parts = Erasing::open(data_dir, settings.erasure_key.as_ref()).await?;
        let (id, now) = (uuid::Uuid::now_v7().to_string(), chrono::Utc::now().timestamp_millis());
        let done = person::erase(&parts.store, || async { parts.purge_cache() }, request, &id, now).await;
        parts.store.close().await;
        done.map_err(refused)
    })
}

fn asked(who: &Who) -> PersonRequest {
    PersonRequest { identities: who.identities.clone(), only: who.only }
}

/// Returns how a coordinator is asked, where one is named.
fn ask(place: &PersonPlace) -> Option<Ask> {
    let server = place.server.clone()?;
    Some(Ask { server: Some(server), config: place.config.clone(), json: false })
}

fn refused(error: PersonError) -> anyhow::Error {
    let (exit, hint) = match &error {
        PersonError::NoIdentity { .. } | PersonError::Nobody => {
            (Exit::Usage, "write an e-mail, or \"Name <e-mail>\"")
        }
        PersonError::Unknown => (Exit::NotFound, "`gitfleet people ls` lists people with their e-mails"),
        PersonError::NoKey => {
            (Exit::Configuration, "give one with people.erasure_key (GITFLEET_ERASURE_KEY_FILE)")
        }
        PersonError::Cache(_) => {
            (Exit::Failed, "they are listed as erased; run the same command again to do the rest")
        }
        PersonError::Store(_) => return error.into(),
    };
    Refusal::new(exit, error.to_string()).hint(hint).into()
}

fn with_store<T>(
    place: &PersonPlace,
    work: impl AsyncFnOnce(&dyn Ledger) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    in_data_dir(place.config.as_deref(), place.data_dir.clone(), async |data_dir, settings| {
        let store = open_store(data_dir, settings.erasure_key.as_ref()).await?;
        let done = work(&store).await;
        store.close().await;
        done
    })
}

fn told(erasure: &Erasure) -> String {
    let Erasure { found, replaced, unreached } = erasure;
    let rows: Vec<_> = found
        .identities
        .iter()
        .map(|one| [one.name.clone(), one.email.clone(), grouped(one.commits)])
        .collect();
    let mut text = match rows.is_empty() {
        true => "nothing is held under these names\n".to_owned(),
        false => table(["NAME", "E-MAIL", "COMMITS"], &rows),
    };
    let repositories: std::collections::BTreeSet<&str> =
        found.commits.iter().chain(&found.mentions).map(|one| one.repository.as_str()).collect();
    text.push_str(&format!(
        "\n{} parts in commits, {} mentions in messages, {} repositories, {} decisions, {} reports\n",
        grouped(found.commits.len() as u64),
        grouped(found.mentions.len() as u64),
        grouped(repositories.len() as u64),
        grouped(found.decisions.len() as u64),
        grouped(found.reports.len() as u64),
    ));
    if let Some(Replaced { name, email, request, swept }) = replaced {
        text.push_str(&format!("\nerased: {name} <{email}>, by request {request}\n"));
        if swept.is_nothing() {
            text.push_str("nothing was left to be changed\n");
        } else {
            text.push_str(&format!(
                "changed: {} signatures, {} commits, {} packs, {} mailmaps, {} reports, {} batches, {} schedules, \
                 {} decisions, {} dead letters, {} other texts\n",
                swept.signatures,
                swept.commits,
                swept.packs,
                swept.mailmaps,
                swept.reports,
                swept.batches,
                swept.schedules,
                swept.decisions,
                swept.dead_letters,
                swept.texts,
            ));
        }
    } else if let Some(name) = &found.erased_as {
        text.push_str(&format!("\nerased before, as {name}\n"));
    }
    text.push_str("\nnot reached by this:\n");
    for one in unreached {
        text.push_str(&format!("- {one}\n"));
    }
    text
}
