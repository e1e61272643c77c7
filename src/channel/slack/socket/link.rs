//! One WebSocket to Slack: hears envelopes, acknowledges each once it is judged, and knows when it is dead.

use super::{
    Listener, Timing,
    envelope::{Envelope, Frame, Word, acknowledgement},
};
use crate::channel::slack::inbound::{self, Inbound, Judged};
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
pub(super) struct Link<S> {
    stream: WebSocketStream<S>,
    listener: Arc<dyn Listener>,
    timing: Timing,
    heard_at: Instant,
    ping: Interval,
    judging: FuturesUnordered<BoxFuture<'static, Done>>,
    telling: FuturesUnordered<BoxFuture<'static, ()>>,
}

/// Why a link ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Parting {
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
struct Done {
    id: String,
    takes_reply: bool,
    is_command: bool,
    judged: Judged,
}

/// What one turn brought.
enum Turn {
    Hello,
    Parting(Parting),
    Nothing,
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> Link<S> {
    pub(super) fn new(stream: WebSocketStream<S>, listener: Arc<dyn Listener>, timing: Timing) -> Self {
        let mut ping = interval(timing.ping);
        ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (judging, telling) = (FuturesUnordered::new(), FuturesUnordered::new());
        Self { stream, listener, timing, heard_at: Instant::now(), ping, judging, telling }
    }

    /// Waits for Slack's hello.
    pub(super) async fn greet(&mut self) -> Result<(), Parting> {
        loop {
            match self.turn().await {
                Turn::Hello => return Ok(()),
                Turn::Parting(parting) => return Err(parting),
                Turn::Nothing => {}
            }
        }
    }

    /// Serves until there is a reason to part. May be dropped at any time and called again: nothing is lost.
    pub(super) async fn serve(&mut self) -> Parting {
        loop {
            if let Turn::Parting(parting) = self.turn().await {
                return parting;
            }
        }
    }

    /// Serves on after Slack has asked for a successor, which it may do more than once.
    pub(super) async fn serve_on(&mut self) -> Parting {
        loop {
            match self.serve().await {
                Parting::Asked(_) => {}
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

    async fn turn(&mut self) -> Turn {
        let dead_at = self.heard_at + self.timing.silence;
        tokio::select! {
            frame = self.stream.next(), if self.judging.len() < JUDGED_MAX => self.take(frame),
            Some(done) = self.judging.next() => or_gone(self.acknowledge(done).await),
            Some(()) = self.telling.next() => Turn::Nothing,
            _ = self.ping.tick() => or_gone(self.write(Message::Ping(Default::default())).await),
            () = sleep_until(dead_at) => {
                Turn::Parting(Parting::Gone(format!("nothing was heard for {:?}", self.timing.silence)))
            }
        }
    }

    fn take(&mut self, frame: Option<Result<Message, Error>>) -> Turn {
        let message = match frame {
            Some(Ok(message)) => message,
            Some(Err(error)) => return Turn::Parting(Parting::Gone(worded(&error))),
            None => return Turn::Parting(Parting::Gone("the connection was closed".into())),
        };
        self.heard_at = Instant::now();
        match message {
            Message::Text(text) => self.read(text.as_str()),
            Message::Close(_) => Turn::Parting(Parting::Gone("Slack closed it".into())),
            // Pings are answered by the library.
            Message::Binary(_) | Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => Turn::Nothing,
        }
    }

    fn read(&mut self, text: &str) -> Turn {
        let Ok(frame) = serde_json::from_str::<Frame>(text) else {
            tracing::warn!(bytes = text.len(), "Slack sent a frame that can not be read; it is passed over");
            return Turn::Nothing;
        };
        match frame.word() {
            Word::Hello => Turn::Hello,
            Word::Nothing => Turn::Nothing,
            Word::Disconnect(reason) => Turn::Parting(match reason.as_str() {
                "link_disabled" => Parting::Disabled,
                "too_many_websockets" => Parting::Crowded,
                _ => Parting::Asked(reason),
            }),
            Word::Envelope(envelope) => {
                self.judging.push(judge(self.listener.clone(), envelope));
                Turn::Nothing
            }
        }
    }

    /// What was not kept is not acknowledged: Slack then shows the user that it failed.
    async fn acknowledge(&mut self, done: Done) -> Result<(), Parting> {
        let Done { id, takes_reply, is_command, judged } = done;
        let Judged { kept, text, response_url } = judged;
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

    async fn write(&mut self, message: Message) -> Result<(), Parting> {
        match timeout(WRITE, self.stream.send(message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(Parting::Gone(worded(&error))),
            Err(_) => Err(Parting::Gone("a frame could not be written in time".into())),
        }
    }
}

fn or_gone(result: Result<(), Parting>) -> Turn {
    result.map_or_else(Turn::Parting, |()| Turn::Nothing)
}

/// Judged beside the reading, so that one that takes long holds up nobody. A panic is a bug, and must not end the link.
fn judge(listener: Arc<dyn Listener>, envelope: Envelope) -> BoxFuture<'static, Done> {
    Box::pin(async move {
        let Envelope { id, kind, takes_reply, payload } = envelope;
        let heard = inbound::of_envelope(&kind, payload.as_deref());
        let is_command = matches!(heard, Ok(Inbound::Command(_)));
        let judged = match heard {
            Ok(Inbound::Other) => Judged::silent(),
            Ok(heard) => AssertUnwindSafe(listener.hear(heard)).catch_unwind().await.unwrap_or_else(|_| {
                tracing::error!("judging what came over a link to Slack panicked; this is a bug");
                Judged { kept: false, ..Judged::silent() }
            }),
            Err(error) => {
                tracing::warn!(%error, "an envelope of Slack's can not be read; it is acknowledged and left");
                Judged::silent()
            }
        };
        Done { id, takes_reply, is_command, judged }
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

impl fmt::Display for Parting {
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
