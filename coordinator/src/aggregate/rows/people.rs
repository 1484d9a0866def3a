//! People, bots and agents, and why they are who they are.

use std::collections::BTreeMap;

use gitfleet_shared::metrics::people::Person as Work;
use gitfleet_shared::metrics::share::Ratio;
use gitfleet_shared::metrics::{PersonId, knowledge};
use gitfleet_shared::people::{Alike, Class, Reason};

use super::super::chapters::Chapters;
use super::super::subject::Subject;
use super::text;
use crate::report::tables::{IdentityRow, OpenIdentityRow, PersonRow};

/// Proposals in a report; `gitfleet people suggest` has all.
const MOST_PROPOSALS: usize = 100;

/// `work` is what each did in the window, `repositories` in how many.
pub(in super::super) fn finish(
    chapters: &mut Chapters,
    work: &BTreeMap<PersonId, Work>,
    repositories: &BTreeMap<PersonId, u64>,
) {
    open_identities(chapters);
    if chapters.who.is_withheld() {
        return;
    }
    let losses = knowledge::losses(chapters.authors(), |person| {
        chapters.contributors.has_left(person, chapters.as_of)
    });
    let mut rows: Vec<(PersonRow, PersonId)> = chapters
        .who
        .people()
        .map(|(id, _)| {
            let files_lost = losses.get(&id).copied().unwrap_or(0);
            let row = row(chapters, id, work.get(&id), repositories.get(&id).copied());
            (PersonRow { files_lost, ..row }, id)
        })
        // Whoever is in a trailer of long ago and did nothing in the window is not asked about.
        .filter(|(row, _)| row.commits + row.co_authored + row.reviews > 0)
        .collect();
    rows.sort_by(|(a, _), (b, _)| {
        (b.commits, b.co_authored, &a.name, &a.email, &a.person).cmp(&(
            a.commits,
            a.co_authored,
            &b.name,
            &b.email,
            &b.person,
        ))
    });
    if chapters.who.may_quote() {
        for (row, id) in &rows {
            for member in &chapters.who.get(*id).members {
                chapters.tables.identities.push(IdentityRow {
                    person: row.person.clone(),
                    name: text(&member.signature.name),
                    email: text(&member.signature.email),
                    reason: reason(member.reason).to_owned(),
                    detail: member.detail.clone(),
                });
            }
        }
    }
    chapters.tables.people = rows.into_iter().map(|(row, _)| row).collect();
}

fn row(chapters: &Chapters, id: PersonId, work: Option<&Work>, repositories: Option<u64>) -> PersonRow {
    let (person, label) = (chapters.who.get(id), chapters.who.label(id));
    let credits = chapters.credits.get(&id).copied().unwrap_or_default();
    let nothing = Work::default();
    let work = work.unwrap_or(&nothing);
    let last = chapters.contributors.last_day(id);
    PersonRow {
        person: label.key,
        name: label.name,
        email: label.email,
        class: class(person.class).to_owned(),
        teams: chapters.who.teams(id, last.or(Some(chapters.as_of))).join("; "),
        signatures: person.members.len() as u64,
        commits: work.work.commits,
        co_authored: credits.co_authored,
        reviews: credits.reviews,
        additions: work.work.lines.additions,
        deletions: work.work.lines.deletions,
        active_days: work.days.len() as u64,
        repositories: repositories.unwrap_or(0),
        first_seen: chapters.contributors.first_day(id).map(|day| day.to_string()),
        last_seen: last.map(|day| day.to_string()),
        has_left: chapters.contributors.has_left(id, chapters.as_of),
        lines_held: lines_held(chapters, id),
        files_lost: 0,
    }
}

fn lines_held(chapters: &Chapters, id: PersonId) -> Option<u64> {
    let lines = chapters.subjects.get(&Subject::Organisation)?.lines.as_ref()?;
    Some(lines.holdings.0.get(&id).copied().unwrap_or(0))
}

fn open_identities(chapters: &mut Chapters) {
    let name = |id: PersonId| {
        let label = chapters.who.label(id);
        label.name.zip(label.email).map(|(name, email)| format!("{name} <{email}>"))
    };
    let mut rows: Vec<OpenIdentityRow> = chapters
        .who
        .contested()
        .filter_map(|people| Some((*people.first()?, *people.last()?)))
        .map(|(a, b)| OpenIdentityRow {
            what: "contested".to_owned(),
            a: name(a),
            b: name(b),
            score: None,
            reason: "names alone would join too many addresses, or two configured people".to_owned(),
        })
        .collect();
    rows.extend(chapters.who.proposals().iter().take(MOST_PROPOSALS).map(|proposal| OpenIdentityRow {
        what: "proposal".to_owned(),
        a: name(PersonId::try_from(proposal.a).expect("a person's number")),
        b: name(PersonId::try_from(proposal.b).expect("a person's number")),
        score: Ratio::of(u64::from(proposal.score_permille), 1_000),
        reason: alike(proposal.reason).to_owned(),
    }));
    chapters.tables.open_identities = rows;
}

fn alike(alike: Alike) -> &'static str {
    match alike {
        Alike::Names => "names",
        Alike::LocalParts => "local parts of addresses",
        Alike::NameAndLocalPart => "name and local part of address",
    }
}

fn class(class: Class) -> &'static str {
    match class {
        Class::Human => "human",
        Class::Bot => "bot",
        Class::Agent => "agent",
    }
}

pub(crate) fn reason(reason: Reason) -> &'static str {
    match reason {
        Reason::Mailmap => "mailmap",
        Reason::OrganisationMailmap => "organisation_mailmap",
        Reason::ManualMapping => "manual_mapping",
        Reason::ManualLink => "manual_link",
        Reason::ForgeNoreply => "forge_noreply",
        Reason::SameEmail => "same_email",
        Reason::SameName => "same_name",
        Reason::Itself => "itself",
    }
}
