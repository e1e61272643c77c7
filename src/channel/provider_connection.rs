//! A connection that a channel opens to its provider to receive what people do, where the provider does not call us.

use super::{ProbeCheck, SettingError, chat::ChatHost};
use futures_util::future::BoxFuture;
use secrecy::SecretString;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// What a connection is opened with. A reload that changes it opens another connection.
#[derive(Debug, Clone)]
pub struct ConnectionSettings {
    /// The secret with which we log in.
    pub secret: SecretString,
    /// Another base URL for the provider's API, for tests and proxies; without a slash at the end. Plain HTTP only on
    /// this machine.
    pub api_url: Option<String>,
}

/// The connection of one channel.
pub trait ProviderConnection: Send + Sync {
    /// What it is opened with.
    fn settings(&self) -> &ConnectionSettings;

    /// Opens it and keeps it open until `stop`, or until the provider says that only a person can open it again.
    /// Returns when all received events have been handled.
    ///
    /// # Errors
    ///
    /// [`SettingError`] if the settings can not be used.
    fn keep(&self, host: Arc<dyn ConnectionHost>, stop: CancellationToken) -> BoxFuture<'_, Result<(), SettingError>>;

    /// Checks whether the provider would let us open it, without opening it; `None` if the probe of the channel itself
    /// shows that.
    fn probe(&self) -> BoxFuture<'_, Option<ProbeCheck>> {
        Box::pin(std::future::ready(None))
    }
}

/// Acts on what a connection brings, and is told its state.
pub trait ConnectionHost: ChatHost {
    /// Reports how many links are up now.
    fn linked(&self, links: usize) -> BoxFuture<'_, ()>;

    /// Reports that a link could not be opened; `is_lasting` if a person must repair it. `why` has no secrets.
    fn failed<'a>(&'a self, why: &'a str, is_lasting: bool) -> BoxFuture<'a, ()>;
}
