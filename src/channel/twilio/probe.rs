//! Checks an account without paging anybody: whether the login works, the sender is ours and the clocks agree.

use crate::channel::{
    CheckOutcome, ProbeCheck,
    retry_after::http_date,
    twilio::{
        login::{API, TwilioLogin, TwilioResponse},
        send::SmsSender,
    },
};
use reqwest::Url;
use serde::Deserialize;

/// The difference of the clocks, in seconds, above which it is reported.
const SKEW_S: i64 = 30;

/// The base URL of the API for messaging services.
const MESSAGING: &str = "https://messaging.twilio.com";

#[derive(Deserialize)]
struct FoundAccount {
    status: String,
}

#[derive(Deserialize)]
struct NumberList {
    incoming_phone_numbers: Vec<serde_json::Value>,
}

impl TwilioLogin {
    /// The checks of `stentor doctor` for the account and this sender.
    pub(crate) async fn probe(&self, sender: &SmsSender) -> Vec<ProbeCheck> {
        let url = self.url("").trim_end_matches('/').to_owned() + ".json";
        let answer = match self.ask(|| self.http.get(&url)).await {
            Ok(answer) => answer,
            Err(error) => return vec![ProbeCheck::failed("login", error.to_string())],
        };
        let login = login(&answer);
        let clock = self.clock(&answer);
        if login.outcome == CheckOutcome::Failed {
            return vec![login];
        }
        vec![login, self.sender(sender).await, clock]
    }

    async fn sender(&self, sender: &SmsSender) -> ProbeCheck {
        let url = match sender {
            SmsSender::Service(service) => self.service(service),
            SmsSender::From(from) if from.starts_with('+') => {
                let mut url = Url::parse(&self.url("IncomingPhoneNumbers.json")).unwrap_or_else(|_| self.api.clone());
                url.query_pairs_mut().append_pair("PhoneNumber", from);
                url.to_string()
            }
            SmsSender::From(_) => return ProbeCheck::doubtful("sender", "a short code or a name can not be looked up"),
        };
        match self.ask(|| self.http.get(&url)).await {
            Err(error) => ProbeCheck::doubtful("sender", error.to_string()),
            Ok(answer) => owned(sender, &answer),
        }
    }

    fn service(&self, service: &str) -> String {
        let base = if self.api.as_str().trim_end_matches('/') == API { MESSAGING } else { self.api.as_str() };
        format!("{}/v1/Services/{service}", base.trim_end_matches('/'))
    }

    fn clock(&self, answer: &TwilioResponse) -> ProbeCheck {
        let Some(theirs) = answer.date.as_deref().and_then(http_date) else {
            return ProbeCheck::doubtful("clock", "Twilio's answer has no date");
        };
        let ahead = (self.wall)().as_micros() / 1_000_000 - theirs.and_utc().timestamp();
        let detail = format!("{ahead} s ahead of Twilio's");
        if ahead.abs() <= SKEW_S {
            ProbeCheck::fine("clock", detail)
        } else {
            ProbeCheck::doubtful("clock", detail + ": set this machine's clock")
        }
    }
}

fn login(answer: &TwilioResponse) -> ProbeCheck {
    if answer.status != 200 {
        return ProbeCheck::failed("login", answer.refusal().to_string());
    }
    match serde_json::from_slice::<FoundAccount>(&answer.body) {
        Ok(found) if found.status == "active" => ProbeCheck::fine("login", "the account is active"),
        Ok(found) => ProbeCheck::failed("login", format!("the account is {:?}", found.status)),
        Err(_) => ProbeCheck::failed("login", "the answer is not Twilio's"),
    }
}

fn owned(sender: &SmsSender, answer: &TwilioResponse) -> ProbeCheck {
    match (sender, answer.status) {
        (SmsSender::Service(_), 200) => ProbeCheck::fine("sender", "the messaging service is there"),
        (SmsSender::Service(_), 404) => {
            ProbeCheck::failed("sender", "there is no such messaging service in this account")
        }
        (SmsSender::From(_), 200) => match serde_json::from_slice::<NumberList>(&answer.body) {
            Ok(found) if found.incoming_phone_numbers.is_empty() => {
                ProbeCheck::failed("sender", "`from` is not a number of this account")
            }
            Ok(_) => ProbeCheck::fine("sender", "`from` is a number of this account"),
            Err(_) => ProbeCheck::doubtful("sender", "the answer is not Twilio's"),
        },
        _ => ProbeCheck::doubtful("sender", format!("it could not be looked up: {}", answer.refusal())),
    }
}
