//! The message ids of our own mails: what they name.

use crate::core::PageId;
use mail_parser::HeaderValue;

/// What a message id of ours says.
pub(super) struct MessageIdParts {
    pub page: PageId,
    pub token: String,
    pub site: Option<String>,
}

/// The last message id of ours that a header names.
pub(super) fn named(header: &HeaderValue<'_>) -> Option<MessageIdParts> {
    header.as_text_list()?.iter().rev().find_map(|id| page_of(id))
}

/// `INC-12.3.TOKEN.SITE@example.com`: the incident, the page's number, its token, and the installation's name.
pub(super) fn page_of(id: &str) -> Option<MessageIdParts> {
    let (local, _) = id.trim().trim_start_matches('<').split_once('@')?;
    // Without the incident's prefix, `5.1.1` of a server's words would be a page too.
    let mut parts = local.get(..4).filter(|prefix| prefix.eq_ignore_ascii_case("INC-")).and(Some(local))?.split('.');
    let page = format!("{}.{}", parts.next()?, parts.next()?).parse().ok()?;
    let token = parts.next().filter(|token| !token.is_empty())?.to_owned();
    // The incident's mark, which begins with a letter that no hexadecimal digit is, is for those who thread mails.
    let site = parts.find(|part| !part.is_empty() && !part.starts_with('m')).map(str::to_owned);
    Some(MessageIdParts { page, token, site })
}
