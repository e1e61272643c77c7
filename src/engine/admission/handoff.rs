//! Makes of a packet what the journal has of a handoff, and what is kept beside it.

use crate::{
    core::{
        HandoffRules, HandoffTerms, IncidentNonce, Packet,
        canonical::sha256,
        handoff::{OutOfHours, WordingVariant},
    },
    engine::packets::SealedPacket,
};
use std::time::Duration;

/// What the journal has of a handoff, and its encrypted packet. `after` is how long a user waits, `closed` says that
/// nobody is there. `None` if the packet can not be sealed.
pub(super) fn terms(
    packet: &Packet,
    rules: &HandoffRules,
    (after, closed): (Duration, Option<OutOfHours>),
    request: IncidentNonce,
) -> Option<(HandoffTerms, SealedPacket)> {
    let sealed = SealedPacket::of(packet, request)?;
    let terms = HandoffTerms {
        reason: packet.reason.clone(),
        locale: packet.locale().to_owned(),
        variant: rules.variants.then(|| variant(&packet.conversation.id)),
        tier: rules.tier,
        after,
        packet: sealed.hash.clone(),
        closed,
    };
    Some((terms, sealed))
}

/// The same conversation always gets the same wording.
fn variant(conversation: &str) -> WordingVariant {
    // Half of the hexadecimal digits are even as letters.
    let is_even = sha256(conversation.as_bytes()).bytes().last().is_some_and(|digit| digit.is_multiple_of(2));
    if is_even { WordingVariant::A } else { WordingVariant::B }
}
