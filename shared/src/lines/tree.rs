//! Directories and files of one commit, sharing with those of other commits all that is the same.

use std::collections::HashMap;
use std::sync::Arc;

use super::file::File;

/// A part of a path, by its number.
pub(super) type Name = u32;

/// Gives parts of paths numbers.
#[derive(Default)]
pub(super) struct Names {
    numbers: HashMap<Box<[u8]>, Name>,
    names: Vec<Box<[u8]>>,
}

impl Names {
    /// Returns the numbers of the parts of `path`; none for the root.
    pub(super) fn of(&mut self, path: &[u8]) -> Vec<Name> {
        if path.is_empty() {
            return Vec::new();
        }
        path.split(|byte| *byte == b'/').map(|name| self.number(name)).collect()
    }

    fn number(&mut self, name: &[u8]) -> Name {
        if let Some(number) = self.numbers.get(name) {
            return *number;
        }
        let number = Name::try_from(self.names.len()).expect("no history has four billion names");
        self.numbers.insert(name.into(), number);
        self.names.push(name.into());
        number
    }

    pub(super) fn path(&self, parts: &[Name]) -> Vec<u8> {
        let parts: Vec<&[u8]> = parts.iter().map(|part| &*self.names[*part as usize]).collect();
        parts.join(&b'/')
    }
}

#[derive(Debug, Clone)]
pub(super) enum Node {
    Directory(Arc<Directory>),
    File(Arc<File>),
}

impl Node {
    /// Whether both are one: then they are equal, and nobody needs to look.
    pub(super) fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Directory(one), Self::Directory(other)) => Arc::ptr_eq(one, other),
            (Self::File(one), Self::File(other)) => Arc::ptr_eq(one, other),
            _ => false,
        }
    }

    pub(super) fn directory(&self) -> Option<&Directory> {
        match self {
            Self::Directory(directory) => Some(directory),
            Self::File(_) => None,
        }
    }
}

#[derive(Debug, Clone, Default)]
pub(super) struct Directory {
    /// Ascending by name's number.
    pub(super) entries: Vec<(Name, Node)>,
}

impl Directory {
    pub(super) fn get(&self, name: Name) -> Option<&Node> {
        let at = self.entries.binary_search_by_key(&name, |(name, _)| *name).ok()?;
        Some(&self.entries[at].1)
    }
}

/// The tree of a commit. To clone it costs nothing.
#[derive(Debug, Clone)]
pub(super) struct Tree(pub(super) Node);

impl Default for Tree {
    fn default() -> Self {
        Self(Node::Directory(Arc::default()))
    }
}

impl Tree {
    pub(super) fn get(&self, path: &[Name]) -> Option<&Node> {
        path.iter().try_fold(&self.0, |node, name| node.directory()?.get(*name))
    }

    pub(super) fn file(&self, path: &[Name]) -> Option<&Arc<File>> {
        match self.get(path)? {
            Node::File(file) => Some(file),
            Node::Directory(_) => None,
        }
    }

    /// Returns the file at `path` to be changed; `None` where there is none.
    pub(super) fn file_mut(&mut self, path: &[Name]) -> Option<&mut File> {
        let mut node = &mut self.0;
        for name in path {
            let Node::Directory(directory) = node else { return None };
            let at = directory.entries.binary_search_by_key(name, |(name, _)| *name).ok()?;
            node = &mut Arc::make_mut(directory).entries[at].1;
        }
        match node {
            Node::File(file) => Some(Arc::make_mut(file)),
            Node::Directory(_) => None,
        }
    }

    /// Puts `new` to `path`, and a directory in the place of every file on the way.
    pub(super) fn put(&mut self, path: &[Name], new: Node) {
        let mut node = &mut self.0;
        for name in path {
            if matches!(node, Node::File(_)) {
                *node = Tree::default().0;
            }
            let Node::Directory(directory) = node else { unreachable!("it is one by now") };
            let entries = &mut Arc::make_mut(directory).entries;
            let at = entries.binary_search_by_key(name, |(name, _)| *name).unwrap_or_else(|at| {
                entries.insert(at, (*name, Tree::default().0));
                at
            });
            node = &mut entries[at].1;
        }
        *node = new;
    }

    /// Takes what is at `path`, with the directories above that would be empty.
    pub(super) fn take(&mut self, path: &[Name]) -> Option<Node> {
        let taken = self.get(path)?.clone();
        let mut kept = path.len();
        while kept > 1 && self.get(&path[..kept - 1]).and_then(Node::directory)?.entries.len() == 1 {
            kept -= 1;
        }
        let Some((name, above)) = path[..kept].split_last() else {
            *self = Self::default();
            return Some(taken);
        };
        let mut node = &mut self.0;
        for name in above {
            let Node::Directory(directory) = node else { return None };
            let at = directory.entries.binary_search_by_key(name, |(name, _)| *name).ok()?;
            node = &mut Arc::make_mut(directory).entries[at].1;
        }
        if let Node::Directory(directory) = node
            && let Ok(at) = directory.entries.binary_search_by_key(name, |(name, _)| *name)
        {
            Arc::make_mut(directory).entries.remove(at);
        }
        Some(taken)
    }

    /// Calls `each` with every file and its path, in no order that matters.
    pub(super) fn each_file<'t>(&'t self, mut each: impl FnMut(&[Name], &'t File)) {
        each_file(&self.0, &mut Vec::new(), &mut |path, file| each(path, file));
    }
}

/// Calls `each` with every file at or below `node`. Iterative, because trees can be as deep as anybody likes.
pub(super) fn each_file<'t>(node: &'t Node, path: &mut Vec<Name>, each: &mut dyn FnMut(&[Name], &'t File)) {
    let depth = path.len();
    let mut waiting: Vec<(usize, Option<Name>, &Node)> = vec![(depth, None, node)];
    while let Some((above, name, node)) = waiting.pop() {
        path.truncate(above);
        path.extend(name);
        match node {
            Node::File(file) => each(path, file),
            Node::Directory(directory) => {
                let above = path.len();
                waiting.extend(directory.entries.iter().map(|(name, node)| (above, Some(*name), node)));
            }
        }
    }
    path.truncate(depth);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(number: u8) -> Node {
        Node::File(Arc::new(File { content: [number; 8], runs: Some(Vec::new()) }))
    }

    fn shown(tree: &Tree, names: &Names) -> Vec<(String, u8)> {
        let mut files = Vec::new();
        tree.each_file(|path, file| {
            files.push((String::from_utf8(names.path(path)).unwrap(), file.content[0]));
        });
        files.sort();
        files
    }

    #[test]
    fn a_clone_keeps_what_it_was() {
        let (mut names, mut tree) = (Names::default(), Tree::default());
        tree.put(&names.of(b"a/b/c"), file(1));
        tree.put(&names.of(b"d"), file(2));
        let before = tree.clone();
        tree.file_mut(&names.of(b"a/b/c")).unwrap().content = [3; 8];
        assert!(matches!(tree.take(&names.of(b"d")), Some(Node::File(_))));
        assert!(tree.take(&names.of(b"d")).is_none());
        assert_eq!(shown(&tree, &names), [("a/b/c".into(), 3)]);
        assert_eq!(shown(&before, &names), [("a/b/c".into(), 1), ("d".into(), 2)]);
    }

    #[test]
    fn files_and_directories_make_way_for_each_other() {
        let (mut names, mut tree) = (Names::default(), Tree::default());
        tree.put(&names.of(b"a"), file(1));
        tree.put(&names.of(b"a/b"), file(2));
        assert_eq!(shown(&tree, &names), [("a/b".into(), 2)]);
        tree.put(&names.of(b"a/c/d"), file(3));
        tree.take(&names.of(b"a/c/d"));
        assert!(tree.get(&names.of(b"a/c")).is_none());
        tree.put(&names.of(b"a"), file(4));
        assert_eq!(shown(&tree, &names), [("a".into(), 4)]);
        tree.take(&[]);
        assert!(shown(&tree, &names).is_empty());
    }
}
