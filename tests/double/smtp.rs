//! A mail server without TLS, for loopback, with faults. It requires AUTH, and accepts one user.

use super::{busy::Busy, listen};
use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
    sync::Notify,
    task::AbortHandle,
};

/// The only user that it accepts.
pub const USERNAME: &str = "stentor";
/// Their password.
pub const PASSWORD: &str = "mail-secret-4711";
/// An unknown mailbox.
pub const NOBODY: &str = "nobody@example.com";

/// What goes wrong.
#[derive(Debug, Clone, Default)]
pub enum Trouble {
    #[default]
    None,
    /// 451 at RCPT: try again in five minutes.
    Greylist,
    /// 535 at AUTH, whatever the password.
    RefusesLogin,
    /// 554 instead of a greeting.
    RefusesAll,
    /// The mail is accepted, but the connection breaks before the reply.
    DropAfterDot,
    /// The connection breaks within the reply to EHLO.
    CutMidReply,
    /// Silence after the greeting; the notification says that the client waits.
    HangAfterGreeting(Arc<Notify>),
    /// The mail is accepted; QUIT gets no reply.
    NoGoodbye,
}

/// A mail as it arrived.
#[derive(Debug, Clone)]
pub struct Mail {
    pub hello: String,
    pub from: String,
    pub to: Vec<String>,
    /// With dots unstuffed.
    pub data: String,
}

#[derive(Default)]
struct World {
    fault: Trouble,
    mails: Vec<Mail>,
    busy: Option<Busy>,
}

/// The server; it stops when it is dropped.
pub struct MailServer {
    pub address: SocketAddr,
    world: Arc<Mutex<World>>,
    task: AbortHandle,
}

impl MailServer {
    pub async fn start() -> Self {
        let (listener, address) = listen().await;
        let world = Arc::<Mutex<World>>::default();
        let shared = world.clone();
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let world = shared.clone();
                // A broken connection is handled by the client.
                tokio::spawn(async move { drop(Session::new(stream, world).run().await) });
            }
        });
        Self { address, world, task: task.abort_handle() }
    }

    pub fn url(&self) -> String {
        format!("smtp://{}", self.address)
    }

    pub fn set_fault(&self, fault: Trouble) {
        self.world.lock().unwrap().fault = fault;
    }

    /// Each mail takes this long, and only this many are accepted at once.
    pub fn set_busy(&self, busy: Busy) {
        self.world.lock().unwrap().busy = Some(busy);
    }

    pub fn mails(&self) -> Vec<Mail> {
        self.world.lock().unwrap().mails.clone()
    }
}

impl Drop for MailServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

struct Session {
    stream: BufReader<TcpStream>,
    world: Arc<Mutex<World>>,
    fault: Trouble,
    signed_in: bool,
    mail: Mail,
}

impl Session {
    fn new(stream: TcpStream, world: Arc<Mutex<World>>) -> Self {
        let fault = world.lock().unwrap().fault.clone();
        let mail = Mail { hello: String::new(), from: String::new(), to: Vec::new(), data: String::new() };
        Self { stream: BufReader::new(stream), world, fault, signed_in: false, mail }
    }

    async fn run(mut self) -> std::io::Result<()> {
        if let Trouble::RefusesAll = self.fault {
            return self.say("554 5.3.2 no mail from you").await;
        }
        self.say("220 double ESMTP").await?;
        loop {
            let line = self.line().await?;
            let verb = line.split_whitespace().next().unwrap_or_default().to_uppercase();
            match verb.as_str() {
                "" => return Ok(()),
                "EHLO" => match self.fault.clone() {
                    Trouble::HangAfterGreeting(arrived) => {
                        arrived.notify_one();
                        return std::future::pending().await;
                    }
                    Trouble::CutMidReply => return self.stream.write_all(b"250-dou").await,
                    _ => {
                        self.mail.hello = line[4..].trim().to_owned();
                        self.say("250-double\r\n250-8BITMIME\r\n250 AUTH PLAIN LOGIN").await?;
                    }
                },
                "AUTH" => self.sign_in(&line).await?,
                "NOOP" if self.signed_in => self.say("250 2.0.0 still here").await?,
                _ if !self.signed_in => self.say("530 5.7.0 sign in first").await?,
                "MAIL" => {
                    self.mail.from = address(&line);
                    self.say("250 2.1.0 ok").await?;
                }
                "RCPT" => self.recipient(&line).await?,
                "DATA" => {
                    self.say("354 go on").await?;
                    self.data().await?;
                    let busy = self.world.lock().unwrap().busy.clone();
                    if let Some(busy) = busy {
                        busy.work().await;
                    }
                    if let Trouble::DropAfterDot = self.fault {
                        return Ok(());
                    }
                    self.say("250 2.0.0 queued").await?;
                }
                "QUIT" if matches!(self.fault, Trouble::NoGoodbye) => return std::future::pending().await,
                "QUIT" => return self.say("221 bye").await,
                _ => self.say("502 5.5.1 not here").await?,
            }
        }
    }

    async fn sign_in(&mut self, line: &str) -> std::io::Result<()> {
        let expected = base64(format!("\0{USERNAME}\0{PASSWORD}").as_bytes());
        if matches!(self.fault, Trouble::RefusesLogin) || line.trim() != format!("AUTH PLAIN {expected}") {
            return self.say("535 5.7.8 authentication failed").await;
        }
        self.signed_in = true;
        self.say("235 2.7.0 welcome").await
    }

    async fn recipient(&mut self, line: &str) -> std::io::Result<()> {
        let to = address(line);
        if let Trouble::Greylist = self.fault {
            return self.say("451 4.7.1 greylisted").await;
        }
        if to == NOBODY {
            // Servers often repeat the mailbox; it must not appear in an error.
            return self.say(&format!("550 5.1.1 <{to}> unknown")).await;
        }
        self.mail.to.push(to);
        self.say("250 2.1.5 ok").await
    }

    async fn data(&mut self) -> std::io::Result<()> {
        loop {
            let line = self.line().await?;
            if line.is_empty() || line == ".\r\n" {
                break;
            }
            self.mail.data.push_str(line.strip_prefix('.').unwrap_or(&line));
        }
        self.world.lock().unwrap().mails.push(self.mail.clone());
        Ok(())
    }

    async fn line(&mut self) -> std::io::Result<String> {
        let mut line = String::new();
        self.stream.read_line(&mut line).await?;
        Ok(line)
    }

    async fn say(&mut self, reply: &str) -> std::io::Result<()> {
        self.stream.write_all(format!("{reply}\r\n").as_bytes()).await
    }
}

fn address(line: &str) -> String {
    line.split(['<', '>']).nth(1).unwrap_or_default().to_owned()
}

fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    bytes
        .chunks(3)
        .map(|chunk| {
            let word = chunk.iter().fold(0u32, |word, byte| word << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
            let digit = |n: usize| char::from(ALPHABET[(word >> (18 - 6 * n) & 63) as usize]);
            (0..4).map(|n| if n <= chunk.len() { digit(n) } else { '=' }).collect::<String>()
        })
        .collect()
}
