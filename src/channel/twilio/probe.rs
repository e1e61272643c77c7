//! Looks at an account without paging anybody: does the login work, is the sender ours, do the clocks agree.

use super::{API, Account, Answer, message::Sender};
use crate::channel::{Check, Outcome, retry_after::http_date};
use reqwest::Url;
use serde::Deserialize;

/// How far the clocks may be apart, in seconds, before it is said.
const SKEW_S: i64 = 30;

/// Where messaging services are kept.
const MESSAGING: &str = "https://messaging.twilio.com";

#[derive(Deserialize)]
struct Found {
    status: String,
}

#[derive(Deserialize)]
struct Numbers {
    incoming_phone_numbers: Vec<serde_json::Value>,
}

impl Account {
    /// What `stentor doctor` shows of the account and this sender.
    pub(super) async fn probe(&self, sender: &Sender) -> Vec<Check> {
        let url = self.url("").trim_end_matches('/').to_owned() + ".json";
        let answer = match self.ask(|| self.http.get(&url)).await {
            Ok(answer) => answer,
            Err(error) => return vec![Check::failed("login", error.to_string())],
        };
        let login = login(&answer);
        let clock = self.clock(&answer);
        if login.outcome == Outcome::Failed {
            return vec![login];
        }
        vec![login, self.sender(sender).await, clock]
    }

    async fn sender(&self, sender: &Sender) -> Check {
        let url = match sender {
            Sender::Service(service) => self.service(service),
            Sender::From(from) if from.starts_with('+') => {
                let mut url = Url::parse(&self.url("IncomingPhoneNumbers.json")).unwrap_or_else(|_| self.api.clone());
                url.query_pairs_mut().append_pair("PhoneNumber", from);
                url.to_string()
            }
            Sender::From(_) => return Check::doubtful("sender", "a short code or a name can not be looked up"),
        };
        match self.ask(|| self.http.get(&url)).await {
            Err(error) => Check::doubtful("sender", error.to_string()),
            Ok(answer) => owned(sender, &answer),
        }
    }

    fn service(&self, service: &str) -> String {
        let base = if self.api.as_str().trim_end_matches('/') == API { MESSAGING } else { self.api.as_str() };
        format!("{}/v1/Services/{service}", base.trim_end_matches('/'))
    }

    fn clock(&self, answer: &Answer) -> Check {
        let Some(theirs) = answer.date.as_deref().and_then(http_date) else {
            return Check::doubtful("clock", "Twilio's answer has no date");
        };
        let ahead = (self.wall)().as_micros() / 1_000_000 - theirs.and_utc().timestamp();
        let detail = format!("{ahead} s ahead of Twilio's");
        if ahead.abs() <= SKEW_S {
            Check::fine("clock", detail)
        } else {
            Check::doubtful("clock", detail + ": set this machine's clock")
        }
    }
}

fn login(answer: &Answer) -> Check {
    if answer.status != 200 {
        return Check::failed("login", answer.refusal().to_string());
    }
    match serde_json::from_slice::<Found>(&answer.body) {
        Ok(found) if found.status == "active" => Check::fine("login", "the account is active"),
        Ok(found) => Check::failed("login", format!("the account is {:?}", found.status)),
        Err(_) => Check::failed("login", "the answer is not Twilio's"),
    }
}

fn owned(sender: &Sender, answer: &Answer) -> Check {
    match (sender, answer.status) {
        (Sender::Service(_), 200) => Check::fine("sender", "the messaging service is there"),
        (Sender::Service(_), 404) => Check::failed("sender", "there is no such messaging service in this account"),
        (Sender::From(_), 200) => match serde_json::from_slice::<Numbers>(&answer.body) {
            Ok(found) if found.incoming_phone_numbers.is_empty() => {
                Check::failed("sender", "`from` is not a number of this account")
            }
            Ok(_) => Check::fine("sender", "`from` is a number of this account"),
            Err(_) => Check::doubtful("sender", "the answer is not Twilio's"),
        },
        _ => Check::doubtful("sender", format!("it could not be looked up: {}", answer.refusal())),
    }
}
