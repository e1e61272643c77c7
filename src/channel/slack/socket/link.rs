//! One WebSocket to Slack: receives envelopes, acknowledges each after it is handled, and detects when the link is
//! dead.

use super::{
    envelope::{FrameKind, SocketEnvelope, SocketFrame, acknowledgement},
    listener::{SocketListener, SocketTiming},
};
use crate::channel::slack::{
    event::SlackInbound,
    inbound::{self, InboundResult, ephemeral},
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

/// The largest number of envelopes of one link that are handled at the same time; further ones wait in the socket.
const JUDGED_MAX: usize = 64;

/// The timeout for sending a frame; after it the link counts as dead.
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
    /// Slack wants to close it: open a successor.
    Asked(String),
    /// Socket Mode is disabled.
    Disabled,
    /// The app has too many links open.
    Crowded,
    /// The link is dead.
    Gone(String),
    /// We close it.
    Over,
}

/// An envelope that has been handled.
struct HandledEnvelope {
    id: String,
    takes_reply: bool,
    is_command: bool,
    judged: InboundResult,
}

/// What happened next on the link.
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

    /// Serves until there is a reason to close. May be dropped at any time and called again: nothing is lost.
    pub(super) async fn serve(&mut self) -> CloseReason {
        loop {
            if let ConnectionEvent::Parting(parting) = self.turn().await {
                return parting;
            }
        }
    }

    /// Continues to serve after Slack has asked for a successor, which it may do more than once.
    pub(super) async fn serve_on(&mut self) -> CloseReason {
        loop {
            match self.serve().await {
                CloseReason::Asked(_) => {}
                parting => return parting,
            }
        }
    }

    /// Closes it: receives for `linger` longer, handles everything received, and closes.
    pub(super) async fn leave(mut self, linger: Duration) {
        let _ = timeout(linger, self.serve_on()).await;
        let mut is_open = true;
        while let Some(done) = self.judging.next().await {
            is_open = is_open && self.acknowledge(done).await.is_ok();
        }
        while self.telling.next().await.is_some() {}
        // Slack sometimes leaves the connection open after the close frames.
        let _ = timeout(self.timing.close, async {
            if self.stream.close(None).await.is_ok() {
                while let Some(Ok(_)) = self.stream.next().await {}
            }
        })
        .await;
    }

    async fn turn(&mut self) -> ConnectionEvent {
        // While too many are being handled to read more, silence proves nothing.
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
            tracing::warn!(bytes = text.len(), "Slack sent a frame that can not be read; it is ignored");
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

    /// An action that was not kept is not acknowledged: then Slack shows the user that it failed.
    async fn acknowledge(&mut self, done: HandledEnvelope) -> Result<(), CloseReason> {
        let HandledEnvelope { id, takes_reply, is_command, judged } = done;
        let InboundResult { kept, text, response_url, modal } = judged;
        let word = takes_reply && is_command && !text.is_empty();
        let reply = modal.or_else(|| serde_json::to_value(ephemeral(&text)).ok().filter(|_| word));
        let acknowledged = if kept || reply.is_some() {
            self.write(Message::text(acknowledgement(&id, reply.as_ref()))).await
        } else {
            tracing::error!("an event from Slack could not be stored: it is not acknowledged");
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

/// Handles an envelope while reading continues, so that a slow one delays nobody. A panic is a bug, but must not end
/// the link.
fn judge(listener: Arc<dyn SocketListener>, envelope: SocketEnvelope) -> BoxFuture<'static, HandledEnvelope> {
    Box::pin(async move {
        let SocketEnvelope { id, kind, takes_reply, payload } = envelope;
        let heard = inbound::of_envelope(&kind, payload.as_deref());
        let is_command = matches!(heard, Ok(SlackInbound::Command(_)));
        let judged = match heard {
            Ok(SlackInbound::Other) => InboundResult::silent(),
            Ok(heard) => AssertUnwindSafe(listener.hear(heard)).catch_unwind().await.unwrap_or_else(|_| {
                tracing::error!("handling an event from Slack panicked; this is a bug");
                InboundResult { kept: false, ..InboundResult::silent() }
            }),
            Err(error) => {
                tracing::warn!(%error, "an envelope from Slack can not be read; it is acknowledged and ignored");
                InboundResult::silent()
            }
        };
        HandledEnvelope { id, takes_reply, is_command, judged }
    })
}

/// An error of the socket as text, without the address, which contains the link's ticket.
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
                write!(f, "Slack asks to reconnect ({})", crate::channel::slack::refusal::code_only(reason))
            }
            Self::Disabled => f.write_str("Socket Mode is disabled for this app"),
            Self::Crowded => f.write_str("the app has too many links open"),
            Self::Gone(why) => f.write_str(why),
            Self::Over => f.write_str("we end it"),
        }
    }
}
