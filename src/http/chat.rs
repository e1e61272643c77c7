//! What people do in chats, whatever kind of chat it is and whichever way it came: by a provider's request, or over a
//! connection that we keep open.

mod commands;
mod forms;
mod judge;
mod press;

pub(super) use judge::ChannelChat;
