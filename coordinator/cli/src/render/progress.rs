//! How far a run is: bars on a terminal, at most one plain line a second elsewhere.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use gitfleet_coordinator::batch::Progress;
use gitfleet_coordinator::store::RepositoryState;
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use super::talk;

/// Plain lines come no closer than this.
const PLAIN_EVERY: Duration = Duration::from_secs(1);

pub(crate) enum Display {
    Silent,
    Plain(Plain),
    Bars(Box<Bars>),
}

#[derive(Default)]
pub(crate) struct Plain {
    said: Option<Instant>,
    last: String,
    /// The newest line, which may have come too soon after another.
    due: String,
    failures: BTreeSet<String>,
}

pub(crate) struct Bars {
    bars: MultiProgress,
    survey: ProgressBar,
    analysis: ProgressBar,
    failures: BTreeSet<String>,
}

impl Display {
    pub(crate) fn new(quiet: bool, terminal: bool) -> Self {
        match (quiet, terminal) {
            (true, _) => Self::Silent,
            (false, false) => Self::Plain(Plain::default()),
            (false, true) => Self::Bars(Box::new(Bars::new())),
        }
    }

    pub(crate) fn show(&mut self, progress: &Progress) {
        match self {
            Self::Silent => {}
            Self::Plain(plain) => plain.show(progress),
            Self::Bars(bars) => bars.show(progress),
        }
    }

    /// Says how it ended, and leaves the terminal clean.
    pub(crate) fn end(&mut self) {
        match self {
            Self::Silent => {}
            Self::Plain(plain) => plain.say(),
            Self::Bars(bars) => {
                bars.survey.finish_and_clear();
                bars.analysis.finish_and_clear();
            }
        }
    }
}

/// The sums of a progress.
struct Sums {
    repositories: usize,
    surveyed: usize,
    commits: u64,
    done: u64,
    in_flight: Vec<String>,
}

impl Sums {
    fn of(progress: &Progress) -> Self {
        let all = &progress.repositories;
        Self {
            repositories: all.len(),
            surveyed: all.iter().filter(|r| r.state != RepositoryState::Surveying).count(),
            commits: all.iter().map(|r| r.commits_new).sum(),
            done: all
                .iter()
                .map(|r| if r.state == RepositoryState::Analysed { r.commits_new } else { r.commits_done })
                .sum(),
            in_flight: all
                .iter()
                .filter(|r| r.state == RepositoryState::Analysing && r.commits_done > 0)
                .map(|r| r.name.clone())
                .collect(),
        }
    }
}

/// Returns the failures that were not told yet, and notes them.
fn new_failures(progress: &Progress, told: &mut BTreeSet<String>) -> Vec<String> {
    let failed = progress.repositories.iter().filter_map(|r| Some((&r.name, r.failure.as_ref()?)));
    failed
        .filter(|(name, _)| told.insert((*name).clone()))
        .map(|(name, failure)| format!("{name} failed: {failure}"))
        .collect()
}

impl Plain {
    fn show(&mut self, progress: &Progress) {
        let failures = new_failures(progress, &mut self.failures);
        for failure in &failures {
            talk::warning(failure);
        }
        let sums = Sums::of(progress);
        self.due = format!(
            "surveyed {} of {} repositories, analysed {} of {} commits",
            sums.surveyed, sums.repositories, sums.done, sums.commits
        );
        if self.said.is_none_or(|said| said.elapsed() >= PLAIN_EVERY) {
            self.say();
        }
    }

    fn say(&mut self) {
        if self.due != self.last {
            talk::line(&self.due);
            self.last.clone_from(&self.due);
            self.said = Some(Instant::now());
        }
    }
}

impl Bars {
    fn new() -> Self {
        // Redrawn ten times a second at most, whatever comes in.
        let bars = MultiProgress::with_draw_target(ProgressDrawTarget::stderr_with_hz(10));
        let style = |template: &str| {
            ProgressStyle::with_template(template)
                .expect("the template is fixed and was tried")
                .with_key("rate", |state: &ProgressState, out: &mut dyn std::fmt::Write| {
                    // A bar has nowhere to report that it could not be drawn.
                    let _ = write!(out, "{:.0}/s", state.per_sec());
                })
                .progress_chars("=> ")
        };
        let survey = bars.add(ProgressBar::new(0));
        survey.set_style(style("survey   [{bar:30}] {pos}/{len} repositories"));
        let analysis = bars.add(ProgressBar::new(0));
        analysis.set_style(style("analysis [{bar:30}] {pos}/{len} commits  {rate}  {eta} left  {wide_msg}"));
        Self { bars, survey, analysis, failures: BTreeSet::new() }
    }

    fn show(&mut self, progress: &Progress) {
        for failure in new_failures(progress, &mut self.failures) {
            // Nobody to tell is no reason to stop.
            let _ = self.bars.println(format!("warning: {}", talk::harmless(&failure)));
        }
        let sums = Sums::of(progress);
        self.survey.set_length(sums.repositories as u64);
        self.survey.set_position(sums.surveyed as u64);
        self.analysis.set_length(sums.commits);
        self.analysis.set_position(sums.done);
        self.analysis.set_message(talk::harmless(&sums.in_flight.join(", ")));
    }
}
