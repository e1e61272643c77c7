//! Anchors: lines that bind the heads of many chains together.

use super::line::ChainHead;
use crate::core::event::{AnchorEvent, hex};
use std::collections::BTreeMap;

/// The anchor over these heads; none over none.
pub fn anchor_event(unanchored: &BTreeMap<String, ChainHead>) -> Option<AnchorEvent> {
    let heads: Vec<_> = unanchored.iter().map(|(chain, head)| (chain.clone(), head.seq, hex(&head.hash))).collect();
    (!heads.is_empty()).then_some(AnchorEvent::Anchored { heads })
}
