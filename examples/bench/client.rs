//! A cheap client: requests are prepared bytes, and only the status of an answer is read.

use super::Outcome;
use std::net::SocketAddr;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// The whole request that posts this body to this path.
pub fn request(address: SocketAddr, token: Option<&str>, path: &str, body: &str) -> Vec<u8> {
    let credential = token.map(|token| format!("Authorization: Bearer {token}\r\n")).unwrap_or_default();
    let length = body.len();
    let head = format!("POST {path} HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\n");
    format!("{head}{credential}Content-Length: {length}\r\n\r\n{body}").into_bytes()
}

/// One connection that stays open.
pub struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    pub async fn open(address: SocketAddr) -> Outcome<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: Vec::with_capacity(4096) })
    }

    /// Sends a request and waits for its answer, which must be a success.
    pub async fn send(&mut self, request: &[u8]) -> Outcome<()> {
        self.stream.write_all(request).await?;
        self.buffer.clear();
        loop {
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                return Err("the daemon closed a connection".into());
            }
            if let Some(head) = head(&self.buffer) {
                let whole = head + content_length(&self.buffer[..head]);
                while self.buffer.len() < whole {
                    if self.stream.read_buf(&mut self.buffer).await? == 0 {
                        return Err("the daemon closed a connection".into());
                    }
                }
                break;
            }
        }
        if self.buffer.starts_with(b"HTTP/1.1 20") {
            return Ok(());
        }
        Err(format!("the daemon refused: {}", String::from_utf8_lossy(&self.buffer)).into())
    }
}

/// Where the head of a message ends, once it is there.
pub fn head(bytes: &[u8]) -> Option<usize> {
    bytes.windows(4).position(|window| window == b"\r\n\r\n").map(|at| at + 4)
}

/// How long the body behind a head is.
pub fn content_length(head: &[u8]) -> usize {
    const NAME: &[u8] = b"content-length:";
    let mut lines = head.split(|byte| *byte == b'\n');
    let line = lines.find(|line| line.get(..NAME.len()).is_some_and(|name| name.eq_ignore_ascii_case(NAME)));
    let value = line.and_then(|line| std::str::from_utf8(&line[NAME.len()..]).ok());
    value.and_then(|value| value.trim().parse().ok()).unwrap_or(0)
}
