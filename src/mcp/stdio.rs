//! The protocol over standard input and output, for a client that has started us: one message a line.

use super::{
    MESSAGE_MAX,
    exact::{self, Refusal},
    server::McpServer,
    service::RequestService,
};
use rmcp::{
    RoleServer, ServiceExt,
    model::{ClientJsonRpcMessage, ErrorData, ServerJsonRpcMessage},
    transport::{Transport, async_rw::AsyncRwTransport, io::stdio_pipes},
};
use std::io;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, BufReader, Empty, empty};

/// Serves one client until it closes our standard input. Only messages go to standard output.
///
/// # Errors
/// The client's first messages are not of the protocol.
pub async fn serve_stdio<S: RequestService>(service: S) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let (read, write) = stdio_pipes();
    let lines = Lines { read: BufReader::new(read), line: Vec::new(), is_cut: false, refusal: None, out: out(write) };
    match McpServer::new(service).serve(lines).await {
        Ok(running) => drop(running.waiting().await?),
        // A client that only looks whether we are there is gone before it says anything.
        Err(rmcp::service::ServerInitializeError::ConnectionClosed(_)) => {}
        Err(error) => return Err(Box::new(error)),
    }
    Ok(())
}

/// The library writes; we read, because a message must mean the same to every reader and has a largest length.
struct Lines<R, W: AsyncWrite> {
    read: BufReader<R>,
    /// What was read of the next line.
    line: Vec<u8>,
    /// The rest of a line that is too long is left out.
    is_cut: bool,
    /// What must be answered before the next line is read.
    refusal: Option<ServerJsonRpcMessage>,
    out: AsyncRwTransport<RoleServer, Empty, W>,
}

fn out<W: AsyncWrite + Send + Unpin + 'static>(write: W) -> AsyncRwTransport<RoleServer, Empty, W> {
    AsyncRwTransport::new_server(empty(), write)
}

impl<R: AsyncRead + Send + Unpin, W: AsyncWrite + Send + Unpin + 'static> Lines<R, W> {
    /// The next line, without its end; `None` at the end. What was read is kept if it is dropped meanwhile.
    async fn next(&mut self) -> io::Result<Option<Result<Vec<u8>, Refusal>>> {
        loop {
            let part = self.read.fill_buf().await?;
            if part.is_empty() {
                return Ok(None);
            }
            let end = part.iter().position(|byte| *byte == b'\n');
            let taken = end.map_or(part.len(), |end| end + 1);
            if !self.is_cut {
                self.line.extend_from_slice(&part[..end.unwrap_or(part.len())]);
            }
            self.read.consume(taken);
            self.is_cut |= MESSAGE_MAX < self.line.len();
            if end.is_some() {
                let line = std::mem::take(&mut self.line);
                let is_cut = std::mem::take(&mut self.is_cut);
                return Ok(Some(if is_cut { Err(exact::too_long(MESSAGE_MAX)) } else { Ok(line) }));
            }
        }
    }

    /// The message of a line; `None` if nothing is to be done.
    fn message(line: &[u8]) -> Result<Option<ClientJsonRpcMessage>, Refusal> {
        if line.iter().all(u8::is_ascii_whitespace) {
            return Ok(None);
        }
        exact::message(line)
    }
}

impl<R: AsyncRead + Send + Unpin, W: AsyncWrite + Send + Unpin + 'static> Transport<RoleServer> for Lines<R, W> {
    type Error = io::Error;

    fn send(&mut self, item: ServerJsonRpcMessage) -> impl Future<Output = Result<(), io::Error>> + Send + 'static {
        self.out.send(item)
    }

    async fn receive(&mut self) -> Option<ClientJsonRpcMessage> {
        loop {
            if let Some(refusal) = &self.refusal {
                self.out.send(refusal.clone()).await.ok()?;
                self.refusal = None;
            }
            let read = match self.next().await.ok()?? {
                Ok(line) => Self::message(&line),
                Err(refused) => Err(refused),
            };
            match read {
                Ok(Some(message)) => return Some(message),
                Ok(None) => {}
                Err(refused) => self.refusal = Some(refusal(refused)),
            }
        }
    }

    async fn close(&mut self) -> Result<(), io::Error> {
        self.out.close().await
    }
}

fn refusal(Refusal(refusal): Refusal) -> ServerJsonRpcMessage {
    serde_json::from_value(refusal)
        .unwrap_or_else(|_| ServerJsonRpcMessage::error(ErrorData::invalid_request("it can not be read", None), None))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    #[tokio::test]
    async fn a_line_that_is_too_long_or_read_differently_is_answered_and_the_next_one_is_read() {
        let (mut theirs, ours) = duplex(4 * MESSAGE_MAX);
        let (read, write) = tokio::io::split(ours);
        let mut lines =
            Lines { read: BufReader::new(read), line: Vec::new(), is_cut: false, refusal: None, out: out(write) };
        let long = "x".repeat(MESSAGE_MAX + 1);
        let text = format!(
            "{long}\n{{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"ping\",\"params\":{{\"a\":1,\"a\":2}}}}\n\n\
             {{\"method\":\"notifications/of_no_version\"}}\n\
             {{\"jsonrpc\":\"2.0\",\"id\":6,\"method\":\"ping\"}}\n"
        );
        theirs.write_all(text.as_bytes()).await.expect("room");
        let message = lines.receive().await.expect("the last message");
        assert!(serde_json::to_string(&message).expect("JSON").contains("\"id\":6"), "{message:?}");
        drop(lines);
        let mut answers = String::new();
        theirs.read_to_string(&mut answers).await.expect("text");
        let ids: Vec<serde_json::Value> =
            answers.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok()).collect();
        assert_eq!(ids.len(), 2, "{answers}");
        assert!(ids[0]["error"]["message"].as_str().is_some_and(|why| why.contains("larger than")), "{answers}");
        assert_eq!(ids[1]["id"], 5, "{answers}");
    }
}
