//! Errors on the command line.

use crate::cli::table::warn;
use std::{fmt, io, process::ExitCode};

/// An error on the command line, as people read it: what, why, what to do.
pub type CliError = Box<dyn std::error::Error + Send + Sync>;

/// The exit code that shells use for a program ended by a closed pipe: 128 plus the number of SIGPIPE.
pub const CLOSED_PIPE: u8 = 141;

/// EX_IOERR of sysexits.h: output could not be written.
pub const NOT_PRINTED: u8 = 74;

/// Output that could not be written.
#[derive(Debug)]
pub struct WriteFailure {
    /// Where to, as people call it.
    to: String,
    why: io::Error,
}

impl WriteFailure {
    /// The same as an error of a writer.
    pub fn of(to: &str, why: io::Error) -> io::Error {
        io::Error::new(why.kind(), Self { to: to.to_owned(), why })
    }

    /// The failure that this error tells of, if it does.
    fn within<'e>(error: &'e (dyn std::error::Error + 'static)) -> Option<&'e Self> {
        if let Some(io) = error.downcast_ref::<io::Error>() {
            return io.get_ref().and_then(|inner| inner.downcast_ref());
        }
        error.downcast_ref().or_else(|| Self::within(error.source()?))
    }
}

impl fmt::Display for WriteFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} can not be written: {}", self.to, self.why)
    }
}

impl std::error::Error for WriteFailure {}

/// Tells people of an error, and how the process ends with it. A reader that has stopped reading is told nothing, as other
/// tools do.
pub fn told(error: &CliError) -> ExitCode {
    let failure = WriteFailure::within(&**error);
    if failure.is_some_and(|failure| failure.why.kind() == io::ErrorKind::BrokenPipe) {
        return ExitCode::from(CLOSED_PIPE);
    }
    warn(&format!("stentor: {error}"));
    let mut source = error.source();
    while let Some(cause) = source {
        warn(&format!("  because {cause}"));
        source = cause.source();
    }
    ExitCode::from(if failure.is_some() { NOT_PRINTED } else { 2 })
}
