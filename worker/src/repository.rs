//! Opens repositories for reading, in place, without the user's or the repository's own settings having a say.

use std::path::{Path, PathBuf};

use gitfleet_shared::contract::{Failure, FailureClass};

use crate::objects::largest_object;

/// Returns the repository at `path`: a working tree, a linked worktree or a bare repository.
///
/// # Errors
///
/// A classified failure where there is none, or none that can be read.
pub fn open(path: &Path, max_blob_bytes: u64) -> Result<gix::ThreadSafeRepository, Failure> {
    let failure = |class, message: String| Failure { class, message };
    match std::fs::metadata(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(failure(FailureClass::NotFound, format!("{} does not exist", path.display())));
        }
        Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => {
            return Err(failure(
                FailureClass::PermissionDenied,
                format!("{} may not be read", path.display()),
            ));
        }
        Err(error) => return Err(failure(FailureClass::NotFound, format!("{}: {error}", path.display()))),
        Ok(found) if !found.is_dir() => {
            return Err(failure(
                FailureClass::NotARepository,
                format!("{} is not a directory", path.display()),
            ));
        }
        Ok(_) => {}
    }
    if let Some(forbidden) = forbidden(path) {
        return Err(failure(
            FailureClass::PermissionDenied,
            format!("{} may not be read", forbidden.display()),
        ));
    }
    // A claim beyond that is refused before memory is taken.
    let alloc_limit = largest_object(max_blob_bytes);
    let options =
        gix::open::Options::isolated().with(gix::sec::Trust::Full).lossy_config(true).config_overrides([
            format!("gitoxide.objects.allocLimit={alloc_limit}"),
            // Replacements change what a commit id means, which must be the same for every worker.
            "core.useReplaceRefs=false".to_owned(),
            "core.deltaBaseCacheLimit=16m".to_owned(),
        ]);
    let opened = options.open(path).map_err(|error| {
        let text = chain(&error);
        let class = if text.contains("ermission denied") {
            FailureClass::PermissionDenied
        } else if text.contains("objectFormat")
            || text.contains("object format")
            || text.contains("refStorage")
        {
            FailureClass::UnsupportedFormat
        } else {
            FailureClass::NotARepository
        };
        let mut message = format!("{} cannot be opened as a git repository: {text}", path.display());
        if let Ok((found, _)) = gix::discover::upwards(path)
            && class == FailureClass::NotARepository
            && let (_, Some(around)) = found.into_repository_and_work_tree_directories()
        {
            message =
                format!("{} lies inside the repository {}; name that", path.display(), around.display());
        }
        failure(class, message)
    })?;
    // Refs kept in a table are not read by gix, which would take the repository for an empty one.
    let storage = opened.to_thread_local().config_snapshot().string("extensions.refStorage");
    if storage.is_some_and(|storage| **storage != *b"files") {
        return Err(failure(
            FailureClass::UnsupportedFormat,
            format!("{} keeps its refs in a reftable, which gitfleet cannot read yet", path.display()),
        ));
    }
    Ok(opened)
}

/// Returns the first part of the repository at `path` that is there and may not be read. Asked beforehand, because
/// what cannot be read looks like damage, or like nothing, to whoever needs it.
fn forbidden(path: &Path) -> Option<PathBuf> {
    let inner = path.join(".git");
    let git_dir = if inner.is_dir() { inner } else { path.to_owned() };
    let named = ["HEAD", "config", "packed-refs", "refs", "refs/heads", "objects", "objects/pack"];
    let packs = std::fs::read_dir(git_dir.join("objects/pack")).into_iter().flatten().flatten();
    let parts = named.iter().map(|name| git_dir.join(name)).chain(packs.map(|entry| entry.path()));
    [path.to_owned(), git_dir.clone()].into_iter().chain(parts).find(|part| {
        let read = match std::fs::metadata(part) {
            Ok(found) if found.is_dir() => std::fs::read_dir(part).map(drop),
            Ok(_) => std::fs::File::open(part).map(drop),
            Err(error) => Err(error),
        };
        read.is_err_and(|error| error.kind() == std::io::ErrorKind::PermissionDenied)
    })
}

/// Returns an error and its causes in one line.
pub fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    text.replace('\n', " ")
}
