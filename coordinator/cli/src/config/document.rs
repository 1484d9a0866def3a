//! Text into a tree: the YAML of one document, with the places of its keys. The parser gives events; what is decided
//! here is what gitfleet makes of them: anchors and merge keys are followed within bounds, a key given twice is an
//! error, and so are a second document, tags of programming languages, and keys that are not words.

use std::collections::HashMap;
use std::sync::Arc;

use granit_parser::{Event, Marker, Parser, ScalarStyle, ScanError, Tag};

use super::key;
use super::node::{Entry, Node, Place, Scalar, Value};
use super::origin::Origin;
use super::problem::{Problem, ProblemKind, one_line};
use super::syntax;

/// Far more levels than any table of ours has, far fewer than would trouble the stack.
const DEEPEST: usize = 64;

/// Aliases may copy this many nodes in all: a few lines of anchors can otherwise stand for a billion.
const MOST_COPIES: usize = 100_000;

/// Reads the one document of `text`. Mistakes that leave the tree intact go to `problems`; without a tree the last
/// problem says why.
pub(super) fn parse(file: &Arc<str>, text: &str, problems: &mut Vec<Problem>) -> Option<Node> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut builder = Builder::new(file);
    let outcome = builder.read(text);
    problems.append(&mut builder.problems);
    if let Err(problem) = outcome {
        problems.push(*problem);
        return None;
    }
    if builder.root.is_none() {
        let wrong =
            Problem::new(ProblemKind::Missing, Origin::Whole(Arc::clone(file)), "", "the file is empty");
        problems.push(wrong.hint("begin with `repositories:`; `gitfleet config schema` lists every key"));
    }
    builder.root
}

struct Builder<'a> {
    file: &'a Arc<str>,
    frames: Vec<Frame>,
    anchors: HashMap<usize, Node>,
    copies: usize,
    root: Option<Node>,
    problems: Vec<Problem>,
}

/// A list or mapping whose end has not been seen.
struct Frame {
    place: Place,
    anchor: usize,
    open: Open,
}

enum Open {
    List(Vec<Node>),
    Map { entries: Vec<Entry>, seen: HashMap<String, Place>, key: Option<(String, Place, bool)> },
}

impl<'a> Builder<'a> {
    fn new(file: &'a Arc<str>) -> Self {
        let (frames, anchors) = (Vec::new(), HashMap::new());
        Self { file, frames, anchors, copies: 0, root: None, problems: Vec::new() }
    }

    fn read(&mut self, text: &str) -> Result<(), Box<Problem>> {
        let mut documents = 0;
        for event in Parser::new_from_str(text) {
            let (event, span) = event.map_err(|error| self.refused(text, &error))?;
            let place = place(&span.start);
            self.check_tag(event.tag(), place)?;
            match event {
                Event::DocumentStart(..) => {
                    documents += 1;
                    if documents > 1 {
                        let wrong = self.syntax(place, "a second document begins here");
                        return Err(wrong.hint("remove the `---` and what follows").into());
                    }
                }
                Event::Scalar(text, style, anchor, _) => {
                    let plain = style == ScalarStyle::Plain;
                    let value = Value::Scalar(Scalar { text: text.into_owned(), plain });
                    self.close(Node { place, value }, anchor)?;
                }
                Event::SequenceStart(_, anchor, _) => self.open(place, anchor, Open::List(Vec::new()))?,
                Event::MappingStart(_, anchor, _) => {
                    let (entries, seen) = (Vec::new(), HashMap::new());
                    self.open(place, anchor, Open::Map { entries, seen, key: None })?;
                }
                Event::SequenceEnd | Event::MappingEnd => {
                    let frame = self.frames.pop().expect("an end event follows its start event");
                    let (place, anchor) = (frame.place, frame.anchor);
                    let value = match frame.open {
                        Open::List(items) => Value::List(items),
                        Open::Map { entries, .. } => Value::Map(self.follow_merge_keys(entries)),
                    };
                    self.close(Node { place, value }, anchor)?;
                }
                Event::Alias(anchor) => self.copy(place, anchor)?,
                _ => {}
            }
        }
        Ok(())
    }

    fn open(&mut self, place: Place, anchor: usize, open: Open) -> Result<(), Box<Problem>> {
        if self.frames.len() >= DEEPEST {
            return Err(self.too_deep(place).into());
        }
        if let Some(Frame { open: Open::Map { key: None, .. }, .. }) = self.frames.last() {
            return Err(self.key_is_no_word(place).into());
        }
        self.frames.push(Frame { place, anchor, open });
        Ok(())
    }

    /// Puts a finished node where it belongs: as a value, as the next key, or as the document itself.
    fn close(&mut self, node: Node, anchor: usize) -> Result<(), Box<Problem>> {
        if anchor != 0 {
            self.spend(node.size(), node.place)?;
            self.anchors.insert(anchor, node.clone());
        }
        let Some(frame) = self.frames.last_mut() else {
            // A bare comment or `---` parses as one null: as empty as a file can be.
            self.root = Some(node).filter(|node| !node.is_null());
            return Ok(());
        };
        match &mut frame.open {
            Open::List(items) => items.push(node),
            Open::Map { entries, seen, key } => match key.take() {
                None => match node.value {
                    Value::Scalar(Scalar { text, plain }) => *key = Some((text, node.place, plain)),
                    Value::List(_) | Value::Map(_) => return Err(self.key_is_no_word(node.place).into()),
                },
                Some((name, place, plain)) => match seen.get(&name) {
                    Some(first) => {
                        let first = *first;
                        self.twice(&name, place, first);
                    }
                    None => {
                        seen.insert(name.clone(), place);
                        // A quoted "<<" is a key like any other; the mark of a merge is the bare one.
                        let key = if plain || name != "<<" { name } else { "\"<<\"".to_owned() };
                        entries.push(Entry { key, place, node });
                    }
                },
            },
        }
        Ok(())
    }

    fn twice(&mut self, name: &str, place: Place, first: Place) {
        let mut path = String::new();
        for frame in &self.frames {
            match &frame.open {
                Open::List(items) => path.push_str(&format!("[{}]", items.len())),
                Open::Map { key: Some((name, ..)), .. } => path = key::join(&path, name),
                // The innermost mapping, whose key has just been taken.
                Open::Map { key: None, .. } => path = key::join(&path, name),
            }
        }
        let wrong = format!("the key stands at {}:{first} already", self.file);
        let origin = Origin::line(self.file, place);
        let problem = Problem::new(ProblemKind::Conflict, origin, &one_line(&path), wrong);
        self.problems.push(problem.hint("keep one of the two"));
    }

    fn copy(&mut self, place: Place, anchor: usize) -> Result<(), Box<Problem>> {
        let Some(original) = self.anchors.get(&anchor) else {
            return Err(self.syntax(place, "the alias stands inside the value that it names").into());
        };
        let (size, depth) = (original.size(), original.depth());
        let node = Node { place, value: original.value.clone() };
        if self.frames.len() + depth > DEEPEST {
            return Err(self.too_deep(place).into());
        }
        self.spend(size, place)?;
        self.close(node, 0)
    }

    fn spend(&mut self, nodes: usize, place: Place) -> Result<(), Box<Problem>> {
        self.copies += nodes;
        if self.copies > MOST_COPIES {
            let wrong = format!("the aliases of this file stand for more than {MOST_COPIES} values");
            return Err(self
                .syntax(place, wrong)
                .hint("write the values out, or refer to smaller ones")
                .into());
        }
        Ok(())
    }

    /// `<<: *base` adds what `base` has and the mapping itself has not; of several bases the first wins.
    fn follow_merge_keys(&mut self, entries: Vec<Entry>) -> Vec<Entry> {
        let (merges, mut own): (Vec<_>, Vec<_>) = entries.into_iter().partition(|entry| entry.key == "<<");
        for merge in merges {
            let bases = match merge.node.value {
                Value::List(bases) => bases,
                Value::Map(_) | Value::Scalar(_) => vec![merge.node],
            };
            for base in bases {
                let Value::Map(added) = base.value else {
                    let wrong = "a merge key takes a mapping, or a list of them";
                    self.problems.push(self.syntax(merge.place, wrong));
                    continue;
                };
                for entry in added {
                    if own.iter().all(|known| known.key != entry.key) {
                        own.push(entry);
                    }
                }
            }
        }
        own
    }

    fn check_tag(&self, tag: Option<&Tag>, place: Place) -> Result<(), Box<Problem>> {
        match tag {
            Some(tag) if !tag.is_yaml_core_schema() => {
                let wrong = self.syntax(place, "tags have no meaning here");
                Err(wrong.hint("remove the word that begins with `!`, or quote the value").into())
            }
            _ => Ok(()),
        }
    }

    fn too_deep(&self, place: Place) -> Problem {
        self.syntax(place, format!("the values are nested more than {DEEPEST} levels deep"))
    }

    fn key_is_no_word(&self, place: Place) -> Problem {
        let wrong = self.syntax(place, "a key has to be a word");
        wrong.hint("quote values that begin with `[`, `{` or `?`")
    }

    fn refused(&self, text: &str, error: &ScanError) -> Problem {
        let explained = syntax::explain(text, error.kind(), place(error.marker()));
        self.syntax(explained.place, explained.wrong).hint(explained.hint)
    }

    fn syntax(&self, place: Place, wrong: impl Into<String>) -> Problem {
        Problem::new(ProblemKind::Syntax, Origin::line(self.file, place), "", wrong)
    }
}

fn place(marker: &Marker) -> Place {
    // The end of an empty text is reported as line 0 by no parser we want to depend on in that detail.
    Place { line: marker.line().max(1), column: marker.col() + 1 }
}
