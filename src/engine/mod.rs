//! Making it so: the only place where core, store and channel meet.
//!
//! Four parts share one context: [`Admission`] lets alerts in, [`Delivery`] sends pages, [`InboundResponses`] takes what comes
//! back, [`Health`] looks at the node itself. Every loop body is a public `tick_*`: [`run`] calls them for ever, the
//! simulation interleaves them.

mod active_channel;
pub mod admission;
pub mod alert_tally;
pub mod alert_today;
pub mod alert_trace;
mod anchor_copies;
mod caught;
mod channel_factory;
pub mod classifiers;
pub mod contact_coverage;
mod context;
pub mod delivery;
pub mod health;
pub mod history;
pub mod inbound;
pub mod keys;
pub mod listeners;
mod loops;
mod metric_labels;
pub mod metrics;
mod node;
mod opening_quota;
mod packets;
mod people_lookup;
mod read;
pub mod request_history;
pub mod runtime_config;
mod self_report;
pub mod sender_clock;
mod silences;
mod watches;

pub use active_channel::{ActiveChannel, PROBE_TIME_MAX, SEND_TIMEOUT_MAX, SharedChannelParts};
pub use admission::{
    Admission, AdmissionResult, AdmittedAlert, AskWish, CALLS_MAX, CALLS_WITHIN, HandoffTrigger, IncomingAlert,
    KeptResult, KeyedRequest, KeyedResponder, KeyedResult, KindCount, KindReport, ManualPage, ManualPageResult,
    NewFacts, NewFactsResult, OPENINGS_WITHIN, RequestAdmission, RequestFault, SilenceFault, SourceReport,
    SourceRequestReport, SourcesReport, StoredCount, openings_window, source_openings_window,
};
pub use delivery::{Delivery, SendAttempt, again, render};
pub use health::{
    DeadManPinger, EngineLoop, Health, KNOCK_TIME_MAX, LADDER_LATE_MAX, LOOP_STILL_MAX, LoopHeartbeat, PING_TIME_MAX,
    PingStatus, QUEUE_STANDS_MAX, STORE_TIME_MAX,
};
pub use inbound::{
    AnswerError, AnswerSource, CODE_KEPT, CodedPage, Erasure, HandoffAnswer, InboundResponses, LINK_LIFE, LinkError,
    OfferedLink, OptOut, ReadAt, WaitingPages, asked_of,
};
pub use loops::{anchor_last, run};
pub use node::{DUE_MAX, Engine};
pub use read::EngineReader;
pub use runtime_config::RuntimeConfig;
pub use watches::{IncidentWatch, WATCHES_MAX, WATCHES_OF_SOURCE_MAX, WatchesFull};
