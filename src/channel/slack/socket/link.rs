//! One WebSocket to Slack: hears envelopes, acknowledges each once it is judged, and knows when it is dead.

use super::{
    envelope::{FrameKind, SocketEnvelope, SocketFrame, acknowledgement},
    listener::{SocketListener, SocketTiming},
};
use crate::channel::{
    inbound::SlackInbound,
    slack::inbound::{self, InboundResult},
};
use futures_util::{FutureExt, SinkExt, StreamExt, future::BoxFuture, stream::FuturesUnordered};
use std::{fmt, panic::AssertUnwindSafe, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    time::{Instant, Interval, MissedTickBehavior, interval, sleep_until, timeout},
};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{Error, Message},
};

/// Envelopes of one link that are judged at the same time; further ones wait in the socket.
const JUDGED_MAX: usize = 64;

/// How long a frame may take to leave; then the link is dead.
const WRITE: Duration = Duration::from_secs(5);

/// A link.
pub(super) struct SocketConnection<S> {
    stream: WebSocketStream<S>,
    listener: Arc<dyn SocketListener>,
    timing: SocketTiming,
    heard_at: Instant,
    ping: Interval,
    judging: FuturesUnordered<BoxFuture<'static, HandledEnvelope>>,
    telling: FuturesUnordered<BoxFuture<'static, ()>>,
}

/// Why a link ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum CloseReason {
    /// Slack recycles it: a successor is wanted.
    Asked(String),
    /// Socket Mode is switched off.
    Disabled,
    /// The app has too many links open.
    Crowded,
    /// It is dead.
    Gone(String),
    /// We end it.
    Over,
}

/// An envelope that has been judged.
struct HandledEnvelope {
    id: String,
    takes_reply: bool,
    is_command: bool,
    judged: InboundResult,
}

/// What one turn brought.
enum ConnectionEvent {
    Hello,
    Parting(CloseReason),
    Nothing,
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> SocketConnection<S> {
    pub(super) fn new(stream: WebSocketStream<S>, listener: Arc<dyn SocketListener>, timing: SocketTiming) -> Self {
        let mut ping = interval(timing.ping);
        ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (judging, telling) = (FuturesUnordered::new(), FuturesUnordered::new());
        Self { stream, listener, timing, heard_at: Instant::now(), ping, judging, telling }
    }

    /// Waits for Slack's hello.
    pub(super) async fn greet(&mut self) -> Result<(), CloseReason> {
        loop {
            match self.turn().await {
                ConnectionEvent::Hello => return Ok(()),
                ConnectionEvent::Parting(parting) => return Err(parting),
                ConnectionEvent::Nothing => {}
            }
        }
    }

    /// Serves until there is a reason to part. May be dropped at any time and called again: nothing is lost.
    pub(super) async fn serve(&mut self) -> CloseReason {
        loop {
            if let ConnectionEvent::Parting(parting) = self.turn().await {
                return parting;
            }
        }
    }

    /// Serves on after Slack has asked for a successor, which it may do more than once.
    pub(super) async fn serve_on(&mut self) -> CloseReason {
        loop {
            match self.serve().await {
                CloseReason::Asked(_) => {}
                parting => return parting,
            }
        }
    }

    /// Ends it: listens on for `linger`, judges to the end what it had heard, and closes.
    pub(super) async fn leave(mut self, linger: Duration) {
        let _ = timeout(linger, self.serve_on()).await;
        let mut is_open = true;
        while let Some(done) = self.judging.next().await {
            is_open = is_open && self.acknowledge(done).await.is_ok();
        }
        while self.telling.next().await.is_some() {}
        // Slack is known to leave the connection open after the closing words.
        let _ = timeout(self.timing.close, async {
            if self.stream.close(None).await.is_ok() {
                while let Some(Ok(_)) = self.stream.next().await {}
            }
        })
        .await;
    }

    async fn turn(&mut self) -> ConnectionEvent {
        // While so many are judged that nothing is read, that nothing is heard says nothing.
        let reads = self.judging.len() < JUDGED_MAX;
        if !reads {
            self.heard_at = Instant::now();
        }
        let dead_at = self.heard_at + self.timing.silence;
        tokio::select! {
            frame = self.stream.next(), if reads => self.take(frame),
            Some(done) = self.judging.next() => or_gone(self.acknowledge(done).await),
            Some(()) = self.telling.next() => ConnectionEvent::Nothing,
            _ = self.ping.tick() => or_gone(self.write(Message::Ping(Default::default())).await),
            () = sleep_until(dead_at), if reads => {
                ConnectionEvent::Parting(CloseReason::Gone(format!("nothing was heard for {:?}", self.timing.silence)))
            }
        }
    }

    fn take(&mut self, frame: Option<Result<Message, Error>>) -> ConnectionEvent {
        let message = match frame {
            Some(Ok(message)) => message,
            Some(Err(error)) => return ConnectionEvent::Parting(CloseReason::Gone(worded(&error))),
            None => return ConnectionEvent::Parting(CloseReason::Gone("the connection was closed".into())),
        };
        self.heard_at = Instant::now();
        match message {
            Message::Text(text) => self.read(text.as_str()),
            Message::Close(_) => ConnectionEvent::Parting(CloseReason::Gone("Slack closed it".into())),
            // Pings are answered by the library.
            Message::Binary(_) | Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => ConnectionEvent::Nothing,
        }
    }

    fn read(&mut self, text: &str) -> ConnectionEvent {
        let Ok(frame) = serde_json::from_str::<SocketFrame>(text) else {
            tracing::warn!(bytes = text.len(), "Slack sent a frame that can not be read; it is passed over");
            return ConnectionEvent::Nothing;
        };
        match frame.word() {
            FrameKind::Hello => ConnectionEvent::Hello,
            FrameKind::Nothing => ConnectionEvent::Nothing,
            FrameKind::Disconnect(reason) => ConnectionEvent::Parting(match reason.as_str() {
                "link_disabled" => CloseReason::Disabled,
                "too_many_websockets" => CloseReason::Crowded,
                _ => CloseReason::Asked(reason),
            }),
            FrameKind::Envelope(envelope) => {
                self.judging.push(judge(self.listener.clone(), envelope));
                ConnectionEvent::Nothing
            }
        }
    }

    /// What was not kept is not acknowledged: Slack then shows the user that it failed.
    async fn acknowledge(&mut self, done: HandledEnvelope) -> Result<(), CloseReason> {
        let HandledEnvelope { id, takes_reply, is_command, judged } = done;
        let InboundResult { kept, text, response_url } = judged;
        let reply = Some(text.as_str()).filter(|text| takes_reply && is_command && !text.is_empty());
        let acknowledged = if kept || reply.is_some() {
            self.write(Message::text(acknowledgement(&id, reply))).await
        } else {
            tracing::error!("what came over a link to Slack could not be kept: it is not acknowledged");
            Ok(())
        };
        if let Some(url) = response_url.filter(|_| reply.is_none() && !text.is_empty()) {
            let listener = self.listener.clone();
            self.telling.push(Box::pin(async move { listener.tell(&url, &text).await }));
        }
        acknowledged
    }

    async fn write(&mut self, message: Message) -> Result<(), CloseReason> {
        match timeout(WRITE, self.stream.send(message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(CloseReason::Gone(worded(&error))),
            Err(_) => Err(CloseReason::Gone("a frame could not be written in time".into())),
        }
    }
}

fn or_gone(result: Result<(), CloseReason>) -> ConnectionEvent {
    result.map_or_else(ConnectionEvent::Parting, |()| ConnectionEvent::Nothing)
}

/// Judged beside the reading, so that one that takes long holds up nobody. A panic is a bug, and must not end the link.
fn judge(listener: Arc<dyn SocketListener>, envelope: SocketEnvelope) -> BoxFuture<'static, HandledEnvelope> {
    Box::pin(async move {
        let SocketEnvelope { id, kind, takes_reply, payload } = envelope;
        let heard = inbound::of_envelope(&kind, payload.as_deref());
        let is_command = matches!(heard, Ok(SlackInbound::Command(_)));
        let judged = match heard {
            Ok(SlackInbound::Other) => InboundResult::silent(),
            Ok(heard) => AssertUnwindSafe(listener.hear(heard)).catch_unwind().await.unwrap_or_else(|_| {
                tracing::error!("judging what came over a link to Slack panicked; this is a bug");
                InboundResult { kept: false, ..InboundResult::silent() }
            }),
            Err(error) => {
                tracing::warn!(%error, "an envelope of Slack's can not be read; it is acknowledged and left");
                InboundResult::silent()
            }
        };
        HandledEnvelope { id, takes_reply, is_command, judged }
    })
}

/// A fault of the socket, without the address: that holds the link's own ticket.
pub(super) fn worded(error: &Error) -> String {
    match error {
        Error::Io(error) => error.to_string(),
        Error::Tls(error) => error.to_string(),
        Error::Http(response) => format!("HTTP status {}", response.status().as_u16()),
        Error::Protocol(error) => error.to_string(),
        Error::Capacity(error) => error.to_string(),
        Error::ConnectionClosed | Error::AlreadyClosed => "the connection was closed".into(),
        _ => "the WebSocket failed".into(),
    }
}

impl fmt::Display for CloseReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Asked(reason) => {
                write!(f, "Slack recycles it ({})", crate::channel::slack::refusal::code_only(reason))
            }
            Self::Disabled => f.write_str("Socket Mode is switched off for this app"),
            Self::Crowded => f.write_str("the app has too many links open"),
            Self::Gone(why) => f.write_str(why),
            Self::Over => f.write_str("we end it"),
        }
    }
}
