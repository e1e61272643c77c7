//! What all bodies that are being read may hold together: many large ones at once must not take the memory of the daemon.

use super::problem::ProblemDetails;
use axum::http::StatusCode;
use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

/// What all bodies together may hold, in bytes, until what they say is understood.
pub const BODIES_MAX: usize = 256 << 20;

/// What the bodies of one source may hold, in bytes; and those of all that is no source's, such as people's answers.
pub const BODIES_OF_ONE_MAX: usize = 64 << 20;

/// What the bodies of all sources together may hold, in bytes: the rest is for answers.
pub const BODIES_OF_SOURCES_MAX: usize = BODIES_MAX - BODIES_OF_ONE_MAX;

/// What is held now, by source; `""` is what no source sends.
pub struct BodyBudget(Mutex<BTreeMap<String, usize>>);

impl BodyBudget {
    /// Nothing is held.
    pub const fn new() -> Self {
        Self(Mutex::new(BTreeMap::new()))
    }

    /// A body of this source, or of none, that is about to be read.
    pub fn share(&'static self, source: &str) -> BodyShare {
        BodyShare { budget: self, source: source.to_owned(), bytes: Vec::new() }
    }

    fn take(&self, source: &str, bytes: usize) -> bool {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let own = held.get(source).copied().unwrap_or_default() + bytes;
        let all = held.iter().filter(|(source, _)| !source.is_empty()).map(|(_, held)| held).sum::<usize>() + bytes;
        let fits = own <= BODIES_OF_ONE_MAX && (source.is_empty() || all <= BODIES_OF_SOURCES_MAX);
        if fits {
            held.insert(source.to_owned(), own);
        }
        fits
    }

    fn give_back(&self, source: &str, bytes: usize) {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(own) = held.get_mut(source) {
            *own = own.saturating_sub(bytes);
            if *own == 0 {
                held.remove(source);
            }
        }
    }
}

/// What one body holds; it is given back when this is dropped.
pub struct BodyShare {
    budget: &'static BodyBudget,
    source: String,
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
        if !self.budget.take(&self.source, part.len()) {
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
        self.budget.give_back(&self.source, self.bytes.len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PART: usize = 16 << 20;

    /// Counted, not held: a test needs no such memory.
    fn fill(budget: &BodyBudget, source: &str) {
        (0..4).for_each(|_| assert!(budget.take(source, PART), "{source}"));
    }

    #[test]
    fn one_source_holds_no_more_than_its_part_and_all_of_them_leave_room_for_answers() {
        static BUDGET: BodyBudget = BodyBudget::new();
        fill(&BUDGET, "a");
        let refused = BUDGET.share("a").push(b"x").expect_err("it holds all it may");
        assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
        fill(&BUDGET, "b");
        fill(&BUDGET, "c");
        assert!(BUDGET.share("d").push(b"x").is_err(), "all sources together hold what they may");
        assert!(BUDGET.share("").push(b"x").is_ok(), "an answer is read");
        BUDGET.give_back("a", PART);
        let mut share = BUDGET.share("d");
        assert!(share.push(b"x").is_ok());
        assert!(BUDGET.take("a", PART - 1));
        drop(share);
        assert!(BUDGET.take("a", 1), "what is dropped is given back");
    }
}
