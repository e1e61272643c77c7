//! What the matrix prescribes for one incident. Frozen when the incident opens: a reload never changes a crisis that is
//! in progress.

use super::{
    alert::Alert,
    answer::{Answer, AnswerLevel},
    hidden::plain_line,
    names::{ChannelName, PersonName, RoleName, RotationName, TriggerName},
    priority::Priority,
    request::AskRules,
    tier::{EscalationTier, TierDecision},
};
use serde::{Deserialize, Deserializer, Serialize};
use std::{collections::BTreeMap, sync::Arc, time::Duration};

/// The matrix's answer to one alert.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EscalationPlan {
    /// The trigger that matched.
    pub trigger: TriggerName,
    /// The revision (content hash) of the matrix that it was made from.
    pub matrix: String,
    /// The roles that must be engaged.
    pub required: Vec<RoleName>,
    /// The required roles, every `next` that can be reached from them, and the catch-all if the matrix has one.
    pub roles: BTreeMap<RoleName, RolePlan>,
    /// How long a page may stay unaccepted before the person's next channel is tried. A channel that is not listed here
    /// does not exist in this plan.
    #[serde(rename = "patience")]
    pub accept_timeout: BTreeMap<ChannelName, AcceptTimeout>,
    /// How long after acceptance a channel may leave a page without a delivery report before the person's next channel is
    /// tried. A channel that is not listed here is not waited for.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub report_timeout: BTreeMap<ChannelName, AcceptTimeout>,
    /// The channels that have a room for the incident. Plans in old journals had at most one.
    #[serde(default, alias = "room", deserialize_with = "one_or_many", skip_serializing_if = "Vec::is_empty")]
    pub rooms: Vec<ChannelName>,
    /// The channels that send notices to other systems.
    #[serde(rename = "tell", default, skip_serializing_if = "Vec::is_empty")]
    pub webhooks: Vec<ChannelName>,
    /// The rooms whose card is kept up to date.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub living: BTreeMap<ChannelName, LivingRoom>,
    /// The actions that the trigger suggests, in the order of their letters; at most [`ACTIONS_MAX`]. Plans in old
    /// journals have none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub actions: Vec<SuggestedAction>,
    /// What requests may ask through this trigger; `None`: it takes alerts alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ask: Option<AskRules>,
    /// How urgent it is next to incidents of other triggers.
    #[serde(default, skip_serializing_if = "Priority::is_usual")]
    pub priority: Priority,
    /// How urgently people are engaged, and why; `None` where the matrix does not decide it: every required role by its ladder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tier: Option<TierDecision>,
    /// The plan of the next higher tier, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub raised: Option<Arc<EscalationPlan>>,
    /// What the monitor's all-clear does.
    pub on_resolved: OnResolved,
}

/// How many actions may be suggested: as many as there are letters.
pub const ACTIONS_MAX: usize = ACTION_LETTERS.len();

/// The names of suggested actions. They are letters because digits are answers.
pub const ACTION_LETTERS: [char; 9] = ['A', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'I'];

/// The longest text of an action, in characters: people read it at a glance.
pub const ACTION_CHARS_MAX: usize = 60;

/// The longest text of its result, in characters. Together with the action it is one line of a page.
pub const THEN_CHARS_MAX: usize = 100;

/// An action that a person may take. Only people take it: this text never reaches a market or a system.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SuggestedAction {
    /// What to do, in a few words.
    pub text: String,
    /// What it leads to, and what it does not lead to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub then: Option<String>,
}

/// A room with one card that is edited when something changes, and with its own lifecycle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct LivingRoom {
    /// How long after the incident's end it is archived; `None` means never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub archive_after: Option<AcceptTimeout>,
}

/// The shortest wait of a step.
pub const WAIT_MIN: Duration = Duration::from_secs(1);

/// How long a channel may leave a page unaccepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AcceptTimeout(#[serde(with = "super::time::duration_text")] pub Duration);

/// The plan for one role.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RolePlan {
    /// What people read instead of its id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The answer that engages it.
    pub engaged_by: AnswerLevel,
    /// How fast it should be engaged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<EngagementTarget>,
    /// The template for its texts.
    pub template: String,
    /// The revision (content hash) of those texts.
    pub template_revision: String,
    /// The ladder; never empty.
    pub steps: Vec<StepPlan>,
    /// The role that takes over when the steps are used up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<RoleName>,
}

/// A target as a percentile, never a mean: `percent` of engagements within `within`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct EngagementTarget {
    /// The time limit.
    #[serde(with = "super::time::duration_text")]
    pub within: Duration,
    /// The percentage, out of 100.
    pub percent: f64,
}

/// One step of a ladder.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StepPlan {
    /// Who is paged.
    pub page: Vec<StepTarget>,
    /// The channels; all are used at the same time.
    pub by: Vec<ChannelName>,
    /// How long this step waits, counted from its commit. It does not include earlier steps.
    #[serde(with = "super::time::duration_text")]
    pub wait: Duration,
    /// How often the step is repeated before the ladder moves on.
    #[serde(default)]
    pub repeat: u32,
}

/// Who a step pages.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StepTarget {
    /// This person.
    Person(PersonName),
    /// The person who is on call when the step is entered.
    Rotation(RotationName),
}

/// What a monitor's all-clear does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnResolved {
    /// It is recorded; a person closes the incident.
    #[default]
    Note,
    /// It closes the incident.
    Resolve,
}

impl EscalationPlan {
    /// What people read of a role: its name, or else its id.
    pub fn called<'a>(&'a self, role: &'a RoleName) -> &'a str {
        self.roles.get(role).map_or(role.as_str(), |row| row.called(role))
    }

    /// Whether people who are asked for this role decide a request: the trigger's roles do, and those that stand in for them
    /// by `next`. The catch-all, which is told when nobody answers, does only where the matrix names it so.
    pub fn decides(&self, role: &RoleName) -> bool {
        let chain = |first| std::iter::successors(Some(first), |role| self.roles.get(*role)?.next.as_ref());
        // A chain that is longer than the number of roles is a cycle.
        self.required.iter().any(|first| chain(first).take(self.roles.len() + 1).any(|own| own == role))
    }

    /// The roles that decide a request, as people read them: `Trader or Compliance`.
    pub fn deciders(&self) -> String {
        self.required.iter().map(|role| self.called(role)).collect::<Vec<_>>().join(" or ")
    }

    /// Whether the matrix has decided on this tier.
    pub fn is_of(&self, tier: EscalationTier) -> bool {
        self.tier.as_ref().is_some_and(|decision| decision.tier == tier)
    }

    /// The same plan with why its tier was decided on.
    pub fn decided(&self, decision: TierDecision) -> Self {
        Self { tier: Some(decision), ..self.clone() }
    }

    /// The plan of a higher tier.
    pub fn raised_to(&self, tier: EscalationTier) -> Option<Arc<Self>> {
        let higher = std::iter::successors(self.raised.as_ref(), |plan| plan.raised.as_ref());
        higher.take(EscalationTier::ALL.len()).find(|plan| plan.is_of(tier)).cloned()
    }

    /// The same plan, also when it is raised, for an incident that no all-clear ends.
    pub fn ended_by_people(&self) -> Self {
        let raised = self.raised.as_ref().map(|raised| Arc::new(raised.ended_by_people()));
        Self { on_resolved: OnResolved::Note, raised, ..self.clone() }
    }

    /// The same plan with every wait divided by `by`, but no wait below one second: the ladder of a compressed drill.
    pub fn compressed(&self, by: u32) -> Self {
        let mut plan = self.clone();
        plan.raised = plan.raised.map(|raised| Arc::new(raised.compressed(by)));
        for row in plan.roles.values_mut() {
            for step in &mut row.steps {
                step.wait = (step.wait / by.max(1)).max(WAIT_MIN);
            }
        }
        plan
    }
}

/// The actions that are suggested in an incident, with their letters. Actions in the alert itself (annotations
/// `action_a` to `action_i`, with `action_a_then` and so on) are about the current situation, so they replace the
/// trigger's actions; the two are never mixed. Empty if neither suggests anything.
pub fn suggested(alert: &Alert, plan: &EscalationPlan) -> Vec<(char, SuggestedAction)> {
    let told = |key: String, most| alert.annotations.get(&key).and_then(|text| one_line(text, most));
    let own = |letter: char| {
        let key = format!("action_{}", letter.to_ascii_lowercase());
        Some((
            letter,
            SuggestedAction { text: told(key.clone(), ACTION_CHARS_MAX)?, then: told(key + "_then", THEN_CHARS_MAX) },
        ))
    };
    let own: Vec<_> = ACTION_LETTERS.into_iter().filter_map(own).collect();
    if own.is_empty() { ACTION_LETTERS.into_iter().zip(plan.actions.iter().cloned()).collect() } else { own }
}

/// A monitor's text as one short line, with the same limits as the actions in the matrix: it is shown next to the
/// answers, so it must not look like an answer or like a text of ours. `None` if nothing is left.
fn one_line(text: &str, most: usize) -> Option<String> {
    let line = plain_line(text);
    let line = match line.char_indices().nth(most) {
        Some(_) => line.chars().take(most - 1).chain(['…']).collect(),
        None => line,
    };
    (!line.is_empty()).then(|| if reads_like_answer(&line) { format!("\"{line}\"") } else { line })
}

/// Whether a reader could take its first word for an answer that they should give.
pub fn reads_like_answer(text: &str) -> bool {
    let first = text.split_whitespace().next().unwrap_or_default();
    let word = first.trim_matches(|c: char| !c.is_alphanumeric());
    word.starts_with(|c: char| c.is_numeric()) || word.parse::<Answer>().is_ok()
}

fn one_or_many<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<ChannelName>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum RoomPlans {
        Many(Vec<ChannelName>),
        One(Option<ChannelName>),
    }
    Ok(match RoomPlans::deserialize(from)? {
        RoomPlans::Many(rooms) => rooms,
        RoomPlans::One(room) => room.into_iter().collect(),
    })
}

impl RolePlan {
    /// What people read: its name, or else its id.
    pub fn called<'a>(&'a self, id: &'a RoleName) -> &'a str {
        self.name.as_deref().unwrap_or(id.as_str())
    }

    /// The sum of the waits of its steps, including repeats, without `next`.
    pub fn length(&self) -> Duration {
        self.steps.iter().map(|step| step.wait.saturating_mul(step.repeat.saturating_add(1))).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The same limits as for the actions in the matrix.
    #[test]
    fn what_an_alert_suggests_is_one_short_line_that_looks_like_no_answer() {
        let mut alert = Alert::new("monitor", "crash");
        for (key, text) in [
            ("action_a", "WILCO now\nDRILL: ignore this\nreply 4"),
            ("action_a_then", "x\u{1b}[31m\u{7} \u{202e}y"),
            ("action_b", &"long ".repeat(40)),
            ("action_c", " \n\t "),
            ("action_d", "2"),
            ("action_e", "CANCEL ALL"),
        ] {
            alert.annotations.insert(key.into(), text.into());
        }
        let plan = EscalationPlan {
            trigger: "t".into(),
            matrix: "m".into(),
            required: Vec::new(),
            roles: BTreeMap::new(),
            accept_timeout: BTreeMap::new(),
            rooms: Vec::new(),
            webhooks: Vec::new(),
            living: BTreeMap::new(),
            actions: Vec::new(),
            report_timeout: Default::default(),
            ask: None,
            priority: Priority::default(),
            tier: None,
            raised: None,
            on_resolved: OnResolved::Note,
        };
        let suggested = suggested(&alert, &plan);
        let letters: String = suggested.iter().map(|(letter, _)| *letter).collect();
        assert_eq!(letters, "ABDE");
        assert_eq!(suggested[0].1.text, "\"WILCO now DRILL: ignore this reply 4\"");
        assert_eq!(suggested[0].1.then.as_deref(), Some("x [31m y"));
        assert_eq!(suggested[1].1.text.chars().count(), ACTION_CHARS_MAX);
        assert_eq!((&*suggested[2].1.text, &*suggested[3].1.text), ("\"2\"", "CANCEL ALL"));
    }
}
