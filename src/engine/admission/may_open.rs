//! How much of its quota a source has left within a request.

use crate::core::Alert;

/// How many more incidents a source may open, live ones and drills.
#[derive(Clone, Copy)]
pub struct MayOpen {
    pub live: u32,
    pub drill: u32,
}

impl MayOpen {
    /// As many as there are.
    pub fn any() -> Self {
        Self { live: u32::MAX, drill: u32::MAX }
    }

    /// Whether this alert may open one.
    pub fn allows(self, alert: &Alert) -> bool {
        0 < if alert.drill { self.drill } else { self.live }
    }

    /// It has opened one.
    pub fn take(&mut self, alert: &Alert) {
        let left = if alert.drill { &mut self.drill } else { &mut self.live };
        *left = left.saturating_sub(1);
    }
}
