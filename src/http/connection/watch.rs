//! Tracks the state of a connection, and when it has been in it for too long.
//!
//! Each request is either waiting for us (until its response begins, and between its parts), or its response is
//! *unread* (the peer has not read the last part yet). A connection without requests is *idle*.

use crate::http::connection::limits::ConnectionLimits;
use axum::{body::Bytes, response::Response};
use hyper::{
    body::{Body, Frame, SizeHint},
    rt::Executor,
};
use std::{
    convert::Infallible,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, ready},
};
use tokio::time::{Instant, sleep_until};

tokio::task_local! {
    /// The progress of the request of this HTTP/2 stream's task.
    static STREAM: Arc<RequestProgress>;
}

/// Watches one connection.
#[derive(Clone)]
pub struct ConnectionWatch(Arc<Connection>);

struct Connection {
    limits: ConnectionLimits,
    rest: Mutex<Rest>,
    /// The progress of the current request of HTTP/1, which has only one at a time.
    request: Arc<RequestProgress>,
}

struct Rest {
    under_way: usize,
    /// When it will have been idle for too long, if there is no request.
    until: Instant,
}

/// When the request will have been in one state for too long; `None` if there is no request.
#[derive(Default)]
struct RequestProgress(Mutex<Option<Instant>>);

impl ConnectionWatch {
    /// Starts to watch a new connection.
    pub fn begin(limits: ConnectionLimits) -> Self {
        let rest = Mutex::new(Rest { under_way: 0, until: Instant::now() + limits.first });
        Self(Arc::new(Connection { limits, rest, request: Arc::default() }))
    }

    /// Handles one request and watches its progress.
    pub fn answer<A>(&self, answer: A) -> impl Future<Output = Result<Response<WatchedResponse>, Infallible>> + use<A>
    where
        A: Future<Output = Result<Response, Infallible>>,
    {
        // Counted now, and not when the future is first polled, because the request has been read.
        let under_way = UnderWay::begin(self.0.clone());
        async move {
            let request = STREAM.try_with(Clone::clone).unwrap_or_else(|_| under_way.0.request.clone());
            let ticket = RequestTicket { request, under_way };
            ticket.ours();
            let response = answer.await?;
            Ok(response.map(|body| WatchedResponse { body, left: Bytes::new(), ticket, handed: false }))
        }
    }

    /// Returns when the connection must be closed: true if it was idle for too long.
    pub async fn overdue(&self) -> bool {
        tokio::select! {
            () = self.0.at_rest() => true,
            () = self.0.request.overdue(self.0.limits) => false,
        }
    }
}

impl Connection {
    async fn at_rest(&self) {
        loop {
            let (under_way, until) = {
                let rest = self.rest();
                (rest.under_way, rest.until)
            };
            let now = Instant::now();
            if under_way == 0 && until <= now {
                return;
            }
            // During a request, check again no later than the end of it could matter.
            sleep_until(if under_way == 0 { until } else { now + self.limits.idle }).await;
        }
    }

    fn rest(&self) -> MutexGuard<'_, Rest> {
        self.rest.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl RequestProgress {
    /// Returns when the request has been in one state for too long.
    async fn overdue(&self, limits: ConnectionLimits) {
        loop {
            let (now, until) = (Instant::now(), *self.until());
            if until.is_some_and(|until| until <= now) {
                return;
            }
            // A state that begins from now on can not be overdue earlier.
            sleep_until(until.unwrap_or(now + limits.answer.min(limits.unread))).await;
        }
    }

    fn set(&self, until: Option<Instant>) {
        *self.until() = until;
    }

    fn until(&self) -> MutexGuard<'_, Option<Instant>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Marks its connection as busy until dropped.
struct UnderWay(Arc<Connection>);

impl UnderWay {
    fn begin(connection: Arc<Connection>) -> Self {
        connection.rest().under_way += 1;
        Self(connection)
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        let mut rest = self.0.rest();
        rest.under_way = rest.under_way.saturating_sub(1);
        rest.until = Instant::now() + self.0.limits.idle;
    }
}

/// Tracks one request until dropped.
struct RequestTicket {
    request: Arc<RequestProgress>,
    under_way: UnderWay,
}

impl RequestTicket {
    /// The request waits for us.
    fn ours(&self) {
        self.request.set(Some(Instant::now() + self.under_way.0.limits.answer));
    }

    /// The request waits for the peer.
    fn theirs(&self) {
        self.request.set(Some(Instant::now() + self.under_way.0.limits.unread));
    }
}

impl Drop for RequestTicket {
    fn drop(&mut self) {
        self.request.set(None);
    }
}

/// The body of a response. Its next part is requested when the last one fits into the send buffer, so that a large
/// response is in progress until almost all of it is received.
pub struct WatchedResponse {
    body: axum::body::Body,
    /// The rest of a part that was larger than [`PART_MAX`].
    left: Bytes,
    ticket: RequestTicket,
    handed: bool,
}

/// The largest part that is passed on at once, in bytes.
const PART_MAX: usize = 64 << 10;

impl WatchedResponse {
    fn poll_part(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        if self.left.is_empty() {
            let Some(frame) = ready!(Pin::new(&mut self.body).poll_frame(cx)?) else { return Poll::Ready(None) };
            match frame.into_data() {
                Ok(data) => self.left = data,
                Err(other) => return Poll::Ready(Some(Ok(other))),
            }
        }
        let part = self.left.split_to(self.left.len().min(PART_MAX));
        Poll::Ready(Some(Ok(Frame::data(part))))
    }
}

impl Body for WatchedResponse {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        if std::mem::take(&mut self.handed) {
            self.ticket.ours();
        }
        let part = ready!(self.poll_part(cx));
        self.handed = true;
        self.ticket.theirs();
        Poll::Ready(part)
    }

    fn is_end_stream(&self) -> bool {
        self.left.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let (left, body) = (self.left.len() as u64, self.body.size_hint());
        let mut hint = SizeHint::new();
        hint.set_lower(body.lower().saturating_add(left));
        if let Some(upper) = body.upper() {
            hint.set_upper(upper.saturating_add(left));
        }
        hint
    }
}

/// Runs each stream of an HTTP/2 connection separately: if the peer does not read one, the others must not be closed.
#[derive(Clone, Copy)]
pub struct StreamProgress(pub ConnectionLimits);

impl<F> Executor<F> for StreamProgress
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    #[expect(clippy::disallowed_methods, reason = "a stream is a task, as its connection is")]
    fn execute(&self, stream: F) {
        let (limits, request) = (self.0, Arc::<RequestProgress>::default());
        tokio::spawn(STREAM.scope(request.clone(), async move {
            tokio::select! {
                _ = stream => {}
                // Dropping the future resets the stream.
                () = request.overdue(limits) => {}
            }
        }));
    }
}
