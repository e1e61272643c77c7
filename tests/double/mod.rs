//! Test doubles of the services at the other end of the channels, on loopback, with configurable faults.

// Each test binary uses the ones that it needs.
#![allow(dead_code, unused_imports)]

pub mod busy;
pub mod fault;
pub mod gateway;
pub mod service;
pub mod slack;
pub mod smtp;
pub mod socket_mode;
pub mod telegram;
pub mod tls;
pub mod twilio;

use axum::Router;
use std::net::SocketAddr;
use tokio::{net::TcpListener, task::AbortHandle};

/// A server that stops when it is dropped.
pub struct Server {
    pub address: SocketAddr,
    task: AbortHandle,
}

impl Server {
    /// Serves on a free port of loopback.
    pub async fn start(router: Router) -> Self {
        let (listener, address) = listen().await;
        let task = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() }).abort_handle();
        Self { address, task }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A listener on a free port of loopback.
pub async fn listen() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

/// A port of loopback where nothing listens.
pub async fn nobody() -> SocketAddr {
    listen().await.1
}

/// Installs the clients' TLS provider, once for each process.
pub fn install_tls() {
    // An error says that another test was first.
    let _ = rustls::crypto::ring::default_provider().install_default();
}
