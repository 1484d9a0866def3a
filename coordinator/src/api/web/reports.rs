//! Reports, as the page that `report show` makes, and as files.

use axum::extract::{Path, State};
use axum::http::{HeaderValue, header};
use axum::response::{Html, IntoResponse as _, Response};

use super::face::{link, maybe_time, page, state, table};
use super::trouble::Shown;
use crate::access::Caller;
use crate::api::{Api, Problem, reports};
use crate::report::escape::html as safe;
use crate::report::model::Report;
use crate::report::{html, markdown};
use crate::view::ReportView;

const MOST: u32 = 200;

pub(super) async fn list(State(api): State<Api>, caller: Caller) -> Shown<Html<String>> {
    let found = api.store.reports(&caller.scope, MOST).await?;
    let row = |report: &ReportView| {
        let batch = &report.batch;
        vec![
            format!("<a href=\"/ui/reports/{batch}\">{}</a>", safe(&report.name)),
            if report.published { state("published") } else { String::new() },
            maybe_time(report.created_at.as_deref()),
            link("batches", batch),
            format!(
                "<a href=\"/ui/reports/{batch}/report.json\">JSON</a> <a href=\"/ui/reports/{batch}/report.md\">Markdown</a>"
            ),
        ]
    };
    let rows: Vec<_> = found.iter().map(row).collect();
    let heads = ["Report", "What readers see", "Made", "Batch", "Files"];
    let content = table("Reports", &heads, &rows, "There is none yet.");
    Ok(page(&caller, "/ui/reports", "Reports", &content))
}

async fn report(api: &Api, caller: &Caller, id: &str) -> Result<(String, Report), Problem> {
    let json = reports::parts(api, caller, id).await?.0;
    let report = serde_json::from_str(&json).map_err(|error| {
        Problem::internal(format!("the report of batch {id} is of another version: {error}"))
    })?;
    Ok((json, report))
}

/// Returns the report's own page, which needs nothing of ours and is allowed its own script.
pub(super) async fn show(State(api): State<Api>, caller: Caller, Path(id): Path<String>) -> Shown<Response> {
    let (_, report) = report(&api, &caller, &id).await?;
    let mut response = Html(html::render(&report)).into_response();
    let policy = format!("{}; frame-ancestors 'none'", html::policy());
    let policy = HeaderValue::from_str(&policy).expect("the policy is ASCII");
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    Ok(response)
}

pub(super) async fn download(
    State(api): State<Api>,
    caller: Caller,
    Path((id, file)): Path<(String, String)>,
) -> Shown<Response> {
    let (json, report) = report(&api, &caller, &id).await?;
    let (kind, text) = match file.as_str() {
        "report.json" => ("application/json", json),
        "report.md" => ("text/markdown; charset=utf-8", markdown::render(&report)),
        "report.html" => ("text/html; charset=utf-8", html::render(&report)),
        _ => return Err(Problem::not_found("file", file).into()),
    };
    // Kept and not shown: what is in it stays text.
    let name =
        HeaderValue::from_str(&format!("attachment; filename=\"{file}\"")).expect("one of three names");
    Ok(([(header::CONTENT_TYPE, HeaderValue::from_static(kind)), (header::CONTENT_DISPOSITION, name)], text)
        .into_response())
}
