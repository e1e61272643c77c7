//! Parses large bodies on threads of their own, so that a batch of alerts delays no answer and no page.

use crate::http::problem::ProblemDetails;
use axum::{body::Bytes, http::StatusCode};
use tokio::{sync::Semaphore, task::spawn_blocking};

/// The largest body that is parsed on the runtime's own threads, in bytes: a few milliseconds.
const HERE_MAX: usize = 256 * 1024;

/// How many larger ones are parsed at the same time; the others wait.
const APART_MAX: usize = 2;

static APART: Semaphore = Semaphore::const_new(APART_MAX);

/// What `parse` makes of a body.
///
/// # Errors
/// `500` if it panicked on a thread of its own.
pub async fn parsed<T: Send + 'static>(
    bytes: Bytes,
    parse: impl FnOnce(&[u8]) -> T + Send + 'static,
) -> Result<T, ProblemDetails> {
    if bytes.len() <= HERE_MAX {
        return Ok(parse(&bytes));
    }
    parsed_apart(bytes, parse).await
}

/// The same for what may take long whatever the size of the body.
///
/// # Errors
/// `500` if it panicked.
pub async fn parsed_apart<T: Send + 'static>(
    bytes: Bytes,
    parse: impl FnOnce(&[u8]) -> T + Send + 'static,
) -> Result<T, ProblemDetails> {
    let turn = APART.acquire().await;
    let parsed = spawn_blocking(move || parse(&bytes)).await;
    drop(turn);
    parsed.map_err(|error| {
        tracing::error!(%error, "parsing a body panicked, which is a bug");
        ProblemDetails::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "the body could not be parsed, which is a bug: nothing was kept",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{sync::mpsc, time::Duration};

    /// The runtime has one thread here: a parser on it would wait for ever for somebody else.
    #[tokio::test]
    async fn a_large_body_is_parsed_off_the_runtime_and_a_small_one_on_it() {
        let (others, waits) = mpsc::channel();
        let large = Bytes::from(vec![b' '; HERE_MAX + 1]);
        let work = parsed(large, move |bytes| (bytes.len(), waits.recv_timeout(Duration::from_secs(5)).is_ok()));
        let other = async { others.send(()).expect("it works") };
        let (found, ()) = tokio::join!(work, other);
        assert!(found.is_ok_and(|found| found == (HERE_MAX + 1, true)), "nobody else went on");
        let here = std::thread::current().id();
        let small = parsed(Bytes::from_static(b"[]"), move |_| std::thread::current().id() == here).await;
        assert!(small.is_ok_and(|here| here));
    }
}
