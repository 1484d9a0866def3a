//! The facts behind a report as tables: a row for each commit of each repository, and one for each changed file.

use gitfleet_shared::facts::{ChangeKind, CommitFacts, Lines};

use super::row::{Table, row};

row! {
    /// A commit of a repository.
    CommitFactRow {
        /// Repository
        repository: String,
        /// Object id
        commit: String,
        /// Object ids of the parents, joined by blanks
        parents: String,
        /// Whether it is on the first-parent chain of the head
        on_mainline: bool,
        /// Author's name as the commit has it
        author_name: String,
        /// Author's e-mail as the commit has it
        author_email: String,
        /// Author time, seconds since 1970 in UTC; null where the commit has none that fits
        authored_seconds: Option<i64>,
        /// Author's own offset from UTC in minutes
        authored_offset_minutes: i64,
        /// Committer's name as the commit has it
        committer_name: String,
        /// Committer's e-mail as the commit has it
        committer_email: String,
        /// Commit time, as author time
        committed_seconds: Option<i64>,
        /// Message, cut at 16 KiB
        message: String,
        /// Changed files; 0 for a merge
        files_changed: u64,
    }
}

row! {
    /// A changed file of a commit with at most one parent, renames followed.
    FileFactRow {
        /// Repository
        repository: String,
        /// Object id of the commit
        commit: String,
        /// Path after the change; for a deletion, the path that went
        path: String,
        /// Path before a rename; null for any other change
        renamed_from: Option<String>,
        /// "added", "deleted", "modified" or "renamed"
        change: String,
        /// Lines added as git counts them; null where a side is binary or unknown
        additions: Option<u64>,
        /// Lines deleted
        deletions: Option<u64>,
        /// Why lines are unknown: "missing_object", "too_large" or "corrupt_object"; null where they are not
        unknown: Option<String>,
    }
}

/// Returns the tables with the facts of one repository, `commits` with whether each is on the mainline.
pub fn tables(repository: &str, commits: &[(CommitFacts, bool)]) -> [Table; 2] {
    let (mut rows, mut files) = (Vec::with_capacity(commits.len()), Vec::new());
    for (facts, on_mainline) in commits {
        rows.push(commit(repository, facts, *on_mainline));
        files.extend(changes(repository, facts));
    }
    [
        Table::of("facts_commits", "Commits as they are, names and addresses unjoined", &rows),
        Table::of("facts_files", "Changed files of commits, renames followed", &files),
    ]
}

fn commit(repository: &str, facts: &CommitFacts, on_mainline: bool) -> CommitFactRow {
    let parents: Vec<String> = facts.parents.iter().map(ToString::to_string).collect();
    CommitFactRow {
        repository: repository.to_owned(),
        commit: facts.id.to_string(),
        parents: parents.join(" "),
        on_mainline,
        author_name: text(&facts.author.name),
        author_email: text(&facts.author.email),
        authored_seconds: facts.authored.seconds,
        authored_offset_minutes: i64::from(facts.authored.offset_minutes),
        committer_name: text(&facts.committer.name),
        committer_email: text(&facts.committer.email),
        committed_seconds: facts.committed.seconds,
        message: text(&facts.message),
        files_changed: facts.files.len() as u64,
    }
}

fn changes<'f>(repository: &'f str, facts: &'f CommitFacts) -> impl Iterator<Item = FileFactRow> + 'f {
    facts.files.iter().map(move |file| {
        let (additions, deletions, unknown) = match file.lines {
            Lines::Counted { added, deleted } => (Some(u64::from(added)), Some(u64::from(deleted)), None),
            Lines::Binary { .. } => (None, None, None),
            Lines::Unknown(reason) => (None, None, Some(reason.name().to_owned())),
        };
        let (change, renamed_from) = match &file.kind {
            ChangeKind::Added => ("added", None),
            ChangeKind::Deleted => ("deleted", None),
            ChangeKind::Modified => ("modified", None),
            ChangeKind::Renamed { from, .. } => ("renamed", Some(text(from))),
        };
        FileFactRow {
            repository: repository.to_owned(),
            commit: facts.id.to_string(),
            path: text(&file.path),
            renamed_from,
            change: change.to_owned(),
            additions,
            deletions,
            unknown,
        }
    })
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use ::parquet::file::reader::{FileReader as _, SerializedFileReader};
    use gitfleet_shared::facts::{ClaimedTime, FileChange, Signature, UnknownReason};
    use gitfleet_shared::object_id::ObjectId;

    use super::*;
    use crate::report::parquet::File;
    use crate::report::row::Cell;

    fn change(path: &str, kind: ChangeKind, lines: Lines) -> FileChange {
        FileChange { path: path.into(), kind, lines, hunks: Vec::new(), content: [0; 8] }
    }

    fn facts() -> CommitFacts {
        let who = Signature { name: b"Ann \xff".to_vec(), email: b"ann@x".to_vec() };
        let when = ClaimedTime { seconds: Some(-5), offset_minutes: -330 };
        let counted = Lines::Counted { added: 3, deleted: 1 };
        let renamed = ChangeKind::Renamed { from: b"a".to_vec(), whole_old: counted, whole_new: counted };
        CommitFacts {
            id: ObjectId::try_from(&[1; 20][..]).unwrap(),
            parents: vec![ObjectId::try_from(&[2; 20][..]).unwrap()],
            author: who.clone(),
            authored: when,
            committer: who,
            committed: ClaimedTime { seconds: None, offset_minutes: 0 },
            message: b"one\n\ntwo".to_vec(),
            files: vec![
                change("b", renamed, counted),
                change("c", ChangeKind::Modified, Lines::Unknown(UnknownReason::TooLarge)),
                change("d", ChangeKind::Added, Lines::Binary { net_text_lines: 0 }),
            ],
            merged: Vec::new(),
        }
    }

    #[test]
    fn what_is_not_known_is_null() {
        let [commits, files] = tables("shop", &[(facts(), true)]);
        let cell = |name: &str| {
            let place = commits.columns.iter().position(|column| column.name == name).unwrap();
            commits.rows[0][place].clone()
        };
        assert_eq!(cell("author_name"), Cell::Text("Ann \u{fffd}".into()));
        assert_eq!((cell("authored_seconds"), cell("committed_seconds")), (Cell::Signed(-5), Cell::Null));
        let lines: Vec<&[Cell]> = files.rows.iter().map(|row| &row[3..]).collect();
        let text = |text: &str| Cell::Text(text.into());
        assert_eq!(lines[0], [text("a"), text("renamed"), Cell::Count(3), Cell::Count(1), Cell::Null]);
        assert_eq!(lines[1], [Cell::Null, text("modified"), Cell::Null, Cell::Null, text("too_large")]);
        assert_eq!(lines[2], [Cell::Null, text("added"), Cell::Null, Cell::Null, Cell::Null]);
    }

    #[test]
    fn repositories_follow_on_each_other_in_one_file() {
        let [commits, _] = tables("shop", &[(facts(), true)]);
        let mut file = File::new(tempfile::tempfile().unwrap(), &commits).unwrap();
        file.write(&commits).unwrap();
        file.write(&tables("web", &[(facts(), false)])[0]).unwrap();
        let reader = SerializedFileReader::new(file.finish().unwrap()).unwrap();
        let rows: Vec<String> =
            reader.get_row_iter(None).unwrap().map(|row| row.unwrap().to_string()).collect();
        assert_eq!(rows.len(), 2);
        assert!(rows[0].contains("shop") && rows[1].contains("web"), "{rows:?}");
    }
}
