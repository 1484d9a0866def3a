//! A value of the kind its key asks for. Text becomes a datum in one place, whether it came from the file, from the
//! environment or from a flag, so the three accept the same words.

use std::path::PathBuf;

use chrono_tz::Tz;
use secrecy::{ExposeSecret, SecretString};

use super::key::Kind;
use super::nearest::nearest;

#[derive(Debug, Clone)]
pub(super) enum Datum {
    Text(String),
    /// From a flag, where a path may be no text at all.
    Path(PathBuf),
    Secret(SecretString),
    Integer(u64),
    Switch(bool),
    Zone(Tz),
    Many(Vec<String>),
    /// A list or mapping of the user's own words.
    Tree(serde_json::Value),
}

impl Kind {
    /// Reads one value; `None` if it is not of this kind.
    pub(super) fn read(&self, text: &str) -> Option<Datum> {
        match *self {
            Self::Text | Self::Path => Some(Datum::Text(text.to_owned())),
            Self::Secret => Some(Datum::Secret(SecretString::from(text))),
            Self::Integer(least, most) => {
                let number = text.trim().replace('_', "").parse().ok()?;
                (least..=most).contains(&number).then_some(Datum::Integer(number))
            }
            Self::Switch => match text.trim().to_ascii_lowercase().as_str() {
                "true" | "yes" | "on" | "1" => Some(Datum::Switch(true)),
                "false" | "no" | "off" | "0" => Some(Datum::Switch(false)),
                _ => None,
            },
            Self::Zone => text.trim().parse().ok().map(Datum::Zone),
            Self::Choice(words) => words.contains(&text).then(|| Datum::Text(text.to_owned())),
            Self::Texts => Some(Datum::Many(split(text))),
            Self::Choices(words) => {
                let chosen = split(text);
                chosen.iter().all(|word| words.contains(&word.as_str())).then_some(Datum::Many(chosen))
            }
            Self::Section(_) | Self::Sections(_) | Self::Map | Self::Any | Self::Number => {
                unreachable!("no setting of this kind is one value")
            }
        }
    }

    /// Whether a default is a value of this kind, and not a remark in words.
    pub(super) fn reads_as_value(&self, default: &str) -> bool {
        match self {
            Self::Integer(..) | Self::Switch | Self::Zone | Self::Choice(_) | Self::Choices(_) => {
                self.read(default).is_some()
            }
            Self::Text => default.contains("://"),
            _ => false,
        }
    }

    /// Says what is expected, to follow the words "this is not".
    pub(super) fn expects(&self) -> String {
        match self {
            Self::Section(_) | Self::Map => "a mapping of keys to values".to_owned(),
            Self::Sections(_) => "a list of mappings".to_owned(),
            Self::Any => "anything".to_owned(),
            Self::Text => "a text".to_owned(),
            Self::Path => "a path".to_owned(),
            Self::Secret => "a secret".to_owned(),
            Self::Integer(least, most) => format!("a whole number from {least} to {most}"),
            Self::Number => "a number".to_owned(),
            Self::Switch => "true or false".to_owned(),
            Self::Zone => "a time zone of the IANA list, as Europe/Berlin".to_owned(),
            Self::Texts => "a list of texts".to_owned(),
            Self::Choice(words) => format!("one of {}", words.join(", ")),
            Self::Choices(words) => format!("some of {}", words.join(", ")),
        }
    }

    /// Finds the value that was perhaps meant.
    pub(super) fn nearest(&self, text: &str) -> Option<&'static str> {
        match self {
            Self::Zone => nearest(text.trim(), chrono_tz::TZ_VARIANTS.iter().map(|zone| zone.name())),
            Self::Choice(words) => nearest(text, words.iter().copied()),
            Self::Choices(words) => {
                let wrong = split(text).into_iter().find(|word| !words.contains(&word.as_str()))?;
                nearest(&wrong, words.iter().copied())
            }
            _ => None,
        }
    }
}

fn split(text: &str) -> Vec<String> {
    text.split(',').map(str::trim).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

impl Datum {
    pub(super) fn same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Text(a), Self::Text(b)) => a == b,
            (Self::Path(a), Self::Path(b)) => a == b,
            (Self::Secret(a), Self::Secret(b)) => a.expose_secret() == b.expose_secret(),
            (Self::Integer(a), Self::Integer(b)) => a == b,
            (Self::Switch(a), Self::Switch(b)) => a == b,
            (Self::Zone(a), Self::Zone(b)) => a == b,
            (Self::Many(a), Self::Many(b)) => a == b,
            (Self::Tree(a), Self::Tree(b)) => a == b,
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(kind: Kind, text: &str, expect: &str) {
        let got = kind.read(text).map_or("-".to_owned(), |datum| format!("{datum:?}"));
        assert_eq!(got, expect, "{text}");
    }

    #[test]
    fn reads_what_people_write() {
        check(Kind::Integer(1, 100), "7", "Integer(7)");
        check(Kind::Integer(1, 1000), " 1_000 ", "Integer(1000)");
        check(Kind::Integer(1, 100), "0", "-");
        check(Kind::Integer(1, 100), "101", "-");
        check(Kind::Integer(1, 100), "-3", "-");
        check(Kind::Integer(1, 100), "3.0", "-");
        check(Kind::Integer(0, u64::MAX), "99999999999999999999999", "-");
        check(Kind::Switch, "True", "Switch(true)");
        check(Kind::Switch, "off", "Switch(false)");
        check(Kind::Switch, "maybe", "-");
        check(Kind::Zone, "Europe/Berlin", "Zone(Europe/Berlin)");
        check(Kind::Zone, "Berlin", "-");
        check(Kind::Choice(&["a", "b"]), "b", "Text(\"b\")");
        check(Kind::Choice(&["a", "b"]), "c", "-");
        check(Kind::Choices(&["a", "b"]), " a ,b,", "Many([\"a\", \"b\"])");
        check(Kind::Choices(&["a", "b"]), "a,c", "-");
    }

    #[test]
    fn a_secret_is_not_shown() {
        assert!(!format!("{:?}", Kind::Secret.read("hunter2")).contains("hunter2"));
    }
}
