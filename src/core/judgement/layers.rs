//! What the matrix says of each layer.

use super::samples::ValueChange;
use serde::{Deserialize, Serialize};
use std::{fmt, time::Duration};

/// A layer, in the order in which alerts pass them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum JudgementLayer {
    /// A value must have changed by so much.
    Change,
    /// Several independent witnesses must say it.
    Corroborate,
    /// It must have held so often.
    Threshold,
    /// It must go on for so long.
    #[serde(rename = "for")]
    Delay,
    /// The last incident must be over for so long.
    Cooldown,
    /// No silence must hold it.
    Silence,
    /// A monitor must have been silent for so long.
    Absent,
}

impl JudgementLayer {
    /// The key of a trigger that sets it; `silence` is set by people.
    pub fn key(self) -> &'static str {
        match self {
            Self::Change => "change",
            Self::Corroborate => "corroborate",
            Self::Threshold => "threshold",
            Self::Delay => "for",
            Self::Cooldown => "cooldown",
            Self::Silence => "silence",
            Self::Absent => "absent",
        }
    }
}

impl fmt::Display for JudgementLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.key())
    }
}

/// The layers of a trigger besides its count.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct JudgementLayers {
    /// How much a value must have changed.
    pub change: Option<ValueChange>,
    /// How many independent witnesses must say it.
    pub corroborate: Option<Corroboration>,
    /// How long the condition must go on.
    pub delay: Option<Duration>,
    /// How long nothing opens after the end of an incident.
    pub cooldown: Option<Duration>,
    /// When openings count as flapping.
    pub flapping: Option<FlapLimit>,
    /// When a key counts as absent.
    pub absent: Option<AbsenceLimit>,
}

impl JudgementLayers {
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether an alert may be held and opened later, without another one.
    pub fn defers(&self) -> bool {
        self.delay.is_some() || self.cooldown.is_some() || self.absent.is_some()
    }

    /// Whether an alert for which the condition does not hold changes anything.
    pub fn breaks(&self) -> bool {
        self.defers() || self.corroborate.is_some()
    }
}

/// `corroborate = { count, within, by }`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Corroboration {
    /// How many; 2 to [`super::WITNESSES_MAX`].
    pub count: u32,
    /// Within which time.
    pub within: Duration,
}

/// `flapping = { openings, within }`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FlapLimit {
    /// So many openings are flapping; 2 to [`super::OPENINGS_MAX`].
    pub openings: u32,
    /// Within which time.
    pub within: Duration,
}

/// `absent = { every, grace }`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AbsenceLimit {
    /// How often it must speak.
    pub every: Duration,
    /// How much later is still in time.
    pub grace: Duration,
}
