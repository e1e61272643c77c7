//! Faults in expressions, and the purposes of expressions.

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
}
