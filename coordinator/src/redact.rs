//! What is kept beside facts (what jobs came to, terms of a batch, reports), made to name nobody who was erased.

use std::borrow::Cow;

use gitfleet_shared::codec;
use gitfleet_shared::contract::{
    Answer, Failure, Heartbeat, Job, Outcome, SliceResult, SurveyResult, WorkResult,
};
use gitfleet_shared::people::Link;
use gitfleet_shared::people::erasure::Suppression;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::report::json;
use crate::report::model::Report;
use crate::store::{Effect, PeopleLink, Plan, Recording};

/// Fields that say who somebody is, and by which others of the same object are known to be theirs.
const WHO: [&str; 4] = ["email", "primary_email", "canonical_email", "person"];
/// Fields and lists whose values are people.
const PEOPLE: [&str; 8] = ["person", "owner", "author", "developer", "login", "detail", "aliases", "members"];
/// Fields that say more of whoever a mapping names.
const ACCOUNTS: [&str; 2] = ["login", "github_username"];

/// Makes all texts in `value` name the pseudonyms; returns whether any of them named somebody.
pub(crate) fn value(erased: &Suppression, value: &mut Value) -> bool {
    !erased.is_empty() && within(erased, value, None)
}

fn within(erased: &Suppression, value: &mut Value, field: Option<&str>) -> bool {
    match value {
        Value::String(text) => match said(erased, text, field) {
            Some(instead) => {
                *text = instead;
                true
            }
            None => false,
        },
        Value::Array(list) => list.iter_mut().fold(false, |any, one| within(erased, one, field) | any),
        Value::Object(map) => object(erased, map),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

/// Returns what a text is to say instead.
fn said(erased: &Suppression, text: &str, field: Option<&str>) -> Option<String> {
    if field == Some("mailmap") {
        return match erased.mailmap(text.as_bytes()) {
            Cow::Borrowed(_) => None,
            Cow::Owned(rest) => Some(String::from_utf8_lossy(&rest).into_owned()),
        };
    }
    if field.is_some_and(|field| PEOPLE.contains(&field))
        && !erased.names(text.as_bytes())
        && let Some(who) = erased.whole(text)
    {
        return Some(who.name.clone());
    }
    match erased.redact_text(text) {
        Cow::Borrowed(_) => None,
        Cow::Owned(redacted) => Some(redacted),
    }
}

fn object(erased: &Suppression, map: &mut Map<String, Value>) -> bool {
    let text = |field: &str| map.get(field).and_then(Value::as_str);
    let who = WHO.iter().find_map(|field| erased.whole(text(field)?)).cloned();
    let mut changed = false;
    if let Some(who) = who {
        if let Some(name @ Value::String(_)) = map.get_mut("name") {
            *name = Value::String(who.name);
            changed = true;
        }
        if let Some(Value::Array(aliases)) = map.get_mut("aliases") {
            changed |= !aliases.is_empty();
            aliases.clear();
        }
        for field in ACCOUNTS {
            if let Some(account @ Value::String(_)) = map.get_mut(field) {
                *account = Value::Null;
                changed = true;
            }
        }
    }
    // People may be what a map is by.
    let named: Vec<String> = map.keys().filter(|field| erased.names(field.as_bytes())).cloned().collect();
    for field in named {
        if let Some(one) = map.remove(&field) {
            map.insert(erased.redact_text(&field).into_owned(), one);
            changed = true;
        }
    }
    map.iter_mut().fold(changed, |any, (field, one)| within(erased, one, Some(field)) | any)
}

/// Returns how many rows of `value` name somebody: objects, each by the texts that are its own.
pub(crate) fn rows(erased: &Suppression, value: &Value) -> u64 {
    match value {
        Value::Array(list) => list.iter().map(|one| rows(erased, one)).sum(),
        Value::Object(map) => {
            let own = map.iter().any(|(field, one)| {
                let text = one.as_str();
                text.is_some_and(|text| said(erased, text, Some(field)).is_some())
            });
            u64::from(own) + map.values().map(|one| rows(erased, one)).sum::<u64>()
        }
        _ => 0,
    }
}

/// Returns `document`, which is JSON, without naming anybody; `None` where it names nobody, or is no JSON and names nobody.
pub(crate) fn document(erased: &Suppression, document: &str) -> Option<String> {
    if erased.is_empty() {
        return None;
    }
    match serde_json::from_str::<Value>(document) {
        Ok(mut found) => value(erased, &mut found).then(|| found.to_string()),
        Err(_) => said(erased, document, None),
    }
}

/// As [`document`], of a configuration as it is shown, which is only kept to be looked at: any word of it may be a login.
pub(crate) fn settings(erased: &Suppression, settings: &str) -> Option<String> {
    if erased.is_empty() {
        return None;
    }
    let redacted = document(erased, settings);
    let words = erased.redact_words(redacted.as_deref().unwrap_or(settings));
    (words != settings).then(|| words.into_owned())
}

/// As [`document`], of a report, which keeps the form it is written in.
pub(crate) fn report(erased: &Suppression, report: &str) -> Option<String> {
    let redacted = document(erased, report)?;
    Some(serde_json::from_str::<Report>(&redacted).map_or(redacted, |report| json::render(&report)))
}

/// Returns something of ours without naming anybody.
pub(crate) fn ours<'o, T: Clone + Serialize + DeserializeOwned>(
    erased: &Suppression,
    ours: &'o T,
) -> Cow<'o, T> {
    if erased.is_empty() {
        return Cow::Borrowed(ours);
    }
    let redacted = serde_json::to_value(ours).ok().and_then(|mut found| {
        value(erased, &mut found).then(|| serde_json::from_value(found).ok()).flatten()
    });
    redacted.map_or(Cow::Borrowed(ours), Cow::Owned)
}

/// Returns those decisions that are about nobody who was erased, without naming anybody.
pub(crate) fn link(erased: &Suppression, link: &PeopleLink) -> Option<PeopleLink> {
    let about = |text: &str| erased.names(text.as_bytes());
    if about(&link.a) || about(&link.b) {
        return None;
    }
    let text = |text: &str| erased.redact_text(text).into_owned();
    Some(PeopleLink { by: text(&link.by), reason: text(&link.reason), ..link.clone() })
}

/// Whether bytes that nobody could use name somebody, or may do so: what is of ours and cannot be read may hold anything.
pub(crate) fn holds(erased: &Suppression, body: &[u8]) -> bool {
    if erased.is_empty() {
        return false;
    }
    if !codec::is_frame(body) {
        return erased.names(body);
    }
    match Answer::decode(body) {
        Ok(Answer::Outcome(outcome)) => outcome_holds(erased, &outcome),
        Ok(Answer::HandedBack(_)) => false,
        Err(_) => Job::decode(body).is_err() && Heartbeat::decode(body).is_err(),
    }
}

fn outcome_holds(erased: &Suppression, outcome: &Outcome) -> bool {
    match &outcome.result {
        Err(failure) => erased.names(failure.message.as_bytes()),
        Ok(WorkResult::Slice(slice)) => slice.facts.iter().any(|facts| erased.facts(&mut facts.clone())),
        Ok(WorkResult::Survey(SurveyResult::Changed(changed))) => {
            changed.snapshot.mailmap.as_deref().is_some_and(|content| erased.names(content))
        }
        Ok(WorkResult::Survey(SurveyResult::Unchanged) | WorkResult::Tip(_)) => false,
    }
}

/// What a job came to, where that named somebody.
pub(crate) enum Redacted {
    /// It named nobody.
    AsItWas,
    Slice(SliceResult),
    Plan(Box<Plan>),
    Failure(Outcome, Failure),
}

impl Redacted {
    pub(crate) fn of(erased: &Suppression, recording: &Recording<'_>) -> Self {
        match &recording.effect {
            Effect::Slice(slice, _) => {
                let mut slice = (*slice).clone();
                let named = slice.facts.iter_mut().fold(false, |any, facts| erased.facts(facts) | any);
                if named { Self::Slice(slice) } else { Self::AsItWas }
            }
            Effect::Plan(plan) => {
                let mailmap = plan.changed.snapshot.mailmap.as_deref().map(|content| erased.mailmap(content));
                let Some(Cow::Owned(mailmap)) = mailmap else { return Self::AsItWas };
                let mut plan = plan.clone();
                plan.changed.snapshot.mailmap = Some(mailmap);
                Self::Plan(plan)
            }
            Effect::Failure(failure) => Self::failure(erased, recording.outcome, failure),
            Effect::Nothing
            | Effect::Unchanged(_)
            | Effect::SurveyAgain(_)
            | Effect::DryRun { .. }
            | Effect::Tip(_) => match &recording.outcome.result {
                // What came too late is noted with its attempt.
                Err(failure) => Self::failure(erased, recording.outcome, failure),
                Ok(_) => Self::AsItWas,
            },
        }
    }

    fn failure(erased: &Suppression, outcome: &Outcome, failure: &Failure) -> Self {
        let Cow::Owned(message) = erased.redact_text(&failure.message) else { return Self::AsItWas };
        let failure = Failure { message, ..failure.clone() };
        let result = outcome.result.as_ref().map_err(|_| failure.clone()).cloned();
        Self::Failure(Outcome { result, ..outcome.clone() }, failure)
    }

    pub(crate) fn named_somebody(&self) -> bool {
        !matches!(self, Self::AsItWas)
    }

    /// Returns what is to be recorded in the place of `recording`.
    pub(crate) fn instead<'r>(&'r self, recording: &Recording<'r>) -> Recording<'r> {
        let Recording { outcome, effect } = recording;
        match (self, effect) {
            (Self::Slice(slice), Effect::Slice(_, rest)) => {
                Recording { outcome, effect: Effect::Slice(slice, rest.clone()) }
            }
            (Self::Plan(plan), _) => Recording { outcome, effect: Effect::Plan(plan.clone()) },
            (Self::Failure(outcome, failure), Effect::Failure(_)) => {
                Recording { outcome, effect: Effect::Failure(failure) }
            }
            (Self::Failure(outcome, _), effect) => Recording { outcome, effect: effect.clone() },
            _ => recording.clone(),
        }
    }
}

/// Returns decisions in the words of the directory, but for those about somebody who was erased.
pub(crate) fn links(erased: &Suppression, links: &[PeopleLink]) -> Vec<Link> {
    let kept = links.iter().filter_map(|one| link(erased, one));
    kept.map(|one| crate::aggregate::who::link(&one)).collect()
}

#[cfg(test)]
mod tests {
    use gitfleet_shared::contract::FailureClass;
    use gitfleet_shared::ids::{BatchId, JobId};
    use gitfleet_shared::people::erasure::{Erased, Key};
    use serde_json::json;

    use super::*;

    fn erased() -> Suppression {
        let key = Key::new(b"a secret of some length").unwrap();
        let marks =
            vec![key.email("ann@x.org"), key.name("Ann Doe"), key.alone("anna"), key.name("0123abcd")];
        Suppression::new(key, &[Erased { digits: "aa1a1a".into(), marks }])
    }

    fn check(before: Value, expect: &Value) {
        let mut after = before.clone();
        assert_eq!(value(&erased(), &mut after), before != *expect, "{before}");
        assert_eq!(after, *expect);
        assert!(!value(&erased(), &mut after), "again: {before}");
        assert!(!value(&Suppression::default(), &mut before.clone()));
    }

    #[test]
    fn texts_rows_and_mappings_name_the_pseudonym() {
        let (name, email) = ("Erased person AA1A1A", "aa1a1a@erased.invalid");
        check(json!(["by Ann Doe", 3, null]), &json!([format!("by {name}"), 3, null]));
        check(json!({"name": "anna", "email": "ann@x.org"}), &json!({"name": name, "email": email}));
        check(json!({"name": "anna", "source": "anna"}), &json!({"name": "anna", "source": "anna"}));
        check(json!({"owner": "anna", "path": "anna"}), &json!({"owner": name, "path": "anna"}));
        check(
            json!({"name": "A", "primary_email": "ann@x.org", "aliases": ["q"], "login": "anna"}),
            &json!({"name": name, "primary_email": email, "aliases": [], "login": null}),
        );
        check(json!({"mailmap": "Bob <b@y>\nAnn <ann@x.org>\n"}), &json!({"mailmap": "Bob <b@y>\n"}));
        let instead = gitfleet_shared::people::erasure::Pseudonym::of("aa1a1a").key;
        check(json!({"person": "0123abcd", "name": "x"}), &json!({"person": instead, "name": name}));
        check(
            json!({"members": [{"person": "anna"}, "bob"]}),
            &json!({"members": [{"person": name}, "bob"]}),
        );
    }

    #[test]
    fn what_names_nobody_is_left_alone() {
        assert_eq!(document(&erased(), "{ \"a\" : 1 }"), None);
        assert_eq!(document(&erased(), "no JSON by Bob"), None);
        assert_eq!(document(&erased(), "no JSON, Ann Doe").as_deref(), Some("no JSON, Erased person AA1A1A"));
    }

    #[test]
    fn a_letter_is_looked_into() {
        let outcome = |message: &str| {
            let failure = Failure { class: FailureClass::Internal, message: message.into() };
            let (job, batch) = (JobId::from_bytes([1; 16]), BatchId::from_bytes([2; 16]));
            Outcome { job, batch, worker: "w".into(), elapsed_millis: 1, result: Err(failure) }.encode()
        };
        let hers = outcome("at a commit of Ann Doe");
        assert!(holds(&erased(), b"to ann@x.org"));
        assert!(holds(&erased(), &hers));
        assert!(!holds(&erased(), &outcome("at a commit of Bob")) && !holds(&erased(), b"{}"));
        assert!(holds(&erased(), &hers[..hers.len() - 1]), "what cannot be opened may hold anything");
        assert!(holds(&erased(), &codec::encode(codec::Kind::Outcome, 1, &"another version")));
        assert!(!holds(&Suppression::default(), &hers));
    }
}
