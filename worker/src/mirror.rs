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
use gix::remote::Direction;

use crate::credentials::Credentials;
use crate::repository;

pub struct Mirrors {
    directory: PathBuf,
    credentials: Credentials,
    /// Held while a mirror is written: two jobs may ask for one URL.
    busy: Mutex<HashMap<PathBuf, Arc<Mutex<()>>>>,
}

impl Mirrors {
    pub fn new(directory: PathBuf, credentials: Credentials) -> Self {
        Self { directory, credentials, busy: Mutex::default() }
    }

    /// Returns where the mirror of `url` is or would be.
    pub fn path(&self, url: &str) -> PathBuf {
        let hash = blake3::hash(url.as_bytes()).to_hex();
        self.directory.join(format!("{}.git", &hash[..32]))
    }

    /// Brings the mirror of `url` up to date, creating it where there is none, and returns where it is. `interrupt`
    /// ends the fetch early.
    ///
    /// # Errors
    ///
    /// A classified failure; the mirror is as it was before.
    pub fn fetch(&self, url: &str, interrupt: &AtomicBool) -> Result<PathBuf, Failure> {
        let path = self.path(url);
        // Neither map nor mirror is half changed by a panic under these locks.
        let turn =
            self.busy.lock().unwrap_or_else(PoisonError::into_inner).entry(path.clone()).or_default().clone();
        let _turn = turn.lock().unwrap_or_else(PoisonError::into_inner);
        let fetched = if path.exists() {
            self.fetch_into(&path, url, interrupt)
        } else {
            self.create(&path, url, interrupt)
        };
        match fetched {
            Ok(()) => Ok(path),
            Err(error) => Err(classify(url, &error)),
        }
    }

    fn create(&self, path: &Path, url: &str, interrupt: &AtomicBool) -> anyhow::Result<()> {
        let name = path.file_name().expect("a mirror has a name").to_string_lossy();
        let unfinished = self.directory.join(format!("unfinished-{name}"));
        // Left by a process that was killed; nobody else writes into this directory.
        if unfinished.exists() {
            std::fs::remove_dir_all(&unfinished).context("cannot remove an unfinished mirror")?;
        }
        std::fs::create_dir_all(&self.directory).context("cannot create the mirror directory")?;
        gix::init_bare(&unfinished).context("cannot create the mirror")?;
        let fetched = self.fetch_into(&unfinished, url, interrupt);
        if fetched.is_ok() {
            return std::fs::rename(&unfinished, path).context("cannot move the mirror to its place");
        }
        let _ = std::fs::remove_dir_all(&unfinished);
        fetched
    }

    fn fetch_into(&self, path: &Path, url: &str, interrupt: &AtomicBool) -> anyhow::Result<()> {
        let repository = gix::open::Options::isolated()
            .with(gix::sec::Trust::Full)
            .config_overrides([
                // A redirect may lead a token to a host it is not for.
                "http.followRedirects=false",
                "http.lowSpeedLimit=1000",
                "http.lowSpeedTime=60",
                "gitoxide.committer.nameFallback=gitfleet",
                "gitoxide.committer.emailFallback=gitfleet@localhost",
                "core.logAllRefUpdates=false",
            ])
            .open(path)?
            .to_thread_local();
        let remote = repository
            .remote_at(url)?
            .with_refspecs(["+refs/heads/*:refs/heads/*"], Direction::Fetch)?
            .with_fetch_tags(gix::remote::fetch::Tags::None);
        let mut connection = remote.connect(Direction::Fetch)?;
        let credentials = self.credentials.clone();
        connection.set_credentials(move |action| Ok(answer(&credentials, action)));
        // Without the filter the listing holds HEAD, which no refspec asks for.
        let options = gix::remote::ref_map::Options {
            prefix_from_spec_as_filter_on_remote: false,
            ..Default::default()
        };
        let fetched = connection.prepare_fetch(gix::progress::Discard, options).and_then(|fetch| {
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

/// Answers a question for credentials: with those of the host, or not at all. Nobody is prompted.
fn answer(
    credentials: &Credentials,
    action: gix::credentials::helper::Action,
) -> Option<gix::credentials::protocol::Outcome> {
    let gix::credentials::helper::Action::Get(context) = action else { return None };
    let asked = gix::url::parse(context.url.as_ref()?.as_bstr()).ok()?;
    let credential = credentials.for_url(&asked)?;
    Some(gix::credentials::protocol::Outcome {
        identity: gix::sec::identity::Account {
            username: credential.user.clone(),
            password: credential.secret.clone(),
            oauth_refresh_token: None,
        },
        next: context.into(),
    })
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

/// Deletes the branches that a complete listing no longer has. The objects stay.
fn forget_vanished(repository: &gix::Repository, listed: &[Ref]) -> anyhow::Result<()> {
    let known: std::collections::HashSet<BString> =
        listed.iter().map(|reference| reference.unpack().0.to_owned()).collect();
    for reference in repository.references()?.prefixed("refs/heads/")? {
        let reference = reference.map_err(|error| anyhow::anyhow!("{error}"))?;
        if !known.contains(reference.name().as_bstr()) {
            reference.delete()?;
        }
    }
    Ok(())
}

fn classify(url: &str, error: &anyhow::Error) -> Failure {
    let text = repository::chain(error.as_ref());
    let lower = text.to_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    let class = if says(&["401", "403", "authentic", "credential", "permission denied"]) {
        FailureClass::AuthenticationFailed
    } else if says(&[
        "404",
        "not found",
        "does not exist",
        "no such file",
        "does not appear to be a git repository",
    ]) {
        FailureClass::NotFound
    } else if says(&["object format", "sha256"]) {
        FailureClass::UnsupportedFormat
    } else {
        FailureClass::FetchFailed
    };
    let message = match class {
        FailureClass::AuthenticationFailed => {
            format!(
                "cannot fetch {url}: the host wants to know who asks, and what it was told (if anything) is not enough; \
                     check github.token for this host, or the ssh key ({text})"
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
