//! The first page: what runs, and whether all is well.

use axum::extract::State;
use axum::response::Html;

use super::batches::rows;
use super::face::{facts, page, state, table};
use super::trouble::Shown;
use crate::access::{Caller, Scope};
use crate::api::{Api, fleet};
use crate::report::escape::html;
use crate::store::ledger::BatchFilter;

const RECENT: u32 = 10;

pub(super) async fn show(State(api): State<Api>, caller: Caller) -> Shown<Html<String>> {
    let filter = BatchFilter { scope: caller.scope.clone(), limit: RECENT, ..BatchFilter::default() };
    let batches = api.store.batches(&filter).await?;
    let mut content = String::new();
    if caller.scope == Scope::All {
        let status = fleet::status(State(api.clone())).await?.0;
        for one in status.dependencies.iter().filter(|one| !one.ok) {
            let hint = one.hint.as_deref().unwrap_or_default();
            content.push_str(&format!(
                "<p class=\"alarm\" role=\"alert\"><strong>The {} does not answer.</strong> {}</p>\n",
                html(&one.name),
                html(hint)
            ));
        }
        let leader =
            status.leader.as_deref().map_or_else(|| state("nobody"), |leader| html(leader).to_string());
        content.push_str(&facts(&[
            ("Batches that run", status.batches_running.to_string()),
            ("Workers", format!("<a href=\"/ui/workers\">{}</a>", status.workers)),
            ("Slots in use", format!("{} of {}", status.running, status.slots)),
            ("Dead letters", format!("<a href=\"/ui/dead\">{}</a>", status.dead_letters)),
            ("Leads", leader),
            ("Version", html(&status.version).to_string()),
        ]));
    }
    content.push_str("<h2>Recent batches</h2>\n");
    let nothing = "Nothing was submitted yet: <code>gitfleet submit URL</code> begins.";
    content.push_str(&table("Recent batches", super::batches::HEADS, &rows(&batches), nothing));
    Ok(page(&caller, "/ui", "Overview", &content))
}
