//! People in Slack: looks up ids by mail address, and checks whether an id can be reached.

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

/// The library's own type for people parses the whole profile, and one unexpected field would lose the person.
#[derive(Deserialize)]
struct SlackUser {
    id: SlackUserId,
    #[serde(default)]
    deleted: bool,
    #[serde(default)]
    is_bot: bool,
}

impl SlackChannel {
    /// A person's member id: the configured one, else the one that Slack has for their mail address.
    ///
    /// # Errors
    ///
    /// Unreachable if there is neither, or Slack knows nobody with that mail address.
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

    /// Looks each person up. Stops at the first rate limit or connection failure; the rest is left for later.
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
            let check = |id, problem| PersonCheck { person: contact.person.clone(), id, problem };
            checks.push(match asked {
                Ok(user) => {
                    if let (None, Some(email)) = (id, email) {
                        self.found().insert(email.to_owned(), user.id.0.clone());
                    }
                    let problem = if user.deleted {
                        Some("their Slack account is deactivated".to_owned())
                    } else {
                        user.is_bot.then(|| "that Slack account is a bot's".to_owned())
                    };
                    check(Some(user.id.0), problem)
                }
                Err(refusal) if NOBODY.iter().any(|code| refusal.is(code)) => {
                    let how = id.map_or("their e-mail address".to_owned(), |id| format!("id {id}"));
                    check(None, Some(format!("Slack knows nobody with {how} ({refusal})")))
                }
                // The lookup failed for this person, and most likely would for everybody.
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

/// Codes that mean that there is no such person; for a mail address also that they are deactivated.
const NOBODY: [&str; 4] = ["user_not_found", "users_not_found", "user_not_visible", "invalid_user_id"];
