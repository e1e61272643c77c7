//! Commands that read the journal: reports, post-mortems, exports.

pub mod journal;
pub mod journal_source;
pub mod postmortem;
pub mod proposal;
pub mod report;
