//! `gitfleet config schema`: the table of keys as JSON Schema, by which editors complete and explain them.

use serde_json::{Map, Value, json};

use super::key::{Key, Kind, Status, join};
use super::keys;

/// Returns a JSON Schema, draft 2020-12, of the configuration file.
pub(crate) fn schema() -> Value {
    let mut schema = section("", keys::KEYS, true);
    schema.insert("$schema".to_owned(), json!("https://json-schema.org/draft/2020-12/schema"));
    schema.insert("title".to_owned(), json!("gitfleet configuration"));
    schema.insert(
        "description".to_owned(),
        json!("Any text may hold ${NAME}, ${NAME:-default} or ${NAME:?message}; $$ is a dollar."),
    );
    Value::Object(schema)
}

fn section(path: &str, keys: &'static [Key], acting: bool) -> Map<String, Value> {
    let properties: Map<String, Value> =
        keys.iter().map(|key| (key.name.to_owned(), property(&join(path, key.name), key, acting))).collect();
    let mut schema = Map::new();
    // Where nothing is acted on, a file of the original may have another form; its names are checked all the same.
    if acting {
        schema.insert("type".to_owned(), json!(["object", "null"]));
    }
    schema.insert("properties".to_owned(), Value::Object(properties));
    schema.insert("additionalProperties".to_owned(), json!(false));
    schema
}

fn property(path: &str, key: &'static Key, acting: bool) -> Value {
    let acting = acting && !matches!(key.status, Status::NotYet | Status::OnPurpose(_));
    let mut schema = match key.kind {
        Kind::Section(keys) => section(path, keys, acting),
        Kind::Sections(keys) => {
            let items = section(&format!("{path}[]"), keys, acting);
            object(json!({ "type": ["array", "null"], "items": items }))
        }
        _ if acting => value(key.kind),
        _ => Map::new(),
    };
    schema.insert("description".to_owned(), json!(description(path, key)));
    match key.status {
        Status::OnPurpose(_) => drop(schema.insert("deprecated".to_owned(), json!(true))),
        Status::Acted(reach) if key.kind.reads_as_value(reach.default) => {
            drop(schema.insert("default".to_owned(), default(key.kind, reach.default)));
        }
        _ => {}
    }
    Value::Object(schema)
}

/// Describes one key in words: what it is, what holds without it, how else it is set, and whether it has effect.
pub(super) fn description(path: &str, key: &Key) -> String {
    let mut words = key.about.to_owned();
    match key.status {
        Status::Acted(reach) => {
            for (label, value) in
                [("default", Some(reach.default)), ("flag", reach.flag), ("environment", reach.variable)]
            {
                if let Some(value) = value.filter(|value| !value.is_empty()) {
                    words.push_str(&format!("; {label}: {value}"));
                }
            }
        }
        Status::Alias(_) => {
            let placed = keys::every().iter().find(|placed| placed.path == path);
            if let Some(target) = placed.and_then(keys::target) {
                words.push_str(&format!(" of {target}"));
            }
        }
        Status::NotYet => words.push_str("; not acted on yet"),
        Status::OnPurpose(why) => words.push_str(&format!("; not acted on, on purpose: {why}")),
        Status::Mixed | Status::Inherited => {}
    }
    words
}

/// Any value may also be a text with a variable in it.
fn value(kind: Kind) -> Map<String, Value> {
    let variable = json!({ "type": "string", "pattern": "\\$" });
    let schema = match kind {
        Kind::Integer(least, most) => {
            json!({ "anyOf": [{ "type": ["integer", "null"], "minimum": least, "maximum": most }, variable] })
        }
        Kind::Switch => json!({ "anyOf": [{ "type": ["boolean", "null"] }, variable] }),
        Kind::Choice(words) => json!({ "anyOf": [{ "enum": spellings(words) }, variable] }),
        Kind::Choices(words) => {
            let word = json!({ "anyOf": [{ "enum": words }, variable] });
            json!({ "anyOf": [{ "type": "array", "items": word }, { "type": ["string", "null"] }] })
        }
        Kind::Texts => json!({ "type": ["array", "string", "null"], "items": { "type": "string" } }),
        Kind::Text | Kind::Path | Kind::Secret | Kind::Zone => json!({ "type": ["string", "null"] }),
        Kind::Section(_) | Kind::Sections(_) | Kind::Map | Kind::Any | Kind::Number => json!({}),
    };
    object(schema)
}

/// YAML takes a bare `1.0` for a number, and an editor does, too.
fn spellings(words: &[&str]) -> Vec<Value> {
    let numbers = words.iter().filter_map(|word| word.parse::<f64>().ok()).map(Value::from);
    words.iter().copied().map(Value::from).chain(numbers).collect()
}

fn default(kind: Kind, text: &str) -> Value {
    match kind {
        Kind::Integer(..) => text.parse::<u64>().map_or(Value::Null, Value::from),
        Kind::Switch => Value::from(text == "true"),
        Kind::Choices(_) => text.split(", ").collect(),
        _ => Value::from(text),
    }
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        other => unreachable!("{other} was written as an object"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_is_described_and_no_other_is_allowed() {
        let schema = schema();
        let mut counted = 0;
        count(&schema, &mut counted);
        assert_eq!(counted, keys::every().len());
        assert_eq!(schema["properties"]["analysis"]["properties"]["weeks"]["anyOf"][0]["minimum"], 1);
        assert_eq!(schema["properties"]["analysis"]["properties"]["batch_size"]["default"], 1000);
        assert_eq!(schema["properties"]["activity_scoring"]["deprecated"], true);
        let version = &schema["properties"]["version"]["anyOf"][0]["enum"];
        assert_eq!(version, &json!(["1.0", "1", 1.0, 1.0]));
    }

    fn count(schema: &Value, counted: &mut usize) {
        if schema.get("items").is_some() {
            count(&schema["items"], counted);
        }
        let Some(properties) = schema.get("properties").and_then(Value::as_object) else { return };
        assert_eq!(schema["additionalProperties"], false);
        for property in properties.values() {
            *counted += 1;
            assert!(property["description"].as_str().is_some_and(|words| !words.is_empty()));
            count(property, counted);
        }
    }
}
