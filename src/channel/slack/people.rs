//! People as Slack knows them: ids found by mailbox, and whether an id is somebody who can be reached.

use crate::channel::{
    ContactData, PersonCheck, SendError,
    contact::EMAIL,
    slack::{
        contact::{BY_EMAIL, MEMBER},
        refusal::SlackRefusal,
        send::SlackChannel,
    },
};
use serde::Deserialize;
use slack_morphism::{
    EmailAddress, SlackUserId,
    api::{SlackApiUsersInfoRequest, SlackApiUsersLookupByEmailRequest},
};
use std::{
    collections::BTreeMap,
    sync::{MutexGuard, PoisonError},
};

#[derive(Deserialize)]
struct UserCache {
    user: SlackUser,
}

/// The library's own type for people reads their whole profile, and one field of another form would lose the person.
#[derive(Deserialize)]
struct SlackUser {
    id: SlackUserId,
    #[serde(default)]
    deleted: bool,
    #[serde(default)]
    is_bot: bool,
}

impl SlackChannel {
    /// A person's member id: the one that is given, else the one that Slack has for their mailbox.
    ///
    /// # Errors
    ///
    /// Unreachable when there is neither, or Slack knows nobody with that mailbox.
    pub(super) async fn user_of(&self, contact: &ContactData) -> Result<String, SendError> {
        let email = match contact.demand(MEMBER)? {
            BY_EMAIL => contact.demand(EMAIL)?,
            id => return Ok(id.to_owned()),
        };
        if let Some(id) = self.found().get(email) {
            return Ok(id.clone());
        }
        let user = self.by_email(email).await.map_err(SlackRefusal::into_send_error)?;
        self.found().insert(email.to_owned(), user.id.0.clone());
        Ok(user.id.0)
    }

    /// Looks each person up. Stops at the first throttling or loss of the connection: the rest is left for later.
    pub(super) async fn check_each(&self, people: &[ContactData]) -> Vec<PersonCheck> {
        let mut checks = Vec::new();
        for contact in people {
            let (given, email) = (contact.get(MEMBER), contact.get(EMAIL));
            let id = given.filter(|given| *given != BY_EMAIL);
            let asked = match (id, email) {
                (Some(id), _) => self.by_id(id).await,
                (None, Some(email)) if given.is_some() => self.by_email(email).await,
                (None, _) => continue,
            };
            let check = |id, trouble| PersonCheck { person: contact.person.clone(), id, trouble };
            checks.push(match asked {
                Ok(user) => {
                    if let (None, Some(email)) = (id, email) {
                        self.found().insert(email.to_owned(), user.id.0.clone());
                    }
                    let trouble = if user.deleted {
                        Some("their Slack account is deactivated".to_owned())
                    } else {
                        user.is_bot.then(|| "that Slack account is a bot's".to_owned())
                    };
                    check(Some(user.id.0), trouble)
                }
                Err(refusal) if NOBODY.iter().any(|code| refusal.is(code)) => {
                    let how = id.map_or("their e-mail address".to_owned(), |id| format!("id {id}"));
                    check(None, Some(format!("Slack knows nobody with {how} ({refusal})")))
                }
                // Nothing can be said of this person, and most likely of nobody.
                Err(refusal) => {
                    tracing::debug!(slack.error = %refusal, "people could not be looked up in Slack");
                    return checks;
                }
            });
        }
        checks
    }

    async fn by_email(&self, email: &str) -> Result<SlackUser, SlackRefusal> {
        let request = SlackApiUsersLookupByEmailRequest::new(EmailAddress(email.to_owned()));
        Ok(self.web.ask::<UserCache>("users.lookupByEmail", &request).await?.it.user)
    }

    async fn by_id(&self, id: &str) -> Result<SlackUser, SlackRefusal> {
        let request = SlackApiUsersInfoRequest::new(SlackUserId(id.to_owned()));
        Ok(self.web.ask::<UserCache>("users.info", &request).await?.it.user)
    }

    fn found(&self) -> MutexGuard<'_, BTreeMap<String, String>> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Codes that say that there is no such person. For a mailbox also: deactivated.
const NOBODY: [&str; 4] = ["user_not_found", "users_not_found", "user_not_visible", "invalid_user_id"];
