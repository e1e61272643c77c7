//! Limits how much work a provider can do: each request takes some time, and only a few are handled at once.

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

    /// Waits for a worker and for its work; this is the provider's processing time.
    pub async fn work(&self) {
        let _worker = self.workers.acquire().await.unwrap();
        tokio::time::sleep(self.takes).await;
    }
}
