//! `stentor mcp`: the Model Context Protocol over standard input and output, for an agent that starts it. It asks the daemon.

use crate::{
    cli::{error::CliError, options::PathOptions, threads::runtime},
    config,
    mcp::{AvailabilityQuery, RequestService, ServiceFault, serve_stdio},
    toml_kit::secret::SecretRef,
};
use clap::{Args, ValueHint};
use reqwest::{RequestBuilder, StatusCode, Url, header::RETRY_AFTER};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use std::{path::PathBuf, process::ExitCode, time::Duration};
use tokio::time::{Instant, sleep, sleep_until};

/// The variable with the token of the source.
const TOKEN: &str = "STENTOR_TOKEN";

/// How long the daemon may take to answer, beyond what it was told to wait.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(30);

/// How long one look waits: proxies give up after 30 to 60 s.
const LOOK: Duration = Duration::from_secs(20);

/// The pause before the daemon is asked again after it could not be reached.
const AGAIN: Duration = Duration::from_secs(1);

/// How long a daemon that can not be reached, such as one that is being restarted, is asked again.
const ABSENT_MAX: Duration = Duration::from_secs(10);

#[derive(Debug, Args)]
pub struct McpArgs {
    /// The daemon's address [default: its socket]
    #[arg(long, env = "STENTOR_URL", value_name = "URL", value_hint = ValueHint::Url)]
    url: Option<Url>,
    /// The file with the token of the source that asks [default: the variable STENTOR_TOKEN]
    #[arg(long, env = "STENTOR_TOKEN_FILE", value_name = "FILE", value_hint = ValueHint::FilePath)]
    token_file: Option<PathBuf>,
}

impl McpArgs {
    pub fn run(self, places: &PathOptions) -> Result<ExitCode, CliError> {
        let token = self.token_file.map_or_else(|| SecretRef::Env(TOKEN.to_owned()), SecretRef::File);
        let token = config::secret(&token).map_err(|error| {
            format!("{error}: give the token of a [source] of the matrix by {TOKEN} or --token-file FILE")
        })?;
        let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
        let (client, base) = match self.url {
            Some(url) => (client, url),
            None => (client.unix_socket(places.socket()), Url::parse("http://stentor")?),
        };
        let daemon = DaemonRequests { client: client.build()?, base, token };
        runtime(1)?.block_on(serve_stdio(daemon))?;
        Ok(ExitCode::SUCCESS)
    }
}

/// The requests of a source of a daemon that is called.
struct DaemonRequests {
    client: reqwest::Client,
    base: Url,
    token: SecretString,
}

impl RequestService for DaemonRequests {
    async fn ask(&self, body: Value, key: Option<String>) -> Result<Value, ServiceFault> {
        // With a key it can be sent again when its answer was lost.
        let key = key.unwrap_or_else(|| format!("mcp-{:032x}", rand::random::<u128>()));
        let url = self.url(&[])?;
        self.sent(|| self.client.post(url.clone()).header("Idempotency-Key", &key).json(&body)).await
    }

    async fn look(&self, id: &str, until: Instant) -> Result<Value, ServiceFault> {
        let mut url = self.url(&[id])?;
        let mut first = None;
        loop {
            let left = until.saturating_duration_since(Instant::now()).min(LOOK);
            let wait =
                if left.as_secs() == 0 { format!("{}ms", left.as_millis()) } else { format!("{}s", left.as_secs()) };
            url.set_query(Some(&format!("wait={wait}")));
            let view = self.sent(|| self.client.get(url.clone())).await?;
            let handoff = view["handoff"]["state"].clone();
            let is_news = *first.get_or_insert_with(|| handoff.clone()) != handoff;
            if view["state"] != "open" || is_news || until <= Instant::now() {
                return Ok(view);
            }
            // A daemon that stops answers at once.
            sleep_until(until.min(Instant::now() + AGAIN.min(left))).await;
        }
    }

    async fn availability(&self, query: AvailabilityQuery) -> Result<Value, ServiceFault> {
        let mut url = self.base.join("v1/availability").map_err(|error| ServiceFault::new(error.to_string()))?;
        let AvailabilityQuery { kind, labels, values, locale } = query;
        let fields = [("kind", Some(kind)), ("labels", Some(labels)), ("values", Some(values)), ("locale", locale)];
        url.query_pairs_mut().extend_pairs(fields.iter().filter_map(|(name, value)| Some((name, value.as_ref()?))));
        self.sent(|| self.client.get(url.clone())).await
    }

    async fn cancel(&self, id: &str, reason: Option<String>) -> Result<Value, ServiceFault> {
        let url = self.url(&[id, "cancel"])?;
        self.sent(|| self.client.post(url.clone()).json(&json!({ "reason": reason }))).await
    }
}

impl DaemonRequests {
    fn url(&self, parts: &[&str]) -> Result<Url, ServiceFault> {
        let mut url = self.base.clone();
        let mut path = url
            .path_segments_mut()
            .map_err(|()| ServiceFault::new(format!("{} is no address of a daemon", self.base)))?;
        path.pop_if_empty().extend(["v1", "requests"]).extend(parts);
        drop(path);
        Ok(url)
    }

    /// Sends a request, again and again for a while if the daemon is not there.
    async fn sent(&self, request: impl Fn() -> RequestBuilder) -> Result<Value, ServiceFault> {
        let until = Instant::now() + ABSENT_MAX;
        loop {
            let sent = request().bearer_auth(self.token.expose_secret()).timeout(ANSWER_TIME_MAX + LOOK).send().await;
            let answered = match sent {
                Ok(response) => answer(response).await,
                Err(error) => Err(Failure::Absent(error)),
            };
            match answered {
                Ok(view) => return Ok(view),
                Err(Failure::Refused(fault)) => return Err(fault),
                Err(Failure::Absent(error)) if until <= Instant::now() => return Err(self.absent(&error)),
                Err(Failure::Absent(_)) => sleep(AGAIN).await,
            }
        }
    }

    fn absent(&self, error: &reqwest::Error) -> ServiceFault {
        let at = if self.base.host_str() == Some("stentor") { "its socket" } else { self.base.as_str() };
        ServiceFault::new(format!(
            "the Stentor daemon does not answer at {at}: {error}. Whatever was asked before goes on; try again later"
        ))
    }
}

enum Failure {
    Refused(ServiceFault),
    Absent(reqwest::Error),
}

async fn answer(response: reqwest::Response) -> Result<Value, Failure> {
    let status = response.status();
    let retry_after = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
    let body: Value = match response.json().await {
        Ok(body) => body,
        Err(error) if status.is_success() => return Err(Failure::Absent(error)),
        Err(_) => Value::Null,
    };
    if status.is_success() {
        return Ok(body);
    }
    let detail = body["detail"].as_str().map_or_else(|| format!("the daemon answered {status}"), ToOwned::to_owned);
    let detail = match status {
        StatusCode::UNAUTHORIZED => format!("the token is of no source of the daemon: {detail}"),
        _ => detail,
    };
    let is_unknown = status == StatusCode::NOT_FOUND;
    Err(Failure::Refused(ServiceFault { detail, retry_after: retry_after.map(Duration::from_secs), is_unknown }))
}
