//! Requests that wait for the writer and are done together.

use super::{request::WriterRequest, runs::SingleRow};
use crate::{
    core::{IncidentId, StoredLine},
    store::{CommittedEvents, RequestClass, StoreError, StoreRequest},
};
use tokio::sync::oneshot;

/// One request, and where its caller waits for the answer.
pub struct BatchJob {
    /// What is asked for.
    pub request: StoreRequest,
    /// Where to send the answer.
    pub reply: oneshot::Sender<Result<CommittedEvents, StoreError>>,
    /// The events of its last run.
    pub result: CommittedEvents,
}

type AnchorReply = oneshot::Sender<Result<Option<StoredLine>, StoreError>>;

/// Requests that are done together.
#[derive(Default)]
pub struct WriteBatch {
    /// Requests for transactions.
    pub jobs: Vec<BatchJob>,
    /// Callers that want an anchor; one anchor serves all.
    pub anchors: Vec<AnchorReply>,
    /// Callers that wait until the clock's anchor is stored.
    pub leases: Vec<oneshot::Sender<()>>,
    /// Incidents that a reader could not read, and callers that wait until the writer has checked them.
    pub suspects: Vec<(Vec<IncidentId>, oneshot::Sender<()>)>,
    /// Rows that are written separately.
    pub notes: Vec<(SingleRow, oneshot::Sender<Result<(), StoreError>>)>,
    /// The caller to tell when all is done and closed.
    pub close: Option<oneshot::Sender<()>>,
}

impl WriteBatch {
    /// Adds a request.
    pub fn add(&mut self, want: WriterRequest) {
        match want {
            WriterRequest::Run(request, reply) => {
                self.jobs.push(BatchJob { request, reply, result: CommittedEvents::default() });
            }
            WriterRequest::Anchor(reply) => self.anchors.push(reply),
            WriterRequest::KeepClock(reply) => self.leases.push(reply),
            WriterRequest::Suspect(ids, reply) => self.suspects.push((ids, reply)),
            WriterRequest::Note(note, reply) => self.notes.push((note, reply)),
            WriterRequest::Close(reply) => self.close = Some(reply),
        }
    }

    /// The number of requests.
    pub fn len(&self) -> usize {
        let count = self.jobs.len() + self.anchors.len() + self.leases.len();
        count + self.suspects.len() + self.notes.len() + usize::from(self.close.is_some())
    }

    /// Whether nothing in it needs the disk.
    pub fn is_empty(&self) -> bool {
        self.jobs.is_empty() && self.anchors.is_empty() && self.leases.is_empty()
    }

    /// Answers the requests of this class with an error and removes them.
    pub fn refuse(&mut self, class: RequestClass, error: &StoreError) {
        self.refuse_where(error, |request| request.class == class);
    }

    /// The same for the requests that `which` picks.
    pub fn refuse_where(&mut self, error: &StoreError, which: impl Fn(&StoreRequest) -> bool) {
        for job in self.jobs.extract_if(.., |job| which(&job.request)) {
            let _ = job.reply.send(Err(error.clone()));
        }
    }

    /// Takes out the requests that changed this incident, or named it.
    pub fn take_touching(&mut self, id: IncidentId) -> Vec<BatchJob> {
        let touches = |job: &BatchJob| {
            job.request.needs.incidents.contains(&id)
                || job.result.events.iter().any(|happened| happened.incident == id)
        };
        self.jobs.extract_if(.., |job| touches(job)).collect()
    }

    /// Two smaller batches with the same requests in the same order, so that a refused one harms no other; `None` for a
    /// batch that can not be divided.
    pub fn divide(&mut self) -> Option<Self> {
        let beside = self.anchors.len() + self.leases.len();
        let half = match self.jobs.len() {
            0 => return None,
            1 if beside == 0 => return None,
            1 => 1,
            more => more / 2,
        };
        let jobs = self.jobs.split_off(half);
        let (anchors, leases) = (std::mem::take(&mut self.anchors), std::mem::take(&mut self.leases));
        Some(Self { jobs, anchors, leases, ..Self::default() })
    }

    /// Answers that everything was committed.
    pub fn answer(self, anchor: Option<StoredLine>) {
        for job in self.jobs {
            let _ = job.reply.send(Ok(job.result));
        }
        for reply in self.anchors {
            let _ = reply.send(Ok(anchor.clone()));
        }
        for reply in self.leases {
            let _ = reply.send(());
        }
    }

    /// Answers that nothing was committed. A lease needs no disk: the lock on the directory is the lease.
    pub fn fail(self, error: &StoreError) {
        for job in self.jobs {
            let _ = job.reply.send(Err(error.clone()));
        }
        for reply in self.anchors {
            let _ = reply.send(Err(error.clone()));
        }
        for reply in self.leases {
            let _ = reply.send(());
        }
    }
}
