//! Assesses alerts before the matrix judges them. Only what their triggers use is assessed; classifiers are asked at the
//! same time for all alerts, so a request waits for the slowest of them and not for their sum.

use crate::{
    core::{Alert, assessment::Assessments},
    engine::{
        admission::{
            Admission,
            judge::{JUDGE_MAX, QUICK_COST_MAX, RequestCost},
        },
        runtime_config::RuntimeConfig,
    },
    matrix::{ClassifierAnswers, CostMeter},
};
use futures_util::future::join_all;
use std::sync::Arc;
use tokio::{runtime::Handle, task::spawn_blocking, time::timeout};

impl Admission {
    /// The alerts with what the assessments make of them, and whether their request has used up what it may cost.
    pub(super) async fn assessed(
        &self,
        alerts: Vec<Alert>,
        config: &Arc<RuntimeConfig>,
        cost: &mut RequestCost,
    ) -> Vec<(Alert, bool)> {
        let alerts = alerts.into_iter().map(without);
        if config.matrix.assessments.is_empty() {
            return alerts.map(|alert| (alert, false)).collect();
        }
        let alerts: Vec<Alert> = alerts.collect();
        let answers = join_all(alerts.iter().map(|alert| asked(alert, config))).await;
        let mut assessed = Vec::with_capacity(alerts.len());
        for (alert, answers) in alerts.into_iter().zip(answers) {
            let quick = Arc::new(CostMeter::new(QUICK_COST_MAX));
            let own = assess(&alert, config, &quick, &answers);
            assessed.push(match quick.is_overrun() {
                false => (Alert { assessed: own, ..alert }, false),
                true => self.assess_apart(alert, config, answers, cost).await,
            });
        }
        assessed
    }

    /// The same on a thread of its own, where it costs much.
    async fn assess_apart(
        &self,
        alert: Alert,
        config: &Arc<RuntimeConfig>,
        answers: ClassifierAnswers,
        cost: &mut RequestCost,
    ) -> (Alert, bool) {
        let meter = Arc::new(CostMeter::new(cost.left()));
        let (of_work, of_alert, config) = (meter.clone(), alert.clone(), config.clone());
        let work = move || assess(&of_alert, &config, &of_work, &answers);
        let assessed = if Handle::try_current().is_err() {
            // In virtual time there are no threads, and nobody who waits for one.
            work()
        } else {
            let turn = timeout(JUDGE_MAX, self.costly.acquire()).await;
            if turn.is_err() {
                meter.give_up();
            }
            let mut working = spawn_blocking(work);
            let done = match timeout(JUDGE_MAX, &mut working).await {
                Ok(done) => done,
                Err(_) => {
                    meter.give_up();
                    working.await
                }
            };
            drop(turn);
            // What panicked assesses nothing, so the conditions that use it fail and the catch-all is paged.
            done.unwrap_or_default()
        };
        cost.spend_to(&meter);
        (Alert { assessed, ..alert }, cost.left() == 0)
    }
}

/// An alert without what its sender, or an earlier look, says of assessments.
fn without(mut alert: Alert) -> Alert {
    alert.assessed = Assessments::new();
    alert
}

fn assess(alert: &Alert, config: &RuntimeConfig, meter: &Arc<CostMeter>, answers: &ClassifierAnswers) -> Assessments {
    let matrix = &config.matrix;
    matrix.assess(&matrix.assessing(alert), alert, meter, answers)
}

/// What the classifiers of its assessments say of an alert. One that can not be kept is shown to nobody.
async fn asked(alert: &Alert, config: &RuntimeConfig) -> ClassifierAnswers {
    let assessing = config.matrix.assessing(alert);
    let own = assessing.keys().filter_map(|name| config.classifiers.get_key_value(*name));
    let own: Vec<_> = own.collect();
    if own.is_empty() || alert.flaw().is_some() || Handle::try_current().is_err() {
        return ClassifierAnswers::new();
    }
    let ask = own.into_iter().map(|(name, classifier)| async move { (name.clone(), classifier.ask(alert).await) });
    join_all(ask).await.into_iter().collect()
}
