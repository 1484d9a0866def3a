//! The queue over RabbitMQ, 3.10 or newer: what a fleet runs on.
//!
//! Two connections, because a broker that is short of memory or disk stops reading from those that publish, and an
//! acknowledgement must not wait behind that: one publishes ([`publish`]), one consumes ([`consume`]). Either is kept
//! by [`line`], which opens it again whenever it is lost. What is declared at the broker is in [`topology`].

mod connection;
mod consume;
mod greeting;
mod line;
mod publish;
mod topology;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

pub use self::connection::{ConnectError, Place};
pub use self::greeting::Greeting;
use self::line::{Line, Role};
use self::publish::{Message, Publisher, Route};
use self::topology::Names;
use super::{Blocked, Consumer, Queue, QueueError, Topic};
use crate::secret::Secret;
use crate::trace::TraceContext;

#[derive(Debug, Clone)]
pub struct Config {
    /// `amqp://user:password@host:port/vhost`, or `amqps://` for an encrypted connection.
    pub url: Secret,
    /// What the names of all queues begin with; fleets with different prefixes share a broker and never meet.
    pub prefix: String,
    /// How long a publish may take, waits for the broker included.
    pub confirm_deadline: Duration,
    /// How long opening a connection may take.
    pub connect_deadline: Duration,
    /// A broker that is silent for about twice as long is taken for lost. In whole seconds.
    pub heartbeat: Duration,
    /// What the connections are called in the broker's listings.
    pub connection_name: String,
    /// Further roots to trust beside those of the system, as PEM.
    pub roots: Option<String>,
    pub prefetch: Prefetch,
}

/// How many deliveries a consumer may have that are not settled, by topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Prefetch {
    pub jobs: u16,
    pub outcomes: u16,
    pub heartbeats: u16,
}

impl Config {
    pub fn new(url: impl Into<Secret>) -> Self {
        Self {
            url: url.into(),
            prefix: "gitfleet".to_owned(),
            confirm_deadline: Duration::from_secs(10),
            connect_deadline: Duration::from_secs(10),
            heartbeat: Duration::from_secs(10),
            connection_name: "gitfleet".to_owned(),
            roots: None,
            prefetch: Prefetch { jobs: 1, outcomes: 64, heartbeats: 256 },
        }
    }
}

/// Cheap to clone; all clones are the same queue. It needs the runtime it was made in.
#[derive(Clone)]
pub struct RabbitMq {
    shared: Arc<Shared>,
}

struct Shared {
    config: Config,
    names: Arc<Names>,
    publisher: Publisher,
    consuming: Line,
}

/// What is only a sign of life or an order that will be given again waits no longer than this.
const PASSING_DEADLINE: Duration = Duration::from_secs(1);

/// How long a broker that is told goodbye may take to answer, for each connection.
const HANGING_UP: Duration = Duration::from_secs(2);

impl RabbitMq {
    /// Connects, and declares what is not there yet.
    ///
    /// # Errors
    ///
    /// Where the broker cannot be reached, does not let us in, or has a queue of ours that is not as we need it.
    pub async fn connect(config: Config) -> Result<Self, ConnectError> {
        let queue = Self::connect_lazily(config)?;
        for line in [queue.shared.publisher.line(), &queue.shared.consuming] {
            line.first().await?;
        }
        Ok(queue)
    }

    /// Connects in the background, for as long as it takes: until then every publish is
    /// [`Unavailable`](QueueError::Unavailable) after its deadline, and every consumer waits.
    ///
    /// # Errors
    ///
    /// Where the address is none.
    pub fn connect_lazily(config: Config) -> Result<Self, ConnectError> {
        let names = Arc::new(Names::new(&config.prefix));
        let opener = Arc::new(connection::Opener::new(&config)?);
        let publishing = Line::keep(Role::Publishing, opener.clone(), names.clone());
        let consuming = Line::keep(Role::Consuming, opener, names.clone());
        let publisher = Publisher::new(publishing, names.clone());
        Ok(Self { shared: Arc::new(Shared { config, names, publisher, consuming }) })
    }

    /// Ends every wait with [`Closed`](QueueError::Closed). Deliveries that are out may still be settled.
    pub fn close(&self) {
        self.shared.publisher.line().close();
        self.shared.consuming.close();
    }

    /// As [`close`](Self::close), and returns when the broker has read what was said to it, or does not within a while.
    /// Until then an acknowledgement may still be in this process, and would end with it.
    pub async fn hang_up(&self) {
        let lines = [self.shared.publisher.line(), &self.shared.consuming];
        let standing: Vec<_> = lines.into_iter().filter_map(Line::now).collect();
        self.close();
        for up in standing {
            let _ = tokio::time::timeout(HANGING_UP, up.connection.close(200, "done".into())).await;
        }
    }

    /// Whether the address has the user and the password that every broker comes with.
    ///
    /// # Errors
    ///
    /// Where the address is none, or that of another machine, where nobody gets in with them.
    pub fn has_default_login(config: &Config) -> Result<bool, ConnectError> {
        Ok(connection::Opener::new(config)?.has_default_login())
    }

    /// Returns what the broker at the address says of itself, for an operator to look at. It is asked before any login.
    ///
    /// # Errors
    ///
    /// Where it cannot be reached, or speaks something else.
    pub async fn greeting(config: &Config) -> Result<Greeting, ConnectError> {
        connection::Opener::new(config)?.greet().await
    }

    /// Deletes everything of this prefix and version at the broker, with the messages in it, and closes the queue.
    /// Delay queues are deleted as far as this process has used them.
    ///
    /// # Errors
    ///
    /// Where the broker does not answer.
    pub async fn remove(&self) -> Result<(), QueueError> {
        let doing = "remove the queues";
        let up = self.shared.consuming.up_within(self.shared.config.confirm_deadline, doing).await?;
        let delays = self.shared.publisher.delays();
        let removed = topology::remove(&up.connection, &self.shared.names, &delays);
        let removed = tokio::time::timeout(self.shared.config.confirm_deadline, removed).await;
        removed.map_err(|error| unavailable(doing, error))?.map_err(|error| unavailable(doing, error))?;
        self.close();
        Ok(())
    }

    fn prefetch(&self, topic: Topic) -> u16 {
        match topic {
            Topic::Jobs => self.shared.config.prefetch.jobs,
            Topic::Outcomes => self.shared.config.prefetch.outcomes,
            Topic::Heartbeats => self.shared.config.prefetch.heartbeats,
            Topic::Control | Topic::Dead => 16,
        }
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.publisher.line().close();
        self.consuming.close();
    }
}

#[async_trait]
impl Queue for RabbitMq {
    async fn publish_traced(
        &self,
        topic: Topic,
        body: Vec<u8>,
        trace: Option<TraceContext>,
    ) -> Result<(), QueueError> {
        let patience = match topic {
            Topic::Heartbeats | Topic::Control => self.shared.config.confirm_deadline.min(PASSING_DEADLINE),
            Topic::Jobs | Topic::Outcomes | Topic::Dead => self.shared.config.confirm_deadline,
        };
        let message = Message { body: body.into(), retries: 0, trace };
        self.shared.publisher.store(Route::To(topic), message, patience).await
    }

    async fn consume(&self, topic: Topic) -> Result<Box<dyn Consumer>, QueueError> {
        let shared = &self.shared;
        let mut consumer = consume::RabbitConsumer::new(shared.clone(), topic, self.prefetch(topic));
        // Whoever says something to all after this is to be heard by this consumer, too.
        consumer.begin(shared.config.connect_deadline).await?;
        Ok(Box::new(consumer))
    }

    async fn depth(&self, topic: Topic) -> Result<u64, QueueError> {
        let doing = "count messages";
        if topic == Topic::Control {
            return Ok(0);
        }
        let deadline = self.shared.config.confirm_deadline;
        let up = self.shared.consuming.up_within(deadline, doing).await?;
        let ask = topology::look(&up.connection, &self.shared.names, topic);
        let asked = tokio::time::timeout(deadline, ask).await.map_err(|error| unavailable(doing, error))?;
        let queue = asked.map_err(|error| unavailable(doing, error))?;
        Ok(queue.message_count().into())
    }

    async fn describe(&self) -> Result<String, QueueError> {
        let doing = "tell its version";
        let line = &self.shared.consuming;
        // Who greets may still let nobody in: only a connection that stands is of use.
        line.up_within(self.shared.config.confirm_deadline, doing).await?;
        let greeting = line.opener().greet().await.map_err(|error| unavailable(doing, error))?;
        Ok(format!("{} {}", greeting.product, greeting.version))
    }

    fn blocked(&self) -> Blocked {
        self.shared.publisher.line().blocked()
    }
}

fn unavailable(
    doing: &'static str,
    source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
) -> QueueError {
    QueueError::Unavailable { doing, source: source.into() }
}
