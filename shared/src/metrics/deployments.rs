//! The five DORA metrics, by a proxy that needs nothing but git: releases stand for deployments.

use super::Partial;
use super::definition::{Chapter, Definition};
use super::durations::Durations;
use super::releases::Release;
use crate::graph::{Graph, Node};

pub const DEFINITION: Definition = Definition {
    name: "dora",
    title: "DORA metrics, release-based proxy",
    chapter: Chapter::Flow,
    unit: "deployments; seconds; shares of 1",
    formula: "Releases of a component in version order. A commit was first deployed with the first of them that reaches \
              it. Change lead time: release time minus author time of each non-merge commit first deployed with it \
              (and, beside it, minus the time it was integrated into the mainline); median and 90th percentile. \
              Deployment frequency: releases in the window, and median days between them. Change fail rate: releases \
              with a failure mark / releases; marks are a revert, not in the release itself, of one of its commits before or in the next release, a later \
              version of the same line within 7 days, a merged hotfix branch before the next release. Failed deployment \
              recovery time: from the release to the first release with the fix. Deployment rework rate: releases that \
              are patch versions or hotfix tags / releases.",
    edges: "The first release of a component has no predecessor and gives no lead time. Negative spans are counted and \
            not averaged. Nothing released: null, never 0.",
    source: "dora.dev, the five metrics since 2024; proxy by releases as said here",
    parts: "Per repository, because it needs reachability; spans and counts of repositories merge exactly.",
    caution: "A proxy: it finds only what was released, reverted or hot-fixed in git. One application at a time; no \
              ranking of teams, no metric as a goal.",
};

/// What is asked of each commit.
#[derive(Debug, Clone, Default)]
pub struct Change {
    pub is_merge: bool,
    /// UTC seconds.
    pub authored: Option<i64>,
    /// When it came onto the mainline.
    pub integrated: Option<i64>,
    /// The commits that it reverts.
    pub reverts: Vec<Node>,
    /// Whether it merges a branch named as a hotfix.
    pub merges_hotfix: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mark {
    Revert,
    Patch,
    Hotfix,
}

impl Mark {
    pub fn name(self) -> &'static str {
        match self {
            Self::Revert => "revert",
            Self::Patch => "patch",
            Self::Hotfix => "hotfix",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deployment {
    pub release: Release,
    /// When the component was released before, in time.
    pub previous: Option<i64>,
    /// Non-merge commits first deployed with it.
    pub commits: u64,
    /// From author time; empty for the first release of a component.
    pub lead: Durations,
    /// From integration.
    pub lead_from_merge: Durations,
    pub failure: Option<Mark>,
    /// Seconds until the first release with the fix.
    pub recovery_seconds: Option<i64>,
    pub is_rework: bool,
}

/// A later version of the same line within this time is taken for the repair of an earlier one.
pub const PATCH_DAYS: i64 = 7;
const DAY: i64 = 86_400;

/// Returns the deployments of one component, whose `releases` are in version order. `changes` are those of the graph's
/// commits, by node.
pub fn of_component(graph: &Graph, changes: &[Change], releases: &[Release]) -> Vec<Deployment> {
    let roots: Vec<Node> = releases.iter().map(|release| release.node).collect();
    let first = graph.first_reached_from(&roots);
    let mut times: Vec<i64> = releases.iter().filter_map(|release| release.released).collect();
    times.sort_unstable();
    let mut deployments: Vec<Deployment> = releases.iter().map(|release| empty(release, &times)).collect();
    for (change, place) in changes.iter().zip(&first) {
        let Some(place) = *place else { continue };
        if change.is_merge {
            continue;
        }
        let deployment = &mut deployments[place as usize];
        deployment.commits += 1;
        if place > 0 {
            let released = deployment.release.released;
            deployment.lead.between(change.authored, released);
            deployment.lead_from_merge.between(change.integrated, released);
        }
    }
    for (place, fix) in failures(releases, changes, &first) {
        let deployment = &mut deployments[place];
        deployment.failure = Some(fix.mark);
        let fixed = fix.release.and_then(|release| releases[release].released);
        deployment.recovery_seconds = fixed
            .zip(deployment.release.released)
            .map(|(fixed, released)| fixed.saturating_sub(released))
            .filter(|seconds| *seconds >= 0);
    }
    deployments
}

/// `times` are those of all releases of the component, ascending.
fn empty(release: &Release, times: &[i64]) -> Deployment {
    let before = release.released.map_or(0, |released| times.partition_point(|time| *time < released));
    Deployment {
        previous: before.checked_sub(1).map(|place| times[place]),
        is_rework: release.version.is_patch() || release.tag.to_ascii_lowercase().contains("hotfix"),
        release: release.clone(),
        commits: 0,
        lead: Durations::default(),
        lead_from_merge: Durations::default(),
        failure: None,
        recovery_seconds: None,
    }
}

struct Fix {
    mark: Mark,
    /// The release that first has it.
    release: Option<usize>,
}

/// Returns the failed releases by place, each with its first mark: reverts before patches before hotfixes.
fn failures(releases: &[Release], changes: &[Change], first: &[Option<u32>]) -> Vec<(usize, Fix)> {
    let mut by_time: Vec<(i64, usize)> =
        releases.iter().enumerate().filter_map(|(place, one)| Some((one.released?, place))).collect();
    by_time.sort_unstable();
    // Few commits mark anything, and each release asks all that do.
    let reverts: Vec<(usize, &Change)> =
        changes.iter().enumerate().filter(|(_, change)| !change.reverts.is_empty()).collect();
    let hotfixes: Vec<(usize, &Change)> =
        changes.iter().enumerate().filter(|(_, change)| change.merges_hotfix).collect();
    let mut found = Vec::new();
    for (index, (released, place)) in by_time.iter().enumerate() {
        let next = by_time.get(index + 1).map(|(next, _)| *next);
        let is_between = |time: Option<i64>| {
            time.is_some_and(|time| time >= *released && next.is_none_or(|next| time < next))
        };
        let is_in = |place: Option<usize>, node: usize| {
            place.is_some_and(|place| first[node] == u32::try_from(place).ok())
        };
        let next_place = by_time.get(index + 1).map(|(_, place)| *place);
        // What was reverted before it came out harmed nobody. The next release is tagged on the very revert at times.
        let is_revert = |(commit, change): &&(usize, &Change)| {
            !is_in(Some(*place), *commit)
                && (is_in(next_place, *commit) || is_between(change.integrated.or(change.authored)))
                && change.reverts.iter().any(|victim| is_in(Some(*place), *victim as usize))
        };
        let earliest = |(commit, change): &&(usize, &Change)| (change.integrated, *commit);
        let revert = reverts.iter().filter(is_revert).min_by_key(earliest).map(|(commit, _)| *commit);
        let hotfix = || {
            let merged = hotfixes.iter().filter(|(_, change)| is_between(change.integrated));
            merged.min_by_key(earliest).map(|(commit, _)| *commit)
        };
        let with = |commit: usize| first[commit].map(|place| place as usize);
        let fix = match (revert, patch_of(releases, *place)) {
            (Some(commit), _) => Some(Fix { mark: Mark::Revert, release: with(commit) }),
            (None, Some(patch)) => Some(Fix { mark: Mark::Patch, release: Some(patch) }),
            (None, None) => hotfix().map(|commit| Fix { mark: Mark::Hotfix, release: with(commit) }),
        };
        found.extend(fix.map(|fix| (*place, fix)));
    }
    found
}

/// Returns the next version of the same line, if it came out soon after the release at `place`.
fn patch_of(releases: &[Release], place: usize) -> Option<usize> {
    let (this, next) = (&releases[place], releases.get(place + 1)?);
    let seconds = next.released?.checked_sub(this.released?)?;
    let is_soon = (0..=PATCH_DAYS * DAY).contains(&seconds);
    (is_soon && next.version.line() == this.version.line() && next.version.is_patch()).then_some(place + 1)
}

/// The five metrics over some deployments.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Dora {
    pub deployments: u64,
    pub gaps: Durations,
    pub lead: Durations,
    pub lead_from_merge: Durations,
    pub failed: u64,
    pub recovery: Durations,
    pub rework: u64,
}

impl Dora {
    pub fn observe(&mut self, deployment: &Deployment) {
        self.deployments += 1;
        self.gaps.between(deployment.previous, deployment.release.released);
        self.lead.merge(deployment.lead.clone());
        self.lead_from_merge.merge(deployment.lead_from_merge.clone());
        self.failed += u64::from(deployment.failure.is_some());
        self.rework += u64::from(deployment.is_rework);
        if let Some(seconds) = deployment.recovery_seconds {
            self.recovery.add(seconds);
        }
    }
}

impl Partial for Dora {
    fn merge(&mut self, other: Self) {
        self.deployments += other.deployments;
        self.gaps.merge(other.gaps);
        self.lead.merge(other.lead);
        self.lead_from_merge.merge(other.lead_from_merge);
        self.failed += other.failed;
        self.recovery.merge(other.recovery);
        self.rework += other.rework;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::Link;
    use crate::metrics::releases::Rules;
    use crate::object_id::ObjectId;

    fn id(number: u8) -> ObjectId {
        ObjectId::try_from(&[number; 20][..]).unwrap()
    }

    /// A line of commits 1, 2, ... with the day each was written and integrated.
    fn line(days: &[(i64, i64)]) -> (Graph, Vec<Change>) {
        let parents: Vec<Vec<ObjectId>> = (1..=days.len())
            .map(|number| if number == 1 { vec![] } else { vec![id(number as u8 - 1)] })
            .collect();
        let graph = Graph::of((1u8..).zip(&parents).map(|(number, parents)| Link {
            id: id(number),
            parents,
            committed: None,
        }));
        let changes = days
            .iter()
            .map(|(authored, integrated)| Change {
                authored: Some(authored * DAY),
                integrated: Some(integrated * DAY),
                ..Change::default()
            })
            .collect();
        (graph, changes)
    }

    fn release(tag: &str, node: Node, day: i64) -> Release {
        let (component, version) = Rules::default().read(tag).unwrap();
        Release { component, version, tag: tag.to_owned(), node, released: Some(day * DAY) }
    }

    #[test]
    fn lead_time_by_hand() {
        // Commits written on days 1, 2, 3, 8; integrated on 1, 4, 5, 9; released as 1.0 on 2 and 1.1 on 10.
        let (graph, changes) = line(&[(1, 1), (2, 4), (3, 5), (8, 9)]);
        let found = of_component(&graph, &changes, &[release("v1.0", 0, 2), release("v1.1", 3, 10)]);
        assert_eq!((found[0].commits, found[0].lead.len()), (1, 0), "no predecessor, no lead time");
        assert_eq!(found[1].commits, 3);
        // 8, 7 and 2 days; from integration 6, 5 and 1.
        assert_eq!(found[1].lead.median(), Some(7 * DAY));
        assert_eq!(found[1].lead_from_merge.median(), Some(5 * DAY));
        assert_eq!(found[1].failure, None);
        let mut dora = Dora::default();
        dora.observe(&found[0]);
        dora.observe(&found[1]);
        assert_eq!(
            (dora.deployments, dora.gaps.median(), dora.failed, dora.rework),
            (2, Some(8 * DAY), 0, 0)
        );
    }

    #[test]
    fn a_revert_before_the_next_release_marks_a_failure() {
        let (graph, mut changes) = line(&[(1, 1), (5, 5), (7, 7), (30, 30)]);
        changes[2].reverts = vec![1];
        let releases = [release("v1.0", 0, 2), release("v1.1", 1, 6), release("v1.2", 3, 31)];
        let found = of_component(&graph, &changes, &releases);
        assert_eq!(found[1].failure, Some(Mark::Revert));
        assert_eq!(found[1].recovery_seconds, Some(25 * DAY), "released again on day 31");
        assert_eq!((found[0].failure, found[2].failure), (None, None));
        // Released together, nobody ever had the fault.
        let found = of_component(&graph, &changes, &[release("v1.0", 0, 2), release("v1.1", 2, 7)]);
        assert_eq!(found[1].failure, None);
        // The next release is the revert itself, tagged in the same second.
        let releases = [release("v1.0", 0, 2), release("v1.1", 1, 6), release("v1.2", 2, 7)];
        let found = of_component(&graph, &changes, &releases);
        assert_eq!((found[1].failure, found[1].recovery_seconds), (Some(Mark::Revert), Some(DAY)));
    }

    #[test]
    fn a_patch_soon_after_marks_a_failure_and_is_rework() {
        let (graph, changes) = line(&[(1, 1), (3, 3), (20, 20)]);
        let releases = [release("v1.0.0", 0, 2), release("v1.0.1", 1, 4), release("v1.0.2", 2, 21)];
        let found = of_component(&graph, &changes, &releases);
        assert_eq!((found[0].failure, found[0].recovery_seconds), (Some(Mark::Patch), Some(2 * DAY)));
        assert_eq!(found[1].failure, None, "17 days later is maintenance");
        assert!(found[1].is_rework && !found[0].is_rework);
    }

    #[test]
    fn maintenance_lines_are_taken_in_version_order() {
        // 1.0.1 comes out after 1.1 and holds commit 2, which 1.1 has too: it belongs to 1.0.1.
        let (graph, changes) = line(&[(1, 1), (2, 2), (3, 3)]);
        let releases = [release("v1.0.0", 0, 1), release("v1.0.1", 1, 9), release("v1.1.0", 2, 5)];
        let found = of_component(&graph, &changes, &releases);
        assert_eq!(found.iter().map(|one| one.commits).collect::<Vec<_>>(), [1, 1, 1]);
    }

    proptest::proptest! {
        #[test]
        fn parts_merge_to_the_whole(
            seen in proptest::collection::vec((0i64..90, 0i64..90, proptest::bool::ANY, proptest::option::of(0i64..9)), 0..20),
            at in 0usize..20,
        ) {
            let of = |seen: &[(i64, i64, bool, Option<i64>)]| {
                let mut dora = Dora::default();
                for (released, previous, is_rework, recovery) in seen {
                    let mut lead = Durations::default();
                    lead.add(*released);
                    dora.observe(&Deployment {
                        release: release("v1.0", 0, *released),
                        previous: Some(previous * DAY),
                        commits: 1,
                        lead_from_merge: lead.clone(),
                        lead,
                        failure: recovery.map(|_| Mark::Revert),
                        recovery_seconds: *recovery,
                        is_rework: *is_rework,
                    });
                }
                dora
            };
            let (left, right) = seen.split_at(at.min(seen.len()));
            let mut merged = of(right);
            merged.merge(of(left));
            proptest::prop_assert_eq!(&merged, &of(&seen));
            proptest::prop_assert!(merged.failed <= merged.deployments && merged.recovery.len() <= merged.failed);
        }

        #[test]
        fn every_commit_comes_with_one_release_at_most(
            order in proptest::collection::vec((0u32..6, 1u32..9, 0i64..40), 1..6),
        ) {
            let (graph, changes) = line(&[(1, 1), (2, 2), (3, 3), (4, 4), (5, 5), (6, 6)]);
            let releases: Vec<Release> = order
                .iter()
                .map(|(node, minor, day)| release(&format!("v1.{minor}"), *node, *day))
                .collect();
            let by_component = crate::metrics::releases::by_component(releases);
            let found = of_component(&graph, &changes, &by_component[""]);
            let newest = found.iter().map(|one| one.release.node).max().unwrap();
            // Of a line, what the newest release reaches has come out, each commit once.
            proptest::prop_assert_eq!(found.iter().map(|one| one.commits).sum::<u64>(), u64::from(newest) + 1);
        }
    }
}
