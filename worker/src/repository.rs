//! Opens repositories for reading, in place, without the user's or the repository's own settings having a say.

use std::path::Path;

use gitfleet_shared::contract::{Failure, FailureClass};

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
    // Objects are decoded in one piece; a claim beyond twice the limit (a delta may have a larger base) is refused
    // before memory is taken.
    let alloc_limit = max_blob_bytes.max(32 << 20).saturating_mul(2);
    let options =
        gix::open::Options::isolated().with(gix::sec::Trust::Full).lossy_config(true).config_overrides([
            format!("gitoxide.objects.allocLimit={alloc_limit}"),
            // Replacements change what a commit id means, which must be the same for every worker.
            "core.useReplaceRefs=false".to_owned(),
            "core.deltaBaseCacheLimit=48m".to_owned(),
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
