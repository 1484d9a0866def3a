//! From a survey to the jobs it leads to: a pure function of what was found and what is known.

use std::collections::HashSet;

use gitfleet_shared::contract::{Changed, Work};
use gitfleet_shared::object_id::ObjectId;
use gitfleet_shared::slices;

use crate::store::{Known, Plan, StoredJob};
use crate::submit::follow_up;

/// Below this many commits a slice is not worth a message, nor what its first commits cost more than the others.
const SMALLEST_SLICE: usize = 256;
/// A repository is cut into this many slices at least, if they do not become too small: so many workers can share
/// it.
const SLICES: usize = 16;

/// What to do about a survey.
pub enum Decision {
    Analyse(Box<Plan>),
    /// The attributes that decide what is binary changed, so the facts of the commits already published are not
    /// those of the new snapshot: survey again, from nothing.
    SurveyAll(Work),
}

/// Plans the analysis of what a survey found. `slice_commits` bounds the commits of a slice.
pub fn plan(survey: &StoredJob, changed: Changed, known: Known, slice_commits: usize) -> Decision {
    let asked = &survey.job;
    if changed.since_base && !known.published_here {
        let Work::Survey { revisions, .. } = &asked.work else {
            unreachable!("only a survey has a survey's result")
        };
        return Decision::SurveyAll(Work::Survey { revisions: revisions.clone(), base: None });
    }
    let base = match &asked.work {
        Work::Survey { base, .. } if changed.since_base => base.as_ref().map(|base| base.refs),
        _ => None,
    };
    let mut changed = changed;
    let mut commits_seen = changed.added.len() as u64;
    if base.is_some() {
        // Where clocks ran backwards, a walk lists commits again that were there before.
        let mut costs = std::mem::take(&mut changed.costs).into_iter();
        changed.added.retain(|id| {
            let (cost, is_new) = (costs.next().unwrap_or(1), !known.published.contains(id));
            changed.costs.extend(is_new.then_some(cost));
            is_new
        });
        commits_seen = known.published_count + changed.added.len() as u64;
    }
    let costs = changed.costs.iter().copied().chain(std::iter::repeat(1));
    let (missing, costs): (Vec<ObjectId>, Vec<u32>) =
        changed.added.iter().copied().zip(costs).filter(|(id, _)| !known.commits.contains(id)).unzip();
    let mut merges: HashSet<ObjectId> =
        changed.mainline.merges.iter().filter(|id| !known.mainline_nets.contains(*id)).copied().collect();
    let mut jobs = Vec::new();
    if let Some(head) = changed.snapshot.head {
        let new_job = |work| follow_up(asked, survey.position, work);
        // First, because it cannot be shared: at the end everybody would wait for it.
        jobs.push(new_job(Work::Tip { head }));
        let size = missing.len().div_ceil(SLICES).clamp(SMALLEST_SLICE, slice_commits.max(SMALLEST_SLICE));
        let size = size.min(slice_commits.max(1));
        for range in
            slices::cut(&costs, missing.len().div_ceil(size), size.saturating_mul(2).min(slice_commits))
        {
            let commits = &missing[range];
            // A merge goes with its own slice: what it is compared with has just been decoded there.
            let mainline_merges = commits.iter().filter(|id| merges.remove(*id)).copied().collect();
            jobs.push(new_job(Work::Slice { head, commits: commits.to_vec(), mainline_merges }));
        }
        let mut rest: Vec<ObjectId> = merges.into_iter().collect();
        rest.sort_unstable();
        for merges in rest.chunks(size) {
            jobs.push(new_job(Work::Slice { head, commits: Vec::new(), mainline_merges: merges.to_vec() }));
        }
    }
    Decision::Analyse(Box::new(Plan {
        base,
        facts: known.facts,
        commits_seen,
        commits_new: missing.len() as u64,
        changed,
        jobs,
    }))
}

#[cfg(test)]
mod tests {
    use gitfleet_shared::contract::{Base, Job, Mainline, Revisions, Snapshot, Source};
    use gitfleet_shared::ids::{BatchId, JobId};

    use super::*;
    use crate::store::FactSet;

    fn id(number: u32) -> ObjectId {
        let mut bytes = [0; 20];
        bytes[..4].copy_from_slice(&number.to_be_bytes());
        ObjectId::try_from(&bytes[..]).unwrap()
    }

    fn survey() -> StoredJob {
        let batch = BatchId::from_bytes([1; 16]);
        let job = Job {
            id: JobId::derive(batch, b""),
            batch,
            source: Source::Local { path: "/r".into() },
            work: Work::Survey { revisions: Revisions::Head, base: None },
            max_blob_bytes: 1,
            line_history: true,
            credential: Some("corp".to_owned()),
            erased: None,
        };
        StoredJob { job, position: 0, open: true }
    }

    fn survey_since() -> StoredJob {
        let mut survey = survey();
        let base = Base { refs: [3; 32], tips: Vec::new(), head: None };
        survey.job.work = Work::Survey { revisions: Revisions::Head, base: Some(base) };
        survey
    }

    fn changed(added: std::ops::Range<u32>, since_base: bool) -> Changed {
        let added: Vec<ObjectId> = added.map(id).collect();
        Changed {
            snapshot: Snapshot {
                refs: [0; 32],
                head: added.first().copied(),
                branch: None,
                tips: added.first().copied().into_iter().collect(),
                attributes: [0; 32],
                shallow: false,
                mailmap: None,
                tags: Vec::new(),
                attributes_files: Vec::new(),
            },
            since_base,
            mainline: Mainline {
                continues_base: since_base,
                commits: added.clone(),
                merges: added.iter().step_by(10).copied().collect(),
            },
            costs: Vec::new(),
            added,
        }
    }

    fn known(commits: std::ops::Range<u32>) -> Known {
        Known {
            facts: FactSet(1),
            commits: commits.clone().map(id).collect(),
            mainline_nets: HashSet::new(),
            published: commits.clone().map(id).collect(),
            published_count: commits.len() as u64,
            published_here: true,
        }
    }

    fn analyse(decision: Decision) -> Plan {
        match decision {
            Decision::Analyse(plan) => *plan,
            Decision::SurveyAll(_) => panic!("nothing changed that needs another survey"),
        }
    }

    /// Commits and merges of the slices, in order.
    fn sliced(plan: &Plan) -> (Vec<ObjectId>, usize) {
        let (mut commits, mut merges) = (Vec::new(), 0);
        for job in &plan.jobs {
            if let Work::Slice { commits: some, mainline_merges, .. } = &job.work {
                commits.extend(some);
                merges += mainline_merges.len();
            }
        }
        (commits, merges)
    }

    #[test]
    fn slices_hold_each_commit_and_merge_once_whatever_their_size() {
        for size in [1, 7, 128, 1_000, 100_000] {
            let plan = analyse(plan(&survey(), changed(0..5_000, false), known(0..0), size));
            let (commits, merges) = sliced(&plan);
            assert_eq!(commits, (0..5_000).map(id).collect::<Vec<_>>(), "{size}");
            assert_eq!(merges, 500, "{size}");
            let ids: HashSet<JobId> = plan.jobs.iter().map(|job| job.id).collect();
            assert_eq!(ids.len(), plan.jobs.len(), "{size}");
        }
    }

    #[test]
    fn slices_are_cut_by_cost() {
        let dear_first = Changed {
            costs: (0..5_000).map(|n| if n < 1_000 { 10 } else { 1 }).collect(),
            ..changed(0..5_000, false)
        };
        let plan = analyse(plan(&survey(), dear_first, known(4_000..5_000), 1_000));
        let sizes: Vec<usize> = plan
            .jobs
            .iter()
            .filter_map(|job| match &job.work {
                Work::Slice { commits, .. } if !commits.is_empty() => Some(commits.len()),
                _ => None,
            })
            .collect();
        assert_eq!(sizes.iter().sum::<usize>(), 4_000);
        // The first 1,000 cost 10,000 of 13,000. The others are cheap, and still no slice has more than twice 256.
        assert!(sizes[0] < 100 && sizes.iter().max() == Some(&512), "{sizes:?}");
    }

    #[test]
    fn what_is_known_is_not_done_again() {
        let plan = analyse(plan(&survey(), changed(0..300, false), known(100..300), 1_000));
        assert_eq!(sliced(&plan).0, (0..100).map(id).collect::<Vec<_>>());
        assert_eq!((plan.commits_seen, plan.commits_new), (300, 100));
    }

    #[test]
    fn commits_listed_again_are_not_new() {
        let plan = analyse(plan(&survey_since(), changed(0..10, true), known(5..300), 1_000));
        assert_eq!(plan.base, Some([3; 32]));
        assert_eq!(plan.changed.added, (0..5).map(id).collect::<Vec<_>>());
        assert_eq!((plan.commits_seen, plan.commits_new), (300, 5));
    }

    #[test]
    fn facts_of_other_attributes_need_a_whole_survey() {
        let mut known = known(5..300);
        known.published_here = false;
        let decision = plan(&survey(), changed(0..10, true), known, 1_000);
        assert!(matches!(decision, Decision::SurveyAll(Work::Survey { base: None, .. })));
    }
}
