//! The variables a value may refer to, and the references themselves: `${NAME}`, `$NAME`, `${NAME:-default}`,
//! `${NAME:?message}`, and `$$` for a dollar. The process environment beats `.env`, so that an operator can override
//! a file that came with a checkout.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::dotenv::{self, DotEnv};
use super::origin::{Origin, Supplier, Used};

/// Defaults may hold references, and those defaults again; nobody means more levels than this.
const DEEPEST: usize = 8;

pub(super) struct Variables<'a> {
    pub(super) environment: &'a BTreeMap<String, String>,
    pub(super) dotenv: DotEnv,
    /// How the `.env` file is called in messages.
    pub(super) dotenv_name: Arc<str>,
}

pub(super) struct Expanded {
    pub(super) text: String,
    pub(super) used: Vec<Used>,
}

/// A reference that cannot be followed: what is wrong and what to do about it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Broken {
    pub(super) wrong: String,
    pub(super) hint: String,
}

impl Variables<'_> {
    pub(super) fn get(&self, name: &str) -> Option<(&str, Supplier)> {
        if let Some(value) = self.environment.get(name) {
            return Some((value, Supplier::Environment));
        }
        self.dotenv.values.get(name).map(|line| (line.value.as_str(), Supplier::DotEnv))
    }

    /// Returns one of gitfleet's own variables, with its origin. An empty one counts as unset, as in a shell script
    /// that passes on what it may not have.
    pub(super) fn own(&self, name: &str) -> Option<(&str, Origin)> {
        let (value, supplier) = self.get(name).filter(|(value, _)| !value.is_empty())?;
        let name = name.to_owned();
        let origin = match supplier {
            Supplier::DotEnv => {
                let line = self.dotenv.values.get(&name).map_or(0, |line| line.line);
                Origin::DotEnv { file: Arc::clone(&self.dotenv_name), line, name }
            }
            Supplier::Environment | Supplier::Fallback => Origin::Environment(name),
        };
        Some((value, origin))
    }

    /// Lists the names of all variables that begin with `prefix`.
    pub(super) fn names(&self, prefix: &str) -> Vec<&str> {
        let all = self.environment.keys().chain(self.dotenv.values.keys());
        let mut names: Vec<&str> = all.map(String::as_str).filter(|name| name.starts_with(prefix)).collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// Replaces every reference in `text`.
    pub(super) fn expand(&self, text: &str) -> Result<Expanded, Broken> {
        let mut used = Vec::new();
        let text = self.replace(text, &mut used, 0)?;
        Ok(Expanded { text, used })
    }

    fn replace(&self, text: &str, used: &mut Vec<Used>, depth: usize) -> Result<String, Broken> {
        if depth > DEEPEST {
            return Err(broken("the defaults of variables are nested too deep", "use fewer"));
        }
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(dollar) = rest.find('$') {
            out.push_str(&rest[..dollar]);
            rest = &rest[dollar + 1..];
            if let Some(after) = rest.strip_prefix('$') {
                out.push('$');
                rest = after;
            } else if let Some(braced) = rest.strip_prefix('{') {
                let end = closing_brace(braced).ok_or_else(|| {
                    broken("a `${` without its `}`", "close it, or write `$$` for a dollar")
                })?;
                out.push_str(&self.look_up(&braced[..end], used, depth)?);
                rest = &braced[end + 1..];
            } else {
                let length = name_length(rest);
                let name = &rest[..length];
                // A dollar that names nothing is a dollar: patterns end with one.
                let value = if length == 0 { "$".to_owned() } else { self.look_up(name, used, depth)? };
                out.push_str(&value);
                rest = &rest[length..];
            }
        }
        out.push_str(rest);
        Ok(out)
    }

    /// Follows the inside of `${…}`.
    fn look_up(&self, reference: &str, used: &mut Vec<Used>, depth: usize) -> Result<String, Broken> {
        let (name, rule) = reference.split_at(name_length(reference));
        let fallback = rule.strip_prefix(":-");
        let message = rule.strip_prefix(":?");
        if name.is_empty() || !(rule.is_empty() || fallback.is_some() || message.is_some()) {
            let hint = "write `${NAME}`, `${NAME:-default}` or `${NAME:?message}`, and `$$` for a dollar";
            return Err(broken("a `${…}` that names no variable", hint));
        }
        // Only a plain reference may be to something empty; a rule treats empty as unset, as a shell does.
        let found = self.get(name).filter(|(value, _)| rule.is_empty() || !value.is_empty());
        if let Some((value, supplier)) = found {
            used.push(Used { name: name.to_owned(), supplier });
            return Ok(value.to_owned());
        }
        match (fallback, message) {
            (Some(fallback), _) => {
                used.push(Used { name: name.to_owned(), supplier: Supplier::Fallback });
                self.replace(fallback, used, depth + 1)
            }
            (None, Some(message)) if !message.trim().is_empty() => {
                Err(broken(&format!("{name} is not set: {message}"), &set_it(name)))
            }
            _ => Err(broken(&format!("{name} is not set"), &set_it(name))),
        }
    }
}

fn set_it(name: &str) -> String {
    format!("set it in the environment or in .env beside this file, or give a default: ${{{name}:-value}}")
}

fn broken(wrong: &str, hint: &str) -> Broken {
    Broken { wrong: wrong.to_owned(), hint: hint.to_owned() }
}

fn name_length(text: &str) -> usize {
    let length = text.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(text.len());
    if dotenv::is_name(&text[..length]) { length } else { 0 }
}

/// Finds the brace that closes the reference, past those of references in its default.
fn closing_brace(text: &str) -> Option<usize> {
    let mut open = 0_usize;
    let mut previous = ' ';
    for (index, c) in text.char_indices() {
        match c {
            '{' if previous == '$' => open += 1,
            '}' if open == 0 => return Some(index),
            '}' => open -= 1,
            _ => {}
        }
        previous = c;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expect: Result<&str, &str>) {
        let environment = [("HOME", "/home/ann"), ("EMPTY", ""), ("BOTH", "real")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into();
        let dotenv = dotenv::parse("BOTH=file\nONLY=dotenv\nNESTED=${HOME}\n");
        let variables = Variables { environment: &environment, dotenv, dotenv_name: ".env".into() };
        let got = variables.expand(text).map(|expanded| expanded.text).map_err(|broken| broken.wrong);
        assert_eq!(got, expect.map(str::to_owned).map_err(str::to_owned), "{text}");
    }

    #[test]
    fn replaces_references() {
        check("", Ok(""));
        check("plain", Ok("plain"));
        check("${HOME}/x", Ok("/home/ann/x"));
        check("$HOME/x", Ok("/home/ann/x"));
        check("a${ONLY}b${ONLY}", Ok("adotenvbdotenv"));
        check("${BOTH}", Ok("real"));
        check("${EMPTY}", Ok(""));
        check("${EMPTY:-d}", Ok("d"));
        check("${NONE:-}", Ok(""));
        check("${NONE:-a:-b}", Ok("a:-b"));
        check("${NONE:-${ALSO_NONE:-${HOME}}}!", Ok("/home/ann!"));
        check("${HOME:?needed}", Ok("/home/ann"));
        check("$$HOME $${HOME} $$$$", Ok("$HOME ${HOME} $$"));
        check("^main$|^x$", Ok("^main$|^x$"));
        check("$ $1 $)", Ok("$ $1 $)"));
        // What a variable holds is taken as it is: no second round.
        check("${NESTED}", Ok("${HOME}"));
    }

    #[test]
    fn names_what_cannot_be_followed() {
        check("${NONE}", Err("NONE is not set"));
        check("$NONE", Err("NONE is not set"));
        check("${NONE:?ask the platform team}", Err("NONE is not set: ask the platform team"));
        check("${NONE:?}", Err("NONE is not set"));
        check("${EMPTY:?needed}", Err("EMPTY is not set: needed"));
        check("${HOME", Err("a `${` without its `}`"));
        check("${}", Err("a `${…}` that names no variable"));
        check("${a.b}", Err("a `${…}` that names no variable"));
        check("${1}", Err("a `${…}` that names no variable"));
        check("${HOME-x}", Err("a `${…}` that names no variable"));
        check(&"${A:-".repeat(20_000), Err("a `${` without its `}`"));
        let deep = format!("{}x{}", "${A:-".repeat(20), "}".repeat(20));
        check(&deep, Err("the defaults of variables are nested too deep"));
    }
}
