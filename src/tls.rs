//! One TLS provider for everybody. Without it the first client that is built panics.

/// Makes ring the process' provider; again does nothing.
pub fn init() {
    // An error means that a provider is installed already: that is what we want.
    let _ = rustls::crypto::ring::default_provider().install_default();
}
