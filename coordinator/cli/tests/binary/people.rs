//! Who is who: decided, told with its reason, and hidden in every form where it is to be hidden.

use serde_json::Value;

use crate::room::Room;

/// What must not be seen of the people of [`repository`].
const SECRETS: [&str; 7] =
    ["Ann Archer", "ann@corp.example", "archer", "Bob Baker", "bob@corp.example", "baker", "Cy Carver"];

/// A room with a repository that names people wherever git knows a place for names.
fn room() -> Room {
    let room = Room::new();
    let repository = room.repository("shop");
    repository.commit_by("Ann Archer <ann@corp.example>", "a.rs", 3, "2026-01-05T12:00:00Z");
    repository.commit_by("A. A. <ann@home.example>", "b.rs", 2, "2026-01-06T12:00:00Z");
    repository.commit_by("Bob Baker <bob@corp.example>", "c.rs", 4, "2026-01-07T12:00:00Z");
    repository.commit_by("deps-robot[bot] <robot@corp.example>", "d.rs", 1, "2026-01-08T12:00:00Z");
    repository.git(&[
        "commit",
        "--author=Bob Baker <bob@corp.example>",
        "--quiet",
        "--allow-empty",
        "--message=fix: what Ann Archer broke\n\nCo-authored-by: Cy Carver <cy.carver@corp.example>",
    ]);
    room
}

fn people(report: &Value) -> Vec<(String, u64, String)> {
    let rows = report["tables"]["people"].as_array().unwrap().iter();
    let row = |row: &Value| {
        let text = |name: &str| row[name].as_str().unwrap_or_default().to_owned();
        (text("name"), row["commits"].as_u64().unwrap(), text("class"))
    };
    rows.map(row).collect()
}

#[test]
fn bots_are_told_apart_and_co_authors_credited() {
    let room = room();
    let report = room.report(&[&room.text("shop")]);
    assert_eq!(report["totals"]["commits"], 5, "a bot's commit is a commit");
    assert_eq!(report["totals"]["developers"], 3, "and a bot is nobody");
    assert!(people(&report).contains(&("deps-robot[bot]".into(), 1, "bot".into())));
    let rows = report["tables"]["people"].as_array().unwrap();
    let carver = rows.iter().find(|row| row["name"] == "Cy Carver").unwrap();
    assert_eq!((&carver["commits"], &carver["co_authored"]), (&0.into(), &1.into()));
}

#[test]
fn decisions_make_one_of_two_and_can_be_taken_back() {
    let room = room();
    let (source, data) = (room.text("shop"), room.text("data"));
    room.report(&[&source]);
    let run = |arguments: &[&str]| room.gitfleet(&[arguments, &["--data-dir", &data]].concat());
    assert!(run(&["people", "show", "ann@corp.example"]).expect(0).text().contains("itself"));
    run(&["people", "link", "ann@corp.example", "ann@home.example", "--reason", "she said so"]).expect(0);
    assert!(run(&["people", "decisions"]).expect(0).text().contains("she said so"));
    // Made anew of what is stored: the repository is gone.
    std::fs::rename(room.path("shop"), room.path("gone")).unwrap();
    let out = room.text("made");
    run(&["report", "make", "--output", &out]).expect(0);
    let made = room.json("made/report.json");
    assert!(people(&made).contains(&("A. A.".into(), 2, "human".into())), "{:?}", people(&made));
    assert!(run(&["people", "show", "ann@home.example"]).expect(0).text().contains("manual_link"));
    run(&["people", "unlink", "ann@corp.example", "ann@home.example"]).expect(0);
    run(&["report", "make", "--output", &out]).expect(0);
    assert!(people(&room.json("made/report.json")).contains(&("Ann Archer".into(), 1, "human".into())));
    run(&["people", "forget", "ann@home.example", "ann@corp.example"]).expect(0);
    run(&["people", "forget", "ann@home.example", "ann@corp.example"]).expect(3).says(&["hint"]);
    run(&["people", "link", "Ann", "ann@corp.example"]).expect(2).says(&["Ann", "hint"]);
    run(&["people", "show", "nobody"]).expect(3).says(&["nobody", "hint"]);
}

#[test]
fn a_change_of_mind_needs_no_git() {
    let room = room();
    let (source, data, out) = (room.text("shop"), room.text("data"), room.text("made"));
    room.report(&[&source]);
    std::fs::rename(room.path("shop"), room.path("gone")).unwrap();
    room.write(
        "mind.yaml",
        "teams:\n  - name: Store\n    members: [ann@corp.example, {person: Bob Baker, until: 2026-01-01}]\n\
         people:\n  mappings:\n    - {name: Ann A., primary_email: ann@corp.example, aliases: [ann@home.example]}\n\
         work:\n  words: {fix: Repair}\nanalysis: {time_zone: Asia/Tokyo}\n",
    );
    let mind = room.text("mind.yaml");
    room.gitfleet(&["report", "make", "-c", &mind, "--data-dir", &data, "--output", &out]).expect(0);
    let made = room.json("made/report.json");
    assert_eq!(made["window"]["time_zone"], "Asia/Tokyo");
    assert!(people(&made).contains(&("Ann A.".into(), 2, "human".into())));
    let groups = made["tables"]["groups"].as_array().unwrap();
    let store = groups.iter().find(|row| row["scope"] == "team").unwrap();
    assert_eq!((&store["subject"], &store["commits"]), (&"Store".into(), &2.into()), "Bob had left the team");
    let categories = made["tables"]["categories"].as_array().unwrap();
    assert!(categories.iter().any(|row| row["category"] == "Repair"), "{categories:?}");
    let diff = room.gitfleet(&["report", "diff", &room.text("out"), &out]).expect(0);
    assert!(diff.text().contains("configuration"), "{}", diff.text());
}

/// Reads all files of a report.
fn artefacts(room: &Room, folder: &str) -> Vec<(String, String)> {
    let entries = std::fs::read_dir(room.path(folder)).unwrap();
    let files = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    files.map(|name| (name.clone(), room.read(&format!("{folder}/{name}")))).collect()
}

#[test]
fn no_name_is_in_any_form_of_a_report_without_names() {
    let room = room();
    let source = room.text("shop");
    for hidden in ["--anonymize", "--public"] {
        room.report(&[&source, hidden]);
        let artefacts = artefacts(&room, "out");
        assert!(artefacts.len() > 30, "{}", artefacts.len());
        for (name, text) in artefacts {
            let lower = text.to_lowercase();
            for secret in SECRETS {
                assert!(!lower.contains(&secret.to_lowercase()), "{secret} in {name} with {hidden}");
            }
        }
    }
    let report = room.json("out/report.json");
    assert_eq!(report["developers"].as_array().unwrap().len(), 0);
    assert_eq!(report["totals"]["developers"], 3, "how many is no secret");
}

#[test]
fn pseudonyms_stay_the_same_and_depend_on_the_key() {
    let room = room();
    let source = room.text("shop");
    let told = |report: &Value| people(report).into_iter().map(|(name, ..)| name).collect::<Vec<_>>();
    let first = told(&room.report(&[&source, "--anonymize"]));
    assert!(first.iter().all(|name| name.starts_with("Person ")), "{first:?}");
    let (again, data) = (room.text("again"), room.text("data"));
    room.gitfleet(&["report", "make", "--anonymize", "--data-dir", &data, "--output", &again]).expect(0);
    assert_eq!(told(&room.json("again/report.json")), first);
    room.write("key.yaml", "reports: {anonymize: true, pseudonym_key: another}\n");
    let key = room.text("key.yaml");
    room.gitfleet(&["report", "make", "-c", &key, "--data-dir", &data, "--output", &again]).expect(0);
    assert!(told(&room.json("again/report.json")).iter().all(|name| !first.contains(name)));
}
