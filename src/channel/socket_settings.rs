//! The settings of a connection that we open to a provider to receive what people do.

use secrecy::SecretString;

/// How we receive events from a provider over a connection that we open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConnectionProtocol {
    /// Over WebSockets: Slack's Socket Mode.
    SocketMode,
    /// By long polling: Telegram's `getUpdates`.
    LongPolling,
}

/// The settings of the connection.
#[derive(Debug, Clone)]
pub struct SocketSettings {
    /// The protocol.
    pub protocol: ConnectionProtocol,
    /// Slack: the app-level token (`xapp-`) with the scope `connections:write`. Telegram: the bot's token.
    pub secret: SecretString,
    /// Another base URL for the provider's API, for tests and proxies; without a slash at the end. Plain HTTP only on
    /// this machine.
    pub api_url: Option<String>,
}
