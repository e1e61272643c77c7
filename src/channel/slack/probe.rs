//! Whether Slack would let us do our work: the token, its scopes, and the two clocks.

use super::{Slack, refusal::Refusal};
use crate::channel::{Check, Outcome};
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

/// Only for the eye, so nothing of it is demanded; the library's own type demands the workspace's address too.
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
        match self.web.ask::<Bot>("auth.test", &()).await {
            Ok(said) => {
                let detail = format!("{} in {}", said.it.user, said.it.team);
                let clock = said.date.as_deref().and_then(Check::clock);
                [Check::fine("login", detail), scopes(said.scopes.as_deref())].into_iter().chain(clock).collect()
            }
            Err(refusal) => vec![refused(refusal)],
        }
    }
}

fn refused(refusal: Refusal) -> Check {
    let throttled = matches!(refusal, Refusal::Throttled(_));
    let detail = refusal.into_send_error().to_string();
    if throttled { Check::doubtful("login", detail) } else { Check::failed("login", detail) }
}

fn scopes(granted: Option<&str>) -> Check {
    let Some(granted) = granted else {
        return Check::doubtful("scopes", "Slack does not say which scopes the token has");
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
