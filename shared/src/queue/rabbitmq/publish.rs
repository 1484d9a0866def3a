//! Publishes, and knows when a message is stored: when the broker has confirmed it and has not returned it.
//!
//! One task does all of it. The client counts messages to match confirms with them, and two tasks publishing at once
//! could be counted in another order than they are sent. And a return may arrive on the confirm of another message, so
//! whoever judges one confirm has to have seen all that came with it.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::FutureExt;
use futures_util::stream::{FuturesUnordered, StreamExt};
use lapin::options::{BasicPublishOptions, ConfirmSelectOptions};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{BasicProperties, Channel, Confirmation, ErrorKind};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, timeout, timeout_at};

use super::line::{Line, Up, away};
use super::topology::{self, Names};
use super::unavailable;
use crate::queue::{QueueError, Topic};
use crate::trace::{self, TraceContext};

/// Messages on the wire that are not confirmed yet; beyond it callers wait.
const IN_FLIGHT: usize = 4096;
/// How often a message that the broker gave back is published again, each time after declaring all queues anew.
const REFUSALS: u32 = 3;
/// How long a channel that was closed is left alone before the next one is opened.
const PAUSE: Duration = Duration::from_millis(50);
/// How often the message came before, as far as this module has sent it on.
pub(super) const RETRIES: &str = "x-gitfleet-retries";

const PUBLISH: &str = "publish";

/// Where a message goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Route {
    To(Topic),
    /// To the topic once the delay has passed. The delay is a [`step`](topology::step).
    After(Topic, Duration),
}

pub(super) struct Publisher {
    requests: mpsc::Sender<Request>,
    line: Line,
    names: Arc<Names>,
    // Held for a look or an insert, and never across an await.
    delays: Mutex<HashSet<(Topic, Duration)>>,
}

/// What is published, and what goes with it beside its body.
#[derive(Clone)]
pub(super) struct Message {
    pub(super) body: Arc<[u8]>,
    /// How often it came before.
    pub(super) retries: u32,
    pub(super) trace: Option<TraceContext>,
}

struct Request {
    route: Route,
    message: Message,
    reply: oneshot::Sender<Result<(), Trouble>>,
}

/// Why a message is not known to be stored.
#[derive(Debug, thiserror::Error)]
enum Trouble {
    #[error("no queue takes the message")]
    Returned,
    #[error("the queue cannot store the message")]
    Nacked,
    #[error("the connection was lost")]
    Lost(#[source] lapin::Error),
    #[error("no confirm came within {0:?}")]
    Unconfirmed(Duration),
    #[error("RabbitMQ takes no messages for now: {0}")]
    Blocked(String),
}

impl Publisher {
    pub(super) fn new(line: Line, names: Arc<Names>) -> Self {
        let (requests, asked) = mpsc::channel(IN_FLIGHT);
        tokio::spawn(run(line.clone(), names.clone(), asked));
        Self { requests, line, names, delays: Mutex::default() }
    }

    pub(super) fn line(&self) -> &Line {
        &self.line
    }

    /// Returns the delay queues that were used.
    pub(super) fn delays(&self) -> Vec<(Topic, Duration)> {
        self.delays.lock().unwrap_or_else(PoisonError::into_inner).iter().copied().collect()
    }

    /// Publishes `message`, again where that is needed, and returns when it is stored or `patience` has ended.
    pub(super) async fn store(
        &self,
        route: Route,
        message: Message,
        patience: Duration,
    ) -> Result<(), QueueError> {
        let deadline = Instant::now() + patience;
        let before = self.line.now();
        let mut trouble = None;
        let mut refusals = 0;
        loop {
            if let Route::After(topic, delay) = route {
                self.prepare(topic, delay, deadline).await?;
            }
            let (reply, answer) = oneshot::channel();
            let request = Request { route, message: message.clone(), reply };
            let asked = async {
                self.requests.send(request).await.ok()?;
                answer.await.ok()
            };
            match timeout_at(deadline, asked).await {
                Ok(Some(Ok(()))) => return Ok(()),
                Ok(Some(Err(lost @ Trouble::Lost(_)))) => {
                    if let Some(reason) = lost.too_large(message.body.len()) {
                        return Err(QueueError::Refused { doing: PUBLISH, reason });
                    }
                    trouble = Some(lost);
                }
                Ok(Some(Err(refused))) => {
                    refusals += 1;
                    if refusals == REFUSALS {
                        return Err(unavailable(PUBLISH, refused));
                    }
                    trouble = Some(refused);
                    self.declare(route, deadline).await;
                }
                // The task has let it go, together with the connection, or at the end.
                Ok(None) if self.line.is_closed() => return Err(QueueError::Closed),
                Ok(None) => {}
                Err(_) => return Err(self.late(before.as_ref(), trouble, patience)),
            }
        }
    }

    /// Says why nothing was stored in time. A connection that stood all the while and brought no confirm is given up.
    fn late(&self, before: Option<&Arc<Up>>, trouble: Option<Trouble>, patience: Duration) -> QueueError {
        let Some(up) = self.line.now() else {
            return match (trouble, self.line.why()) {
                (_, Some(why)) => away(PUBLISH, why),
                (trouble, None) => unavailable(PUBLISH, trouble.unwrap_or(Trouble::Unconfirmed(patience))),
            };
        };
        if let Some(reason) = up.blocked.borrow().clone() {
            return unavailable(PUBLISH, Trouble::Blocked(reason));
        }
        if before.is_some_and(|before| Arc::ptr_eq(before, &up)) {
            up.suspect();
        }
        unavailable(PUBLISH, trouble.unwrap_or(Trouble::Unconfirmed(patience)))
    }

    /// Declares the delay queue of `topic` and `delay` if this process has not yet done so.
    async fn prepare(&self, topic: Topic, delay: Duration, deadline: Instant) -> Result<(), QueueError> {
        if self.delays.lock().unwrap_or_else(PoisonError::into_inner).contains(&(topic, delay)) {
            return Ok(());
        }
        let up = self.line.up_within(deadline.saturating_duration_since(Instant::now()), PUBLISH).await?;
        let declared = topology::declare_delay(&up.connection, &self.names, topic, delay);
        match timeout_at(deadline, declared).await {
            Ok(Ok(())) => {
                self.delays.lock().unwrap_or_else(PoisonError::into_inner).insert((topic, delay));
                Ok(())
            }
            Ok(Err(error)) => {
                let name = self.names.delay(topic, delay);
                Err(away(PUBLISH, Arc::new(self.line.opener().declared("queue", &name, error))))
            }
            Err(elapsed) => Err(unavailable(PUBLISH, elapsed)),
        }
    }

    /// Declares what `route` needs once more: somebody may have deleted it.
    async fn declare(&self, route: Route, deadline: Instant) {
        let later = Instant::now() + topology::REDECLARE_AFTER;
        tokio::time::sleep_until(later.min(deadline)).await;
        let Some(up) = self.line.now() else { return };
        if let Route::After(topic, delay) = route {
            self.delays.lock().unwrap_or_else(PoisonError::into_inner).remove(&(topic, delay));
        }
        let declared = topology::declare(&up.connection, &self.names, self.line.opener());
        if let Ok(Err(error)) = timeout_at(deadline, declared).await {
            tracing::warn!(%error, "the queues cannot be declared again");
        }
    }
}

impl Trouble {
    /// Returns the broker's words if it closed the channel because of a message of just this length.
    fn too_large(&self, length: usize) -> Option<String> {
        let Self::Lost(error) = self else { return None };
        let ErrorKind::ProtocolError(said) = error.kind() else { return None };
        let words = said.get_message().as_str();
        words.contains(&format!("message size {length} ")).then(|| words.to_owned())
    }
}

/// Publishes what is asked for over the connection that stands, until the line is closed.
async fn run(line: Line, names: Arc<Names>, mut requests: mpsc::Receiver<Request>) {
    while let Some(up) = line.up().await {
        let served = tokio::select! {
            served = serve(&up, &names, &mut requests) => served,
            () = line.gone(&up) => continue,
        };
        match served {
            Ok(()) => return,
            Err(error) => {
                tracing::debug!(%error, "publishing channel lost");
                let pause = if is_missing(&error) { topology::REDECLARE_AFTER } else { PAUSE };
                let _ = timeout(pause, line.closed()).await;
                let declared = topology::declare(&up.connection, &names, line.opener());
                let _ = timeout(line.opener().deadline(), declared).await;
            }
        }
    }
}

/// Whether something was not there, such as the exchange.
fn is_missing(error: &lapin::Error) -> bool {
    matches!(error.kind(), ErrorKind::ProtocolError(said) if said.get_message().as_str().starts_with("NOT_FOUND"))
}

/// Returns at the end of requests, or when the channel is lost.
async fn serve(up: &Up, names: &Names, requests: &mut mpsc::Receiver<Request>) -> lapin::Result<()> {
    let channel = up.connection.create_channel().await?;
    channel.confirm_select(ConfirmSelectOptions::default()).await?;
    let mut blocked = up.blocked.subscribe();
    let mut in_flight = FuturesUnordered::new();
    let mut next_id = 0u64;
    loop {
        let may_send = blocked.borrow_and_update().is_none() && in_flight.len() < IN_FLIGHT;
        tokio::select! {
            biased;
            Some(first) = in_flight.next(), if !in_flight.is_empty() => {
                // A return is on a confirm that came before or with that of its message: see them all, then judge.
                let mut settled = vec![first];
                while let Some(Some(more)) = in_flight.next().now_or_never() {
                    settled.push(more);
                }
                judge(settled)?;
            }
            changed = blocked.changed() => if changed.is_err() { return Ok(()) },
            request = requests.recv(), if may_send => match request {
                // One whose caller has given up would only come twice.
                Some(request) if !request.reply.is_closed() => {
                    next_id += 1;
                    in_flight.push(send(&channel, names, next_id, request));
                }
                Some(_) => {}
                None => return Ok(()),
            },
        }
    }
}

struct Settled {
    id: u64,
    reply: oneshot::Sender<Result<(), Trouble>>,
    confirmation: lapin::Result<Confirmation>,
}

async fn send(channel: &Channel, names: &Names, id: u64, request: Request) -> Settled {
    let Request { route, message: Message { body, retries, trace }, reply } = request;
    let (exchange, key, mandatory) = match route {
        Route::To(Topic::Control) => (names.control(), String::new(), false),
        Route::To(topic) => (String::new(), names.queue(topic), true),
        Route::After(topic, delay) => (String::new(), names.delay(topic, delay), true),
    };
    // What may be lost need not be written to disk.
    let passing = matches!(route, Route::To(Topic::Heartbeats | Topic::Control));
    let mut properties = BasicProperties::default()
        .with_delivery_mode(if passing { 1 } else { 2 })
        .with_message_id(id.to_string().into());
    if retries > 0 || trace.is_some() {
        let mut headers = FieldTable::default();
        if retries > 0 {
            headers.insert(RETRIES.into(), AMQPValue::LongLongInt(retries.into()));
        }
        if let Some(trace) = trace {
            headers.insert(trace::HEADER.into(), AMQPValue::LongString(trace.to_string().into()));
        }
        properties = properties.with_headers(headers);
    }
    let mandatory = mandatory && !crate::sabotaged!("no_confirm");
    let options = BasicPublishOptions { mandatory, ..BasicPublishOptions::default() };
    let published = channel.basic_publish(exchange.into(), key.into(), options, &body, properties).await;
    let confirmation = match published {
        Ok(_) if crate::sabotaged!("no_confirm") => Ok(Confirmation::Ack(None)),
        Ok(confirm) => {
            crate::point!("W8", route == Route::To(Topic::Outcomes));
            crate::point!("C5", route == Route::To(Topic::Jobs));
            confirm.await
        }
        Err(error) => Err(error),
    };
    Settled { id, reply, confirmation }
}

/// Tells each caller what became of its message. Returns the error that ended the channel, if one did.
fn judge(settled: Vec<Settled>) -> lapin::Result<()> {
    let returned: HashSet<u64> = settled
        .iter()
        .filter_map(|settled| match &settled.confirmation {
            Ok(Confirmation::Ack(Some(returned)) | Confirmation::Nack(Some(returned))) => Some(returned),
            _ => None,
        })
        .filter_map(|returned| returned.properties.message_id().as_ref()?.as_str().parse().ok())
        .collect();
    let mut ended = Ok(());
    for Settled { id, reply, confirmation } in settled {
        let result = match confirmation {
            _ if returned.contains(&id) => Err(Trouble::Returned),
            // With a return that is another message's.
            Ok(Confirmation::Ack(_)) => Ok(()),
            Ok(Confirmation::Nack(_) | Confirmation::NotRequested) => Err(Trouble::Nacked),
            Err(error) => {
                ended = Err(error.clone());
                Err(Trouble::Lost(error))
            }
        };
        // Nobody waits any more: it was stored for nothing, and comes twice.
        let _ = reply.send(result);
    }
    ended
}
