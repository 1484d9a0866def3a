//! What there is at the broker, and how it is declared.
//!
//! Every argument is given, also where a broker's own default would do today: versions differ in their defaults.
//! Names carry the version of the messages, so that a fleet of another version never reads them.

use std::time::Duration;

use lapin::options::{
    ExchangeDeclareOptions, ExchangeDeleteOptions, QueueBindOptions, QueueDeclareOptions, QueueDeleteOptions,
};
use lapin::types::{AMQPValue, FieldTable, ShortString};
use lapin::{Channel, Connection, ExchangeKind};

use super::connection::{ConnectError, Opener};
use crate::contract::CONTRACT_VERSION;
use crate::queue::{DEAD_LETTER_VERSION, Topic};

/// The broker gives a message up after so many deliveries, and puts it with the dead letters. Far beyond what the
/// coordinator allows a job: it is the end of what nobody decides on.
const DELIVERIES: i32 = 1000;
/// Dead letters are looked at and given back any number of times.
const LOOKS: i32 = 1_000_000_000;
/// Beyond these, signs of life are too many or too old to tell anything.
const HEARTBEATS: i32 = 10_000;
const HEARTBEAT_MILLIS: i32 = 60_000;
/// Control messages that a consumer may be behind; each is whole, so the newest ones do.
const UNHEARD: i32 = 16;

/// Waited for before a queue that was found missing is declared again. One that comes back at once under its old name
/// inherits consumers of the old one, in the broker's books: it hands them messages and they never get them. In this
/// time the broker tells them that theirs is gone.
pub(super) const REDECLARE_AFTER: Duration = Duration::from_secs(1);

pub(super) struct Names {
    prefix: String,
}

impl Names {
    pub(super) fn new(prefix: &str) -> Self {
        Self { prefix: prefix.to_owned() }
    }

    /// Returns the queue of `topic`; for [`Topic::Control`], what those of its consumers begin with.
    pub(super) fn queue(&self, topic: Topic) -> String {
        match topic {
            // Dead letters have a version of their own, and outlive that of the messages.
            Topic::Dead => format!("{}.dead.v{DEAD_LETTER_VERSION}", self.prefix),
            topic => format!("{}.v{CONTRACT_VERSION}.{}", self.prefix, topic.name()),
        }
    }

    /// Returns the exchange through which all consumers of [`Topic::Control`] hear a message.
    pub(super) fn control(&self) -> String {
        self.queue(Topic::Control)
    }

    /// Returns the queue in which messages for `topic` wait for `delay`.
    pub(super) fn delay(&self, topic: Topic, delay: Duration) -> String {
        format!("{}.after.{}ms", self.queue(topic), delay.as_millis())
    }
}

/// Returns the shortest step that is no shorter than `delay`: 1, 2 or 5 times a power of ten, from 100 ms on. Messages
/// of one queue expire in the order in which they came, so each step is a queue, and there should be few.
pub(super) fn step(delay: Duration) -> Duration {
    // The broker counts in 32 bits.
    const LONGEST: u64 = 4_000_000_000;
    let wanted = u64::try_from(delay.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX);
    let steps = (2..10).flat_map(|power| [1, 2, 5].map(|times| times * 10u64.pow(power)));
    Duration::from_millis(steps.into_iter().find(|step| *step >= wanted).unwrap_or(LONGEST).min(LONGEST))
}

/// Declares everything that is there all the time.
pub(super) async fn declare(
    connection: &Connection,
    names: &Names,
    opener: &Opener,
) -> Result<(), ConnectError> {
    let channel =
        async || connection.create_channel().await.map_err(|error| opener.declared("queue", "", error));
    let mut open = channel().await?;
    let dead = names.queue(Topic::Dead);
    for topic in [Topic::Dead, Topic::Jobs, Topic::Outcomes, Topic::Heartbeats] {
        let name = names.queue(topic);
        let declared = queue(&open, &name, arguments(topic, &dead)).await;
        if let Err(error) = declared {
            return Err(opener.declared("queue", &name, error));
        }
        // A refused declaration closes its channel, so the next one needs an open one.
        if !open.status().connected() {
            open = channel().await?;
        }
    }
    let name = names.control();
    let options = ExchangeDeclareOptions { durable: true, ..ExchangeDeclareOptions::default() };
    let exchange =
        open.exchange_declare(name.as_str().into(), ExchangeKind::Fanout, options, FieldTable::default());
    exchange.await.map_err(|error| opener.declared("exchange", &name, error))
}

/// Declares the queue in which messages for `topic` wait for `delay`.
pub(super) async fn declare_delay(
    connection: &Connection,
    names: &Names,
    topic: Topic,
    delay: Duration,
) -> lapin::Result<()> {
    let channel = connection.create_channel().await?;
    let mut arguments = quorum(&names.queue(topic));
    let millis = u32::try_from(delay.as_millis()).unwrap_or(u32::MAX);
    put(&mut arguments, "x-message-ttl", AMQPValue::LongLongInt(millis.into()));
    queue(&channel, &names.delay(topic, delay), arguments).await
}

/// Declares the queue of one consumer of [`Topic::Control`], which goes with its connection.
pub(super) async fn declare_listener(channel: &Channel, names: &Names) -> lapin::Result<String> {
    let name = format!("{}.{}", names.control(), uuid::Uuid::now_v7().simple());
    let mut arguments = FieldTable::default();
    put(&mut arguments, "x-max-length", AMQPValue::LongInt(UNHEARD));
    put(&mut arguments, "x-overflow", text("drop-head"));
    let options = QueueDeclareOptions::exclusive().auto_delete();
    channel.queue_declare(name.as_str().into(), options, arguments).await?;
    let (exchange, bind) = (ShortString::from(names.control()), QueueBindOptions::default());
    channel.queue_bind(name.as_str().into(), exchange, "".into(), bind, FieldTable::default()).await?;
    Ok(name)
}

/// Returns the queue of `topic` with its counts, of messages that wait and of consumers.
pub(super) async fn look(
    connection: &Connection,
    names: &Names,
    topic: Topic,
) -> lapin::Result<lapin::Queue> {
    // A channel of its own, because it is closed where the queue is missing.
    let channel = connection.create_channel().await?;
    let passive = QueueDeclareOptions::durable().passive();
    channel.queue_declare(names.queue(topic).into(), passive, FieldTable::default()).await
}

pub(super) async fn remove(
    connection: &Connection,
    names: &Names,
    delays: &[(Topic, Duration)],
) -> lapin::Result<()> {
    let channel = connection.create_channel().await?;
    let queues =
        [Topic::Jobs, Topic::Outcomes, Topic::Heartbeats, Topic::Dead].map(|topic| names.queue(topic));
    for name in delays.iter().map(|(topic, delay)| names.delay(*topic, *delay)).chain(queues) {
        channel.queue_delete(name.into(), QueueDeleteOptions::default()).await?;
    }
    channel.exchange_delete(names.control().into(), ExchangeDeleteOptions::default()).await
}

async fn queue(channel: &Channel, name: &str, arguments: FieldTable) -> lapin::Result<()> {
    channel.queue_declare(name.into(), QueueDeclareOptions::durable(), arguments).await.map(drop)
}

fn arguments(topic: Topic, dead: &str) -> FieldTable {
    let mut arguments = FieldTable::default();
    match topic {
        Topic::Heartbeats => {
            put(&mut arguments, "x-queue-type", text("classic"));
            put(&mut arguments, "x-max-length", AMQPValue::LongInt(HEARTBEATS));
            put(&mut arguments, "x-overflow", text("drop-head"));
            put(&mut arguments, "x-message-ttl", AMQPValue::LongInt(HEARTBEAT_MILLIS));
        }
        Topic::Dead => {
            put(&mut arguments, "x-queue-type", text("quorum"));
            put(&mut arguments, "x-delivery-limit", AMQPValue::LongInt(LOOKS));
        }
        Topic::Jobs | Topic::Outcomes | Topic::Control => {
            arguments = quorum(dead);
            put(&mut arguments, "x-delivery-limit", AMQPValue::LongInt(DELIVERIES));
        }
    }
    arguments
}

/// Returns the arguments of a queue that hands what it lets go to the queue `then`, and not before that one has it.
fn quorum(then: &str) -> FieldTable {
    let mut arguments = FieldTable::default();
    put(&mut arguments, "x-queue-type", text("quorum"));
    put(&mut arguments, "x-dead-letter-exchange", text(""));
    put(&mut arguments, "x-dead-letter-routing-key", text(then));
    put(&mut arguments, "x-dead-letter-strategy", text("at-least-once"));
    // Without it the strategy above is quietly another.
    put(&mut arguments, "x-overflow", text("reject-publish"));
    arguments
}

fn put(arguments: &mut FieldTable, name: &str, value: AMQPValue) {
    arguments.insert(name.into(), value);
}

fn text(value: &str) -> AMQPValue {
    AMQPValue::LongString(value.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_never_shorter_than_the_delay() {
        let millis = Duration::from_millis;
        for (delay, expect) in [
            (Duration::ZERO, millis(100)),
            (millis(100), millis(100)),
            (Duration::from_nanos(100_000_001), millis(200)),
            (millis(201), millis(500)),
            (millis(501), millis(1000)),
            (Duration::from_secs(60), millis(100_000)),
            (Duration::from_secs(86_400), millis(100_000_000)),
        ] {
            assert_eq!(step(delay), expect, "{delay:?}");
        }
        assert_eq!(step(Duration::MAX), millis(4_000_000_000));
    }
}
