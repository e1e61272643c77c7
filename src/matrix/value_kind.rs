//! The type of a value, as far as an expression alone shows it.

use cel::common::ast::LiteralValue;

/// The type of a value, if the expression alone shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ValueKind {
    Flag,
    Text,
    Double,
    Int,
    Time,
    Map,
    List,
}

impl ValueKind {
    pub fn of_literal(literal: &LiteralValue) -> Option<Self> {
        match literal {
            LiteralValue::Boolean(_) => Some(Self::Flag),
            LiteralValue::Double(_) => Some(Self::Double),
            LiteralValue::Int(_) => Some(Self::Int),
            LiteralValue::String(_) => Some(Self::Text),
            LiteralValue::UInt(_) | LiteralValue::Bytes(_) | LiteralValue::Null => None,
        }
    }

    pub fn shown(self) -> &'static str {
        match self {
            Self::Flag => "true or false",
            Self::Text => "text",
            Self::Double | Self::Int => "a number",
            Self::Time => "a time",
            Self::Map => "a map",
            Self::List => "a list",
        }
    }
}
