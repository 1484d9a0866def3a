//! What changes together, as a matrix of the things in the strongest pairs.

use std::collections::BTreeMap;

use crate::report::escape::html_name;
use crate::report::html::heat::SHADES;
use crate::report::model::Report;
use crate::report::number::grouped;
use crate::report::subjects;
use crate::report::tables::CouplingRow;

const MAX_REPOSITORIES: usize = 12;
/// A matrix with more sides is no picture any more.
const MAX_THINGS: usize = 14;

pub(super) fn render(report: &Report) -> String {
    let all = &report.tables.coupling;
    let across: Vec<&CouplingRow> = all.iter().filter(|row| row.what == "repositories").collect();
    let inside = |name: &str| -> Vec<&CouplingRow> {
        all.iter().filter(|row| row.what == "files" && row.repository_a == name).collect()
    };
    let mut matrices = String::new();
    if !across.is_empty() {
        matrices.push_str(&matrix("Across repositories", &across, true, true));
    }
    for name in
        subjects::repositories(report, |name| !inside(name).is_empty()).into_iter().take(MAX_REPOSITORIES)
    {
        let is_first = matrices.is_empty();
        matrices.push_str(&matrix(&html_name(name).to_string(), &inside(name), false, is_first));
    }
    if matrices.is_empty() {
        return String::new();
    }
    format!(
        "<h3>What changes together</h3>\n<p class=\"lead\">The number is the degree: of the changes to either, how many \
         percent touch both. Within a module that is as it should be; across a boundary it is a question.</p>\n\
         <div class=\"tabs\">\n{matrices}</div>\n"
    )
}

fn matrix(title: &str, pairs: &[&CouplingRow], is_across: bool, is_open: bool) -> String {
    let mut things: Vec<(&str, &str)> = Vec::new();
    let mut degrees: BTreeMap<(usize, usize), u64> = BTreeMap::new();
    for pair in pairs {
        let ends =
            [(pair.repository_a.as_str(), pair.a.as_str()), (pair.repository_b.as_str(), pair.b.as_str())];
        let mut new: Vec<(&str, &str)> = ends.into_iter().filter(|end| !things.contains(end)).collect();
        new.dedup();
        if things.len() + new.len() > MAX_THINGS {
            continue;
        }
        things.append(&mut new);
        let [a, b] = ends.map(|end| things.iter().position(|thing| *thing == end));
        if let (Some(a), Some(b)) = (a, b) {
            // The strongest comes first.
            degrees.entry((a.min(b), a.max(b))).or_insert(pair.degree);
        }
    }
    let header: String = (1..=things.len()).map(|i| format!("<th scope=\"col\">{i}</th>")).collect();
    let rows: String = things
        .iter()
        .enumerate()
        .map(|(i, thing)| row(i, thing, things.len(), &degrees, is_across))
        .collect();
    let open = if is_open { " open" } else { "" };
    format!(
        "<details name=\"coupling\"{open}>\n<summary><bdi>{title}</bdi></summary>\n\
         <div class=\"scroll\" role=\"region\" aria-label=\"Coupling\" tabindex=\"0\">\n<table class=\"heat matrix\">\n\
         <caption>Coupling in percent</caption>\n<thead><tr><td></td>{header}</tr></thead>\n<tbody>\n{rows}</tbody>\n</table>\n\
         </div>\n</details>\n"
    )
}

fn row(
    i: usize,
    (repository, name): &(&str, &str),
    n: usize,
    degrees: &BTreeMap<(usize, usize), u64>,
    is_across: bool,
) -> String {
    let cells: String = (0..n)
        .map(|j| match degrees.get(&(i.min(j), i.max(j))) {
            _ if i == j => "<td class=\"self\"></td>".to_owned(),
            None => "<td class=\"h0\"></td>".to_owned(),
            Some(degree) => format!("<td class=\"h{}\">{}</td>", shade(*degree), grouped(*degree)),
        })
        .collect();
    let name = html_name(name);
    let name = if is_across { format!("{}: {name}", html_name(repository)) } else { name.to_string() };
    format!("<tr><th scope=\"row\" title=\"{name}\">{} <bdi>{name}</bdi></th>{cells}</tr>\n", i + 1)
}

fn shade(degree: u64) -> u32 {
    (degree.min(100) * u64::from(SHADES)).div_ceil(100).clamp(1, u64::from(SHADES)) as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    #[test]
    fn strong_pairs_make_a_symmetric_matrix() {
        let text = render(&sample::large(60, 20, 6));
        assert!(text.contains("<summary><bdi>Across repositories</bdi></summary>"));
        let first = &text[..text.find("</table>").unwrap()];
        assert_eq!(first.matches(">64<").count(), 2);
        assert_eq!(render(&sample::empty()), "");
    }

    #[test]
    fn shades_are_fifths_of_a_hundred() {
        assert_eq!([0, 1, 20, 21, 100, u64::MAX].map(shade), [1, 1, 1, 2, 5, 5]);
    }
}
