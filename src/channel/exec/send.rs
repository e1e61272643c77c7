//! A local program: a siren, a lamp, a wallboard, a desktop notification. It gets the page as JSON on its standard
//! input and reports the result by its exit code (sysexits): 0 accepted, with the receipt in the first line of its
//! output; 75 try again later; 78 the channel reaches nobody; anything else: this person is unreachable.

use crate::{
    channel::{
        Channel, ContactData, Message, ProbeCheck, Recipient, SendError,
        contact::{ContactField, EMAIL, PHONE},
        http::verdict::shown,
        program::{ProgramExit, run, signal_of},
    },
    core::{PagePurpose, SendReceipt},
};
use futures_util::future::BoxFuture;
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use std::{io, os::unix::fs::PermissionsExt, path::PathBuf, time::Duration};
use tokio::sync::Semaphore;

/// The largest number of programs of one channel that run at the same time.
pub const AT_ONCE: usize = 8;

/// How long a page waits for a free slot before it is tried again later.
const TURN: Duration = Duration::from_secs(2);

/// The largest number of characters of an error that are kept.
const TROUBLE_MAX: usize = 200;

/// EX_TEMPFAIL and EX_CONFIG of sysexits(3).
const NOT_NOW: i32 = 75;
const NOBODY: i32 = 78;

/// The program to run.
#[derive(Debug, Clone)]
pub struct ExecSettings {
    /// Its absolute path.
    pub program: PathBuf,
    /// Its arguments; placeholders are filled in: `{phone}`, `{email}`, `{person}`, `{incident}`, `{page}`,
    /// `{id}`, `{role}`, `{stamp}`.
    pub arguments: Vec<String>,
    /// Its complete environment.
    pub environment: Vec<(String, String)>,
    /// The contact data that a person must have.
    pub needs: Option<ContactField>,
}

/// The channel that runs a program for each page.
pub struct ExecChannel {
    settings: ExecSettings,
    turns: Semaphore,
}

impl ExecChannel {
    /// Creates the channel; nothing is run yet.
    pub fn new(settings: ExecSettings) -> Self {
        Self { settings, turns: Semaphore::new(AT_ONCE) }
    }

    async fn page(&self, message: &Message) -> Result<SendReceipt, SendError> {
        let contact = self.contact(message)?;
        let turn = tokio::time::timeout(TURN, self.turns.acquire()).await;
        let Ok(Ok(_turn)) = turn else {
            return Err(SendError::retry(format!("{AT_ONCE} programs of this channel are already running")));
        };
        let arguments: Vec<String> = self.settings.arguments.iter().map(|word| fill(word, message, contact)).collect();
        let input = input(message, contact).to_string();
        let ended = run(&self.settings.program, &arguments, &self.settings.environment, input.as_bytes()).await;
        let receipt = judge(ended.map_err(not_run)?, &secrets(message))?;
        let is_card = matches!(message.to, Recipient::Room { .. }) && message.purpose == PagePurpose::RoomCard;
        Ok(SendReceipt { room: is_card.then(|| "program".to_owned()), ..receipt })
    }

    fn contact<'a>(&self, message: &'a Message) -> Result<Option<&'a ContactData>, SendError> {
        let contact = match (&message.to, self.settings.needs) {
            (Recipient::Person(contact), _) => contact,
            (Recipient::Room { .. }, None) => return Ok(None),
            (Recipient::Room { .. }, Some(_)) => {
                return Err(SendError::unreachable("this channel sends to people only, not to rooms"));
            }
        };
        if let Some(field) = self.settings.needs {
            contact.demand(field)?;
        }
        Ok(Some(contact))
    }

    fn look(&self) -> Vec<ProbeCheck> {
        let program = &self.settings.program;
        let shown = program.display();
        let check = match std::fs::metadata(program) {
            Err(error) => ProbeCheck::failed("program", format!("{shown} can not be read: {error}")),
            Ok(data) if !data.is_file() => ProbeCheck::failed("program", format!("{shown} is not a file")),
            Ok(data) => match data.permissions().mode() {
                mode if mode & 0o111 == 0 => ProbeCheck::failed("program", format!("{shown} is not executable")),
                mode if mode & 0o002 != 0 => {
                    ProbeCheck::failed("program", format!("everybody may write to {shown}: chmod o-w"))
                }
                mode if mode & 0o020 != 0 => {
                    ProbeCheck::doubtful("program", format!("a group may write to {shown}: chmod g-w"))
                }
                _ => ProbeCheck::fine("program", format!("{shown} exists and is executable")),
            },
        };
        vec![check]
    }
}

impl Channel for ExecChannel {
    fn send<'a>(&'a self, message: &'a Message) -> BoxFuture<'a, Result<SendReceipt, SendError>> {
        Box::pin(self.page(message))
    }

    fn probe(&self) -> BoxFuture<'_, Vec<ProbeCheck>> {
        Box::pin(std::future::ready(self.look()))
    }
}

/// Fills in a placeholder. Every user of the machine can see a program's arguments, so they contain no code and no
/// link.
fn fill(word: &str, message: &Message, contact: Option<&ContactData>) -> String {
    let of_contact = |of: fn(&ContactData) -> Option<&str>| contact.and_then(of).unwrap_or_default().to_owned();
    match word {
        "{phone}" => of_contact(|contact| contact.get(PHONE)),
        "{email}" => of_contact(|contact| contact.get(EMAIL)),
        "{person}" => of_contact(|contact| Some(&contact.person)),
        "{incident}" => message.page.incident.to_string(),
        "{page}" => message.page.to_string(),
        "{id}" => message.id(),
        "{role}" => message.role.as_ref().map(ToString::to_string).unwrap_or_default(),
        "{stamp}" => message.stamp().to_owned(),
        word => word.to_owned(),
    }
}

/// The JSON that a program reads on its standard input.
fn input(message: &Message, contact: Option<&ContactData>) -> Value {
    let ask = message.ask.as_ref().filter(|_| message.purpose.is_brief());
    json!({
        "id": message.id(),
        "page": message.page.to_string(),
        "incident": message.page.incident.to_string(),
        "stamp": message.stamp(),
        "drill": message.drill,
        "purpose": crate::channel::http::order::purpose(&message.purpose),
        "asks": message.purpose.is_brief(),
        "role": message.role.as_ref().map(|role| role.as_str()),
        "headline": message.stamped(&message.text.headline),
        "text": message.whole_text(),
        "subject": message.text.subject,
        "desk": message.desk,
        "person": contact.map(|contact| json!({
            "id": contact.person,
            "name": contact.name,
            "phone": contact.get(PHONE),
            "email": contact.get(EMAIL),
        })),
        "answer": ask.map(|ask| json!({
            "code": ask.code.expose_secret(),
            "link": ask.link.expose_secret(),
            "level": ask.level.to_string(),
        })),
    })
}

fn secrets(message: &Message) -> Vec<&str> {
    message.ask.iter().flat_map(|ask| [ask.code.expose_secret(), ask.link.expose_secret()]).collect()
}

fn judge(ended: ProgramExit, secrets: &[&str]) -> Result<SendReceipt, SendError> {
    let send_error = |what: String| match words(&ended.errors, secrets) {
        Some(words) => format!("{what}: {words}"),
        None => what,
    };
    match ended.status.code() {
        Some(0) => {
            let id = ended.output.lines().next().map(str::trim).and_then(|line| shown(line, secrets));
            Ok(SendReceipt::of(id.unwrap_or("exit 0")))
        }
        Some(NOT_NOW) => Err(SendError::retry(send_error(format!("the program asks to try later ({NOT_NOW})")))),
        Some(NOBODY) => Err(SendError::broken(send_error(format!("the program is not set up ({NOBODY})")))),
        Some(code) => Err(SendError::unreachable(send_error(format!("the program ended with {code}")))),
        None => {
            let signal = signal_of(ended.status).unwrap_or_default();
            Err(SendError::unreachable(send_error(format!("the program was ended by signal {signal}"))))
        }
    }
}

/// The first line of its standard error, shortened and without codes and links.
fn words(errors: &str, secrets: &[&str]) -> Option<String> {
    let line = errors.lines().map(str::trim).find(|line| !line.is_empty())?;
    let mut line: String = line.chars().filter(|c| !c.is_control()).take(TROUBLE_MAX).collect();
    for secret in secrets.iter().filter(|secret| !secret.is_empty()) {
        line = line.replace(secret, "…");
        // The token alone is still a secret.
        let token = secret.rsplit('/').next().unwrap_or(secret);
        if let Some(at) = line.find(token.get(..token.len() / 2).filter(|half| 8 <= half.len()).unwrap_or(token)) {
            line.truncate(at);
            line.push('…');
        }
    }
    Some(line)
}

fn not_run(error: io::Error) -> SendError {
    let why = format!("the program can not be run: {error}");
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied | io::ErrorKind::InvalidInput => {
            SendError::broken(why)
        }
        // Too many processes, too little memory.
        _ => SendError::retry(why),
    }
}
