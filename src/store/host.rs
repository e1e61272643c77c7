//! What a transaction asks of the store that runs it. The answers are true for every node over the same store, not
//! for this node alone.

use super::working_set::WorkingSet;
use crate::core::{IncidentId, IncidentNonce};

/// The node that runs a transaction, and what its store alone can say. The closure of a transaction can not wait, so a
/// store has each answer at hand before it runs one.
pub trait TransactionHost {
    /// The node's own number: what its claims of pages name.
    fn epoch(&self) -> u64;

    /// Whether the node with that epoch holds its lease now.
    fn is_live(&self, epoch: u64) -> bool;

    /// Whether the node with that epoch ended with nothing in progress ([`super::Store::leave`]).
    fn has_left(&self, epoch: u64) -> bool;

    /// The number of the next incident: no other transaction is given it, whether on this node or another. A
    /// transaction that fails may leave a gap.
    fn next_id(&self) -> IncidentId;

    /// Draws the secret that tells a new incident from every other one.
    fn draw(&self) -> IncidentNonce;

    /// An open incident that is no drill, of whatever node, with what this transaction has opened and ended so far in
    /// `loaded`. Asked only where the transaction needs it ([`super::LockSet::live_open`]).
    fn live_open(&self, loaded: &WorkingSet) -> Option<IncidentId>;
}
