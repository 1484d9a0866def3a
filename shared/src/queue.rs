//! The queue port: at-least-once delivery of bytes on named topics.

pub mod in_process;
pub mod rabbitmq;

use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::codec::{self, Kind};
use crate::trace::TraceContext;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Topic {
    /// From coordinator to workers.
    Jobs,
    /// From workers to the coordinator.
    Outcomes,
    /// Signs of life, from workers to the coordinator. They may be lost.
    Heartbeats,
    /// What the coordinator wants of workers, whole in each message: every consumer gets each message that is published
    /// after it came. They may be lost.
    Control,
    /// Messages nobody could use, each a [`DeadLetter`].
    Dead,
}

#[derive(Debug, thiserror::Error)]
pub enum QueueError {
    /// Nothing more will be delivered or taken.
    #[error("the queue is closed")]
    Closed,
    /// The queue does not answer now. What was being done may have happened or not; doing it again is safe.
    #[error("the queue does not answer, so nobody can {doing}")]
    Unavailable {
        doing: &'static str,
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The delivery was taken back before it was settled, and comes again, perhaps to somebody else.
    #[error("the delivery is no longer ours; it comes again")]
    Lost,
    /// The queue will not take this, however often it is asked.
    #[error("the queue refuses to {doing}: {reason}")]
    Refused { doing: &'static str, reason: String },
}

/// A message that nobody could use, as it lies on [`Topic::Dead`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeadLetter {
    /// Where it was found; empty where that is not known any more.
    pub topic: String,
    pub cause: String,
    /// Its bytes, or as many as are kept of them.
    #[serde(with = "serde_bytes")]
    pub body: Vec<u8>,
}

/// The version of dead letters, which is their own: they are read by whoever comes later.
pub(crate) const DEAD_LETTER_VERSION: u16 = 1;

impl DeadLetter {
    pub fn encode(&self) -> Vec<u8> {
        codec::encode(Kind::DeadLetter, DEAD_LETTER_VERSION, self)
    }

    /// Returns the letter in `frame`. What is no letter has come here by the broker's own hand, and is one itself.
    pub fn read(frame: &[u8]) -> Self {
        codec::decode(Kind::DeadLetter, DEAD_LETTER_VERSION, frame).unwrap_or_else(|_| Self {
            topic: String::new(),
            cause: "the queue gave it up".to_owned(),
            body: frame.to_vec(),
        })
    }
}

impl Topic {
    pub const ALL: [Self; 5] = [Self::Jobs, Self::Outcomes, Self::Heartbeats, Self::Control, Self::Dead];

    /// Returns the stable name for queues, listings and letters.
    pub fn name(self) -> &'static str {
        match self {
            Self::Jobs => "jobs",
            Self::Outcomes => "outcomes",
            Self::Heartbeats => "heartbeats",
            Self::Control => "control",
            Self::Dead => "dead",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|topic| topic.name() == name)
    }
}

/// Promises:
///
/// * `publish` returns `Ok` only when the message is stored: it will be delivered at least once. It may wait while
///   the topic is full. On [`Topic::Heartbeats`] and [`Topic::Control`] it never waits long and may drop.
/// * A message may be delivered more than once, and in another order than it was published.
/// * A delivery belongs to one consumer until it is settled. A delivery that is dropped unsettled, by a panic or by
///   the death of its consumer, is delivered again.
#[async_trait]
pub trait Queue: Send + Sync {
    async fn publish(&self, topic: Topic, body: Vec<u8>) -> Result<(), QueueError> {
        self.publish_traced(topic, body, None).await
    }

    /// As [`publish`](Self::publish), and the trace that the message is part of goes with it, beside its body.
    async fn publish_traced(
        &self,
        topic: Topic,
        body: Vec<u8>,
        trace: Option<TraceContext>,
    ) -> Result<(), QueueError>;

    async fn consume(&self, topic: Topic) -> Result<Box<dyn Consumer>, QueueError>;

    /// Returns how many messages wait on `topic`, those that are out to consumers not counted. On [`Topic::Control`],
    /// where nothing waits for anybody, 0.
    async fn depth(&self, topic: Topic) -> Result<u64, QueueError>;

    /// Returns what stands behind the port, with its version, after it has answered.
    async fn describe(&self) -> Result<String, QueueError>;

    /// Returns whether messages are taken, as far as the queue has said so.
    fn blocked(&self) -> Blocked;
}

/// A queue that takes no messages for now: it is short of memory or disk.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Blocked {
    /// Its words, while it is so.
    pub reason: Option<String>,
    /// How long it has been so altogether, since this process began.
    pub total: Duration,
}

#[async_trait]
pub trait Consumer: Send {
    /// Waits for the next delivery. Cancelling the wait loses nothing.
    async fn next(&mut self) -> Result<Box<dyn Delivery>, QueueError>;

    /// Takes no more, and returns what was delivered to it and not yet asked for, so that it can be settled.
    async fn stop(self: Box<Self>) -> Vec<Box<dyn Delivery>>;
}

#[async_trait]
pub trait Delivery: Send {
    fn body(&self) -> &[u8];

    /// The trace that the message is part of, where whoever published it said so.
    fn trace(&self) -> Option<TraceContext>;

    /// How often this message was delivered before, as far as the queue remembers.
    fn redeliveries(&self) -> u32;

    /// Whether an earlier delivery was dropped unsettled: its consumer died, or lost its connection.
    fn was_dropped(&self) -> bool;

    /// The effect is durable; forget the message.
    async fn ack(self: Box<Self>) -> Result<(), QueueError>;

    /// Deliver again, not before `delay` has passed.
    async fn retry_later(self: Box<Self>, delay: Duration) -> Result<(), QueueError>;

    /// Put the message aside, with its bytes and the cause, for somebody to look at.
    async fn dead_letter(self: Box<Self>, cause: String) -> Result<(), QueueError>;
}
