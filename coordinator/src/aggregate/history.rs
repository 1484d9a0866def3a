//! One repository, ready to be asked: its commits as a graph, what they say, who wrote them, which files they mean.

use std::collections::HashSet;

use gitfleet_shared::facts::CommitFacts;
use gitfleet_shared::graph::{Graph, Link, Node};
use gitfleet_shared::metrics::brief::Brief;
use gitfleet_shared::metrics::lineage::Lineage;
use gitfleet_shared::metrics::quality::{BULK_FILES, BULK_TOUCHED_LINES};
use gitfleet_shared::metrics::{FileId, PersonId};

use super::read::Read;
use super::said::Said;
use super::who::Who;

pub(super) struct History {
    pub(super) read: Read,
    pub(super) graph: Graph,
    pub(super) briefs: Vec<Brief>,
    /// By commit.
    pub(super) authors: Vec<PersonId>,
    pub(super) is_bot: Vec<bool>,
    /// The first-parent chain, oldest first.
    pub(super) mainline: Vec<Node>,
    /// By commit, the place on the mainline at which it came there.
    pub(super) integrated_at: Vec<Option<u32>>,
    /// By commit, the files of its changes, renames followed.
    pub(super) files: Vec<Vec<FileId>>,
    /// By file, its latest name.
    pub(super) names: Vec<Vec<u8>>,
}

impl History {
    pub(super) fn of(read: Read, who: &Who) -> Self {
        let author = |commit: &CommitFacts| {
            who.person(&commit.author).expect("all authors were gathered before anybody was looked up")
        };
        let authors: Vec<PersonId> = read.commits.iter().map(author).collect();
        let is_bot = authors.iter().map(|author| who.is_bot(*author)).collect();
        let graph = Graph::of(read.commits.iter().map(|commit| Link {
            id: commit.id,
            parents: &commit.parents,
            committed: commit.committed.seconds,
        }));
        let head = read.head.and_then(|head| graph.node(&head));
        let mainline = head.map(|head| graph.mainline(head)).unwrap_or_default();
        let integrated_at = graph.first_reached_from(&mainline);
        let tip: HashSet<&[u8]> = read.tip.iter().map(|file| file.path.as_slice()).collect();
        let Lineage { names, files } = Lineage::of(&graph, &read.commits, &mainline, &tip);
        Self {
            briefs: read.commits.iter().map(Brief::of).collect(),
            names,
            read,
            graph,
            authors,
            is_bot,
            mainline,
            integrated_at,
            files,
        }
    }

    pub(super) fn commit(&self, node: Node) -> &CommitFacts {
        &self.read.commits[node as usize]
    }

    pub(super) fn said(&self, node: Node) -> &Said {
        &self.read.said[node as usize]
    }

    /// Returns when a commit came onto the mainline, in UTC seconds.
    pub(super) fn integrated(&self, node: Node) -> Option<i64> {
        let place = self.integrated_at[node as usize]?;
        self.commit(self.mainline[place as usize]).committed.seconds
    }

    /// Whether a commit is work by hand on single files: no merge, no bot, no bulk move.
    pub(super) fn is_handwork(&self, node: Node) -> bool {
        self.is_by_hand(node) && !self.is_bulk(node)
    }

    /// Whether a person made the commit, and it is no merge.
    pub(super) fn is_by_hand(&self, node: Node) -> bool {
        !self.briefs[node as usize].is_merge && !self.is_bot[node as usize]
    }

    pub(super) fn is_bulk(&self, node: Node) -> bool {
        let lines = self.briefs[node as usize].files.lines;
        lines.touched() > BULK_TOUCHED_LINES || lines.files_changed > BULK_FILES
    }

    pub(super) fn nodes(&self) -> impl Iterator<Item = Node> + use<> {
        0..Node::try_from(self.read.commits.len()).expect("fewer commits than four thousand million")
    }
}
