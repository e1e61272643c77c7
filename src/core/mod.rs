//! The decisions: the pure core of Stentor.
//!
//! Nothing here waits, reads a clock, uses random numbers, logs, or does I/O. Every decision of the daemon is made by
//! [`step`], and all of its state is the fold of the [`Event`]s that `step` returned.

pub mod action_edit;
mod actor;
pub mod alert;
pub mod all_clear;
pub mod answer;
pub mod answer_via;
pub mod assessment;
pub mod attempt;
pub mod canonical;
mod choice_verdict;
mod decision_words;
pub mod display_names;
pub mod drill;
mod drill_incident;
pub mod engagement;
pub mod escalation;
pub mod event;
mod event_words;
pub mod finding;
pub mod folded;
pub mod form;
pub mod form_answer;
pub mod form_schema;
mod given_choice;
pub mod handoff;
pub mod handoff_words;
pub mod hash_chain;
pub mod hex;
pub mod hidden;
pub mod identity;
pub mod incident;
mod incident_fold;
pub mod incident_pages;
mod incident_repeats;
pub mod invisible;
pub mod judgement;
pub mod key;
pub mod maintenance;
pub mod names;
pub mod oncall;
pub mod opening_hours;
pub mod overflow;
pub mod packet;
pub mod page;
mod page_marks;
pub mod plan;
pub mod printable;
pub mod priority;
pub mod proof;
pub mod read_back;
pub mod record;
pub mod repeats;
pub mod request;
pub mod request_facts;
mod request_id;
mod request_notice;
mod request_supersedes;
pub mod request_words;
pub mod result_count;
pub mod retry;
pub mod role_words;
pub mod room;
pub mod run;
pub mod sandbox;
pub mod schedule;
pub mod send_outcome;
pub mod sentence;
pub mod silence;
pub mod source_event;
pub mod standing;
pub mod stored_line;
pub mod stuck;
pub mod tier;
pub mod time;
pub mod trigger;
pub mod waiting;
pub mod zone;

pub use crate::core::send_outcome::{HeldWhy, SendOutcome, SendReceipt, StandIn};
pub use crate::core::{
    answer::GivenAnswer,
    escalation::{IncidentInput, open, step},
};
pub use crate::core::{
    drill::{DrillTerms, FaultKind, InjectedFault},
    identity::RunId,
};
pub use crate::core::{
    identity::PageId,
    page::{Page, PagePurpose, PageReach, PageState},
};
pub use actor::Actor;
pub use alert::{Alert, AlertStatus};
pub use all_clear::AllClear;
pub use answer::{Answer, AnswerLevel, AnswerVerdict};
pub use answer_via::AnswerVia;
pub use attempt::{DeliveryHitch, PageAttempt, PageAttempts, attempts};
pub use choice_verdict::ChoiceVerdict;
pub use engagement::{Engagement, EngagementOutcome, GrantedStandby, HandBack};
pub use event::{Event, IncidentOpening, JournalRecord, ShownText, SourceEvent, StoredLine};
pub use finding::{Classification, ClassificationKind};
pub use form::Form;
pub use form_answer::FormAnswer;
pub use given_choice::{GivenChoice, GivenForm, NamedOption};
pub use handoff::{
    GivenHandoffStep, HandoffReason, HandoffResult, HandoffRules, HandoffState, HandoffStep, HandoffTerms, HandoffTier,
    HandoffVerdict,
};
pub use identity::{IncidentIdentity, IncidentNonce, PageIdentity, PageNonce};
pub use incident::{Incident, IncidentId, IncidentStatus};
pub use incident_pages::IncidentPages;
pub use key::IncidentKey;
pub use names::{ChannelName, PersonName, RoleName, RotationName, SourceName, TriggerName};
pub use oncall::{Roster, Rotation};
pub use opening_hours::OpeningHours;
pub use overflow::OverflowKeys;
pub use packet::Packet;
pub use plan::{EngagementTarget, EscalationPlan, RolePlan, StepPlan, StepTarget};
pub use priority::Priority;
pub use proof::ContactProof;
pub use read_back::ReadBack;
pub use repeats::{AlertRepeats, KnownAlerts};
pub use request::{Ask, AskKind, AskOption, AskRules, Request, RequestId, RequestOutcome};
pub use request_facts::Replacement;
pub use request_notice::request_notice;
pub use result_count::{CountedAlerts, ResultCount, ResultName};
pub use room::WarRoom;
pub use run::{DrillRun, RunState, ScheduledRun};
pub use sandbox::SandboxedCount;
pub use source_event::RefusedInput;
pub use time::Timestamp;
pub use zone::{Zone, Zones};
