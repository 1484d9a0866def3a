//! A connection that is kept: opened again whenever it is lost, with growing pauses, until it is closed.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::StreamExt;
use lapin::{Connection, Event};
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, timeout};

use super::connection::{ConnectError, Opener, Why};
use super::topology::{self, Names};
use super::unavailable;
use crate::queue::{Blocked, QueueError};

const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// A connection that stood so long begins with short pauses again.
const STOOD: Duration = Duration::from_secs(10);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Publishing,
    Consuming,
}

impl Role {
    fn name(self) -> &'static str {
        match self {
            Self::Publishing => "publishing",
            Self::Consuming => "consuming",
        }
    }
}

#[derive(Clone)]
pub(super) enum State {
    /// Not there, with the reason as far as one is known.
    Away(Option<Why>),
    Up(Arc<Up>),
    Closed,
}

/// A connection that stands.
pub(super) struct Up {
    pub(super) connection: Connection,
    /// Why the broker does not read from it, while it does not.
    pub(super) blocked: watch::Sender<Option<String>>,
    suspected: Notify,
    standstill: Arc<Standstill>,
}

/// How long the broker did not read, over all connections of a line.
#[derive(Default)]
struct Standstill {
    // Held for a look or a change, and never across an await.
    state: Mutex<(Option<Instant>, Duration)>,
}

impl Standstill {
    fn begin(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.0.get_or_insert_with(Instant::now);
    }

    fn end(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(since) = state.0.take() {
            state.1 += since.elapsed();
        }
    }

    fn total(&self) -> Duration {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.1 + state.0.map_or(Duration::ZERO, |since| since.elapsed())
    }
}

impl Up {
    /// It answers no more, whatever the system says of it: give it up.
    pub(super) fn suspect(&self) {
        self.suspected.notify_one();
    }

    /// Returns when it is lost, with the reason.
    async fn lost(&self) -> String {
        const LOOK_EVERY: Duration = Duration::from_secs(1);
        let mut events = pin!(self.connection.events_listener());
        let mut looks = tokio::time::interval(LOOK_EVERY);
        loop {
            tokio::select! {
                event = events.next() => match event {
                    Some(Event::ConnectionBlocked(reason)) => {
                        tracing::warn!(reason, "RabbitMQ takes no messages for now");
                        self.standstill.begin();
                        self.blocked.send_replace(Some(reason));
                    }
                    Some(Event::ConnectionUnblocked) => {
                        tracing::info!("RabbitMQ takes messages again");
                        self.standstill.end();
                        self.blocked.send_replace(None);
                    }
                    // A channel's trouble is told here, too.
                    Some(Event::Error(error)) if !self.connection.status().connected() => {
                        return error.to_string();
                    }
                    Some(_) => {}
                    None => return "it was closed".to_owned(),
                },
                () = self.suspected.notified() => return "it does not answer".to_owned(),
                _ = looks.tick() => if !self.connection.status().connected() {
                    return "it was closed".to_owned();
                },
            }
        }
    }
}

#[derive(Clone)]
pub(super) struct Line {
    state: watch::Receiver<State>,
    closing: Arc<watch::Sender<bool>>,
    opener: Arc<Opener>,
    standstill: Arc<Standstill>,
}

impl Line {
    /// Begins to open the connection.
    pub(super) fn keep(role: Role, opener: Arc<Opener>, names: Arc<Names>) -> Self {
        let (state, states) = watch::channel(State::Away(None));
        let (closing, closings) = watch::channel(false);
        let standstill = Arc::new(Standstill::default());
        tokio::spawn(keep(role, opener.clone(), names, standstill.clone(), state, closings));
        Self { state: states, closing: Arc::new(closing), opener, standstill }
    }

    /// Returns whether the broker reads from the connection.
    pub(super) fn blocked(&self) -> Blocked {
        let reason = self.now().and_then(|up| up.blocked.borrow().clone());
        Blocked { reason, total: self.standstill.total() }
    }

    pub(super) fn opener(&self) -> &Opener {
        &self.opener
    }

    pub(super) fn close(&self) {
        self.closing.send_replace(true);
    }

    pub(super) fn is_closed(&self) -> bool {
        *self.closing.borrow()
    }

    /// Returns when it is closed.
    pub(super) async fn closed(&self) {
        // The sender is this very line's, so it cannot be gone.
        let _ = self.closing.subscribe().wait_for(|closing| *closing).await;
    }

    /// Waits for the first attempt to end.
    pub(super) async fn first(&self) -> Result<(), ConnectError> {
        let mut state = self.state.clone();
        let settled = state.wait_for(|state| !matches!(state, State::Away(None))).await;
        match settled.as_deref() {
            Ok(State::Up(_)) => Ok(()),
            Ok(State::Away(Some(why))) => {
                self.close();
                Err(ConnectError::clone(why))
            }
            Ok(State::Away(None) | State::Closed) | Err(_) => Err(ConnectError::Closed),
        }
    }

    /// Returns the connection if it stands now.
    pub(super) fn now(&self) -> Option<Arc<Up>> {
        match &*self.state.borrow() {
            State::Up(up) => Some(up.clone()),
            State::Away(_) | State::Closed => None,
        }
    }

    /// Returns why it is away, if it is.
    pub(super) fn why(&self) -> Option<Why> {
        match &*self.state.borrow() {
            State::Away(why) => why.clone(),
            State::Up(_) | State::Closed => None,
        }
    }

    /// Waits for the connection; `None` where the line is closed.
    pub(super) async fn up(&self) -> Option<Arc<Up>> {
        let mut state = self.state.clone();
        let there = state.wait_for(|state| !matches!(state, State::Away(_))).await;
        match there.as_deref() {
            Ok(State::Up(up)) => Some(up.clone()),
            _ => None,
        }
    }

    /// Waits for the connection, but not longer than `patience`.
    pub(super) async fn up_within(
        &self,
        patience: Duration,
        doing: &'static str,
    ) -> Result<Arc<Up>, QueueError> {
        match timeout(patience, self.up()).await {
            Ok(Some(up)) => Ok(up),
            Ok(None) => Err(QueueError::Closed),
            Err(elapsed) => Err(match self.why() {
                Some(why) => away(doing, why),
                None => unavailable(doing, elapsed),
            }),
        }
    }

    /// Returns when `up` is no longer the connection of this line.
    pub(super) async fn gone(&self, up: &Arc<Up>) {
        let mut state = self.state.clone();
        let is_it = |state: &State| matches!(state, State::Up(now) if Arc::ptr_eq(now, up));
        let _ = state.wait_for(|state| !is_it(state)).await;
    }
}

/// Tells what keeps the connection away: what will not pass by itself is a refusal.
pub(super) fn away(doing: &'static str, why: Why) -> QueueError {
    match *why {
        ConnectError::Topology { .. } => QueueError::Refused { doing, reason: why.to_string() },
        _ => unavailable(doing, why),
    }
}

async fn keep(
    role: Role,
    opener: Arc<Opener>,
    names: Arc<Names>,
    standstill: Arc<Standstill>,
    state: watch::Sender<State>,
    mut closing: watch::Receiver<bool>,
) {
    let mut pause = FIRST_PAUSE;
    loop {
        let opened = tokio::select! {
            opened = open(role, &opener, &names) => opened,
            _ = closing.wait_for(|closing| *closing) => break,
        };
        match opened {
            Ok(connection) => {
                let begun = Instant::now();
                let (blocked, suspected) = (watch::Sender::new(None), Notify::new());
                let up = Arc::new(Up { connection, blocked, suspected, standstill: standstill.clone() });
                tracing::debug!(place = %opener.place(), role = role.name(), "connected to RabbitMQ");
                state.send_replace(State::Up(up.clone()));
                let reason = tokio::select! {
                    reason = up.lost() => reason,
                    _ = closing.wait_for(|closing| *closing) => break,
                };
                tracing::warn!(place = %opener.place(), role = role.name(), reason, "connection to RabbitMQ lost");
                // What was said of it holds for it alone.
                standstill.end();
                let lost = ConnectError::Lost { place: opener.place(), reason };
                state.send_replace(State::Away(Some(Arc::new(lost))));
                if begun.elapsed() > STOOD {
                    pause = FIRST_PAUSE;
                }
                // A lost connection takes its channels along, those of consumers, too.
                tokio::spawn(async move {
                    let _ = timeout(LONGEST_PAUSE, up.connection.close(320, "given up".into())).await;
                });
            }
            Err(error) => {
                tracing::warn!(role = role.name(), %error, source = source(&error), "no connection to RabbitMQ");
                state.send_replace(State::Away(Some(Arc::new(error))));
            }
        }
        if timeout(jittered(pause), closing.wait_for(|closing| *closing)).await.is_ok() {
            break;
        }
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
    // Dropped and not closed: it ends with the last channel on it, when the deliveries that are out are settled.
    state.send_replace(State::Closed);
}

fn source(error: &ConnectError) -> Option<String> {
    std::error::Error::source(error).map(ToString::to_string)
}

async fn open(role: Role, opener: &Opener, names: &Names) -> Result<Connection, ConnectError> {
    let connection = opener.open(role.name()).await?;
    let declared = timeout(opener.deadline(), topology::declare(&connection, names, opener)).await;
    let silent = ConnectError::Silent { place: opener.place(), within: opener.deadline() };
    declared.unwrap_or(Err(silent))?;
    Ok(connection)
}

/// Returns between half of `pause` and all of it, so that a fleet does not come back all at once.
fn jittered(pause: Duration) -> Duration {
    let share = RandomState::new().hash_one(()) % 1024;
    pause / 2 + pause / 2 * u32::try_from(share).unwrap_or(0) / 1024
}
