//! A GitHub of the test's own, which answers as GitHub's API description says: pages with links, ETags, budgets per token,
//! and whatever a test makes go wrong. It keeps what it was asked.

use std::collections::{BTreeMap, VecDeque};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant, SystemTime};

use serde_json::{Value, json};

pub(crate) struct GitHub {
    address: String,
    state: Arc<Mutex<State>>,
    ended: Arc<AtomicBool>,
    thread: Option<std::thread::JoinHandle<()>>,
}

#[derive(Default)]
pub(crate) struct State {
    /// By `orgs/NAME` or `users/NAME`.
    pub(crate) accounts: BTreeMap<String, Vec<Value>>,
    /// Tokens with what they may still ask; without any, everybody may ask everything.
    pub(crate) tokens: BTreeMap<String, Budget>,
    /// Accounts that are asked for elsewhere now, with where.
    pub(crate) moved: BTreeMap<String, String>,
    /// Answers to the next requests for a page of this number.
    pub(crate) scripted: BTreeMap<usize, VecDeque<Scripted>>,
    pub(crate) asked: Vec<Asked>,
    /// Until when each token was told to ask nothing, and how often it did all the same.
    closed: BTreeMap<Option<String>, Instant>,
    pub(crate) too_early: usize,
}

#[derive(Clone, Copy)]
pub(crate) struct Budget {
    pub(crate) remaining: i64,
    /// UTC seconds.
    pub(crate) resets_at: i64,
}

#[derive(Clone)]
pub(crate) struct Scripted {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) message: &'static str,
}

#[derive(Clone)]
pub(crate) struct Asked {
    pub(crate) path: String,
    pub(crate) token: Option<String>,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) status: u16,
}

/// Repositories on a page; GitHub's own limit is 100.
const PAGE: usize = 2;

pub(crate) fn now() -> i64 {
    i64::try_from(SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs()).unwrap()
}

/// Returns a repository as the API lists it.
pub(crate) fn repository(id: i64, full_name: &str, clone_url: &str) -> Value {
    let (owner, name) = full_name.split_once('/').unwrap();
    json!({
        "id": id, "node_id": format!("R_{id}"), "name": name, "full_name": full_name, "private": false,
        "owner": {"login": owner, "id": 1, "type": "Organization"}, "description": null, "fork": false,
        "html_url": format!("https://github.com/{full_name}"), "clone_url": clone_url, "default_branch": "main",
        "archived": false, "disabled": false, "visibility": "public", "size": 1, "topics": [],
        "pushed_at": "2026-01-05T12:00:00Z", "created_at": "2026-01-05T12:00:00Z",
    })
}

impl GitHub {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (state, ended) = (Arc::new(Mutex::new(State::default())), Arc::new(AtomicBool::new(false)));
        let thread = std::thread::spawn({
            let (state, ended, base) = (state.clone(), ended.clone(), format!("http://{address}"));
            move || {
                for stream in listener.incoming() {
                    if ended.load(Ordering::Relaxed) {
                        return;
                    }
                    // Who hangs up in the middle has asked nothing.
                    let _ = serve(stream.unwrap(), &state, &base);
                }
            }
        });
        Self { address, state, ended, thread: Some(thread) }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// Lets an organization have these repositories.
    pub(crate) fn has(&self, account: &str, repositories: Vec<Value>) {
        self.state().accounts.insert(account.to_owned(), repositories);
    }

    pub(crate) fn token(&self, token: &str, remaining: i64, resets_in: i64) {
        let budget = Budget { remaining, resets_at: now() + resets_in };
        self.state().tokens.insert(token.to_owned(), budget);
    }

    pub(crate) fn answers(
        &self,
        page: usize,
        status: u16,
        headers: &[(&'static str, &str)],
        message: &'static str,
    ) {
        let headers = headers.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        let scripted = Scripted { status, headers, message };
        self.state().scripted.entry(page).or_default().push_back(scripted);
    }

    /// Returns what was asked since the last time.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        std::mem::take(&mut self.state().asked)
    }
}

impl Drop for GitHub {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
        let _ = TcpStream::connect(&self.address);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

struct Answer {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: String,
}

impl Answer {
    fn error(status: u16, message: &str) -> Self {
        Self { status, headers: Vec::new(), body: json!({"message": message}).to_string() }
    }
}

fn serve(stream: TcpStream, state: &Mutex<State>, base: &str) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let Some(path) = line.split(' ').nth(1).map(str::to_owned) else { return Ok(()) };
    let mut headers = BTreeMap::new();
    loop {
        line.clear();
        if reader.read_line(&mut line)? == 0 || line == "\r\n" {
            break;
        }
        if let Some((name, value)) = line.trim_end().split_once(": ") {
            headers.insert(name.to_lowercase(), value.to_owned());
        }
    }
    let token =
        headers.get("authorization").and_then(|value| value.strip_prefix("Bearer ")).map(str::to_owned);
    let mut state = state.lock().unwrap();
    if state.closed.get(&token).is_some_and(|until| Instant::now() < *until) {
        state.too_early += 1;
    }
    let mut answer = answer(&mut state, &path, token.as_deref(), &headers, base);
    if let Some((_, seconds)) = answer.headers.iter().find(|(name, _)| *name == "Retry-After") {
        let until = Instant::now() + Duration::from_secs(seconds.parse().unwrap());
        state.closed.insert(token.clone(), until);
    }
    // Whatever is answered tells the budget; what has not changed costs nothing.
    if let Some(budget) = token.as_ref().and_then(|token| state.tokens.get_mut(token)) {
        if answer.status == 200 {
            budget.remaining -= 1;
        }
        answer.headers.push(("X-RateLimit-Limit", "5000".to_owned()));
        answer.headers.push(("X-RateLimit-Remaining", budget.remaining.to_string()));
        answer.headers.push(("X-RateLimit-Reset", budget.resets_at.to_string()));
    }
    state.asked.push(Asked { path, token, headers, status: answer.status });
    drop(state);
    let mut stream = reader.into_inner();
    write!(stream, "HTTP/1.1 {} Answer\r\nConnection: close\r\n", answer.status)?;
    write!(
        stream,
        "Content-Type: application/json; charset=utf-8\r\nContent-Length: {}\r\n",
        answer.body.len()
    )?;
    for (name, value) in answer.headers {
        write!(stream, "{name}: {value}\r\n")?;
    }
    write!(stream, "\r\n{}", answer.body)
}

fn answer(
    state: &mut State,
    path: &str,
    token: Option<&str>,
    headers: &BTreeMap<String, String>,
    base: &str,
) -> Answer {
    let (place, query) = path.split_once('?').unwrap_or((path, ""));
    let parameter = |name: &str| {
        query
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .find(|(key, _)| *key == name)
            .map(|(_, value)| value)
    };
    let page: usize = parameter("page").map_or(1, |page| page.parse().unwrap());
    if let Some(scripted) = state.scripted.get_mut(&page).and_then(VecDeque::pop_front) {
        return Answer { headers: scripted.headers, ..Answer::error(scripted.status, scripted.message) };
    }
    if !state.tokens.is_empty() {
        match token.and_then(|token| state.tokens.get_mut(token)) {
            None => return Answer::error(401, "Bad credentials"),
            Some(budget) if budget.resets_at <= now() => {
                *budget = Budget { remaining: 5_000, resets_at: now() + 3_600 };
            }
            Some(budget) if budget.remaining == 0 => {
                return Answer::error(403, "API rate limit exceeded for user ID 1.");
            }
            Some(_) => {}
        }
    }
    let account = place.trim_start_matches('/').trim_end_matches("/repos");
    if let Some(to) = state.moved.get(account) {
        let to = format!("{to}?{query}");
        return Answer { headers: vec![("Location", to)], ..Answer::error(301, "Moved Permanently") };
    }
    let Some(repositories) = state.accounts.get(account) else { return Answer::error(404, "Not Found") };
    let asked: usize = parameter("per_page").map_or(30, |count| count.parse().unwrap());
    let (size, first) = (asked.min(PAGE), (page - 1) * asked.min(PAGE));
    let shown: Vec<&Value> = repositories.iter().skip(first).take(size).collect();
    let body = serde_json::to_string(&shown).unwrap();
    let mut hasher = DefaultHasher::new();
    (&body, repositories.len(), token).hash(&mut hasher);
    let etag = format!("W/\"{:x}\"", hasher.finish());
    let mut own = vec![("ETag", etag.clone())];
    let last = repositories.len().div_ceil(size).max(1);
    let at = |page: usize| format!("<{base}{place}?per_page={asked}&page={page}>");
    let mut links = Vec::new();
    if page > 1 {
        links.push(format!("{}; rel=\"prev\"", at(page - 1)));
    }
    if page < last {
        links.push(format!("{}; rel=\"next\"", at(page + 1)));
        links.push(format!("{}; rel=\"last\"", at(last)));
    }
    if !links.is_empty() {
        own.push(("Link", links.join(", ")));
    }
    match headers.get("if-none-match") == Some(&etag) {
        true => Answer { status: 304, headers: own, body: String::new() },
        false => Answer { status: 200, headers: own, body },
    }
}
