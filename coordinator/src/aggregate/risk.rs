//! Where the risk of one repository sits: its source files at the tip, by who knows them and how they change.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use gitfleet_shared::contract::TipFile;
use gitfleet_shared::facts::{ChangeKind, Lines};
use gitfleet_shared::metrics::churn::{self, Churn, Size};
use gitfleet_shared::metrics::coupling::{Coupling, Pair, Thresholds};
use gitfleet_shared::metrics::entropy::Entropy;
use gitfleet_shared::metrics::hotspots::{self, Candidate, Hotspot};
use gitfleet_shared::metrics::ownership::Hands;
use gitfleet_shared::metrics::share::Ratio;
use gitfleet_shared::metrics::truck_factor;
use gitfleet_shared::metrics::{FileId, PersonId};
use gitfleet_shared::window::{Week, Window};

use super::history::History;

/// Directories deep is a component.
const DEPTH: usize = 1;

pub(super) struct Risk {
    /// Source files at the tip, ascending by path.
    pub(super) files: Vec<SourceFile>,
    pub(super) components: BTreeMap<String, Component>,
    pub(super) coupling: Vec<Pair<FileId>>,
    pub(super) entropy: BTreeMap<Week, Ratio>,
}

pub(super) struct SourceFile {
    pub(super) path: Vec<u8>,
    pub(super) id: FileId,
    pub(super) lines: u64,
    /// Logical indentation, rounded down.
    pub(super) complexity: u64,
    pub(super) revisions: u64,
    pub(super) hands: Hands,
    /// By degree of authorship.
    pub(super) authors: Vec<PersonId>,
    pub(super) score: Option<Ratio>,
    pub(super) history_complexity: Option<Ratio>,
}

#[derive(Default)]
pub(super) struct Component {
    pub(super) size: Size,
    pub(super) hands: Hands,
    pub(super) churn: Churn,
}

impl Risk {
    pub(super) fn of(history: &History, window: &Window) -> Self {
        let mut hands: HashMap<FileId, Hands> = HashMap::new();
        let mut components: BTreeMap<String, Component> = BTreeMap::new();
        let (mut revisions, mut coupling, mut entropy): (HashMap<FileId, u64>, Coupling, Entropy) =
            Default::default();
        for node in history.nodes().filter(|node| history.is_by_hand(*node)) {
            let (facts, author) = (history.commit(node), history.authors[node as usize]);
            let seconds = facts.authored.seconds;
            // Who brings much at once is its author; that it came together says nothing.
            let is_inside = window.contains(seconds) && !history.is_bulk(node);
            let week = seconds.and_then(|seconds| window.day_of(seconds)).map(Week::of);
            let (mut touched, mut touched_components) = (Vec::new(), BTreeSet::new());
            for (change, file) in facts.files.iter().zip(&history.files[node as usize]) {
                // A file is what it is called today, under its former names, too.
                if !history.read.classes.of(&history.names[*file as usize]).is_source() {
                    continue;
                }
                let (added, deleted) = match change.lines {
                    Lines::Counted { added, deleted } => (u64::from(added), u64::from(deleted)),
                    Lines::Binary { .. } | Lines::Unknown(_) => (0, 0),
                };
                let is_creation = change.kind == ChangeKind::Added;
                hands.entry(*file).or_default().observe(author, is_creation, added, deleted);
                let name = churn::component(&history.names[*file as usize], DEPTH);
                let component = components.entry(name.clone()).or_default();
                if touched_components.insert(name) {
                    component.hands.observe(author, false, 0, 0);
                }
                if is_inside {
                    *revisions.entry(*file).or_default() += 1;
                    component.churn.observe(*file, week, added, deleted);
                    touched.push(*file);
                    if let Some(week) = week {
                        entropy.observe(week, *file, added + deleted);
                    }
                }
            }
            coupling.observe(&touched);
        }
        let complexities: HashMap<FileId, Ratio> = entropy.files().into_iter().collect();
        let mut files = source_files(history, &mut hands, &revisions, &complexities);
        rank(&mut files);
        for file in &files {
            let component = components.entry(churn::component(&file.path, DEPTH)).or_default();
            component.size.files += 1;
            component.size.lines += file.lines;
        }
        // What is gone is no component of today.
        components.retain(|_, component| component.size.files > 0);
        Self { files, components, coupling: coupling.pairs(Thresholds::default()), entropy: entropy.weeks() }
    }
}

fn source_files(
    history: &History,
    hands: &mut HashMap<FileId, Hands>,
    revisions: &HashMap<FileId, u64>,
    complexities: &HashMap<FileId, Ratio>,
) -> Vec<SourceFile> {
    // The first file that had a name, going back, has it at the tip.
    let mut ids: HashMap<&[u8], FileId> = HashMap::new();
    for (id, name) in (0..).zip(&history.names) {
        ids.entry(name).or_insert(id);
    }
    let mut files: Vec<SourceFile> = history
        .read
        .tip
        .iter()
        .filter(|file| file.lines.is_some() && history.read.classes.of(&file.path).is_source())
        .filter_map(|file| Some((file, *ids.get(file.path.as_slice())?)))
        .map(|(file, id)| {
            source_file(file, id, hands.remove(&id).unwrap_or_default(), revisions, complexities)
        })
        .collect();
    files.sort_by(|a, b| a.path.cmp(&b.path));
    files
}

fn source_file(
    file: &TipFile,
    id: FileId,
    hands: Hands,
    revisions: &HashMap<FileId, u64>,
    complexities: &HashMap<FileId, Ratio>,
) -> SourceFile {
    SourceFile {
        path: file.path.clone(),
        id,
        lines: u64::from(file.lines.unwrap_or(0)),
        complexity: file.indentation_sum / 4,
        revisions: revisions.get(&id).copied().unwrap_or(0),
        authors: truck_factor::authors(&hands),
        hands,
        score: None,
        history_complexity: complexities.get(&id).copied(),
    }
}

fn rank(files: &mut [SourceFile]) {
    let candidates: Vec<Candidate<usize>> = files
        .iter()
        .enumerate()
        .map(|(place, file)| Candidate {
            file: place,
            revisions: file.revisions,
            complexity: file.complexity,
        })
        .collect();
    for Hotspot { file, score, .. } in hotspots::rank(&candidates) {
        files[file].score = Some(score);
    }
}
