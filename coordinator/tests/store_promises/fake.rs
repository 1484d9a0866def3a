//! A worker that answers from a made-up history, and the coordinator's steps around it.

use gitfleet_coordinator::aggregate::aggregate;
use gitfleet_coordinator::collect::{Purpose, collect};
use gitfleet_coordinator::plan::{Decision, plan};
use gitfleet_coordinator::report::json;
use gitfleet_coordinator::store::{
    Effect, Plan, Recording, RepositoryState, Result, Store, StoredJob, Submitted,
};
use gitfleet_coordinator::submit::{Requested, Submission, submit};
use gitfleet_coordinator::terms::Terms;
use gitfleet_shared::contract::{
    AttributesFile, Changed, Job, Mainline, MainlineNet, Outcome, Revisions, Scope, SliceResult, Snapshot,
    Source, SurveyResult, Tag, TipFile, TipResult, Work, WorkResult,
};
use gitfleet_shared::facts::{ChangeKind, ClaimedTime, CommitFacts, FileChange, Hunk, Lines, Signature};
use gitfleet_shared::ids::BatchId;
use gitfleet_shared::object_id::ObjectId;
use gitfleet_shared::window::Window;

const LIMIT: u64 = 1 << 20;
pub(crate) const SCOPE: Scope = Scope { max_blob_bytes: LIMIT, line_history: true };
const AS_OF: i64 = 1_605_000_000;

pub(crate) fn id(number: u32) -> ObjectId {
    let mut bytes = [7; 20];
    bytes[..4].copy_from_slice(&number.to_be_bytes());
    ObjectId::try_from(&bytes[..]).unwrap()
}

pub(crate) fn signature(name: &str) -> Signature {
    Signature { name: name.into(), email: format!("{name}@x").into() }
}

/// Returns a commit by one of some people, with two changed files.
pub(crate) fn commit(number: u32) -> CommitFacts {
    let who = |number: u32| signature(&format!("p{}", number % 17));
    let when = ClaimedTime { seconds: Some(1_600_000_000 + i64::from(number) * 60), offset_minutes: 60 };
    let file = |name: &str, kind, added| FileChange {
        path: format!("src/{name}.rs").into_bytes(),
        kind,
        lines: Lines::Counted { added, deleted: 1 },
        hunks: vec![Hunk { old_start: number, old_lines: 1, new_start: number, new_lines: added }],
        content: [number as u8; 8],
    };
    let renamed = ChangeKind::Renamed {
        from: b"old.rs".to_vec(),
        whole_old: Lines::Counted { added: 0, deleted: 9 },
        whole_new: Lines::Counted { added: 10, deleted: 0 },
    };
    CommitFacts {
        id: id(number),
        parents: vec![id(number + 1)],
        author: who(number),
        authored: when,
        committer: who(number * 3 + 1),
        committed: when,
        message: format!("commit {number}").into_bytes(),
        files: vec![file("a", ChangeKind::Modified, number % 90), file("b", renamed, 2)],
        merged: Vec::new(),
    }
}

/// Returns the tag that names the newest commit.
pub(crate) fn tag(refs: u8) -> Tag {
    let time = ClaimedTime { seconds: Some(i64::from(refs)), offset_minutes: 60 };
    Tag { name: vec![b'v', refs], target: id(u32::from(refs)), time, annotated: true }
}

/// Returns what a worker says of the tip.
pub(crate) fn tip() -> TipResult {
    let file = |path: &str| TipFile {
        path: path.into(),
        size_bytes: 900,
        lines: Some(3),
        code_lines: 2,
        indentation_sum: 8,
        indentation_square_sum: 64,
        indentation_max: 8,
        head_says_generated: false,
    };
    TipResult { lines: 3, unknown_files: 0, files: vec![file("a"), file("b")], more_files: 0 }
}

pub(crate) fn history(numbers: std::ops::Range<u32>) -> Vec<CommitFacts> {
    numbers.map(commit).collect()
}

/// A repository as a worker sees it now.
#[derive(Debug, Clone)]
pub(crate) struct Fake {
    pub(crate) refs: u8,
    pub(crate) history: Vec<CommitFacts>,
    /// The refs at which a survey with that base lists only what is new, and the commits that were there then.
    pub(crate) since: Option<(u8, u32)>,
    pub(crate) mailmap: Option<Vec<u8>>,
}

impl Fake {
    pub(crate) fn of(history: Vec<CommitFacts>) -> Self {
        Self { refs: 1, history, since: None, mailmap: None }
    }

    fn changed(&self, base: Option<u8>) -> Changed {
        let ids: Vec<ObjectId> = self.history.iter().map(|commit| commit.id).collect();
        let since = self.since.filter(|(refs, _)| base == Some(*refs)).map(|(_, commits)| commits as usize);
        let added = &ids[..ids.len() - since.unwrap_or(0)];
        let merges = self.history[..added.len()].iter().filter(|commit| commit.is_merge());
        Changed {
            snapshot: Snapshot {
                refs: [self.refs; 32],
                head: ids.first().copied(),
                branch: Some("main".into()),
                tips: ids.iter().take(1).copied().collect(),
                attributes: [0; 32],
                shallow: false,
                mailmap: self.mailmap.clone(),
                tags: vec![tag(self.refs)],
                attributes_files: vec![AttributesFile {
                    directory: b"gen/".to_vec(),
                    content: b"* linguist-generated\n".to_vec(),
                }],
            },
            since_base: since.is_some(),
            costs: Vec::new(),
            added: added.to_vec(),
            mainline: Mainline {
                continues_base: since.is_some(),
                commits: added.iter().step_by(2).copied().collect(),
                merges: merges.map(|commit| commit.id).collect(),
            },
        }
    }

    pub(crate) fn answer(&self, job: &Job) -> WorkResult {
        match &job.work {
            Work::Survey { base, .. } => {
                let base = base.as_ref().map(|base| base.refs[0]);
                WorkResult::Survey(if base == Some(self.refs) {
                    SurveyResult::Unchanged
                } else {
                    SurveyResult::Changed(Box::new(self.changed(base)))
                })
            }
            Work::Slice { commits, mainline_merges, .. } => WorkResult::Slice(SliceResult {
                facts: self.history.iter().filter(|facts| commits.contains(&facts.id)).cloned().collect(),
                mainline_merges: mainline_merges
                    .iter()
                    .map(|id| (*id, MainlineNet { net_lines: 5, ..MainlineNet::default() }))
                    .collect(),
                undone: Vec::new(),
                undone_merges: Vec::new(),
                cache_hits: 1,
            }),
            Work::Tip { .. } => WorkResult::Tip(tip()),
        }
    }

    pub(crate) fn outcome(&self, job: &Job) -> Outcome {
        Outcome {
            job: job.id,
            batch: job.batch,
            worker: "w".into(),
            elapsed_millis: 1,
            result: Ok(self.answer(job)),
        }
    }
}

pub(crate) const ANALYSE: Purpose = Purpose::Analyse { slice_commits: 50 };

pub(crate) fn terms() -> Terms {
    Terms {
        window: Window::all_history(chrono_tz::UTC),
        as_of_seconds: AS_OF,
        max_blob_bytes: LIMIT,
        line_history: true,
        slice_commits: 100,
        dry_run: false,
        lens: Default::default(),
    }
}

pub(crate) async fn submitted(store: &dyn Store, paths: &[&str]) -> BatchId {
    let requested = paths.iter().map(|path| Requested {
        name: (*path).into(),
        project_key: "R".into(),
        source: Source::Local { path: (*path).into() },
        revisions: Revisions::Head,
        credential: None,
    });
    let submission = Submission {
        repositories: requested.collect(),
        name: "analyze".into(),
        priority: 0,
        labels: Default::default(),
        terms: terms(),
        request: None,
        config: String::new(),
        submitted_at: 0,
    };
    let (batch, submitted) = submit(store, submission).await.unwrap();
    assert_eq!(submitted, Submitted::Now);
    batch
}

/// Takes all waiting jobs out of the outbox.
pub(crate) async fn taken(store: &dyn Store, batch: BatchId) -> Result<Vec<Job>> {
    let jobs = store.unsent(batch, 100_000).await?;
    let sent: Vec<_> = jobs.iter().map(|job| job.id).collect();
    store.mark_sent(&sent, 1).await?;
    Ok(jobs)
}

/// Records one outcome, and keeps no attempt.
pub(crate) async fn record(store: &dyn Store, outcome: &Outcome, effect: Effect<'_>) -> Result<()> {
    store.record(&[Recording { outcome, effect }], None).await.map(drop)
}

/// Records one outcome as the coordinator does.
pub(crate) async fn collected(store: &dyn Store, purpose: Purpose, outcome: &Outcome, ended_at: Option<i64>) {
    collect(store, |_| purpose, &[outcome], ended_at).await.unwrap();
}

/// Carries a batch to its end, all of its repositories being `fake`.
pub(crate) async fn finish(store: &dyn Store, batch: BatchId, fake: &Fake, slice_commits: usize) {
    loop {
        let jobs = taken(store, batch).await.unwrap();
        if jobs.is_empty() {
            break;
        }
        for job in jobs {
            collected(store, Purpose::Analyse { slice_commits }, &fake.outcome(&job), None).await;
        }
    }
    for repository in store.repositories(batch).await.unwrap() {
        assert!(repository.state.is_final(), "{repository:?}");
    }
}

pub(crate) async fn analysed(store: &dyn Store, path: &str, fake: &Fake, slice_commits: usize) -> BatchId {
    let batch = submitted(store, &[path]).await;
    finish(store, batch, fake, slice_commits).await;
    assert_eq!(store.repositories(batch).await.unwrap()[0].state, RepositoryState::Analysed);
    batch
}

pub(crate) async fn report(store: &dyn Store, batch: BatchId) -> String {
    let window = Window::all_history(chrono_tz::UTC);
    json::render(&aggregate(store, batch, &window, SCOPE, &Default::default(), AS_OF).await.unwrap())
}

/// Plans what a survey by `fake` leads to, as the coordinator does.
pub(crate) async fn planned(
    store: &dyn Store,
    survey: &StoredJob,
    fake: &Fake,
    slice_commits: usize,
) -> Plan {
    let WorkResult::Survey(SurveyResult::Changed(changed)) = fake.answer(&survey.job) else {
        panic!("nothing changed")
    };
    let Work::Survey { revisions, .. } = &survey.job.work else { panic!("no survey") };
    let known = store.known(survey, revisions, &changed).await.unwrap();
    match plan(survey, *changed, known, slice_commits) {
        Decision::Analyse(plan) => *plan,
        Decision::SurveyAll(_) => panic!("its base does not fit"),
    }
}
