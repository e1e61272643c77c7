//! `stentor mail-in`: the site's mail server pipes replies and bounces into it.

use crate::{
    channel::smtp::without_attachments,
    cli::{client::DaemonClient, error::CliError, options::PathOptions, table::warn},
    http::mail_in::{MailOutcome, MailResult},
};
use clap::Args;
use std::{io::stdin, process::ExitCode};

/// The mail is not an answer: the server returns it to its author, with our text (`sysexits.h`).
const EX_DATAERR: u8 = 65;

/// A temporary failure: the server keeps the mail and tries again.
const EX_TEMPFAIL: u8 = 75;

/// Reads one mail from standard input. Exits with 0 if it was accepted or has no effect, 65 if its author must write
/// again, 75 if the mail server must keep it: the daemon can not be reached, or another one sent the page
#[derive(Debug, Args)]
pub struct MailIn {
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

impl MailIn {
    pub fn run(self, places: &PathOptions) -> Result<ExitCode, CliError> {
        let raw = match without_attachments::read(stdin().lock()) {
            Ok(raw) => raw,
            Err(error) => return Ok(keep(&format!("the mail could not be read: {error}"))),
        };
        let told: Result<MailResult, CliError> =
            DaemonClient::of(places).and_then(|client| client.post_raw("/v1/mail", raw));
        let told = match told {
            Ok(told) => told,
            Err(failure) => return Ok(keep(&failure.to_string())),
        };
        if self.json {
            println!("{}", serde_json::to_string_pretty(&told)?);
        } else if told.outcome == MailOutcome::Unclear {
            println!("{}", told.text);
        }
        Ok(match told.outcome {
            MailOutcome::Unclear => ExitCode::from(EX_DATAERR),
            MailOutcome::Elsewhere => keep(&told.text),
            MailOutcome::Answered | MailOutcome::Away | MailOutcome::Bounced | MailOutcome::Ignored => {
                ExitCode::SUCCESS
            }
        })
    }
}

/// The server keeps the mail and tries again; its log says why.
fn keep(why: &str) -> ExitCode {
    warn(&format!("stentor: {why}"));
    ExitCode::from(EX_TEMPFAIL)
}
