//! The laws of identity resolution, and mailmaps as git reads them.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use gitfleet_shared::facts::Signature;
use gitfleet_shared::mailmap::Mailmap;
use gitfleet_shared::people::{Directory, Link, Mapping, Seen, Settings, Sources, Who};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

/// A repository: its mailmap, its signatures with their commits.
type Repository = (String, Vec<(Signature, u64)>);

#[derive(Debug, Clone, Default)]
struct World {
    repositories: Vec<Repository>,
    mappings: Vec<Mapping>,
    links: Vec<Link>,
}

impl World {
    fn directory(&self) -> Directory {
        let mailmaps: Vec<_> = self.repositories.iter().map(|one| Mailmap::parse(one.0.as_bytes())).collect();
        let seen = self.repositories.iter().zip(&mailmaps);
        let seen: Vec<_> = seen.map(|((_, signatures), mailmap)| Seen { mailmap, signatures }).collect();
        let settings = Settings::default();
        Directory::resolve(Sources {
            repositories: &seen,
            organisation: None,
            mappings: &self.mappings,
            links: &self.links,
            settings: &settings,
        })
    }
}

const NAMES: [&str; 6] = ["Ann Example", "ann", "Bob Sample", "bob", "Zoe", "root"];
const EMAILS: [&str; 7] = [
    "ann@x",
    "ANN@x",
    "bob@x",
    "zoe@x",
    "root@box",
    "7+ann@users.noreply.github.com",
    "ann@users.noreply.github.com",
];

fn signature() -> impl Strategy<Value = Signature> {
    (select(NAMES.to_vec()), select(EMAILS.to_vec()))
        .prop_map(|(name, email)| Signature { name: name.into(), email: email.into() })
}

fn mailmap() -> impl Strategy<Value = String> {
    let line = (
        select(NAMES.to_vec()),
        select(EMAILS.to_vec()),
        select(NAMES.to_vec()),
        select(EMAILS.to_vec()),
        0..6u8,
    );
    vec(line, 0..5).prop_map(|lines| {
        lines.into_iter().fold(String::new(), |mut text, (name, email, old_name, old_email, form)| {
            match form {
                0 => writeln!(text, "{name} <{email}>"),
                1 => writeln!(text, "<{email}> <{old_email}>"),
                2 => writeln!(text, "{name} <{email}> <{old_email}>"),
                3 => writeln!(text, "<{email}> {old_name} <{old_email}>"),
                4 => writeln!(text, "{name}<{email}>{old_name}<{old_email}> # why"),
                _ => writeln!(text, "{name} <{email}> {old_name} <{old_email}>"),
            }
            .unwrap();
            text
        })
    })
}

fn world() -> impl Strategy<Value = World> {
    let repository = (mailmap(), vec((signature(), 1..5u64), 0..6));
    let mapping = (select(NAMES.to_vec()), select(EMAILS.to_vec()), vec(select(EMAILS.to_vec()), 0..2))
        .prop_map(|(name, email, aliases)| Mapping {
            name: name.into(),
            primary_email: email.into(),
            aliases: aliases.into_iter().map(str::to_owned).collect(),
            login: None,
        });
    let link =
        (select(EMAILS.to_vec()), select(EMAILS.to_vec()), any::<bool>()).prop_map(|(a, b, linked)| Link {
            a: Who::Email(a.into()),
            b: Who::Email(b.into()),
            linked,
            by: "op".into(),
            reason: String::new(),
        });
    (vec(repository, 0..4), vec(mapping, 0..2), vec(link, 0..3))
        .prop_map(|(repositories, mappings, links)| World { repositories, mappings, links })
}

/// Which signatures are together.
fn together(directory: &Directory) -> BTreeSet<BTreeSet<Signature>> {
    let members =
        |at: usize| directory.people[at].members.iter().map(|member| member.signature.clone()).collect();
    (0..directory.people.len()).map(members).collect()
}

proptest! {
    /// Neither the order of repositories, signatures, mappings and links nor a second delivery matters.
    #[test]
    fn order_and_repetition_do_not_matter(world in world(), at in 0usize..4) {
        let mut turned = world.clone();
        turned.repositories.reverse();
        for (_, signatures) in &mut turned.repositories {
            signatures.reverse();
            let middle = at % signatures.len().max(1);
            signatures.rotate_left(middle);
        }
        turned.mappings.reverse();
        turned.links.reverse();
        let repeated: Vec<_> = turned.links.clone();
        turned.links.extend(repeated);
        prop_assert_eq!(turned.directory(), world.directory());
    }

    /// Everybody is somebody, once, and the index says where.
    #[test]
    fn everybody_is_one_person(world in world()) {
        let directory = world.directory();
        let mut commits: HashMap<Signature, u64> = HashMap::new();
        for (signature, count) in world.repositories.iter().flat_map(|one| &one.1) {
            *commits.entry(signature.clone()).or_default() += count;
        }
        let members = directory.people.iter().flat_map(|person| &person.members);
        let found: HashMap<_, _> = members.clone().map(|one| (one.signature.clone(), one.commits)).collect();
        prop_assert_eq!(members.count(), found.len());
        prop_assert_eq!(&found, &commits);
        for (signature, at) in &directory.of {
            prop_assert!(directory.people[*at].members.iter().any(|one| one.signature == *signature));
        }
        let keys: BTreeSet<_> = directory.people.iter().map(|person| &person.key).collect();
        prop_assert_eq!(keys.len(), directory.people.len());
    }

    /// Another repository joins people, and never splits them.
    #[test]
    fn a_repository_splits_nobody(mut world in world()) {
        // Unlinks and the guard split; both are left out here.
        world.links.retain(|link| link.linked);
        world.mappings.truncate(1);
        let all = world.directory();
        world.repositories.pop();
        for few in together(&world.directory()) {
            let places: BTreeSet<_> = few.iter().map(|signature| all.of[signature]).collect();
            prop_assert_eq!(places.len(), 1);
        }
    }

    /// An unlink holds: nobody has signatures of both its e-mails, unless the two are one e-mail.
    #[test]
    fn an_unlink_wins(world in world()) {
        let directory = world.directory();
        let unlinks = world.links.iter().filter(|link| !link.linked);
        for (a, b) in unlinks.filter_map(|link| match (&link.a, &link.b) {
            (Who::Email(a), Who::Email(b)) => Some((a.to_lowercase(), b.to_lowercase())),
            _ => None,
        }) {
            for person in &directory.people {
                let has = |email: &String| person.members.iter().any(|one| {
                    String::from_utf8_lossy(&one.signature.email).to_lowercase() == *email
                });
                prop_assert!(a == b || !(has(&a) && has(&b)), "{person:?}");
            }
        }
    }

    /// To resolve what was resolved changes nothing: with each person's members written into a mailmap under one proper
    /// identity, everybody stays where they are.
    #[test]
    fn resolution_is_idempotent(world in world()) {
        let directory = world.directory();
        let mut again = world.clone();
        let mut lines = String::new();
        for (nth, person) in directory.people.iter().enumerate() {
            for member in &person.members {
                let name = String::from_utf8_lossy(&member.signature.name);
                let email = String::from_utf8_lossy(&member.signature.email);
                writeln!(lines, "Proper{nth} <proper{nth}@x> {name} <{email}>").unwrap();
            }
        }
        let signatures = world.repositories.iter().flat_map(|one| one.1.clone()).collect();
        again.repositories = vec![(lines, signatures)];
        again.mappings.clear();
        again.links.clear();
        // Names are compared by mailmaps without case, and so are e-mails: signatures that differ in case only are one.
        let merged = |directory: &Directory| -> BTreeSet<BTreeSet<(Vec<u8>, Vec<u8>)>> {
            let lower = |one: Signature| (one.name.to_ascii_lowercase(), one.email.to_ascii_lowercase());
            together(directory).into_iter().map(|all| all.into_iter().map(lower).collect()).collect()
        };
        let apart = merged(&directory);
        let clear = apart.iter().flatten().count() == apart.iter().flatten().collect::<BTreeSet<_>>().len();
        prop_assume!(clear);
        prop_assert_eq!(merged(&again.directory()), apart);
    }

    /// Where no two share an e-mail or a name, people are what the mailmap says.
    #[test]
    fn without_likeness_the_mailmap_decides(people in vec((0..4usize, 1..5u64), 1..12)) {
        let mut mailmap = String::new();
        let mut signatures = Vec::new();
        for (nth, (proper, commits)) in people.iter().enumerate() {
            if *proper > 0 {
                writeln!(mailmap, "Proper{proper} <proper{proper}@x> <raw{nth}@x>").unwrap();
            }
            let (name, email) = (format!("raw{nth}"), format!("raw{nth}@x"));
            signatures.push((Signature { name: name.into(), email: email.into() }, *commits));
        }
        let parsed = Mailmap::parse(mailmap.as_bytes());
        let mut expect: BTreeMap<Signature, u64> = BTreeMap::new();
        for (signature, commits) in &signatures {
            *expect.entry(parsed.resolve(signature)).or_default() += commits;
        }
        let world = World { repositories: vec![(mailmap, signatures)], ..World::default() };
        prop_assert_eq!(shown(&world.directory()), expect);
    }
}

/// Commits by who is shown.
fn shown(directory: &Directory) -> BTreeMap<Signature, u64> {
    let one = |person: &gitfleet_shared::people::Person| {
        let signature = Signature { name: person.name.clone().into(), email: person.email.clone().into() };
        (signature, person.members.iter().map(|member| member.commits).sum())
    };
    directory.people.iter().map(one).collect()
}

fn git(folder: &Path, arguments: &[&str], input: &str) -> String {
    let mut git = Command::new("git")
        .args(arguments)
        .current_dir(folder)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    git.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = git.wait_with_output().unwrap();
    assert!(output.status.success(), "git {arguments:?}");
    String::from_utf8(output.stdout).unwrap()
}

fn all_signatures() -> Vec<Signature> {
    let each = |name: &'static str| EMAILS.map(|email| Signature { name: name.into(), email: email.into() });
    NAMES.into_iter().flat_map(each).collect()
}

fn written(signature: &Signature) -> String {
    format!("{} <{}>", String::from_utf8_lossy(&signature.name), String::from_utf8_lossy(&signature.email))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    /// `git check-mailmap` and we resolve every signature alike.
    #[test]
    fn mailmaps_are_those_of_git(mailmap in mailmap()) {
        let folder = tempfile::tempdir().unwrap();
        git(folder.path(), &["init", "-q"], "");
        std::fs::write(folder.path().join(".mailmap"), &mailmap).unwrap();
        let asked: String = all_signatures().iter().map(|one| written(one) + "\n").collect();
        let parsed = Mailmap::parse(mailmap.as_bytes());
        let ours: String = all_signatures().iter().map(|one| written(&parsed.resolve(one)) + "\n").collect();
        let theirs = git(folder.path(), &["check-mailmap", "--stdin"], &asked);
        prop_assert_eq!(ours, theirs, "{}", mailmap);
    }
}

/// `git shortlog -se` of a generated repository lists the people of the directory, with their commits.
#[test]
fn shortlog_lists_the_same_people() {
    let folder = tempfile::tempdir().unwrap();
    git(folder.path(), &["init", "-q", "-b", "main"], "");
    let mailmap = "Ann Example <ann@x> <old@x>\nAnn Example <ann@x> ann <root@box>\nBob Sample <bob@x> bob <root@box>\n\
                   <zoe@x> <z@old>\n";
    let authors = [
        ("Ann Example <ann@x>", 3),
        ("ann <old@x>", 2),
        ("ann <root@box>", 4),
        ("bob <root@box>", 5),
        ("Zoe <z@old>", 1),
        ("Max <max@x>", 2),
    ];
    let mut stream = String::new();
    for author in authors.iter().flat_map(|(author, times)| vec![author; *times]) {
        writeln!(stream, "commit refs/heads/main\nauthor {author} 1700000000 +0000").unwrap();
        writeln!(stream, "committer {author} 1700000000 +0000\ndata 1\nx").unwrap();
        writeln!(stream, "M 100644 inline .mailmap\ndata {}\n{mailmap}", mailmap.len()).unwrap();
    }
    git(folder.path(), &["fast-import", "--quiet"], &stream);
    std::fs::write(folder.path().join(".mailmap"), mailmap).unwrap();
    let theirs = git(folder.path(), &["shortlog", "-se", "main"], "");
    let signatures = authors.iter().map(|(author, times)| {
        let (name, email) = author.split_once(" <").unwrap();
        let email = email.trim_end_matches('>');
        (Signature { name: name.into(), email: email.into() }, *times as u64)
    });
    let world = World { repositories: vec![(mailmap.into(), signatures.collect())], ..World::default() };
    let mut ours: Vec<_> = shown(&world.directory())
        .iter()
        .map(|(who, commits)| format!("{commits}\t{}", written(who)))
        .collect();
    let mut theirs: Vec<_> = theirs.lines().map(|line| line.trim().to_owned()).collect();
    ours.sort();
    theirs.sort();
    assert_eq!(ours, theirs);
}
