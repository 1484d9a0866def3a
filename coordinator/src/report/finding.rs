//! What people should know before they trust the numbers: the data quality of a report in words.

use crate::report::model::{DataQuality, Report};

pub(super) struct Finding {
    pub(super) label: String,
    pub(super) count: u64,
    /// What it means for the reader, one or two sentences.
    pub(super) meaning: &'static str,
    pub(super) weight: Weight,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Weight {
    /// Good to know.
    Remark,
    /// Any count above zero casts doubt on a number.
    Doubt,
}

/// Returns every finding in a fixed order, those with a count of zero too: a check that found nothing is news as well.
pub(super) fn findings(report: &Report) -> Vec<Finding> {
    let quality = &report.data_quality;
    let mut findings = vec![
        finding(
            "Line checks broken",
            quality.conservation_broken,
            "Repositories whose lines added minus deleted do not sum up to the lines at the tip. Do not trust their \
             line counts.",
            Weight::Doubt,
        ),
        finding(
            "Line checks made",
            quality.conservation_checked,
            "Repositories in which the sum of all changes was compared with the lines at the tip.",
            Weight::Remark,
        ),
        finding(
            "Shallow repositories",
            quality.shallow_repositories.len() as u64,
            "Their history is cut short, so the oldest commit of each seems to bring all lines.",
            Weight::Doubt,
        ),
    ];
    findings.extend(unknown(quality));
    findings.extend([
        finding(
            "Bulk commits",
            quality.bulk_commits,
            "Commits with more than 10,000 lines or 500 files: imports and bulk moves.",
            Weight::Remark,
        ),
        finding(
            "Lines added by bulk commits",
            quality.bulk_additions,
            "They are in the totals.",
            Weight::Remark,
        ),
        finding(
            "Lines deleted by bulk commits",
            quality.bulk_deletions,
            "They are in the totals.",
            Weight::Remark,
        ),
        finding(
            "Invalid author times",
            quality.invalid_times,
            "No calendar can place them. The commits are in the totals of all history, and in no week.",
            Weight::Doubt,
        ),
        finding(
            "Author times in the future",
            quality.future_times,
            "More than 24 hours after the commit was fetched: somebody's clock was wrong.",
            Weight::Doubt,
        ),
        finding(
            "Authored after committed",
            quality.authored_after_commit,
            "The author time is later than the committer time, so the week may be wrong.",
            Weight::Remark,
        ),
        finding(
            "Shared commits",
            quality.shared_commits,
            "More than one repository holds them; totals, weeks and developers count each once.",
            Weight::Remark,
        ),
        finding("Empty commits", quality.empty_commits, "Commits that change no file.", Weight::Remark),
        finding(
            "Binary file changes",
            quality.binary_changes,
            "They have no lines; they count as changed files.",
            Weight::Remark,
        ),
    ]);
    findings
}

fn unknown(quality: &DataQuality) -> Vec<Finding> {
    const MEANING: &str = "File changes whose lines could not be counted. Their lines are in no sum.";
    if quality.unknown_changes.is_empty() {
        return vec![finding("Changes of unknown size", 0, MEANING, Weight::Doubt)];
    }
    quality
        .unknown_changes
        .iter()
        .map(|row| Finding {
            label: format!("Changes of unknown size: {}", row.reason.replace('_', " ")),
            count: row.changes,
            meaning: MEANING,
            weight: Weight::Doubt,
        })
        .collect()
}

fn finding(label: &str, count: u64, meaning: &'static str, weight: Weight) -> Finding {
    Finding { label: label.to_owned(), count, meaning, weight }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    #[test]
    fn checks_that_found_nothing_are_listed_too() {
        let findings = findings(&sample::empty());
        assert_eq!(findings.len(), 13);
        assert!(findings.iter().all(|finding| finding.count == 0));
    }

    #[test]
    fn every_reason_of_unknown_size_has_its_line() {
        let labels: Vec<String> =
            findings(&sample::rich()).into_iter().map(|finding| finding.label).collect();
        assert!(labels.contains(&"Changes of unknown size: missing object".to_owned()));
        assert!(labels.contains(&"Changes of unknown size: too large".to_owned()));
    }
}
