//! How long a call waits, and what it says meanwhile.

use super::{
    arguments::span,
    result::RequestResult,
    service::{RequestService, ServiceFault},
};
use rmcp::{
    RoleServer,
    model::{ProgressNotificationParam, ProgressToken},
    service::RequestContext,
};
use std::time::Duration;
use tokio::time::Instant;

/// How long a call waits without a word: proxies and clients give up after 30 to 60 s.
const SILENT_MAX: Duration = Duration::from_secs(25);

/// How long a call waits that tells of its progress, unless it is told otherwise: clients give up after 60 s, and not every
/// client starts anew at each progress.
const TOLD: Duration = Duration::from_secs(50);

/// The longest that a call may be told to wait.
const WAIT_MAX: Duration = Duration::from_secs(600);

/// How often a call tells of its progress.
const PROGRESS_EVERY: Duration = Duration::from_secs(10);

/// One call that waits.
pub struct Waiting<'c> {
    context: &'c RequestContext<RoleServer>,
    token: Option<ProgressToken>,
    until: Instant,
    told: u32,
}

impl<'c> Waiting<'c> {
    /// A call that waits from now on, as long as it may and `wanted` says.
    ///
    /// # Errors
    /// `wanted` is no time.
    pub fn begin(context: &'c RequestContext<RoleServer>, wanted: Option<&str>) -> Result<Self, String> {
        let token = context.meta.get_progress_token();
        let (usual, most) = if token.is_some() { (TOLD, WAIT_MAX) } else { (SILENT_MAX, SILENT_MAX) };
        let wait = wanted.map(span).transpose()?.unwrap_or(usual).min(most);
        Ok(Self { context, token, until: Instant::now() + wait, told: 0 })
    }

    /// The request as it is when it has its outcome, the time is over, or nobody listens any more.
    ///
    /// # Errors
    /// Why it can not be looked at.
    pub async fn outcome<S: RequestService>(
        mut self,
        service: &S,
        mut now: RequestResult,
    ) -> Result<RequestResult, ServiceFault> {
        // The first word opens the stream: from then on the connection is kept alive.
        while now.is_open() && Instant::now() < self.until {
            self.tell(now.progress()).await;
            let due = self.token.as_ref().map_or(self.until, |_| self.until.min(Instant::now() + PROGRESS_EVERY));
            let id = now.id.clone();
            now = tokio::select! {
                looked = service.look(&id, due) => RequestResult::of(looked?)?,
                // The caller has gone: that ends the waiting, never the request.
                () = self.context.ct.cancelled() => return Ok(now),
            };
            if Instant::now() < due {
                break;
            }
        }
        Ok(now)
    }

    async fn tell(&mut self, message: String) {
        let Some(token) = &self.token else { return };
        self.told += 1;
        let progress = ProgressNotificationParam::new(token.clone(), self.told.into()).with_message(message);
        // A caller that has gone is seen by its token.
        let _ = self.context.peer.notify_progress(progress).await;
    }
}
