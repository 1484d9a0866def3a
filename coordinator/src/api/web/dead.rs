//! Dead letters: messages that nobody could use.

use axum::extract::{Path, State};
use axum::response::{Html, Redirect};

use super::face::{button, facts, page, table, time};
use super::trouble::{Shown, then};
use crate::access::{Caller, Role};
use crate::api::{Api, queues};
use crate::report::escape::html;
use crate::view::DeadView;

const MOST: u32 = 500;
/// Bytes of a message that a page shows.
const MOST_BYTES: usize = 4_096;

fn actions(caller: &Caller, letter: &DeadView) -> String {
    let action = |verb: &str| format!("/ui/dead/{}/{verb}", letter.id);
    let replay = button(caller, Role::Operator, &action("replay"), "Replay");
    format!(
        "<div class=\"actions\">{replay}{}</div>",
        button(caller, Role::Operator, &action("drop"), "Drop")
    )
}

pub(super) async fn list(State(api): State<Api>, caller: Caller) -> Shown<Html<String>> {
    let letters = api.store.dead_letters(MOST).await?;
    let row = |letter: &DeadView| {
        vec![
            format!("<a href=\"/ui/dead/{}\">{}</a>", letter.id, letter.id),
            html(&letter.topic).to_string(),
            html(&letter.cause).to_string(),
            letter.bytes.to_string(),
            time(&letter.arrived_at),
            actions(&caller, letter),
        ]
    };
    let rows: Vec<_> = letters.iter().map(row).collect();
    let heads = ["Letter", "Topic", "Cause", "Bytes", "Arrived", "Do"];
    let content = table("Dead letters", &heads, &rows, "There is none, as it should be.");
    Ok(page(&caller, "/ui/dead", "Dead letters", &content))
}

pub(super) async fn show(State(api): State<Api>, caller: Caller, Path(id): Path<i64>) -> Shown<Html<String>> {
    let letter = queues::dead_letter(State(api), Path(id)).await?.0;
    let body = letter.body.as_deref().unwrap_or_default();
    let cut = body.get(..2 * MOST_BYTES).unwrap_or(body);
    let rest = if cut.len() < body.len() {
        format!("<p>The first {MOST_BYTES} bytes of it.</p>\n")
    } else {
        String::new()
    };
    let content = format!(
        "{}{}<h2>Its bytes</h2>\n<pre class=\"bytes\" tabindex=\"0\" aria-label=\"Its bytes\">{}</pre>\n{rest}",
        actions(&caller, &letter),
        facts(&[
            ("Topic", html(&letter.topic).to_string()),
            ("Cause", html(&letter.cause).to_string()),
            ("Bytes", letter.bytes.to_string()),
            ("Arrived", time(&letter.arrived_at)),
        ]),
        cut.as_bytes().chunks(64).map(|line| String::from_utf8_lossy(line) + "\n").collect::<String>()
    );
    Ok(page(&caller, "/ui/dead", &format!("Dead letter {id}"), &content))
}

pub(super) async fn replay(State(api): State<Api>, Path(id): Path<i64>) -> Shown<Redirect> {
    then(queues::replay(State(api), Path(id)).await, "/ui/dead")
}

pub(super) async fn drop_letter(State(api): State<Api>, Path(id): Path<i64>) -> Shown<Redirect> {
    then(queues::drop_dead(State(api), Path(id)).await, "/ui/dead")
}
