//! The room that a channel has for an incident.

use super::page::{Page, PagePurpose};
use serde::{Deserialize, Serialize};

/// A room that a channel has for the incident.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WarRoom {
    /// Its id at the channel.
    pub id: String,
    /// The id of its card there, if the channel gives one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub card: Option<String>,
}

impl WarRoom {
    /// The room in a card's receipt. An update has one only if the card had to be posted again.
    pub fn opened_by(page: &Page) -> Option<Self> {
        let is_card = matches!(page.purpose, PagePurpose::RoomCard | PagePurpose::RoomUpdate { .. });
        let receipt = page.receipt.as_ref().filter(|_| is_card)?;
        let card = Some(receipt.id.clone()).filter(|id| !id.is_empty());
        Some(Self { id: receipt.room.clone()?, card })
    }
}
