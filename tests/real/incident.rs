//! What `stentor show` says about an incident.

use crate::{common::Daemon, parts::until};
use serde_json::Value;

/// One look at the first incident.
pub struct Shown {
    pub incident: Value,
    timeline: Vec<Value>,
}

impl Shown {
    /// INC-1, once there is one.
    pub fn look(daemon: &Daemon) -> Option<Self> {
        let output = daemon.cli(&["show", "INC-1", "--json"]);
        let mut whole: Value = serde_json::from_slice(&output.stdout).ok().filter(|_| output.status.success())?;
        let timeline = whole["timeline"].take().as_array().cloned().unwrap_or_default();
        Some(Self { incident: whole["incident"].take(), timeline })
    }

    /// INC-1 as soon as it is as wanted.
    pub fn once(daemon: &Daemon, what: &str, wanted: impl Fn(&Self) -> bool) -> Self {
        until(what, || Self::look(daemon).filter(&wanted))
    }

    /// A role that was entered, or null.
    pub fn role(&self, name: &str) -> &Value {
        let roles = self.incident["roles"].as_array().into_iter().flatten();
        roles.into_iter().find(|role| role["role"] == name).unwrap_or(&Value::Null)
    }

    pub fn state(&self, role: &str) -> &str {
        self.role(role)["state"].as_str().unwrap_or_default()
    }

    /// The first asking page of a person by a channel, or null.
    pub fn brief(&self, person: &str, channel: &str) -> &Value {
        let pages = self.incident["pages"].as_array().into_iter().flatten();
        let wanted =
            |page: &&Value| page["person"] == person && page["channel"] == channel && page["purpose"] == "brief";
        pages.into_iter().find(wanted).unwrap_or(&Value::Null)
    }

    /// The events of one kind, in their order.
    pub fn events(&self, kind: &str) -> Vec<&Value> {
        self.timeline.iter().filter(|event| event["event"] == kind).collect()
    }

    /// Whether nothing else was opened.
    pub fn is_only(daemon: &Daemon) -> bool {
        let all = daemon.json(&["incidents", "--all"]);
        all.as_array().is_some_and(|all| all.len() == 1)
    }
}

/// Every hash of the daemon's journal is as it must be.
pub fn assert_journal(daemon: &Daemon) {
    let output = daemon.cli(&["journal", "verify"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
