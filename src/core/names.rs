//! Names that people give to things in the matrix. Each kind is a type, so that a role cannot be passed for a person.

use serde::{Deserialize, Serialize};
use std::{borrow::Borrow, fmt, sync::Arc};

macro_rules! name {
    ($(#[$doc:meta])* $type:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
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
    /// A function that must be engaged: trader, compliance, it.
    RoleName
);
name!(
    /// A responder, as the matrix calls them.
    PersonName
);
name!(
    /// A way to reach humans, as the matrix calls it.
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
    /// People who take turns.
    RotationName
);

impl RoleName {
    /// The role that the matrix's catch-all is: the last `next` of every chain.
    pub fn catch_all() -> Self {
        Self::from(CATCH_ALL)
    }

    /// Whether this is the catch-all.
    pub fn is_catch_all(&self) -> bool {
        self.as_str() == CATCH_ALL
    }
}

/// The reserved name of the catch-all; no role of the matrix may take it.
pub const CATCH_ALL: &str = "catch-all";

/// The source under which Stentor reports about itself, and the trigger of the plans for it. Reserved for both.
pub const SELF: &str = "stentor";

/// The trigger of the plans for roles that are called by hand. Reserved.
pub const BY_HAND: &str = "by-hand";

/// The source of a scenario's alerts, and the trigger of a run's announcement. Reserved for both.
pub const DRILLS: &str = "drill";
