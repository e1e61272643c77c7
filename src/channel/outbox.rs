//! The sandbox: keeps messages where people can see them instead of sending them.

use super::{Channel, Message, Recipient, SendError};
use crate::core::{ChannelName, PageId, PagePurpose, SendReceipt, StandIn, Timestamp};
use futures_util::future::BoxFuture;
use secrecy::ExposeSecret;
use serde::{Serialize, Serializer};
use std::{
    collections::VecDeque,
    fs::{self, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// How many messages [`SandboxOutbox::recent`] keeps.
const REMEMBERED: usize = 200;

/// The file's name in the state directory.
pub const FILE: &str = "outbox.jsonl";

/// The name of the file before it. Older ones are not kept.
pub const FILE_BEFORE: &str = "outbox.jsonl.1";

/// The size at which a new file is begun, in bytes.
pub const FILE_MAX: u64 = 16 << 20;

/// The file for the messages of all channels. Cheap to clone; all clones share one outbox.
#[derive(Clone)]
pub struct SandboxOutbox {
    kept: Arc<Mutex<OutboxState>>,
    clock: Arc<dyn Fn() -> Timestamp + Send + Sync>,
}

struct OutboxState {
    file: File,
    /// The state directory; `None` if nothing is kept.
    dir: Option<PathBuf>,
    recent: VecDeque<OutboxEntry>,
}

/// One message that would have been sent. It contains a valid code and link, so that people can answer from the
/// sandbox: therefore it has no `Debug`, and only its owner can read the file.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct OutboxEntry {
    /// When it would have been sent.
    pub at: Timestamp,
    /// The page, for example `INC-12.3`.
    #[serde(serialize_with = "as_text")]
    pub page: PageId,
    /// The channel's name in the matrix.
    pub channel: ChannelName,
    /// The channel's kind.
    pub kind: String,
    /// Whether it is a drill.
    pub drill: bool,
    /// The recipient's display name, or the room's name.
    pub to: String,
    /// The person's name in the matrix, if the recipient is a person.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub person: Option<String>,
    /// The first line.
    pub headline: String,
    /// The whole text.
    pub body: String,
    /// The code to answer with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The link to answer with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
}

fn as_text<S: Serializer>(page: &PageId, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(page)
}

/// Replaces one channel.
#[derive(Clone)]
pub struct SandboxChannel {
    outbox: SandboxOutbox,
    channel: ChannelName,
    kind: String,
}

impl SandboxOutbox {
    /// Opens `outbox.jsonl` in the state directory for appending; creates it with mode 0600 if it does not exist. Beyond
    /// [`FILE_MAX`] it becomes [`FILE_BEFORE`], and a new one begins.
    ///
    /// # Errors
    ///
    /// If the file can not be opened.
    pub fn open(state: &Path, clock: impl Fn() -> Timestamp + Send + Sync + 'static) -> io::Result<Self> {
        Ok(Self::over(open_in(state)?, Some(state.to_owned()), clock))
    }

    /// An outbox without a file, for commands that only check.
    ///
    /// # Errors
    ///
    /// If the file can not be opened.
    pub fn discarding(clock: impl Fn() -> Timestamp + Send + Sync + 'static) -> io::Result<Self> {
        let file = OpenOptions::new().append(true).open("/dev/null")?;
        Ok(Self::over(file, None, clock))
    }

    fn over(file: File, dir: Option<PathBuf>, clock: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        let kept = OutboxState { file, dir, recent: VecDeque::new() };
        Self { kept: Arc::new(Mutex::new(kept)), clock: Arc::new(clock) }
    }

    /// A channel that replaces one of this kind.
    pub fn instead_of(&self, channel: ChannelName, kind: &str) -> SandboxChannel {
        SandboxChannel { outbox: self.clone(), channel, kind: kind.to_owned() }
    }

    /// The last 200 messages since the start of the process, oldest first.
    pub fn recent(&self) -> Vec<OutboxEntry> {
        self.kept().recent.iter().cloned().collect()
    }

    fn keep(&self, entry: OutboxEntry) -> io::Result<()> {
        let mut line = serde_json::to_vec(&entry)?;
        line.push(b'\n');
        let mut kept = self.kept();
        if REMEMBERED <= kept.recent.len() {
            kept.recent.pop_front();
        }
        kept.recent.push_back(entry);
        kept.make_room(line.len() as u64)?;
        // One write for each line, so that lines of several processes do not mix.
        kept.file.write_all(&line)
    }

    fn kept(&self) -> MutexGuard<'_, OutboxState> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl OutboxState {
    /// Begins a new file if this line would make the one of now too large.
    fn make_room(&mut self, more: u64) -> io::Result<()> {
        let Some(dir) = &self.dir else { return Ok(()) };
        if self.file.metadata()?.len() + more <= FILE_MAX {
            return Ok(());
        }
        fs::rename(dir.join(FILE), dir.join(FILE_BEFORE))?;
        self.file = open_in(dir)?;
        Ok(())
    }
}

fn open_in(dir: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).append(true).mode(0o600).open(dir.join(FILE))
}

impl SandboxChannel {
    fn entry(&self, message: &Message) -> OutboxEntry {
        let (to, person) = match &message.to {
            Recipient::Person(contact) => (contact.name.clone(), Some(contact.person.clone())),
            Recipient::Room { name, .. } => (name.clone(), None),
        };
        let ask = message.ask.as_ref().filter(|_| message.purpose.is_brief());
        OutboxEntry {
            at: (self.outbox.clock)(),
            page: message.page,
            channel: self.channel.clone(),
            kind: self.kind.clone(),
            drill: message.drill,
            to,
            person,
            headline: message.stamped(&message.text.headline).into_owned(),
            body: message.whole_text().into_owned(),
            code: ask.map(|ask| ask.code.expose_secret().to_owned()),
            link: ask.map(|ask| ask.link.expose_secret().to_owned()),
        }
    }
}

impl Channel for SandboxChannel {
    fn send<'a>(&'a self, message: &'a Message) -> BoxFuture<'a, Result<SendReceipt, SendError>> {
        Box::pin(async move {
            // A full disk must not stop a drill: the message is still in memory.
            if let Err(error) = self.outbox.keep(self.entry(message)) {
                tracing::warn!(page = %message.page, %error, "the sandbox can not write {FILE}; the message is kept in memory only");
            }
            let room = (message.purpose == PagePurpose::RoomCard).then(|| "sandbox".to_owned());
            Ok(SendReceipt { room, ..SendReceipt::of_stand_in(StandIn::Sandbox, "sandbox") })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::IncidentId;

    #[test]
    fn its_file_stays_small_and_one_old_one_is_kept() {
        let dir = tempfile::tempdir().expect("it works");
        let outbox = SandboxOutbox::open(dir.path(), Timestamp::default).expect("it works");
        let entry = |n| OutboxEntry {
            at: Timestamp::default(),
            page: PageId { incident: IncidentId(1), n },
            channel: "sms".into(),
            kind: "kannel".into(),
            drill: false,
            to: "Ana".into(),
            person: None,
            headline: String::new(),
            body: "x".repeat(1 << 20),
            code: None,
            link: None,
        };
        (0..40).for_each(|n| outbox.keep(entry(n)).expect("it works"));
        let read = |name| fs::read_to_string(dir.path().join(name)).expect("it works");
        let (now, before) = (read(FILE), read(FILE_BEFORE));
        assert!(now.len() as u64 <= FILE_MAX && before.len() as u64 <= FILE_MAX);
        assert_eq!((before.lines().count(), now.lines().count()), (15, 10), "each line is in one of them, whole");
        assert!(now.lines().last().expect("it works").contains("INC-1.39"));
        assert_eq!(fs::read_dir(dir.path()).expect("it works").count(), 2, "older ones are gone");
    }
}
