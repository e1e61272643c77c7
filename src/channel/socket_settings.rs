//! What a connection needs that we open to a provider, so that it can hand in what people do.

use secrecy::SecretString;

/// How the sockets are opened.
#[derive(Debug, Clone)]
pub struct SocketSettings {
    /// The app-level token (`xapp-`) with the scope `connections:write`.
    pub app_token: SecretString,
    /// Another base for the Web API, for tests and proxies; no slash at the end. Plain HTTP only on this machine.
    pub api_url: Option<String>,
}
