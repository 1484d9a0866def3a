//! Schedules: batch requests that are submitted again and again, at the times a cron pattern names.
//!
//! What is due is written down before anything is done about it, under the schedule and the time it was due; the batch
//! is then submitted under a request key made of the same two. So whoever leads, however many coordinators there are and
//! wherever one dies, a firing becomes one batch.

pub mod timetable;

use std::collections::BTreeMap;

use chrono::DateTime;
use gitfleet_shared::window::Window;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::access::Scope;
use crate::access::scope::TEAM;
use crate::api::BatchRequest;
use crate::github::Selector;
use crate::store::RequestKey;
use timetable::Timetable;

/// What becomes of firings that nobody was there for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum CatchUp {
    /// The last one is made up for.
    #[default]
    One,
    None,
}

impl CatchUp {
    pub fn name(self) -> &'static str {
        match self {
            Self::One => "one",
            Self::None => "none",
        }
    }

    pub fn named(name: &str) -> Option<Self> {
        [Self::One, Self::None].into_iter().find(|one| one.name() == name)
    }
}

/// What a schedule submits. Kept as JSON in the store.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Planned {
    /// As it would be submitted now. The as-of time is that of each firing.
    pub batch: BatchRequest,
    /// So many complete weeks before each firing, in the place of the window in `batch`.
    #[serde(default)]
    #[schema(minimum = 1)]
    pub weeks: Option<u32>,
    /// Whether the week of the firing is the last of them.
    #[serde(default)]
    pub include_current: bool,
    /// Repositories that are listed anew at each firing, beside those of `batch`.
    #[serde(default)]
    pub selector: Option<Selector>,
}

impl Planned {
    /// Returns the request as of `fired_at`, in UTC milliseconds.
    ///
    /// # Errors
    ///
    /// Where its window reaches beyond the calendar; in words.
    pub fn at(&self, schedule: &str, fired_at: i64) -> Result<BatchRequest, String> {
        let mut batch = self.batch.clone();
        let now = DateTime::from_timestamp_millis(fired_at).ok_or("the time is beyond the calendar")?;
        batch.terms.as_of_seconds = now.timestamp();
        if let Some(weeks) = self.weeks {
            let zone = batch.terms.window.zone();
            batch.terms.window = Window::last_weeks(zone, weeks, self.include_current, now)
                .map_err(|error| error.to_string())?;
        }
        batch.labels.entry(LABEL.to_owned()).or_insert_with(|| schedule.to_owned());
        Ok(batch)
    }

    /// Whether whoever has `scope` sees a schedule of it: as they would see its batches.
    pub fn is_seen(&self, scope: &Scope) -> bool {
        let Scope::Part(part) = scope else { return true };
        match self.batch.labels.get(TEAM) {
            Some(team) => part.teams.contains(team),
            // Which projects it comes to is not known before it fires.
            None if self.selector.is_some() => false,
            None => {
                let projects = &self.batch.repositories;
                !projects.is_empty() && projects.iter().all(|one| part.projects.contains(&one.project_key))
            }
        }
    }

    /// Returns whose schedule it is, as the other half of its name: two teams may call theirs alike, and neither learns of
    /// the other's.
    pub fn owner(labels: &BTreeMap<String, String>, scope: &Scope) -> String {
        match (labels.get(TEAM), scope) {
            (Some(team), _) => format!("{TEAM}={team}"),
            (None, Scope::Part(part)) => {
                let mut projects = part.projects.clone();
                projects.sort_unstable();
                format!("projects={}", projects.join(","))
            }
            (None, Scope::All) => String::new(),
        }
    }
}

/// The label of a batch that says which schedule submitted it.
pub const LABEL: &str = "schedule";

/// A schedule as it is kept. Times are UTC milliseconds.
#[derive(Debug, Clone)]
pub struct Schedule {
    pub id: i64,
    pub name: String,
    pub owner: String,
    pub cron: String,
    pub zone: String,
    /// Hours of the day in which it fires, such as `20:00-06:00`.
    pub hours: Option<String>,
    pub catch_up: CatchUp,
    pub planned: Planned,
    pub paused: bool,
    /// When it fires next; `None` where its pattern names no time any more.
    pub next_due: Option<i64>,
    pub created_by: String,
    pub created_at: i64,
}

impl Schedule {
    /// # Errors
    ///
    /// Where one of its three parts is none, in words.
    pub fn timetable(&self) -> Result<Timetable, String> {
        Timetable::read(&self.cron, &self.zone, self.hours.as_deref())
    }
}

/// What became of a firing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum RunState {
    /// Written down, and not submitted yet.
    Begun,
    Submitted,
    /// The last batch was still running.
    Skipped,
    /// Nobody was there at its time.
    Missed,
    /// It cannot be submitted.
    Failed,
}

impl RunState {
    pub const ALL: [Self; 5] = [Self::Begun, Self::Submitted, Self::Skipped, Self::Missed, Self::Failed];

    pub fn name(self) -> &'static str {
        match self {
            Self::Begun => "begun",
            Self::Submitted => "submitted",
            Self::Skipped => "skipped",
            Self::Missed => "missed",
            Self::Failed => "failed",
        }
    }

    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.name() == name)
    }
}

/// One firing, named by its schedule and its time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    pub schedule: i64,
    pub due_at: i64,
    pub state: RunState,
    /// When it was begun; its window is of this time.
    pub fired_at: i64,
    /// Whether somebody asked for it.
    pub manual: bool,
    pub batch: Option<String>,
    /// Why it is as it is, where there is something to say.
    pub note: Option<String>,
}

impl Run {
    /// Returns what names its batch's request: the same whoever submits it, and whenever.
    pub fn request(&self) -> RequestKey {
        let key = format!("schedule/{}/{}", self.schedule, self.due_at);
        let digest = *blake3::hash(key.as_bytes()).as_bytes();
        RequestKey { key, digest }
    }
}

/// What is to be done about a schedule whose time has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decision {
    /// The firing that is carried out.
    pub fire: Option<i64>,
    /// The first of those that are not.
    pub missed: Option<i64>,
    pub next_due: Option<i64>,
}

/// A firing that is later than this was missed: a change of the lead and a restart take less.
pub const LATE_MILLIS: i64 = 5 * 60 * 1_000;

/// Decides about a schedule that was due at `due`, not after `now`.
pub fn decide(timetable: &Timetable, catch_up: CatchUp, due: i64, now: i64) -> Decision {
    let last = timetable.last(due, now).unwrap_or(due);
    let next_due = timetable.after(now.max(due));
    let is_late = now - last > LATE_MILLIS;
    if is_late && catch_up == CatchUp::None {
        return Decision { fire: None, missed: Some(due), next_due };
    }
    Decision { fire: Some(last), missed: (due < last).then_some(due), next_due }
}

#[cfg(test)]
mod tests {
    use gitfleet_shared::window::Window;

    use super::*;
    use crate::terms::Terms;

    fn millis(text: &str) -> i64 {
        DateTime::parse_from_rfc3339(text).unwrap().timestamp_millis()
    }

    #[track_caller]
    fn check(catch_up: CatchUp, due: &str, now: &str, fire: Option<&str>, missed: Option<&str>, next: &str) {
        let timetable = Timetable::read("0 2 * * *", "UTC", None).unwrap();
        let expect =
            Decision { fire: fire.map(millis), missed: missed.map(millis), next_due: Some(millis(next)) };
        assert_eq!(decide(&timetable, catch_up, millis(due), millis(now)), expect);
    }

    #[test]
    fn what_nobody_was_there_for_is_made_up_once_or_not_at_all() {
        let (first, third) = ("2026-03-01T02:00:00Z", "2026-03-03T02:00:00Z");
        for catch_up in [CatchUp::One, CatchUp::None] {
            // In time, or a little later.
            check(catch_up, first, first, Some(first), None, "2026-03-02T02:00:00Z");
            check(catch_up, first, "2026-03-01T02:05:00Z", Some(first), None, "2026-03-02T02:00:00Z");
            // A coordinator that comes back at the very time of the third.
            check(catch_up, first, "2026-03-03T02:00:01Z", Some(third), Some(first), "2026-03-04T02:00:00Z");
        }
        check(CatchUp::One, first, "2026-03-01T02:05:01Z", Some(first), None, "2026-03-02T02:00:00Z");
        check(CatchUp::One, first, "2026-03-03T09:00:00Z", Some(third), Some(first), "2026-03-04T02:00:00Z");
        check(CatchUp::None, first, "2026-03-01T02:05:01Z", None, Some(first), "2026-03-02T02:00:00Z");
        check(CatchUp::None, first, "2026-03-03T09:00:00Z", None, Some(first), "2026-03-04T02:00:00Z");
    }

    fn planned() -> Planned {
        Planned {
            batch: BatchRequest {
                name: "weekly".into(),
                repositories: Vec::new(),
                priority: 0,
                labels: BTreeMap::new(),
                terms: Terms {
                    window: Window::all_history(chrono_tz::Europe::Berlin),
                    as_of_seconds: 1,
                    max_blob_bytes: 1,
                    line_history: true,
                    slice_commits: 1,
                    dry_run: false,
                    lens: Default::default(),
                },
                config: String::new(),
            },
            weeks: None,
            include_current: false,
            selector: None,
        }
    }

    #[test]
    fn the_window_is_of_the_firing() {
        let mut planned = planned();
        let monday = millis("2026-03-01T23:30:00Z");
        let batch = planned.at("mine", monday).unwrap();
        assert_eq!(batch.terms.as_of_seconds * 1_000, monday);
        assert_eq!(batch.terms.window, planned.batch.terms.window);
        assert_eq!(batch.labels[LABEL], "mine");
        planned.weeks = Some(1);
        // In Berlin the Monday of week 10 has begun, so week 9 is the last complete one.
        assert!(planned.at("mine", monday).unwrap().terms.window.to_string().contains("W09"));
        planned.include_current = true;
        assert!(planned.at("mine", monday).unwrap().terms.window.to_string().contains("W10"));
        planned.batch.labels.insert(LABEL.to_owned(), "own".to_owned());
        assert_eq!(planned.at("mine", monday).unwrap().labels[LABEL], "own");
        assert!(planned.at("mine", i64::MAX).is_err());
    }

    #[test]
    fn a_schedule_is_seen_as_its_batches_are() {
        let own = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let (x, a) = (Scope::of(own(&["x"]), Vec::new()), Scope::of(Vec::new(), own(&["B", "A"])));
        let mut planned = planned();
        assert!(planned.is_seen(&Scope::All) && !planned.is_seen(&x) && !planned.is_seen(&a));
        assert_eq!(Planned::owner(&planned.batch.labels, &Scope::All), "");
        assert_eq!(Planned::owner(&planned.batch.labels, &a), "projects=A,B");
        planned.batch.repositories = vec![crate::api::RepositoryRequest {
            name: "a".into(),
            project_key: "A".into(),
            url: None,
            path: Some("/a".into()),
            branch: None,
            all_branches: false,
            credential: None,
        }];
        assert!(planned.is_seen(&a) && !planned.is_seen(&x));
        let listed = Planned { selector: Some(Selector::default()), ..planned.clone() };
        assert!(!listed.is_seen(&a) && listed.is_seen(&Scope::All));
        planned.batch.labels.insert(TEAM.to_owned(), "x".to_owned());
        assert!(!planned.is_seen(&a) && planned.is_seen(&x));
        assert_eq!(Planned::owner(&planned.batch.labels, &Scope::All), "team=x");
    }

    #[test]
    fn a_request_is_named_by_its_firing_alone() {
        let run = Run {
            schedule: 7,
            due_at: 1_000,
            state: RunState::Begun,
            fired_at: 1_234,
            manual: false,
            batch: None,
            note: None,
        };
        let again = Run { fired_at: 9_999, note: Some("again".into()), ..run.clone() };
        assert_eq!(run.request().key, "schedule/7/1000");
        assert_eq!(run.request().digest, again.request().digest);
        assert_ne!(run.request().digest, Run { due_at: 1_001, ..run }.request().digest);
    }
}
