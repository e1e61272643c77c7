//! Signs of life on standard error while something takes long: nobody should wonder whether a command hangs.

use crate::cli::terminal::clear_line;
use std::{
    io::{IsTerminal, Write},
    sync::mpsc::{RecvTimeoutError, channel},
    thread,
    time::Duration,
};

/// What is done within this time is not spoken of.
const QUIET: Duration = Duration::from_secs(2);

/// How often progress is shown on a terminal, in one line.
const TICK: Duration = Duration::from_secs(1);

/// How often it is written elsewhere, where every line stays.
const LINE_EVERY: Duration = Duration::from_secs(15);

/// Does the work. If that takes more than two seconds, standard error says what is being done and for how long.
pub fn while_working<T>(what: &str, work: impl FnOnce() -> T) -> T {
    let (done, ended) = channel::<()>();
    thread::scope(|scope| {
        scope.spawn(move || {
            let on_terminal = std::io::stderr().is_terminal();
            let every = if on_terminal { TICK } else { LINE_EVERY };
            let (mut rest, mut waited) = (QUIET, Duration::ZERO);
            while let Err(RecvTimeoutError::Timeout) = ended.recv_timeout(rest) {
                waited += rest;
                let seconds = waited.as_secs();
                // A failure to show progress does not matter.
                let _ = match on_terminal {
                    true => write!(std::io::stderr(), "\r{what} ({seconds} s)"),
                    false => writeln!(std::io::stderr(), "{what} ({seconds} s)"),
                };
                rest = every;
            }
            if on_terminal && !waited.is_zero() {
                clear_line();
            }
        });
        let result = work();
        drop(done);
        result
    })
}
