//! What waits for the writer and is done in one turn.

use super::{StoreError, WriterRequest, runs::SingleRow};
use crate::{
    core::{IncidentId, StoredLine},
    store::{CommittedEvents, RequestClass, StoreRequest},
};
use tokio::sync::oneshot;

/// A work and who waits for it.
pub struct BatchJob {
    /// The work.
    pub work: StoreRequest,
    /// Whom to tell.
    pub reply: oneshot::Sender<Result<CommittedEvents, StoreError>>,
    /// What its last run made happen.
    pub result: CommittedEvents,
}

type AnchorReply = oneshot::Sender<Result<Option<StoredLine>, StoreError>>;

/// What is done in one turn.
#[derive(Default)]
pub struct WriteBatch {
    /// Works.
    pub jobs: Vec<BatchJob>,
    /// Who wants an anchor: one serves all.
    pub anchors: Vec<AnchorReply>,
    /// Who waits for the clock's anchor to be kept.
    pub leases: Vec<oneshot::Sender<()>>,
    /// Incidents that a reader could not read, and who waits until they were looked at.
    pub suspects: Vec<(Vec<IncidentId>, oneshot::Sender<()>)>,
    /// Rows that are kept by themselves.
    pub notes: Vec<(SingleRow, oneshot::Sender<Result<(), StoreError>>)>,
    /// Whom to tell when all is done and closed.
    pub close: Option<oneshot::Sender<()>>,
}

impl WriteBatch {
    /// Takes one more.
    pub fn add(&mut self, want: WriterRequest) {
        match want {
            WriterRequest::Run(work, reply) => {
                self.jobs.push(BatchJob { work, reply, result: CommittedEvents::default() })
            }
            WriterRequest::Anchor(reply) => self.anchors.push(reply),
            WriterRequest::KeepClock(reply) => self.leases.push(reply),
            WriterRequest::Suspect(ids, reply) => self.suspects.push((ids, reply)),
            WriterRequest::Note(note, reply) => self.notes.push((note, reply)),
            WriterRequest::Close(reply) => self.close = Some(reply),
        }
    }

    /// How many are in it.
    pub fn len(&self) -> usize {
        let works = self.jobs.len() + self.anchors.len() + self.leases.len();
        works + self.suspects.len() + self.notes.len() + usize::from(self.close.is_some())
    }

    /// Whether nothing in it touches the disk.
    pub fn is_empty(&self) -> bool {
        self.jobs.is_empty() && self.anchors.is_empty() && self.leases.is_empty()
    }

    /// Answers the works of this class with an error and takes them out.
    pub fn refuse(&mut self, class: RequestClass, error: &StoreError) {
        self.refuse_where(error, |work| work.class == class);
    }

    /// The same for the works that `which` names.
    pub fn refuse_where(&mut self, error: &StoreError, which: impl Fn(&StoreRequest) -> bool) {
        for job in self.jobs.extract_if(.., |job| which(&job.work)) {
            let _ = job.reply.send(Err(error.clone()));
        }
    }

    /// Takes out the works that made something happen to this incident, or asked for it.
    pub fn take_touching(&mut self, id: IncidentId) -> Vec<BatchJob> {
        let touches = |job: &BatchJob| {
            job.work.needs.incidents.contains(&id) || job.result.events.iter().any(|happened| happened.incident == id)
        };
        self.jobs.extract_if(.., |job| touches(job)).collect()
    }

    /// Two smaller ones with the same works in the same order, so that what is refused of one harms no other; none for
    /// what can not be divided.
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

    /// Everything was kept.
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

    /// Nothing was kept. A lease needs no disk: the directory's lock is the lease.
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
