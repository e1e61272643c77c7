//! Faults of expressions in what they say of assessments: names and levels that are not there.

use crate::{
    matrix::{
        expression_fault::ExpressionRoot,
        lint::ExpressionWalk,
        risk::{RISK, RISK_FIELDS},
    },
    toml_kit::nearest::{instead, nearest},
};
use cel::common::ast::{Expr, IdedExpr, LiteralValue, operators as op};

impl<'e> ExpressionWalk<'e> {
    pub(super) fn is_risk(&self, node: &IdedExpr) -> bool {
        self.sees.has_alert() && matches!(&node.expr, Expr::Ident(name) if name == RISK) && !self.bound.contains(&RISK)
    }

    /// The assessment that this names: `risk.symptoms`.
    pub(super) fn names_assessment(&self, node: &'e IdedExpr) -> Option<&'e str> {
        match &node.expr {
            Expr::Select(select) if self.is_risk(&select.operand) => Some(&select.field),
            Expr::Call(call) if call.func_name == op::INDEX => match &call.args[..] {
                [of, IdedExpr { expr: Expr::Literal(LiteralValue::String(name)), .. }] if self.is_risk(of) => {
                    Some(name.inner())
                }
                _ => None,
            },
            _ => None,
        }
    }

    pub(super) fn bare_risk(&mut self, node: &'e IdedExpr) {
        if self.sees == ExpressionRoot::Facts {
            let help = "put its rules into this assessment, or compare both in a trigger's `when`";
            return self.fault("unknown-variable", node, "an assessment can not use another one", help);
        }
        let first = self.levels.keys().next().map_or("symptoms", String::as_str);
        let help = format!("write {RISK}.{first}.level or {RISK}.{first}.score");
        self.fault("no-assessment", node, "this must name an assessment", &help);
    }

    /// An assessment that is named must be there.
    pub(super) fn assessment(&mut self, node: &'e IdedExpr, name: &str) {
        if self.sees == ExpressionRoot::Facts {
            return self.bare_risk(node);
        }
        if self.levels.contains_key(name) {
            self.used.insert(name.to_owned());
            return;
        }
        let help = match self.levels.is_empty() {
            true => format!("add [assessment.{name}]"),
            false => instead(name, self.levels.keys().map(String::as_str)),
        };
        self.fault("unknown-assessment", node, &format!("there is no assessment `{name}`"), &help);
    }

    pub(super) fn risk_field(&mut self, node: &'e IdedExpr, operand: &'e IdedExpr, field: &str) {
        if self.names_assessment(operand).is_none() || RISK_FIELDS.contains(&field) {
            return;
        }
        let help = match nearest(field, RISK_FIELDS.into_iter()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "it has level (text), score and confidence (numbers)".to_owned(),
        };
        self.fault("unknown-field", node, &format!("an assessment has no field `{field}`"), &help);
    }

    /// A level is compared with names of levels, and only for being the same.
    pub(super) fn compared_levels(
        &mut self,
        node: &'e IdedExpr,
        operator: &str,
        left: &'e IdedExpr,
        right: &'e IdedExpr,
    ) {
        let (Some(name), with) = (match (self.level_of(left), self.level_of(right)) {
            (Some(name), _) => (Some(name), right),
            (None, other) => (other, left),
        }) else {
            return;
        };
        let Some(levels) = self.levels.get(name) else { return };
        if [op::LESS, op::LESS_EQUALS, op::GREATER, op::GREATER_EQUALS].contains(&operator) {
            let highest = levels.iter().skip(1).map(|level| format!("{level:?}")).collect::<Vec<_>>().join(", ");
            let help = format!("name the levels: {RISK}.{name}.level in [{highest}]; or compare {RISK}.{name}.score");
            return self.fault("levels-are-names", node, "levels are names: text is compared by its letters", &help);
        }
        let texts = match &with.expr {
            Expr::List(list) => list.elements.iter().collect(),
            _ => vec![with],
        };
        for text in texts {
            let Expr::Literal(LiteralValue::String(level)) = &text.expr else { continue };
            if !levels.iter().any(|known| known == level.inner()) {
                let help = instead(level.inner(), levels.iter().map(String::as_str));
                let message = format!("assessment `{name}` has no level {:?}", level.inner());
                self.fault("unknown-level", text, &message, &help);
            }
        }
    }

    fn level_of(&self, node: &'e IdedExpr) -> Option<&'e str> {
        match &node.expr {
            Expr::Select(select) if select.field == "level" => self.names_assessment(&select.operand),
            _ => None,
        }
    }
}
