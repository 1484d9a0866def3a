//! The table, in Markdown.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "printing is what this program is for")]

use std::path::Path;
use std::time::Duration;

use crate::Row;
use crate::cpu::Spent;

pub(crate) fn head() {
    println!(
        "| repository | renames | lines | differing | git wall | gitfleet wall | wall ratio | git CPU | gitfleet CPU | CPU ratio |"
    );
    println!("|---|---|--:|--:|--:|--:|--:|--:|--:|--:|");
}

pub(crate) fn row(repository: &Path, renames: bool, row: &Row) {
    let wall = |spent: &[Spent]| median(spent.iter().map(|spent| spent.wall).collect());
    let cpu = |spent: &[Spent]| Some(median(spent.iter().map(|spent| spent.cpu).collect::<Option<_>>()?));
    let seconds =
        |time: Option<Duration>| time.map_or("?".to_owned(), |time| format!("{:.2} s", time.as_secs_f64()));
    let ratio = |ours: Option<Duration>, git: Option<Duration>| match (ours, git) {
        (Some(ours), Some(git)) if !git.is_zero() => format!("{:.2}", ours.as_secs_f64() / git.as_secs_f64()),
        _ => "?".to_owned(),
    };
    let (git_wall, our_wall) = (Some(wall(&row.git)), Some(wall(&row.gitfleet)));
    let (git_cpu, our_cpu) = (cpu(&row.git), cpu(&row.gitfleet));
    println!(
        "| {} | {} | {} | {} | {} | {} | {} | {} | {} | {} |",
        repository.display(),
        if renames { "-M" } else { "no" },
        row.lines,
        row.differing,
        seconds(git_wall),
        seconds(our_wall),
        ratio(our_wall, git_wall),
        seconds(git_cpu),
        seconds(our_cpu),
        ratio(our_cpu, git_cpu),
    );
}

pub(crate) fn complain(text: &str) {
    eprintln!("error: {text}");
}

/// Returns the middle one; of an even number, the later of the two.
fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}
