//! Which events change a request, and what the system that asked is told of them.

use super::{event::Event, handoff::HandoffStep, handoff::HandoffVerdict, incident::Incident, page::SystemNotice};

/// What this event means for the request of its incident, which is as it was after it; `None` if it changes no request.
/// How a conversation ends is the end of its request.
pub fn request_notice(event: &Event, incident: &Incident) -> Option<SystemNotice> {
    let request = incident.request.as_deref()?;
    let taken = request.handoff.as_ref().map(|handoff| &handoff.taken);
    match event {
        Event::Engaged { person, .. } => {
            let has_it = taken?.as_ref().is_some_and(|taken| taken.person == *person && taken.connected_at.is_none());
            has_it.then_some(SystemNotice::HandoffAssigned)
        }
        Event::HandoffMoved(moved) if moved.verdict == HandoffVerdict::Done && moved.step == HandoffStep::Connect => {
            Some(SystemNotice::HandoffConnected)
        }
        Event::HandedBack { .. } => taken?.is_none().then_some(SystemNotice::HandoffPassedOn),
        Event::Opened(opening) if opening.ask.is_some() => Some(SystemNotice::RequestOpened),
        Event::Chosen { verdict, .. } if verdict.counts() => Some(SystemNotice::RequestChosen),
        Event::RequestEnded { .. } => Some(SystemNotice::RequestEnded),
        _ => None,
    }
}
