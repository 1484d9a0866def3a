//! Reports of the fleet, and those of one machine.

use crate::fleet::{document, files, idle, working};
use crate::history;
use crate::schema::assert_valid;

#[test]
fn the_report_is_the_one_that_analyze_makes() {
    let fleet = working();
    let (one, two) = (fleet.repository("same-1", 11), fleet.repository("same-2", 12));
    let sources = [one, format!("file://{two}")];
    let sources: Vec<&str> = sources.iter().map(String::as_str).collect();
    let batch = fleet.submit(&sources);
    fleet.run(&["batch", "watch", &batch, "--quiet"]).expect(0);
    let shown = fleet.run(&["report", "show", &batch]).expect(0).stdout;
    let (ours, theirs, data) = (fleet.text("ours"), fleet.text("theirs"), fleet.text("analyze"));
    fleet.run(&["report", "export", &batch[..16], "--output", &ours]).expect(0).shows(&["report.html"]);
    let analyze = ["analyze", "--output", &theirs, "--data-dir", &data, "--quiet"];
    fleet.run(&[&analyze, &sources[..]].concat()).expect(0);
    let read = |folder: &str, name: &str| std::fs::read_to_string(fleet.path(folder).join(name)).unwrap();
    assert_eq!(read("ours", "report.json"), shown);
    let mut compared = 0;
    for file in files(&fleet.path("theirs")) {
        let name = file.file_name().unwrap().to_str().unwrap();
        if name != "manifest.json" {
            assert_eq!(read("ours", name), read("theirs", name), "{name}");
            compared += 1;
        }
    }
    assert!(compared > 10, "{compared}");
    let schema = serde_json::from_str(&fleet.run(&["report", "schema"]).expect(0).stdout).unwrap();
    assert_valid(&schema, &schema, &serde_json::from_str(&shown).unwrap());
    let few = fleet.text("few");
    let json = fleet.run(&["report", "export", &batch, "--output", &few, "--format", "csv", "--json"]);
    assert_eq!(json.expect(0).stdout, shown);
    assert!(!fleet.path("few/report.json").exists() && fleet.path("few/summary.csv").exists());
    fleet.run(&["report", "export", &batch, "--format", "pdf"]).expect(2).says(&["pdf", "hint"]);
}

#[test]
fn two_reports_are_compared() {
    let fleet = working();
    let history = history::generate(13);
    let repository = history.path().to_str().unwrap();
    let batch = || {
        let batch = fleet.json(&["submit", repository, "--wait"], "get", "/batches/{id}");
        batch["id"].as_str().unwrap().to_owned()
    };
    let (first, second) = (batch(), batch());
    fleet.run(&["batch", "diff", &first, &second]).expect(0).shows(&["the same, byte for byte"]);
    history.commit("new.txt", "a line\n", "2026-01-05T12:00:00Z");
    let third = batch();
    let rows = |ended: crate::fleet::Ended| ended.expect(7).shows(&["commits", "repository"]).stdout;
    let text = rows(fleet.run(&["batch", "diff", &second, &third]));
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    let schema = serde_json::json!({
        "type": "array", "items": {"$ref": "#/components/schemas/DifferenceView"}
    });
    let values = fleet.json_as(&["batch", "diff", &second, &third], &schema);
    assert!(values.as_array().unwrap().iter().any(|row| row["what"] == "additions"), "{values}");
    assert!(document()["components"]["schemas"]["DifferenceView"].is_object());
}

#[test]
fn a_batch_without_a_report_says_what_it_is_at() {
    let fleet = idle();
    let batch = fleet.submit(&[&fleet.repository("unreported", 14)]);
    fleet.run(&["report", "show", &batch]).expect(3).says(&["running", "gitfleet batch watch"]);
    fleet.run(&["report", "export", &batch]).expect(3).says(&["running"]);
}
