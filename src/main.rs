//! Parses the command line, wires, waits.

use clap::Parser;
use mimalloc::MiMalloc;
use std::{any::Any, process::ExitCode};

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// What a shell says of a program that a closed pipe has ended: 128 and the number of SIGPIPE.
const CLOSED_PIPE: u8 = 141;

/// EX_IOERR of sysexits.h.
const NOT_PRINTED: u8 = 74;

/// How the library begins its panic where a line can not be printed.
const PRINT_FAILED: &str = "failed printing to std";

fn main() -> ExitCode {
    end_with_the_reader();
    stentor::tls::init();
    let ended = std::panic::catch_unwind(|| stentor::cli::run(stentor::cli::Cli::parse()));
    // It is unwound, and not ended where it stood: temporary folders go with it.
    ended.unwrap_or_else(|panic| ExitCode::from(print_failure(&*panic).unwrap_or(101)))
}

/// What is piped into `head` ends when `head` has read enough, as any tool does, and not with a panic. It has not said
/// all that it had to say, so it never ends with 0: that may be a verdict.
fn end_with_the_reader() {
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let is_main = std::thread::current().name() == Some("main");
        if is_main {
            // Nobody can read what is printed in raw mode, and the process may end here.
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

/// With which code a panic ends the process that comes from printing; none for another one.
fn print_failure(panic: &(dyn Any + Send)) -> Option<u8> {
    let said = panic.downcast_ref::<String>().filter(|said| said.starts_with(PRINT_FAILED))?;
    Some(if said.contains("Broken pipe") { CLOSED_PIPE } else { NOT_PRINTED })
}
