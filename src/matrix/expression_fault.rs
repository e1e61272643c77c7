//! Faults in expressions, and what expressions are for and see.

use std::ops::Range;

/// A fault in an expression, and its place there (in bytes).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct BadExpression {
    pub code: &'static str,
    pub within: Range<usize>,
    pub message: String,
    pub help: String,
}

/// The purpose of an expression.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ExpressionUse {
    /// It must be true or false.
    Condition,
    /// It must be text, a number, true or false.
    Scalar,
    /// It must be a list.
    List,
    /// It must be text, or a list of texts.
    Texts,
}

/// What an expression sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ExpressionRoot {
    /// `alert`, and `risk`: what the assessments make of it.
    Alert,
    /// `alert` alone: assessments do not see each other.
    Facts,
    /// `body`: what a source with a format of its own sent.
    Body,
    /// `body`, and `item`: one of its items.
    Item,
}

impl ExpressionRoot {
    /// The names of what it sees.
    pub fn names(self) -> &'static [&'static str] {
        match self {
            Self::Alert => &["alert", "risk"],
            Self::Facts => &["alert"],
            Self::Body => &["body"],
            Self::Item => &["body", "item"],
        }
    }

    /// Whether it sees an alert, rather than the body of a request.
    pub fn has_alert(self) -> bool {
        matches!(self, Self::Alert | Self::Facts)
    }
}
