//! The queue inside one process: what `gitfleet analyze` runs on.
//!
//! It keeps the promises of the port for as long as the process lives; what outlives the process is in the store,
//! from which the coordinator rings again.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::Notify;

use super::{Blocked, Consumer, DeadLetter, Delivery, Queue, QueueError, Topic};
use crate::trace::TraceContext;

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
    /// What each listener of [`Topic::Control`] has still to hear, by its number.
    listeners: HashMap<u64, VecDeque<Message>>,
    next_listener: u64,
    closed: bool,
}

#[derive(Clone)]
struct Message {
    body: Arc<[u8]>,
    trace: Option<TraceContext>,
    redeliveries: u32,
    was_dropped: bool,
}

impl Message {
    fn new(body: Arc<[u8]>, trace: Option<TraceContext>) -> Self {
        Self { body, trace, redeliveries: 0, was_dropped: false }
    }
}

/// Control messages that a listener who does not listen may be behind; each is whole, so the newest ones do.
const UNHEARD: usize = 16;

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

    /// Returns the dead letters that wait, without taking them.
    pub fn dead_letters(&self) -> Vec<DeadLetter> {
        let state = self.shared.lock();
        state
            .topics
            .get(&Topic::Dead)
            .into_iter()
            .flatten()
            .map(|dead| DeadLetter::read(&dead.body))
            .collect()
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
    async fn publish_traced(
        &self,
        topic: Topic,
        body: Vec<u8>,
        trace: Option<TraceContext>,
    ) -> Result<(), QueueError> {
        let body: Arc<[u8]> = body.into();
        loop {
            // Created before the check, so that a wake-up between check and wait is not missed.
            let room = self.shared.room.notified();
            {
                let mut state = self.shared.lock();
                if state.closed {
                    return Err(QueueError::Closed);
                }
                if topic == Topic::Control {
                    for unheard in state.listeners.values_mut() {
                        unheard.push_back(Message::new(body.clone(), trace));
                        if unheard.len() > UNHEARD {
                            unheard.pop_front();
                        }
                    }
                    self.shared.arrived.notify_waiters();
                    return Ok(());
                }
                let unbounded = matches!(topic, Topic::Jobs | Topic::Dead);
                let waiting = state.topics.entry(topic).or_default();
                if unbounded || waiting.len() < self.shared.capacity {
                    waiting.push_back(Message::new(body, trace));
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
        let shared = self.shared.clone();
        let listener = (topic == Topic::Control).then(|| {
            let mut state = shared.lock();
            state.next_listener += 1;
            let number = state.next_listener;
            state.listeners.insert(number, VecDeque::new());
            number
        });
        Ok(Box::new(InProcessConsumer { shared, topic, listener }))
    }

    async fn depth(&self, topic: Topic) -> Result<u64, QueueError> {
        let state = self.shared.lock();
        if state.closed {
            return Err(QueueError::Closed);
        }
        Ok(state.topics.get(&topic).map_or(0, VecDeque::len) as u64)
    }

    async fn describe(&self) -> Result<String, QueueError> {
        if self.shared.lock().closed {
            return Err(QueueError::Closed);
        }
        Ok("memory".to_owned())
    }

    fn blocked(&self) -> Blocked {
        Blocked::default()
    }
}

struct InProcessConsumer {
    shared: Arc<Shared>,
    topic: Topic,
    /// Its number among the listeners of [`Topic::Control`].
    listener: Option<u64>,
}

impl InProcessConsumer {
    fn pop(&self, state: &mut State) -> Option<Message> {
        match self.listener {
            Some(number) => state.listeners.get_mut(&number)?.pop_front(),
            None => state.topics.get_mut(&self.topic)?.pop_front(),
        }
    }
}

impl Drop for InProcessConsumer {
    fn drop(&mut self) {
        if let Some(number) = self.listener {
            self.shared.lock().listeners.remove(&number);
        }
    }
}

#[async_trait]
impl Consumer for InProcessConsumer {
    async fn next(&mut self) -> Result<Box<dyn Delivery>, QueueError> {
        loop {
            let arrived = self.shared.arrived.notified();
            {
                let mut state = self.shared.lock();
                if let Some(message) = self.pop(&mut state) {
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

    async fn stop(self: Box<Self>) -> Vec<Box<dyn Delivery>> {
        // Nothing leaves the topic before somebody asks for it.
        Vec::new()
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

    fn trace(&self) -> Option<TraceContext> {
        self.message().trace
    }

    fn redeliveries(&self) -> u32 {
        self.message().redeliveries
    }

    fn was_dropped(&self) -> bool {
        self.message().was_dropped
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
                let redeliveries = message.redeliveries + 1;
                shared.push(topic, Message { redeliveries, was_dropped: false, ..message });
            });
        }
        Ok(())
    }

    async fn dead_letter(mut self: Box<Self>, cause: String) -> Result<(), QueueError> {
        if let Some(message) = self.message.take() {
            let letter =
                DeadLetter { topic: self.topic.name().to_owned(), cause, body: message.body.to_vec() };
            self.shared.push(Topic::Dead, Message::new(letter.encode().into(), message.trace));
        }
        Ok(())
    }
}

impl Drop for InProcessDelivery {
    fn drop(&mut self) {
        // What is said to all is not said to one of them twice.
        if let Some(message) = self.message.take().filter(|_| self.topic != Topic::Control) {
            let redeliveries = message.redeliveries + 1;
            self.shared.push(self.topic, Message { redeliveries, was_dropped: true, ..message });
        }
    }
}
