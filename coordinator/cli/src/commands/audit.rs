//! `gitfleet audit`: the log of who did what. It is verified here and not by the coordinator, who may be whom one doubts.

use std::io::BufRead as _;
use std::path::Path;

use anyhow::Context as _;
use gitfleet_coordinator::access::Phase;
use gitfleet_coordinator::access::entry::{Entry, Head, Kept, Verifier};
use gitfleet_coordinator::api::PREFIX;

use super::ask::{answer, client};
use crate::args::{Audit, AuditCommand};
use crate::client::Client;
use crate::exit::{Exit, Refusal};
use crate::render::data;
use crate::render::table::table;

/// Entries that are asked for at once.
const PAGE: usize = 1_000;

pub(super) fn run(args: Audit) -> anyhow::Result<Exit> {
    match args.command {
        AuditCommand::Ls { limit, ask } => {
            let client = client(&ask)?;
            let head: Head = client.get("/audit/head", &[])?;
            let after = (head.seq - i64::from(limit)).max(head.removed_seq);
            let query = [("after", after.to_string()), ("limit", limit.to_string())];
            let kept: Vec<Kept> = client.get("/audit", &query)?;
            let entries: Vec<Entry> =
                kept.iter().map(|kept| serde_json::from_str(&kept.entry)).collect::<Result<_, _>>()?;
            answer(&ask, &entries, |entries| {
                let rows: Vec<_> = entries.iter().map(row).collect();
                table(["SEQ", "AT", "WHO", "FROM", "WHAT", "STATUS"], &rows)
            })
        }
        AuditCommand::Verify { file, head, ask } => {
            let expected = head.as_deref().map(expected).transpose()?;
            let verified = match file {
                Some(file) => exported(&file, expected.as_ref())?,
                None => served(&client(&ask)?, expected.as_ref())?,
            };
            match verified {
                Ok(head) => answer(&ask, &head, |head| {
                    format!("the log is the one that was written, up to {}:{}\n", head.seq, head.hash)
                }),
                Err(wrong) => Err(Refusal::new(Exit::Differs, wrong)
                    .hint("somebody changed the log: compare it with an earlier export, and see who can reach the store")
                    .into()),
            }
        }
        AuditCommand::Export { ask } => {
            let client = client(&ask)?;
            let head: Head = client.get("/audit/head", &[])?;
            data::print(&format!("{}\n", serde_json::to_string(&head)?))?;
            each(&client, head.removed_seq, |kept| {
                data::print(&format!("{}\n", serde_json::to_string(kept)?))?;
                Ok(true)
            })?;
            Ok(Exit::Done)
        }
    }
}

fn row(entry: &Entry) -> [String; 6] {
    let status = match (entry.phase, entry.status) {
        (Phase::Asked, _) => "asked".to_owned(),
        (_, status) => status.map(|status| status.to_string()).unwrap_or_default(),
    };
    [
        entry.seq.to_string(),
        // The year is known to whoever looks at the last entries, and the whole time is in the JSON.
        entry.at.get(5..19).unwrap_or(&entry.at).replace('T', " "),
        entry.actor.clone(),
        entry.address.clone(),
        format!(
            "{} {}",
            entry.action.split(' ').next().unwrap_or_default(),
            entry.object.strip_prefix(PREFIX).unwrap_or(&entry.object)
        ),
        status,
    ]
}

/// Hands over all entries behind `after`, until `take` wants no more.
fn each(
    client: &Client,
    mut after: i64,
    mut take: impl FnMut(&Kept) -> anyhow::Result<bool>,
) -> anyhow::Result<()> {
    loop {
        let query = [("after", after.to_string()), ("limit", PAGE.to_string())];
        let page: Vec<Kept> = client.get("/audit", &query)?;
        for kept in &page {
            if !take(kept)? {
                return Ok(());
            }
        }
        let Some(last) = page.last() else { return Ok(()) };
        let last: Entry = serde_json::from_str(&last.entry).context("the log holds what is no entry")?;
        if last.seq <= after {
            // A log whose places do not go up is a broken one, and was found to be.
            return Ok(());
        }
        after = last.seq;
    }
}

/// A place in the log and the hash it had.
struct Expected {
    seq: i64,
    hash: String,
}

fn expected(text: &str) -> anyhow::Result<Expected> {
    let parts = text.split_once(':').and_then(|(seq, hash)| Some((seq.parse().ok()?, hash.to_owned())));
    let (seq, hash) = parts.ok_or_else(|| {
        Refusal::new(Exit::Usage, format!("{text} is not a place and its hash"))
            .hint("`gitfleet audit verify` prints one as SEQ:HASH")
    })?;
    Ok(Expected { seq, hash })
}

/// How far the log was gone along, and whether it holds what it was expected to.
struct Walk<'a> {
    verifier: Verifier,
    expected: Option<&'a Expected>,
}

impl Walk<'_> {
    fn next(&mut self, kept: &Kept) -> Result<(), String> {
        self.verifier.next(kept)?;
        let (seq, hash) = self.verifier.reached();
        match self.expected {
            Some(expected) if expected.seq == seq && expected.hash != hash => {
                Err(format!("entry {seq} had the hash {}, and has another one now", expected.hash))
            }
            _ => Ok(()),
        }
    }

    fn end(&self, head: &Head) -> Result<Head, String> {
        self.verifier.end(head)?;
        let (seq, hash) = self.verifier.reached();
        match self.expected {
            Some(expected) if expected.seq > seq => {
                Err(format!("entries {} to {} were there and are missing", seq + 1, expected.seq))
            }
            _ => Ok(Head { seq, hash: hash.to_owned(), ..head.clone() }),
        }
    }
}

fn served(client: &Client, expected: Option<&Expected>) -> anyhow::Result<Result<Head, String>> {
    let head: Head = client.get("/audit/head", &[])?;
    let mut walk = Walk { verifier: Verifier::new(&head), expected };
    let mut wrong = None;
    each(client, head.removed_seq, |kept| {
        wrong = walk.next(kept).err();
        Ok(wrong.is_none())
    })?;
    Ok(wrong.map_or_else(|| walk.end(&head), Err))
}

fn exported(file: &Path, expected: Option<&Expected>) -> anyhow::Result<Result<Head, String>> {
    let context = || format!("cannot read {}", file.display());
    let mut lines = std::io::BufReader::new(std::fs::File::open(file).with_context(context)?).lines();
    let no_log = || {
        Refusal::new(Exit::Usage, format!("{} is no exported log", file.display()))
            .hint("`gitfleet audit export` prints one")
    };
    let first = lines.next().ok_or_else(no_log)?.with_context(context)?;
    let head: Head = serde_json::from_str(&first).map_err(|_| no_log())?;
    let mut walk = Walk { verifier: Verifier::new(&head), expected };
    for line in lines {
        let kept = serde_json::from_str(&line.with_context(context)?);
        let went = match kept {
            Ok(kept) => walk.next(&kept),
            Err(_) => Err(format!("entry {} cannot be read", walk.verifier.reached().0 + 1)),
        };
        if let Err(wrong) = went {
            return Ok(Err(wrong));
        }
    }
    Ok(walk.end(&head))
}
