//! How the fleet is: what it depends on, what gets done, what goes wrong, what is in use.

use axum::extract::State;
use axum::response::Html;
use gitfleet_shared::queue::Topic;

use super::batches::meter;
use super::face::{facts, page, state, table};
use super::trouble::Shown;
use crate::access::Caller;
use crate::api::{Api, queues};
use crate::report::escape::html;
use crate::store::ledger::Throughput;
use crate::view::{QueueView, WorkerView};

const HOUR_MILLIS: i64 = 60 * 60 * 1000;
/// Hours that are shown.
const HOURS: i64 = 24;

pub(super) async fn show(State(api): State<Api>, caller: Caller) -> Shown<Html<String>> {
    let now = (api.now)();
    let this_hour = now / HOUR_MILLIS;
    let throughput = api.store.throughput((this_hour - HOURS + 1) * HOUR_MILLIS).await?;
    let workers = api.store.workers().await?;
    let content = [
        health(&api).await,
        done(&throughput, this_hour),
        wrong(&throughput),
        in_use(&workers, &queues::waiting(&api).await, &api).await,
    ];
    Ok(page(&caller, "/ui/monitoring", "Monitoring", &content.concat()))
}

/// Asks each part that is depended on, and says how long it took.
async fn health(api: &Api) -> String {
    let mut rows = Vec::new();
    let mut add = |name: &str, begun: i64, answer: Result<String, String>| {
        let (mark, words) = match answer {
            Ok(words) => (state("ok"), words),
            Err(words) => (state("down"), words),
        };
        rows.push(vec![
            name.to_owned(),
            mark,
            format!("{} ms", (api.now)() - begun),
            html(&words).to_string(),
        ]);
    };
    let begun = (api.now)();
    add("Store", begun, api.store.describe().await.map_err(|error| error.to_string()));
    let begun = (api.now)();
    let depth = api.queue.depth(Topic::Jobs).await;
    add("Queue", begun, depth.map(|jobs| format!("{jobs} jobs wait")).map_err(|error| error.to_string()));
    let begun = (api.now)();
    add("Cache", begun, api.cache.stats().await.map(|stats| stats.backend));
    let leader = match api.store.leader((api.now)()).await {
        Ok(Some(leader)) => format!("{} leads.", html(&leader)),
        Ok(None) => "<strong>Nobody leads: nothing is sent or recorded.</strong>".to_owned(),
        Err(_) => "Who leads is not known.".to_owned(),
    };
    let heads = ["Part", "State", "Answered in", "What it says"];
    format!("<h2>Health</h2>\n<p>{leader}</p>\n{}", table("Health", &heads, &rows, ""))
}

fn done(throughput: &Throughput, this_hour: i64) -> String {
    let by_hour: Vec<(i64, i64, i64)> = (this_hour - HOURS + 1..=this_hour)
        .map(|hour| {
            let of = |is_done: bool| {
                let ended = throughput.ended.iter().filter(|ended| ended.hour == hour);
                ended
                    .filter(|ended| (ended.ending == "ok") == is_done)
                    .map(|ended| ended.attempts)
                    .sum::<i64>()
            };
            (hour, of(true), of(false))
        })
        .collect();
    let total: i64 = by_hour.iter().map(|(_, done, _)| done).sum();
    let millis: i64 = throughput.ended.iter().filter(|one| one.ending == "ok").map(|one| one.millis).sum();
    let mean = if total > 0 { format!("{} ms", millis / total) } else { "–".to_owned() };
    let last = by_hour.last().map_or(0, |(_, done, _)| *done);
    format!(
        "<h2>Throughput</h2>\n{}{}",
        facts(&[
            ("Jobs done in 24 hours", total.to_string()),
            ("In this hour so far", last.to_string()),
            ("Mean time of a job", mean),
        ]),
        bars(&by_hour)
    )
}

/// Draws jobs by the hour, those that were done above those that were not.
fn bars(by_hour: &[(i64, i64, i64)]) -> String {
    const HEIGHT: i64 = 80;
    const WIDTH: i64 = 20;
    let most = by_hour.iter().map(|(_, done, other)| done + other).max().unwrap_or(0).max(1);
    let mut drawn = String::new();
    for (place, (hour, done, other)) in (0_i64..).zip(by_hour) {
        let (tall, rest) = (done * HEIGHT / most, other * HEIGHT / most);
        let clock = hour.rem_euclid(24);
        drawn.push_str(&format!(
            "<g><title>{clock:02}:00 UTC: {done} done, {other} not</title>\
             <rect class=\"base\" x=\"{x}\" y=\"0\" width=\"{w}\" height=\"{HEIGHT}\"/>\
             <rect class=\"good\" x=\"{x}\" y=\"{y}\" width=\"{w}\" height=\"{tall}\"/>\
             <rect class=\"bad\" x=\"{x}\" y=\"{z}\" width=\"{w}\" height=\"{rest}\"/></g>",
            x = place * WIDTH,
            w = WIDTH - 4,
            y = HEIGHT - tall,
            z = HEIGHT - tall - rest,
        ));
    }
    let width = WIDTH * i64::try_from(by_hour.len()).unwrap_or(0);
    format!(
        "<svg class=\"bars\" viewBox=\"0 0 {width} {HEIGHT}\" role=\"img\" aria-label=\"Jobs by the hour, {most} at most\">{drawn}</svg>\n"
    )
}

fn wrong(throughput: &Throughput) -> String {
    let all: i64 = throughput.ended.iter().map(|ended| ended.attempts).sum();
    let share = |count: i64| match all {
        0 => "–".to_owned(),
        all => format!("{}.{} %", count * 100 / all, count * 1000 / all % 10),
    };
    let mut endings: Vec<(&str, i64)> = Vec::new();
    for ended in throughput.ended.iter().filter(|ended| ended.ending != "ok") {
        match endings.iter_mut().find(|(name, _)| *name == ended.ending) {
            Some((_, count)) => *count += ended.attempts,
            None => endings.push((&ended.ending, ended.attempts)),
        }
    }
    endings.sort_by_key(|(name, count)| (-count, *name));
    let rows: Vec<_> =
        endings.iter().map(|(name, count)| vec![state(name), count.to_string(), share(*count)]).collect();
    let mut text = "<h2>Error rates</h2>\n".to_owned();
    let nothing = "Every attempt of the last 24 hours ended well.";
    text.push_str(&table(
        "Attempts that did not end well",
        &["Ending", "Attempts", "Of all"],
        &rows,
        nothing,
    ));
    if !throughput.failures.is_empty() {
        let row = |(class, count): &(String, i64)| vec![html(class).to_string(), count.to_string()];
        let rows: Vec<_> = throughput.failures.iter().map(row).collect();
        text.push_str(&table("Failures by class", &["Class", "Jobs"], &rows, ""));
    }
    text
}

async fn in_use(workers: &[WorkerView], queues: &[QueueView], api: &Api) -> String {
    let alive: Vec<&WorkerView> = workers.iter().filter(|worker| worker.state != "gone").collect();
    let slots: i64 = alive.iter().map(|worker| worker.slots).sum();
    let running: i64 = alive.iter().map(|worker| worker.running).sum();
    let mut text = format!("<h2>Resources</h2>\n{}", meter("Slots", running, slots));
    if let Ok(stats) = api.cache.stats().await {
        match (stats.bytes, stats.limit_bytes) {
            (Some(bytes), Some(limit)) if limit > 0 => {
                let mib = |bytes: u64| i64::try_from(bytes >> 20).unwrap_or(i64::MAX);
                text.push_str(&meter("Cache, in MiB", mib(bytes), mib(limit)));
            }
            (Some(bytes), _) => text.push_str(&format!("<p>The cache holds {} MiB.</p>\n", bytes >> 20)),
            _ => {}
        }
    }
    let row = |queue: &QueueView| {
        let waiting =
            queue.waiting.map_or_else(|| "does not answer".to_owned(), |waiting| waiting.to_string());
        vec![html(&queue.topic).to_string(), waiting]
    };
    let rows: Vec<_> = queues.iter().map(row).collect();
    text.push_str(&table("Queues", &["Queue", "Messages that wait"], &rows, ""));
    text
}
