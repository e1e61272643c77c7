//! Checks what outsiders name a page by: codes, links, tokens, marks. Each is derived from the incident's nonce, which
//! one lookup by the incident's number finds.

use crate::{
    core::{IncidentId, IncidentStatus, PageId, PageIdentity},
    engine::{
        inbound::{CODE_KEPT, InboundResponses},
        keys::{named_in_link, same},
    },
    store::StoreError,
};
use secrecy::ExposeSecret;

impl InboundResponses {
    /// The page that the token of an answer link stands for; `None` if the token is not ours, if the incident ended
    /// more than [`CODE_KEPT`] ago, or if the person has left the matrix. A link is a key: it ends with its purpose.
    pub async fn page_of_link(&self, token: &str) -> Result<Option<PageId>, StoreError> {
        let Some(page) = named_in_link(token) else { return Ok(None) };
        if !self.is_ours(page, |page| self.context.keys.is_link_token(page, token)).await? {
            return Ok(None);
        }
        let Some(incident) = self.context.store.view(page.incident).await? else { return Ok(None) };
        let is_kept = match incident.status {
            IncidentStatus::Open => true,
            IncidentStatus::Resolved { at, .. } => self.context.store.now() <= at + CODE_KEPT,
        };
        let person = incident.pages.get(&page.n).and_then(|page| page.person.as_ref());
        let is_known = person.is_some_and(|person| self.context.config.load().matrix.people.contains_key(person));
        Ok((is_kept && is_known).then_some(page))
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
