//! What a connection is doing, and when it has done it for too long.
//!
//! Each request is *answered* (until its answer begins, and between the parts of it: our part), or its answer is *unread*
//! (a part was handed out and no more was asked for: the peer's part). A connection without any is *at rest*.

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
    /// Of the request that this HTTP/2 stream's task is for.
    static STREAM: Arc<RequestProgress>;
}

/// Watches one connection.
#[derive(Clone)]
pub struct ConnectionWatch(Arc<Connection>);

struct Connection {
    limits: ConnectionLimits,
    rest: Mutex<Rest>,
    /// HTTP/1 has one request at a time, and this is its.
    request: Arc<RequestProgress>,
}

struct Rest {
    under_way: usize,
    /// When it has been at rest for too long, where nothing is under way.
    until: Instant,
}

/// By when a request has been in one state for too long. None while there is none.
#[derive(Default)]
struct RequestProgress(Mutex<Option<Instant>>);

impl ConnectionWatch {
    /// A connection that has just been made.
    pub fn begin(limits: ConnectionLimits) -> Self {
        let rest = Mutex::new(Rest { under_way: 0, until: Instant::now() + limits.first });
        Self(Arc::new(Connection { limits, rest, request: Arc::default() }))
    }

    /// Answers one request and watches over that.
    pub fn answer<A>(&self, answer: A) -> impl Future<Output = Result<Response<WatchedResponse>, Infallible>> + use<A>
    where
        A: Future<Output = Result<Response, Infallible>>,
    {
        // Counted now, and not when the answer is first looked for: what was read is under way.
        let under_way = UnderWay::begin(self.0.clone());
        async move {
            let request = STREAM.try_with(Clone::clone).unwrap_or_else(|_| under_way.0.request.clone());
            let ticket = RequestTicket { request, under_way };
            ticket.ours();
            let response = answer.await?;
            Ok(response.map(|body| WatchedResponse { body, left: Bytes::new(), ticket, handed: false }))
        }
    }

    /// Returns when the connection is to be ended: true where it was at rest for too long.
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
            // While something is under way its end is looked for no later than it could matter.
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
            // Nothing that begins from now on can be overdue before that.
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

/// Keeps its connection from being at rest, until it is dropped.
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

/// One request, until it is dropped.
struct RequestTicket {
    request: Arc<RequestProgress>,
    under_way: UnderWay,
}

impl RequestTicket {
    /// It is for us to go on.
    fn ours(&self) {
        self.request.set(Some(Instant::now() + self.under_way.0.limits.answer));
    }

    /// It is for the peer to go on.
    fn theirs(&self) {
        self.request.set(Some(Instant::now() + self.under_way.0.limits.unread));
    }
}

impl Drop for RequestTicket {
    fn drop(&mut self) {
        self.request.set(None);
    }
}

/// The body of an answer. It is asked for its next part when the last one found room on its way to the peer, so that a
/// large answer is under way until almost all of it is there.
pub struct WatchedResponse {
    body: axum::body::Body,
    /// What is left of a part that was larger than what is handed out at once.
    left: Bytes,
    ticket: RequestTicket,
    handed: bool,
}

/// Bytes that are handed out at once.
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

/// Runs the streams of HTTP/2 connections, each for itself: one whose peer does not read must not take those beside it
/// along.
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
                // Dropped, it is reset.
                () = request.overdue(limits) => {}
            }
        }));
    }
}
