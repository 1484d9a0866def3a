//! One line of the log: for eyes or as JSON, and one line whatever is in it.

use std::fmt::{self, Write as _};

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::{Event, Level};

use super::word;

#[derive(Debug, Clone, Copy)]
pub(super) struct Style {
    pub(super) json: bool,
    /// Of lines for eyes; JSON has the time always.
    pub(super) time: bool,
    pub(super) color: bool,
}

pub(super) struct Line {
    pub(super) time: DateTime<Utc>,
    pub(super) level: Level,
    target: String,
    message: String,
    fields: Map<String, Value>,
    trace_id: Option<String>,
}

impl Line {
    /// Returns what an event says, as part of a trace, if it is.
    pub(super) fn of(event: &Event<'_>, trace_id: Option<String>) -> Self {
        let mut said = Said::default();
        event.record(&mut said);
        let metadata = event.metadata();
        Self {
            time: Utc::now(),
            level: *metadata.level(),
            target: metadata.target().to_owned(),
            message: said.message,
            fields: said.fields,
            trace_id,
        }
    }

    /// Returns the line with its end.
    pub(super) fn render(&self, style: Style) -> String {
        let mut text = if style.json { self.json() } else { self.text(style) };
        text.push('\n');
        text
    }

    fn time(&self) -> String {
        self.time.to_rfc3339_opts(SecondsFormat::Micros, true)
    }

    fn json(&self) -> String {
        let mut line = Map::new();
        line.insert("time".into(), self.time().into());
        line.insert("level".into(), word(self.level).trim().into());
        line.insert("target".into(), self.target.clone().into());
        line.insert("message".into(), self.message.clone().into());
        line.insert("fields".into(), self.fields.clone().into());
        if let Some(trace_id) = &self.trace_id {
            line.insert("trace_id".into(), trace_id.clone().into());
        }
        // JSON leaves what turns the direction of text as it is; so does nothing that shows it.
        escaped_json(&Value::from(line).to_string())
    }

    fn text(&self, style: Style) -> String {
        let mut text = String::new();
        if style.time {
            text.push_str(&self.time());
            text.push(' ');
        }
        let level = word(self.level);
        match (style.color, self.level) {
            (false, _) => text.push_str(level),
            (true, Level::ERROR) => text.push_str(&format!("\u{1b}[31m{level}\u{1b}[0m")),
            (true, Level::WARN) => text.push_str(&format!("\u{1b}[33m{level}\u{1b}[0m")),
            (true, _) => text.push_str(&format!("\u{1b}[32m{level}\u{1b}[0m")),
        }
        text.push_str(&format!(" {}: ", self.target));
        escape(&self.message, &mut text);
        for (name, value) in &self.fields {
            text.push_str(&format!(" {name}="));
            match value {
                // Quoted where it has a space or could be taken for something else.
                Value::String(word) if is_plain(word) => text.push_str(word),
                Value::String(words) => {
                    text.push('"');
                    escape(&words.replace('\\', "\\\\").replace('"', "\\\""), &mut text);
                    text.push('"');
                }
                other => text.push_str(&other.to_string()),
            }
        }
        if let Some(trace_id) = &self.trace_id {
            text.push_str(&format!(" trace_id={trace_id}"));
        }
        text
    }
}

fn is_plain(word: &str) -> bool {
    !word.is_empty() && word.chars().all(|c| c.is_ascii_graphic() && !matches!(c, '"' | '=' | '\\'))
}

/// Whether a character could end a line, steer a terminal or hide what comes after it.
fn is_hostile(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{2028}' | '\u{2029}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

fn escape(text: &str, into: &mut String) {
    for c in text.chars() {
        match c {
            '\n' => into.push_str("\\n"),
            '\t' => into.push_str("\\t"),
            hostile if is_hostile(hostile) => into.extend(hostile.escape_unicode()),
            other => into.push(other),
        }
    }
}

/// Escapes what JSON allows to stand as it is; control characters it escapes itself.
fn escaped_json(json: &str) -> String {
    let mut escaped = String::with_capacity(json.len());
    for c in json.chars() {
        match is_hostile(c) {
            // All of them are of the basic plane.
            true => {
                let _ = write!(escaped, "\\u{:04x}", u32::from(c));
            }
            false => escaped.push(c),
        }
    }
    escaped
}

/// What an event says.
#[derive(Default)]
struct Said {
    message: String,
    fields: Map<String, Value>,
}

impl Said {
    fn put(&mut self, field: &Field, value: Value) {
        match (field.name(), value) {
            ("message", Value::String(text)) => self.message = text,
            (name, value) => {
                self.fields.insert(name.to_owned(), value);
            }
        }
    }
}

impl Visit for Said {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field, value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, value.into());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, value.into());
    }

    fn record_error(&mut self, field: &Field, value: &(dyn std::error::Error + 'static)) {
        let mut text = value.to_string();
        let mut cause = value.source();
        while let Some(next) = cause {
            text.push_str(": ");
            text.push_str(&next.to_string());
            cause = next.source();
        }
        self.put(field, text.into());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.put(field, format!("{value:?}").into());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(message: &str, field: &str) -> Line {
        Line {
            time: DateTime::from_timestamp(1_767_225_600, 5_000).unwrap(),
            level: Level::WARN,
            target: "gitfleet_worker::job".into(),
            message: message.into(),
            fields: [("repository".to_owned(), Value::from(field)), ("jobs".to_owned(), Value::from(3))]
                .into_iter()
                .collect(),
            trace_id: Some("4bf92f3577b34da6a3ce929d0e0e4736".into()),
        }
    }

    const PLAIN: Style = Style { json: false, time: true, color: false };

    #[test]
    fn lines_for_eyes_and_for_machines_say_the_same() {
        let line = line("a job goes back", "/srv/web ui");
        assert_eq!(
            line.render(PLAIN),
            "2026-01-01T00:00:00.000005Z  WARN gitfleet_worker::job: a job goes back jobs=3 \
             repository=\"/srv/web ui\" trace_id=4bf92f3577b34da6a3ce929d0e0e4736\n"
        );
        let json: Value = serde_json::from_str(&line.render(Style { json: true, ..PLAIN })).unwrap();
        assert_eq!(
            json,
            serde_json::json!({
                "time": "2026-01-01T00:00:00.000005Z", "level": "WARN", "target": "gitfleet_worker::job",
                "message": "a job goes back", "fields": {"jobs": 3, "repository": "/srv/web ui"},
                "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736",
            })
        );
    }

    #[test]
    fn no_text_forges_a_line_or_steers_a_terminal() {
        let hostile = "x\n2026 ERROR forged: \u{1b}[2J\r\u{9b}\u{2028}\u{202e}\u{feff}\" b=1 \\";
        for json in [false, true] {
            let text = line(hostile, hostile).render(Style { json, ..PLAIN });
            let (text, end) = text.split_at(text.len() - 1);
            assert_eq!(end, "\n");
            assert!(!text.chars().any(is_hostile), "{text:?}");
            if json {
                let read: Value = serde_json::from_str(text).unwrap();
                assert_eq!(
                    (&read["message"], &read["fields"]["repository"]),
                    (&hostile.into(), &hostile.into())
                );
            } else {
                assert!(
                    text.contains(r#"repository="x\n2026 ERROR"#) && text.contains(r#"\" b=1 \\" trace_id"#)
                );
            }
        }
    }
}
