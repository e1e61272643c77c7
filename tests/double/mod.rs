//! Stand-ins for the services at the other end of the channels, on loopback, with faults to order.

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

/// A server that ends with its owner.
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

/// A free port of loopback, listening.
pub async fn listen() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

/// A port of loopback where nobody listens.
pub async fn nobody() -> SocketAddr {
    listen().await.1
}

/// The clients' TLS provider; once a process.
pub fn install_tls() {
    // An error says that another test was first.
    let _ = rustls::crypto::ring::default_provider().install_default();
}
