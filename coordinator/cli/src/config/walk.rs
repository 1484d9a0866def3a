//! A walk along the file's tree and the table of keys together: what the file gives, what it gives in vain, and what
//! the table does not know. Values are read where they are acted on; of the rest only the names are checked, because
//! a file made for the original may hold anything there, variables nobody set included.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::datum::Datum;
use super::key::{self, Key, Kind, Status};
use super::keys;
use super::nearest::nearest;
use super::node::{Entry, Node, Place, Scalar, Value};
use super::origin::{Origin, Used};
use super::problem::{MOST_SHOWN, Problem, ProblemKind, one_line, quote};
use super::variables::Variables;

/// What a configuration file holds.
#[derive(Default)]
pub(super) struct Found {
    /// Values of acted keys and of their other names, by path: `repositories[2].path`.
    pub(super) given: BTreeMap<String, Given>,
    /// The places of the members of lists of mappings, by the path of the list.
    pub(super) members: BTreeMap<String, Vec<Place>>,
    /// Keys without effect, once per path with `[]` for every index, in the order of the file.
    pub(super) idle: Vec<Idle>,
}

#[derive(Debug, Clone)]
pub(super) struct Given {
    pub(super) datum: Datum,
    pub(super) origin: Origin,
}

pub(super) struct Idle {
    pub(super) path: String,
    pub(super) place: Place,
    /// Why on purpose; `None` means not yet.
    pub(super) why: Option<&'static str>,
}

pub(super) fn walk(
    root: &Node,
    file: &Arc<str>,
    variables: &Variables<'_>,
    problems: &mut Vec<Problem>,
) -> Found {
    let mut walk = Walk { file, variables, problems, found: Found::default() };
    let top = At { path: String::new(), pattern: String::new(), acting: true };
    walk.section(&top, root, keys::KEYS);
    walk.found
}

struct Walk<'a> {
    file: &'a Arc<str>,
    variables: &'a Variables<'a>,
    problems: &'a mut Vec<Problem>,
    found: Found,
}

/// Where the walk is.
struct At {
    path: String,
    /// The path with `[]` for every index, as the table has it.
    pattern: String,
    /// Whether values here matter.
    acting: bool,
}

impl Walk<'_> {
    fn section(&mut self, at: &At, node: &Node, keys: &'static [Key]) {
        if node.is_null() {
            return;
        }
        let Value::Map(entries) = &node.value else {
            self.wrong_form(at, node, &Kind::Section(keys));
            return;
        };
        for entry in entries {
            let path = key::join(&at.path, &entry.key);
            match keys.iter().find(|key| key.name == entry.key) {
                Some(key) => {
                    let pattern = key::join(&at.pattern, key.name);
                    self.known(At { path, pattern, acting: at.acting }, key, entry);
                }
                None => self.unknown(at, entry, keys),
            }
        }
    }

    fn known(&mut self, mut at: At, key: &'static Key, entry: &Entry) {
        let why = match key.status {
            Status::NotYet => Some(None),
            Status::OnPurpose(why) => Some(Some(why)),
            Status::Acted(_) | Status::Alias(_) | Status::Mixed | Status::Inherited => None,
        };
        if let Some(why) = why {
            at.acting = false;
            if self.found.idle.iter().all(|idle| idle.path != at.pattern) {
                self.found.idle.push(Idle { path: at.pattern.clone(), place: entry.place, why });
            }
        }
        match key.kind {
            Kind::Section(keys) => self.section(&at, &entry.node, keys),
            Kind::Sections(keys) => self.sections(&at, &entry.node, keys),
            _ if at.acting => self.value(&at, &entry.node, key),
            _ => {}
        }
    }

    fn sections(&mut self, at: &At, node: &Node, keys: &'static [Key]) {
        if node.is_null() {
            return;
        }
        let Value::List(members) = &node.value else {
            self.wrong_form(at, node, &Kind::Sections(keys));
            return;
        };
        if at.acting {
            let places = members.iter().map(|member| member.place).collect();
            self.found.members.insert(at.path.clone(), places);
        }
        for (index, member) in members.iter().enumerate() {
            let path = format!("{}[{index}]", at.path);
            let pattern = format!("{}[]", at.pattern);
            self.section(&At { path, pattern, acting: at.acting }, member, keys);
        }
    }

    /// Reads the value of an acted key. Nothing, and a text that variables left empty, are as good as no key.
    fn value(&mut self, at: &At, node: &Node, key: &'static Key) {
        if node.is_null() {
            return;
        }
        if matches!(key.kind, Kind::Map | Kind::Any) {
            return self.tree(at, node, key);
        }
        let many = matches!(key.kind, Kind::Texts | Kind::Choices(_));
        let mut words = Vec::new();
        let mut variables = Vec::new();
        let parts = match &node.value {
            Value::Scalar(_) => std::slice::from_ref(node),
            Value::List(items) if many => items.as_slice(),
            Value::List(_) | Value::Map(_) => return self.wrong_form(at, node, &key.kind),
        };
        for part in parts {
            let Value::Scalar(scalar) = &part.value else { return self.wrong_form(at, part, &key.kind) };
            let Some((datum, mut used)) = self.scalar(at, part, scalar, key) else { return };
            variables.append(&mut used);
            match datum {
                Datum::Many(mut some) => words.append(&mut some),
                datum => return self.keep(at, node.place, datum, variables),
            }
        }
        if !words.is_empty() {
            self.keep(at, node.place, Datum::Many(words), variables);
        }
    }

    /// Reads a list or mapping of the user's own words. What it has to hold is seen to where it is used.
    fn tree(&mut self, at: &At, node: &Node, key: &Key) {
        if let (Kind::Map, Value::Scalar(_) | Value::List(_)) = (key.kind, &node.value) {
            return self.wrong_form(at, node, &key.kind);
        }
        let mut variables = Vec::new();
        if let Some(tree) = self.branch(at, node, &mut variables) {
            self.keep(at, node.place, Datum::Tree(tree), variables);
        }
    }

    fn branch(&mut self, at: &At, node: &Node, variables: &mut Vec<Used>) -> Option<serde_json::Value> {
        Some(match &node.value {
            Value::Scalar(_) if node.is_null() => serde_json::Value::Null,
            Value::Scalar(scalar) => match self.variables.expand(&scalar.text) {
                Ok(mut expanded) => {
                    variables.append(&mut expanded.used);
                    serde_json::Value::String(expanded.text)
                }
                Err(broken) => {
                    let origin = Origin::line(self.file, node.place);
                    let problem = Problem::new(ProblemKind::Variable, origin, &at.path, broken.wrong);
                    self.problems.push(problem.hint(broken.hint));
                    return None;
                }
            },
            Value::List(items) => {
                let items = items.iter().map(|item| self.branch(at, item, variables));
                serde_json::Value::Array(items.collect::<Option<_>>()?)
            }
            Value::Map(entries) => {
                let mut map = serde_json::Map::new();
                for entry in entries {
                    map.insert(entry.key.clone(), self.branch(at, &entry.node, variables)?);
                }
                serde_json::Value::Object(map)
            }
        })
    }

    fn scalar(&mut self, at: &At, node: &Node, scalar: &Scalar, key: &Key) -> Option<(Datum, Vec<Used>)> {
        let origin = Origin::line(self.file, node.place);
        let expanded = match self.variables.expand(&scalar.text) {
            Ok(expanded) => expanded,
            Err(broken) => {
                let problem = Problem::new(ProblemKind::Variable, origin, &at.path, broken.wrong);
                self.problems.push(problem.hint(broken.hint));
                return None;
            }
        };
        if expanded.text.is_empty() {
            return None;
        }
        if let Some(datum) = key.kind.read(&expanded.text) {
            return Some((datum, expanded.used));
        }
        // What came from a variable may be a secret in the wrong place, so it is called by the variable's name.
        let literal = expanded.used.is_empty();
        let what =
            if literal { quote(&scalar.text) } else { format!("what {} stands for", quote(&scalar.text)) };
        let wrong = format!("{what} is not {}", key.kind.expects());
        let problem = Problem::new(ProblemKind::Value, origin, &at.path, wrong);
        let meant = key.kind.nearest(&expanded.text).filter(|_| literal);
        self.problems.push(problem.hint(meant.map_or(String::new(), did_you_mean)));
        None
    }

    fn keep(&mut self, at: &At, place: Place, datum: Datum, variables: Vec<Used>) {
        let origin = Origin::File { file: Arc::clone(self.file), place, variables };
        self.found.given.insert(at.path.clone(), Given { datum, origin });
    }

    /// A value of another form matters only where it is acted on.
    fn wrong_form(&mut self, at: &At, node: &Node, kind: &Kind) {
        if at.acting {
            let origin = Origin::line(self.file, node.place);
            let wrong = format!("this is {}, and not {}", node.form(), kind.expects());
            let hint = match (kind, &node.value) {
                (Kind::Sections(_), Value::Map(_)) => "begin each member of the list with `- `",
                (Kind::Section(_), Value::Scalar(_)) => "write `key: value` lines, indented",
                _ => "",
            };
            self.problems.push(Problem::new(ProblemKind::Value, origin, &at.path, wrong).hint(hint));
        }
    }

    fn unknown(&mut self, at: &At, entry: &Entry, keys: &'static [Key]) {
        let origin = Origin::line(self.file, entry.place);
        let path = key::join(&at.path, &one_line(&entry.key));
        let problem = Problem::new(ProblemKind::UnknownKey, origin, &path, "");
        // Looking for what was meant takes its time, and beyond what is shown nobody asks.
        let meant = || {
            let sibling = nearest(&entry.key, keys.iter().map(|key| key.name));
            sibling.map(|name| key::join(&at.pattern, name)).or_else(|| elsewhere(&entry.key))
        };
        let hint = match (self.problems.len() < MOST_SHOWN).then(meant).flatten() {
            Some(meant) => did_you_mean(&meant),
            None => "`gitfleet config schema` lists every key".to_owned(),
        };
        self.problems.push(problem.hint(hint));
    }
}

pub(super) fn did_you_mean(word: &str) -> String {
    format!("did you mean {word}?")
}

/// Finds the most likely key of another section: of equally near ones the acted one.
fn elsewhere(name: &str) -> Option<String> {
    let acted_first = |acted: bool| {
        keys::every()
            .iter()
            .filter(move |placed| acted == matches!(placed.status, Status::Acted(_) | Status::Mixed))
    };
    let names = acted_first(true).chain(acted_first(false)).map(|placed| placed.key.name);
    let name = nearest(name, names)?;
    let placed = acted_first(true).chain(acted_first(false)).find(|placed| placed.key.name == name)?;
    Some(placed.path.clone())
}
