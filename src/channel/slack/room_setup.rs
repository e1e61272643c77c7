//! Sets up a new war room: topic, purpose, runbook, a pinned card, and the people on call.

use crate::{
    channel::{
        ContactData, Message, SendError,
        slack::{
            blocks::SlackPost,
            refusal::{InviteFailure, SlackRefusal, each_of},
            room::{OkResponse, pin},
            send::{SlackChannel, SlackTarget},
            text::{cut, one_line},
        },
    },
    core::{PageId, SendReceipt},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use slack_morphism::{
    SlackChannelId,
    api::{SlackApiConversationsSetPurposeRequest, SlackApiConversationsSetTopicRequest},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{MutexGuard, PoisonError},
};

/// Slack's limit for a topic and for a purpose, in characters.
const TOPIC_CHARS: usize = 250;

/// Slack's limit of people for one invitation.
const INVITED_AT_ONCE: usize = 100;

/// The largest number of people who are named in the room if they could not be invited; the others are counted.
const NAMED_MAX: usize = 20;

/// The library does not support bookmarks.
#[derive(Serialize)]
struct RoomBookmark<'a> {
    channel_id: &'a str,
    title: &'a str,
    #[serde(rename = "type")]
    kind: &'a str,
    link: &'a str,
}

/// Has `force`, without which one bad id fails the whole batch, and the ids in one string, as Slack documents; the
/// library's own request has neither.
#[derive(Serialize)]
struct InviteRequest<'a> {
    channel: &'a str,
    users: String,
    force: bool,
}

#[derive(Deserialize)]
struct InviteResponse {
    #[serde(default)]
    errors: Value,
}

impl SlackChannel {
    /// Sets topic, purpose, runbook and pin. Steps without permission are skipped with a log line; steps that hit a
    /// rate limit are tried again, and finished steps are not repeated.
    pub(super) async fn set_up_room(
        &self,
        message: &Message,
        room: &str,
        card: Option<&str>,
    ) -> Result<SendReceipt, SendError> {
        let topic = one_line(&message.stamped(&message.text.headline), TOPIC_CHARS);
        let state = message.room.as_ref();
        let purpose = one_line(&message.stamped(state.map_or("", |state| &state.purpose)), TOPIC_CHARS);
        let runbook = state.and_then(|state| state.runbook.as_deref());
        let page = message.page;
        let channel = || SlackChannelId(room.to_owned());
        let set = SlackApiConversationsSetTopicRequest::new(channel(), topic);
        self.give(page, "topic", "conversations.setTopic", &set).await?;
        let set = SlackApiConversationsSetPurposeRequest::new(channel(), purpose);
        self.give(page, "purpose", "conversations.setPurpose", &set).await?;
        if let Some(link) = runbook {
            let bookmark = RoomBookmark { channel_id: room, title: "Runbook", kind: "link", link };
            self.give(page, "runbook", "bookmarks.add", &bookmark).await?;
        }
        if let Some(timestamp) = card {
            self.give(page, "pinned card", "pins.add", &pin(room, timestamp)).await?;
        }
        self.half_furnished().remove(&page);
        Ok(SendReceipt::of("furnished"))
    }

    async fn give(
        &self,
        page: PageId,
        what: &'static str,
        method: &str,
        request: &impl Serialize,
    ) -> Result<(), SendError> {
        if self.half_furnished().get(&page).is_some_and(|given| given.contains(what)) {
            return Ok(());
        }
        match self.web.call::<OkResponse>(method, request).await {
            Err(refusal @ (SlackRefusal::Throttled(_) | SlackRefusal::NoConnection(_) | SlackRefusal::Status(_))) => {
                return Err(refusal.into_send_error());
            }
            Err(refusal) if !refusal.is("already_pinned") => {
                tracing::warn!(%page, slack.error = %refusal, "the war room of {} has no {what}", page.incident);
            }
            _ => {}
        }
        self.half_furnished().entry(page).or_default().insert(what);
        Ok(())
    }

    /// Invites people, a hundred at a time. People who could not be invited are named in the room.
    pub(super) async fn invite(
        &self,
        room: &str,
        card: Option<&str>,
        people: &[ContactData],
    ) -> Result<SendReceipt, SendError> {
        let (mut by_id, mut failed) = (BTreeMap::new(), Vec::new());
        for contact in people {
            match self.user_of(contact).await {
                Ok(id) => drop(by_id.insert(id, contact)),
                Err(SendError::Retry { after, why, unknown }) => return Err(SendError::Retry { after, why, unknown }),
                Err(error) => failed.push((contact.name.clone(), error.to_string())),
            }
        }
        let ids: Vec<&String> = by_id.keys().collect();
        for batch in ids.chunks(INVITED_AT_ONCE) {
            for each in self.invite_batch(room, batch).await.map_err(SlackRefusal::into_send_error)? {
                let name = by_id.get(&each.user).map_or(each.user.clone(), |contact| contact.name.clone());
                failed.push((name, each.error));
            }
        }
        if !failed.is_empty() {
            self.name_the_missing(room, card, &failed).await;
        }
        let count = people.len() - failed.len().min(people.len());
        Ok(SendReceipt::of(format!("{count} invited")))
    }

    /// Invites one batch and returns who could not be invited, and why. Only failures that are worth a retry are
    /// errors.
    async fn invite_batch(&self, room: &str, batch: &[&String]) -> Result<Vec<InviteFailure>, SlackRefusal> {
        let users = batch.iter().map(|id| id.as_str()).collect::<Vec<_>>().join(",");
        let invite = InviteRequest { channel: room, users, force: true };
        let each = match self.web.call::<InviteResponse>("conversations.invite", &invite).await {
            Ok(invited) => each_of(invited.errors),
            Err(SlackRefusal::Code { each, .. }) if !each.is_empty() => each,
            Err(refusal) if THERE_ALREADY.iter().any(|code| refusal.is(code)) => Vec::new(),
            Err(SlackRefusal::Code { code, .. }) => {
                let all = |id: &&String| InviteFailure { user: (*id).clone(), error: code.clone() };
                batch.iter().map(all).collect()
            }
            Err(refusal) => return Err(refusal),
        };
        Ok(each.into_iter().filter(|each| !THERE_ALREADY.contains(&each.error.as_str())).collect())
    }

    /// Names them in the room. An error is ignored, because they were paged by other channels.
    async fn name_the_missing(&self, room: &str, card: Option<&str>, failed: &[(String, String)]) {
        let named: Vec<String> = failed.iter().take(NAMED_MAX).map(|(name, why)| format!("{name} ({why})")).collect();
        let rest = failed.len() - named.len();
        let more = if rest == 0 { String::new() } else { format!(" and {rest} more") };
        let plain =
            cut(&format!("Not in this room, since they could not be invited: {}{more}", named.join(", ")), 3000);
        let place = card.map_or(SlackTarget::End, |of| SlackTarget::Thread { of, broadcast: true });
        let post = SlackPost { text: plain.clone(), blocks: None, plain };
        if let Err(refusal) = self.post(room, place, post).await {
            tracing::warn!(slack.error = %refusal, "the room could not be told who was not invited");
        }
    }

    fn half_furnished(&self) -> MutexGuard<'_, BTreeMap<PageId, BTreeSet<&'static str>>> {
        self.half_furnished.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Codes that mean that the person is already in the room.
const THERE_ALREADY: [&str; 2] = ["already_in_channel", "cant_invite_self"];
