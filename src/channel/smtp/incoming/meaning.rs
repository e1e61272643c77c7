//! What a mail means.

use crate::text::reply::Reply;

/// What a mail means.
#[derive(Debug, PartialEq, Eq)]
pub enum MailMeaning {
    /// A human's words.
    Said(Reply),
    /// A machine says that its human is away (RFC 3834 and what came before it).
    Away,
    /// It did not arrive (RFC 3464, RFC 6533, or in a server's own words): the enhanced status code, where it is said.
    Bounced(String),
    /// A machine's words that change nothing: a list's, a delay, a read receipt.
    Nothing,
}
