//! Whether Slack would let us do our work: the token, its scopes, and the two clocks.

use super::{Slack, refusal::Refusal, web::Said};
use crate::channel::{Check, Outcome, retry_after};
use chrono::Utc;
use serde::Deserialize;

/// What each thing that we do takes, and what is lost without it.
const SCOPES: [(&[&str], Outcome, &str); 7] = [
    (&["chat:write"], Outcome::Failed, "no message can be sent"),
    (&["im:write"], Outcome::Doubtful, "people may not be written to who never wrote to the app"),
    (&["channels:manage", "groups:write"], Outcome::Doubtful, "war rooms can not be made, named or archived"),
    (&["pins:write"], Outcome::Doubtful, "cards are not pinned"),
    (&["bookmarks:write"], Outcome::Doubtful, "rooms have no runbook"),
    (&["users:read"], Outcome::Doubtful, "people's ids can not be checked"),
    (&["users:read.email"], Outcome::Doubtful, "nobody can be found by e-mail address"),
];

/// How far Slack's clock and ours may be apart, in seconds: from 300 on its buttons would be refused as replays.
const SKEW_MAX_S: i64 = 30;
const SKEW_FATAL_S: i64 = 300;

#[derive(Deserialize)]
struct Bot {
    #[serde(default)]
    team: String,
    #[serde(default)]
    user: String,
}

impl Slack {
    /// Calls `auth.test`, which pages nobody.
    pub(super) async fn look(&self) -> Vec<Check> {
        match self.web.ask::<Bot>("auth.test", &[]).await {
            Ok(said) => vec![login(&said.it), scopes(said.scopes.as_deref()), clock(&said)],
            Err(refusal) => vec![refused(refusal)],
        }
    }
}

fn login(bot: &Bot) -> Check {
    let detail = format!("{} in {}", bot.user, bot.team);
    Check { what: "login", outcome: Outcome::Fine, detail }
}

fn refused(refusal: Refusal) -> Check {
    let outcome = match &refusal {
        Refusal::Throttled(_) => Outcome::Doubtful,
        _ => Outcome::Failed,
    };
    Check { what: "login", outcome, detail: refusal.into_send_error().to_string() }
}

fn scopes(granted: Option<&str>) -> Check {
    let Some(granted) = granted else {
        let detail = "Slack does not say which scopes the token has".to_owned();
        return Check { what: "scopes", outcome: Outcome::Doubtful, detail };
    };
    let granted: Vec<&str> = granted.split(',').map(str::trim).collect();
    let lacking = SCOPES.iter().flat_map(|(scopes, outcome, loss)| {
        let missing = scopes.iter().filter(|scope| !granted.contains(scope));
        missing.map(move |scope| (*outcome, format!("without {scope} {loss}")))
    });
    let (outcomes, losses): (Vec<Outcome>, Vec<String>) = lacking.unzip();
    let outcome = outcomes.into_iter().max().unwrap_or(Outcome::Fine);
    let detail = if losses.is_empty() { "all that are needed".to_owned() } else { losses.join("; ") };
    Check { what: "scopes", outcome, detail }
}

fn clock(said: &Said<Bot>) -> Check {
    let theirs = said.date.as_deref().and_then(retry_after::http_date);
    let Some(theirs) = theirs else {
        let detail = "Slack does not say what time it is".to_owned();
        return Check { what: "clock", outcome: Outcome::Doubtful, detail };
    };
    let ahead = (wall() - theirs.and_utc()).num_seconds();
    let outcome = match ahead.abs() {
        0..SKEW_MAX_S => Outcome::Fine,
        SKEW_MAX_S..SKEW_FATAL_S => Outcome::Doubtful,
        _ => Outcome::Failed,
    };
    let detail = match ahead {
        -1..=1 => "as Slack's".to_owned(),
        ahead if 0 < ahead => format!("{ahead} s ahead of Slack's: set this machine's clock"),
        ahead => format!("{} s behind Slack's: set this machine's clock", ahead.abs()),
    };
    Check { what: "clock", outcome, detail }
}

#[expect(clippy::disallowed_methods, reason = "the two clocks are what is compared")]
fn wall() -> chrono::DateTime<Utc> {
    Utc::now()
}
