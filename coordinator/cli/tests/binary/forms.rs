//! The forms of the report and the folder they lie in.

use std::collections::BTreeSet;

use gitfleet_coordinator::report::tables::Tables;
use serde_json::Value;

use crate::history;
use crate::repository::git;
use crate::room::{Room, contents};
use crate::schema;

const CSV: [&str; 34] = [
    "burndown.csv",
    "categories.csv",
    "cohorts.csv",
    "components.csv",
    "contributor_months.csv",
    "coupling.csv",
    "coverage.csv",
    "data_quality.csv",
    "deployments.csv",
    "developer_weeks.csv",
    "developers.csv",
    "dora.csv",
    "entropy_weeks.csv",
    "exclusions.csv",
    "files.csv",
    "findings.csv",
    "group_weeks.csv",
    "groups.csv",
    "hours.csv",
    "identities.csv",
    "languages.csv",
    "languages_at_tip.csv",
    "metrics.csv",
    "open_identities.csv",
    "people.csv",
    "repositories.csv",
    "requests.csv",
    "reverts.csv",
    "summary.csv",
    "survival.csv",
    "tickets.csv",
    "truck_factor.csv",
    "untracked_commits.csv",
    "weeks.csv",
];

/// All Parquet files of a report.
fn parquet() -> Vec<&'static str> {
    let activity = ["developer_weeks.parquet", "developers.parquet", "languages.parquet", "weeks.parquet"];
    let tables = Tables::default().all();
    let tables = tables.iter().map(|table| &*format!("{}.parquet", table.name).leak());
    activity.into_iter().chain(tables).collect()
}

fn names(room: &Room) -> BTreeSet<String> {
    contents(&room.path("out")).into_keys().map(|path| path.to_str().unwrap().to_owned()).collect()
}

fn set(names: &[&[&str]]) -> BTreeSet<String> {
    names.concat().into_iter().map(str::to_owned).collect()
}

/// A room with one small report in it.
fn reported() -> (Room, Value) {
    let room = Room::new();
    let repository = room.repository("r");
    repository.commit("a.rs", 3, "2026-01-05T12:00:00Z");
    repository.commit_by("Bob <bob@example>", "b.py", 4, "2026-01-14T12:00:00Z");
    let report = room.report(&[repository.text()]);
    (room, report)
}

#[test]
fn all_forms_are_written_by_default() {
    let (room, _) = reported();
    let always = [".gitignore", "manifest.json", "report.html", "report.json", "report.md"];
    assert_eq!(names(&room), set(&[&always, &CSV]));
}

#[test]
fn the_forms_asked_for_take_the_place_of_others() {
    let (room, _) = reported();
    let source = room.text("r");
    room.write("out/notes.txt", "mine");
    let always: &[&str] = &[".gitignore", "manifest.json", "notes.txt"];
    for (asked, written) in [
        ("csv", &CSV[..]),
        ("parquet", &parquet()),
        ("json,html", &["report.json", "report.html"]),
        ("markdown", &["report.md"]),
        ("md,json", &["report.md", "report.json"]),
    ] {
        room.analyze(&[&source, "--format", asked]).expect(0);
        assert_eq!(names(&room), set(&[always, written]), "{asked}");
    }
    assert_eq!(room.read("out/notes.txt"), "mine");
    room.analyze(&[&source, "--format", "pdf"]).expect(2).says(&["pdf"]);
    room.analyze(&[&source, "--format", "markdwn"]).expect(2).says(&["markdown"]);
    assert_eq!(names(&room), set(&[always, &["report.md", "report.json"]]));
}

#[test]
fn the_report_is_as_its_schema_says_and_is_shown_again() {
    let (room, history) = (Room::new(), history::generate(31));
    let data = room.text("data");
    room.gitfleet(&["report", "show", "--data-dir", &data]).expect(3).says(&["hint"]);
    let gone = room.text("gone");
    room.analyze(&[history.path().to_str().unwrap(), &gone]).expect(8);
    let schema: Value =
        serde_json::from_slice(&room.gitfleet(&["report", "schema"]).expect(0).stdout).unwrap();
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    schema::assert_valid(&schema, &schema, &room.json("out/report.json"));
    let shown = room.gitfleet(&["report", "show", "--data-dir", &data]).expect(0);
    assert_eq!(shown.text(), room.read("out/report.json"));
}

#[test]
fn tables_hold_the_numbers_of_the_report() {
    let (room, report) = reported();
    assert_eq!(
        room.read("out/developers.csv"),
        "name,email,commits,additions,deletions,files_changed,active_days,repositories,first_commit_on,\
         last_commit_on\n\
         Ann,ann@example,1,3,0,1,1,1,2026-01-05,2026-01-05\n\
         Bob,bob@example,1,4,0,1,1,1,2026-01-14,2026-01-14\n"
    );
    assert_eq!(
        room.read("out/weeks.csv"),
        "week,starts_on,commits,merges,developers,additions,deletions,files_changed\n\
         2026-W02,2026-01-05,1,0,1,3,0,1\n\
         2026-W03,2026-01-12,1,0,1,4,0,1\n"
    );
    let repositories = room.read("out/repositories.csv");
    let head = report["repositories"][0]["head"].as_str().unwrap();
    assert!(repositories.contains(head) && repositories.lines().count() == 2, "{repositories}");
    for name in ["out/report.md", "out/report.html"] {
        let text = room.read(name);
        for word in ["Ann", "Bob", "2026-W02", "2026-W03", "2026-01-14"] {
            assert!(text.contains(word), "{word} in {name}");
        }
    }
}

#[test]
fn the_page_loads_nothing_from_anywhere() {
    let (room, history) = (Room::new(), history::generate(32));
    // The source of a repository is an address that stands in the page.
    let url = format!("file://{}", history.path().display());
    room.report(&[&url]);
    let page = room.read("out/report.html");
    let lower = page.to_lowercase();
    for word in ["<link", "<img", "<iframe", "<object", "<embed", "@import", "url(", "src=", "srcset="] {
        assert!(!lower.contains(word), "{word}");
    }
    for scheme in ["http:", "https:", "//"] {
        for quote in ["\"", "'"] {
            assert!(!lower.contains(&format!("href={quote}{scheme}")), "{scheme}");
        }
    }
    only_our_script(&page);
    assert!(page.contains("<svg"), "charts stand in the page");
    assert!(page.contains("prefers-color-scheme") && page.contains("@media print"));
}

/// The one script stands at the end, after all that a repository may have written, and is allowed by its hash alone.
fn only_our_script(page: &str) {
    assert_eq!(page.to_lowercase().matches("<script").count(), 1);
    let (_, behind) = page.split_once("</footer>\n<script>(function () {\n").expect("our script");
    assert!(behind.ends_with("})();\n</script>\n</body>\n</html>\n"));
    let policy =
        page.split("Content-Security-Policy\" content=\"").nth(1).and_then(|rest| rest.split('"').next());
    let policy = policy.expect("a policy");
    let script = policy.split("; ").find(|rule| rule.starts_with("script-src")).expect("a rule for scripts");
    assert!(script.starts_with("script-src 'sha256-") && script.matches(' ').count() == 1, "{policy}");
    assert!(policy.starts_with("default-src 'none';"), "{policy}");
}

#[test]
fn hostile_names_are_shown_and_do_nothing() {
    let room = Room::new();
    let repository = room.repository("<img src=x onerror=alert(1)>");
    repository.commit("a", 1, "2026-01-05T12:00:00Z");
    let authors: [&[u8]; 6] = [
        b"<script>alert(1)</script> <x@y>",
        b"=cmd|' /C calc'!A0 <formula@example>",
        b"\x1b]0;owned\x07 <\x1b[2J@example>",
        "gnp\u{202e}exe <bidi@example>".as_bytes(),
        b"\"> onmouseover=\"alert(1) <=1+1@example>",
        b"a|b `c` [d](javascript:alert(1)) <md@example>",
    ];
    for (number, author) in authors.iter().enumerate() {
        repository.commit_by_raw(author, 1_767_614_400 + number as i64);
    }
    let hostile_path = format!("{}\u{1b}]0;owned\u{7}\u{202e}", room.text("gone"));
    let ended = room.analyze(&[repository.text(), &hostile_path]).expect(8);

    // Who they are is git's to say, and JSON holds it exactly.
    let report = room.json("out/report.json");
    let people = git(repository.path(), &["log", "--format=%aN%x09%aE"]);
    let expect: BTreeSet<(&str, &str)> = people.lines().map(|line| line.split_once('\t').unwrap()).collect();
    let told = report["developers"].as_array().unwrap().iter();
    let told: BTreeSet<(&str, &str)> =
        told.map(|row| (row["name"].as_str().unwrap(), row["email"].as_str().unwrap())).collect();
    assert_eq!(told, expect);
    assert!(expect.iter().any(|(name, _)| name.contains('\u{1b}')) && expect.len() == 7, "{expect:?}");

    let steers = |text: &str| text.contains(['\u{1b}', '\u{7}', '\u{202e}']);
    for (name, text) in [
        ("stdout", ended.text().to_owned()),
        ("stderr", ended.stderr.clone()),
        ("json", room.read("out/report.json")),
        ("markdown", room.read("out/report.md")),
        ("html", room.read("out/report.html")),
    ] {
        assert!(!steers(&text), "{name}");
    }
    let plan = room.analyze(&[repository.text(), &hostile_path, "--dry-run"]).expect(8);
    assert!(!steers(plan.text()) && !steers(&plan.stderr));

    let page = room.read("out/report.html");
    let lower = page.to_lowercase();
    only_our_script(&page);
    for live in ["<img", "\" onmouseover", "\"> onmouseover", "href=\"javascript"] {
        assert!(!lower.contains(live), "{live}");
    }
    assert!(page.contains("&lt;img src=x onerror=alert(1)&gt;"));
    let markdown = room.read("out/report.md");
    // A bracket behind a backslash is text.
    let live = markdown.replace("\\]", "").to_lowercase();
    assert!(!live.contains("<img") && !live.contains("<script") && !live.contains("](javascript"));
    for name in CSV {
        let table = room.read(&format!("out/{name}"));
        for cell in cells(&table) {
            let number = cell.parse::<f64>().is_ok();
            assert!(number || !cell.starts_with(['=', '+', '-', '@', '\t', '\r']), "{name}: {cell}");
        }
    }
    let developers = room.read("out/developers.csv");
    assert!(cells(&developers).contains(&"'=cmd|' /C calc'!A0".to_owned()), "{developers}");
}

/// Returns the cells of a table as RFC 4180 has them.
fn cells(table: &str) -> Vec<String> {
    let mut cells = vec![String::new()];
    let mut quoted = false;
    for c in table.chars() {
        match c {
            '"' => quoted = !quoted,
            ',' | '\n' if !quoted => cells.push(String::new()),
            c => cells.last_mut().unwrap().push(c),
        }
    }
    cells
}

#[test]
fn the_folder_is_made_with_those_above_it_and_cannot_be_a_file() {
    let room = Room::new();
    let repository = room.repository("r");
    repository.commit("a", 1, "2026-01-05T12:00:00Z");
    let (data, deep) = (room.text("data"), room.text("a/b/c"));
    room.gitfleet(&["analyze", repository.text(), "--data-dir", &data, "--output", &deep]).expect(0);
    assert!(room.path("a/b/c/report.json").exists());
    room.write("file", "");
    let file = room.text("file");
    room.gitfleet(&["analyze", repository.text(), "--data-dir", &data, "--output", &file])
        .expect(2)
        .says(&[&file]);
    // By default it is made where one stands.
    room.gitfleet(&["analyze", repository.text(), "--data-dir", &data]).expect(0);
    assert!(room.path("desk/gitfleet-report/report.html").exists());
}
