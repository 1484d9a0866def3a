//! Who is who in a report, and what may be said of them.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use gitfleet_shared::facts::Signature;
use gitfleet_shared::mailmap::Mailmap;
use gitfleet_shared::metrics::PersonId;
use gitfleet_shared::people::pseudonyms::pseudonyms;
use gitfleet_shared::people::teams::Roster;
use gitfleet_shared::people::{self, Class, Directory, Link, Person, Proposal, Seen, Sources, proposals};

use crate::lens::{Lens, Names};
use crate::store::PeopleLink;

/// The signatures of a batch, repository by repository.
#[derive(Default)]
pub(crate) struct Gathered {
    repositories: Vec<(Mailmap, Vec<(Signature, u64)>)>,
}

impl Gathered {
    /// Adds a repository: who wrote how many commits, and whom its messages name.
    pub(crate) fn add(&mut self, mailmap: Mailmap, signatures: BTreeMap<Signature, u64>) {
        self.repositories.push((mailmap, signatures.into_iter().collect()));
    }

    pub(crate) fn resolve(&self, lens: &Lens, links: &[Link]) -> Directory {
        let organisation = Mailmap::parse(lens.people.mailmap.as_bytes());
        let repositories: Vec<Seen<'_>> =
            self.repositories.iter().map(|(mailmap, signatures)| Seen { mailmap, signatures }).collect();
        Directory::resolve(Sources {
            repositories: &repositories,
            organisation: Some(&organisation),
            mappings: &lens.people.mappings,
            links,
            settings: &lens.people.settings,
        })
    }
}

/// How a person is called; `None` where names are withheld.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Label {
    pub(super) key: String,
    pub(super) name: Option<String>,
    pub(super) email: Option<String>,
}

pub(super) struct Who {
    directory: Directory,
    roster: Roster,
    labels: Vec<Label>,
    may_quote: bool,
    withheld: bool,
}

impl Who {
    pub(super) fn of(gathered: &Gathered, lens: &Lens, links: &[Link]) -> Self {
        let directory = gathered.resolve(lens, links);
        let labels = labels(&directory, &lens.names);
        Self {
            roster: Roster::of(&lens.teams, &directory),
            may_quote: lens.names == Names::Shown,
            withheld: lens.names == Names::Withheld,
            directory,
            labels,
        }
    }

    pub(super) fn person(&self, signature: &Signature) -> Option<PersonId> {
        self.directory.of.get(signature).map(|place| id(*place))
    }

    pub(super) fn get(&self, person: PersonId) -> &Person {
        &self.directory.people[person as usize]
    }

    pub(super) fn is_bot(&self, person: PersonId) -> bool {
        self.get(person).class != Class::Human
    }

    pub(super) fn teams(&self, person: PersonId, day: Option<NaiveDate>) -> Vec<String> {
        let Some(day) = day else { return Vec::new() };
        let teams = self.roster.teams_of(person as usize, day);
        teams.into_iter().filter_map(|team| self.roster.name(team)).map(str::to_owned).collect()
    }

    pub(super) fn label(&self, person: PersonId) -> Label {
        self.labels[person as usize].clone()
    }

    /// Whether text that may hold names may be shown.
    pub(super) fn may_quote(&self) -> bool {
        self.may_quote
    }

    /// Whether there are to be no tables of people.
    pub(super) fn is_withheld(&self) -> bool {
        self.withheld
    }

    pub(super) fn people(&self) -> impl Iterator<Item = (PersonId, &Person)> {
        self.directory.people.iter().enumerate().map(|(place, person)| (id(place), person))
    }

    pub(super) fn contested(&self) -> impl Iterator<Item = Vec<PersonId>> {
        self.directory.contested.iter().map(|one| one.people.iter().map(|place| id(*place)).collect())
    }

    pub(super) fn proposals(&self) -> Vec<Proposal> {
        proposals(&self.directory)
    }

    /// Returns memberships that mean nobody, or more than one.
    pub(super) fn unclear(&self) -> &[gitfleet_shared::people::teams::Unclear] {
        &self.roster.unclear
    }
}

/// Returns a decision of an operator in the words of the directory.
pub(crate) fn link(decided: &PeopleLink) -> Link {
    Link {
        a: meant(&decided.a),
        b: meant(&decided.b),
        linked: decided.linked,
        by: decided.by.clone(),
        reason: decided.reason.clone(),
    }
}

/// Reads `Name <e-mail>`, or an e-mail alone.
pub(crate) fn meant(text: &str) -> people::Who {
    match text.strip_suffix('>').and_then(|text| text.rsplit_once('<')) {
        Some((name, email)) => {
            people::Who::Signature(Signature { name: name.trim().into(), email: email.into() })
        }
        None => people::Who::Email(text.to_owned()),
    }
}

fn id(place: usize) -> PersonId {
    PersonId::try_from(place).expect("fewer people than the earth has")
}

fn labels(directory: &Directory, names: &Names) -> Vec<Label> {
    let people = &directory.people;
    match names {
        Names::Shown => people
            .iter()
            .map(|person| Label {
                key: person.key.clone(),
                name: Some(person.name.clone()),
                email: Some(person.email.clone()),
            })
            .collect(),
        Names::Pseudonyms { key } => {
            let hidden = pseudonyms(people.iter().map(|person| person.key.as_str()), key);
            people
                .iter()
                .map(|person| {
                    let hidden = &hidden[person.key.as_str()];
                    // The key is a hash of a name: whoever knows the name could tell.
                    let key = hidden.email.split('@').next().unwrap_or_default().to_owned();
                    Label { key, name: Some(hidden.name.clone()), email: Some(hidden.email.clone()) }
                })
                .collect()
        }
        Names::Withheld => vec![Label::default(); people.len()],
    }
}
