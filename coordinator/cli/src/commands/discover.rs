//! `gitfleet discover`, and how other commands find what it shows.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use chrono::{DateTime, Utc};
use gitfleet_coordinator::api::RepositoryRequest;
use gitfleet_coordinator::github::{Discovery, ListError, Lister, Note, Selector, Verdict, requests};
use gitfleet_coordinator::meters::Meters;

use super::Surroundings;
use crate::args::Discover;
use crate::config::{Asker, Branches, Loaded, Location, Overrides, RepositorySetting};
use crate::exit::{Exit, Refusal};
use crate::render::table::table;
use crate::render::{data, talk};
use crate::wiring::{Known, lister};

/// How long a limit of GitHub's is waited for, all in all.
const PATIENCE: Duration = Duration::from_secs(15 * 60);

pub(super) fn run(args: Discover, quiet: bool) -> anyhow::Result<Exit> {
    let surroundings = Surroundings::read()?;
    let overrides = Overrides { data_dir: args.data_dir.clone(), ..Overrides::default() };
    let loaded = surroundings.configuration(args.config.as_deref(), overrides, quiet)?;
    let Some(selector) = loaded.settings.github.selector.clone() else {
        return Err(Refusal::new(Exit::Usage, "the configuration names no organization and no user")
            .hint("set github.organization or github.user in gitfleet.yaml")
            .into());
    };
    let note = if args.dry_run { Note::Nothing } else { Note::Down };
    let keep = Some(surroundings.data_dir(&loaded)?);
    let found = discover(&loaded, &selector, keep, note, quiet)?;
    if args.json {
        data::print(&format!("{}\n", serde_json::to_string_pretty(&found)?))?;
    } else {
        data::print(&show(&found))?;
    }
    Ok(Exit::Done)
}

fn show(found: &Discovery) -> String {
    let row = |one: &Verdict| {
        let name = match &one.was {
            Some(was) => format!("{} (was {was})", one.full_name),
            None => one.full_name.clone(),
        };
        let verdict = one.passed_over.clone().unwrap_or_else(|| "analysed".to_owned());
        [name, one.default_branch.clone().unwrap_or_default(), verdict]
    };
    let rows: Vec<_> = found.repositories.iter().map(row).collect();
    let mut text = table(["REPOSITORY", "BRANCH", "WHAT BECOMES OF IT"], &rows);
    for gone in &found.vanished {
        text.push_str(&talk::harmless(&format!(
            "{gone} is not listed any more; what is known of it stays\n"
        )));
    }
    let (chosen, all) = (found.chosen().count(), found.repositories.len());
    text.push_str(&format!("\n{chosen} of {all} repositories would be analysed\n"));
    text
}

/// Adds what is found on GitHub to the repositories of a configuration that asks for it. With `keep`, what was listed
/// before is known, and is kept there.
pub(super) fn add_found(loaded: &mut Loaded, keep: Option<PathBuf>, quiet: bool) -> anyhow::Result<()> {
    let Some(selector) = loaded.settings.github.selector.clone() else { return Ok(()) };
    let found = discover(loaded, &selector, keep, Note::Down, quiet)?;
    if !quiet {
        let (chosen, all) = (found.chosen().count(), found.repositories.len());
        talk::line(&format!("{chosen} of the {all} repositories listed by GitHub are analysed"));
        for one in found.repositories.iter().filter(|one| one.was.is_some()) {
            talk::line(&format!("{} was called {}", one.full_name, one.was.as_deref().unwrap_or_default()));
        }
        for gone in &found.vanished {
            talk::warning(&format!("{gone} is not listed any more; what is known of it stays"));
        }
    }
    let named: Vec<RepositoryRequest> = loaded.settings.repositories.iter().map(named).collect();
    let new = requests(&selector, found.chosen(), &named);
    loaded.settings.repositories.extend(new.into_iter().map(setting));
    Ok(())
}

/// Returns what of a configured repository keeps a listed one from being another.
fn named(setting: &RepositorySetting) -> RepositoryRequest {
    let url = match &setting.location {
        Location::Url(url) => Some(url.clone()),
        Location::Path(_) => setting.remote.clone(),
    };
    RepositoryRequest {
        name: setting.name.clone(),
        project_key: setting.project_key.clone(),
        url,
        path: None,
        branch: None,
        all_branches: false,
        credential: None,
    }
}

fn setting(found: RepositoryRequest) -> RepositorySetting {
    let RepositoryRequest { name, project_key, url, branch, all_branches, .. } = found;
    let branches = match (branch, all_branches) {
        (Some(branch), _) => Branches::Named(branch),
        (None, true) => Branches::All,
        (None, false) => Branches::Default,
    };
    let location = Location::Url(url.unwrap_or_default());
    RepositorySetting { name, location, remote: None, project_key, branches, credential: None }
}

fn discover(
    loaded: &Loaded,
    selector: &Selector,
    keep: Option<PathBuf>,
    note: Note,
    quiet: bool,
) -> anyhow::Result<Discovery> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")?;
    runtime.block_on(async {
        let known = Known::open(keep).await?;
        let lister =
            lister(&loaded.settings, known.listings.clone(), Asker::Oneself, Meters::default(), now)?;
        let found = patiently(&lister, selector, note, quiet).await;
        known.close().await;
        Ok(found.map_err(refusal)?)
    })
}

fn now() -> i64 {
    Utc::now().timestamp_millis()
}

/// Waits where GitHub says until when, and goes on from there: what was answered before costs nothing then.
async fn patiently(
    lister: &Lister,
    selector: &Selector,
    note: Note,
    quiet: bool,
) -> Result<Discovery, ListError> {
    let mut patience = PATIENCE;
    loop {
        let until = match lister.discover(selector, note).await {
            Err(ListError::Limited { until }) => until,
            ended => return ended,
        };
        let wait = Duration::from_millis(u64::try_from(until - now()).unwrap_or(0).max(10));
        let Some(left) = patience.checked_sub(wait) else { return Err(ListError::Limited { until }) };
        patience = left;
        if !quiet {
            let until = DateTime::from_timestamp_millis(until).unwrap_or_default();
            talk::line(&format!("GitHub wants to be asked no more before {}", until.format("%H:%M:%S UTC")));
        }
        tokio::time::sleep(wait).await;
    }
}

pub(super) fn refusal(error: ListError) -> Refusal {
    let (exit, hint) = match &error {
        ListError::Limited { .. } => {
            (Exit::Limited, "run it again then, or add tokens with github.tokens (GITFLEET_GITHUB_TOKENS)")
        }
        ListError::Refused => {
            (Exit::Unauthenticated, "has the token in github.token (GITFLEET_GITHUB_TOKEN) expired?")
        }
        ListError::NotFound(_) => (
            Exit::NotFound,
            "check github.organization, github.user and github.api_url; a private one takes a token that sees it",
        ),
        ListError::Forbidden { .. } => {
            (Exit::Forbidden, "the token needs to read the account's repositories, and its single sign-on")
        }
        ListError::Partial { .. } => (Exit::Unavailable, "nothing was changed; try again later"),
        ListError::SentAway { .. } | ListError::Address(_) => {
            (Exit::Configuration, "check github.api_url (GITFLEET_GITHUB_API_URL)")
        }
        ListError::Store(_) => (Exit::Failed, "nothing was changed; is the data directory sound?"),
    };
    Refusal::new(exit, error.to_string()).hint(hint)
}
