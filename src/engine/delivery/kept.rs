//! Keeps the text of a page before it is sent: a crash right after the send leaves the text.

use super::{Delivery, compose::ComposedMessage};
use crate::{
    core::PageId,
    store::{LockSet, RequestClass, StoreError, Transaction, transact},
};
use std::{collections::HashSet, sync::PoisonError, time::Duration};
use tokio::time::timeout;

/// How many hashes of kept texts are remembered; of more, all are forgotten, and kept once more.
const REMEMBERED_MAX: usize = 20_000;

/// How long a page waits for that: it is sent all the same, and its text is kept with its outcome.
const KEEP_TIME_MAX: Duration = Duration::from_secs(1);

/// How often a page is composed anew because its incident changed while its text was being kept.
const COMPOSED_MAX: usize = 3;

impl Delivery {
    /// Like [`Delivery::prepare`]; the text of what it returns is kept. The last look at the incident comes after that.
    pub(super) async fn prepare_kept(&self, page: PageId) -> Result<Option<ComposedMessage>, StoreError> {
        let mut composed = self.prepare(page).await?;
        for _ in 1..COMPOSED_MAX {
            let Some(message) = &composed else { break };
            if self.is_text_kept(&message.hash) {
                break;
            }
            self.keep_text(page, message).await;
            composed = self.prepare(page).await?;
        }
        Ok(composed)
    }

    fn is_text_kept(&self, hash: &str) -> bool {
        self.kept_texts.lock().unwrap_or_else(PoisonError::into_inner).contains(hash)
    }

    /// Also a text that could not be kept is remembered: paging goes on.
    async fn keep_text(&self, page: PageId, composed: &ComposedMessage) {
        let (hash, text) = (composed.hash.clone(), composed.shown.clone());
        let keep = move |tx: &mut Transaction<'_>| tx.keep_text(&hash, &text);
        let kept = transact(&*self.context.store, RequestClass::Ladder, LockSet::default(), keep);
        let why = match timeout(KEEP_TIME_MAX, kept).await {
            Ok(Ok(_)) => None,
            Ok(Err(error)) => Some(error.to_string()),
            Err(_) => Some("the store did not answer in time".to_owned()),
        };
        if let Some(why) = why {
            tracing::warn!(page.id = %page, why, "the text of this page is sent before it is kept");
        }
        let mut kept = self.kept_texts.lock().unwrap_or_else(PoisonError::into_inner);
        if REMEMBERED_MAX <= kept.len() {
            *kept = HashSet::new();
        }
        kept.insert(composed.hash.clone());
    }
}
