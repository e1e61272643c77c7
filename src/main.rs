//! Parses the command line, wires, waits.

use clap::Parser;
use mimalloc::MiMalloc;
use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    end_with_the_reader();
    stentor::tls::init();
    stentor::cli::run(stentor::cli::Cli::parse())
}

/// What is piped into `head` ends when `head` has read enough, as any tool does, and not with a panic.
fn end_with_the_reader() {
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if std::thread::current().name() == Some("main") {
            // Nobody can read what is printed in raw mode, and the process may end here.
            stentor::cli::give_terminal_back();
        }
        let said = panic.payload().downcast_ref::<String>().map_or("", String::as_str);
        if said.starts_with("failed printing to stdout") && said.contains("Broken pipe") {
            std::process::exit(0);
        }
        before(panic);
    }));
}
