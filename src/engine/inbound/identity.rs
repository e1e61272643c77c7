//! Checks what outsiders name a page by: codes, links, tokens, marks. Each is derived from the incident's nonce, which
//! one lookup by the incident's number finds.

use crate::{
    core::{IncidentId, PageId, PageIdentity},
    engine::{
        inbound::Inbound,
        keys::{named_in_link, same},
    },
    store::StoreError,
};
use secrecy::ExposeSecret;

impl Inbound {
    /// The page that the token of an answer link stands for; `None` if the token is not ours.
    pub async fn page_of_link(&self, token: &str) -> Result<Option<PageId>, StoreError> {
        let Some(page) = named_in_link(token) else { return Ok(None) };
        Ok(self.is_ours(page, |page| self.context.keys.is_link_token(page, token)).await?.then_some(page))
    }

    /// Whether this is the code of the page.
    pub async fn is_code(&self, page: PageId, code: &str) -> Result<bool, StoreError> {
        self.is_ours(page, |page| self.context.keys.is_code(page, code)).await
    }

    /// Whether this is the token that a report about the page must carry.
    pub async fn is_report_token(&self, page: PageId, token: &str) -> Result<bool, StoreError> {
        self.is_ours(page, |page| same(self.context.keys.report_token(page).expose_secret(), token)).await
    }

    /// Whether this is the token in the message id of the page's mail.
    pub async fn is_mail_token(&self, page: PageId, token: &str) -> Result<bool, StoreError> {
        self.is_ours(page, |page| same(self.context.keys.mail_token(page).expose_secret(), token)).await
    }

    /// Whether this is the incident's mark. It tells an incident from one with the same number before a backup was
    /// restored.
    pub async fn is_mark(&self, id: IncidentId, mark: &str) -> Result<bool, StoreError> {
        let known = self.context.store.identity(id).await?;
        Ok(known.is_some_and(|incident| incident.mark() == mark))
    }

    /// Whether this is the page's mark: the page is the one that was shown, and none that got its number from a restored
    /// backup.
    pub async fn is_page_mark(&self, page: PageId, mark: &str) -> Result<bool, StoreError> {
        self.is_ours(page, |page| page.mark() == mark).await
    }

    async fn is_ours(&self, page: PageId, is: impl FnOnce(PageIdentity) -> bool) -> Result<bool, StoreError> {
        Ok(self.context.store.page_identity(page).await?.is_some_and(is))
    }
}
