//! Parses the command line, wires, waits.

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    stentor::tls::init();
    stentor::cli::run(stentor::cli::Cli::parse())
}
