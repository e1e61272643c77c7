//! One incident, three roles, 300 people, four channels: 1,200 pages at once. Each provider answers in 200 ms and works
//! on ten requests at once; one hangs, one throttles everybody to 20 a second, one refuses three of ten.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods, missing_docs)]

mod drain;
mod processor;

use crate::common;
use crate::double;

use axum::{
    Json, Router,
    extract::{Query, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use common::{Daemon, Setup};
use double::{Server, busy::Busy, smtp};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

const PEOPLE: usize = 300;
const ROLES: [&str; 3] = ["trader", "compliance", "it"];
const TAKES: Duration = Duration::from_millis(200);
const AT_ONCE: usize = 10;
const PER_SECOND: f64 = 20.0;

/// What ten workers of 200 ms each allow for 300 pages.
const WORKED: Duration = Duration::from_secs(6);
/// What 20 a second allow for 300 pages.
const THROTTLED: Duration = Duration::from_secs(15);
/// How much longer than its provider allows a channel may take, besides the time for which the daemon and the providers were
/// ready to go on and other programs had the processor.
const WITHIN: f64 = 1.5;

/// The storm may take so long before the test gives up.
const PATIENCE: Duration = Duration::from_secs(90);

/// The name of the threads that the providers run on.
const PROVIDERS: &str = "providers";

/// How often the providers are looked at.
const LOOK: Duration = Duration::from_millis(50);

#[test]
fn everybody_is_reached_and_no_channel_waits_for_another() {
    double::install_tls();
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = runtime.thread_name(PROVIDERS).enable_all().build().unwrap();
    let (mail, sms, pager, slack) = runtime.block_on(async {
        let mail = smtp::MailServer::start().await;
        mail.set_busy(Busy::new(TAKES, AT_ONCE));
        (mail, refusing().await, hanging().await, throttling().await)
    });
    let daemon = Setup::new(&matrix(&mail.url(), sms.address, pager.address, slack.address))
        .env("MAIL_PASSWORD", smtp::PASSWORD)
        .env("SMS_PASSWORD", "gateway-secret-4711")
        .env("SLACK_BOT_TOKEN", "xoxb-storm")
        .start();
    let waits = || processor::waited(daemon.pid(), "") + processor::waited(std::process::id(), PROVIDERS);
    let before = waits();
    let fired = daemon.cli(&["fire", "storm"]);
    assert!(fired.status.success(), "{}", String::from_utf8_lossy(&fired.stderr));
    let incident = settled(&daemon, || mail.mails().len() + slack.taken());
    let stolen = waits().saturating_sub(before);
    println!("other programs had the processor for {:.2} s", stolen.as_secs_f64());
    let pages = incident["pages"].as_array().unwrap();
    let reached: BTreeSet<&str> =
        pages.iter().filter(|page| page["state"] == "accepted").map(|page| page["person"].as_str().unwrap()).collect();
    assert_eq!(reached.len(), PEOPLE, "everybody is reached");
    for (channel, allowed) in [("mail", WORKED), ("sms", WORKED), ("chat", THROTTLED)] {
        let accepted =
            pages.iter().filter(|page| page["channel"] == channel).filter_map(|page| page["accepted"].as_f64());
        let last = accepted.fold(0.0, f64::max) / 1e3;
        let ratio = last / allowed.as_secs_f64();
        println!("{channel}: the last page is out after {last:.2} s, {ratio:.2} of what its provider allows");
        let own = (last - stolen.as_secs_f64()) / allowed.as_secs_f64();
        assert!(own <= WITHIN, "{channel}: {last:.2} s, of which {own:.2} times what its provider allows is its own");
    }
    let chat = pages.iter().filter(|page| page["channel"] == "chat" && page["state"] == "accepted").count();
    assert_eq!(chat, PEOPLE, "a throttle loses nobody");
    let refused = pages.iter().filter(|page| page["channel"] == "sms" && page["state"] == "unreachable").count();
    assert_eq!(refused, PEOPLE * 3 / 10, "who is refused is known as such");
    println!("throttled: {} requests for {PEOPLE} pages", slack.requests());
}

/// The incident, once no page but the hanging channel's is open. While the providers still work it is not asked for:
/// that would be a load of its own.
fn settled(daemon: &Daemon, taken: impl Fn() -> usize) -> Value {
    let deadline = Instant::now() + PATIENCE;
    while taken() < 2 * PEOPLE && Instant::now() < deadline {
        std::thread::sleep(LOOK);
    }
    loop {
        let incident = daemon.json(&["show", "INC-1"])["incident"].take();
        let open = |page: &&Value| page["state"] == "queued" && page["channel"] != "pager";
        let left = incident["pages"].as_array().unwrap().iter().filter(open).count();
        if left == 0 && ROLES.len() * PEOPLE <= incident["pages"].as_array().unwrap().len() {
            return incident;
        }
        assert!(Instant::now() < deadline, "{left} pages are still open:\n{}", daemon.log());
    }
}

fn matrix(mail: &str, sms: std::net::SocketAddr, pager: std::net::SocketAddr, slack: std::net::SocketAddr) -> String {
    let mut toml = format!(
        r#"
[channel.mail]
kind = "smtp"
url = "{mail}"
username = "{}"
password = {{ env = "MAIL_PASSWORD" }}
from = "stentor@example.com"
accept_timeout = "2m"

[channel.sms]
kind = "kannel"
url = "http://{sms}/cgi-bin/sendsms"
username = "tester"
password = {{ env = "SMS_PASSWORD" }}
accept_timeout = "2m"

[channel.pager]
kind = "kannel"
url = "http://{pager}/cgi-bin/sendsms"
username = "tester"
password = {{ env = "SMS_PASSWORD" }}

[channel.chat]
kind = "slack"
url = "http://{slack}/api"
token = {{ env = "SLACK_BOT_TOKEN" }}
accept_timeout = "2m"

[trigger.storm]
on = ["storm"]
roles = ["trader", "compliance", "it"]
"#,
        smtp::USERNAME
    );
    for n in 0..PEOPLE {
        writeln!(
            toml,
            "[person.p{n}]\nname = \"Person {n}\"\nemail = \"p{n}@example.com\"\nphone = \"+1{}55501{:02}\"\nslack = \"U{n:06}\"",
            200 + n / 100,
            n % 100
        )
        .unwrap();
    }
    for (at, role) in ROLES.iter().enumerate() {
        let people: Vec<String> = (0..PEOPLE).filter(|n| n % ROLES.len() == at).map(|n| format!("\"p{n}\"")).collect();
        writeln!(
            toml,
            "[role.{role}]\nstep = [{{ page = [{}], by = [\"mail\", \"sms\", \"pager\", \"chat\"], wait = \"10m\" }}]",
            people.join(", ")
        )
        .unwrap();
    }
    toml
}

/// An SMS gateway that knows no way to three of ten numbers.
async fn refusing() -> Server {
    let busy = Busy::new(TAKES, AT_ONCE);
    let router = Router::new().route("/cgi-bin/sendsms", get(refuse)).with_state(busy);
    Server::start(router).await
}

async fn refuse(
    State(busy): State<Busy>,
    Query(fields): Query<BTreeMap<String, String>>,
) -> (StatusCode, &'static str) {
    busy.work().await;
    let last = fields["to"].chars().last().unwrap();
    if ('0'..'3').contains(&last) {
        (StatusCode::FORBIDDEN, "Not routable. Do not try again.")
    } else {
        (StatusCode::ACCEPTED, "0: Accepted for delivery")
    }
}

/// A gateway that never answers.
async fn hanging() -> Server {
    let router = Router::new().route("/cgi-bin/sendsms", get(std::future::pending::<StatusCode>));
    Server::start(router).await
}

struct Throttling {
    server: Server,
    bucket: Arc<Bucket>,
}

/// A token bucket of one second's worth for all together.
struct Bucket {
    busy: Busy,
    tokens: Mutex<(f64, Instant, usize)>,
    taken: AtomicUsize,
}

impl Throttling {
    fn taken(&self) -> usize {
        self.bucket.taken.load(Ordering::Relaxed)
    }

    fn requests(&self) -> usize {
        self.bucket.tokens.lock().unwrap().2
    }
}

impl std::ops::Deref for Throttling {
    type Target = Server;

    fn deref(&self) -> &Server {
        &self.server
    }
}

async fn throttling() -> Throttling {
    let tokens = Mutex::new((PER_SECOND, Instant::now(), 0));
    let bucket = Arc::new(Bucket { busy: Busy::new(TAKES, AT_ONCE), tokens, taken: AtomicUsize::new(0) });
    let router = Router::new().route("/api/chat.postMessage", post(throttle)).with_state(bucket.clone());
    Throttling { server: Server::start(router).await, bucket }
}

async fn throttle(State(bucket): State<Arc<Bucket>>, headers: HeaderMap, Json(body): Json<Value>) -> Response {
    assert!(headers.contains_key("authorization"));
    {
        let (tokens, since, requests) = &mut *bucket.tokens.lock().unwrap();
        *requests += 1;
        *tokens = (*tokens + since.elapsed().as_secs_f64() * PER_SECOND).min(PER_SECOND);
        *since = Instant::now();
        if *tokens < 1.0 {
            let body = json!({ "ok": false, "error": "ratelimited" });
            return (StatusCode::TOO_MANY_REQUESTS, [("retry-after", "1")], Json(body)).into_response();
        }
        *tokens -= 1.0;
    }
    bucket.busy.work().await;
    bucket.taken.fetch_add(1, Ordering::Relaxed);
    let channel = body["channel"].as_str().unwrap().replacen('U', "D", 1);
    Json(json!({ "ok": true, "channel": channel, "ts": "1700000000.000100", "message": {} })).into_response()
}
