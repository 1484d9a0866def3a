//! As much of JSON Schema as the schemas of gitfleet use.

use serde_json::Value;

/// Asserts that `value` is as `schema` says, in which references are to parts of `root`.
#[track_caller]
pub(crate) fn assert_valid(root: &Value, schema: &Value, value: &Value) {
    if let Err(wrong) = valid(root, schema, value, "") {
        panic!("{wrong}");
    }
}

fn valid(root: &Value, schema: &Value, value: &Value, at: &str) -> Result<(), String> {
    if let Some(reference) = schema.get("$ref") {
        let pointer = reference.as_str().unwrap().strip_prefix('#').unwrap();
        return valid(root, root.pointer(pointer).unwrap(), value, at);
    }
    if let Some(any) = schema.get("anyOf").or_else(|| schema.get("oneOf")) {
        let tried: Vec<_> = any.as_array().unwrap().iter().map(|one| valid(root, one, value, at)).collect();
        return if tried.iter().any(Result::is_ok) { Ok(()) } else { Err(format!("{tried:?}")) };
    }
    let expected = match &schema["type"] {
        Value::Array(kinds) => kinds.contains(&kind(value).into()),
        Value::Null => true,
        one => *one == kind(value),
    };
    let listed = schema.get("enum").is_none_or(|values| values.as_array().unwrap().contains(value));
    let constant = schema.get("const").is_none_or(|constant| constant == value);
    let enough =
        schema.get("minimum").is_none_or(|least| value.is_null() || value.as_i64() >= least.as_i64());
    if !(expected && listed && constant && enough) {
        return Err(format!("{at} is {value}, which is not as {schema} says"));
    }
    if let Value::Object(fields) = value {
        let required = schema["required"].as_array();
        for name in required.into_iter().flatten() {
            fields.get(name.as_str().unwrap()).ok_or_else(|| format!("{at} has no {name}"))?;
        }
        for (name, field) in fields {
            let told = schema.get("properties").and_then(|told| told.get(name));
            let told = told.or_else(|| schema.get("additionalProperties"));
            valid(
                root,
                told.ok_or_else(|| format!("{at}.{name} is not told of"))?,
                field,
                &format!("{at}.{name}"),
            )?;
        }
    }
    for (index, item) in value.as_array().into_iter().flatten().enumerate() {
        valid(root, &schema["items"], item, &format!("{at}[{index}]"))?;
    }
    Ok(())
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
