//! `gitfleet metrics`.

use gitfleet_shared::metrics::catalog::{ALL, find};
use gitfleet_shared::metrics::definition::Definition;
use serde_json::{Value, json};

use crate::args::{Metrics, MetricsCommand};
use crate::exit::{Exit, Refusal};
use crate::render::data;
use crate::render::table::table;

pub(super) fn run(args: Metrics) -> anyhow::Result<Exit> {
    let text = match args.command {
        MetricsCommand::Ls { json: true } => {
            let all: Vec<Value> = ALL.iter().map(|definition| as_json(definition)).collect();
            format!("{}\n", serde_json::to_string_pretty(&all)?)
        }
        MetricsCommand::Ls { json: false } => list(),
        MetricsCommand::Show { name, json } => {
            let definition = find(&name).ok_or_else(|| unknown(&name))?;
            match json {
                true => format!("{}\n", serde_json::to_string_pretty(&as_json(definition))?),
                false => show(definition),
            }
        }
    };
    data::print(&text)?;
    Ok(Exit::Done)
}

fn unknown(name: &str) -> anyhow::Error {
    Refusal::new(Exit::NotFound, format!("there is no metric named {name}"))
        .hint("`gitfleet metrics ls` lists all of them")
        .into()
}

fn list() -> String {
    let rows: Vec<[String; 3]> = ALL
        .iter()
        .map(|one| [one.name.to_owned(), one.chapter.name().to_owned(), one.title.to_owned()])
        .collect();
    table(["NAME", "CHAPTER", "METRIC"], &rows)
}

fn show(definition: &Definition) -> String {
    let Definition { name, title, chapter, unit, formula, edges, source, parts, caution } = definition;
    let chapter = chapter.name();
    let paragraphs = [
        ("Unit", *unit),
        ("Formula", *formula),
        ("Edges", *edges),
        ("Adds up", *parts),
        ("Source", *source),
        ("Caution", *caution),
    ];
    let mut text = format!("{title} ({name}, {chapter})\n");
    for (head, paragraph) in paragraphs {
        text.push_str(&format!("\n{head}\n{}", filled(paragraph)));
    }
    text
}

/// Returns a paragraph in lines of at most 80 characters, indented.
fn filled(paragraph: &str) -> String {
    let (mut text, mut line) = (String::new(), String::from(" "));
    for word in paragraph.split_whitespace() {
        if line.chars().count() + 1 + word.chars().count() > 80 {
            text.push_str(&line);
            text.push('\n');
            line = String::from(" ");
        }
        line.push(' ');
        line.push_str(word);
    }
    text + &line + "\n"
}

fn as_json(definition: &Definition) -> Value {
    let Definition { name, title, chapter, unit, formula, edges, source, parts, caution } = definition;
    json!({
        "name": name,
        "title": title,
        "chapter": chapter.name(),
        "unit": unit,
        "formula": formula,
        "edges": edges,
        "parts": parts,
        "source": source,
        "caution": caution,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_definition_fits_a_terminal() {
        for definition in ALL {
            assert!(show(definition).lines().all(|line| line.chars().count() <= 80), "{}", definition.name);
        }
        assert!(list().contains("truck_factor"));
    }
}
