//! Reads lines, each of a bounded length.

use super::{
    counts::LineCounts,
    line::{LineFormat, ReadLine},
};
use crate::{cli::table::warn, core::printable::excerpt};
use serde_json::Value;
use std::io;
use tokio::{
    io::{AsyncBufRead, AsyncBufReadExt},
    sync::mpsc::Sender,
};

/// The longest line, in bytes. What is longer is cut.
const LINE_MAX: usize = 64 * 1024;

/// The most lines that are named of those that can not be read.
const NAMED_MAX: u64 = 10;

/// The most characters of such a line that are shown.
const SHOWN_MAX: usize = 120;

/// Reads to the end, and hands the alerts over.
pub async fn read(
    mut input: impl AsyncBufRead + Unpin,
    format: &LineFormat,
    waiting: &Sender<Value>,
    counts: &mut LineCounts,
) -> io::Result<()> {
    while let Some(line) = next(&mut input).await? {
        counts.read += 1;
        match format.read(&line) {
            ReadLine::Alert(alert) => {
                if waiting.send(alert).await.is_err() {
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

/// The next line, without its end; `None` at the end of the input.
async fn next(input: &mut (impl AsyncBufRead + Unpin)) -> io::Result<Option<String>> {
    let mut line = Vec::new();
    loop {
        let part = input.fill_buf().await?;
        if part.is_empty() {
            let is_end = line.is_empty();
            return Ok((!is_end).then(|| letters(&line)));
        }
        let end = part.iter().position(|byte| *byte == b'\n');
        let (taken, used) = end.map_or((part.len(), part.len()), |end| (end, end + 1));
        let room = LINE_MAX.saturating_sub(line.len()).min(taken);
        line.extend_from_slice(&part[..room]);
        input.consume(used);
        if end.is_some() {
            return Ok(Some(letters(&line)));
        }
    }
}

fn letters(line: &[u8]) -> String {
    String::from_utf8_lossy(line.strip_suffix(b"\r").unwrap_or(line)).into_owned()
}
