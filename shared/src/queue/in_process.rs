//! The queue inside one process: what `gitfleet analyze` runs on.
//!
//! It keeps the promises of the port for as long as the process lives; what outlives the process is in the store,
//! from which the coordinator rings again.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::Notify;

use super::{Consumer, Delivery, Queue, QueueError, Topic};

/// Cheap to clone; all clones are the same queue.
#[derive(Clone)]
pub struct InProcess {
    shared: Arc<Shared>,
}

struct Shared {
    // Held for a push or a pop and never across an await.
    state: Mutex<State>,
    arrived: Notify,
    room: Notify,
    capacity: usize,
}

#[derive(Default)]
struct State {
    topics: HashMap<Topic, VecDeque<Message>>,
    dead: Vec<DeadLetter>,
    closed: bool,
}

struct Message {
    body: Arc<[u8]>,
    redeliveries: u32,
}

/// A message that nobody could use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetter {
    pub topic: Topic,
    pub body: Arc<[u8]>,
    pub cause: String,
}

impl InProcess {
    /// Returns a queue that holds up to `capacity` waiting outcomes before `publish` waits, and as many heartbeats
    /// before it drops them. Jobs are not counted: their dispatcher keeps a window of its own, and if it had to wait
    /// for workers who wait for it to take their outcomes, both would wait for ever.
    pub fn new(capacity: usize) -> Self {
        Self {
            shared: Arc::new(Shared {
                state: Mutex::default(),
                arrived: Notify::new(),
                room: Notify::new(),
                capacity: capacity.max(1),
            }),
        }
    }

    /// Ends every wait. Deliveries that are out may still be settled.
    pub fn close(&self) {
        self.shared.lock().closed = true;
        self.shared.arrived.notify_waiters();
        self.shared.room.notify_waiters();
    }

    /// Forgets every waiting message, as an operator purging a broker does.
    pub fn purge(&self) {
        self.shared.lock().topics.clear();
        self.shared.room.notify_waiters();
    }

    pub fn dead_letters(&self) -> Vec<DeadLetter> {
        self.shared.lock().dead.clone()
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        // A panic while the lock is held leaves the queues whole: each push and pop is one step.
        self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn push(&self, topic: Topic, message: Message) {
        self.lock().topics.entry(topic).or_default().push_back(message);
        self.arrived.notify_waiters();
    }
}

#[async_trait]
impl Queue for InProcess {
    async fn publish(&self, topic: Topic, body: Vec<u8>) -> Result<(), QueueError> {
        let body: Arc<[u8]> = body.into();
        loop {
            // Created before the check, so that a wake-up between check and wait is not missed.
            let room = self.shared.room.notified();
            {
                let mut state = self.shared.lock();
                if state.closed {
                    return Err(QueueError::Closed);
                }
                let waiting = state.topics.entry(topic).or_default();
                if topic == Topic::Jobs || waiting.len() < self.shared.capacity {
                    waiting.push_back(Message { body, redeliveries: 0 });
                    self.shared.arrived.notify_waiters();
                    return Ok(());
                }
                if topic == Topic::Heartbeats {
                    return Ok(());
                }
            }
            room.await;
        }
    }

    async fn consume(&self, topic: Topic) -> Result<Box<dyn Consumer>, QueueError> {
        Ok(Box::new(InProcessConsumer { shared: self.shared.clone(), topic }))
    }
}

struct InProcessConsumer {
    shared: Arc<Shared>,
    topic: Topic,
}

#[async_trait]
impl Consumer for InProcessConsumer {
    async fn next(&mut self) -> Result<Box<dyn Delivery>, QueueError> {
        loop {
            let arrived = self.shared.arrived.notified();
            {
                let mut state = self.shared.lock();
                if let Some(message) = state.topics.get_mut(&self.topic).and_then(VecDeque::pop_front) {
                    self.shared.room.notify_waiters();
                    return Ok(Box::new(InProcessDelivery {
                        shared: self.shared.clone(),
                        topic: self.topic,
                        message: Some(message),
                    }));
                }
                if state.closed {
                    return Err(QueueError::Closed);
                }
            }
            arrived.await;
        }
    }
}

struct InProcessDelivery {
    shared: Arc<Shared>,
    topic: Topic,
    /// Taken when the delivery is settled.
    message: Option<Message>,
}

impl InProcessDelivery {
    fn message(&self) -> &Message {
        self.message.as_ref().expect("settling consumes the delivery")
    }
}

#[async_trait]
impl Delivery for InProcessDelivery {
    fn body(&self) -> &[u8] {
        &self.message().body
    }

    fn redeliveries(&self) -> u32 {
        self.message().redeliveries
    }

    async fn ack(mut self: Box<Self>) -> Result<(), QueueError> {
        self.message = None;
        Ok(())
    }

    async fn retry_later(mut self: Box<Self>, delay: Duration) -> Result<(), QueueError> {
        if let Some(message) = self.message.take() {
            let (shared, topic) = (self.shared.clone(), self.topic);
            tokio::spawn(async move {
                tokio::time::sleep(delay).await;
                shared.push(topic, Message { redeliveries: message.redeliveries + 1, ..message });
            });
        }
        Ok(())
    }

    async fn dead_letter(mut self: Box<Self>, cause: String) -> Result<(), QueueError> {
        if let Some(message) = self.message.take() {
            self.shared.lock().dead.push(DeadLetter { topic: self.topic, body: message.body, cause });
        }
        Ok(())
    }
}

impl Drop for InProcessDelivery {
    fn drop(&mut self) {
        if let Some(message) = self.message.take() {
            self.shared.push(self.topic, Message { redeliveries: message.redeliveries + 1, ..message });
        }
    }
}
