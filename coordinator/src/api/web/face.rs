//! What all pages have in common.

use axum::extract::Request;
use axum::http::{HeaderValue, header};
use axum::middleware::Next;
use axum::response::{Html, Response};

use crate::access::{Caller, Grant, Role};
use crate::api::grants::{LOOK, LOOK_AT_ALL, RULE};
use crate::report::escape::html;

/// What a page may load: itself, from here.
const POLICY: &str = "default-src 'none'; img-src data:; style-src 'self'; script-src 'self'; connect-src 'self'; form-action 'self'; \
                      base-uri 'none'; frame-ancestors 'none'";

pub(super) async fn policy(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let policy = HeaderValue::from_static(POLICY);
    response.headers_mut().entry(header::CONTENT_SECURITY_POLICY).or_insert(policy);
    response
}

/// Where to go, and what the page there asks.
const PLACES: &[(&str, &str, Grant)] = &[
    ("/ui", "Overview", LOOK),
    ("/ui/batches", "Batches", LOOK),
    ("/ui/jobs", "Jobs", LOOK),
    ("/ui/schedules", "Schedules", LOOK),
    ("/ui/reports", "Reports", LOOK),
    ("/ui/workers", "Workers", LOOK_AT_ALL),
    ("/ui/dead", "Dead letters", LOOK_AT_ALL),
    ("/ui/monitoring", "Monitoring", LOOK_AT_ALL),
    ("/ui/tokens", "Tokens", RULE),
    ("/ui/audit", "Audit log", RULE),
];

/// Returns a page for somebody who is signed in. `content` is markup.
pub(super) fn page(caller: &Caller, place: &str, title: &str, content: &str) -> Html<String> {
    let mut nav = String::new();
    for (path, name, grant) in PLACES {
        if caller.refused(*grant).is_some() {
            continue;
        }
        let current = if *path == place { " aria-current=\"page\"" } else { "" };
        nav.push_str(&format!("<a href=\"{path}\"{current}>{name}</a>\n"));
    }
    // Where nobody has to say who they are, nobody can leave.
    let who = match caller.token.as_str() {
        "open" => format!("<p class=\"who\">{}</p>", html(&caller.name)),
        _ => format!(
            "<form class=\"who\" method=\"post\" action=\"/ui/sign-out\"><span>{}, {}</span> \
             <button>Sign out</button></form>",
            html(&caller.name),
            caller.role
        ),
    };
    frame(
        title,
        &format!(
            "<header><p class=\"brand\"><a href=\"/ui\">gitfleet</a></p>\n<nav aria-label=\"Places\">\n{nav}</nav>\n{who}</header>\n\
             <main id=\"content\" tabindex=\"-1\">\n<h1>{}</h1>\n{content}</main>\n",
            html(title)
        ),
    )
}

/// Returns a page for anybody. `body` is markup.
pub(super) fn frame(title: &str, body: &str) -> Html<String> {
    Html(format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<title>{} · gitfleet</title>\n\
         <link rel=\"icon\" href=\"data:,\">\n<link rel=\"stylesheet\" href=\"/ui/style.css\">\n\
         <script src=\"/ui/live.js\" defer></script>\n</head>\n<body>\n\
         <a class=\"skip\" href=\"#content\">Skip to the content</a>\n{body}</body>\n</html>\n",
        html(title)
    ))
}

/// Returns a table. Heads are ours; cells are markup. What is empty says so.
pub(super) fn table(caption: &str, heads: &[&str], rows: &[Vec<String>], nothing: &str) -> String {
    if rows.is_empty() {
        return format!("<p class=\"nothing\">{nothing}</p>\n");
    }
    let heads: String = heads.iter().map(|head| format!("<th scope=\"col\">{head}</th>")).collect();
    let row = |cells: &Vec<String>| {
        let cells: String = cells.iter().map(|cell| format!("<td>{cell}</td>")).collect();
        format!("<tr>{cells}</tr>\n")
    };
    let rows: String = rows.iter().map(row).collect();
    // It is wider than a phone, and can then be moved by keys.
    format!(
        "<div class=\"scroll\" role=\"region\" aria-label=\"{caption}\" tabindex=\"0\"><table>\n\
         <caption>{caption}</caption>\n<thead><tr>{heads}</tr></thead>\n<tbody>\n{rows}</tbody>\n</table></div>\n"
    )
}

/// Returns pairs of a name and its value, which is markup.
pub(super) fn facts(pairs: &[(&str, String)]) -> String {
    let pairs = pairs.iter().map(|(name, value)| format!("<div><dt>{name}</dt><dd>{value}</dd></div>\n"));
    format!("<dl class=\"facts\">\n{}</dl>\n", pairs.collect::<String>())
}

/// Returns a state as a mark that does not need its colour.
pub(super) fn state(state: &str) -> String {
    let tone = match state {
        "done" | "finished" | "analysed" | "ok" | "idle" | "busy" | "succeeded" | "submitted" | "active"
        | "valid" => "good",
        "failed" | "dead" | "gone" | "down" | "worker_lost" | "lost" => "bad",
        "cancelled" | "abandoned" | "draining" | "drained" | "paused" | "held" | "interrupted" | "fenced"
        | "missed" | "skipped" | "revoked" | "expired" => "warn",
        _ => "plain",
    };
    format!("<span class=\"state {tone}\">{}</span>", html(state))
}

/// Returns a button that does something, for those who may.
pub(super) fn button(caller: &Caller, least: Role, action: &str, name: &str) -> String {
    if caller.role < least {
        return String::new();
    }
    format!("<form method=\"post\" action=\"{}\"><button>{name}</button></form>\n", html(action))
}

/// Returns an instant as people read it; the exact one is in the markup.
pub(super) fn time(instant: &str) -> String {
    let shown = instant.get(..19).unwrap_or(instant).replace('T', " ");
    format!("<time datetime=\"{}\">{} UTC</time>", html(instant), html(&shown))
}

pub(super) fn maybe_time(instant: Option<&str>) -> String {
    instant.map_or_else(|| "–".to_owned(), time)
}

/// Returns the beginning of an id, which names it on every page.
pub(super) fn link(place: &str, id: &str) -> String {
    let short = id.get(..13).unwrap_or(id);
    format!("<a href=\"/ui/{place}/{}\"><code>{}</code></a>", segment(id), html(short))
}

/// Returns a part of a path, with nothing in it that would make it another one.
pub(super) fn segment(text: &str) -> String {
    let mut segment = String::new();
    for byte in text.bytes() {
        match byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_') {
            true => segment.push(byte.into()),
            false => segment.push_str(&format!("%{byte:02X}")),
        }
    }
    segment
}
