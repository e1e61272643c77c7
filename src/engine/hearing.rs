//! Channels whose provider hands in over links that we open: whether anything is heard there, and since when. One that
//! is deaf still reaches people, so that its pages go on; but their buttons do nothing, which the operators must know.

use super::Engine;
use crate::core::{ChannelName, Timestamp};
use std::{
    collections::BTreeMap,
    sync::{MutexGuard, PoisonError},
    time::Duration,
};

/// How long a channel may be deaf before the operators are told; at once where only people can mend it.
pub const DEAF_MAX: Duration = Duration::from_secs(2 * 60);

/// What is heard by one channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hearing {
    /// The links that are up.
    pub links: usize,
    /// Since when there is one, or none.
    pub since: Timestamp,
    /// Why the last one could not be opened; none once one could.
    pub trouble: Option<String>,
    is_told: bool,
}

/// By channel.
pub(super) type Hearings = BTreeMap<ChannelName, Hearing>;

impl Engine {
    /// What is heard by each channel that has links.
    pub fn hearing(&self) -> BTreeMap<ChannelName, Hearing> {
        self.hearings().clone()
    }

    /// So many links of a channel are up now.
    pub async fn linked(&self, channel: &ChannelName, links: usize) {
        let now = self.store.now();
        let hears_again = {
            let mut hearings = self.hearings();
            let is_new = !hearings.contains_key(channel);
            let hearing = hearings.entry(channel.clone()).or_insert_with(|| Hearing::deaf_at(now));
            let opened = hearing.links < links;
            if (hearing.links == 0) != (links == 0) {
                hearing.since = now;
            }
            hearing.links = links;
            if opened {
                hearing.trouble = None;
            }
            // At the first one too: a daemon before this one may have told the operators.
            opened && (is_new || std::mem::take(&mut hearing.is_told))
        };
        self.count_links(channel);
        if hears_again && let Err(error) = self.report_self_mended(deaf_key(channel)).await {
            tracing::error!(%error, channel = %channel, "the operators could not be told that this channel hears again");
        }
    }

    /// A link of a channel could not be opened. Where `is_lasting`, only people can mend it.
    pub async fn unheard(&self, channel: &ChannelName, why: &str, is_lasting: bool) {
        let now = self.store.now();
        let is_news = {
            let mut hearings = self.hearings();
            let hearing = hearings.entry(channel.clone()).or_insert_with(|| Hearing::deaf_at(now));
            hearing.trouble = Some(why.to_owned());
            let is_deaf = is_lasting || hearing.links == 0 && hearing.since + DEAF_MAX <= now;
            is_deaf && !std::mem::replace(&mut hearing.is_told, true)
        };
        self.count_links(channel);
        if !is_news {
            return;
        }
        tracing::error!(channel = %channel, why, "nothing is heard by this channel: its buttons do nothing");
        let summary = format!("nothing is heard by channel {channel}, its buttons do nothing: {why}");
        if let Err(error) = self.report_self(deaf_key(channel), "channel_deaf", channel, summary).await {
            tracing::error!(%error, channel = %channel, "the operators could not be told that this channel is deaf");
            if let Some(hearing) = self.hearings().get_mut(channel) {
                hearing.is_told = false;
            }
        }
    }

    /// A channel that has no links any more, because the matrix says so.
    pub fn stop_hearing(&self, channel: &ChannelName) {
        self.hearings().remove(channel);
        self.metrics.links(channel, 0, None);
    }

    fn count_links(&self, channel: &ChannelName) {
        if let Some(hearing) = self.hearings().get(channel) {
            self.metrics.links(channel, hearing.links, (0 < hearing.links).then_some(hearing.since));
        }
    }

    fn hearings(&self) -> MutexGuard<'_, Hearings> {
        self.hearings.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Hearing {
    fn deaf_at(now: Timestamp) -> Self {
        Self { links: 0, since: now, trouble: None, is_told: false }
    }
}

fn deaf_key(channel: &ChannelName) -> String {
    format!("channel/{channel}/hearing")
}
