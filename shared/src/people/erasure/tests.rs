use proptest::prelude::*;

use super::*;
use crate::facts::ClaimedTime;
use crate::object_id::ObjectId;

fn key() -> Key {
    Key::new(b"a secret of some length").unwrap()
}

fn suppression() -> Suppression {
    let key = key();
    let marks = vec![
        key.email("ann@x.org"),
        key.email("ann.at.home"),
        key.email("Ünsal@x.org"),
        key.name("Ann O'Doe"),
        key.name("Zoë Ann Doe"),
        key.name("0123456789abcdef"),
        key.alone("anna"),
        key.signature("Ann", "root@localhost"),
        key.signature("", "nobody@localhost"),
    ];
    let other = Erased { digits: "bb2b2b".into(), marks: vec![key.email("bob@x.org")] };
    Suppression::new(key, &[Erased { digits: "aa1a1a".into(), marks }, other])
}

fn check(text: &str, expect: &str) {
    let suppression = suppression();
    assert_eq!(suppression.redact_text(text), expect, "{text:?}");
    assert_eq!(suppression.redact_text(expect), expect, "again: {text:?}");
    assert_eq!(suppression.names(text.as_bytes()), text != expect);
}

#[test]
fn emails_are_found_whole_and_in_any_case() {
    check("mail ANN@x.ORG.", "mail aa1a1a@erased.invalid.");
    check("(ann@x.org)", "(aa1a1a@erased.invalid)");
    check("mailto:ann@x.org,bob@x.org;", "mailto:aa1a1a@erased.invalid,bb2b2b@erased.invalid;");
    check("=ann@x.org=", "=aa1a1a@erased.invalid=");
    check("'ann@x.org'", "'aa1a1a@erased.invalid'");
    check("ÜNSAL@x.org", "aa1a1a@erased.invalid");
    check("< ann.at.home >", "< aa1a1a@erased.invalid >");
    for other in
        ["joann@x.org", "ann@x.org.uk", "ann@xx.org", "jo.ann@x.org", "ann+1@x.org", "ann@", "@x.org"]
    {
        check(other, other);
    }
}

#[test]
fn names_are_found_by_their_words() {
    check("by ann o'doe.", "by Erased person AA1A1A.");
    check("Ann\n  O’Doe, and", "Erased person AA1A1A, and");
    check("merge ann-odoe/fix", "merge Erased person AA1A1A/fix");
    check("Ann O'Doe's fix", "Erased person AA1A1A's fix");
    check("Zoe\u{308} ANN doe", "Erased person AA1A1A");
    check("zoe ann doe", "Erased person AA1A1A");
    for other in ["Ann", "Joann O'Doe", "Ann O'Doen", "Ann and O'Doe", "O'Doe Ann", "ann.odoe@y.org"] {
        check(other, other);
    }
}

#[test]
fn a_key_is_found_and_gives_way_to_another() {
    let instead = Pseudonym::of("aa1a1a").key;
    check("\"0123456789abcdef\"", &format!("\"{instead}\""));
    check("0123456789abcdef0", "0123456789abcdef0");
}

#[test]
fn names_beside_an_email_go_with_it() {
    let erased = "Erased person AA1A1A <aa1a1a@erased.invalid>";
    check("Co-authored-by: A. D. (work) <ann@x.org>\n", &format!("Co-authored-by: {erased}\n"));
    check("thanks, Ann <root@localhost>", &format!("thanks, {erased}"));
    check("Max <root@localhost>", "Max <root@localhost>");
    check("<nobody@localhost>", "<aa1a1a@erased.invalid>");
    check("by hand <ann@x.org>", "by hand <aa1a1a@erased.invalid>");
}

#[test]
fn a_word_alone_is_looked_for_where_that_is_asked() {
    check("login: anna", "login: anna");
    let redacted = suppression().redact_words("login: Anna, annas, Ann O'Doe").into_owned();
    assert_eq!(redacted, "login: Erased person AA1A1A, annas, Erased person AA1A1A");
    assert!(matches!(suppression().redact_words("nobody"), Cow::Borrowed(_)));
    assert_eq!(suppression().whole("ANNA"), Some(&Pseudonym::of("aa1a1a")));
}

#[test]
fn a_signature_is_one_or_the_other() {
    let check = |name: &[u8], email: &[u8], expect: Option<&str>| {
        let signature = Signature { name: name.into(), email: email.into() };
        let suppression = suppression();
        assert_eq!(suppression.who(&signature).map(|who| who.email.as_str()), expect, "{signature:?}");
    };
    let ann = Some("aa1a1a@erased.invalid");
    check(b"whoever", b" Ann@X.org", ann);
    check(b"Ann O'Doe", b"new@y.org", ann);
    check(b"ann", b"root@localhost", ann);
    check(b"bob", b"root@localhost", None);
    check(b"ann@x.org", b"", ann);
    check(b"Zo\xeb Ann Doe", b"", None);
    check(b"\xff Ann O'Doe \xfe", b"", ann);
}

#[test]
fn bytes_that_are_no_text_stay() {
    let redacted = suppression().redact(b"\xff\xfe Ann O'Doe \x80<ann@x.org>\xc3").into_owned();
    assert_eq!(redacted, b"\xff\xfe Erased person AA1A1A \x80<aa1a1a@erased.invalid>\xc3");
}

#[test]
fn lines_of_a_mailmap_go() {
    let mailmap = b"# ours\nAnn <a@y> <ann@x.org>\nBob <b@y> <c@y>\nA <ann@x.org>";
    assert_eq!(suppression().mailmap(mailmap).as_ref(), b"# ours\nBob <b@y> <c@y>\n");
    assert!(matches!(suppression().mailmap(b"Bob <b@y>\n"), Cow::Borrowed(_)));
}

#[test]
fn facts_say_the_pseudonym() {
    let signature = |name: &str, email: &str| Signature { name: name.into(), email: email.into() };
    let time = ClaimedTime { seconds: Some(1), offset_minutes: 0 };
    let mut facts = CommitFacts {
        id: ObjectId::try_from(&[1; 20][..]).unwrap(),
        parents: Vec::new(),
        author: signature("A", "ann@x.org"),
        authored: time,
        committer: signature("Carl", "carl@x.org"),
        committed: time,
        message: b"fix\n\nReviewed-by: Ann O'Doe <ann@x.org>\n".to_vec(),
        files: Vec::new(),
        merged: Vec::new(),
    };
    assert!(suppression().facts(&mut facts));
    assert_eq!(facts.author, Pseudonym::of("aa1a1a").signature());
    assert_eq!(facts.committer, signature("Carl", "carl@x.org"));
    let said = b"fix\n\nReviewed-by: Erased person AA1A1A <aa1a1a@erased.invalid>\n";
    assert_eq!(facts.message, said);
    assert!(!suppression().facts(&mut facts.clone()), "again");
    assert!(!Suppression::default().facts(&mut facts));
}

#[test]
fn a_list_is_heard_by_whoever_has_its_key() {
    assert_eq!(Suppression::default().told(), None);
    assert!(Suppression::heard(None, None).unwrap().is_empty());
    let told = suppression().told();
    assert!(Suppression::heard(None, told.as_ref()).is_none());
    assert!(Suppression::heard(Key::new(b"another secret of some length").as_ref(), told.as_ref()).is_none());
    let heard = Suppression::heard(Some(&key()), told.as_ref()).unwrap();
    assert_eq!(heard.redact(b"ann@x.org"), suppression().redact(b"ann@x.org"));
}

#[test]
fn another_key_finds_nobody() {
    let other = Key::new(b"another secret of some length").unwrap();
    assert_ne!(other.check(), key().check());
    let erased = Erased { digits: "aa1a1a".into(), marks: vec![key().email("ann@x.org")] };
    assert!(!Suppression::new(other, &[erased]).names(b"ann@x.org"));
    assert!(Key::new(b"short").is_none());
    assert_eq!(format!("{:?}", key()), "***");
}

/// Words of which texts are made: some of them are said of who was erased.
fn piece() -> impl Strategy<Value = Vec<u8>> {
    let words = [
        "ann",
        "Ann",
        "o'doe",
        "O’Doe",
        "doe",
        "zoë",
        "Zoe\u{308}",
        "ann@x.org",
        "bob@x.org",
        "<root@localhost>",
        "root",
        "@",
        "<",
        ">",
        " ",
        "\n",
        "-",
        ".",
        "'",
        "s",
        "Reviewed-by: ",
        "0123456789abcdef",
        "é",
        "x",
    ];
    prop_oneof![
        8 => prop::sample::select(words.to_vec()).prop_map(|word| word.as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..3),
    ]
}

proptest! {
    #[test]
    fn what_was_redacted_once_stays(pieces in prop::collection::vec(piece(), 0..40)) {
        let (text, suppression) = (pieces.concat(), suppression());
        let once = suppression.redact(&text).into_owned();
        prop_assert!(!suppression.names(&once), "{:?}", String::from_utf8_lossy(&once));
        prop_assert_eq!(suppression.names(&text), once != text);
    }

    #[test]
    fn text_that_names_nobody_stays_byte_for_byte(text: Vec<u8>, words in "[b-z <>@.\n']{0,200}") {
        // None of the names is made of these letters alone.
        let suppression = suppression();
        prop_assert_eq!(suppression.redact_text(&words), words.as_str());
        let found = suppression.redact(&text).into_owned();
        prop_assert_eq!(suppression.names(&text), found != text);
    }
}
