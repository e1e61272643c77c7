//! How much work a provider can do: each request takes a while, and only so many are worked on at once.

use std::{sync::Arc, time::Duration};
use tokio::sync::Semaphore;

/// A provider's workers.
#[derive(Clone)]
pub struct Busy {
    takes: Duration,
    workers: Arc<Semaphore>,
}

impl Busy {
    pub fn new(takes: Duration, at_once: usize) -> Self {
        Self { takes, workers: Arc::new(Semaphore::new(at_once)) }
    }

    /// Waits for a worker and for its work: the provider's own time, and no test's.
    pub async fn work(&self) {
        let _worker = self.workers.acquire().await.unwrap();
        tokio::time::sleep(self.takes).await;
    }
}
