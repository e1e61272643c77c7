//! Slack's buttons and commands. Over HTTP they come through the route of all providers, over a socket through
//! `sockets`. Both are handled by the same function.

mod handler;
mod orders;
pub(super) mod sockets;

pub(super) use crate::http::slack::handler::take;
