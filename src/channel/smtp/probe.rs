//! Whether the mail server would take a mail from us: everything up to the envelope, and no envelope.

use super::{Smtp, Tls};
use crate::channel::{Check, SendError};
use futures_util::FutureExt;
use lettre::transport::smtp::commands::Noop;

impl Smtp {
    /// Connects, greets, turns TLS on, signs in, and says goodbye.
    pub(super) async fn look(&self) -> Vec<Check> {
        let mut server = match self.connect().await {
            Ok(server) => server,
            Err(SendError::Broken { why }) => return vec![Check::failed("login", why)],
            Err(error) => return vec![Check::failed("connection", error.to_string())],
        };
        let mut checks = vec![self.login()];
        if let Err(error) = server.command(Noop).await {
            let why = super::judge(super::Phase::Sender, &error);
            checks.push(Check::doubtful("session", format!("signed in, and then: {why}")));
        }
        let certificate = server.peer_certificate().ok();
        checks.extend(certificate.as_deref().and_then(Check::certificate));
        // A goodbye that never comes says nothing about mails.
        let _ = server.quit().now_or_never();
        checks
    }

    fn login(&self) -> Check {
        let line = match &self.tls {
            Tls::Implicit(_) => "TLS",
            Tls::Demanded(_) => "STARTTLS",
            Tls::Plain => "plain text on this machine",
        };
        match &self.credentials {
            Some(_) => Check::fine("login", format!("the mail server lets us in ({line})")),
            None => Check::fine("login", format!("the mail server greets us, and no login is asked for ({line})")),
        }
    }
}
