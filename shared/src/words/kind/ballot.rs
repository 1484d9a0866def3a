//! Votes of the rules, and the verdict they give.

use super::{Kind, Verdict};

const KINDS: [Kind; 3] = [Kind::Corrective, Kind::Adaptive, Kind::Perfective];

/// What pulls against every verdict, so that one weak vote alone gives little confidence.
const DOUBT: i32 = 24;

#[derive(Debug, Default)]
pub(super) struct Ballot {
    sums: [i32; 3],
    /// The heaviest vote for each kind, first come first kept: rules vote in a fixed order.
    best: [Option<Vote>; 3],
}

#[derive(Debug, Clone)]
pub(super) struct Vote {
    pub kind: Kind,
    pub weight: i32,
    pub category: &'static str,
    pub rule: String,
}

impl Ballot {
    pub(super) fn add(&mut self, vote: Vote) {
        let Some(at) = KINDS.iter().position(|kind| *kind == vote.kind) else { return };
        self.sums[at] += vote.weight;
        if self.best[at].as_ref().is_none_or(|best| best.weight < vote.weight) {
            self.best[at] = Some(vote);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.best.iter().all(Option::is_none)
    }

    /// The kind with the most weight; of equals, the first of corrective, adaptive, perfective.
    pub(super) fn verdict(self) -> Option<Verdict> {
        let total: i32 = self.sums.iter().map(|sum| (*sum).max(0)).sum();
        let mut winner = None;
        for (at, sum) in self.sums.iter().enumerate() {
            if *sum > 0 && winner.is_none_or(|one: usize| *sum > self.sums[one]) {
                winner = Some(at);
            }
        }
        let at = winner?;
        let best = self.best[at].as_ref()?;
        let confidence = 950 * i64::from(self.sums[at]) / i64::from(total + DOUBT);
        let confidence = u16::try_from(confidence).unwrap_or(950);
        Some(Verdict::new(best.kind, best.category, confidence, &best.rule))
    }
}
