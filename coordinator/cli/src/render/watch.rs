//! How far a batch of the fleet is: a bar on a terminal, at most one plain line a second elsewhere.

use std::time::{Duration, Instant};

use gitfleet_coordinator::view::{BatchView, StatusView};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::talk;

/// Somebody who reads a log hears so often that the work goes on.
const HEARTBEAT: Duration = Duration::from_secs(30);
/// How far back the rate is measured.
const MEMORY: Duration = Duration::from_secs(30);

pub(crate) enum Watch {
    Plain { last: String, said: Option<Instant> },
    Bar(ProgressBar),
}

/// How fast a batch goes, by what was seen of it lately.
#[derive(Default)]
pub(crate) struct Pace {
    seen: Vec<(Instant, i64)>,
}

impl Pace {
    /// Notes that `done` commits are done now, and returns commits per second and how many seconds the `left` ones take,
    /// from and to; `None` before anything is known.
    pub(crate) fn note(&mut self, now: Instant, done: i64, left: i64) -> Option<(f64, f64, f64)> {
        self.seen.retain(|(at, _)| now.duration_since(*at) <= MEMORY);
        self.seen.push((now, done));
        let rates: Vec<f64> = self
            .seen
            .windows(2)
            .map(|pair| {
                (pair[1].1 - pair[0].1) as f64 / pair[1].0.duration_since(pair[0].0).as_secs_f64().max(0.001)
            })
            .collect();
        let (first, last) = (self.seen.first()?, self.seen.last()?);
        let seconds = last.0.duration_since(first.0).as_secs_f64();
        let rate = (last.1 - first.1) as f64 / seconds;
        if seconds < 1.0 || rate <= 0.0 {
            return None;
        }
        // The spread of what was seen is the spread of what is to come, evened out over what is left.
        let spread = rates.iter().map(|one| (one - rate).powi(2)).sum::<f64>() / rates.len() as f64;
        let doubt = (spread.sqrt() / rate / (rates.len() as f64).sqrt()).clamp(0.05, 0.9);
        let eta = left as f64 / rate;
        Some((rate, eta * (1.0 - doubt), eta * (1.0 + doubt)))
    }
}

impl Watch {
    pub(crate) fn new(terminal: bool) -> Self {
        if !terminal {
            return Self::Plain { last: String::new(), said: None };
        }
        let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr_with_hz(10));
        // A line cannot hold it all on a terminal of 80 columns.
        let style = ProgressStyle::with_template("[{bar:24}] {wide_msg}\n{prefix}")
            .expect("the template is fixed and was tried");
        bar.set_style(style.progress_chars("=> "));
        Self::Bar(bar)
    }

    pub(crate) fn show(
        &mut self,
        batch: &BatchView,
        status: Option<&StatusView>,
        pace: Option<(f64, f64, f64)>,
    ) {
        let lines: Vec<String> = lines(batch, status, pace).iter().map(|line| talk::harmless(line)).collect();
        match self {
            Self::Plain { last, said } => {
                // An estimate changes all the time; what was done says whether there is news.
                let news = format!("{} {:?} {}", batch.state, batch.repositories, batch.commits_done);
                if news != *last || said.is_none_or(|said| said.elapsed() >= HEARTBEAT) {
                    talk::line(&lines.join(", "));
                    (*last, *said) = (news, Some(Instant::now()));
                }
            }
            Self::Bar(bar) => {
                bar.set_length(u64::try_from(batch.commits_new.max(1)).unwrap_or(1));
                bar.set_position(u64::try_from(batch.commits_done).unwrap_or(0));
                bar.set_message(lines[0].clone());
                bar.set_prefix(lines[1..].join("\n"));
            }
        }
    }

    /// Says something that stays.
    pub(crate) fn say(&self, text: &str) {
        match self {
            Self::Plain { .. } => talk::line(text),
            Self::Bar(bar) => bar.suspend(|| talk::line(text)),
        }
    }

    pub(crate) fn end(&self) {
        if let Self::Bar(bar) = self {
            bar.finish_and_clear();
        }
    }
}

/// What is to be said of a batch: how much of it is done, how it goes, and what is wrong, if anything is.
fn lines(batch: &BatchView, status: Option<&StatusView>, pace: Option<(f64, f64, f64)>) -> Vec<String> {
    let repositories = &batch.repositories;
    let done = format!(
        "{}/{} repositories, {}/{} commits",
        repositories.ended(),
        repositories.total,
        batch.commits_done,
        batch.commits_new
    );
    let mut going = Vec::new();
    if batch.paused {
        going.push("paused".to_owned());
    }
    if let Some((rate, from, to)) = pace.filter(|_| batch.commits_done < batch.commits_new) {
        going.push(format!("{rate:.0}/s, {} to {} left", duration(from), duration(to)));
    }
    if let Some(status) = status {
        going.push(format!("{} workers ({}/{} slots busy)", status.workers, status.running, status.slots));
    }
    let failures = batch.failures.iter().map(|failure| format!("{} {}", failure.repositories, failure.class));
    let missing = status.iter().flat_map(|status| &status.dependencies).filter(|one| !one.ok);
    let wrong: Vec<String> =
        failures.chain(missing.map(|missing| format!("the {} does not answer", missing.name))).collect();
    let mut lines = vec![done, going.join(", "), wrong.join(", ")];
    lines.retain(|line| !line.is_empty());
    lines
}

/// Returns seconds as people say them.
pub(crate) fn duration(seconds: f64) -> String {
    let seconds = seconds.max(0.0).round() as u64;
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3_600 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3_600, seconds % 3_600 / 60),
    }
}

#[cfg(test)]
mod tests {
    use gitfleet_coordinator::view::{FailureCount, JobCounts, RepositoryCounts};

    use super::*;

    fn batch() -> BatchView {
        BatchView {
            id: String::new(),
            name: String::new(),
            state: "running".into(),
            paused: false,
            priority: 0,
            labels: Default::default(),
            window: String::new(),
            created_at: String::new(),
            finished_at: None,
            repositories: RepositoryCounts::default(),
            jobs: JobCounts::default(),
            commits_new: 0,
            commits_done: 0,
            failures: Vec::new(),
            last_failure: None,
        }
    }

    fn status() -> StatusView {
        StatusView {
            version: String::new(),
            dependencies: Vec::new(),
            leader: None,
            batches_running: 1,
            workers: 0,
            slots: 0,
            running: 0,
            queues: Vec::new(),
            dead_letters: 0,
        }
    }

    #[test]
    fn an_even_pace_gives_a_narrow_estimate_and_no_pace_gives_none() {
        let begun = Instant::now();
        let mut pace = Pace::default();
        assert_eq!(pace.note(begun, 0, 1_000), None);
        let mut last = None;
        for second in 1..=10 {
            last = pace.note(begun + Duration::from_secs(second), 100 * second as i64, 1_000);
        }
        let (rate, from, to) = last.unwrap();
        assert!(
            (rate - 100.0).abs() < 1.0 && from > 9.0 && from < 10.0 && to > 10.0 && to < 11.0,
            "{last:?}"
        );
        let mut still = Pace::default();
        still.note(begun, 5, 10);
        assert_eq!(still.note(begun + Duration::from_secs(5), 5, 10), None);
    }

    #[test]
    fn every_line_fits_beside_the_bar_or_on_a_line_of_80_columns() {
        let large = 10_000_000;
        let failures = vec![FailureCount { class: "not_found".into(), repositories: 12 }];
        let mut batch = BatchView { commits_new: large, commits_done: large - 1, failures, ..batch() };
        (batch.repositories.total, batch.repositories.analysing) = (10_000, 1);
        let status = StatusView { workers: 200, slots: 1_600, running: 1_599, ..status() };
        let said = lines(&batch, Some(&status), Some((123_456.0, 3_599.0, 3_601.0)));
        assert_eq!(
            said,
            [
                "9999/10000 repositories, 9999999/10000000 commits",
                "123456/s, 59 min 59 s to 1 h 0 min left, 200 workers (1599/1600 slots busy)",
                "12 not_found",
            ]
        );
        assert!(said[0].len() + "[] ".len() + 24 <= 80 && said[1].len() <= 80, "{said:?}");
        let calm = BatchView { paused: true, failures: Vec::new(), ..batch };
        assert_eq!(lines(&calm, None, None)[1..], ["paused"]);
    }

    #[test]
    fn durations_are_said_in_two_units() {
        for (seconds, text) in [(0.4, "0 s"), (59.0, "59 s"), (61.0, "1 min 1 s"), (7_260.0, "2 h 1 min")] {
            assert_eq!(duration(seconds), text);
        }
    }
}
