//! Errors on the command line.

/// An error on the command line, as people read it: what, why, what to do.
pub type CliError = Box<dyn std::error::Error + Send + Sync>;
