//! What the unattended demo checks, and what it found.

use crate::cli::demo::screen::DemoScreen;
use std::cell::Cell;

/// The checks of one run.
pub struct Findings<'a> {
    pub screen: &'a DemoScreen,
    faults: Cell<usize>,
}

impl<'a> Findings<'a> {
    pub fn new(screen: &'a DemoScreen) -> Self {
        Self { screen, faults: Cell::new(0) }
    }

    /// Shows what must be so, and whether it is.
    pub fn must(&self, what: &str, is_so: bool) {
        if is_so {
            self.screen.say(&self.screen.dim(&format!("          true: {what}")));
        } else {
            self.faults.set(self.faults.get() + 1);
            self.screen.say(&self.screen.bold(&format!("          NOT TRUE: {what}")));
        }
    }

    /// Whether everything was so.
    pub fn are_good(&self) -> bool {
        self.faults.get() == 0
    }
}
