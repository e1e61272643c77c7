//! Checks whether the mail server would accept a mail from us: all steps before the envelope.

use crate::channel::{
    ProbeCheck, SendError,
    smtp::{
        reply::{SmtpPhase, judge},
        send::{SmtpChannel, SmtpTls},
    },
};
use futures_util::FutureExt;
use lettre::transport::smtp::commands::Noop;

impl SmtpChannel {
    /// Connects, says EHLO, starts TLS, signs in, and quits.
    pub(super) async fn look(&self) -> Vec<ProbeCheck> {
        let mut server = match self.connect().await {
            Ok(server) => server,
            Err(SendError::Broken { why }) => return vec![ProbeCheck::failed("login", why)],
            Err(error) => return vec![ProbeCheck::failed("connection", error.to_string())],
        };
        let mut checks = vec![self.login()];
        if let Err(error) = server.command(Noop).await {
            let why = judge(SmtpPhase::Sender, &error);
            checks.push(ProbeCheck::doubtful("session", format!("signed in, and then: {why}")));
        }
        let certificate = server.peer_certificate().ok();
        checks.extend(certificate.as_deref().and_then(ProbeCheck::certificate));
        // A missing reply to QUIT says nothing about mails.
        let _ = server.quit().now_or_never();
        checks
    }

    fn login(&self) -> ProbeCheck {
        let line = match &self.tls {
            SmtpTls::Implicit(_) => "TLS",
            SmtpTls::Demanded(_) => "STARTTLS",
            SmtpTls::Plain => "plain text on this machine",
        };
        match &self.credentials {
            Some(_) => ProbeCheck::fine("login", format!("the mail server accepts our login ({line})")),
            None => ProbeCheck::fine("login", format!("the mail server is ready, without a login ({line})")),
        }
    }
}
