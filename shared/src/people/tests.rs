use super::*;

/// Who is who in one repository, and nothing else is known.
pub(super) fn of_one(mailmap: &Mailmap, signatures: &[(Signature, u64)], settings: &Settings) -> Directory {
    let repositories = [Seen { mailmap, signatures }];
    let sources =
        Sources { repositories: &repositories, organisation: None, mappings: &[], links: &[], settings };
    Directory::resolve(sources)
}

fn signature(text: &str) -> Signature {
    let (name, email) = text.split_once(" <").unwrap();
    Signature { name: name.trim().into(), email: email.trim_end_matches('>').into() }
}

/// A world to ask, written in text.
#[derive(Default)]
struct World {
    repositories: Vec<(Mailmap, Vec<(Signature, u64)>)>,
    organisation: Option<Mailmap>,
    mappings: Vec<Mapping>,
    links: Vec<Link>,
    settings: Settings,
}

impl World {
    fn of(signatures: &[&str]) -> Self {
        Self::default().and("", signatures)
    }

    /// Adds a repository; later signatures have more commits.
    fn and(mut self, mailmap: &str, signatures: &[&str]) -> Self {
        let signatures =
            signatures.iter().zip(1..).map(|(text, commits)| (signature(text), commits)).collect();
        self.repositories.push((Mailmap::parse(mailmap.as_bytes()), signatures));
        self
    }

    fn mapped(mut self, name: &str, email: &str, aliases: &[&str], login: Option<&str>) -> Self {
        let aliases = aliases.iter().map(|alias| (*alias).to_owned()).collect();
        let login = login.map(str::to_owned);
        self.mappings.push(Mapping { name: name.into(), primary_email: email.into(), aliases, login });
        self
    }

    fn decided(mut self, a: &str, b: &str, linked: bool) -> Self {
        let who = |word: &str| {
            if word.contains('<') { Who::Signature(signature(word)) } else { Who::Email(word.into()) }
        };
        self.links.push(Link { a: who(a), b: who(b), linked, by: "op".into(), reason: "known".into() });
        self
    }

    fn directory(&self) -> Directory {
        let seen: Vec<_> =
            self.repositories.iter().map(|(mailmap, signatures)| Seen { mailmap, signatures }).collect();
        Directory::resolve(Sources {
            repositories: &seen,
            organisation: self.organisation.as_ref(),
            mappings: &self.mappings,
            links: &self.links,
            settings: &self.settings,
        })
    }

    /// Checks the people, each written as `Name <email>: members' e-mails`.
    fn check(&self, expect: &[&str]) -> Directory {
        let directory = self.directory();
        let mut people: Vec<_> = directory.people.iter().map(written).collect();
        people.sort();
        assert_eq!(people, expect);
        directory
    }
}

fn written(person: &Person) -> String {
    let members = person.members.iter().map(|one| String::from_utf8_lossy(&one.signature.email));
    format!("{} <{}>: {}", person.name, person.email, members.collect::<Vec<_>>().join(" "))
}

#[test]
fn the_same_email_and_the_same_full_name_are_one() {
    let world = World::of(&["Ann Example <ann@x>", "ann <Ann@X>", "Ann Éxample <ann@y>", "Ann <a@z>"]);
    let directory = world.check(&["Ann <a@z>: a@z", "Ann Éxample <ann@y>: ann@x ann@y Ann@X"]);
    let person = directory.person(&signature("ann <Ann@X>")).unwrap();
    let reasons: Vec<_> = person.members.iter().map(|one| (one.reason, one.detail.as_str())).collect();
    let expect = [(Reason::Itself, ""), (Reason::SameName, "ann example"), (Reason::SameEmail, "ann@x")];
    assert_eq!(reasons, expect);
}

#[test]
fn a_mailmap_comes_first_and_keeps_shared_machines_apart() {
    let mailmap = "Ann <ann@x> ann <root@box>\nBob <bob@x> bob <root@box>\n";
    let one = World::default().and(mailmap, &["ann <root@box>", "bob <root@box>"]);
    one.check(&["Ann <ann@x>: root@box", "Bob <bob@x>: root@box"]);
    // Where the same signatures stand without a mailmap, they are one, and so are those they are renamed to.
    one.and("", &["ann <root@box>", "bob <root@box>"]).check(&["Bob <bob@x>: root@box root@box"]);
}

#[test]
fn an_organisation_has_a_mailmap() {
    let mut world = World::default().and("Ann <ann@x> <old@x>\n", &["a <old@x>"]).and("", &["b <older@x>"]);
    world.organisation = Some(Mailmap::parse(b"Ann Org <ann@org> <ann@x>\nAnn Org <ann@org> <older@x>\n"));
    world.check(&["Ann Org <ann@org>: old@x older@x"]);
}

#[test]
fn mappings_name_emails_names_and_logins() {
    let signatures = ["ann <ann@home>", "AnnE <x@y>", "z <7+ANN-E@users.noreply.github.com>", "bob <bob@x>"];
    let world = World::of(&signatures).mapped("Ann Example", "ann@x", &["ann@home", "anne"], Some("ann-e"));
    let directory = world
        .check(&["Ann Example <ann@x>: x@y ann@home 7+ANN-E@users.noreply.github.com", "bob <bob@x>: bob@x"]);
    assert_eq!(directory.person(&signature(signatures[0])).unwrap().login.as_deref(), Some("ann-e"));
}

#[test]
fn forge_accounts_are_known_by_number_and_login() {
    World::of(&[
        "a <7+ann@users.noreply.github.com>",
        "b <7+ann-new@users.noreply.github.com>",
        "c <ann@users.noreply.github.com>",
        "d <8+bob@users.noreply.github.com>",
        "e <ann@users.noreply.other.example>",
    ])
    .check(&[
        "c <ann@users.noreply.github.com>: 7+ann@users.noreply.github.com 7+ann-new@users.noreply.github.com ann@users.noreply.github.com",
        "d <8+bob@users.noreply.github.com>: 8+bob@users.noreply.github.com",
        "e <ann@users.noreply.other.example>: ann@users.noreply.other.example",
    ]);
}

#[test]
fn operators_link_and_unlink() {
    let signatures = ["Ann Example <ann@x>", "Ann Example <ann@y>", "a <a@z>"];
    World::of(&signatures).decided("a@z", "ann@x", true).check(&["a <a@z>: ann@x ann@y a@z"]);
    let apart = World::of(&signatures).decided("ann@x", "ann@y", false).decided("ann@x", "a@z", true);
    let directory = apart.check(&["Ann Example <ann@y>: ann@y", "a <a@z>: ann@x a@z"]);
    let member = directory.person(&signature("a <a@z>")).unwrap().members[1].clone();
    assert_eq!((member.reason, member.detail.as_str()), (Reason::ManualLink, "op: known"));
}

#[test]
fn names_that_say_nothing_join_nobody() {
    let world = World::of(&[
        "Unknown Author <a@x>",
        "Unknown Author <b@x>",
        "x <root@localhost>",
        "y <root@localhost>",
    ]);
    assert_eq!(world.directory().people.len(), 4);
}

#[test]
fn the_guard_undoes_what_names_alone_hold_together() {
    let many: Vec<_> = (0..12).map(|nth| format!("Ann Example <ann@host{nth}>")).collect();
    let many: Vec<_> = many.iter().map(String::as_str).collect();
    let directory = World::of(&many).directory();
    assert_eq!(directory.people.len(), 12);
    assert_eq!(directory.contested, [Contested { why: Why::TooManyEmails, people: (0..12).collect() }]);
    assert!(directory.people.iter().all(|person| person.members[0].reason == Reason::Itself));
    assert_eq!(World::of(&many[..10]).directory().people.len(), 1);

    let two = World::of(&["Ann Example <ann@x>", "Ann Example <ann@y>"])
        .mapped("Ann Example", "ann@x", &[], None)
        .mapped("Ann Example", "ann@y", &[], None);
    let directory = two.check(&["Ann Example <ann@x>: ann@x", "Ann Example <ann@y>: ann@y"]);
    assert_eq!(directory.contested, [Contested { why: Why::TwoMappings, people: vec![0, 1] }]);
}

#[test]
fn bots_are_never_joined_by_name_and_have_a_class() {
    let world =
        World::of(&["Acme Bot <a@x>", "Acme Bot <b@x>", "Claude <noreply@anthropic.com>", "Ann <ann@x>"]);
    let directory = world.directory();
    let mut classes: Vec<_> = directory.people.iter().map(|person| person.class).collect();
    classes.sort();
    assert_eq!(classes, [Class::Human, Class::Bot, Class::Bot, Class::Agent]);
}

#[test]
fn likenesses_are_proposed_and_not_applied() {
    let directory =
        World::of(&["Ann Exampel <one@x>", "Ann Example <two@y>", "Zoe <ann.example@z>", "Bob <bob@x>"])
            .directory();
    assert_eq!(directory.people.len(), 4);
    let found = proposals(&directory);
    let name = |at: usize| directory.people[at].name.as_str();
    let mut pairs: Vec<_> = found
        .iter()
        .map(|one| {
            let mut pair = [name(one.a), name(one.b)];
            pair.sort_unstable();
            (one.score_permille, pair, one.reason)
        })
        .collect();
    pairs.sort();
    assert_eq!(pairs.len(), 3);
    assert_eq!(pairs[2], (1000, ["Ann Example", "Zoe"], Alike::NameAndLocalPart));
    assert_eq!(pairs[0].1, ["Ann Exampel", "Ann Example"]);
}

#[test]
fn hostile_signatures_are_people_too() {
    let odd = [
        Signature { name: vec![], email: vec![] },
        Signature { name: vec![0xff, 0], email: b"a@b@c".to_vec() },
        Signature { name: b"ann@x".to_vec(), email: b"Ann".to_vec() },
    ];
    let odd: Vec<_> = odd.into_iter().map(|one| (one, u64::MAX)).collect();
    let mailmap = Mailmap::default();
    let directory = of_one(&mailmap, &odd, &Settings::default());
    assert_eq!(directory.people.len(), 3);
    let _ = proposals(&directory);
}
