//! What is wrong with an expression, and what expressions are for.

use std::ops::Range;

/// What is wrong with an expression, and where in it (in bytes).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct BadExpression {
    pub code: &'static str,
    pub within: Range<usize>,
    pub message: String,
    pub help: String,
}

/// What an expression is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ExpressionUse {
    /// It must be true or false.
    Condition,
    /// It must be text, a number, true or false.
    Scalar,
}
