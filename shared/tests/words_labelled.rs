//! The classifier beside labels by hand: subjects of eleven public repositories, 109 to tune the rules, 109 held out.
//!
//! Measured: tuned half accuracy 0.862, kappa 0.761; held-out half 0.872 and 0.732. Before any tuning the held-out half
//! had 0.817 and 0.652, and its misses were seen once; two faults that showed in both halves (the stems of `add` and
//! `too`) were then mended. A second draw of 72, labelled afterwards and never used, has 0.819 and 0.637: that is the
//! figure to believe. One labeller, who also wrote the rules: other sets will agree less.

use std::collections::BTreeMap;

use gitfleet_shared::words::Message;
use gitfleet_shared::words::kind::Rules;

struct Labelled {
    label: &'static str,
    subject: &'static str,
}

const FIRST: &str = include_str!("words/labelled.tsv");
const AGAIN: &str = include_str!("words/labelled_again.tsv");

fn labelled(table: &'static str) -> Vec<Labelled> {
    let rows = table.lines().filter(|line| !line.starts_with("# "));
    let columns = rows.map(|row| row.splitn(4, '\t').collect::<Vec<_>>());
    columns.map(|columns| Labelled { label: columns[2], subject: columns[3] }).collect()
}

/// Agreement with the labels; Cohen's kappa, (observed - expected) / (1 - expected), where expected is the agreement of
/// two who label at random with these shares; and what disagrees.
fn agreement(rows: &[&Labelled]) -> (f64, f64, Vec<String>) {
    let rules = Rules::default();
    let mut shares = BTreeMap::<_, [f64; 2]>::new();
    let mut misses = Vec::new();
    for row in rows {
        let found = rules.classify(&Message::of(row.subject), None);
        shares.entry(row.label).or_default()[0] += 1.0;
        shares.entry(found.kind.name()).or_default()[1] += 1.0;
        if found.kind.name() != row.label {
            misses.push(format!("{} is {} by {}: {}", row.label, found.kind.name(), found.rule, row.subject));
        }
    }
    let all = rows.len() as f64;
    let by_chance: f64 = shares.values().map(|[one, other]| one * other / (all * all)).sum();
    let observed = 1.0 - misses.len() as f64 / all;
    (observed, (observed - by_chance) / (1.0 - by_chance), misses)
}

#[test]
fn tuned() {
    let all = labelled(FIRST);
    let (accuracy, kappa, misses) = agreement(&all.iter().step_by(2).collect::<Vec<_>>());
    assert!(
        accuracy >= 0.80 && kappa >= 0.65,
        "accuracy {accuracy:.3}, kappa {kappa:.3}\n{}",
        misses.join("\n")
    );
}

#[test]
fn held_out() {
    let all = labelled(FIRST);
    // The misses are not shown: rules that are mended by them have nothing left to be judged by.
    let (accuracy, kappa, _) = agreement(&all.iter().skip(1).step_by(2).collect::<Vec<_>>());
    assert!(accuracy >= 0.70 && kappa >= 0.50, "accuracy {accuracy:.3}, kappa {kappa:.3}");
}

#[test]
fn drawn_again() {
    let all = labelled(AGAIN);
    let (accuracy, kappa, _) = agreement(&all.iter().collect::<Vec<_>>());
    assert!(accuracy >= 0.70 && kappa >= 0.50, "accuracy {accuracy:.3}, kappa {kappa:.3}");
}
