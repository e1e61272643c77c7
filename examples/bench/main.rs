//! Stentor beside Alertmanager, on this machine: `cargo build --release && cargo run --release --example bench`.
//!
//! The real daemon and Debian's `prometheus-alertmanager` (where it is installed) get the same requests from the same
//! client in turn, and page the same sink: Stentor by SMS through Kannel's `sendsms`, Alertmanager by webhook. Their
//! promises differ: Stentor answers after the alert is on disk, Alertmanager keeps it in memory. Requests are measured for
//! Stentor alone.
//! `--quick` is a smoke test: it only checks that everything arrives.
#![allow(clippy::disallowed_methods, reason = "a stopwatch of its own, and a client that hammers by many tasks")]

mod alert;
mod client;
mod measure;
mod report;
mod sink;
mod subject;
mod waits;

use clap::Parser;
use measure::{Bench, Scale};
use report::Report;
use sink::Sink;
use std::{
    io::Write,
    path::{Path, PathBuf},
    process::ExitCode,
    time::{Duration, Instant},
};
use subject::Subject;

type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// Limit of the whole run. A round that would end later is not started.
const RUN_MAX: Duration = Duration::from_secs(180);

/// Stentor beside Alertmanager, on this machine.
#[derive(Debug, Parser)]
struct Options {
    /// How many rounds; fewer where three minutes do not hold them
    #[arg(long, default_value_t = 3)]
    rounds: u32,
    /// A smoke test of a few seconds: everything must arrive, the figures mean nothing
    #[arg(long)]
    quick: bool,
    /// Print the figures as JSON
    #[arg(long)]
    json: bool,
    /// Measure Stentor alone
    #[arg(long)]
    alone: bool,
    /// Only measures whose name contains this
    #[arg(long, default_value = "")]
    only: String,
    /// The binary [default: the one beside this example]
    #[arg(long)]
    stentor: Option<PathBuf>,
}

fn main() -> ExitCode {
    stentor::tls::init();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    match runtime.map_err(Into::into).and_then(|runtime| runtime.block_on(run(Options::parse()))) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(options: Options) -> Outcome<()> {
    let binary = options.stentor.clone().map_or_else(beside, Ok)?.canonicalize()?;
    // Not the system's folder for temporary files: that may be memory, which would make the disk look too fast.
    let room = binary.parent().unwrap_or(Path::new(".")).to_owned();
    let sink = Sink::start()?;
    let scale = if options.quick { Scale::QUICK } else { Scale::FULL };
    let rounds = if options.quick { 1 } else { options.rounds };
    let (began, mut longest) = (Instant::now(), Duration::ZERO);
    let mut report = Report::new(fsync_ms(&room)?);
    let mut bench = Bench::new(sink, scale, options.only.clone());
    for round in 0..rounds {
        if RUN_MAX < began.elapsed() + longest {
            eprintln!("bench: {round} rounds of {rounds}: there is no time for another one");
            break;
        }
        let began = Instant::now();
        let mut subjects = vec![Subject::stentor(&binary, &room, bench.sink.address).await?];
        if !options.alone {
            subjects.extend(Subject::alertmanager(&room, bench.sink.address).await?);
        }
        // The order matters: the machine is not the same for the first and the second.
        if round % 2 == 1 {
            subjects.reverse();
        }
        bench.round(&subjects, &mut report).await?;
        longest = longest.max(began.elapsed());
    }
    report.strays = bench.sink.strays();
    print!("{}", if options.json { report.json() } else { report.table() });
    std::io::stdout().flush()?;
    if report.strays == 0 { Ok(()) } else { Err(format!("{} pages came twice", report.strays).into()) }
}

/// The binary that was built with this example.
fn beside() -> Outcome<PathBuf> {
    let here = std::env::current_exe()?;
    let path = here.parent().and_then(Path::parent).map(|folder| folder.join("stentor")).unwrap_or_default();
    if path.is_file() {
        return Ok(path);
    }
    Err(format!("there is no {}: cargo build --release, or --stentor PATH", path.display()).into())
}

/// How long the disk takes to sync 512 bytes: median and 99th percentile, in milliseconds.
fn fsync_ms(room: &Path) -> Outcome<(f64, f64)> {
    let mut file = tempfile::tempfile_in(room)?;
    let mut spans = Vec::new();
    for _ in 0..300 {
        let began = Instant::now();
        file.write_all(&[7; 512])?;
        file.sync_data()?;
        spans.push(began.elapsed().as_secs_f64() * 1e3);
    }
    Ok((report::percentile(&mut spans, 0.5), report::percentile(&mut spans, 0.99)))
}
