//! Slack's buttons and commands. By HTTP they come through the route of all providers, over a socket they come to
//! [`sockets`]. Both are judged by one function and by nothing else.

mod handler;
mod orders;
pub(super) mod sockets;

pub(super) use crate::http::slack::handler::take;
