//! Opens what has waited for a layer for as long as it had to.

use crate::{
    core::{
        Alert, DrillTerms, IncidentKey, SourceEvent, Timestamp, TriggerName,
        drill::DRILL_LIFE,
        judgement::{JudgementLayer, LayerHold, PendingAlert, RipeJudgement, SilencedUntil, of_row},
    },
    engine::{
        admission::{
            Admission,
            admission_result::AdmissionResult,
            admit::{AlertAdmission, MayOpen},
            judge::MatchedAlert,
            live_beside, opening_window,
        },
        runtime_config::RuntimeConfig,
    },
    store::{LockSet, RequestClass, StoreError, Transaction, transact},
};
use std::sync::Arc;

/// The most that are opened in one turn.
const WAITED_MAX: usize = 64;

/// What is due: its row, and the alert that waits there.
struct DueJudgement {
    row: String,
    trigger: TriggerName,
    key: IncidentKey,
    alert: Arc<Alert>,
}

impl Admission {
    /// Opens incidents for alerts that have waited for as long as their layers say, and for monitors that fell silent. What
    /// changed silences hold is due, too. Returns how many were due.
    ///
    /// # Errors
    /// Those of the store: what is due stays due.
    pub async fn tick_judgements(&self) -> Result<usize, StoreError> {
        self.look_again_at_silenced().await?;
        let now = self.context.store.now();
        let rows = self.context.store.due_judgements(now, WAITED_MAX).await?;
        if rows.is_empty() {
            return Ok(0);
        }
        let due = self.due(rows).await?;
        let count = due.len();
        // Each in a transaction of its own: what can not be kept of one sinks no other. The store commits them together.
        let opened = futures_util::future::join_all(due.into_iter().map(|one| self.open_waited(one))).await;
        opened.into_iter().collect::<Result<(), StoreError>>().map(|()| count)
    }

    /// The earliest time at which something is due.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn next_judgement(&self) -> Result<Option<Timestamp>, StoreError> {
        self.context.store.next_judgement().await
    }

    /// What waits in these rows. What it needs to be opened follows from its alert.
    async fn due(&self, rows: Vec<String>) -> Result<Vec<DueJudgement>, StoreError> {
        let needs = LockSet { judged: rows.clone(), ..LockSet::default() };
        let read = move |tx: &mut Transaction<'_>| {
            let read = |row: &String| {
                let (trigger, key) = of_row(row)?;
                let alert = tx.judged(row)?.pending()?.alert.clone();
                Some(DueJudgement { row: row.clone(), trigger, key, alert })
            };
            rows.iter().filter_map(read).collect::<Vec<_>>()
        };
        transact(&*self.context.store, RequestClass::Ladder, needs, read).await.map(|(due, _)| due)
    }

    async fn open_waited(&self, due: DueJudgement) -> Result<(), StoreError> {
        let basis = self.basis();
        let config = basis.config.clone();
        let mut needs = LockSet {
            judged: vec![due.row.clone()],
            sources: vec![due.alert.source.clone()],
            live_open: due.alert.drill,
            ..LockSet::default()
        };
        opening_window::opening(&due.trigger, &due.key, &due.alert, &mut needs);
        let (alert, heard_since) = (due.alert.clone(), self.started_at);
        let silenced = self.silenced(&alert, &due.trigger, &config);
        let run = move |tx: &mut Transaction<'_>| open_due(tx, &due, &config, (heard_since, silenced));
        let (opened, _) = transact(&*self.context.store, RequestClass::Admission, needs, run).await?;
        if let Some(result) = opened {
            self.count_result(&alert, &result);
            self.check_held(&basis, std::iter::once(&result)).await;
        }
        Ok(())
    }
}

fn open_due(
    tx: &mut Transaction<'_>,
    due: &DueJudgement,
    config: &RuntimeConfig,
    (heard_since, silenced): (Timestamp, Option<SilencedUntil>),
) -> Option<AdmissionResult> {
    let now = tx.now();
    // Another alert came in between, and needs other rows: it is looked at in the next turn.
    let pending =
        tx.judged(&due.row)?.pending().filter(|pending| pending.deadline() <= now && pending.alert == due.alert)?;
    let (was_before, layer) = (pending.received_at < heard_since, pending.layer);
    let held_before = (layer, pending.silence, pending.due);
    let trigger = config.matrix.triggers.get(&due.trigger);
    let Some(layers) = trigger.map(|trigger| trigger.layers.clone()) else {
        tx.judge(&due.row, |state| state.cleared());
        tx.record_alert(&due.alert.source, SourceEvent::Unmatched { alert: due.alert.clone() });
        return Some(AdmissionResult::Unmatched);
    };
    if layer == JudgementLayer::Absent {
        let Some(limit) = layers.absent else {
            tx.judge(&due.row, |state| state.cleared());
            return None;
        };
        // Nobody could be heard while the daemon was not there.
        let whole = heard_since + limit.every + limit.grace;
        if was_before && now < whole {
            tx.judge(&due.row, |state| state.not_heard(whole));
            return None;
        }
    }
    let ripe = tx.judge(&due.row, |state| state.ripen(&layers, silenced, now))?;
    let (pending, opens) = match ripe {
        RipeJudgement::Opens { pending, flaps } => (pending, Some(flaps)),
        RipeJudgement::Waits => (tx.judged(&due.row)?.pending()?.clone(), None),
    };
    let PendingAlert { layer, due: until, silence, received_at, summary, alert, terms, .. } = pending;
    let terms = terms.unwrap_or_else(|| DrillTerms::until(now + DRILL_LIFE));
    let may_open = MayOpen::any();
    let mut admission = AlertAdmission { tx, matrix: &config.matrix, received_at, terms: &terms, may_open };
    let Some(flaps) = opens else {
        if (layer, silence, until) == held_before {
            return None;
        }
        // What should have been opened now is not, and the journal says why.
        let hold = LayerHold { layer, count: 1, until: Some(until), silence };
        return Some(admission.held(&alert, &due.trigger, &due.key, hold));
    };
    if let Some(incident) = admission.join(&alert, &due.key) {
        return Some(AdmissionResult::Joined { incident });
    }
    if let Some(over) = admission.over(&alert, &due.trigger, &due.key) {
        return Some(over);
    }
    let (plan, summary) = admission.plan(&due.trigger, &summary, flaps)?;
    if let Some(live) = live_beside(admission.tx, alert.drill) {
        return Some(admission.refused(&alert, &due.trigger, live));
    }
    let judged = MatchedAlert { alert, said: Ok(Vec::new()), offers: Vec::new(), silences: Vec::new() };
    Some(admission.open_or_count(&judged, plan, &due.key, &summary))
}
