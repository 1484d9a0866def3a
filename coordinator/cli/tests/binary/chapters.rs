//! One small history, worked out by hand through all chapters of a report.

use serde_json::{Value, json};

use crate::repository::{Repository, git_bytes};
use crate::room::Room;

const DAY: i64 = 86_400;

/// Noon of 2026-01-05, a Monday, and so many days.
fn day(days: i64) -> i64 {
    1_767_614_400 + days * DAY
}

/// A commit in the words of fast-import; its mark is the day after, because marks begin at 1.
fn commit(branch: &str, who: &str, days: i64, message: &str, rest: &str) -> String {
    let size = message.len();
    let (when, mark) = (day(days), days + 1);
    format!(
        "commit refs/heads/{branch}\nmark :{mark}\nauthor {who} {when} +0000\ncommitter {who} {when} +0000\ndata {size}\n{message}\n{rest}\n"
    )
}

fn file(path: &str, content: &str) -> String {
    format!("M 100644 inline {path}\ndata {}\n{content}\n", content.len())
}

fn tag(name: &str, of: i64, days: i64) -> String {
    format!("tag {name}\nfrom :{}\ntagger T <t@example> {} +0000\ndata 1\n.\n", of + 1, day(days))
}

const ANN: &str = "Ann <ann@example>";
const BOB: &str = "Bob <bob@example>";

/// | day | who | what |
/// |---|---|---|
/// | 0 | Ann | adds src/a.rs (4 lines), src/b.rs (2), vendor/x.c (3); released as v1.0.0 on day 1 |
/// | 2 | Bob | on a branch, changes the second line of a.rs, for SHOP-7 |
/// | 4 | Ann | merges it as request 12 |
/// | 5 | Ann | changes the first lines of a.rs and b.rs; released as v1.1.0 on day 6 |
/// | 7 | Ann | reverts Bob's change |
fn history(room: &Room) -> Repository {
    let repository = room.repository("shop");
    let mut stream = commit(
        "main",
        ANN,
        0,
        "feat: begin",
        &[file("src/a.rs", "1\n2\n3\n4\n"), file("src/b.rs", "1\n2\n"), file("vendor/x.c", "1\n2\n3\n")]
            .concat(),
    );
    stream += &tag("v1.0.0", 0, 1);
    stream += &commit(
        "fix",
        BOB,
        2,
        "fix: mend a (SHOP-7)",
        &format!("from :1\n{}", file("src/a.rs", "1\ntwo\n3\n4\n")),
    );
    stream += &commit(
        "main",
        ANN,
        4,
        "Merge pull request #12 from bob/mend",
        &format!("from :1\nmerge :3\n{}", file("src/a.rs", "1\ntwo\n3\n4\n")),
    );
    stream += &commit(
        "main",
        ANN,
        5,
        "refactor: both",
        &[file("src/a.rs", "one\ntwo\n3\n4\n"), file("src/b.rs", "one\n2\n")].concat(),
    );
    stream += &tag("v1.1.0", 5, 6);
    git_bytes(repository.path(), &["fast-import", "--quiet"], stream.as_bytes());
    let victim = repository.git(&["rev-parse", "fix"]);
    let message = format!("Revert \"fix: mend a (SHOP-7)\"\n\nThis reverts commit {}.", victim.trim());
    let revert = commit(
        "main",
        ANN,
        7,
        &message,
        &format!("from refs/heads/main^0\n{}", file("src/a.rs", "one\n2\n3\n4\n")),
    );
    git_bytes(repository.path(), &["fast-import", "--quiet"], revert.as_bytes());
    repository
}

fn rows<'r>(report: &'r Value, table: &str, wanted: &[(&str, &str)]) -> Vec<&'r Value> {
    let rows = report["tables"][table].as_array().unwrap().iter();
    rows.filter(|row| wanted.iter().all(|(name, value)| row[name] == *value)).collect()
}

/// Asserts that the one row of `table` that is as `wanted` has these values.
#[track_caller]
fn check(report: &Value, table: &str, wanted: &[(&str, &str)], expect: &Value) {
    let found = rows(report, table, wanted);
    let [row] = found.as_slice() else { panic!("{table}: {found:?}") };
    for (name, value) in expect.as_object().unwrap() {
        assert_eq!(row[name], *value, "{table}: {name} of {row}");
    }
}

#[test]
fn every_chapter_is_as_worked_out_by_hand() {
    let room = Room::new();
    let repository = history(&room);
    room.write("keys.yaml", "tickets: {project_keys: [SHOP]}\n");
    let report = room.report(&[repository.text(), "-c", &room.text("keys.yaml")]);
    let victim = repository.git(&["rev-parse", "fix"]);
    let repository = [("scope", "repository")];

    // Of five commits one is a merge. Lines: 9 + 1 + 2 + 1 added; the 3 of vendor are no source.
    let group = json!({
        "commits": 4, "merges": 1, "developers": 2, "additions": 13, "deletions": 4,
        "source_additions": 10, "source_deletions": 4,
        "adaptive": 1, "perfective": 1, "corrective": 2, "conventional": 3,
        "ticket_eligible": 4, "ticket_covered": 2, "reverts": 1, "requests": 1,
        // Bob changes a line of Ann's, Ann two of her own and one of Bob's; all are younger than three weeks.
        "rework_own": 2, "rework_others": 2, "refactored": 0,
    });
    check(&report, "groups", &repository, &group);
    check(
        &report,
        "group_weeks",
        &[("scope", "repository"), ("week", "2026-W03")],
        &json!({ "commits": 1, "reverts": 1 }),
    );

    // Written on days 2 and 5, released on day 6: 4 days and 1 day; integrated on days 4 and 5.
    let dora = json!({
        "deployments": 2, "gap_median_seconds": 5 * DAY, "lead_median_seconds": 5 * DAY / 2,
        "lead_p90_seconds": DAY * 37 / 10, "lead_from_merge_median_seconds": 3 * DAY / 2,
        "change_fail_rate": 0.5, "recovery_median_seconds": null, "deployment_rework_rate": 0.0,
    });
    check(&report, "dora", &repository, &dora);
    check(&report, "deployments", &[("tag", "v1.1.0")], &json!({ "commits": 2, "failure": "revert" }));
    check(
        &report,
        "deployments",
        &[("tag", "v1.0.0")],
        &json!({ "commits": 1, "lead_median_seconds": null, "failure": null }),
    );
    check(
        &report,
        "requests",
        &[],
        &json!({ "number": 12, "how": "merge", "commits": 1, "cycle_seconds": 2 * DAY }),
    );
    let revert = json!({ "victim": victim.trim(), "after_seconds": 3 * DAY, "reapplied": false });
    check(&report, "reverts", &[], &revert);
    check(&report, "tickets", &[("key", "SHOP-7")], &json!({ "system": "jira", "commits": 2 }));
    assert_eq!(rows(&report, "untracked_commits", &[]).len(), 2);

    // Ann has three of four commits to src: 1 - (9 + 1) / 16.
    let component = json!({
        "files": 2, "lines": 6, "commits": 4, "people": 2, "owner": "Ann", "owner_share": 0.75, "fragmentation": 0.375,
    });
    check(&report, "components", &[("component", "src")], &component);
    check(&report, "truck_factor", &repository, &json!({ "person": "Ann", "files": 2, "share": 1.0 }));
    check(
        &report,
        "files",
        &[("path", "src/a.rs")],
        &json!({ "revisions": 4, "people": 2, "authors": 1, "largest_holder_share": 1.0 }),
    );
    check(&report, "burndown", &repository, &json!({ "written": "2026-Q1", "at": "2026-Q1", "lines": 9 }));
    check(
        &report,
        "exclusions",
        &[],
        &json!({ "class": "vendored", "files": 1, "lines": 3, "additions": 3 }),
    );
    check(
        &report,
        "languages_at_tip",
        &repository,
        &json!({ "language": "Rust", "files": 2, "lines": 6, "bytes": 16 }),
    );
    check(&report, "contributor_months", &[], &json!({ "month": "2026-01", "active": 2, "new": 2 }));
    assert_eq!(rows(&report, "hours", &[]).len(), 0, "nobody asked for working hours");
}

#[test]
fn the_history_of_lines_can_be_left_out() {
    let room = Room::new();
    let repository = history(&room);
    let report = room.report(&[repository.text(), "--no-line-history"]);
    assert_eq!(report["repositories"][0]["conservation"]["holds"], true);
    check(&report, "groups", &[("scope", "repository")], &json!({ "commits": 4, "rework_own": null }));
    for table in ["burndown", "survival"] {
        assert_eq!(rows(&report, table, &[]).len(), 0, "{table}");
    }
    // Asked for again, it is there again.
    let report = room.report(&[repository.text()]);
    check(&report, "groups", &[("scope", "repository")], &json!({ "rework_own": 2 }));
}

#[test]
fn facts_are_written_as_they_are_stored() {
    let room = Room::new();
    let repository = history(&room);
    room.report(&[repository.text()]);
    let (data, out) = (room.text("data"), room.text("facts"));
    room.gitfleet(&["report", "facts", "--data-dir", &data, "--output", &out]).expect(0);
    for name in ["facts_commits.parquet", "facts_files.parquet"] {
        let bytes = std::fs::read(room.path("facts").join(name)).unwrap();
        assert!(bytes.starts_with(b"PAR1") && bytes.ends_with(b"PAR1"), "{name}");
    }
    room.write("hide.yaml", "reports: {anonymize: true}\n");
    let hide = room.text("hide.yaml");
    room.gitfleet(&["report", "facts", "-c", &hide, "--data-dir", &data]).expect(2).says(&["names", "hint"]);
}
