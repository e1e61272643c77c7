//! What the matrix says shall happen in one incident. Frozen when the incident opens: a reload never changes a crisis
//! under way.

use super::{
    alert::Alert,
    answer::{Answer, AnswerLevel},
    names::{ChannelName, PersonName, RoleName, RotationName, TriggerName},
};
use serde::{Deserialize, Deserializer, Serialize};
use std::{collections::BTreeMap, time::Duration};

/// The frozen answer of the matrix to one alert.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EscalationPlan {
    /// Which trigger it was.
    pub trigger: TriggerName,
    /// The revision (content hash) of the matrix that it was drawn from.
    pub matrix: String,
    /// The roles that must be engaged.
    pub required: Vec<RoleName>,
    /// Those, every `next` that can be reached from them, and the catch-all if the matrix has one.
    pub roles: BTreeMap<RoleName, RolePlan>,
    /// How long a page may stay unaccepted before the person's next channel is tried. Channels that are not named here
    /// do not exist in this plan.
    #[serde(rename = "patience")]
    pub accept_timeout: BTreeMap<ChannelName, AcceptTimeout>,
    /// The channels that have a room for the incident. Plans in old journals had one at most.
    #[serde(default, alias = "room", deserialize_with = "one_or_many", skip_serializing_if = "Vec::is_empty")]
    pub rooms: Vec<ChannelName>,
    /// The channels that tell other systems what happens.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tell: Vec<ChannelName>,
    /// Those of them whose card is kept up to date.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub living: BTreeMap<ChannelName, LivingRoom>,
    /// What the trigger suggests to those who are asked, in the order of their letters; at most [`ACTIONS_MAX`]. Plans of
    /// old journals have none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub actions: Vec<SuggestedAction>,
    /// What the monitor's all-clear does.
    pub on_resolved: OnResolved,
}

/// How many actions may be suggested: as many as there are letters.
pub const ACTIONS_MAX: usize = ACTION_LETTERS.len();

/// What suggested actions are called: digits are answers.
pub const ACTION_LETTERS: [char; 9] = ['A', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'I'];

/// Characters of what to do: it is read at a glance.
pub const ACTION_CHARS_MAX: usize = 60;

/// Characters of what that leads to: one line of a page, with what to do before it.
pub const THEN_CHARS_MAX: usize = 100;

/// Something that a person may do. Nobody but a human does it: no text leads from here to a market or a system.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SuggestedAction {
    /// What to do, in a few words.
    pub text: String,
    /// What it leads to, and what it does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub then: Option<String>,
}

/// A room with one card that is edited as things change, and a life of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct LivingRoom {
    /// How long after the incident has ended it is put away; never if nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub archive_after: Option<AcceptTimeout>,
}

/// The shortest wait that a step may have.
pub const WAIT_MIN: Duration = Duration::from_secs(1);

/// How long a channel may leave a page unaccepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AcceptTimeout(#[serde(with = "super::time::duration_text")] pub Duration);

/// One role's row.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RolePlan {
    /// The answer that engages it.
    pub engaged_by: AnswerLevel,
    /// How fast it is meant to be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<EngagementTarget>,
    /// Whose texts it reads.
    pub template: String,
    /// The revision (content hash) of those texts.
    pub template_revision: String,
    /// The ladder; never empty.
    pub steps: Vec<StepPlan>,
    /// Who takes over when the steps are spent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<RoleName>,
}

/// A percentile, never a mean: `percent` of engagements within `within`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct EngagementTarget {
    /// The bound.
    #[serde(with = "super::time::duration_text")]
    pub within: Duration,
    /// Of a hundred.
    pub percent: f64,
}

/// One rung.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StepPlan {
    /// Whom.
    pub page: Vec<StepTarget>,
    /// By which channels; a set, sent at once.
    pub by: Vec<ChannelName>,
    /// How long this step waits, counted from its commit; not cumulative.
    #[serde(with = "super::time::duration_text")]
    pub wait: Duration,
    /// How often the step is done again before the ladder moves on.
    #[serde(default)]
    pub repeat: u32,
}

/// Who a step pages.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StepTarget {
    /// This person.
    Person(PersonName),
    /// Whoever is on call when the step is entered.
    Rotation(RotationName),
}

/// What a monitor's all-clear does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnResolved {
    /// It is noted; a human closes the incident.
    #[default]
    Note,
    /// It closes the incident.
    Resolve,
}

impl EscalationPlan {
    /// The same plan with every wait divided by `by`, but none below a second: a ladder compressed for a drill.
    pub fn compressed(&self, by: u32) -> Self {
        let mut plan = self.clone();
        for row in plan.roles.values_mut() {
            for step in &mut row.steps {
                step.wait = (step.wait / by.max(1)).max(WAIT_MIN);
            }
        }
        plan
    }
}

/// What is suggested in an incident, with its letters. What the alert itself suggests (annotations `action_a` to `action_i`,
/// with `action_a_then` and so on) is about this very moment, so it stands in place of what the trigger suggests: the two
/// are never mixed. Nothing where neither says anything.
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

/// A monitor's text as one short line, held to what actions of the matrix are held to: what stands beside the answers must
/// not look like one of them, nor like a text of ours. `None` if nothing is left.
fn one_line(text: &str, most: usize) -> Option<String> {
    let turns = |c: char| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let shown: String = text.chars().filter(|c| !turns(*c)).map(|c| if c.is_control() { ' ' } else { c }).collect();
    let line = shown.split_whitespace().collect::<Vec<_>>().join(" ");
    let line = match line.char_indices().nth(most) {
        Some(_) => line.chars().take(most - 1).chain(['…']).collect(),
        None => line,
    };
    (!line.is_empty()).then(|| if reads_like_answer(&line) { format!("\"{line}\"") } else { line })
}

/// Whether somebody could take its first word for what they are to answer.
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
    /// The sum of the waits of its steps, repeats included, `next` not counted.
    pub fn length(&self) -> Duration {
        self.steps.iter().map(|step| step.wait.saturating_mul(step.repeat.saturating_add(1))).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Held to what the matrix's own actions are held to.
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
            tell: Vec::new(),
            living: BTreeMap::new(),
            actions: Vec::new(),
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
