//! Turns a template into the text of one page, within its channel's limits.
//!
//! A page is sent whatever its template does (law 7), and no template can make a drill look live (law 6): the first
//! line, the way to answer and the limits are made here, and the template only adds the text in between.
//! `templates/README.md` describes what a template may contain.

mod action;
mod ask;
mod assemble;
mod assessed;
mod brief;
mod broken;
mod context;
pub mod document;
mod facts;
mod fit;
mod folder;
mod functions;
mod handoff;
mod headline;
mod html;
mod load;
mod notice;
mod render;
mod room;
mod sample;
mod sms;
mod trail;
mod voice;
mod words;

pub use action::{ACTION_MAX, ACTION_WHOLE_MAX, ActionText, action_of};
pub use brief::{AlarmText, BriefInput, CODE, LINK, PageReader, RenderedText, ShownTimes, TextForm};
pub use broken::BrokenTemplate;
pub use fit::{
    BOARD_MAX, BODY_MAX, HEADLINE_MAX, HTML_MAX, LINES_MAX, SLACK_MAX, SMS_SEPTETS, SPOKEN_MAX, SUBJECT_MAX,
};
pub use functions::FUEL;
pub use handoff::{HandoffFacts, OpensAt};
pub use load::{PageTemplates, TemplateError};
pub use words::summary_of;
