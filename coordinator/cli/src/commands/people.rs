//! `gitfleet people`.

use gitfleet_coordinator::api::{Acted, PeopleDecision, pair};
use gitfleet_coordinator::report::model::Report;
use gitfleet_coordinator::report::number::grouped;
use gitfleet_coordinator::report::tables::PersonRow;
use gitfleet_coordinator::store::Store;
use serde::Serialize;

use super::Surroundings;
use super::ask::{client, segment};
use super::local::in_data_dir;
use super::report::{PUBLISHED, nothing_published};
use crate::args::{Ask, Pair, People, PeopleCommand, PeoplePlace};
use crate::exit::{Exit, Refusal};
use crate::render::table::table;
use crate::render::{data, talk};
use crate::wiring::open_store;

pub(super) fn run(args: People) -> anyhow::Result<Exit> {
    match args.command {
        PeopleCommand::Ls { place } => ls(&place),
        PeopleCommand::Show { name, place } => show(&place, &name),
        PeopleCommand::Suggest { place } => suggest(&place),
        PeopleCommand::Impact { name, place } => impact(&place, &name),
        PeopleCommand::Link { pair, place } => decide(&place, pair, true),
        PeopleCommand::Unlink { pair, place } => decide(&place, pair, false),
        PeopleCommand::Forget { a, b, place } => forget(&place, &a, &b),
        PeopleCommand::Decisions { place } => decisions(&place),
    }
}

fn ls(place: &PeoplePlace) -> anyhow::Result<Exit> {
    let report = report(place)?;
    answer(place, &report.tables.people, |people| {
        let row = |person: &PersonRow| {
            [
                person.name.clone().unwrap_or_default(),
                person.email.clone().unwrap_or_default(),
                person.class.clone(),
                person.teams.clone(),
                grouped(person.commits),
                person.last_seen.clone().unwrap_or_default(),
            ]
        };
        let rows: Vec<_> = people.iter().map(row).collect();
        table(["NAME", "E-MAIL", "CLASS", "TEAMS", "COMMITS", "LAST SEEN"], &rows)
    })
}

#[derive(Serialize)]
struct Shown<'r> {
    person: &'r PersonRow,
    identities: Vec<&'r gitfleet_coordinator::report::tables::IdentityRow>,
}

fn show(place: &PeoplePlace, name: &str) -> anyhow::Result<Exit> {
    let report = report(place)?;
    let person = find(&report, name)?;
    let identities = report.tables.identities.iter().filter(|row| row.person == person.person).collect();
    answer(place, &Shown { person, identities }, |shown| {
        let rows: Vec<_> = shown
            .identities
            .iter()
            .map(|row| [row.name.clone(), row.email.clone(), row.reason.clone(), row.detail.clone()])
            .collect();
        let person = shown.person;
        format!(
            "{}\n{} commits, {} co-authored, {} reviewed; seen {} to {}{}\n\n{}",
            told(person),
            grouped(person.commits),
            grouped(person.co_authored),
            grouped(person.reviews),
            person.first_seen.as_deref().unwrap_or("-"),
            person.last_seen.as_deref().unwrap_or("-"),
            if person.has_left { ", has left" } else { "" },
            table(["NAME", "E-MAIL", "REASON", "DETAIL"], &rows)
        )
    })
}

fn suggest(place: &PeoplePlace) -> anyhow::Result<Exit> {
    let report = report(place)?;
    answer(place, &report.tables.open_identities, |open| {
        let rows: Vec<_> = open
            .iter()
            .map(|row| {
                [
                    row.score.map_or("-".to_owned(), |score| score.to_string()),
                    row.a.clone().unwrap_or_default(),
                    row.b.clone().unwrap_or_default(),
                    row.reason.clone(),
                ]
            })
            .collect();
        match rows.is_empty() {
            true => "nobody is like anybody else\n".to_owned(),
            false => format!(
                "{}\ndecide with `gitfleet people link A B` or `gitfleet people unlink A B`, by e-mail\n",
                table(["SCORE", "ONE", "OTHER", "WHY"], &rows)
            ),
        }
    })
}

#[derive(Serialize)]
struct Impact<'r> {
    person: &'r PersonRow,
    components: Vec<&'r gitfleet_coordinator::report::tables::ComponentRow>,
    files: Vec<&'r gitfleet_coordinator::report::tables::FileRow>,
}

/// Files and components that are shown.
const MOST_SHOWN: usize = 20;

fn impact(place: &PeoplePlace, name: &str) -> anyhow::Result<Exit> {
    let report = report(place)?;
    let person = find(&report, name)?;
    let owns = |owner: &Option<String>| owner.is_some() && *owner == person.name;
    let components = report.tables.components.iter().filter(|row| owns(&row.owner)).collect();
    let files = report.tables.files.iter().filter(|row| owns(&row.owner)).collect();
    answer(place, &Impact { person, components, files }, |impact| {
        let held = person.lines_held.map_or("unknown".to_owned(), grouped);
        let components: Vec<_> = impact
            .components
            .iter()
            .take(MOST_SHOWN)
            .map(|row| {
                let share = row.owner_share.map_or("-".to_owned(), |share| share.to_string());
                [row.repository.clone(), row.component.clone(), grouped(row.files), share]
            })
            .collect();
        let files: Vec<_> = impact
            .files
            .iter()
            .take(MOST_SHOWN)
            .map(|row| {
                let share = row.owner_share.map_or("-".to_owned(), |share| share.to_string());
                [row.repository.clone(), row.path.clone(), grouped(row.revisions), share]
            })
            .collect();
        format!(
            "if {} leaves\nlines at the tips that are theirs      {held}\nfiles that nobody would be left for    {}\n\n{}\n{}",
            told(person),
            grouped(person.files_lost),
            table(["REPOSITORY", "COMPONENT", "FILES", "SHARE"], &components),
            table(["REPOSITORY", "FILE", "CHANGES", "SHARE"], &files)
        )
    })
}

fn told(person: &PersonRow) -> String {
    let of = |text: &Option<String>| text.clone().unwrap_or_default();
    format!("{} <{}>", of(&person.name), of(&person.email))
}

/// Finds the one person that a word means.
fn find<'r>(report: &'r Report, word: &str) -> anyhow::Result<&'r PersonRow> {
    let wanted = word.trim().to_lowercase();
    let is = |text: &str| text.to_lowercase() == wanted;
    let people = &report.tables.people;
    let by_identity = |person: &PersonRow| {
        report
            .tables
            .identities
            .iter()
            .any(|row| row.person == person.person && (is(&row.name) || is(&row.email)))
    };
    let found: Vec<&PersonRow> = people
        .iter()
        .filter(|person| {
            person.name.as_deref().is_some_and(is)
                || person.email.as_deref().is_some_and(is)
                || wanted.len() >= 4 && person.person.starts_with(&wanted)
                || by_identity(person)
        })
        .collect();
    match found.as_slice() {
        [one] => Ok(one),
        [] => Err(Refusal::new(Exit::NotFound, format!("nobody in the report is {word}"))
            .hint("`gitfleet people ls` lists all; who did nothing in the window is not there")
            .into()),
        several => Err(Refusal::new(Exit::Usage, format!("{word} is {} people", several.len()))
            .hint(format!(
                "say it by e-mail: {}",
                several.iter().filter_map(|one| one.email.clone()).collect::<Vec<_>>().join(", ")
            ))
            .into()),
    }
}

fn decide(place: &PeoplePlace, asked: Pair, linked: bool) -> anyhow::Result<Exit> {
    let Pair { a, b, reason, by } = asked;
    let by = match by {
        Some(by) => by,
        None => Surroundings::read()?.environment.get("USER").cloned().unwrap_or("operator".to_owned()),
    };
    let decision = PeopleDecision { a, b, linked, by, reason, decided_at: 0 };
    let link = decision.kept(chrono::Utc::now().timestamp_millis()).map_err(refused)?;
    match ask(place) {
        Some(ask) => {
            let _: Acted = client(&ask)?.post_body("/people/decisions", serde_json::to_string(&decision)?)?;
        }
        None => with_store(place, async |store| Ok(store.decide_people(&link).await?))?,
    }
    talk::line("decided; `gitfleet report make` makes the report anew, and so does every batch from now on");
    Ok(Exit::Done)
}

fn forget(place: &PeoplePlace, a: &str, b: &str) -> anyhow::Result<Exit> {
    let (a, b) = pair(a, b).map_err(refused)?;
    let forgotten = match ask(place) {
        Some(ask) => {
            let path = format!("/people/decisions?a={}&b={}", segment(&a), segment(&b));
            client(&ask)?.delete::<Acted>(&path)?.changed
        }
        None => with_store(place, async |store| Ok(store.forget_people(&a, &b).await?))?,
    };
    if !forgotten {
        return Err(Refusal::new(Exit::NotFound, format!("nothing was decided about {a} and {b}"))
            .hint("`gitfleet people decisions` lists what was")
            .into());
    }
    talk::line("forgotten");
    Ok(Exit::Done)
}

fn decisions(place: &PeoplePlace) -> anyhow::Result<Exit> {
    let decisions: Vec<PeopleDecision> = match ask(place) {
        Some(ask) => client(&ask)?.get("/people/decisions", &[])?,
        None => with_store(place, async |store| {
            Ok(store.people_links().await?.iter().map(PeopleDecision::of).collect())
        })?,
    };
    answer(place, &decisions, |decisions| {
        let rows: Vec<_> = decisions
            .iter()
            .map(|one| {
                let what = if one.linked { "one person" } else { "not one person" };
                [one.a.clone(), one.b.clone(), what.to_owned(), one.by.clone(), one.reason.clone()]
            })
            .collect();
        table(["ONE", "OTHER", "DECIDED", "BY", "REASON"], &rows)
    })
}

fn refused(why: String) -> anyhow::Error {
    Refusal::new(Exit::Usage, why).hint("`gitfleet people ls` lists people with their e-mails").into()
}

/// Returns how a coordinator is asked, where one is named.
fn ask(place: &PeoplePlace) -> Option<Ask> {
    let server = place.server.clone()?;
    Some(Ask { server: Some(server), config: place.config.clone(), json: place.json })
}

fn report(place: &PeoplePlace) -> anyhow::Result<Report> {
    let text = match ask(place) {
        Some(ask) => {
            let Some(batch) = &place.batch else {
                return Err(Refusal::new(Exit::Usage, "which batch's report?")
                    .hint("name it with --batch; `gitfleet report ls` lists them")
                    .into());
            };
            client(&ask)?.text(&format!("/batches/{}/report", segment(batch)), &[])?
        }
        None => with_store(place, async |store| {
            Ok(store.published(PUBLISHED).await?.ok_or_else(nothing_published)?.0)
        })?,
    };
    let report: Report = serde_json::from_str(&text)?;
    if report.tables.people.is_empty() && !report.developers.is_empty() {
        return Err(nothing_published());
    }
    Ok(report)
}

/// Does something with the store of this machine.
fn with_store<T>(
    place: &PeoplePlace,
    work: impl AsyncFnOnce(&dyn Store) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    in_data_dir(place.config.as_deref(), place.data_dir.clone(), async |data_dir, settings| {
        let store = open_store(data_dir, settings.erasure_key.as_ref()).await?;
        let done = work(&store).await;
        store.close().await;
        done
    })
}

fn answer<T: Serialize>(
    place: &PeoplePlace,
    view: &T,
    text: impl FnOnce(&T) -> String,
) -> anyhow::Result<Exit> {
    match place.json {
        true => data::print(&format!("{}\n", serde_json::to_string_pretty(view)?))?,
        false => data::print(&talk::harmless(&text(view)))?,
    }
    Ok(Exit::Done)
}
