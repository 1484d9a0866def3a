//! What the messages of a repository say, read once for all chapters.

use gitfleet_shared::facts::{ChangeKind, CommitFacts, Signature};
use gitfleet_shared::metrics::tally::Kind;
use gitfleet_shared::words::Message;
use gitfleet_shared::words::agents::assistance;
use gitfleet_shared::words::conventional;
use gitfleet_shared::words::kind::{self, FileEvidence};
use gitfleet_shared::words::requests::{Arrival, arrival};
use gitfleet_shared::words::reverts::{self, Undoing};
use gitfleet_shared::words::tickets::{Forge, Ticket};
use gitfleet_shared::words::trailers::{Role, credits};

use super::reading::Reading;
use super::tree::Classes;

/// What one message says.
#[derive(Debug, Clone)]
pub(super) struct Said {
    pub(super) subject: String,
    pub(super) kind: Option<Kind>,
    /// In the organisation's word.
    pub(super) category: String,
    pub(super) is_conventional: bool,
    pub(super) is_breaking: bool,
    /// A release by its category: no ticket is asked of it.
    pub(super) is_release: bool,
    pub(super) tickets: Vec<Ticket>,
    pub(super) names_request_only: bool,
    /// Project keys that look like some and are not configured.
    pub(super) candidates: Vec<String>,
    pub(super) points_hundredths: Option<u32>,
    pub(super) undoing: Option<Undoing>,
    pub(super) arrival: Arrival,
    pub(super) co_authors: Vec<Signature>,
    pub(super) reviewers: Vec<Signature>,
    pub(super) is_ai_assisted: bool,
}

/// Reads the messages of `commits`, on all cores.
pub(super) fn read(commits: &[CommitFacts], reading: &Reading, classes: &Classes, forge: Forge) -> Vec<Said> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let part = commits.len().div_ceil(threads).max(1);
    std::thread::scope(|scope| {
        let parts: Vec<_> = commits
            .chunks(part)
            .map(|commits| {
                scope.spawn(move || -> Vec<Said> {
                    commits.iter().map(|commit| one(commit, reading, classes, forge)).collect()
                })
            })
            .collect();
        parts.into_iter().flat_map(|part| part.join().expect("reading does not panic")).collect()
    })
}

fn one(commit: &CommitFacts, reading: &Reading, classes: &Classes, forge: Forge) -> Said {
    let message = Message::read(&commit.message);
    let parents = commit.parents.len();
    let found = reading.kinds.classify(&message, Some(evidence(commit, classes)));
    let conventional = conventional::read(&message, &reading.conventional_types);
    let references = reading.tickets.of(&message, parents, forge);
    let credits = credits(&message.trailers);
    let by = |roles: &[Role]| -> Vec<Signature> {
        let mut people: Vec<Signature> = credits
            .iter()
            .filter(|credit| roles.contains(&credit.role))
            .map(|credit| Signature { name: credit.name.clone().into(), email: credit.email.clone().into() })
            .collect();
        people.sort();
        people.dedup();
        people
    };
    Said {
        kind: match found.kind {
            kind::Kind::Corrective => Some(Kind::Corrective),
            kind::Kind::Adaptive => Some(Kind::Adaptive),
            kind::Kind::Perfective => Some(Kind::Perfective),
            kind::Kind::Unknown => None,
        },
        is_release: found.category == "release",
        category: found.word,
        is_conventional: conventional.is_some(),
        is_breaking: conventional.is_some_and(|found| found.breaking),
        names_request_only: references.pr_only(),
        tickets: references.tickets,
        candidates: references.candidates,
        points_hundredths: reading.points.find(&message.text()),
        undoing: reverts::read(&message),
        arrival: arrival(&message, parents),
        co_authors: by(&[Role::CoAuthor]),
        reviewers: by(&[Role::Reviewer, Role::Acker, Role::Tester]),
        is_ai_assisted: !assistance(&message).is_empty(),
        subject: message.subject,
    }
}

fn evidence(commit: &CommitFacts, classes: &Classes) -> FileEvidence {
    let mut evidence = FileEvidence::default();
    for file in &commit.files {
        let class = classes.of(&file.path);
        if class.is_test {
            evidence.tests += 1;
        } else if class.is_documentation {
            evidence.docs += 1;
        } else if class.is_source() {
            evidence.source += 1;
            evidence.added_source += u32::from(file.kind == ChangeKind::Added);
        } else {
            evidence.other += 1;
        }
    }
    evidence
}
