//! What outsiders name a page by: codes, links, tokens, marks. Each is compared with what the incident's own nonce gives, which
//! one look by its number finds.

use super::{
    Engine,
    keys::{named_in_link, same},
};
use crate::{
    core::{IncidentId, PageId, PageIdentity},
    store::StoreError,
};
use secrecy::ExposeSecret;

impl Engine {
    /// The page that a link's token stands for; none where it is none of ours.
    pub async fn page_of_link(&self, token: &str) -> Result<Option<PageId>, StoreError> {
        let Some(page) = named_in_link(token) else { return Ok(None) };
        Ok(self.is_ours(page, |page| self.keys.is_link_token(page, token)).await?.then_some(page))
    }

    /// Whether this is the page's code.
    pub async fn is_code(&self, page: PageId, code: &str) -> Result<bool, StoreError> {
        self.is_ours(page, |page| self.keys.is_code(page, code)).await
    }

    /// Whether a report about this page carries the page's own token.
    pub async fn is_report_token(&self, page: PageId, token: &str) -> Result<bool, StoreError> {
        self.is_ours(page, |page| same(self.keys.report_token(page).expose_secret(), token)).await
    }

    /// Whether a mail that names this page carries the token of the page's own message id.
    pub async fn is_mail_token(&self, page: PageId, token: &str) -> Result<bool, StoreError> {
        self.is_ours(page, |page| same(self.keys.mail_token(page).expose_secret(), token)).await
    }

    /// Whether this is the incident's mark: what names it comes from after the last restored backup.
    pub async fn is_mark(&self, id: IncidentId, mark: &str) -> Result<bool, StoreError> {
        let known = self.store.identity(id).await?;
        Ok(known.is_some_and(|incident| incident.mark() == mark))
    }

    /// Whether this is the page's mark: the page is the one that was shown, and none that got its number from a restored
    /// backup.
    pub async fn is_page_mark(&self, page: PageId, mark: &str) -> Result<bool, StoreError> {
        self.is_ours(page, |page| page.mark() == mark).await
    }

    async fn is_ours(&self, page: PageId, is: impl FnOnce(PageIdentity) -> bool) -> Result<bool, StoreError> {
        Ok(self.store.page_identity(page).await?.is_some_and(is))
    }
}
