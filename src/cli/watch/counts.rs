//! What became of the lines.

/// What became of the lines.
#[derive(Debug, Default)]
pub struct LineCounts {
    /// Lines that were read.
    pub read: u64,
    /// Those that do not match.
    pub other: u64,
    /// Those that can not be read as alerts.
    pub unreadable: u64,
    /// Those of which the daemon has told that they are durable.
    pub sent: u64,
    /// Those that the daemon refused.
    pub refused: u64,
    /// Those that could not be sent.
    pub unsent: u64,
}

impl LineCounts {
    /// Whether none was lost.
    pub fn is_whole(&self) -> bool {
        self.unreadable + self.refused + self.unsent == 0
    }

    /// The same in words.
    pub fn said(&self) -> String {
        let Self { read, other, unreadable, sent, refused, unsent } = self;
        let mut said = format!("{read} lines read, {sent} sent as alerts, {other} others");
        for (count, what) in [
            (unreadable, "could not be read as alerts"),
            (refused, "were refused by the daemon"),
            (unsent, "could NOT be sent"),
        ] {
            if *count != 0 {
                said += &format!(", {count} {what}");
            }
        }
        said
    }
}
