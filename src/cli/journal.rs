//! `stentor journal`: is the evidence whole, and a copy of it.

use super::{Failure, Places, client::Client, evidence::stored, runtime};
use crate::{
    core::StoredLine,
    journal::{self, KeptAnchor, Report, Verifier},
    store::{
        Store,
        clock::System,
        sqlite::{FILE, SqliteStore},
    },
};
use clap::{Args, Subcommand, ValueHint};
use serde_json::Value;
use std::{
    fs::File,
    io::{BufReader, BufWriter, Write},
    path::PathBuf,
    process::ExitCode,
    sync::Arc,
};

/// Lines that are read at once.
const BATCH: usize = 5000;

#[derive(Debug, Args)]
pub struct Journal {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Recompute every hash: exit 1 when a line was altered, is missing or does not belong
    Verify {
        /// Anchors that were kept elsewhere (from the log, or an export): finds alteration and truncation up to the
        /// last of them
        #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
        anchor: Option<PathBuf>,
        /// Verify an export instead of the daemon's journal
        #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
        file: Option<PathBuf>,
        /// Print the report as JSON
        #[arg(long)]
        json: bool,
    },
    /// Write every line with its hash, one JSON object a line
    Export {
        /// Where to [default: standard output]
        #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
        out: Option<PathBuf>,
    },
}

impl Journal {
    pub fn run(self, places: &Places) -> Result<ExitCode, Failure> {
        match self.what {
            What::Verify { anchor, file, json } => verify(places, anchor, file, json),
            What::Export { out } => export(places, out),
        }
    }
}

fn verify(places: &Places, anchor: Option<PathBuf>, file: Option<PathBuf>, json: bool) -> Result<ExitCode, Failure> {
    let kept: Vec<KeptAnchor> = match anchor {
        Some(path) => journal::parse_anchors(&std::fs::read_to_string(path)?)?,
        None => Vec::new(),
    };
    let mut verifier = Verifier::new(&kept);
    match file {
        Some(path) => {
            for line in journal::read_export(BufReader::new(File::open(path)?)) {
                verifier.line(&line?);
            }
        }
        None => each_batch(places, |lines| {
            lines.iter().for_each(|line| verifier.line(line));
            Ok(())
        })?,
    }
    let report = verifier.finish();
    if json {
        let faults: Vec<String> = report.faults.iter().map(ToString::to_string).collect();
        let told = serde_json::json!({
            "lines": report.lines, "chains": report.chains, "anchors": report.anchors, "proven_to": report.proven_to,
            "sound": report.is_sound(), "faulty": report.faulty, "faults": faults,
        });
        println!("{}", serde_json::to_string_pretty(&told)?);
    } else {
        print(&report);
    }
    Ok(if report.is_sound() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn print(report: &Report) {
    for fault in &report.faults {
        println!("{fault}");
    }
    let untold = report.faulty.saturating_sub(report.faults.len());
    if 0 < untold {
        println!("and {untold} more fault(s)");
    }
    let proven = report.proven_to.map_or_else(String::new, |seq| format!(", whole up to the kept anchor {seq}"));
    let word = if report.is_sound() { "sound" } else { "NOT SOUND" };
    println!(
        "{} line(s) in {} chain(s), {} anchor(s){proven}: {} fault(s): {word}",
        report.lines, report.chains, report.anchors, report.faulty
    );
}

fn export(places: &Places, out: Option<PathBuf>) -> Result<ExitCode, Failure> {
    let mut to: Box<dyn Write> = match out {
        Some(path) => Box::new(BufWriter::new(File::create(path)?)),
        None => Box::new(BufWriter::new(std::io::stdout().lock())),
    };
    each_batch(places, |lines| Ok(journal::export(lines, &mut to)?))?;
    to.flush()?;
    Ok(ExitCode::SUCCESS)
}

/// Every line, from the daemon that runs, or from the state folder when none does.
fn each_batch(places: &Places, mut f: impl FnMut(Vec<StoredLine>) -> Result<(), Failure>) -> Result<(), Failure> {
    if places.socket().exists()
        && let Ok(client) = Client::of(places)
        && client.get::<Value>(&format!("/v1/journal?after={}", i64::MAX)).is_ok()
    {
        return each_of_daemon(&client, f);
    }
    let state = places.state();
    if !state.join(FILE).exists() {
        let state = state.display();
        return Err(format!("there is no journal in {state}: name the daemon's folder with --state DIR").into());
    }
    let runtime = runtime(1)?;
    let store = runtime.block_on(SqliteStore::open(&state, Arc::new(System)))?;
    let mut after = 0;
    loop {
        let lines = runtime.block_on(store.lines(None, after, BATCH))?;
        let Some(last) = lines.last().map(|line| line.pos) else { break };
        after = last;
        f(lines)?;
    }
    runtime.block_on(store.close());
    Ok(())
}

fn each_of_daemon(client: &Client, mut f: impl FnMut(Vec<StoredLine>) -> Result<(), Failure>) -> Result<(), Failure> {
    let mut after = 0;
    loop {
        let lines: Vec<Value> = client.get(&format!("/v1/journal?after={after}"))?;
        let Some(last) = lines.last().and_then(|line| line["pos"].as_i64()) else { return Ok(()) };
        after = last;
        f(lines.iter().map(stored).collect::<Result<_, _>>()?)?;
    }
}
