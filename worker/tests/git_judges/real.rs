//! Real histories, for whoever has some: `GITFLEET_JUDGED=/path/to/a.git:/path/to/b.git cargo test --release --test
//! git_judges -- --ignored real`.

use std::path::PathBuf;

use crate::fixture::run;
use crate::judge::judge_at;

/// Returns the repositories that the environment names, each with its head.
fn repositories() -> Vec<(PathBuf, String)> {
    #[expect(clippy::disallowed_methods, reason = "a switch for whoever has repositories")]
    let named = std::env::var_os("GITFLEET_JUDGED").unwrap_or_default();
    std::env::split_paths(&named)
        .filter(|path| !path.as_os_str().is_empty())
        .map(|path| {
            let head = String::from_utf8(run(&path, &["rev-parse", "HEAD"], b"")).unwrap();
            (path, head.trim_end().to_owned())
        })
        .collect()
}

#[test]
#[ignore = "takes repositories from the environment"]
fn real_histories_are_what_git_says() {
    for (path, head) in repositories() {
        let lines = judge_at(&path, &head);
        assert!(!lines.is_empty(), "{} has a history", path.display());
    }
}
