//! `stentor watch`: lines of standard input as alerts.

mod counts;
mod line;
mod lines;
mod send;

use crate::{
    cli::{error::CliError, load, options::PathOptions, table::warn, threads::runtime},
    config,
    core::SourceName,
    toml_kit::secret::SecretRef,
};
use clap::{Args, ValueHint};
use counts::LineCounts;
use line::LineFormat;
use regex::Regex;
use reqwest::Url;
use secrecy::SecretString;
use send::AlertSender;
use std::{path::PathBuf, process::ExitCode, time::Duration};
use tokio::{
    io::{BufReader, stdin},
    signal::unix::{SignalKind, signal},
    sync::mpsc,
};

/// The variable with the token of the source.
const TOKEN: &str = "STENTOR_TOKEN";

/// How many lines wait to be sent. While it is full no more are read: whoever writes them waits.
pub const LINES_WAITING_MAX: usize = 10_000;

/// Sends lines of standard input (a log) as alerts. Each is sent at least once while this runs: when the daemon is away
/// they wait, and so does whoever writes them once 10,000 lines or 64 MiB wait. Ends with its input, or with Ctrl-C, and says how
/// many lines it sent
#[derive(Debug, Args)]
pub struct WatchArgs {
    /// The source of the matrix whose token is used [default: the one in STENTOR_TOKEN, or in a file]
    #[arg(long, value_name = "NAME", conflicts_with = "token_file")]
    source: Option<String>,
    /// The file with the token of a source
    #[arg(long, env = "STENTOR_TOKEN_FILE", value_name = "FILE", value_hint = ValueHint::FilePath)]
    token_file: Option<PathBuf>,
    /// The daemon's address
    #[arg(long, env = "STENTOR_URL", value_name = "URL", value_hint = ValueHint::Url, default_value = "http://127.0.0.1:7373")]
    url: Url,
    /// The kind of the alerts; a group `kind` of the expression, or a field of the line, goes before it
    #[arg(long, value_name = "KIND")]
    kind: Option<String>,
    /// Which lines are alerts: a regular expression. Its named groups become labels
    #[arg(long = "match", value_name = "REGEX", conflicts_with = "json_lines")]
    matching: Option<Regex>,
    /// A named group that is a number and becomes a value; repeat it for more
    #[arg(long, value_name = "GROUP", requires = "matching")]
    value: Vec<String>,
    /// Each line is a JSON object: an alert as POST /v1/alerts takes it
    #[arg(long)]
    json_lines: bool,
    /// How long to try to send what waits, once the input has ended
    #[arg(long, value_name = "DURATION", default_value = "1m", value_parser = humantime::parse_duration)]
    patience: Duration,
}

impl WatchArgs {
    pub fn run(self, places: &PathOptions) -> Result<ExitCode, CliError> {
        let token = self.token(places)?;
        let format = LineFormat::new(self.kind, self.matching, self.value, self.json_lines)?;
        let sender = AlertSender::new(&self.url, token)?;
        let runtime = runtime(1)?;
        let watched = runtime.block_on(watch(&format, &sender, self.patience));
        // A read of standard input can not be ended.
        runtime.shutdown_background();
        let counts = watched?;
        warn(&format!("stentor: {}", counts.said()));
        Ok(if counts.is_whole() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }

    fn token(&self, places: &PathOptions) -> Result<SecretString, CliError> {
        let kept = match (&self.source, &self.token_file) {
            (Some(name), _) => {
                let (matrix, _) = load::load(places, load::now())?.demand()?;
                let source = matrix.sources.get(&SourceName::from(name.as_str()));
                let source = source.ok_or_else(|| format!("the matrix has no source {name:?}"))?;
                source.tokens.first().cloned().ok_or_else(|| format!("source {name} has no token"))?
            }
            (None, Some(file)) => SecretRef::File(file.clone()),
            (None, None) => SecretRef::Env(TOKEN.to_owned()),
        };
        Ok(config::secret(&kept).map_err(|error| {
            format!("{error}: give the token of a [source] of the matrix by --source, {TOKEN} or --token-file FILE")
        })?)
    }
}

/// Reads and sends until the input ends or somebody stops it.
async fn watch(format: &LineFormat, sender: &AlertSender, patience: Duration) -> Result<LineCounts, CliError> {
    let (waiting, mut queue) = mpsc::channel(LINES_WAITING_MAX);
    let (mut interrupted, mut ended) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let mut of_input = LineCounts::default();
    let reading = async {
        tokio::select! {
            read = lines::read(BufReader::new(stdin()), format, &waiting, &mut of_input) => read,
            _ = interrupted.recv() => Ok(()),
            _ = ended.recv() => Ok(()),
            // Nobody takes lines any more.
            () = waiting.closed() => Ok(()),
        }
    };
    // The sender is told that no more will come by the end of the channel.
    let (over, is_over) = tokio::sync::watch::channel(false);
    let reading = async {
        let read = reading.await;
        // Nobody hears it who has given up.
        let _ = over.send(true);
        read
    };
    let mut counts = LineCounts::default();
    let sending = sender.send_all(&mut queue, is_over, patience, &mut counts);
    let (read, sent) = tokio::join!(reading, sending);
    read?;
    let LineCounts { read, other, unreadable, .. } = of_input;
    if let Err(why) = sent {
        warn(&format!("stentor: {why}"));
    }
    let LineCounts { sent, refused, .. } = counts;
    // Those too that were on their way from one to the other.
    let unsent = read - other - unreadable - sent - refused;
    Ok(LineCounts { read, other, unreadable, sent, refused, unsent })
}
