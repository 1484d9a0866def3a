//! What is wanted of a worker: by the coordinator, who tells all of them all of it, and by whoever ends the process.

use std::sync::Arc;
use std::time::Duration;

use gitfleet_shared::contract::{Control, Why};
use gitfleet_shared::ids::BatchId;
use gitfleet_shared::queue::{Queue, QueueError, Topic};
use tokio::sync::watch;

use crate::pulse::Pulse;

/// How far the end of the worker is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Working,
    /// Nothing new is begun.
    Leaving,
    /// What is in hand goes back.
    Left,
}

/// Cheap to clone; each clone hears everything.
#[derive(Clone)]
pub struct Wishes {
    name: Arc<str>,
    control: watch::Receiver<Control>,
    stage: watch::Receiver<Stage>,
}

/// Who hears the wishes for all slots.
pub struct Ear {
    control: watch::Sender<Control>,
    stage: watch::Sender<Stage>,
}

/// The worker leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Leaving;

/// Returns the wishes of the worker called `name` and the ear for them.
pub fn wishes(name: &str) -> (Ear, Wishes) {
    let (control, hears_control) = watch::channel(Control::default());
    let (stage, hears_stage) = watch::channel(Stage::Working);
    (Ear { control, stage }, Wishes { name: name.into(), control: hears_control, stage: hears_stage })
}

impl Ear {
    /// Listens to the coordinator for ever.
    ///
    /// # Errors
    ///
    /// Where the queue ends.
    pub async fn listen(&self, queue: &dyn Queue, name: &str, pulse: &Pulse) -> Result<(), QueueError> {
        let mut messages = queue.consume(Topic::Control).await?;
        loop {
            let delivery = messages.next().await?;
            match Control::decode(delivery.body()) {
                Ok(control) => {
                    pulse.set_draining(control.draining.iter().any(|draining| draining == name));
                    self.control.send_if_modified(|last| {
                        let news = *last != control;
                        *last = control;
                        news
                    });
                }
                Err(error) => tracing::warn!(%error, "a control message is not understood"),
            }
            match delivery.ack().await {
                Ok(()) | Err(QueueError::Lost | QueueError::Unavailable { .. }) => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Lets nothing new be begun, and after `grace` what is in hand be handed back.
    pub async fn leave(&self, grace: Duration) {
        self.stage.send_replace(Stage::Leaving);
        tokio::time::sleep(grace).await;
        self.stage.send_replace(Stage::Left);
    }
}

impl Wishes {
    fn is_draining(&self) -> bool {
        self.control.borrow().draining.iter().any(|name| **name == *self.name)
    }

    /// Why a job of `batch` is not to be begun or gone on with.
    pub fn against(&self, batch: BatchId) -> Option<Why> {
        let control = self.control.borrow();
        if control.cancelled.contains(&batch) {
            Some(Why::Cancelled)
        } else {
            control.paused.contains(&batch).then_some(Why::Paused)
        }
    }

    /// Whether the grace period is over, too.
    pub fn has_left(&self) -> bool {
        *self.stage.borrow() == Stage::Left
    }

    /// Waits until jobs may be taken.
    ///
    /// # Errors
    ///
    /// Where none will ever be.
    pub async fn wait_for_work(&mut self) -> Result<(), Leaving> {
        loop {
            if *self.stage.borrow_and_update() != Stage::Working {
                return Err(Leaving);
            }
            self.control.mark_unchanged();
            if !self.is_draining() {
                return Ok(());
            }
            self.change().await;
        }
    }

    /// Whether no more jobs may be taken.
    pub fn is_no_more_work(&self) -> bool {
        *self.stage.borrow() != Stage::Working || self.is_draining()
    }

    /// Waits until no more jobs may be taken.
    pub async fn no_more_work(&mut self) {
        while *self.stage.borrow_and_update() == Stage::Working {
            self.control.mark_unchanged();
            if self.is_draining() {
                return;
            }
            self.change().await;
        }
    }

    /// Waits until a job of `batch` that is in hand is not wanted any more. A pause is no reason: what is begun ends.
    pub async fn stop(&mut self, batch: BatchId) {
        while *self.stage.borrow_and_update() != Stage::Left {
            if self.control.borrow_and_update().cancelled.contains(&batch) {
                return;
            }
            self.change().await;
        }
    }

    async fn change(&mut self) {
        let gone = tokio::select! {
            changed = self.control.changed() => changed.is_err(),
            changed = self.stage.changed() => changed.is_err(),
        };
        if gone {
            // The ear is gone with the worker, whose end cancels this wait.
            std::future::pending::<()>().await;
        }
    }
}
