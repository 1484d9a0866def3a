//! Brings jobs to the queue: a window of them, fair between batches.

use std::sync::PoisonError;
use std::time::Duration;

use super::{Realm, Reign, TICK};
use crate::dispatch::{dispatch, rooms};
use crate::store::ledger::RunningBatch;

/// Jobs on the queue at least and at most.
const WINDOW: std::ops::RangeInclusive<usize> = 16..=1_024;
/// What comes within this time is answered together.
const GATHER: Duration = Duration::from_millis(10);
/// How often slots are counted.
const COUNT_EVERY: Duration = Duration::from_secs(1);

impl Realm {
    /// Sends what waits.
    pub(super) async fn carry_on(self) -> Reign {
        let mut window = None;
        loop {
            if let Err(error) = self.round(&mut window).await {
                self.bear(&error, "jobs are not sent").await?;
            }
            // Outcomes that come close together make room together.
            tokio::time::sleep(GATHER).await;
            let _ = tokio::time::timeout(TICK, self.bell.work.notified()).await;
        }
    }

    /// Returns how many jobs may be on the queue, by the slots there are; `known` holds what was found lately.
    async fn window(&self, known: &mut Option<(tokio::time::Instant, usize)>) -> anyhow::Result<usize> {
        if let Some((_, window)) = known.filter(|(at, _)| at.elapsed() < COUNT_EVERY) {
            return Ok(window);
        }
        let workers = self.store.workers().await?;
        let slots: i64 =
            workers.iter().filter(|worker| worker.gone_at.is_none()).map(|worker| worker.slots).sum();
        let window = (usize::try_from(slots).unwrap_or(0) * self.config.jobs_per_slot)
            .clamp(*WINDOW.start(), *WINDOW.end());
        *known = Some((tokio::time::Instant::now(), window));
        Ok(window)
    }

    async fn round(&self, known: &mut Option<(tokio::time::Instant, usize)>) -> anyhow::Result<()> {
        let running = self.store.running().await?;
        let terms = running.iter().map(|batch| (batch.id, batch.terms.clone())).collect();
        *self.terms.lock().unwrap_or_else(PoisonError::into_inner) = terms;
        let going: Vec<&RunningBatch> =
            running.iter().filter(|batch| !batch.settled && !batch.paused).collect();
        if going.is_empty() {
            return Ok(());
        }
        let window = self.window(known).await?;
        let shares: Vec<(i64, u64)> = going.iter().map(|batch| (batch.priority, batch.sent)).collect();
        let mut out: usize =
            shares.iter().map(|(_, there)| usize::try_from(*there).unwrap_or(usize::MAX)).sum();
        for (batch, room) in going.iter().zip(rooms(window, &shares)) {
            out += self.send(batch, room).await?;
        }
        // What some cannot use is for the others, the most urgent first.
        for batch in &going {
            out += self.send(batch, window.saturating_sub(out)).await?;
        }
        Ok(())
    }

    async fn send(&self, batch: &RunningBatch, room: usize) -> anyhow::Result<usize> {
        if room == 0 {
            return Ok(0);
        }
        let _sending = self.sending.lock().await;
        Ok(dispatch(&*self.queue, &*self.store, batch.id, room, batch.trace, self.now()).await?.len())
    }
}
