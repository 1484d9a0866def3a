//! The queue port: at-least-once delivery of bytes on named topics.

pub mod in_process;

use std::time::Duration;

use async_trait::async_trait;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Topic {
    /// From coordinator to workers.
    Jobs,
    /// From workers to the coordinator.
    Outcomes,
    /// Signs of life, from workers to the coordinator. This topic alone may lose messages.
    Heartbeats,
}

#[derive(Debug, thiserror::Error)]
pub enum QueueError {
    /// Nothing more will be delivered or taken.
    #[error("the queue is closed")]
    Closed,
}

/// Promises:
///
/// * `publish` returns `Ok` only when the message is stored: it will be delivered at least once. It may wait while
///   the topic is full. On [`Topic::Heartbeats`] it never waits and may drop.
/// * A message may be delivered more than once, and in another order than it was published.
/// * A delivery belongs to one consumer until it is settled. A delivery that is dropped unsettled, by a panic or by
///   the death of its consumer, is delivered again.
#[async_trait]
pub trait Queue: Send + Sync {
    async fn publish(&self, topic: Topic, body: Vec<u8>) -> Result<(), QueueError>;

    async fn consume(&self, topic: Topic) -> Result<Box<dyn Consumer>, QueueError>;
}

#[async_trait]
pub trait Consumer: Send {
    /// Waits for the next delivery. Cancelling the wait loses nothing.
    async fn next(&mut self) -> Result<Box<dyn Delivery>, QueueError>;
}

#[async_trait]
pub trait Delivery: Send {
    fn body(&self) -> &[u8];

    /// How often this message was delivered before.
    fn redeliveries(&self) -> u32;

    /// The effect is durable; forget the message.
    async fn ack(self: Box<Self>) -> Result<(), QueueError>;

    /// Deliver again, not before `delay` has passed.
    async fn retry_later(self: Box<Self>, delay: Duration) -> Result<(), QueueError>;

    /// Put the message aside, with its bytes and the cause, for somebody to look at.
    async fn dead_letter(self: Box<Self>, cause: String) -> Result<(), QueueError>;
}
