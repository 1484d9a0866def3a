//! The report as JSON, the form other programs read, and its schema.

use serde_json::{Map, Value, json};

use crate::report::escape;
use crate::report::model::Report;
use crate::report::row::{Column, Kind, Table};
use crate::report::tables::Tables;

const SCHEMA: &str = include_str!("report.schema.json");

/// Returns the report as indented JSON with a trailing newline.
///
/// Characters that a terminal would obey or hide (controls, direction overrides) are written as `\u` escapes, so the
/// text can be looked at with `less` and still decodes to the exact original.
pub fn render(report: &Report) -> String {
    let json =
        serde_json::to_string_pretty(report).expect("the model has string keys and finite numbers only");
    let mut out = String::with_capacity(json.len() + 1);
    let mut copied = 0;
    for (at, c) in json.char_indices() {
        // The line breaks are the indentation's own: serde_json escapes those inside of strings.
        if matches!(c, '\n' | ' '..='~') || !escape::is_hidden(c) {
            continue;
        }
        out.push_str(&json[copied..at]);
        for unit in c.encode_utf16(&mut [0; 2]) {
            out.push_str(&format!("\\u{unit:04x}"));
        }
        copied = at + c.len_utf8();
    }
    out.push_str(&json[copied..]);
    out.push('\n');
    out
}

/// Returns the JSON Schema (2020-12) of what [`render`] writes.
///
/// It asks for every field of today and forbids none of tomorrow, as the version of the shape does not count new ones.
pub fn schema() -> serde_json::Value {
    let mut schema: Value =
        serde_json::from_str(SCHEMA).expect("a test reads the schema that is compiled in");
    let tables = Tables::default().all();
    let names: Vec<&str> = tables.iter().map(|table| table.name).collect();
    let properties: Map<String, Value> =
        tables.iter().map(|table| (table.name.to_owned(), table_schema(table))).collect();
    schema["$defs"]["tables"] = json!({
        "type": "object",
        "description": "Tables of work, flow, risk, community and people.",
        "required": names,
        "properties": properties,
    });
    schema
}

fn table_schema(table: &Table) -> Value {
    let names: Vec<&str> = table.columns.iter().map(|column| column.name).collect();
    let fields: Map<String, Value> =
        table.columns.iter().map(|column| (column.name.to_owned(), column_schema(column))).collect();
    let items = json!({ "type": "object", "required": names, "properties": fields });
    json!({ "type": "array", "description": table.about.trim(), "items": items })
}

fn column_schema(column: &Column) -> Value {
    let kind = match column.kind {
        Kind::Text => "string",
        Kind::Count | Kind::Signed => "integer",
        Kind::Ratio => "number",
        Kind::Flag => "boolean",
    };
    let kind = if column.may_be_null { json!([kind, "null"]) } else { json!(kind) };
    let mut schema = json!({ "type": kind, "description": column.about.trim() });
    if column.kind == Kind::Count {
        schema["minimum"] = json!(0);
    }
    schema
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::report::{model, sample};

    #[test]
    fn what_is_written_reads_back_the_same() {
        for report in [sample::rich(), sample::empty(), sample::large(30, 4, 3)] {
            let json = render(&report);
            assert!(json.ends_with("}\n"));
            assert_eq!(serde_json::from_str::<Report>(&json).unwrap(), report);
            assert_eq!(json, render(&report));
        }
    }

    #[test]
    fn hidden_characters_are_escaped() {
        let json = render(&sample::rich());
        assert!(json.contains("\\u202e"));
        assert!(json.contains("\\udb40\\udc41"));
        assert_eq!(json.chars().find(|c| *c != '\n' && escape::is_hidden(*c)), None);
    }

    #[test]
    fn the_schema_is_in_step_with_the_model() {
        let mut schema = schema();
        assert_eq!(schema["properties"]["schema_version"]["const"], model::SCHEMA_VERSION);
        // The tables are read off their columns; see the test of those.
        schema["$defs"]["tables"] = json!({ "type": "object", "properties": {}, "required": [] });
        let mut seen = BTreeSet::new();
        for report in [sample::rich(), sample::empty()] {
            let mut value: Value = serde_json::from_str(&render(&report)).unwrap();
            value["tables"] = json!({});
            conform(&schema, &schema, &value, "report", &mut seen);
        }
        let mut told = BTreeSet::new();
        tell(&schema, &schema, "report", &mut told);
        assert_eq!(seen, told, "left: met in the samples, right: told by the schema");
    }

    #[test]
    fn tables_have_the_columns_that_their_rows_write() {
        let tables = sample::tables();
        let written = serde_json::to_value(&tables).unwrap();
        let schema = &schema()["$defs"]["tables"];
        for table in tables.all() {
            let row = &written[table.name][0];
            assert!(!table.about.is_empty() && table.columns.iter().all(|column| !column.about.is_empty()));
            conform(
                schema,
                &schema["properties"][table.name]["items"],
                row,
                table.name,
                &mut BTreeSet::new(),
            );
        }
    }

    /// Checks a value against the words this schema uses, and notes each field with the kind of value it had.
    fn conform(root: &Value, schema: &Value, value: &Value, at: &str, seen: &mut BTreeSet<String>) {
        let schema = resolve(root, schema, value);
        let kinds = kinds(schema);
        let kind = kind(value);
        assert!(kinds.contains(&kind), "{at} is {kind}, the schema says {kinds:?}");
        seen.insert(format!("{at}: {kind}"));
        if let Some(allowed) = schema.get("enum") {
            assert!(allowed.as_array().unwrap().contains(value), "{at} is {value}");
        }
        if kind == "integer" && schema["minimum"] == 0 {
            assert!(value.is_u64(), "{at} is {value}");
        }
        if let Value::Object(fields) = value {
            let names: BTreeSet<&str> = fields.keys().map(String::as_str).collect();
            let told: BTreeSet<&str> =
                schema["properties"].as_object().unwrap().keys().map(String::as_str).collect();
            let required: BTreeSet<&str> =
                schema["required"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
            assert_eq!(names, told, "{at}");
            assert_eq!(names, required, "{at}");
            for (name, field) in fields {
                conform(root, &schema["properties"][name], field, &format!("{at}.{name}"), seen);
            }
        }
        for item in value.as_array().into_iter().flatten() {
            conform(root, &schema["items"], item, &format!("{at}[]"), seen);
        }
    }

    /// Lists every field with every kind of value that the schema allows, in the words of [`conform`].
    fn tell(root: &Value, schema: &Value, at: &str, told: &mut BTreeSet<String>) {
        for option in options(root, schema) {
            for kind in kinds(option) {
                told.insert(format!("{at}: {kind}"));
            }
            for (name, field) in option["properties"].as_object().into_iter().flatten() {
                tell(root, field, &format!("{at}.{name}"), told);
            }
            if let Some(items) = option.get("items") {
                tell(root, items, &format!("{at}[]"), told);
            }
        }
    }

    fn resolve<'a>(root: &'a Value, schema: &'a Value, value: &Value) -> &'a Value {
        let options = options(root, schema);
        let fitting = options.iter().copied().find(|option| kinds(option).contains(&kind(value)));
        fitting.unwrap_or(options[0])
    }

    fn options<'a>(root: &'a Value, schema: &'a Value) -> Vec<&'a Value> {
        if let Some(reference) = schema.get("$ref") {
            let pointer = reference.as_str().unwrap().strip_prefix('#').unwrap();
            return vec![root.pointer(pointer).unwrap()];
        }
        match schema.get("anyOf") {
            Some(any) => any.as_array().unwrap().iter().flat_map(|one| options(root, one)).collect(),
            None => vec![schema],
        }
    }

    fn kinds(schema: &Value) -> Vec<&str> {
        match &schema["type"] {
            Value::String(one) => vec![one],
            Value::Array(many) => many.iter().map(|kind| kind.as_str().unwrap()).collect(),
            other => panic!("a schema without a type: {other}"),
        }
    }

    fn kind(value: &Value) -> &'static str {
        match value {
            Value::Null => "null",
            Value::Bool(_) => "boolean",
            Value::Number(number) if number.is_f64() => "number",
            Value::Number(_) => "integer",
            Value::String(_) => "string",
            Value::Array(_) => "array",
            Value::Object(_) => "object",
        }
    }
}
