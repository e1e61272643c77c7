//! `stentor receipt`: checks receipts offline.

use crate::{
    cli::{
        client::DaemonClient,
        error::CliError,
        options::PathOptions,
        output::{read_text, shown},
        table::say,
    },
    receipt::{ReceiptKeys, verify},
};
use clap::{Args, Subcommand, ValueHint};
use serde_json::{Value, json};
use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

#[derive(Debug, Args)]
pub struct ReceiptArgs {
    #[command(subcommand)]
    what: ReceiptCommand,
}

#[derive(Debug, Subcommand)]
enum ReceiptCommand {
    /// Check a receipt's signature and print what it says: exit 1 if it is not as it was signed
    Verify {
        /// The receipt; - is standard input
        #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
        receipt: PathBuf,
        /// The keys, as the daemon has them at /v1/keys (one file or several) [default: those of the running daemon]
        #[arg(long, value_name = "FILE", num_args = 1.., value_hint = ValueHint::FilePath)]
        keys: Vec<PathBuf>,
        /// Print the result as JSON
        #[arg(long)]
        json: bool,
    },
}

impl ReceiptArgs {
    pub fn run(self, places: &PathOptions) -> Result<ExitCode, CliError> {
        let ReceiptCommand::Verify { receipt, keys, json } = self.what;
        let receipt = read_text(&receipt)?;
        let keys = if keys.is_empty() { of_daemon(places)? } else { of_files(&keys)? };
        let found = verify(receipt.trim(), &keys);
        match &found {
            Ok(verified) if json => {
                print_json(&json!({ "valid": true, "kid": verified.kid, "claims": verified.claims }))?
            }
            Err(fault) if json => print_json(&json!({ "valid": false, "why": fault.to_string() }))?,
            Ok(verified) => {
                say(&format!("valid: signed by key {}", verified.kid));
                print_json(&verified.claims)?;
            }
            Err(fault) => say(&format!("NOT valid: {fault}")),
        }
        Ok(if found.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

fn print_json(value: &Value) -> Result<(), CliError> {
    println!("{}", serde_json::to_string_pretty(value)?);
    Ok(())
}

fn of_files(paths: &[PathBuf]) -> Result<ReceiptKeys, CliError> {
    let mut all = ReceiptKeys::default();
    for path in paths {
        all.extend(read(&read_text(path)?, path)?);
    }
    Ok(all)
}

fn read(text: &str, path: &Path) -> Result<ReceiptKeys, CliError> {
    ReceiptKeys::read(text).map_err(|why| format!("{} is no set of keys: {why}", shown(path)).into())
}

fn of_daemon(places: &PathOptions) -> Result<ReceiptKeys, CliError> {
    let hint = "without a daemon, name the keys with --keys FILE (what it has at /v1/keys)";
    let asked = DaemonClient::of(places).and_then(|client| client.get::<Value>("/v1/keys"));
    let keys = asked.map_err(|error| CliError::from(format!("{error}; {hint}")))?;
    Ok(ReceiptKeys::read(&keys.to_string())?)
}
