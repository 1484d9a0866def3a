//! The operator's side of the coordinator's HTTP API.

use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;

use gitfleet_coordinator::api::{PREFIX, Problem, tokens};
use gitfleet_shared::trace::{self, TraceContext};
use reqwest::StatusCode;
use reqwest::blocking::{RequestBuilder, Response};
use reqwest::header;
use secrecy::{ExposeSecret as _, SecretString};
use serde::de::DeserializeOwned;

use crate::exit::{Exit, Refusal};

/// How long an answer may take.
const DEADLINE: Duration = Duration::from_secs(30);

#[derive(Clone)]
pub(crate) struct Client {
    http: reqwest::blocking::Client,
    server: String,
    token: Option<SecretString>,
}

impl Client {
    /// Returns a client of the coordinator at `server`, which trusts the certificates in `roots` (PEM) beside the system's.
    /// Nothing is asked yet.
    ///
    /// # Errors
    ///
    /// Where the address is none, or the certificates cannot be read.
    pub(crate) fn new(
        server: &str,
        token: Option<SecretString>,
        roots: Option<&Path>,
    ) -> anyhow::Result<Self> {
        let server = server.trim_end_matches('/').to_owned();
        if !server.starts_with("http://") && !server.starts_with("https://") {
            return Err(Refusal::new(Exit::Usage, format!("{server} is no address of a coordinator"))
                .hint("write it as http://host:7171, with --server, GITFLEET_SERVER or fleet.server")
                .into());
        }
        // A token must not follow a redirect to another host.
        let mut builder = reqwest::blocking::Client::builder()
            .timeout(DEADLINE)
            .redirect(reqwest::redirect::Policy::none());
        if let Some(file) = roots {
            let context = || format!("cannot read the certificates in {}", file.display());
            let pem = std::fs::read(file).with_context(context)?;
            builder =
                builder.tls_certs_merge(reqwest::Certificate::from_pem_bundle(&pem).with_context(context)?);
        }
        Ok(Self { http: builder.build()?, server, token })
    }

    pub(crate) fn get<T: DeserializeOwned>(&self, path: &str, query: &[(&str, String)]) -> anyhow::Result<T> {
        Ok(serde_json::from_str(&self.text(path, query)?)?)
    }

    /// Returns an answer as it came.
    pub(crate) fn text(&self, path: &str, query: &[(&str, String)]) -> anyhow::Result<String> {
        let mut url = self.url(path)?;
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        self.send(self.http.get(url))
    }

    pub(crate) fn post<T: DeserializeOwned>(&self, path: &str) -> anyhow::Result<T> {
        Ok(serde_json::from_str(&self.send(self.http.post(self.url(path)?))?)?)
    }

    /// Posts `body`, which may be sent again.
    pub(crate) fn post_body<T: DeserializeOwned>(&self, path: &str, body: String) -> anyhow::Result<T> {
        let request =
            self.http.post(self.url(path)?).header(header::CONTENT_TYPE, "application/json").body(body);
        Ok(serde_json::from_str(&self.send(request)?)?)
    }

    /// Posts `body`, which may take its time.
    pub(crate) fn post_patiently<T: DeserializeOwned>(
        &self,
        path: &str,
        body: String,
        patience: Duration,
    ) -> anyhow::Result<T> {
        let request = self
            .http
            .post(self.url(path)?)
            .timeout(patience)
            .header(header::CONTENT_TYPE, "application/json")
            .body(body);
        Ok(serde_json::from_str(&self.send(request)?)?)
    }

    /// Posts `body` under the name `key`, so that sending it again changes nothing.
    pub(crate) fn submit<T: DeserializeOwned>(
        &self,
        path: &str,
        key: &str,
        body: String,
    ) -> anyhow::Result<T> {
        let span = tracing::info_span!("submit", otel.name = "submit", otel.kind = "client");
        let _entered = span.enter();
        let mut request = self
            .http
            .post(self.url(path)?)
            .header("Idempotency-Key", key)
            .header(header::CONTENT_TYPE, "application/json")
            .body(body);
        if let Some(trace) = TraceContext::current() {
            request = request.header(trace::HEADER, trace.to_string());
        }
        Ok(serde_json::from_str(&self.send(request)?)?)
    }

    pub(crate) fn delete<T: DeserializeOwned>(&self, path: &str) -> anyhow::Result<T> {
        Ok(serde_json::from_str(&self.send(self.http.delete(self.url(path)?))?)?)
    }

    fn url(&self, path: &str) -> anyhow::Result<reqwest::Url> {
        let url = format!("{}{PREFIX}{path}", self.server);
        url.parse().map_err(|_| {
            Refusal::new(Exit::Usage, format!("{} is no address of a coordinator", self.server)).into()
        })
    }

    fn send(&self, request: RequestBuilder) -> anyhow::Result<String> {
        // Of several the first: the others are for clients that have not changed yet.
        let request = match self.token.as_ref().and_then(|secret| tokens(secret.expose_secret()).next()) {
            Some(token) => request.bearer_auth(token),
            None => request,
        };
        let response = request.send().map_err(|error| self.silent(&error))?;
        let status = response.status();
        if status.is_success() {
            return response.text().map_err(|error| self.silent(&error).into());
        }
        Err(refusal(status, response).into())
    }

    fn silent(&self, error: &reqwest::Error) -> Refusal {
        let mut causes = String::new();
        let mut cause = std::error::Error::source(error);
        while let Some(next) = cause {
            causes = next.to_string();
            cause = next.source();
        }
        let why = if error.is_timeout() { "it does not answer in time".to_owned() } else { causes };
        Refusal::new(Exit::Unavailable, format!("no coordinator answers at {}: {why}", self.server))
            .hint("start one with `gitfleet coordinator`, or name another one with --server; `gitfleet doctor` checks all")
    }
}

fn refusal(status: StatusCode, response: Response) -> Refusal {
    let exit = match status {
        StatusCode::BAD_REQUEST => Exit::Usage,
        StatusCode::UNAUTHORIZED => Exit::Unauthenticated,
        StatusCode::FORBIDDEN => Exit::Forbidden,
        StatusCode::NOT_FOUND => Exit::NotFound,
        StatusCode::CONFLICT => Exit::Conflict,
        StatusCode::TOO_MANY_REQUESTS => Exit::Limited,
        StatusCode::SERVICE_UNAVAILABLE | StatusCode::BAD_GATEWAY | StatusCode::GATEWAY_TIMEOUT => {
            Exit::Unavailable
        }
        _ => Exit::Failed,
    };
    match response.text().ok().and_then(|text| serde_json::from_str::<Problem>(&text).ok()) {
        Some(Problem { detail, retry_after_seconds: Some(seconds), .. }) => {
            Refusal::new(exit, detail).hint(format!("ask again in {seconds} s"))
        }
        Some(Problem { detail, hint: Some(hint), .. }) => Refusal::new(exit, detail).hint(hint),
        Some(problem) => Refusal::new(exit, problem.detail),
        None => Refusal::new(exit, format!("the coordinator answered {status}")),
    }
}
