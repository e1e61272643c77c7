//! Installs the TLS provider of the process. Without it, the first TLS client panics.

/// Makes ring the provider of the process; further calls do nothing.
pub fn init() {
    // An error means that a provider is already installed, which is fine.
    let _ = rustls::crypto::ring::default_provider().install_default();
}
