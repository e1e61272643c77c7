//! Names that people give to things in the matrix. Each kind has its own type, so that a role cannot be passed as a
//! person.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::{borrow::Borrow, fmt, sync::Arc};

macro_rules! name {
    ($(#[$doc:meta])* $type:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
        #[serde(transparent)]
        pub struct $type(Arc<str>);

        impl $type {
            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
        impl From<&str> for $type {
            fn from(text: &str) -> Self {
                Self(text.into())
            }
        }
        impl From<String> for $type {
            fn from(text: String) -> Self {
                Self(text.into())
            }
        }
        impl Borrow<str> for $type {
            fn borrow(&self) -> &str {
                &self.0
            }
        }
        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }
        impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&self.0, f)
            }
        }
    };
}

name!(
    /// A job that somebody must take in a crisis: trader, compliance, it.
    RoleName
);
name!(
    /// A responder, by their name in the matrix.
    PersonName
);
name!(
    /// A way to reach people, by its name in the matrix.
    ChannelName
);
name!(
    /// A rule that turns alerts into an incident.
    TriggerName
);
name!(
    /// A monitor that may post alerts.
    SourceName
);
name!(
    /// A group of people who take turns.
    RotationName
);

impl RoleName {
    /// The role of the matrix's catch-all: the last `next` of every chain.
    pub fn catch_all() -> Self {
        Self::from(CATCH_ALL)
    }

    /// Whether this is the catch-all.
    pub fn is_catch_all(&self) -> bool {
        self.as_str() == CATCH_ALL
    }
}

/// The reserved name of the catch-all; no role in the matrix may use it.
pub const CATCH_ALL: &str = "catch-all";

/// The source of Stentor's reports about itself, and the trigger name in their plans. Reserved in both places.
pub const SELF: &str = "stentor";

/// Where what people were shown and told is journaled: a chain of its own, because there are many of its lines. No source
/// can have this name.
pub const WORDS: &str = "stentor:words";

/// The trigger name in plans for roles that are called by hand. Reserved.
pub const BY_HAND: &str = "by-hand";

/// The source of a scenario's alerts, and the trigger name of a run's announcement. Reserved in both places.
pub const DRILLS: &str = "drill";
