//! A person who is played: their desk, as a browser without scripts uses it.

use crate::{
    cli::{demo::cast::DemoCast, error::CliError},
    core::PersonName,
};
use reqwest::{
    Response,
    header::{COOKIE, SET_COOKIE},
};
use std::time::Duration;
use tokio::time::{sleep, timeout};

/// How long a conversation may take to come into the queue.
const QUEUE_TIME_MAX: Duration = Duration::from_secs(10);

/// How often the queue is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// A person who is signed in at their desk.
pub struct PlayedOfficer {
    http: reqwest::Client,
    base: String,
    cookie: String,
    /// The stream of the open desk page: the desk counts as open while it is here.
    #[expect(dead_code, reason = "held for its drop")]
    open: Response,
}

impl PlayedOfficer {
    /// Signs in by a desk link, and opens the desk.
    pub async fn sign_in(cast: &DemoCast, person: &str) -> Result<Self, CliError> {
        let (http, base) = (cast.app.client.clone(), cast.base.clone());
        let signed_in = http.get(cast.desk_link(&PersonName::from(person))).send().await?;
        let set = signed_in.headers().get(SET_COOKIE).and_then(|cookie| cookie.to_str().ok());
        let cookie = set.and_then(|cookie| cookie.split(';').next()).ok_or("the desk link signs nobody in")?.to_owned();
        let open = http.get(format!("{base}/desk/events")).header(COOKIE, &cookie).send().await?.error_for_status()?;
        Ok(Self { http, base, cookie, open })
    }

    /// A page of the daemon, as the officer sees it.
    pub async fn page(&self, path: &str) -> Result<String, CliError> {
        let request = self.http.get(format!("{}{path}", self.base)).header(COOKIE, &self.cookie);
        Ok(request.send().await?.error_for_status()?.text().await?)
    }

    /// The incidents of the conversations that wait for them.
    pub async fn waiting(&self) -> Result<Vec<String>, CliError> {
        let queue = self.page("/desk/conversations").await?;
        let lines = queue.split("href=\"/desk/conversations/").skip(1);
        Ok(lines.filter_map(|line| line.split('"').next().map(ToOwned::to_owned)).collect())
    }

    /// The next conversation of their queue; how it looks to them.
    pub async fn next(&self) -> Result<(String, String), CliError> {
        let found = async {
            loop {
                if let Some(id) = self.waiting().await?.first() {
                    return Ok::<_, CliError>((id.clone(), self.page(&path(id)).await?));
                }
                sleep(LOOK_EVERY).await;
            }
        };
        timeout(QUEUE_TIME_MAX, found).await.map_err(|_| "no conversation came to the desk")?
    }

    /// Presses a button of a conversation; what the page says then.
    pub async fn press(&self, incident: &str, step: &str, note: &str) -> Result<String, CliError> {
        let page = self.page(&path(incident)).await?;
        let csrf = page.split("name=\"csrf\" value=\"").nth(1).and_then(|rest| rest.split('"').next());
        let fields = [("csrf", csrf.unwrap_or_default()), ("step", step), ("note", note)];
        let request = self.http.post(format!("{}{}", self.base, path(incident))).header(COOKIE, &self.cookie);
        Ok(request.form(&fields).send().await?.error_for_status()?.text().await?)
    }
}

fn path(incident: &str) -> String {
    format!("/desk/conversations/{incident}")
}
