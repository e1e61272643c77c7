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
}

/// What an expression sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ExpressionRoot {
    /// `alert`.
    Alert,
    /// `body`: what a source with a format of its own sent.
    Body,
    /// `body`, and `item`: one of its items.
    Item,
}

impl ExpressionRoot {
    /// The names of what it sees.
    pub fn names(self) -> &'static [&'static str] {
        match self {
            Self::Alert => &["alert"],
            Self::Body => &["body"],
            Self::Item => &["body", "item"],
        }
    }
}
