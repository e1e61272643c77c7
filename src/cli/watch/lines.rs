//! Reads lines, each of a bounded length.

use super::{
    counts::LineCounts,
    line::{LineFormat, ReadLine},
};
use crate::{cli::table::warn, core::printable::excerpt};
use std::{io, sync::Arc};
use tokio::{
    io::{AsyncBufRead, AsyncBufReadExt},
    sync::{OwnedSemaphorePermit, Semaphore, mpsc::Sender},
};

/// The most bytes of lines that wait to be sent.
const BYTES_WAITING_MAX: usize = 64 << 20;

/// A line that waits to be sent, as the JSON of its alert.
pub struct WaitingLine {
    pub alert: String,
    /// Its room among those that wait; it is free once the line is sent.
    _room: Option<OwnedSemaphorePermit>,
}

/// The most lines that are named of those that can not be read.
const NAMED_MAX: u64 = 10;

/// The most characters of such a line that are shown.
const SHOWN_MAX: usize = 120;

/// Reads to the end, and hands the alerts over.
pub async fn read(
    mut input: impl AsyncBufRead + Unpin,
    format: &LineFormat,
    waiting: &Sender<WaitingLine>,
    counts: &mut LineCounts,
) -> io::Result<()> {
    let room = Arc::new(Semaphore::new(BYTES_WAITING_MAX));
    let (most, is_cut) = format.longest();
    while let Some((line, bytes)) = next(&mut input, most).await? {
        counts.read += 1;
        let read = match most < bytes && !is_cut {
            true => ReadLine::Unreadable(format!("it has {bytes} bytes, more than the {most} that an alert may have")),
            false => format.read(&line),
        };
        match read {
            ReadLine::Alert(alert) => {
                let alert = alert.to_string();
                let most = alert.len().min(BYTES_WAITING_MAX);
                let room = room.clone().acquire_many_owned(u32::try_from(most).unwrap_or(u32::MAX)).await.ok();
                if waiting.send(WaitingLine { alert, _room: room }).await.is_err() {
                    return Ok(());
                }
            }
            ReadLine::Other => counts.other += 1,
            ReadLine::Unreadable(why) => {
                counts.unreadable += 1;
                if counts.unreadable <= NAMED_MAX {
                    let line = excerpt(&line, SHOWN_MAX);
                    warn(&format!("stentor: line {} is not sent: {why}: {line}", counts.read));
                }
            }
        }
    }
    Ok(())
}

/// The next line, without its end, and how many bytes it has: at most `most` of them are read. `None` at the end of the input.
async fn next(input: &mut (impl AsyncBufRead + Unpin), most: usize) -> io::Result<Option<(String, usize)>> {
    let (mut line, mut bytes) = (Vec::new(), 0);
    loop {
        let part = input.fill_buf().await?;
        if part.is_empty() {
            let is_end = line.is_empty();
            return Ok((!is_end).then(|| (letters(&line), bytes)));
        }
        let end = part.iter().position(|byte| *byte == b'\n');
        let (taken, used) = end.map_or((part.len(), part.len()), |end| (end, end + 1));
        let room = most.saturating_sub(line.len()).min(taken);
        bytes += taken;
        line.extend_from_slice(&part[..room]);
        input.consume(used);
        if end.is_some() {
            return Ok(Some((letters(&line), bytes)));
        }
    }
}

fn letters(line: &[u8]) -> String {
    String::from_utf8_lossy(line.strip_suffix(b"\r").unwrap_or(line)).into_owned()
}
