//! Parses the command line, wires, waits.

use clap::Parser;
use mimalloc::MiMalloc;
use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    stentor::tls::init();
    stentor::cli::run(stentor::cli::Cli::parse())
}
