//! Requests that wait for the writer, and who goes first: ladders before new alerts, and one source not before another.

use super::{
    batch::{BatchJob, WriteBatch},
    request::WriterRequest,
};
use crate::{
    core::SourceName,
    store::{CommittedEvents, LockSet, RequestClass},
};
use std::collections::{BTreeMap, VecDeque};
use tokio::sync::mpsc;

/// What the requests of ladders that share a commit may cost (see [`cost`]).
const LADDERS_MAX: usize = 512;

/// What the admissions that share a commit may cost. It bounds how long a ladder, an answer or another source waits.
const ADMISSIONS_MAX: usize = 256;

/// The most requests that are looked at: those behind them wait in their queue, in the order in which they came.
const LOOKED_AT_MAX: usize = 4096;

/// Requests that wait for the writer.
#[derive(Default)]
pub struct WaitingRequests {
    ladders: VecDeque<BatchJob>,
    /// By source; admissions without a source have a queue of their own.
    admissions: BTreeMap<Option<SourceName>, VecDeque<BatchJob>>,
    /// The source whose turn was last.
    last: Option<Option<SourceName>>,
    /// Everything that is no transaction.
    beside: WriteBatch,
    count: usize,
}

impl WaitingRequests {
    /// Waits for a request if there is none, and takes in what has come by then. Whether there is any: the last one has
    /// come when there is not. `pause` lets callers that were just answered hand in their next request.
    pub async fn gather(&mut self, wanted: &mut mpsc::Receiver<WriterRequest>, pause: bool) -> bool {
        if self.count == 0 {
            let Some(first) = wanted.recv().await else { return false };
            self.add(first);
        }
        if pause {
            tokio::task::yield_now().await;
        }
        while self.count < LOOKED_AT_MAX
            && let Ok(next) = wanted.try_recv()
        {
            self.add(next);
        }
        true
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    fn add(&mut self, want: WriterRequest) {
        self.count += 1;
        match want {
            WriterRequest::Run(request, reply) => {
                let job = BatchJob { request, reply, result: CommittedEvents::default() };
                match job.request.class {
                    RequestClass::Ladder => self.ladders.push_back(job),
                    RequestClass::Admission => {
                        let source = job.request.needs.sources.first().cloned();
                        self.admissions.entry(source).or_default().push_back(job);
                    }
                }
            }
            other => self.beside.add(other),
        }
    }

    /// What shares the next commit: ladders first, then the sources in turn. Never empty if something waits.
    pub fn next_batch(&mut self) -> WriteBatch {
        let mut batch = std::mem::take(&mut self.beside);
        let mut spent = 0;
        while spent < LADDERS_MAX
            && let Some(job) = self.ladders.pop_front()
        {
            spent += cost(&job.request.needs);
            batch.jobs.push(job);
        }
        let mut spent = 0;
        while spent < ADMISSIONS_MAX
            && let Some(job) = self.next_admission()
        {
            spent += cost(&job.request.needs);
            batch.jobs.push(job);
        }
        self.count -= batch.len();
        batch
    }

    fn next_admission(&mut self) -> Option<BatchJob> {
        let later = self.last.as_ref().and_then(|last| self.admissions.keys().find(|source| *source > last));
        let source = later.or_else(|| self.admissions.keys().next())?.clone();
        let queue = self.admissions.get_mut(&source)?;
        let job = queue.pop_front();
        if queue.is_empty() {
            self.admissions.remove(&source);
        }
        self.last = Some(source);
        job
    }
}

/// What a transaction costs the writer, roughly: the incidents and keys that it may change.
fn cost(needs: &LockSet) -> usize {
    1 + needs.incidents.len() + needs.keys.len()
}
