//! `gitfleet backup` and `restore` at the store of one machine.

use std::os::unix::fs::PermissionsExt as _;

use crate::history;
use crate::room::{Room, contents};

#[test]
fn a_store_comes_back_and_a_damaged_backup_does_not() {
    let (room, history) = (Room::new(), history::generate(71));
    let path = history.path().to_str().unwrap();
    room.write("desk/gitfleet.yaml", "analysis:\n  batch_size: 50\n");
    room.report(&[path]);
    let report = room.lasting_files();
    let (data, backup) = (room.text("data"), room.text("backup"));
    let save = |to: &str| room.gitfleet(&["backup", "--output", to, "--data-dir", &data]);
    let restore = |from: &str, to: &str| room.gitfleet(&["restore", from, "--data-dir", to]);
    let made = save(&backup).expect(0);
    assert!(made.text().contains("4 files") && made.text().contains("schema"), "{}", made.text());
    let mode = |path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(room.path("backup")), 0o700);
    let files = contents(&room.path("backup"));
    assert_eq!(files.len(), 4);
    for name in files.keys() {
        assert_eq!(mode(room.path("backup").join(name)), 0o600, "{}", name.display());
    }
    // sha256sum reads the seal.
    let checked = std::process::Command::new("sha256sum")
        .args(["--check", "--status", "manifest.sha256"])
        .current_dir(room.path("backup"))
        .status();
    assert!(checked.unwrap().success());
    save(&backup).expect(6).says(&["is there already", "hint"]);
    assert_eq!(contents(&room.path("backup")), files, "the first one stays");

    // Every file, cut and flipped.
    for name in files.keys() {
        let (path, bytes) = (room.path("backup").join(name), &files[name]);
        let mut flipped = bytes.clone();
        flipped[bytes.len() / 2] ^= 1;
        for wrong in [&flipped, &bytes[..bytes.len() - 1].to_vec()] {
            std::fs::write(&path, wrong).unwrap();
            restore(&backup, &room.text("other")).expect(7).says(&["damaged", "hint"]);
        }
        std::fs::remove_file(&path).unwrap();
        let ended = restore(&backup, &room.text("other"));
        assert!([Some(3), Some(7)].contains(&ended.code), "{}", ended.stderr);
        std::fs::write(&path, bytes).unwrap();
    }
    assert!(!room.path("other").join("store.sqlite3").exists());

    let restored = restore(&backup, &room.text("other")).expect(0);
    assert!(restored.text().contains("backup/gitfleet.yaml"), "{}", restored.text());
    assert_eq!(mode(room.path("other/store.sqlite3")), 0o600);
    // The store knows everything: the same report, though the repository has gone since.
    let show = |data: &str| room.gitfleet(&["report", "show", "--data-dir", data]).expect(0).stdout;
    assert_eq!(show(&room.text("other")), show(&data));
    room.analyze(&["--data-dir", &room.text("other"), path]);
    assert_eq!(room.lasting_files(), report);

    restore(&backup, &data).expect(6).says(&["not empty", "--replace"]);
    room.gitfleet(&["restore", &backup, "--replace", "--data-dir", &data]).expect(0);
    room.report(&[path]);
    assert_eq!(room.lasting_files(), report);
}

#[test]
fn what_is_no_store_is_not_saved_and_what_is_no_backup_not_restored() {
    let room = Room::new();
    let (data, backup) = (room.text("data"), room.text("backup"));
    room.gitfleet(&["backup", "--output", &backup, "--data-dir", &data])
        .expect(3)
        .says(&["there is no store", "hint"]);
    assert!(!room.path("backup").exists() && !room.path("data").exists());
    room.gitfleet(&["restore", &backup, "--data-dir", &data]).expect(3).says(&["no whole backup", "hint"]);
}
