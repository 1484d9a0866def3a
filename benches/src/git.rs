//! How git is asked: by the one program, with its own defaults and nobody's settings.

use std::path::Path;
use std::process::Command;

use anyhow::Context as _;

/// Returns git in `repository`. Settings of the user or the machine (a diff algorithm, a rename limit) would make it
/// answer another question, and the owner of a repository is not the question here.
pub(crate) fn git(repository: &Path) -> Command {
    let mut command = Command::new("git");
    command.env("GIT_CONFIG_NOSYSTEM", "1").env("GIT_CONFIG_GLOBAL", "/dev/null");
    command.args(["-c", "safe.directory=*", "-c", "core.attributesFile=/dev/null", "-C"]).arg(repository);
    command
}

/// Returns what git prints, without the last newline.
pub(crate) fn answer(command: &mut Command) -> anyhow::Result<String> {
    let output = command.output().context("cannot start git")?;
    let said = String::from_utf8_lossy(&output.stderr);
    anyhow::ensure!(output.status.success(), "{command:?} failed: {}", said.trim_end());
    Ok(String::from_utf8(output.stdout)?.trim_end().to_owned())
}

/// Returns the id of the commit that `revision` names.
pub(crate) fn commit(repository: &Path, revision: &str) -> anyhow::Result<String> {
    let object = format!("{revision}^{{commit}}");
    answer(git(repository).args(["rev-parse", "--verify", "--end-of-options", &object]))
}
