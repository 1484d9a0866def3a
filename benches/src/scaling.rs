//! A day of a fleet that scales by itself, simulated second by second: by the backlog in seconds of work, as
//! `coordinator/src/scale.rs` does, beside scaling by numbers of messages, as the usual scalers do.
//!
//! All of them get the same arrivals and the same rules: they are asked every 30 s, a worker takes a minute to start,
//! the wish of the last five minutes that was largest counts, and who scales in cannot choose which worker goes. A job
//! whose worker goes begins anew.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Range;

use gitfleet_coordinator::scale::{Amount, Demand, InHand, Limits};

use crate::table::Table;

const DAY: u64 = 24 * 60 * 60;
/// For how long the rest may go on after the day.
const AFTERWARDS: u64 = 12 * 60 * 60;
const SLOTS: usize = 4;
const ASKED_EVERY: u64 = 30;
const START_SECONDS: u64 = 60;
const STABLE_SECONDS: u64 = 300;
/// Jobs that a prediction is made of.
const HISTORY: usize = 1_000;
const LIMITS: Limits = Limits { target_drain_seconds: 900, min_workers: 0, max_workers: 32 };

#[derive(Debug, Clone, Copy)]
struct Job {
    arrived: u64,
    units: u64,
    seconds: u64,
}

#[derive(Debug, Clone, Copy)]
enum Policy {
    WorkSeconds,
    /// So many messages per worker, those in hand counted, too.
    Messages(u64),
    /// So many waiting messages per worker.
    Ready(u64),
}

impl Policy {
    fn name(self) -> String {
        match self {
            Self::WorkSeconds => "backlog in seconds of work".to_owned(),
            Self::Messages(each) => format!("messages, {each} per worker"),
            Self::Ready(each) => format!("waiting messages, {each} per worker"),
        }
    }

    fn desired(self, fleet: &Fleet) -> u64 {
        let (waiting, in_hand) = (fleet.waiting.len() as u64, fleet.in_hand().count() as u64);
        match self {
            Self::WorkSeconds => fleet.demand().desired_workers(&LIMITS, SLOTS as f64),
            Self::Messages(each) => (waiting + in_hand).div_ceil(each).min(LIMITS.max_workers),
            Self::Ready(each) => waiting.div_ceil(each).min(LIMITS.max_workers),
        }
    }
}

/// A job, and when it was begun.
type Begun = (Job, u64);

#[derive(Default)]
struct Worker {
    ready_at: u64,
    slots: [Option<Begun>; SLOTS],
}

#[derive(Default)]
struct Fleet {
    now: u64,
    waiting: VecDeque<Job>,
    workers: Vec<Worker>,
    done: VecDeque<Job>,
    wishes: VecDeque<(u64, u64)>,
}

impl Fleet {
    fn in_hand(&self) -> impl Iterator<Item = &Begun> {
        self.workers.iter().flat_map(|worker| worker.slots.iter().flatten())
    }

    fn demand(&self) -> Demand {
        let amount = |jobs: &VecDeque<Job>| Amount {
            jobs: jobs.len() as u64,
            units: jobs.iter().map(|job| job.units).sum(),
        };
        let of = |jobs: &VecDeque<Job>| (!jobs.is_empty()).then(|| ("slice".to_owned(), amount(jobs)));
        let millis = self.done.iter().map(|job| job.seconds * 1_000).sum();
        let in_hand: Vec<InHand> = self
            .in_hand()
            .map(|(job, begun)| InHand {
                work: "slice".to_owned(),
                units: job.units,
                elapsed_millis: (self.now - begun) * 1_000,
            })
            .collect();
        Demand {
            waiting: of(&self.waiting).into_iter().collect(),
            busy_workers: self
                .workers
                .iter()
                .filter(|worker| worker.slots.iter().any(Option::is_some))
                .count() as u64,
            leases: in_hand.len() as u64,
            in_hand,
            history: of(&self.done)
                .map(|(work, done)| (work, (done, millis)))
                .into_iter()
                .collect::<BTreeMap<_, _>>(),
        }
    }

    /// Follows a wish, and returns how many jobs were disturbed by it.
    fn follow(&mut self, wish: u64, random: &mut Random) -> u64 {
        self.wishes.push_back((self.now, wish));
        while self.wishes.front().is_some_and(|(at, _)| self.now - at > STABLE_SECONDS) {
            self.wishes.pop_front();
        }
        let largest = self.wishes.iter().map(|(_, wish)| *wish).max().unwrap_or(0);
        let largest = usize::try_from(largest).unwrap_or(usize::MAX);
        while self.workers.len() < largest.min(usize::try_from(wish).unwrap_or(usize::MAX)) {
            self.workers.push(Worker { ready_at: self.now + START_SECONDS, ..Worker::default() });
        }
        let mut disturbed = 0;
        while self.workers.len() > largest {
            let gone = self.workers.swap_remove(random.below(self.workers.len() as u64) as usize);
            for (job, _) in gone.slots.into_iter().flatten() {
                disturbed += 1;
                self.waiting.push_front(job);
            }
        }
        disturbed
    }
}

/// What a day came to.
#[derive(Default)]
struct Score {
    jobs: u64,
    /// Jobs that were done within the target after they came, or within twice their own time where that is longer.
    in_time: u64,
    longest_wait: u64,
    worker_seconds: u64,
    busy_slot_seconds: u64,
    disturbed: u64,
    most_workers: usize,
}

fn simulate(policy: Policy, arrivals: &[Job]) -> Score {
    let (mut fleet, mut score, mut random) = (Fleet::default(), Score::default(), Random(7));
    let mut arrivals = arrivals.iter().copied().peekable();
    while fleet.now < DAY + AFTERWARDS {
        let now = fleet.now;
        while let Some(job) = arrivals.next_if(|job| job.arrived <= now) {
            fleet.waiting.push_back(job);
        }
        for worker in &mut fleet.workers {
            for slot in &mut worker.slots {
                if let Some((job, _)) = slot.take_if(|(job, begun)| now - *begun >= job.seconds) {
                    score.jobs += 1;
                    let took = now - job.arrived;
                    score.in_time += u64::from(took <= LIMITS.target_drain_seconds.max(2 * job.seconds));
                    score.longest_wait = score.longest_wait.max(took - job.seconds);
                    fleet.done.push_back(job);
                }
            }
        }
        while fleet.done.len() > HISTORY {
            fleet.done.pop_front();
        }
        if now.is_multiple_of(ASKED_EVERY) {
            score.disturbed += fleet.follow(policy.desired(&fleet), &mut random);
        }
        for worker in fleet.workers.iter_mut().filter(|worker| worker.ready_at <= now) {
            for slot in worker.slots.iter_mut().filter(|slot| slot.is_none()) {
                *slot = fleet.waiting.pop_front().map(|job| (job, now));
            }
        }
        score.worker_seconds += fleet.workers.len() as u64;
        score.busy_slot_seconds += fleet.in_hand().count() as u64;
        score.most_workers = score.most_workers.max(fleet.workers.len());
        fleet.now += 1;
    }
    score
}

/// A day: some jobs all the time, more at working hours, a nightly batch of many small ones, and now and then a
/// repository that takes hours, in slices of some minutes each.
fn day() -> Vec<Job> {
    let mut random = Random(20_260_105);
    let mut jobs = Vec::new();
    for second in 0..DAY {
        let hour = second / 3_600;
        let every = if (8..18).contains(&hour) { 15 } else { 120 };
        if random.below(every) == 0 {
            jobs.push(random.job(second, 1..40, 4));
        }
        if second == 2 * 3_600 {
            jobs.extend((0..3_000).map(|_| random.job(second, 1..8, 3)));
        }
        if second == 10 * 3_600 || second == 13 * 3_600 || second == 19 * 3_600 {
            // The slices of a large repository, each of some minutes.
            jobs.extend((0..150).map(|_| random.job(second, 60..300, 2)));
        }
    }
    jobs
}

/// A small generator of its own, so that a day is the same day everywhere.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound.max(1)
    }

    /// Returns a job of some seconds, whose commits take far longer than those of others: `2^spread` times at most.
    fn job(&mut self, arrived: u64, seconds: Range<u64>, spread: u64) -> Job {
        let seconds = seconds.start + self.below(seconds.end - seconds.start);
        let millis_per_commit = 4 << self.below(spread + 1);
        Job { arrived, units: seconds * 1_000 / millis_per_commit, seconds }
    }
}

/// Prints a day by each way of scaling.
pub(crate) fn all() {
    let arrivals = day();
    let work: u64 = arrivals.iter().map(|job| job.seconds).sum();
    let mut table = Table::new(
        1,
        &[
            "scaled by",
            "jobs done",
            "in time",
            "longest wait s",
            "worker-hours",
            "slots busy",
            "disturbed",
            "most workers",
        ],
    );
    for policy in
        [Policy::WorkSeconds, Policy::Messages(20), Policy::Messages(4), Policy::Ready(20), Policy::Ready(4)]
    {
        let score = simulate(policy, &arrivals);
        let share = |part: u64, of: u64| format!("{:.1} %", 100.0 * part as f64 / of.max(1) as f64);
        table.row([
            policy.name(),
            format!("{} of {}", score.jobs, arrivals.len()),
            share(score.in_time, arrivals.len() as u64),
            score.longest_wait.to_string(),
            format!("{:.1}", score.worker_seconds as f64 / 3_600.0),
            share(score.busy_slot_seconds, score.worker_seconds * SLOTS as u64),
            score.disturbed.to_string(),
            score.most_workers.to_string(),
        ]);
    }
    table.print(&format!(
        "A day of {} jobs and {:.0} hours of work, {SLOTS} slots per worker, target {} s, at most {} workers",
        arrivals.len(),
        work as f64 / 3_600.0,
        LIMITS.target_drain_seconds,
        LIMITS.max_workers
    ));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_work_everything_is_done_and_fewer_are_disturbed_than_by_what_waits() {
        let arrivals = day();
        let (by_work, by_waiting) =
            (simulate(Policy::WorkSeconds, &arrivals), simulate(Policy::Ready(20), &arrivals));
        assert_eq!(by_work.jobs, arrivals.len() as u64);
        assert!(by_work.disturbed < by_waiting.disturbed, "{} {}", by_work.disturbed, by_waiting.disturbed);
    }
}
