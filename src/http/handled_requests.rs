//! Requests that a provider may hand over twice: the second time is answered as the first.

use crate::http::problem::ProblemDetails;
use axum::http::StatusCode;
use std::{
    collections::{HashMap, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
};

/// Requests whose answer is remembered.
const ANSWERED_MAX: usize = 4096;

/// Requests by what their provider has signed of them (its header with a token of the attempt is not signed, so it proves
/// nothing), with what was answered; none while that is being found out.
#[derive(Debug, Default)]
pub struct HandledRequests(Mutex<RequestMemory>);

#[derive(Debug, Default)]
struct RequestMemory {
    answers: HashMap<String, Option<String>>,
    order: VecDeque<String>,
}

/// A request that has come for the first time. Dropped without an answer it is forgotten: the next try is the first.
struct FirstRequest<'a> {
    answered: &'a HandledRequests,
    key: String,
    done: bool,
}

impl HandledRequests {
    /// What was answered to this request; found out by `answer` where it is the first. One that comes while the first
    /// is still being answered is to come again: what is not durable yet is not acknowledged.
    pub async fn once(
        &self,
        key: String,
        answer: impl AsyncFnOnce() -> Result<String, ProblemDetails>,
    ) -> Result<String, ProblemDetails> {
        if key.is_empty() {
            return answer().await;
        }
        if let Some(known) = self.begin(&key) {
            let busy = || ProblemDetails::new(StatusCode::SERVICE_UNAVAILABLE, "this very request is being answered");
            return known.ok_or_else(busy);
        }
        let mut turn = FirstRequest { answered: self, key, done: false };
        let word = answer().await?;
        turn.done = true;
        self.memory().answers.insert(turn.key.clone(), Some(word.clone()));
        Ok(word)
    }

    /// Notes a request; what is known of it, where it is not the first.
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
