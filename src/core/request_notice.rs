//! Which events change a request, and what the system that asked is told of them.

use super::{event::Event, page::SystemNotice};

/// What this event means for the request of its incident; `None` if it changes no request.
pub fn request_notice(event: &Event) -> Option<SystemNotice> {
    match event {
        Event::Opened(opening) if opening.ask.is_some() => Some(SystemNotice::RequestOpened),
        Event::Chosen { verdict, .. } if verdict.counts() => Some(SystemNotice::RequestChosen),
        Event::RequestEnded { .. } => Some(SystemNotice::RequestEnded),
        _ => None,
    }
}
