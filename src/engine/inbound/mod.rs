//! What people and providers say: answers, reports of delivery, opt-outs, and what a page is named by.

mod answers;
mod choices;
mod handoffs;
mod identity;
mod link_register;
mod links;
mod opt_out;
mod opt_out_register;
mod refused_credentials;
mod words;
mod words_register;

pub use answers::{AnswerError, AnswerSource, CODE_KEPT, CodedPage, WaitingPages, asked_of};
pub use handoffs::{Erasure, HandoffAnswer};
pub use links::{LINK_LIFE, LinkError, OfferedLink};
pub use opt_out_register::OptOut;
pub use refused_credentials::{CREDENTIALS_MAX, CREDENTIALS_WINDOW, RefusedCredential};
pub use words::WORDS_MAX;
pub use words_register::{EXCHANGES_MAX, REFUSED_MAX, ReadAt, SHOWN_TEXTS_MAX, WORDS_WINDOW};

use super::context::EngineContext;
use link_register::LinkRegister;
use opt_out_register::OptOutRegister;
use refused_credentials::RefusedCredentials;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use words_register::KeptWords;

/// Takes what comes back from people and their providers, by whatever channel.
pub struct InboundResponses {
    context: Arc<EngineContext>,
    opted_out: Mutex<OptOutRegister>,
    links: Mutex<LinkRegister>,
    words: Mutex<KeptWords>,
    credentials: Mutex<RefusedCredentials>,
}

impl InboundResponses {
    pub(super) fn new(context: Arc<EngineContext>) -> Self {
        Self {
            context,
            opted_out: Mutex::default(),
            links: Mutex::default(),
            words: Mutex::default(),
            credentials: Mutex::default(),
        }
    }

    fn opt_out_register(&self) -> MutexGuard<'_, OptOutRegister> {
        self.opted_out.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
