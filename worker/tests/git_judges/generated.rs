//! Histories of random edits, the same for the same seed.

use std::collections::BTreeMap;
use std::rc::Rc;

use crate::fixture::{Change, Fixture, Mark, Stream, executable, file, gone, symlink};
use crate::judge::{NO_LIMIT, facts, has_renames, judge};

/// SplitMix64: small, and the same on every machine.
pub(crate) struct Random {
    state: u64,
    /// Whether files may turn binary.
    has_binaries: bool,
}

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self { state: seed, has_binaries: true }
    }

    pub(crate) fn of_text(seed: u64) -> Self {
        Self { has_binaries: false, ..Self::new(seed) }
    }

    pub(crate) fn number(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Returns a number below `end`, or 0 where there is none.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        (self.number() % end.max(1) as u64) as usize
    }

    pub(crate) fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }
}

/// A file as its lines, each a number below `vocabulary`: the fewer there are, the more they repeat.
#[derive(Clone, PartialEq)]
struct Text {
    lines: Vec<usize>,
    vocabulary: usize,
    kind: Kind,
    is_unfinished: bool,
    is_binary: bool,
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    File,
    Executable,
    Symlink,
}

impl Text {
    fn new(random: &mut Random, n_lines: usize, vocabulary: usize) -> Self {
        let lines = (0..n_lines).map(|_| random.below(vocabulary)).collect();
        Self { lines, vocabulary, kind: Kind::File, is_unfinished: false, is_binary: false }
    }

    fn render(&self) -> Vec<u8> {
        if self.kind == Kind::Symlink {
            return format!("target/{}", self.lines.len()).into_bytes();
        }
        let mut content = if self.is_binary { b"\0".to_vec() } else { Vec::new() };
        for line in &self.lines {
            match line {
                0 => content.push(b'\n'),
                1 => content.extend_from_slice(b"    }\n"),
                line => content.extend_from_slice(format!("    word {line};\n").as_bytes()),
            }
        }
        if self.is_unfinished {
            content.pop();
        }
        content
    }

    fn change(&self, path: &str) -> Change {
        match self.kind {
            Kind::File => file(path, self.render()),
            Kind::Executable => executable(path, self.render()),
            Kind::Symlink => symlink(path, self.render()),
        }
    }

    /// Replaces, adds, removes or moves up to `reach` lines in `hunks` places.
    fn edit(&mut self, random: &mut Random, hunks: usize, reach: usize) {
        for _ in 0..hunks {
            let at = random.below(self.lines.len() + 1);
            let end = (at + random.below(reach + 1)).min(self.lines.len());
            let cut: Vec<usize> = match random.below(3) {
                0 => Vec::new(),
                _ => self.lines.drain(at..end).collect(),
            };
            if random.chance(20) {
                let to = random.below(self.lines.len() + 1);
                self.lines.splice(to..to, cut);
            } else if random.chance(70) {
                let n_new = random.below(reach + 1);
                let new: Vec<usize> = (0..n_new).map(|_| random.below(self.vocabulary)).collect();
                self.lines.splice(at..at, new);
            }
        }
    }

    /// Changes so much that no search for the smallest difference would end soon.
    fn rewrite(&mut self, random: &mut Random, percent: usize) {
        for position in 0..self.lines.len() {
            if random.chance(percent) {
                match random.below(3) {
                    0 => self.lines[position] = random.below(self.vocabulary),
                    1 => {
                        let other = random.below(self.lines.len());
                        self.lines.swap(position, other);
                    }
                    // Of a vocabulary of its own, which no line of the other side can match.
                    _ => self.lines[position] = self.vocabulary + random.below(self.vocabulary),
                }
            }
        }
    }
}

type Tree = BTreeMap<String, Rc<Text>>;

/// Returns what leads from `old` to `new`.
fn changes(old: &Tree, new: &Tree) -> Vec<Change> {
    let mut changes: Vec<Change> = old.keys().filter(|path| !new.contains_key(*path)).map(gone).collect();
    for (path, text) in new {
        if old.get(path) != Some(text) {
            changes.push(text.change(path));
        }
    }
    changes
}

fn any_path(random: &mut Random, tree: &Tree) -> Option<String> {
    tree.keys().nth(random.below(tree.len())).cloned()
}

fn new_path(random: &mut Random, tree: &Tree) -> String {
    loop {
        let directory = ["", "src/", "src/deep/", "docs/", "src/deep/er/"][random.below(5)];
        // Few names, so that the same ones come again elsewhere.
        let path = format!("{directory}name{}", random.below(30));
        if !tree.contains_key(&path) {
            return path;
        }
    }
}

fn step(random: &mut Random, tree: &mut Tree) {
    if tree.len() < 10 {
        // Mostly small files; some so large and repetitive that differences are cut short for their cost.
        let n_lines = if random.chance(30) { 2_000 + random.below(1_500) } else { random.below(80) };
        let vocabulary = [8, 60, 400, 100_000][random.below(4)];
        let path = new_path(random, tree);
        tree.insert(path, Rc::new(Text::new(random, n_lines, vocabulary)));
        return;
    }
    let path = any_path(random, tree).unwrap();
    let mut text = Text::clone(&tree[&path]);
    match random.below(20) {
        0..8 => {
            let hunks = 1 + random.below(8);
            text.edit(random, hunks, 6);
        }
        8 => text.edit(random, 40, 60),
        9 | 10 => {
            let percent = 10 + random.below(70);
            text.rewrite(random, percent);
        }
        11 => text.is_unfinished ^= !text.lines.is_empty(),
        12 => text.is_binary ^= random.chance(50) && random.has_binaries,
        13 => text.kind = [Kind::File, Kind::Executable, Kind::Symlink][random.below(3)],
        14 | 15 => {
            tree.remove(&path);
            if random.chance(60) {
                text.edit(random, 2, 5);
            }
            let to = new_path(random, tree);
            tree.insert(to, Rc::new(text));
            return;
        }
        16 => {
            let to = new_path(random, tree);
            tree.insert(to, Rc::new(text));
            return;
        }
        17 => {
            tree.remove(&path);
            return;
        }
        18 => {
            let other = any_path(random, tree).unwrap();
            let swapped = tree.insert(other, Rc::new(text)).unwrap();
            tree.insert(path, swapped);
            return;
        }
        _ => {
            // A directory moves.
            let moved: Vec<String> =
                tree.keys().filter(|path| path.starts_with("src/deep/")).cloned().collect();
            for path in moved {
                let text = tree.remove(&path).unwrap();
                let to = path.replacen("src/deep/", ["lib/", "docs/"][random.below(2)], 1);
                tree.insert(to, text);
            }
            return;
        }
    }
    text.is_unfinished &= !text.lines.is_empty();
    tree.insert(path, Rc::new(text));
}

fn steps(random: &mut Random, tree: &Tree) -> Tree {
    let mut new = tree.clone();
    for _ in 0..1 + random.below(4) {
        step(random, &mut new);
    }
    new
}

/// Writes a history of `n_commits` or some more, with side branches and merges, and returns its tip.
pub(crate) fn history(repo: &Fixture, seed: u64, n_commits: usize) {
    history_by(repo, Random::new(seed), n_commits);
}

pub(crate) fn history_by(repo: &Fixture, mut random: Random, n_commits: usize) {
    repo.stream(|stream| {
        let mut tree = Tree::new();
        let mut tip: Option<Mark> = None;
        for _ in 0..n_commits {
            let grown = steps(&mut random, &tree);
            let parents: Vec<Mark> = tip.into_iter().collect();
            let next = stream.commit("main", &parents, &changes(&tree, &grown));
            tree = grown;
            tip = Some(match random.chance(8) {
                true => merge(&mut random, stream, next, &mut tree),
                false => next,
            });
        }
    });
}

/// Writes a side branch from `base` and merges it, with changes of the merge's own.
fn merge(random: &mut Random, stream: &mut Stream, base: Mark, tree: &mut Tree) -> Mark {
    let base_tree = tree.clone();
    let mut side_tree = tree.clone();
    let mut side = base;
    for _ in 0..1 + random.below(4) {
        let grown = steps(random, &side_tree);
        side = stream.commit("side", &[side], &changes(&side_tree, &grown));
        side_tree = grown;
    }
    let main_tree = steps(random, tree);
    let main = stream.commit("main", &[base], &changes(tree, &main_tree));
    let mut merged = main_tree.clone();
    for (path, text) in &side_tree {
        if base_tree.get(path) != Some(text) {
            merged.insert(path.clone(), text.clone());
        }
    }
    merged.retain(|path, _| side_tree.contains_key(path) || !base_tree.contains_key(path));
    if random.chance(30) {
        step(random, &mut merged);
    }
    // Main is the second parent at times, as after a pull.
    let (first, second, first_tree) =
        if random.chance(70) { (main, side, &main_tree) } else { (side, main, &side_tree) };
    let mark = stream.commit("main", &[first, second], &changes(first_tree, &merged));
    *tree = merged;
    mark
}

#[test]
fn histories_of_random_edits_are_what_git_says() {
    for seed in [2, 3] {
        let repo = Fixture::new();
        history(&repo, seed, 150);
        judge(&repo);
        assert!(has_renames(&facts(repo.path(), "HEAD", NO_LIMIT)));
    }
}

#[test]
fn heavy_edits_meet_the_cost_limits() {
    let mut random = Random::new(4);
    let repo = Fixture::new();
    let mut old = Tree::new();
    let mut new = Tree::new();
    for vocabulary in [3, 20, 200, 2_000, 1_000_000] {
        for percent in [2, 10, 30, 60, 90] {
            let n_lines = 2_000 + random.below(3_000);
            let text = Text::new(&mut random, n_lines, vocabulary);
            let mut edited = text.clone();
            edited.rewrite(&mut random, percent);
            edited.edit(&mut random, percent, 50);
            let path = format!("{vocabulary}/{percent}");
            old.insert(path.clone(), Rc::new(text));
            new.insert(path, Rc::new(edited));
        }
    }
    repo.commit(&changes(&Tree::new(), &old));
    repo.commit(&changes(&old, &new));
    repo.commit(&changes(&new, &old));
    judge(&repo);
}

#[test]
fn small_edits_of_repetitive_files_are_what_git_says() {
    let mut random = Random::new(5);
    let repo = Fixture::new();
    let mut tree = Tree::new();
    for n in 0..300 {
        let vocabulary = [2, 3, 5, 10][n % 4];
        let n_lines = 5 + random.below(60);
        tree.insert(format!("{n}"), Rc::new(Text::new(&mut random, n_lines, vocabulary)));
    }
    let mut old = Tree::new();
    for _ in 0..8 {
        repo.commit(&changes(&old, &tree));
        old = tree.clone();
        for text in tree.values_mut() {
            let mut edited = Text::clone(text);
            let hunks = 1 + random.below(5);
            edited.edit(&mut random, hunks, 8);
            *text = Rc::new(edited);
        }
    }
    judge(&repo);
}
