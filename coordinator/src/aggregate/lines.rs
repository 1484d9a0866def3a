//! What the history of lines says of one repository.

use std::collections::HashMap;

use gitfleet_shared::graph::Node;
use gitfleet_shared::lines::{LineHistory, Run};
use gitfleet_shared::metrics::age::Ages;
use gitfleet_shared::metrics::contributors::Quarter;
use gitfleet_shared::metrics::knowledge::Holdings;
use gitfleet_shared::window::Window;

use super::history::History;
use super::subject::LineSums;

pub(super) struct LineFacts {
    lines: LineHistory,
    /// By place in the fold.
    nodes: Vec<Node>,
    removals: HashMap<Node, Vec<(Node, u64)>>,
}

/// What is known of one file at the tip.
#[derive(Default)]
pub(super) struct Held {
    pub(super) holdings: Holdings,
    pub(super) ages: Ages,
}

impl LineFacts {
    /// Returns nothing for facts that were analysed without the history of lines, and for what has no head.
    pub(super) fn of(history: &History) -> Option<Self> {
        let head = history.read.head.filter(|_| history.read.has_lines)?;
        let lines = LineHistory::of(&history.read.commits, &head);
        let node = |id| history.graph.node(id).expect("the fold has the graph's commits");
        let nodes: Vec<Node> = lines.commits.iter().map(node).collect();
        let mut removals: HashMap<Node, Vec<(Node, u64)>> = HashMap::new();
        for removal in &lines.removals {
            let (commit, origin) = (nodes[removal.commit as usize], nodes[removal.origin as usize]);
            removals.entry(commit).or_default().push((origin, u64::from(removal.lines)));
        }
        Some(Self { lines, nodes, removals })
    }

    /// Returns the lines that a non-merge commit takes away, by the commit that had written them.
    pub(super) fn removed(&self, commit: Node) -> impl Iterator<Item = (Node, u64)> {
        self.removals.get(&commit).into_iter().flatten().copied()
    }

    pub(super) fn of_file(&self, history: &History, path: &[u8], as_of: i64) -> Option<Held> {
        let place = self.lines.tip.binary_search_by(|file| file.path.as_slice().cmp(path)).ok()?;
        let mut held = Held::default();
        self.hold(history, &self.lines.tip[place].runs, as_of, &mut held);
        Some(held)
    }

    fn hold(&self, history: &History, runs: &[Run], as_of: i64, held: &mut Held) {
        for run in runs {
            let origin = self.nodes[run.origin as usize];
            let lines = u64::from(run.lines);
            held.holdings.observe(history.authors[origin as usize], lines);
            held.ages.observe(history.commit(origin).authored.seconds, as_of, lines);
        }
    }

    /// Sums up the repository. Ages and holdings are those of source files, births and deaths those of all lines.
    pub(super) fn sums(&self, history: &History, window: &Window, as_of: i64) -> LineSums {
        let (mut sums, mut held) = (LineSums::default(), Held::default());
        for file in &self.lines.tip {
            if history.read.classes.of(&file.path).is_source() {
                self.hold(history, &file.runs, as_of, &mut held);
            }
            for run in &file.runs {
                if let Some(born) = self.authored(history, run.origin) {
                    sums.lives.observe_alive(born, as_of, u64::from(run.lines));
                }
            }
        }
        (sums.ages, sums.holdings) = (held.ages, held.holdings);
        let arrivals = self.arrivals(history);
        let quarter =
            |seconds: Option<i64>| seconds.and_then(|seconds| window.day_of(seconds)).map(Quarter::of);
        let mut stand = |origin: u32, at: u32, lines: i64| {
            let when = quarter(arrivals[at as usize]);
            let written = quarter(self.authored(history, origin)).or(when);
            if let (Some(written), Some(when)) = (written, when) {
                sums.burndown.observe(written, when, lines);
            }
        };
        for birth in &self.lines.births {
            stand(birth.origin, birth.integrated, i64::from(birth.lines));
        }
        for death in &self.lines.deaths {
            stand(death.origin, death.killer, -i64::from(death.lines));
        }
        for death in &self.lines.deaths {
            let (born, died) = (self.authored(history, death.origin), arrivals[death.killer as usize]);
            if let (Some(born), Some(died)) = (born, died) {
                sums.lives.observe_death(born, died, u64::from(death.lines));
            }
        }
        sums
    }

    fn authored(&self, history: &History, place: u32) -> Option<i64> {
        history.commit(self.nodes[place as usize]).authored.seconds
    }

    /// Returns when each commit of the mainline came there, by place in the fold: its commit time, or where a clock ran
    /// backwards, that of the one before. So nothing dies before it is born.
    fn arrivals(&self, history: &History) -> Vec<Option<i64>> {
        let mut arrivals = vec![None; self.nodes.len()];
        let mut latest = None;
        for place in &self.lines.mainline {
            latest = latest.max(history.commit(self.nodes[*place as usize]).committed.seconds);
            arrivals[*place as usize] = latest;
        }
        arrivals
    }
}
