//! Bare mirrors of remote repositories, owned by the worker: fetched into, never written by hand, never half there.
//!
//! A new mirror is fetched beside its place and moved there when it is whole. Objects only ever arrive in new files,
//! so whoever reads meanwhile is not disturbed.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context as _;
use gitfleet_shared::contract::{Failure, FailureClass};
use gix::bstr::{BString, ByteSlice as _};
use gix::protocol::handshake::Ref;
use gix::protocol::transport::client::blocking_io::Transport;
use gix::remote::{Connection, Direction};

use crate::credentials::{Credential, Credentials};
use crate::gate::{Gate, Way};
use crate::repository;

pub struct Mirrors {
    directory: PathBuf,
    gate: Gate,
    credentials: Credentials,
    /// The most that all mirrors may take, as far as those in use leave room; `None` is no limit.
    limit_bytes: Option<u64>,
    /// Held while a mirror is written: two jobs may ask for one URL.
    busy: Mutex<HashMap<PathBuf, Arc<Mutex<()>>>>,
    /// How many read each mirror now.
    readers: Arc<Mutex<HashMap<PathBuf, usize>>>,
}

/// Keeps a mirror from being removed until this is dropped.
pub struct Held {
    readers: Arc<Mutex<HashMap<PathBuf, usize>>>,
    path: PathBuf,
}

impl Drop for Held {
    fn drop(&mut self) {
        let mut readers = self.readers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = readers.get_mut(&self.path) {
            *count -= 1;
            if *count == 0 {
                readers.remove(&self.path);
            }
        }
    }
}

/// In each mirror a file whose time says when it was last wanted.
const WANTED: &str = "gitfleet-wanted";
/// How directories begin that are not mirrors: those on their way in and out.
const UNFINISHED: &str = "unfinished-";
const GOING: &str = "going-";

impl Mirrors {
    pub fn new(directory: PathBuf, gate: Gate, credentials: Credentials, limit_bytes: Option<u64>) -> Self {
        Self { directory, gate, credentials, limit_bytes, busy: Mutex::default(), readers: Arc::default() }
    }

    /// Returns what all connections go through.
    pub fn gate(&self) -> &Gate {
        &self.gate
    }

    /// Removes what killed processes left on its way in or out, and what they had locked or half written in a mirror.
    /// The directory belongs to this process alone.
    pub fn tidy(&self) -> std::io::Result<()> {
        let entries = match std::fs::read_dir(&self.directory) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            entries => entries?,
        };
        for entry in entries {
            let entry = entry?;
            let name = entry.file_name();
            let name = name.to_string_lossy();
            if name.starts_with(UNFINISHED) || name.starts_with(GOING) {
                std::fs::remove_dir_all(entry.path())?;
            } else if entry.file_type()?.is_dir() {
                unlock(&entry.path())?;
            }
        }
        Ok(())
    }

    /// Keeps the mirror of `url` where it is for as long as what is returned lives.
    pub fn hold(&self, url: &str) -> Held {
        let path = self.path(url);
        *self.readers.lock().unwrap_or_else(PoisonError::into_inner).entry(path.clone()).or_default() += 1;
        // Without the file the mirror is taken for the oldest: a pity, and no more.
        let _ = std::fs::write(path.join(WANTED), []);
        Held { readers: self.readers.clone(), path }
    }

    /// Removes mirrors that nobody reads, those first that were not wanted for longest, until all fit the limit.
    fn make_room(&self) -> std::io::Result<()> {
        let Some(limit) = self.limit_bytes else { return Ok(()) };
        let mut mirrors = Vec::new();
        let mut total = 0;
        for entry in std::fs::read_dir(&self.directory)? {
            let path = entry?.path();
            if path.extension().is_none_or(|extension| extension != "git") {
                continue;
            }
            let bytes = size(&path)?;
            let wanted = std::fs::metadata(path.join(WANTED)).and_then(|file| file.modified());
            total += bytes;
            mirrors.push((wanted.unwrap_or(std::time::UNIX_EPOCH), path, bytes));
        }
        mirrors.sort();
        for (_, path, bytes) in mirrors {
            if total <= limit {
                break;
            }
            let readers = self.readers.lock().unwrap_or_else(PoisonError::into_inner);
            if readers.contains_key(&path) {
                continue;
            }
            // Moved under the lock: whoever comes now finds none, and fetches anew.
            let name = path.file_name().expect("a mirror has a name").to_string_lossy();
            let going = self.directory.join(format!("{GOING}{name}"));
            std::fs::rename(&path, &going)?;
            drop(readers);
            std::fs::remove_dir_all(&going)?;
            tracing::info!(mirror = %path.display(), bytes, "removed a mirror to make room");
            total -= bytes;
        }
        Ok(())
    }

    /// Returns where the mirror of `url` is or would be.
    pub fn path(&self, url: &str) -> PathBuf {
        let hash = blake3::hash(url.as_bytes()).to_hex();
        self.directory.join(format!("{}.git", &hash[..32]))
    }

    /// Brings the mirror of `url` up to date, creating it where there is none, and returns where it is. `credential` names
    /// what to show to the host, where it is not what was given for it. `interrupt` ends the fetch early.
    ///
    /// # Errors
    ///
    /// A classified failure; the mirror is as it was before.
    pub fn fetch(
        &self,
        url: &str,
        credential: Option<&str>,
        interrupt: &AtomicBool,
    ) -> Result<PathBuf, Failure> {
        let path = self.path(url);
        let remote = self.find(url, credential)?;
        // Neither map nor mirror is half changed by a panic under these locks.
        let turn =
            self.busy.lock().unwrap_or_else(PoisonError::into_inner).entry(path.clone()).or_default().clone();
        let _turn = turn.lock().unwrap_or_else(PoisonError::into_inner);
        let fetched = if path.exists() {
            self.fetch_into(&path, &remote, interrupt)
        } else {
            self.create(&path, &remote, interrupt)
        };
        match fetched {
            Ok(()) => Ok(path),
            Err(error) => Err(classify(url, &error)),
        }
    }

    /// Finds the way to `url`, and what to show there.
    fn find<'a>(&self, url: &'a str, credential: Option<&str>) -> Result<Remote<'a>, Failure> {
        let parsed = gix::url::parse(url).map_err(|error| Failure {
            class: FailureClass::NotFound,
            message: format!("cannot fetch {url}: it is no address: {error}"),
        })?;
        let credential = self.credentials.for_job(credential, &parsed)?.cloned();
        let way = self.gate.open(url, &parsed)?;
        Ok(Remote { url, way, credential })
    }

    fn create(&self, path: &Path, remote: &Remote<'_>, interrupt: &AtomicBool) -> anyhow::Result<()> {
        let name = path.file_name().expect("a mirror has a name").to_string_lossy();
        let unfinished = self.directory.join(format!("{UNFINISHED}{name}"));
        // Left by a process that was killed; nobody else writes into this directory.
        if unfinished.exists() {
            std::fs::remove_dir_all(&unfinished).context("cannot remove an unfinished mirror")?;
        }
        std::fs::create_dir_all(&self.directory).context("cannot create the mirror directory")?;
        gix::init_bare(&unfinished).context("cannot create the mirror")?;
        let fetched = self.fetch_into(&unfinished, remote, interrupt);
        if fetched.is_ok() {
            std::fs::rename(&unfinished, path).context("cannot move the mirror to its place")?;
            return self.make_room().context("cannot make room for the mirror");
        }
        let _ = std::fs::remove_dir_all(&unfinished);
        fetched
    }

    /// Returns the refs that the remote lists, without fetching anything.
    ///
    /// # Errors
    ///
    /// Where it does not answer; a fetch will say why.
    pub fn list(&self, url: &str, credential: Option<&str>) -> anyhow::Result<Vec<Ref>> {
        let remote = self.find(url, credential).map_err(|failure| anyhow::anyhow!(failure.message))?;
        let name = self.path(url);
        let name = name.file_name().expect("a mirror has a name").to_string_lossy();
        std::fs::create_dir_all(&self.directory).context("cannot create the mirror directory")?;
        // A remote is asked from within a repository. Dropped, it is gone; left by a kill, it is tidied away.
        let folder =
            self.directory.join(format!("{UNFINISHED}listing-{name}-{:?}", std::thread::current().id()));
        let _ = std::fs::remove_dir_all(&folder);
        gix::init_bare(&folder).context("cannot create a repository to ask from")?;
        let listed = self.list_from(&folder, &remote);
        let _ = std::fs::remove_dir_all(&folder);
        listed
    }

    fn list_from(&self, path: &Path, remote: &Remote<'_>) -> anyhow::Result<Vec<Ref>> {
        let repository = open(path, &remote.way)?;
        let asked = remote.of(&repository)?;
        let connection = self.connect(&repository, &asked, remote)?;
        let (listed, _) = connection.ref_map(gix::progress::Discard, with_head())?;
        Ok(listed.remote_refs)
    }

    fn connect<'a, 'r>(
        &self,
        repository: &gix::Repository,
        asked: &'a gix::Remote<'r>,
        remote: &Remote<'_>,
    ) -> anyhow::Result<Connection<'a, 'static, 'r, Box<dyn Transport + Send>>> {
        let mut connection = asked.connect(Direction::Fetch)?;
        if let Some(options) = remote.way.options(&self.gate, repository, remote.url)? {
            connection.set_transport_options(options);
        }
        let credential = remote.credential.clone();
        connection.set_credentials(move |action| Ok(answer(credential.as_ref(), action)));
        Ok(connection)
    }

    fn fetch_into(&self, path: &Path, remote: &Remote<'_>, interrupt: &AtomicBool) -> anyhow::Result<()> {
        let repository = open(path, &remote.way)?;
        let asked = remote.of(&repository)?;
        let connection = self.connect(&repository, &asked, remote)?;
        let fetched = connection.prepare_fetch(gix::progress::Discard, with_head()).and_then(|fetch| {
            fetch.with_write_packed_refs_only(true).receive(gix::progress::Discard, interrupt)
        });
        let outcome = match fetched {
            // The remote answered, and has no branch: it is empty, or was emptied.
            Err(error) if repository::chain(&error).contains("None of the refspec(s)") => {
                return forget_vanished(&repository, &[]);
            }
            fetched => fetched?,
        };
        let listed = &outcome.ref_map.remote_refs;
        point_head(path, listed)?;
        forget_vanished(&repository, listed)
    }
}

/// Without the filter the listing holds HEAD, which no refspec asks for.
fn with_head() -> gix::remote::ref_map::Options {
    gix::remote::ref_map::Options { prefix_from_spec_as_filter_on_remote: false, ..Default::default() }
}

/// A source, with the way to it and what to show there.
struct Remote<'a> {
    url: &'a str,
    way: Way,
    credential: Option<Credential>,
}

impl Remote<'_> {
    fn of<'r>(&self, repository: &'r gix::Repository) -> anyhow::Result<gix::Remote<'r>> {
        Ok(repository
            .remote_at(self.url)?
            .with_refspecs(["+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*"], Direction::Fetch)?
            .with_fetch_tags(gix::remote::fetch::Tags::None))
    }
}

/// Opens a mirror to be fetched into on this way.
fn open(path: &Path, way: &Way) -> anyhow::Result<gix::Repository> {
    let settings = [
        // A redirect may lead a token to a host it is not for.
        "http.followRedirects=false",
        "gitoxide.committer.nameFallback=gitfleet",
        "gitoxide.committer.emailFallback=gitfleet@localhost",
        "core.logAllRefUpdates=false",
    ];
    Ok(gix::open::Options::isolated()
        .with(gix::sec::Trust::Full)
        .config_overrides(settings.map(str::to_owned).into_iter().chain(way.settings()))
        .open(path)?
        .to_thread_local())
}

/// Answers a question for credentials: with the one that was found, or not at all. Nobody is prompted.
fn answer(
    credential: Option<&Credential>,
    action: gix::credentials::helper::Action,
) -> Option<gix::credentials::protocol::Outcome> {
    let gix::credentials::helper::Action::Get(context) = action else { return None };
    let asked = gix::url::parse(context.url.as_ref()?.as_bstr()).ok()?;
    let credential = credential.filter(|credential| credential.is_for(&asked))?;
    Some(gix::credentials::protocol::Outcome {
        identity: gix::sec::identity::Account {
            username: credential.user.clone(),
            password: credential.secret.now(),
            oauth_refresh_token: None,
        },
        next: context.into(),
    })
}

/// Removes the locks and half-written files below `path`. No ref and no object is called like that.
fn unlock(path: &Path) -> std::io::Result<()> {
    for entry in std::fs::read_dir(path)? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if entry.file_type()?.is_dir() {
            unlock(&entry.path())?;
        } else if name.ends_with(".lock") || name.starts_with("tmp_") || name.starts_with(".tmp") {
            std::fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// Returns the bytes of all files below `path`.
fn size(path: &Path) -> std::io::Result<u64> {
    let mut bytes = 0;
    for entry in std::fs::read_dir(path)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        bytes += if kind.is_dir() { size(&entry.path())? } else { entry.metadata()?.len() };
    }
    Ok(bytes)
}

/// Makes HEAD of the mirror name what HEAD of the remote names.
fn point_head(path: &Path, listed: &[Ref]) -> anyhow::Result<()> {
    let head = listed.iter().find_map(|reference| match reference {
        Ref::Symbolic { full_ref_name, target, .. } | Ref::Unborn { full_ref_name, target }
            if full_ref_name == "HEAD" =>
        {
            Some(format!("ref: {target}\n"))
        }
        Ref::Direct { full_ref_name, object } if full_ref_name == "HEAD" => Some(format!("{object}\n")),
        _ => None,
    });
    let Some(head) = head else { return Ok(()) };
    // Written beside and renamed: a reader sees the old one or the new one.
    let beside = path.join("HEAD.new");
    std::fs::write(&beside, head).context("cannot write HEAD of the mirror")?;
    std::fs::rename(&beside, path.join("HEAD")).context("cannot write HEAD of the mirror")
}

/// Deletes the branches and tags that a complete listing no longer has. The objects stay.
fn forget_vanished(repository: &gix::Repository, listed: &[Ref]) -> anyhow::Result<()> {
    let known: std::collections::HashSet<BString> =
        listed.iter().map(|reference| reference.unpack().0.to_owned()).collect();
    for prefix in ["refs/heads/", "refs/tags/"] {
        for reference in repository.references()?.prefixed(prefix)? {
            let reference = reference.map_err(|error| anyhow::anyhow!("{error}"))?;
            if !known.contains(reference.name().as_bstr()) {
                reference.delete()?;
            }
        }
    }
    Ok(())
}

fn classify(url: &str, error: &anyhow::Error) -> Failure {
    let text = repository::chain(error.as_ref());
    // Neither a number nor the name of a repository is what the host says.
    let lower = text.replace(url, "").to_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    let class = if says(&["status 401", "status 403", "authentic", "credential", "permission denied"]) {
        FailureClass::AuthenticationFailed
    } else if says(&[
        "status 404",
        "not found",
        "does not exist",
        "no such file",
        "does not appear to be a git repository",
    ]) {
        FailureClass::NotFound
    } else if says(&["no space left", "disk full", "quota exceeded"]) {
        FailureClass::DiskFull
    } else if says(&["object format", "sha256"]) {
        FailureClass::UnsupportedFormat
    } else {
        FailureClass::FetchFailed
    };
    let message = match class {
        FailureClass::AuthenticationFailed => {
            format!(
                "cannot fetch {url}: the host wants to know who asks, and what it was told (if anything) is not enough; \
                     check `credentials` and github.token for this host, or the ssh key ({text})"
            )
        }
        _ if says(&["'smart' protocol"]) => {
            format!(
                "cannot fetch {url}: it answers, but not as git does; redirects are not followed, so name the \
                     final address ({text})"
            )
        }
        _ => format!("cannot fetch {url}: {text}"),
    };
    Failure { class, message }
}
