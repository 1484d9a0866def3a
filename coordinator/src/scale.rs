//! How many workers there should be: pure functions of what waits, what runs and how long such work took before.
//!
//! A number of messages is the wrong measure: one job of three hours and a thousand jobs of a second read as 1 and 1,000,
//! and mean 10,800 and 1,000 seconds of work. So backlog is told in seconds of work, predicted from the history of
//! attempts: the last thousand that succeeded, by kind of work; slices by their commits, because a survey cuts them so.

use std::collections::BTreeMap;

/// Jobs of one kind of work, summed up: those that wait, or those that were done.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Amount {
    pub jobs: u64,
    /// Commits; 0 for work that is not counted in commits.
    pub units: u64,
}

/// A job that somebody has in hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InHand {
    pub work: String,
    pub units: u64,
    pub elapsed_millis: u64,
}

/// What is to be done, and what is known of such work. Kinds of work go by their names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Demand {
    /// Decided and in nobody's hand, of batches that do not rest.
    pub waiting: BTreeMap<String, Amount>,
    pub in_hand: Vec<InHand>,
    /// Workers that have a job in hand.
    pub busy_workers: u64,
    /// Jobs that were heard of since they were sent: somebody may have them, known or not.
    pub leases: u64,
    /// What was done lately, and the milliseconds it took.
    pub history: BTreeMap<String, (Amount, u64)>,
}

/// What an operator allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// In how many seconds the backlog is to be worked off; at least 1.
    pub target_drain_seconds: u64,
    pub min_workers: u64,
    /// At least 1. It beats the least number, too.
    pub max_workers: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { target_drain_seconds: 900, min_workers: 0, max_workers: 64 }
    }
}

/// No job is predicted to take less: to be taken, opened and told of takes its time.
const LEAST_SECONDS: f64 = 0.05;
/// What a job in hand is taken to need still when it has outlasted its prediction, as a share of what it has taken: who
/// is late is likely to be later still.
const LATE_SHARE: f64 = 0.25;
/// What is predicted before there is any history, in seconds: of a survey, of a tip, and of a commit of a slice.
const UNKNOWN: [(&str, f64); 3] = [("survey", 2.0), ("tip", 2.0), ("slice", 0.002)];

impl Demand {
    /// Returns how many seconds one worker slot would have to work for what waits and for the rest of what runs.
    pub fn backlog_seconds(&self) -> f64 {
        let waiting = self.waiting.iter().map(|(work, amount)| self.predicted(work, amount));
        let rest = self.in_hand.iter().map(|one| {
            let elapsed = one.elapsed_millis as f64 / 1_000.0;
            let predicted = self.predicted(&one.work, &Amount { jobs: 1, units: one.units });
            (predicted - elapsed).max(elapsed * LATE_SHARE).max(LEAST_SECONDS)
        });
        // The sum of nothing is -0 to the library, and 0 to everybody else.
        waiting.chain(rest).sum::<f64>() + 0.0
    }

    /// Returns how many seconds `amount` of a kind of work is likely to take.
    fn predicted(&self, work: &str, amount: &Amount) -> f64 {
        let unknown = UNKNOWN.iter().find(|(name, _)| *name == work).map_or(1.0, |(_, seconds)| *seconds);
        let by_units = work == "slice";
        let measure = |amount: &Amount| if by_units { amount.units } else { amount.jobs } as f64;
        let each = match self.history.get(work) {
            Some((done, millis)) if measure(done) > 0.0 => *millis as f64 / 1_000.0 / measure(done),
            _ => unknown,
        };
        (each * measure(amount)).max(amount.jobs as f64 * LEAST_SECONDS)
    }

    /// Returns how many workers there should be, each with `slots_per_worker` (above 0).
    ///
    /// Never fewer than those that have a job in hand, because whoever scales in cannot choose which worker goes; and
    /// never none while a lease lives or anything waits. An operator's limits beat all but that.
    pub fn desired_workers(&self, limits: &Limits, slots_per_worker: f64) -> u64 {
        let seconds = limits.target_drain_seconds.max(1) as f64 * slots_per_worker.max(f64::MIN_POSITIVE);
        // A float that is too large for the type becomes its largest value.
        let by_backlog = (self.backlog_seconds() / seconds).ceil() as u64;
        let living = u64::from(self.leases > 0 || !self.in_hand.is_empty());
        let needed = by_backlog.max(self.busy_workers).max(living).max(limits.min_workers);
        needed.min(limits.max_workers.max(1))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn demand(slices: (u64, u64), in_hand: &[(u64, u64)], history: Option<(u64, u64)>) -> Demand {
        let waiting =
            (slices.0 > 0).then(|| ("slice".to_owned(), Amount { jobs: slices.0, units: slices.1 }));
        let in_hand: Vec<InHand> = in_hand
            .iter()
            .map(|(units, elapsed_millis)| InHand {
                work: "slice".into(),
                units: *units,
                elapsed_millis: *elapsed_millis,
            })
            .collect();
        Demand {
            waiting: waiting.into_iter().collect(),
            busy_workers: in_hand.len() as u64,
            leases: in_hand.len() as u64,
            in_hand,
            history: history
                .map(|(units, millis)| ("slice".to_owned(), (Amount { jobs: 1, units }, millis)))
                .into_iter()
                .collect(),
        }
    }

    #[test]
    fn nothing_to_do_is_nothing_and_not_less() {
        let backlog = demand((0, 0), &[], None).backlog_seconds();
        assert!(backlog == 0.0 && backlog.is_sign_positive(), "{backlog}");
    }

    #[test]
    fn work_is_measured_in_seconds_and_not_in_jobs() {
        let second = Some((1_000, 1_000));
        let one_of_three_hours = demand((1, 10_800_000), &[], second);
        let many_of_a_second = demand((1_000, 1_000_000), &[], second);
        assert_eq!(one_of_three_hours.backlog_seconds(), 10_800.0);
        assert_eq!(many_of_a_second.backlog_seconds(), 1_000.0);
        assert_eq!(one_of_three_hours.desired_workers(&Limits::default(), 1.0), 12);
        assert_eq!(many_of_a_second.desired_workers(&Limits::default(), 1.0), 2);
    }

    #[test]
    fn what_is_late_is_never_taken_for_done() {
        let second = Some((1_000, 1_000));
        let seconds = |elapsed| demand((0, 0), &[(10_000, elapsed)], second).backlog_seconds();
        assert_eq!(seconds(0), 10.0);
        assert_eq!(seconds(4_000), 6.0);
        assert_eq!(seconds(10_000), 2.5);
        assert_eq!(seconds(100_000), 25.0);
    }

    #[test]
    fn nothing_to_do_needs_nobody_but_the_least_number() {
        let nothing = demand((0, 0), &[], None);
        assert_eq!(nothing.desired_workers(&Limits::default(), 4.0), 0);
        let limits = Limits { min_workers: 3, ..Limits::default() };
        assert_eq!(nothing.desired_workers(&limits, 4.0), 3);
        let tight = Limits { min_workers: 3, max_workers: 2, ..Limits::default() };
        assert_eq!(nothing.desired_workers(&tight, 4.0), 2);
    }

    #[test]
    fn a_lease_keeps_one_worker_though_nobody_is_known_to_have_it() {
        let mut lease = demand((0, 0), &[], None);
        lease.leases = 1;
        assert_eq!(lease.desired_workers(&Limits::default(), 4.0), 1);
        let closed = Limits { max_workers: 0, ..Limits::default() };
        assert_eq!(lease.desired_workers(&closed, 4.0), 1);
    }

    #[test]
    fn without_history_work_is_not_free() {
        let unknown = demand((2, 3_000), &[], None);
        assert_eq!(unknown.backlog_seconds(), 6.0);
        let mut survey = Demand::default();
        survey.waiting.insert("survey".into(), Amount { jobs: 3, units: 0 });
        assert_eq!(survey.backlog_seconds(), 6.0);
        // A kind that this program does not know.
        survey.waiting.insert("dream".into(), Amount { jobs: 1, units: 0 });
        assert_eq!(survey.backlog_seconds(), 7.0);
    }

    fn any_demand() -> impl Strategy<Value = Demand> {
        let amount =
            || (0u64..1_000_000, 0u64..1_000_000_000).prop_map(|(jobs, units)| Amount { jobs, units });
        let work = || prop::sample::select(vec!["survey", "slice", "tip"]).prop_map(str::to_owned);
        let in_hand = (work(), 0u64..1_000_000, 0u64..100_000_000)
            .prop_map(|(work, units, elapsed_millis)| InHand { work, units, elapsed_millis });
        (
            prop::collection::btree_map(work(), amount(), 0..3),
            prop::collection::vec(in_hand, 0..20),
            prop::collection::btree_map(work(), (amount(), 0u64..1_000_000_000_000), 0..3),
            0u64..100,
            0u64..30,
        )
            .prop_map(|(waiting, in_hand, history, leases, busy_workers)| Demand {
                waiting,
                in_hand,
                busy_workers,
                leases,
                history,
            })
    }

    proptest! {
        #[test]
        fn never_none_while_a_job_runs_or_a_lease_lives_or_anything_waits(
            demand in any_demand(), target in 0u64..10_000_000, most in 0u64..100, slots in 0.01f64..256.0,
        ) {
            let limits = Limits { target_drain_seconds: target, min_workers: 0, max_workers: most };
            let waits = demand.waiting.values().any(|amount| amount.jobs > 0);
            if demand.leases > 0 || !demand.in_hand.is_empty() || waits {
                prop_assert!(demand.desired_workers(&limits, slots) >= 1);
            }
        }

        #[test]
        fn limits_hold(demand in any_demand(), least in 0u64..50, most in 1u64..100, slots in 0.01f64..256.0) {
            let limits = Limits { target_drain_seconds: 900, min_workers: least, max_workers: most };
            let desired = demand.desired_workers(&limits, slots);
            prop_assert!(desired <= most && desired >= least.min(most));
            prop_assert!(desired >= demand.busy_workers.min(most));
        }

        #[test]
        fn more_work_never_needs_fewer_and_more_slots_never_more(
            demand in any_demand(), more in 0u64..1_000_000, slots in 1.0f64..64.0, factor in 1.0f64..16.0,
        ) {
            let limits = Limits { max_workers: 1_000_000, ..Limits::default() };
            let mut larger = demand.clone();
            let slices = larger.waiting.entry("slice".into()).or_default();
            (slices.jobs, slices.units) = (slices.jobs + 1, slices.units + more);
            prop_assert!(larger.backlog_seconds() >= demand.backlog_seconds());
            prop_assert!(larger.desired_workers(&limits, slots) >= demand.desired_workers(&limits, slots));
            prop_assert!(demand.desired_workers(&limits, slots * factor) <= demand.desired_workers(&limits, slots));
        }
    }
}
