//! What the agent of the demo asks, who answers, and what must come out.

use serde_json::{Value, json};

/// One question of the agent.
pub struct Scene {
    pub title: &'static str,
    pub kind: &'static str,
    pub question: &'static str,
    /// What it would do, as JSON.
    action: &'static str,
    /// How long people have; as long as the matrix allows if it is empty.
    deadline: &'static str,
    /// Who answers, in this order.
    pub answers: &'static [SceneAnswer],
    pub state: &'static str,
    pub option: &'static str,
    pub by: &'static [&'static str],
    /// What the agent does if it may.
    pub done: &'static str,
}

/// What one person answers by SMS.
pub struct SceneAnswer {
    pub person: &'static str,
    pub letter: char,
}

/// The scenes, in their order.
pub const SCENES: [Scene; 3] = [
    Scene {
        title: "1. One person denies",
        kind: "agent_change",
        question: "Restart the payment gateway now, in business hours?",
        action: r#"{"run": "restart", "service": "payment-gateway"}"#,
        deadline: "",
        answers: &[SceneAnswer { person: "dana", letter: 'B' }],
        state: "decided",
        option: "deny",
        by: &["dana"],
        done: "",
    },
    Scene {
        title: "2. Two people approve",
        kind: "agent_payment",
        question: "Pay back 1,204.50 EUR to customer 88213 for the double charge of today?",
        action: r#"{"run": "refund", "customer": 88213, "amount": "1204.50", "currency": "EUR"}"#,
        deadline: "",
        answers: &[SceneAnswer { person: "marco", letter: 'A' }, SceneAnswer { person: "ines", letter: 'A' }],
        state: "decided",
        option: "approve",
        by: &["marco", "ines"],
        done: "it pays the money back, once",
    },
    Scene {
        title: "3. Nobody answers, and the rules have a default",
        kind: "agent_cleanup",
        question: "Delete the 312 log archives that are older than a year?",
        action: r#"{"run": "delete", "archives": 312}"#,
        deadline: "5s",
        answers: &[],
        state: "defaulted",
        option: "deny",
        by: &[],
        done: "",
    },
];

impl Scene {
    /// The arguments of `ask_human`.
    pub fn arguments(&self) -> Value {
        let action: Value = serde_json::from_str(self.action).unwrap_or_default();
        let mut arguments = json!({
            "kind": self.kind, "question": self.question, "action": action, "confidence": 0.82,
            "request_key": format!("demo-{}", self.kind),
        });
        if !self.deadline.is_empty() {
            arguments["deadline"] = self.deadline.into();
        }
        arguments
    }
}
