//! The Model Context Protocol: AI agents ask people by tools, over streamable HTTP and over stdio.
//!
//! Two eras of the protocol are served at once: with a handshake (up to 2025-11-25), and without one (2026-07-28). Nothing is
//! kept between two calls: what must survive is the request in the store, and its id is all that an agent needs.

mod arguments;
mod exact;
mod result;
mod server;
mod service;
mod stdio;
mod streamable_http;
mod task;
mod tools;
mod wait;

pub use arguments::KEY_MAX;
pub use server::McpServer;
pub use service::{AvailabilityQuery, RequestService, ServiceFault};
pub use stdio::serve_stdio;
pub use streamable_http::answer;

/// The largest message that is read, in bytes: the largest request, and what the protocol adds.
pub const MESSAGE_MAX: usize = 272 * 1024;
