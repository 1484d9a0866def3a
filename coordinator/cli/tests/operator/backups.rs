//! A fleet's store is saved while the fleet works, and brought back into another database.

use crate::fleet::{Ended, get, servers, working};

#[test]
fn a_working_fleet_is_saved_and_comes_back_elsewhere() {
    let fleet = working();
    let batch = fleet.submit(&[&fleet.repository("saved", 72)]);
    fleet.run(&["batch", "watch", &batch, "--quiet"]).expect(0);
    let shown = fleet.run(&["report", "show", &batch]).expect(0).stdout;
    let folder = fleet.text("backup");
    fleet.run(&["backup", "--output", &folder]).expect(0).shows(&["files", "schema"]);
    // Not over the fleet that works.
    fleet.run(&["restore", &folder, "--replace"]).expect(6).says(&["a coordinator leads", "hint"]);
    fleet
        .run(&["restore", &folder, "--data-dir", &fleet.text("elsewhere")])
        .expect(2)
        .says(&["PostgreSQL", "hint"]);

    let other = servers().postgres.database();
    let at = |arguments: &[&str]| {
        let mut command = fleet.command(arguments);
        command.env_remove("GITFLEET_DATABASE_URL_FILE").env("GITFLEET_DATABASE_URL", other.url());
        Ended::of(command.output().unwrap())
    };
    at(&["restore", &folder]).expect(0).shows(&["rows"]);
    at(&["restore", &folder]).expect(6).says(&["not empty", "--replace"]);
    at(&["migrate", "check"]).expect(0);
    // A coordinator of its own serves what was restored.
    let url = other.url().to_owned();
    let listen = format!("127.0.0.1:{}", gitfleet_testkit::port::free());
    let server = format!("http://{listen}");
    let prefix = gitfleet_testkit::unique::name("test");
    let asked = server.clone();
    let file = fleet.text("other_url");
    std::fs::write(&file, &url).unwrap();
    let _coordinator = fleet.process(
        &["coordinator"],
        &[("GITFLEET_DATABASE_URL_FILE", &file), ("GITFLEET_LISTEN", &listen), ("GITFLEET_PREFIX", &prefix)],
        Box::new(move || get(&asked, "/readyz").is_some_and(|answer| answer.contains(" 200 "))),
    );
    let ended = fleet.run(&["report", "show", &batch, "--server", &server]).expect(0);
    assert_eq!(ended.stdout, shown);
}
