//! The user at the other end of the Unix socket, and what they may do.

use crate::{
    core::{Actor, PersonName},
    http::{problem::ProblemDetails, state::AppState},
};
use axum::http::StatusCode;
use std::time::Duration;
use tokio::time::timeout;

/// The timeout for the host's user directory.
const NAME_TIME_MAX: Duration = Duration::from_secs(2);

/// The user at the other end of the socket.
#[derive(Debug, Clone, Copy)]
pub struct SocketPeer {
    /// Their Unix user; `None` if the kernel does not tell.
    pub uid: Option<u32>,
}

impl SocketPeer {
    /// Whether it is root or the daemon's own user.
    pub fn is_operator(self) -> bool {
        self.uid.is_some_and(|uid| uid == 0 || uid == rustix::process::geteuid().as_raw())
    }
}

/// A Unix user who may use the socket, and their role for Stentor.
#[derive(Debug, Clone)]
pub struct UnixCaller {
    user: String,
    person: Option<PersonName>,
    operator: bool,
    mailer: bool,
}

impl UnixCaller {
    /// Identifies the caller: a person of the matrix by their Unix user; an operator (root or the daemon's own user);
    /// or the mail server's user, who may only deliver mail. Everybody else is refused.
    pub async fn of(app: &AppState, peer: SocketPeer) -> Result<Self, ProblemDetails> {
        let forbidden = |who: &str| {
            let detail = format!("{who} is neither the daemon's user nor a person's `unix` in the matrix");
            ProblemDetails::new(StatusCode::FORBIDDEN, detail)
        };
        let uid = peer.uid.ok_or_else(|| forbidden("this caller"))?;
        let user = name_of(uid).await;
        let live = app.engine.config();
        let person = live.matrix.person_of_unix(&user).cloned();
        let operator = peer.is_operator();
        let mailer = live.matrix.hands_in_mail(&user);
        if person.is_none() && !operator && !mailer {
            return Err(forbidden(&format!("the Unix user {user}")));
        }
        Ok(Self { user, person, operator, mailer })
    }

    /// The host's name of this user.
    pub fn user(&self) -> &str {
        &self.user
    }

    /// The person of the matrix with this Unix user.
    pub fn person(&self) -> Option<&PersonName> {
        self.person.as_ref()
    }

    /// Refuses those who are not operators: the matrix decides who may do what.
    pub fn may_reload(&self) -> Result<(), ProblemDetails> {
        if self.operator {
            return Ok(());
        }
        let detail = format!("the Unix user {} may not reload: only root and the daemon's own user may", self.user);
        Err(ProblemDetails::new(StatusCode::FORBIDDEN, detail))
    }

    /// Whether this user may only deliver mail.
    pub fn hands_in_mail_only(&self) -> bool {
        self.mailer && self.person.is_none() && !self.operator
    }

    /// Refuses callers who are neither the mail server nor an operator, because who delivers a mail can choose its
    /// sender.
    pub fn may_hand_in_mail(&self) -> Result<(), ProblemDetails> {
        if self.operator || self.mailer {
            return Ok(());
        }
        let detail = format!(
            "the Unix user {} may not deliver mail: set mail_in = \"{}\" at a channel of kind smtp",
            self.user, self.user
        );
        Err(ProblemDetails::new(StatusCode::FORBIDDEN, detail))
    }

    /// The actor of their actions.
    pub fn actor(&self) -> Actor {
        match &self.person {
            Some(person) => Actor::Person(person.clone()),
            None => Actor::Operator(self.user.clone()),
        }
    }
}

/// The host's name of a user; the number if the directory does not respond in time. It is called on its own thread,
/// because a directory that hangs must not delay pages.
async fn name_of(uid: u32) -> String {
    let asked = tokio::task::spawn_blocking(move || uzers::get_user_by_uid(uid));
    let found = timeout(NAME_TIME_MAX, asked).await.ok().and_then(Result::ok).flatten();
    found.map_or_else(|| uid.to_string(), |user| user.name().to_string_lossy().into_owned())
}
