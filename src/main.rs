//! Runs the command line and ends the process with its exit code.

use clap::Parser;
use mimalloc::MiMalloc;
use std::{any::Any, process::ExitCode};
use stentor::cli::{CLOSED_PIPE, NOT_PRINTED};

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// The beginning of the standard library's panic message if a line can not be printed.
const PRINT_FAILED: &str = "failed printing to std";

fn main() -> ExitCode {
    end_with_the_reader();
    stentor::tls::init();
    let ended = std::panic::catch_unwind(|| stentor::cli::run(stentor::cli::Cli::parse()));
    // The panic unwinds instead of ending the process at once, so that temporary folders are removed.
    ended.unwrap_or_else(|panic| ExitCode::from(print_failure(&*panic).unwrap_or(101)))
}

/// Ends the process without a panic when its reader (for example `head`) closes the pipe, as other tools do. The output
/// is incomplete, so the exit code is never 0, which may be a verdict.
fn end_with_the_reader() {
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let is_main = std::thread::current().name() == Some("main");
        if is_main {
            // Messages are unreadable in raw mode, and the process may end here.
            stentor::cli::give_terminal_back();
        }
        match print_failure(panic.payload()) {
            Some(CLOSED_PIPE) if is_main => {}
            Some(code) if is_main => eprintln!("stentor: its output could not be written (exit code {code})"),
            Some(code) => std::process::exit(code.into()),
            None => before(panic),
        }
    }));
}

/// The exit code for a panic that comes from printing; `None` for other panics.
fn print_failure(panic: &(dyn Any + Send)) -> Option<u8> {
    let said = panic.downcast_ref::<String>().filter(|said| said.starts_with(PRINT_FAILED))?;
    Some(if said.contains("Broken pipe") { CLOSED_PIPE } else { NOT_PRINTED })
}
