//! Checks the Slack app: the token, its scopes, and the two clocks.

use crate::channel::{
    CheckOutcome, ProbeCheck,
    slack::{refusal::SlackRefusal, send::SlackChannel},
};
use serde::Deserialize;

/// The scopes that each feature needs, and what does not work without them.
const SCOPES: [(&[&str], CheckOutcome, &str); 8] = [
    (&["chat:write"], CheckOutcome::Failed, "no message can be sent"),
    (&["im:write"], CheckOutcome::Doubtful, "people who never wrote to the app can not get messages"),
    (&["channels:manage", "groups:write"], CheckOutcome::Doubtful, "war rooms can not be created, named or archived"),
    (
        &["channels:read", "groups:read"],
        CheckOutcome::Doubtful,
        "a war room that was made just before a crash is not found again",
    ),
    (&["pins:write"], CheckOutcome::Doubtful, "cards are not pinned"),
    (&["bookmarks:write"], CheckOutcome::Doubtful, "rooms have no runbook"),
    (&["users:read"], CheckOutcome::Doubtful, "people's ids can not be checked"),
    (&["users:read.email"], CheckOutcome::Doubtful, "nobody can be found by e-mail address"),
];

/// Only for display, so every field is optional; the library's own type requires the workspace's address.
#[derive(Deserialize)]
struct BotIdentity {
    #[serde(default)]
    team: String,
    #[serde(default)]
    user: String,
}

impl SlackChannel {
    /// Calls `auth.test`, which pages nobody.
    pub(super) async fn look(&self) -> Vec<ProbeCheck> {
        match self.web.ask::<BotIdentity>("auth.test", &()).await {
            Ok(said) => {
                let detail = format!("{} in {}", said.it.user, said.it.team);
                let clock = said.date.as_deref().and_then(ProbeCheck::clock);
                [ProbeCheck::fine("login", detail), scopes(said.scopes.as_deref())].into_iter().chain(clock).collect()
            }
            Err(refusal) => vec![refused(refusal)],
        }
    }
}

fn refused(refusal: SlackRefusal) -> ProbeCheck {
    let throttled = matches!(refusal, SlackRefusal::Throttled(_));
    let detail = refusal.into_send_error().to_string();
    if throttled { ProbeCheck::doubtful("login", detail) } else { ProbeCheck::failed("login", detail) }
}

fn scopes(granted: Option<&str>) -> ProbeCheck {
    let Some(granted) = granted else {
        return ProbeCheck::doubtful("scopes", "Slack does not say which scopes the token has");
    };
    let granted: Vec<&str> = granted.split(',').map(str::trim).collect();
    let lacking = SCOPES.iter().flat_map(|(scopes, outcome, loss)| {
        let missing = scopes.iter().filter(|scope| !granted.contains(scope));
        missing.map(move |scope| (*outcome, format!("without {scope} {loss}")))
    });
    let (outcomes, losses): (Vec<CheckOutcome>, Vec<String>) = lacking.unzip();
    let outcome = outcomes.into_iter().max().unwrap_or(CheckOutcome::Fine);
    let detail = if losses.is_empty() { "all that are needed".to_owned() } else { losses.join("; ") };
    ProbeCheck { what: "scopes", outcome, detail }
}
