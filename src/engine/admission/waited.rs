//! Opens what has waited for a layer for as long as it had to.

use crate::{
    core::{
        Alert, DrillTerms, IncidentKey, Timestamp, TriggerName,
        drill::DRILL_LIFE,
        judgement::{JudgementLayer, JudgementState, LayerHold, PendingAlert, RipeJudgement, SilencedUntil, of_row},
    },
    engine::{
        admission::{
            Admission,
            admission_result::{AdmissionResult, AdmittedAlert},
            admit::AlertAdmission,
            judge::MatchedAlert,
            live_beside,
            may_open::MayOpen,
            opening_window,
        },
        runtime_config::RuntimeConfig,
    },
    matrix::TierFacts,
    store::{LockSet, RequestClass, StoreError, Transaction, transact},
};

/// The most that are opened in one turn.
const WAITED_MAX: usize = 64;

/// What is due: its row, and the alert that waits there.
struct DueJudgement {
    row: String,
    trigger: TriggerName,
    key: IncidentKey,
    pending: PendingAlert,
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
                let pending = tx.judged(row)?.pending()?.clone();
                Some(DueJudgement { row: row.clone(), trigger, key, pending })
            };
            rows.iter().filter_map(read).collect::<Vec<_>>()
        };
        transact(&*self.context.store, RequestClass::Ladder, needs, read).await.map(|(due, _)| due)
    }

    async fn open_waited(&self, due: DueJudgement) -> Result<(), StoreError> {
        let basis = self.basis();
        let config = basis.config.clone();
        if !config.matrix.triggers.contains_key(&due.trigger) {
            return self.admit_anew(due).await;
        }
        let mut needs = LockSet {
            judged: vec![due.row.clone()],
            sources: vec![due.pending.alert.source.clone()],
            live_open: due.pending.alert.drill,
            ..LockSet::default()
        };
        opening_window::opening(&due.trigger, &due.key, &due.pending.alert, &mut needs);
        let (alert, heard_since) = (due.pending.alert.clone(), self.started_at);
        let silenced = self.silenced(&alert, &due.trigger, &config);
        let tier = config.matrix.tier_facts(&due.trigger, &alert);
        let run = move |tx: &mut Transaction<'_>| open_due(tx, &due, (&config, tier.as_ref()), (heard_since, silenced));
        let (opened, _) = transact(&*self.context.store, RequestClass::Admission, needs, run).await?;
        if let Some(result) = opened {
            let admitted = AdmittedAlert { results: vec![result], request: None };
            self.count(&[alert], std::slice::from_ref(&admitted));
            self.check_held(&basis, admitted.results.iter()).await;
        }
        Ok(())
    }

    /// Opens what is overdue in these rows, before what has come since is judged: that must not depend on how soon the loop
    /// had its turn.
    ///
    /// # Errors
    /// Those of the store.
    pub(super) async fn open_overdue(&self, rows: &[String]) -> Result<(), StoreError> {
        let now = self.context.store.now();
        if rows.is_empty() || self.next_judgement().await?.is_none_or(|next| now < next) {
            return Ok(());
        }
        for due in self.due(rows.to_vec()).await? {
            if due.pending.deadline() <= now {
                self.open_waited(due).await?;
            }
        }
        Ok(())
    }

    /// Its trigger is not in the matrix any more: whichever is there now judges it. It is forgotten after it is admitted, so a
    /// crash in between makes it come twice and not never.
    async fn admit_anew(&self, due: DueJudgement) -> Result<(), StoreError> {
        let DueJudgement { row, pending, .. } = due;
        let terms = pending.terms.clone().unwrap_or_else(|| DrillTerms::until(self.context.store.now() + DRILL_LIFE));
        Box::pin(self.admit_on(vec![Alert::clone(&pending.alert)], pending.received_at, &terms)).await?;
        let needs = LockSet { judged: vec![row.clone()], ..LockSet::default() };
        let forget = move |tx: &mut Transaction<'_>| {
            if tx.judged(&row).and_then(JudgementState::pending).is_some_and(|own| own.alert == pending.alert) {
                tx.judge(&row, JudgementState::cleared);
            }
        };
        transact(&*self.context.store, RequestClass::Ladder, needs, forget).await.map(|_| ())
    }
}

fn open_due(
    tx: &mut Transaction<'_>,
    due: &DueJudgement,
    (config, tier): (&RuntimeConfig, Option<&TierFacts>),
    (heard_since, silenced): (Timestamp, Option<SilencedUntil>),
) -> Option<AdmissionResult> {
    let now = tx.now();
    // Another alert came in between, and needs other rows: it is looked at in the next turn.
    let pending = tx
        .judged(&due.row)?
        .pending()
        .filter(|pending| pending.deadline() <= now && pending.alert == due.pending.alert)?;
    let (was_before, layer) = (pending.received_at < heard_since, pending.layer);
    let held_before = (layer, pending.silence, pending.due);
    let trigger = config.matrix.triggers.get(&due.trigger);
    let layers = trigger?.layers.clone();
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
        RipeJudgement::Opens { pending } => (pending, true),
        RipeJudgement::Waits => (tx.judged(&due.row)?.pending()?.clone(), false),
    };
    let PendingAlert { layer, due: until, silence, received_at, summary, alert, terms, .. } = pending;
    let terms = terms.unwrap_or_else(|| DrillTerms::until(now + DRILL_LIFE));
    let may_open = MayOpen::any();
    let mut admission = AlertAdmission { tx, matrix: &config.matrix, received_at, terms: &terms, may_open };
    if !opens {
        if (layer, silence, until) == held_before {
            return None;
        }
        // What should have been opened now is not, and the journal says why.
        let hold = LayerHold { layer, count: 1, until: Some(until), silence };
        return Some(admission.held(&alert, &due.trigger, &due.key, hold));
    }
    if let Some(incident) = admission.join(&alert, &due.key) {
        return Some(AdmissionResult::Joined { incident });
    }
    if let Some(over) = admission.over(&alert, &due.trigger, &due.key) {
        return Some(over);
    }
    if let Some(live) = live_beside(admission.tx, alert.drill) {
        return Some(admission.refused(&alert, &due.trigger, live));
    }
    let flaps = admission.tx.judge(&due.row, |state| state.opened(&layers, now));
    let decision = config.matrix.tier(&due.trigger, tier, admission.tx.civil());
    let (plan, summary) = admission.plan(&due.trigger, decision, (&summary, flaps))?;
    let judged = MatchedAlert { alert, said: Ok(Vec::new()), offers: Vec::new(), silences: Vec::new() };
    Some(admission.open_or_count(&judged, plan, &due.key, &summary))
}
