//! The built-in rules: each looks for one thing and votes; the ballot decides.

use std::sync::LazyLock;

use aho_corasick::AhoCorasick;

use super::FileEvidence;
use super::Kind::{self, Adaptive, Corrective, Perfective};
use super::ballot::{Ballot, Vote};
use super::lexicon::{
    BRINGING, CONFIGURABLE, FILLERS, LEADS, PHRASES, PREPOSITIONS, SYMPTOMS, Sense, TAGGED, TURNING, WASTE,
    WORDS,
};
use super::tokens::{Token, stem, subject, words};

/// Votes are counted in sixths, so that a body's word can weigh a third of a subject's.
const WHOLE: i32 = 6;

/// A longer subject is a message without a subject: what comes late in it is body.
const HEAD_WORDS: usize = 18;

/// How many words of a subject are searched for the leading verb.
const LEAD_WORDS: usize = 6;

pub(super) fn weigh(title: &str, body: &str, files: Option<FileEvidence>) -> Ballot {
    let mut ballot = Ballot::default();
    let title = subject(title, |word| LEADS.contains_key(&stem(&word.to_lowercase())));
    tags(&title.tags, &mut ballot);
    let tokens = words(title.rest);
    let led = lead(&tokens, &mut ballot);
    let head = &tokens[..tokens.len().min(HEAD_WORDS)];
    let late = &tokens[head.len()..];
    // The leading verb has voted already.
    anywhere(&head[led.min(head.len())..], WHOLE, "word", &mut ballot);
    phrases(head, WHOLE, &mut ballot);
    let said_much = led > 0 || !ballot.is_empty();
    let share = if said_much { WHOLE / 3 } else { WHOLE * 2 / 3 };
    let body_words = words(body);
    let rest: Vec<Token> = late.iter().chain(&body_words).take(400).cloned().collect();
    anywhere(&rest, share, "body", &mut ballot);
    phrases(&rest, share, &mut ballot);
    if let Some(files) = files {
        by_files(files, led > 0, &mut ballot);
    }
    ballot
}

fn vote(ballot: &mut Ballot, kind: Kind, category: &'static str, weight: i32, rule: String) {
    ballot.add(Vote { kind, weight, category, rule });
}

fn tags(tags: &[&str], ballot: &mut Ballot) {
    for tag in tags {
        let words = words(tag);
        let found = words.iter().find_map(|token| TAGGED.get(&token.stem));
        if let Some(sense) = found.filter(|_| words.len() <= 4) {
            vote(ballot, sense.kind, sense.category, sense.weight * WHOLE, format!("tag.{}", sense.word));
        }
    }
}

/// Lets the leading verb vote, as its object turns it. Returns how many words it took.
fn lead(tokens: &[Token], ballot: &mut Ballot) -> usize {
    let mut at = 0;
    while at < tokens.len().min(LEAD_WORDS) && FILLERS.contains(&tokens[at].raw.to_lowercase().as_str()) {
        at += 1;
    }
    let Some(token) = tokens.get(at) else { return minor(tokens, ballot) };
    let Some(sense) = LEADS.get(&token.stem).filter(|_| !token.code) else {
        return minor(&tokens[..at], ballot);
    };
    let object = object(&tokens[at + 1..]);
    let (kind, category, weight, rule) = turned(sense, &token.stem, object, &tokens[at + 1..]);
    vote(ballot, kind, category, weight * WHOLE, rule);
    at + 1
}

/// `minor` and its like lead nothing but say something.
fn minor(fillers: &[Token], ballot: &mut Ballot) -> usize {
    let small = ["minor", "trivial", "small", "simple"];
    if fillers.iter().any(|token| small.contains(&token.stem.as_str())) {
        vote(ballot, Perfective, "chore", 3 * WHOLE, "lead.minor".to_owned());
    }
    0
}

/// What a verb is about: the words up to a preposition, a comma or the end of the sentence, six at most.
fn object(rest: &[Token]) -> &[Token] {
    let ends = |(at, token): (usize, &Token)| {
        at >= 6 || (at > 0 && token.after_break) || PREPOSITIONS.contains(&token.raw.to_lowercase().as_str())
    };
    let end = rest.iter().enumerate().position(|(at, token)| ends((at, token))).unwrap_or(rest.len());
    &rest[..end]
}

fn turned(sense: &Sense, verb: &str, object: &[Token], rest: &[Token]) -> (Kind, &'static str, i32, String) {
    let plain = (sense.kind, sense.category, sense.weight, format!("lead.{}", sense.word));
    let has = |words: &str| object.iter().any(|token| is_any(&token.stem, words));
    let turning = object.iter().find_map(|token| {
        let test = token.code && is_test_name(&token.raw);
        let sense = TURNING.get(if test { "test" } else { token.stem.as_str() })?;
        (test || !token.code).then_some(sense)
    });
    let brings = is_any(verb, BRINGING);
    let repairs = sense.kind == Corrective && sense.weight >= 9;
    match (sense.kind, turning) {
        (Adaptive, Some(object)) if brings => {
            (Perfective, object.category, object.weight, format!("lead.{}-{}", sense.word, object.word))
        }
        (Corrective, Some(object)) if repairs && matches!(object.category, "docs" | "style") => {
            (Perfective, object.category, object.weight, format!("lead.{}-{}", sense.word, object.word))
        }
        (Corrective, Some(object)) if repairs && object.category == "test" => {
            (Corrective, "test", 6, format!("lead.{}-{}", sense.word, object.word))
        }
        (Perfective, Some(object)) if is_any(verb, "update improve change make use enhance") => {
            (Perfective, object.category, sense.weight + 3, format!("lead.{}-{}", sense.word, object.word))
        }
        _ if is_any(verb, "make") && has("sure") => (Corrective, "fix", 8, "lead.make-sure".to_owned()),
        _ if is_any(verb, "make") && has(CONFIGURABLE) => {
            (Adaptive, "feature", 8, "lead.make-configurable".to_owned())
        }
        _ if is_any(verb, "make") && has("work compile robust") => {
            (Corrective, "fix", 6, "lead.make-work".to_owned())
        }
        _ if brings && has("workaround fix guard safeguard") => {
            (Corrective, "fix", 9, format!("lead.{}-fix", sense.word))
        }
        _ if brings && has("missing") => (Corrective, "fix", 6, format!("lead.{}-missing", sense.word)),
        (Perfective, _) if is_any(verb, "remove reduce eliminate") && symptom(rest) => {
            (Corrective, "fix", 7, format!("lead.{}-symptom", sense.word))
        }
        _ if is_any(verb, "avoid") && has(WASTE) => (Perfective, "perf", 9, "lead.avoid-waste".to_owned()),
        _ => plain,
    }
}

/// Whether one of some words, written in base forms, has this stem.
fn is_any(one: &str, words: &str) -> bool {
    // A stem begins as its word does, and most words are told apart by that.
    let first = one.as_bytes().first();
    words.split(' ').any(|word| word.as_bytes().first() == first && stem(word) == one)
}

fn symptom(rest: &[Token]) -> bool {
    rest.iter().take(4).any(|token| !token.code && is_any(&token.stem, SYMPTOMS))
}

/// Lets each known word vote once.
fn anywhere(tokens: &[Token], share: i32, place: &str, ballot: &mut Ballot) {
    let mut seen: Vec<&str> = Vec::new();
    for token in tokens {
        let sense = if token.code { identifier(&token.raw) } else { WORDS.get(&token.stem).copied() };
        let Some(sense) = sense else { continue };
        if !seen.contains(&sense.word) {
            seen.push(sense.word);
            vote(ballot, sense.kind, sense.category, sense.weight * share, format!("{place}.{}", sense.word));
        }
    }
}

/// What the name of a class says.
fn identifier(name: &str) -> Option<Sense> {
    if is_test_name(name) {
        return Some(Sense { word: "test-name", kind: Perfective, category: "test", weight: 3 });
    }
    let fault = name.ends_with("Exception") || name.ends_with("Error");
    fault.then_some(Sense { word: "exception-name", kind: Corrective, category: "fix", weight: 4 })
}

fn is_test_name(name: &str) -> bool {
    let after =
        |prefix: &str| name.strip_prefix(prefix).is_some_and(|rest| rest.starts_with(char::is_uppercase));
    name.ends_with("Test")
        || name.ends_with("Tests")
        || name.ends_with("TestCase")
        || name.ends_with("IT")
        || after("Test")
        || name.starts_with("test_")
        || after("test")
}

fn phrases(tokens: &[Token], share: i32, ballot: &mut Ballot) {
    let mut text = String::from(" ");
    for token in tokens.iter().filter(|token| !token.code) {
        text.push_str(&token.raw.to_lowercase().replace(['\'', '’'], " "));
        text.push(' ');
    }
    let mut found = [false; PHRASES.len()];
    for one in STARTS.find_overlapping_iter(&text) {
        found[one.pattern().as_usize()] = true;
    }
    for ((phrase, kind, category, weight), _) in PHRASES.iter().zip(found).filter(|(_, found)| *found) {
        vote(ballot, *kind, category, weight * share, format!("phrase.{}", phrase.replace(' ', "-")));
    }
}

/// All phrases, each where a word begins.
static STARTS: LazyLock<AhoCorasick> = LazyLock::new(|| {
    let phrases = PHRASES.iter().map(|(phrase, ..)| format!(" {phrase}"));
    AhoCorasick::new(phrases).expect("they are few and short")
});

/// What the files say where the words leave it open.
fn by_files(files: FileEvidence, led: bool, ballot: &mut Ballot) {
    let FileEvidence { tests, docs, source, other, added_source } = files;
    let code = source > 0;
    if tests > 0 && !code && docs == 0 && other == 0 {
        vote(ballot, Perfective, "test", 7 * WHOLE, "files.tests".to_owned());
    } else if docs > 0 && !code && tests == 0 && other == 0 {
        vote(ballot, Perfective, "docs", 9 * WHOLE, "files.docs".to_owned());
    } else if other > 0 && !code && tests == 0 {
        vote(ballot, Perfective, "chore", 4 * WHOLE, "files.other".to_owned());
    } else if code && source == added_source && !led {
        vote(ballot, Adaptive, "feature", 5 * WHOLE, "files.new-source".to_owned());
    }
}
