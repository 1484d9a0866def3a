//! Writes a report's files, each whole or not at all.

use std::borrow::Cow;
use std::path::Path;

use anyhow::Context as _;
use gitfleet_coordinator::conclude::Concluded;
use gitfleet_coordinator::report::{csv, html, markdown, parquet};

use crate::config::Format;

/// A name, and the content where the file is asked for.
type File<'a> = (Cow<'a, str>, Option<Cow<'a, [u8]>>);

/// Writes the asked forms and the manifest into `directory`, removes files of forms that an earlier run left there,
/// and returns the names of what was written.
///
/// # Errors
///
/// Where the directory or a file cannot be written.
pub(super) fn write(
    directory: &Path,
    finished: &Concluded,
    manifest: &str,
    formats: &[Format],
) -> anyhow::Result<Vec<String>> {
    let is_new = !directory.exists();
    std::fs::create_dir_all(directory).with_context(|| format!("cannot create {}", directory.display()))?;
    if is_new {
        // Often the directory is made in a working copy; its status stays what it was.
        put(directory, ".gitignore", b"*\n")?;
    }
    let report = &finished.report;
    let mut files: Vec<File<'_>> = Vec::new();
    let asked = |format: Format| formats.contains(&format);
    files.push(("report.json".into(), asked(Format::Json).then(|| finished.json.as_bytes().into())));
    files.push((
        "report.md".into(),
        asked(Format::Markdown).then(|| markdown::render(report).into_bytes().into()),
    ));
    files.push(("report.html".into(), asked(Format::Html).then(|| html::render(report).into_bytes().into())));
    for (name, content) in csv::render(report) {
        files.push((name.into(), asked(Format::Csv).then(|| content.into_bytes().into())));
    }
    if asked(Format::Parquet) {
        let tables = parquet::render(report);
        files.extend(tables.into_iter().map(|(name, content)| (name.into(), Some(content.into()))));
    } else {
        files.extend(parquet::names().into_iter().map(|name| (name.into(), None)));
    }
    files.push(("manifest.json".into(), Some(format!("{manifest}\n").into_bytes().into())));
    let mut written = Vec::new();
    for (name, content) in files {
        match content {
            Some(content) => {
                put(directory, &name, &content)?;
                written.push(name.into_owned());
            }
            // Numbers of another run beside those of this one would mislead.
            None => match std::fs::remove_file(directory.join(&*name)) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(error).with_context(|| format!("cannot remove the outdated {name}"));
                }
                _ => {}
            },
        }
    }
    Ok(written)
}

fn put(directory: &Path, name: &str, content: &[u8]) -> anyhow::Result<()> {
    let whole = || -> anyhow::Result<()> {
        let mut file = tempfile::NamedTempFile::new_in(directory)?;
        std::io::Write::write_all(&mut file, content)?;
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            // Temporary files are private; reports are meant to be read, as far as the directory lets.
            file.as_file().set_permissions(std::fs::Permissions::from_mode(0o644))?;
        }
        file.persist(directory.join(name))?;
        Ok(())
    };
    whole().with_context(|| format!("cannot write {}", directory.join(name).display()))
}
