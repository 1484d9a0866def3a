//! Consumes over one channel per consumer, through every loss of the connection.
//!
//! Whoever settles a delivery whose channel is gone is told so: the broker gives it to somebody again.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::{FutureExt, StreamExt};
use lapin::Channel;
use lapin::options::{
    BasicAckOptions, BasicCancelOptions, BasicConsumeOptions, BasicNackOptions, BasicQosOptions,
};
use lapin::types::{AMQPValue, FieldTable};
use tokio::runtime::Handle;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout, timeout_at};

use super::connection::ConnectError;
use super::line::away;
use super::publish::{Message, RETRIES, Route};
use super::topology;
use super::{Shared, unavailable};
use crate::queue::{Consumer, DeadLetter, Delivery, QueueError, Topic};
use crate::trace::{HEADER, TraceContext};

/// How often a consumer to whom nothing comes asks whether its queue still has consumers.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// How long a consumer may take to come to an end.
const STOPPING: Duration = Duration::from_secs(5);
/// A dead letter keeps so much of its message.
const KEPT_BYTES: usize = 1 << 20;

pub(super) struct RabbitConsumer {
    shared: Arc<Shared>,
    topic: Topic,
    prefetch: u16,
    feed: Feed,
    /// When it was last known that the queue has this consumer.
    looked: Instant,
    runtime: Handle,
}

enum Feed {
    None,
    /// In a task of its own, so that a caller who only looks in now and then gets there, too.
    Opening(JoinHandle<Option<Box<Open>>>),
    Open(Box<Open>),
}

struct Open {
    channel: Channel,
    deliveries: lapin::Consumer,
}

impl RabbitConsumer {
    pub(super) fn new(shared: Arc<Shared>, topic: Topic, prefetch: u16) -> Self {
        Self { shared, topic, prefetch, feed: Feed::None, looked: Instant::now(), runtime: Handle::current() }
    }

    /// Opens the channel if the connection stands; else that is left to [`next`](Consumer::next).
    pub(super) async fn begin(&mut self, patience: Duration) -> Result<(), QueueError> {
        if self.shared.consuming.now().is_some() {
            match timeout(patience, self.open()).await {
                Ok(opened) => opened?,
                Err(elapsed) => return Err(unavailable("consume", elapsed)),
            }
        }
        Ok(())
    }

    async fn open(&mut self) -> Result<(), QueueError> {
        loop {
            match &mut self.feed {
                Feed::Open(_) => return Ok(()),
                Feed::None => {
                    if self.shared.consuming.is_closed() {
                        return Err(QueueError::Closed);
                    }
                    let (shared, topic, prefetch) = (self.shared.clone(), self.topic, self.prefetch);
                    self.feed = Feed::Opening(self.runtime.spawn(open(shared, topic, prefetch)));
                }
                Feed::Opening(opening) => {
                    let opened = opening.await;
                    self.feed = Feed::None;
                    match opened {
                        Ok(Some(open)) => self.feed = Feed::Open(open),
                        Ok(None) => {
                            if let Some(why) = self.shared.consuming.why()
                                && let ConnectError::Topology { .. } = *why
                            {
                                return Err(away("consume", why));
                            }
                        }
                        // The runtime goes down, and everything with it.
                        Err(_) => return Err(QueueError::Closed),
                    }
                }
            }
        }
    }

    /// Returns whether the queue still knows consumers. One that was deleted and declared again at once has none, and
    /// the broker does not always say so.
    async fn is_attached(&self) -> bool {
        let (Some(up), false) = (self.shared.consuming.now(), self.topic == Topic::Control) else {
            return true;
        };
        let ask = topology::look(&up.connection, &self.shared.names, self.topic);
        match timeout(self.shared.config.confirm_deadline, ask).await {
            Ok(Ok(queue)) => queue.consumer_count() > 0,
            // Missing, or not to be asked: opening again declares it, or waits for whoever is away.
            Ok(Err(_)) | Err(_) => false,
        }
    }

    fn delivery(&self, channel: Channel, delivery: lapin::message::Delivery) -> Box<dyn Delivery> {
        let (retries, redelivered) = (retries(&delivery.properties), delivery.redelivered);
        Box::new(RabbitDelivery {
            shared: self.shared.clone(),
            topic: self.topic,
            runtime: self.runtime.clone(),
            redeliveries: retries.saturating_add(returned(&delivery.properties, redelivered)),
            redelivered,
            trace: trace(&delivery.properties),
            body: delivery.data,
            parts: Some((channel, delivery.acker)),
        })
    }

    /// Lets the channel go, and gives back what it has brought and nobody has taken.
    fn give_back(&mut self) {
        match std::mem::replace(&mut self.feed, Feed::None) {
            Feed::None => {}
            Feed::Opening(opening) => opening.abort(),
            Feed::Open(open) => {
                let Open { channel, mut deliveries } = *open;
                let giving = timeout(STOPPING, async move {
                    let tag = deliveries.tag();
                    // Nothing more comes after this; deliveries that are out keep the channel until they are settled.
                    let _ = channel.basic_cancel(tag, BasicCancelOptions::default()).await;
                    while let Some(Ok(delivery)) = deliveries.next().await {
                        let requeue = BasicNackOptions { requeue: true, ..BasicNackOptions::default() };
                        let _ = delivery.acker.nack(requeue).await;
                    }
                });
                let _entered = self.runtime.enter();
                let mut giving = Box::pin(giving);
                // Begun here and now: what this consumer's owner gives back next must not come to it again.
                if giving.as_mut().now_or_never().is_none() {
                    self.runtime.spawn(giving);
                }
            }
        }
    }
}

/// Waits for the connection and opens a channel on it; `None` where that has failed and is worth another attempt.
async fn open(shared: Arc<Shared>, topic: Topic, prefetch: u16) -> Option<Box<Open>> {
    let line = &shared.consuming;
    if let Some(why) = line.why()
        && let ConnectError::Topology { .. } = *why
    {
        return None;
    }
    let up = line.up().await?;
    let opening = async {
        let channel = up.connection.create_channel().await?;
        channel.basic_qos(prefetch, BasicQosOptions::default()).await?;
        let queue = match topic {
            Topic::Control => topology::declare_listener(&channel, &shared.names).await?,
            topic => shared.names.queue(topic),
        };
        let options = BasicConsumeOptions::default();
        let consuming = channel.basic_consume(queue.into(), "".into(), options, FieldTable::default());
        let deliveries = consuming.await?;
        lapin::Result::Ok(Box::new(Open { channel, deliveries }))
    };
    match timeout(line.opener().deadline(), opening).await {
        Ok(Ok(open)) => {
            tracing::debug!(topic = topic.name(), tag = %open.deliveries.tag(), "consuming");
            Some(open)
        }
        failed => {
            if let Ok(Err(error)) = failed {
                tracing::warn!(topic = topic.name(), %error, "cannot consume");
            }
            // The queue may have been deleted.
            tokio::time::sleep(topology::REDECLARE_AFTER).await;
            let declared = topology::declare(&up.connection, &shared.names, line.opener());
            let _ = timeout(line.opener().deadline(), declared).await;
            None
        }
    }
}

#[async_trait]
impl Consumer for RabbitConsumer {
    async fn next(&mut self) -> Result<Box<dyn Delivery>, QueueError> {
        let line = self.shared.consuming.clone();
        loop {
            let coming = async {
                self.open().await?;
                loop {
                    match timeout_at(self.looked + LOOK_EVERY, take(&mut self.feed)).await {
                        Ok(came) => return Ok(came),
                        Err(_) if self.is_attached().await => self.looked = Instant::now(),
                        Err(_) => return Ok(None),
                    }
                }
            };
            let came = tokio::select! {
                biased;
                () = line.closed() => Err(QueueError::Closed),
                came = coming => came,
            };
            if matches!(came, Err(QueueError::Closed)) {
                self.give_back();
            }
            if let Some((channel, delivery)) = came? {
                self.looked = Instant::now();
                return Ok(self.delivery(channel, delivery));
            }
            // The channel is gone, or the queue is: what was out on it comes again.
            self.feed = Feed::None;
            self.looked = Instant::now();
        }
    }

    async fn stop(mut self: Box<Self>) -> Vec<Box<dyn Delivery>> {
        let open = match std::mem::replace(&mut self.feed, Feed::None) {
            Feed::Open(open) => *open,
            Feed::Opening(opening) => {
                opening.abort();
                return Vec::new();
            }
            Feed::None => return Vec::new(),
        };
        let Open { channel, mut deliveries } = open;
        let mut left = Vec::new();
        let taking = async {
            let tag = deliveries.tag();
            // Where the channel is gone, so is what it had brought.
            let _ = channel.basic_cancel(tag, BasicCancelOptions::default()).await;
            while let Some(Ok(delivery)) = deliveries.next().await {
                left.push(self.delivery(channel.clone(), delivery));
            }
        };
        // What comes later than this goes back with the channel.
        let _ = timeout(STOPPING, taking).await;
        left
    }
}

async fn take(feed: &mut Feed) -> Option<(Channel, lapin::message::Delivery)> {
    let Feed::Open(open) = feed else { return None };
    let delivery = open.deliveries.next().await?.ok()?;
    Some((open.channel.clone(), delivery))
}

impl Drop for RabbitConsumer {
    fn drop(&mut self) {
        self.give_back();
    }
}

/// Returns the trace a message is part of. A header that is none is as good as no header.
fn trace(properties: &lapin::BasicProperties) -> Option<TraceContext> {
    match properties.headers().as_ref()?.inner().get(HEADER)? {
        AMQPValue::LongString(text) => TraceContext::parse(std::str::from_utf8(text.as_bytes()).ok()?),
        _ => None,
    }
}

/// Returns how often the message was sent on to be delivered later.
fn retries(properties: &lapin::BasicProperties) -> u32 {
    number(properties, RETRIES)
}

/// Returns how often the broker has delivered this very message before. Quorum queues count; others only know whether.
fn returned(properties: &lapin::BasicProperties, redelivered: bool) -> u32 {
    number(properties, "x-delivery-count").max(redelivered.into())
}

fn number(properties: &lapin::BasicProperties, name: &str) -> u32 {
    let value = properties.headers().as_ref().and_then(|headers| headers.inner().get(name));
    let value = match value {
        Some(AMQPValue::LongLongInt(value)) => *value,
        Some(AMQPValue::LongInt(value)) => (*value).into(),
        Some(AMQPValue::LongUInt(value)) => (*value).into(),
        Some(AMQPValue::ShortInt(value)) => (*value).into(),
        Some(AMQPValue::ShortUInt(value)) => (*value).into(),
        Some(AMQPValue::ShortShortInt(value)) => (*value).into(),
        Some(AMQPValue::ShortShortUInt(value)) => (*value).into(),
        _ => 0,
    };
    u32::try_from(value).unwrap_or(0)
}

struct RabbitDelivery {
    shared: Arc<Shared>,
    topic: Topic,
    runtime: Handle,
    body: Vec<u8>,
    trace: Option<TraceContext>,
    redeliveries: u32,
    redelivered: bool,
    /// What settles it, taken when that is done. The channel is held because its end gives the delivery back.
    parts: Option<(Channel, lapin::Acker)>,
}

impl RabbitDelivery {
    async fn settle(&mut self) -> Result<(), QueueError> {
        let Some((_channel, acker)) = self.parts.take() else { return Err(QueueError::Lost) };
        let acked = timeout(self.shared.config.confirm_deadline, acker.ack(BasicAckOptions::default())).await;
        // `Ok(false)` is no error to the client: the channel was gone, and nothing was sent.
        if let Ok(Ok(true)) = acked { Ok(()) } else { Err(QueueError::Lost) }
    }

    async fn store(&self, route: Route, body: Arc<[u8]>, retries: u32) -> Result<(), QueueError> {
        let message = Message { body, retries, trace: self.trace };
        self.shared.publisher.store(route, message, self.shared.config.confirm_deadline).await
    }
}

#[async_trait]
impl Delivery for RabbitDelivery {
    fn body(&self) -> &[u8] {
        &self.body
    }

    fn trace(&self) -> Option<TraceContext> {
        self.trace
    }

    fn redeliveries(&self) -> u32 {
        self.redeliveries
    }

    fn was_dropped(&self) -> bool {
        self.redelivered
    }

    async fn ack(mut self: Box<Self>) -> Result<(), QueueError> {
        self.settle().await
    }

    async fn retry_later(mut self: Box<Self>, delay: Duration) -> Result<(), QueueError> {
        // What is said to all is not said to one of them twice.
        if self.topic != Topic::Control {
            let body = std::mem::take(&mut self.body).into();
            let route = Route::After(self.topic, topology::step(delay));
            self.store(route, body, self.redeliveries.saturating_add(1)).await?;
        }
        self.settle().await
    }

    async fn dead_letter(mut self: Box<Self>, cause: String) -> Result<(), QueueError> {
        let mut body = std::mem::take(&mut self.body);
        body.truncate(KEPT_BYTES);
        let letter = DeadLetter { topic: self.topic.name().to_owned(), cause, body };
        self.store(Route::To(Topic::Dead), letter.encode().into(), 0).await?;
        self.settle().await
    }
}

impl Drop for RabbitDelivery {
    fn drop(&mut self) {
        let Some((channel, acker)) = self.parts.take() else { return };
        let control = self.topic == Topic::Control;
        self.runtime.spawn(async move {
            // Where the channel is gone the broker has it back already.
            let _ = if control {
                acker.ack(BasicAckOptions::default()).await
            } else {
                acker.nack(BasicNackOptions { requeue: true, ..BasicNackOptions::default() }).await
            };
            drop(channel);
        });
    }
}
