//! The terminal: its colours, and how it is given back.

use crossterm::terminal::disable_raw_mode;

/// Whether to colour what goes to a stream that is a terminal (or not): `NO_COLOR` says no.
pub fn colours(is_terminal: bool) -> bool {
    is_terminal && crate::config::variable("NO_COLOR").is_none()
}

/// Gives the terminal back to its user, as it was. Does nothing if it was not taken.
pub fn give_back() {
    // A terminal that is gone needs no setting.
    let _ = disable_raw_mode();
}
