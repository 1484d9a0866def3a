//! The audit log, the latest first. The chain is verified by `gitfleet audit verify`, elsewhere than here: whoever could
//! change the log could change this page.

use axum::extract::{Query, State};
use axum::response::Html;
use serde::Deserialize;

use super::face::{page, table, time};
use super::trouble::Shown;
use crate::access::{Caller, Entry, Phase};
use crate::api::{Api, Problem};
use crate::report::escape::html;

const PLACE: &str = "/ui/audit";
const PAGE: u32 = 100;

#[derive(Debug, Deserialize)]
pub(super) struct Where {
    /// Only entries before this place.
    before: Option<i64>,
}

pub(super) async fn list(
    State(api): State<Api>,
    caller: Caller,
    Query(place): Query<Where>,
) -> Shown<Html<String>> {
    let head = api.access.log_head().await?;
    let end =
        place.before.map_or(head.seq, |before| before.saturating_sub(1)).clamp(head.removed_seq, head.seq);
    let begin = (end - i64::from(PAGE)).max(head.removed_seq);
    let limit = u32::try_from(end - begin).expect("a page of them");
    let mut entries = Vec::new();
    for kept in api.access.log_entries(begin, limit).await? {
        let entry: Entry = serde_json::from_str(&kept.entry)
            .map_err(|error| Problem::internal(format!("an entry of the log is none: {error}")))?;
        entries.push(entry);
    }
    let rows: Vec<_> = entries.iter().rev().map(row).collect();
    let heads = ["Entry", "At", "Who", "From", "What", "How it ended"];
    let mut content = format!(
        "<p>The last entry is {} with the hash <code class=\"long\">{}</code>. <code>gitfleet audit verify</code> says \
         whether the log is the one that was written.</p>\n{}",
        head.seq,
        html(&head.hash),
        table("Audit log", &heads, &rows, "There is nothing in it.")
    );
    if begin > head.removed_seq {
        content.push_str(&format!("<p><a href=\"{PLACE}?before={}\">Earlier</a></p>\n", begin + 1));
    }
    Ok(page(&caller, PLACE, "Audit log", &content))
}

fn row(entry: &Entry) -> Vec<String> {
    let ended = match (entry.phase, entry.status) {
        (Phase::Asked, _) => "asked".to_owned(),
        (_, status) => status.map(|status| status.to_string()).unwrap_or_default(),
    };
    let reason = entry.reason.as_deref().map(|reason| format!(": {}", html(reason))).unwrap_or_default();
    let method = entry.action.split(' ').next().unwrap_or_default();
    vec![
        entry.seq.to_string(),
        time(&entry.at),
        html(&entry.actor).to_string(),
        html(&entry.address).to_string(),
        format!("{} <code>{}</code>", html(method), html(&entry.object)),
        format!("{ended}{reason}"),
    ]
}
