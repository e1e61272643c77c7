//! Requests that a provider may send twice: the second one gets the same response as the first.

use crate::http::problem::ProblemDetails;
use axum::http::StatusCode;
use std::{
    collections::{HashMap, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
};

/// The largest number of requests whose response is kept.
const ANSWERED_MAX: usize = 4096;

/// Requests by the part that their provider has signed (its header with a token of the attempt is not signed, so it
/// proves nothing), with the response; `None` while that is in progress.
#[derive(Debug, Default)]
pub struct HandledRequests(Mutex<RequestMemory>);

#[derive(Debug, Default)]
struct RequestMemory {
    answers: HashMap<String, Option<String>>,
    order: VecDeque<String>,
}

/// A request that was received for the first time. If it is dropped without a response it is forgotten, so that the
/// next attempt is the first.
struct FirstRequest<'a> {
    answered: &'a HandledRequests,
    key: String,
    done: bool,
}

impl HandledRequests {
    /// The response to this request; computed by `answer` if it is the first. If the first one is still in progress,
    /// the provider is asked to retry: what is not durable yet is not acknowledged.
    pub async fn once(
        &self,
        key: String,
        answer: impl AsyncFnOnce() -> Result<String, ProblemDetails>,
    ) -> Result<String, ProblemDetails> {
        if key.is_empty() {
            return answer().await;
        }
        if let Some(known) = self.begin(&key) {
            let busy =
                || ProblemDetails::new(StatusCode::SERVICE_UNAVAILABLE, "the same request is already being handled");
            return known.ok_or_else(busy);
        }
        let mut turn = FirstRequest { answered: self, key, done: false };
        let word = answer().await?;
        turn.done = true;
        self.memory().answers.insert(turn.key.clone(), Some(word.clone()));
        Ok(word)
    }

    /// Registers a request; returns what is known about it if it is not the first.
    fn begin(&self, key: &str) -> Option<Option<String>> {
        let mut memory = self.memory();
        if let Some(known) = memory.answers.get(key) {
            return Some(known.clone());
        }
        if ANSWERED_MAX <= memory.order.len()
            && let Some(oldest) = memory.order.pop_front()
        {
            memory.answers.remove(&oldest);
        }
        memory.order.push_back(key.to_owned());
        memory.answers.insert(key.to_owned(), None);
        None
    }

    fn memory(&self) -> MutexGuard<'_, RequestMemory> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for FirstRequest<'_> {
    fn drop(&mut self) {
        if !self.done {
            let mut memory = self.answered.memory();
            memory.answers.remove(&self.key);
            memory.order.retain(|key| *key != self.key);
        }
    }
}
