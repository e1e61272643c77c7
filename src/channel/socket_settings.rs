//! What a connection needs that we open to a provider, so that it can hand in what people do.

use secrecy::SecretString;

/// How a provider hands in over a connection of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConnectionProtocol {
    /// Over WebSockets: Slack's Socket Mode.
    SocketMode,
    /// By answers to requests that wait: Telegram's `getUpdates`.
    LongPolling,
}

/// How the connection is opened.
#[derive(Debug, Clone)]
pub struct SocketSettings {
    /// Which way.
    pub protocol: ConnectionProtocol,
    /// Slack: the app-level token (`xapp-`) with the scope `connections:write`. Telegram: the bot's token.
    pub secret: SecretString,
    /// Another base for the provider's API, for tests and proxies; no slash at the end. Plain HTTP only on this machine.
    pub api_url: Option<String>,
}
