//! What all bodies that are being read may hold together: many large ones at once must not take the memory of the daemon,
//! and nobody may take what is kept for others.

use super::problem::ProblemDetails;
use axum::http::StatusCode;
use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

/// Who sends a body, as far as this is known before it is read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum BodySender {
    /// A person, whose credential was seen; and the control socket.
    Person,
    /// This source, whose credential was seen.
    Source(String),
    /// Anybody who says to be this one: the credential is in the body, or of the body.
    Unproven(String),
    /// Anybody who says to be the provider of this channel.
    Provider(String),
}

impl BodySender {
    /// What its bodies may hold, and those of all of its kind together, in bytes. What one kind has no other can take.
    pub const fn limits(&self) -> (usize, usize) {
        const MIB: usize = 1 << 20;
        match self {
            Self::Person => (32 * MIB, 32 * MIB),
            Self::Source(_) => (64 * MIB, 128 * MIB),
            Self::Unproven(_) => (16 * MIB, 64 * MIB),
            Self::Provider(_) => (8 * MIB, 32 * MIB),
        }
    }
}

/// What is held now, by sender.
pub struct BodyBudget(Mutex<BTreeMap<BodySender, usize>>);

impl BodyBudget {
    /// Nothing is held.
    pub const fn new() -> Self {
        Self(Mutex::new(BTreeMap::new()))
    }

    /// A body of this sender that is about to be read.
    pub fn share(&'static self, sender: BodySender) -> BodyShare {
        BodyShare { budget: self, sender, bytes: Vec::new() }
    }

    fn take(&self, sender: &BodySender, bytes: usize) -> bool {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (own_max, all_max) = sender.limits();
        let own = held.get(sender).copied().unwrap_or_default() + bytes;
        let of_kind =
            |(other, _): &(&BodySender, &usize)| std::mem::discriminant(*other) == std::mem::discriminant(sender);
        let all = held.iter().filter(of_kind).map(|(_, held)| held).sum::<usize>() + bytes;
        let fits = own <= own_max && all <= all_max;
        if fits {
            held.insert(sender.clone(), own);
        }
        fits
    }

    fn give_back(&self, sender: &BodySender, bytes: usize) {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(own) = held.get_mut(sender) {
            *own = own.saturating_sub(bytes);
            if *own == 0 {
                held.remove(sender);
            }
        }
    }
}

/// What one body holds; it is given back when this is dropped.
pub struct BodyShare {
    budget: &'static BodyBudget,
    sender: BodySender,
    bytes: Vec<u8>,
}

impl BodyShare {
    /// How many bytes it has.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Adds what has arrived.
    ///
    /// # Errors
    /// `503` where there is no room for it; what was read before is kept until this is dropped.
    pub fn push(&mut self, part: &[u8]) -> Result<(), ProblemDetails> {
        if !self.budget.take(&self.sender, part.len()) {
            let why = "nothing was kept, send it again: too many large bodies are being read, send less at once";
            return Err(ProblemDetails::new(StatusCode::SERVICE_UNAVAILABLE, why));
        }
        self.bytes.extend_from_slice(part);
        Ok(())
    }
}

impl AsRef<[u8]> for BodyShare {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for BodyShare {
    fn drop(&mut self) {
        self.budget.give_back(&self.sender, self.bytes.len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: usize = 1 << 20;

    /// Counted, not held: a test needs no such memory.
    fn fill(budget: &BodyBudget, sender: &BodySender) {
        (0..sender.limits().0 / MIB).for_each(|_| assert!(budget.take(sender, MIB), "{sender:?}"));
    }

    #[test]
    fn no_sender_holds_more_than_its_part_and_no_kind_what_others_need() {
        static BUDGET: BodyBudget = BodyBudget::new();
        let named: [fn(String) -> BodySender; 3] = [BodySender::Source, BodySender::Unproven, BodySender::Provider];
        for (n, of) in named.iter().enumerate() {
            let sender = |name: &str| of(name.to_owned());
            let (own, all) = sender("").limits();
            fill(&BUDGET, &sender("a"));
            let refused = BUDGET.share(sender("a")).push(b"x").expect_err("it holds all it may");
            assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
            (1..all / own).for_each(|other| fill(&BUDGET, &sender(&other.to_string())));
            assert!(BUDGET.share(sender("d")).push(b"x").is_err(), "all of them together hold what they may");
            for other in &named[n + 1..] {
                assert!(BUDGET.share(other("a".to_owned())).push(b"x").is_ok(), "another kind is read");
            }
            assert!(BUDGET.share(BodySender::Person).push(b"x").is_ok(), "an answer is read");
            BUDGET.give_back(&sender("a"), own);
            let mut share = BUDGET.share(sender("d"));
            assert!(share.push(b"x").is_ok());
            assert!(BUDGET.take(&sender("a"), own - 1));
            drop(share);
            assert!(BUDGET.take(&sender("a"), 1), "what is dropped is given back");
        }
    }
}
