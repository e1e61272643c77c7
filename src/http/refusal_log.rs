//! Logs refusals of requests. A scraper with a wrong token and a monitor that sends to a full disk try again for hours: each
//! kind of refusal is one line a minute, with how many there were. Refused credentials are counted for the doctor, and
//! for the journal, too.

use crate::{
    channel::inbound::InboundRefusal,
    core::{ChannelName, SourceName, printable::excerpt},
    matrix::SourceScope,
    store::StoreError,
};
use std::{
    cell::Cell,
    mem::{Discriminant, discriminant},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::time::Instant;

/// The shortest time between two lines of one kind.
const EVERY: Duration = Duration::from_secs(60);

/// The most kinds that have lines: sources that were removed by a reload count too.
const KINDS_MAX: usize = 2000;

/// The most characters of a name that a stranger wrote.
const NAME_SHOWN: usize = 80;

static CREDENTIALS: Mutex<LogThrottle<(Option<SourceName>, SourceScope)>> = Mutex::new(LogThrottle::new());
static HOOKS: Mutex<LogThrottle<(Option<ChannelName>, Discriminant<InboundRefusal>)>> = Mutex::new(LogThrottle::new());
static ELEMENTS: Mutex<LogThrottle<(SourceName, &'static str)>> = Mutex::new(LogThrottle::new());
static LEFT_OUT: Mutex<LogThrottle<SourceName>> = Mutex::new(LogThrottle::new());
static STORE: Mutex<LogThrottle<Discriminant<StoreError>>> = Mutex::new(LogThrottle::new());

tokio::task_local! {
    /// The credential that is refused in this request: what was asked for, and the source or channel.
    static REFUSED: Cell<Option<(&'static str, Option<String>)>>;
}

/// What the address of a channel is called among what credentials are used for.
const HOOKS_ASKED: &str = "hooks";

/// Answers a request; says which credential was refused in it.
pub async fn watched<T>(answer: impl Future<Output = T>) -> (T, Option<(&'static str, Option<String>)>) {
    let answered = async {
        let answer = answer.await;
        (answer, REFUSED.with(Cell::take))
    };
    REFUSED.scope(Cell::new(None), answered).await
}

fn refuse(asked: &'static str, owner: Option<String>) {
    // Outside of a request, as in a test of one handler, there is nobody to tell.
    let _ = REFUSED.try_with(|refused| refused.set(Some((asked, owner))));
}

/// A credential does not allow what was asked for. Without a source, no source has this credential, or there was none.
pub fn credential(source: Option<&SourceName>, scope: SourceScope) {
    refuse(scope.as_str(), source.map(ToString::to_string));
    if let Some(more) = lock(&CREDENTIALS).count((source.cloned(), scope), Instant::now()) {
        let (source, scope) = (source.map_or("unknown", SourceName::as_str), scope.as_str());
        tracing::warn!(source, scope, more, "a request was refused: its credential does not allow this scope");
    }
}

/// Requests whose credential was refused in the same way.
pub struct RefusedCredentials {
    /// The source that has the credential; `None` if no source has it, or there was none.
    pub source: Option<SourceName>,
    /// What was asked for.
    pub scope: SourceScope,
    /// How many since the start.
    pub count: u64,
    /// How long ago the last one came.
    pub age: Duration,
}

/// What was refused since the start; the kinds that came last first. Kinds beyond [`KINDS_MAX`] are not in it.
pub fn refused_credentials() -> Vec<RefusedCredentials> {
    let now = Instant::now();
    let counted = |(kind, seen): &(_, SeenRefusals)| {
        let (source, scope): &(Option<SourceName>, SourceScope) = kind;
        RefusedCredentials { source: source.clone(), scope: *scope, count: seen.count, age: now - seen.last }
    };
    let mut refused: Vec<_> = lock(&CREDENTIALS).kinds.iter().map(counted).collect();
    refused.sort_by_key(|refused| refused.age);
    refused
}

/// A request to the address of a channel was refused, because it does not show that its provider sent it. `known` says
/// whether there is such a channel: all others are counted together.
pub fn hook(kind: &str, channel: &ChannelName, known: bool, why: &InboundRefusal) {
    refuse(HOOKS_ASKED, known.then(|| channel.to_string()));
    let counted = (known.then(|| channel.clone()), discriminant(why));
    if let Some(more) = lock(&HOOKS).count(counted, Instant::now()) {
        let (kind, channel) = (excerpt(kind, NAME_SHOWN), excerpt(channel.as_str(), NAME_SHOWN));
        let why = why.to_string();
        tracing::warn!(%kind, %channel, why, more, "a request to the address of a channel was refused");
    }
}

/// Elements of a request with alerts were refused, and the others kept: one that can not be read costs no other, and its
/// sender may not look at the response.
pub fn elements(source: &SourceName, api: &'static str, refused: usize, of: usize) {
    if refused == 0 {
        return;
    }
    if let Some(more) = lock(&ELEMENTS).count((source.clone(), api), Instant::now()) {
        tracing::warn!(%source, api, refused, of, more, "alerts of a request were refused: the response says why");
    }
}

/// Parts of alerts could not be evaluated by the `map` of their source, and the alerts are there without them.
pub fn left_out(source: &SourceName, why: &str) {
    if let Some(more) = lock(&LEFT_OUT).count(source.clone(), Instant::now()) {
        let why = excerpt(why, 4 * NAME_SHOWN);
        tracing::warn!(%source, %why, more, "a mapping could not be evaluated whole: alerts are without some of their parts");
    }
}

/// The store refused a request.
pub fn store(error: &StoreError) {
    if let Some(more) = lock(&STORE).count(discriminant(error), Instant::now()) {
        tracing::error!(%error, more, "the store refused a request");
    }
}

fn lock<K>(throttle: &Mutex<LogThrottle<K>>) -> MutexGuard<'_, LogThrottle<K>> {
    throttle.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The refusals of each kind.
struct LogThrottle<K> {
    kinds: Vec<(K, SeenRefusals)>,
}

/// The refusals of one kind.
struct SeenRefusals {
    /// How many.
    count: u64,
    /// When the last one came.
    last: Instant,
    /// When the last line was logged.
    logged: Instant,
    /// How many came since that line.
    more: u64,
}

impl<K: PartialEq> LogThrottle<K> {
    const fn new() -> Self {
        Self { kinds: Vec::new() }
    }

    /// How many more of this kind were refused since its last line, if it is time for another.
    fn count(&mut self, kind: K, now: Instant) -> Option<u64> {
        let Some((_, seen)) = self.kinds.iter_mut().find(|(known, _)| *known == kind) else {
            let has_room = self.kinds.len() < KINDS_MAX;
            let first = SeenRefusals { count: 1, last: now, logged: now, more: 0 };
            self.kinds.extend(has_room.then_some((kind, first)));
            return has_room.then_some(0);
        };
        (seen.count, seen.last) = (seen.count + 1, now);
        if now < seen.logged + EVERY {
            seen.more += 1;
            return None;
        }
        seen.logged = now;
        Some(std::mem::take(&mut seen.more))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_refusal_is_one_line_a_minute_with_its_count() {
        let (mut refusals, start) = (LogThrottle::new(), Instant::now());
        let mut at = |second, kind: &'static str| refusals.count(kind, start + Duration::from_secs(second));
        let lines: Vec<u64> = (0..121).filter_map(|second| at(second, "a")).collect();
        assert_eq!(lines, [0, 59, 59]);
        assert_eq!(at(1, "b"), Some(0), "another kind has its own");
        let counts: Vec<u64> = refusals.kinds.iter().map(|(_, seen)| seen.count).collect();
        assert_eq!(counts, [121, 1], "all are counted");
    }
}
