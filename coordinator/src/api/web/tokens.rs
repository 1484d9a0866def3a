//! Tokens: who else may ask. They are made on the command line, which shows one once and to nobody else.

use axum::Json;
use axum::extract::{Path, State};
use axum::response::{Html, Redirect};

use super::face::{button, maybe_time, page, segment, state, table, time};
use super::trouble::{Shown, then};
use crate::access::{Caller, Role};
use crate::api::Api;
use crate::api::tokens::{self, TokenView};
use crate::report::escape::html;

const PLACE: &str = "/ui/tokens";

/// Returns what a token sees, in words.
fn sees(token: &TokenView) -> String {
    let parts = [("team", &token.teams), ("project", &token.projects)];
    let parts = parts.iter().flat_map(|(kind, names)| names.iter().map(move |name| format!("{kind} {name}")));
    let parts: Vec<String> = parts.collect();
    match parts.is_empty() {
        true => "everything".to_owned(),
        false => html(&parts.join(", ")).to_string(),
    }
}

pub(super) async fn list(api: State<Api>, caller: Caller) -> Shown<Html<String>> {
    let Json(found) = tokens::list(api).await?;
    let row = |token: &TokenView| {
        let revoke = format!("{PLACE}/{}/revoke", segment(&token.id));
        let button = match token.state.as_str() {
            "valid" => button(&caller, Role::Admin, &revoke, "Revoke"),
            _ => String::new(),
        };
        vec![
            html(&token.name).to_string(),
            format!("<code>{}</code>", html(&token.id)),
            token.role.to_string(),
            sees(token),
            state(&token.state),
            html(&token.created_by).to_string(),
            time(&token.created_at),
            maybe_time(token.expires_at.as_deref()),
            button,
        ]
    };
    let rows: Vec<_> = found.iter().map(row).collect();
    let heads = ["Name", "Id", "Role", "Sees", "State", "Made by", "Made", "Expires", "Do"];
    let nothing = "There is none: <code>gitfleet token create</code> makes one and shows it once.";
    Ok(page(&caller, PLACE, "Tokens", &table("Tokens", &heads, &rows, nothing)))
}

pub(super) async fn revoke(api: State<Api>, id: Path<String>) -> Shown<Redirect> {
    then(tokens::revoke(api, id).await, PLACE)
}
