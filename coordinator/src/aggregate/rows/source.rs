//! Languages at the tip, and what is left out of "source".

use std::collections::BTreeMap;

use gitfleet_shared::metrics::Partial as _;
use gitfleet_shared::metrics::share::Ratio;
use gitfleet_shared::metrics::sums::LineSums;

use super::super::chapters::{Chapters, Place};
use super::super::history::History;
use super::super::tree::Outside;
use crate::report::tables::{ExclusionRow, LanguageBytesRow};

#[derive(Default, Clone, Copy)]
struct Size {
    files: u64,
    bytes: u64,
    lines: u64,
}

pub(in super::super) fn repository(chapters: &mut Chapters, history: &History, place: &Place<'_>) {
    let mut languages: BTreeMap<&str, Size> = BTreeMap::new();
    let mut outside: BTreeMap<Outside, (Size, LineSums)> = BTreeMap::new();
    for file in &history.read.tip {
        let class = history.read.classes.of(&file.path);
        let size = match class.outside {
            Some(why) => &mut outside.entry(why).or_default().0,
            None if class.is_source() => languages.entry(&class.language).or_default(),
            None => continue,
        };
        size.files += 1;
        size.bytes += file.size_bytes;
        size.lines += u64::from(file.lines.unwrap_or(0));
    }
    for node in history.nodes() {
        if !chapters.window.contains(history.commit(node).authored.seconds) {
            continue;
        }
        for change in &history.commit(node).files {
            if let Some(why) = history.read.classes.of(&change.path).outside {
                let mut sums = LineSums::default();
                sums.add(change.lines);
                outside.entry(why).or_default().1.merge(sums);
            }
        }
    }
    let bytes: u64 = languages.values().map(|size| size.bytes).sum();
    let mut rows: Vec<LanguageBytesRow> = languages
        .into_iter()
        .map(|(language, size)| LanguageBytesRow {
            scope: "repository".to_owned(),
            subject: place.name.to_owned(),
            language: language.to_owned(),
            files: size.files,
            bytes: size.bytes,
            lines: size.lines,
            share: Ratio::of(size.bytes, bytes),
        })
        .collect();
    rows.sort_by(|a, b| (b.bytes, &a.language).cmp(&(a.bytes, &b.language)));
    chapters.tables.languages_at_tip.append(&mut rows);
    chapters.tables.exclusions.extend(outside.into_iter().map(|(why, (size, lines))| ExclusionRow {
        repository: place.name.to_owned(),
        class: why.name().to_owned(),
        files: size.files,
        lines: size.lines,
        additions: lines.additions,
        deletions: lines.deletions,
    }));
}

/// The languages of all repositories together, before those of each.
pub(in super::super) fn finish(chapters: &mut Chapters) {
    let mut languages: BTreeMap<String, Size> = BTreeMap::new();
    for row in &chapters.tables.languages_at_tip {
        let size = languages.entry(row.language.clone()).or_default();
        size.files += row.files;
        size.bytes += row.bytes;
        size.lines += row.lines;
    }
    let bytes: u64 = languages.values().map(|size| size.bytes).sum();
    let mut rows: Vec<LanguageBytesRow> = languages
        .into_iter()
        .map(|(language, size)| LanguageBytesRow {
            scope: "organisation".to_owned(),
            subject: String::new(),
            language,
            files: size.files,
            bytes: size.bytes,
            lines: size.lines,
            share: Ratio::of(size.bytes, bytes),
        })
        .collect();
    rows.sort_by(|a, b| (b.bytes, &a.language).cmp(&(a.bytes, &b.language)));
    rows.append(&mut chapters.tables.languages_at_tip);
    chapters.tables.languages_at_tip = rows;
}
