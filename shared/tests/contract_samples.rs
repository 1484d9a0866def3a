//! Messages of every version that was ever sent must still be read, or be refused by their version. The samples in
//! `samples/` are never rewritten; a new version adds a file. `GITFLEET_WRITE_SAMPLES=1` writes those that are
//! missing.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::path::PathBuf;

use gitfleet_shared::contract::{
    Answer, AttributesFile, Base, CONTRACT_VERSION, Changed, Control, ErasedList, Failure, FailureClass,
    HandedBack, Heartbeat, Identity, Job, Mainline, MainlineNet, Outcome, Revisions, Running, SliceResult,
    Snapshot, Source, SurveyResult, Tag, TipFile, TipResult, Why, Work, WorkResult,
};
use gitfleet_shared::facts::{
    ChangeKind, ClaimedTime, CommitFacts, FACTS_VERSION, FileChange, How, Hunk, Lines, MergedPath, Origin,
    Signature, UnknownReason,
};
use gitfleet_shared::ids::{BatchId, JobId};
use gitfleet_shared::object_id::ObjectId;
use gitfleet_shared::people::erasure::{Erased, Mark, MarkKind};

fn sample(name: &str, current: &[u8]) -> Vec<u8> {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/samples").join(name);
    #[expect(clippy::disallowed_methods, reason = "a switch for whoever adds a version")]
    if !file.exists() && std::env::var("GITFLEET_WRITE_SAMPLES").is_ok() {
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, current).unwrap();
    }
    std::fs::read(&file).unwrap_or_else(|error| panic!("sample {name}: {error}; see the head of this file"))
}

fn id(number: u8) -> ObjectId {
    ObjectId::try_from(&[number; 20][..]).unwrap()
}

fn batch() -> BatchId {
    BatchId::from_bytes([5; 16])
}

fn job(work: Work) -> Job {
    Job {
        id: JobId::derive(batch(), &work.key()),
        batch: batch(),
        source: Source::Remote { url: "https://git.example/a/b".into() },
        work,
        max_blob_bytes: 1 << 20,
        line_history: true,
        credential: Some("corp".into()),
        erased: Some(ErasedList {
            key: [3; 32],
            people: vec![Erased {
                digits: "4f7a2c".into(),
                marks: vec![Mark { kind: MarkKind::Name, words: 2, digest: [4; 32] }],
            }],
        }),
    }
}

fn outcome(result: Result<WorkResult, Failure>) -> Outcome {
    Outcome {
        job: JobId::derive(batch(), b"work"),
        batch: batch(),
        worker: "w".into(),
        elapsed_millis: 12,
        result,
    }
}

fn heartbeat() -> Heartbeat {
    Heartbeat {
        worker: Identity { name: "h-1-a".into(), host: "h".into(), version: "0.1.0".into() },
        slots: 2,
        running: vec![Running { job: JobId::derive(batch(), b"work"), batch: batch(), done: 640 }],
        draining: false,
        leaving: false,
    }
}

fn facts() -> CommitFacts {
    let signature = |name: &[u8]| Signature { name: name.to_vec(), email: b"a@example".to_vec() };
    let hunk = Hunk { old_start: 4, old_lines: 1, new_start: 4, new_lines: 3 };
    let file = |path: &[u8], kind, lines| {
        let hunks = if path == b"e" { vec![hunk] } else { Vec::new() };
        FileChange { path: path.to_vec(), kind, lines, hunks, content: [7; 8] }
    };
    let merged = |path: &[u8], how| MergedPath { path: path.to_vec(), how };
    let counted = Lines::Counted { added: 3, deleted: 1 };
    CommitFacts {
        id: id(1),
        parents: vec![id(2), id(3)],
        author: signature(b"Ren\xc3\xa9"),
        authored: ClaimedTime { seconds: Some(1_700_000_000), offset_minutes: -480 },
        committer: signature(b"\xff"),
        committed: ClaimedTime { seconds: None, offset_minutes: 0 },
        message: b"subject\n\nbody\n".to_vec(),
        files: vec![
            file(b"a", ChangeKind::Added, counted),
            file(b"b", ChangeKind::Deleted, Lines::Binary { net_text_lines: -4 }),
            file(b"c", ChangeKind::Modified, Lines::Unknown(UnknownReason::MissingObject)),
            file(
                b"e",
                ChangeKind::Renamed {
                    from: b"d".to_vec(),
                    whole_old: Lines::Counted { added: 0, deleted: 9 },
                    whole_new: Lines::Counted { added: 11, deleted: 0 },
                },
                counted,
            ),
        ],
        merged: vec![
            merged(b"f", How::Taken { parent: 1 }),
            merged(b"g", How::Gone),
            merged(b"h", How::Unknown(UnknownReason::TooLarge)),
            merged(
                b"i",
                How::Composed {
                    lines: Some(5),
                    content: [8; 8],
                    from: vec![None, Some(Origin { path: b"j".to_vec(), hunks: vec![hunk] })],
                },
            ),
        ],
    }
}

fn tip() -> TipResult {
    let file = TipFile {
        path: b"a".to_vec(),
        size_bytes: 900,
        lines: Some(77),
        code_lines: 70,
        indentation_sum: 12,
        indentation_square_sum: 48,
        indentation_max: 8,
        head_says_generated: false,
    };
    TipResult { lines: 77, unknown_files: 0, files: vec![file], more_files: 1 }
}

#[test]
fn jobs_are_read() {
    let base = Base { refs: [9; 32], tips: vec![id(1), id(2)], head: Some(id(1)) };
    let works = [
        ("survey", Work::Survey { revisions: Revisions::Branch("main".into()), base: Some(base) }),
        ("slice", Work::Slice { head: id(1), commits: vec![id(1), id(2)], mainline_merges: vec![id(3)] }),
        ("tip", Work::Tip { head: id(1) }),
    ];
    for (name, work) in works {
        let job = job(work);
        let bytes = sample(&format!("job-{name}-v{CONTRACT_VERSION}"), &job.encode());
        assert_eq!(Job::decode(&bytes).unwrap(), job, "{name}");
    }
}

#[test]
fn outcomes_are_read() {
    let snapshot = Snapshot {
        refs: [8; 32],
        head: Some(id(1)),
        branch: Some("main".into()),
        tips: vec![id(1)],
        attributes: [0; 32],
        shallow: false,
        mailmap: Some(b"A <a@example>\n".to_vec()),
        tags: vec![Tag {
            name: b"v1".to_vec(),
            target: id(1),
            time: ClaimedTime { seconds: Some(1), offset_minutes: 60 },
            annotated: true,
        }],
        attributes_files: vec![AttributesFile {
            directory: b"gen/".to_vec(),
            content: b"* linguist-generated\n".to_vec(),
        }],
    };
    let changed = Changed {
        snapshot,
        since_base: true,
        added: vec![id(1)],
        costs: vec![300],
        mainline: Mainline { continues_base: true, commits: vec![id(1)], merges: vec![] },
    };
    let slice = SliceResult {
        facts: vec![facts()],
        mainline_merges: vec![(
            id(3),
            MainlineNet { net_lines: -7, binary_flip_lines: 2, unknown_files: 2, passing_files: 1 },
        )],
        undone: vec![id(6)],
        undone_merges: vec![id(7)],
        cache_hits: 1,
    };
    let results = [
        ("survey", Ok(WorkResult::Survey(SurveyResult::Changed(Box::new(changed))))),
        ("unchanged", Ok(WorkResult::Survey(SurveyResult::Unchanged))),
        ("slice", Ok(WorkResult::Slice(slice))),
        ("tip", Ok(WorkResult::Tip(tip()))),
        ("failure", Err(Failure { class: FailureClass::AddressNotAllowed, message: "private".into() })),
    ];
    for (name, result) in results {
        let outcome = outcome(result);
        let bytes = sample(
            &format!("outcome-{name}-contract-v{CONTRACT_VERSION}-facts-v{FACTS_VERSION}"),
            &outcome.encode(),
        );
        assert_eq!(Outcome::decode(&bytes).unwrap(), outcome, "{name}");
    }
}

#[test]
fn heartbeats_are_read() {
    let heartbeat = heartbeat();
    let bytes = sample(&format!("heartbeat-v{CONTRACT_VERSION}"), &heartbeat.encode());
    assert_eq!(Heartbeat::decode(&bytes).unwrap(), heartbeat);
}

#[test]
fn what_is_handed_back_and_what_is_wanted_are_read() {
    let back = HandedBack {
        job: JobId::derive(batch(), b"work"),
        batch: batch(),
        worker: "w".into(),
        why: Why::Dropped,
    };
    let bytes = sample(&format!("handed-back-v{CONTRACT_VERSION}"), &back.encode());
    assert_eq!(Answer::decode(&bytes).unwrap(), Answer::HandedBack(back));
    let control = Control {
        draining: vec!["w".into()],
        paused: vec![batch()],
        cancelled: vec![BatchId::from_bytes([6; 16])],
    };
    let bytes = sample(&format!("control-v{CONTRACT_VERSION}"), &control.encode());
    assert_eq!(Control::decode(&bytes).unwrap(), control);
}

/// Nobody has to guess what an older one means: it is refused by its version, and its job is sent again.
#[test]
fn messages_of_older_versions_are_refused() {
    let samples = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/samples");
    let (mut jobs, mut outcomes, mut heartbeats) = (0, 0, 0);
    for entry in std::fs::read_dir(samples).unwrap() {
        let path = entry.unwrap().path();
        let (name, bytes) = (path.file_name().unwrap().to_str().unwrap(), std::fs::read(&path).unwrap());
        if name.contains(&format!("-v{CONTRACT_VERSION}")) {
            continue;
        }
        if name.starts_with("job-") {
            assert!(Job::decode(&bytes).is_err(), "{name}");
            jobs += 1;
        } else if name.starts_with("outcome-") {
            assert!(Outcome::decode(&bytes).is_err(), "{name}");
            outcomes += 1;
        } else {
            assert!(Heartbeat::decode(&bytes).is_err(), "{name}");
            heartbeats += 1;
        }
    }
    assert_eq!((jobs, outcomes, heartbeats), (12, 20, 8));
}

#[test]
fn a_message_of_another_kind_or_version_is_refused() {
    let heartbeat = heartbeat();
    assert!(Job::decode(&heartbeat.encode()).is_err());
    let newer = gitfleet_shared::codec::encode(
        gitfleet_shared::codec::Kind::Heartbeat,
        CONTRACT_VERSION + 1,
        &heartbeat,
    );
    assert!(Heartbeat::decode(&newer).is_err());
}
