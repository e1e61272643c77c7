//! The terminal: its colours, and how to restore it.

use crossterm::terminal::disable_raw_mode;
use std::io::Write;

/// Whether to use colours on a stream that is (or is not) a terminal; `NO_COLOR` turns them off.
pub fn colours(is_terminal: bool) -> bool {
    is_terminal && crate::config::variable("NO_COLOR").is_none()
}

/// Restores the terminal. Does nothing if it was not changed.
pub fn give_back() {
    // If the terminal is gone, there is nothing to restore.
    let _ = disable_raw_mode();
}

/// Empties the line of standard error that a progress was shown on.
pub fn clear_line() {
    let _ = write!(std::io::stderr(), "\r\x1b[K");
}
