//! The board, which is the same on every desk: it is read once for each commit, however many desks are open.

use crate::{
    core::Incident,
    engine::EngineReader,
    store::{IncidentFilter, StoreError},
};
use std::sync::Arc;
use tokio::sync::Mutex;

/// The largest number of incidents on the board, open ones first; the board says how many it leaves out.
pub const BOARD_MAX: usize = 30;

/// The incidents on the board.
pub struct Board {
    /// First the open ones, each group newest first.
    pub incidents: Vec<Arc<Incident>>,
    /// How many open ones it has no room for.
    pub left_out: usize,
}

/// The board as of the last commit.
#[derive(Default)]
pub struct SharedBoard(Mutex<Option<(u64, Arc<Board>)>>);

impl SharedBoard {
    /// The board now. Of many desks that ask at once, one reads it.
    pub async fn now(&self, reads: &EngineReader) -> Result<Arc<Board>, StoreError> {
        let mut kept = self.0.lock().await;
        // A store counts a commit after it can be read, and before anybody is told of it. What is read after the count
        // was taken is at least as new.
        let commits = *reads.changed().borrow();
        if let Some((_, board)) = kept.as_ref().filter(|(as_of, _)| *as_of == commits) {
            return Ok(board.clone());
        }
        let board = Arc::new(read(reads).await?);
        *kept = Some((commits, board.clone()));
        Ok(board)
    }
}

async fn read(reads: &EngineReader) -> Result<Board, StoreError> {
    let mut incidents = reads.list(IncidentFilter { open_only: true, limit: BOARD_MAX }).await?;
    let left_out = match incidents.len() {
        BOARD_MAX.. => reads.open_count().await?.saturating_sub(incidents.len()),
        _ => 0,
    };
    let recent = reads.list(IncidentFilter { open_only: false, limit: BOARD_MAX }).await?;
    let over = recent.into_iter().filter(|incident| !incident.is_open());
    let room = BOARD_MAX.saturating_sub(incidents.len());
    incidents.extend(over.take(room));
    Ok(Board { incidents, left_out })
}
