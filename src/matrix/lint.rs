//! Faults of an expression that can be found before any alert arrives.

use crate::{
    core::Zones,
    matrix::{
        expression_fault::{BadExpression, ExpressionRoot, ExpressionUse},
        expression_functions::FACTOR,
        facts::FIELDS,
        risk::LevelNames,
        value_kind::ValueKind,
        zone_name::zone_named,
        zoned::{self, IN_ZONE},
    },
    toml_kit::nearest::nearest,
};
use cel::{
    Program,
    common::ast::{CallExpr, ComprehensionExpr, EntryExpr, Expr, IdedExpr, LiteralValue, SelectExpr, operators as op},
};
use chrono::DateTime;
use std::{collections::BTreeSet, ops::Range};

/// How deep loops (`all`, `exists`, `map`, `filter`) may be nested: a loop that runs too long cannot be stopped.
const LOOPS_MAX: usize = 2;

/// How deep an expression may be nested.
const DEPTH_MAX: usize = 64;

const FUNCTIONS: [&str; 26] = [
    FACTOR,
    "size",
    "contains",
    "startsWith",
    "endsWith",
    "matches",
    "string",
    "bytes",
    "int",
    "uint",
    "double",
    "bool",
    "dyn",
    "type",
    "duration",
    "timestamp",
    "getFullYear",
    "getMonth",
    "getDayOfYear",
    "getDayOfMonth",
    "getDate",
    "getDayOfWeek",
    "getHours",
    "getMinutes",
    "getSeconds",
    "getMilliseconds",
];

const TYPES: [&str; 12] =
    ["bool", "int", "uint", "double", "string", "bytes", "list", "map", "null_type", "type", "timestamp", "duration"];

/// The faults of a compiled expression, or the assessments that it uses.
pub(super) fn check(
    program: &Program,
    text: &str,
    (purpose, sees): (ExpressionUse, ExpressionRoot),
    (zones, levels): (&Zones, &LevelNames),
) -> Result<BTreeSet<String>, Vec<BadExpression>> {
    let (bound, used, faults) = (Vec::new(), BTreeSet::new(), Vec::new());
    let mut walk = ExpressionWalk { program, text, sees, zones, levels, bound, loops: 0, depth: 0, used, faults };
    let root = program.expression();
    walk.visit(root);
    walk.purpose(root, purpose);
    if walk.faults.is_empty() { Ok(walk.used) } else { Err(walk.faults) }
}

pub(super) struct ExpressionWalk<'e> {
    program: &'e Program,
    text: &'e str,
    pub(super) sees: ExpressionRoot,
    zones: &'e Zones,
    pub(super) levels: &'e LevelNames,
    pub(super) bound: Vec<&'e str>,
    loops: usize,
    depth: usize,
    /// The assessments that it names.
    pub(super) used: BTreeSet<String>,
    faults: Vec<BadExpression>,
}

impl<'e> ExpressionWalk<'e> {
    fn visit(&mut self, node: &'e IdedExpr) {
        if self.depth == DEPTH_MAX {
            self.fault("expression-too-deep", node, "this expression is nested too deep", "split it into two triggers");
            return;
        }
        self.depth += 1;
        match &node.expr {
            Expr::Unspecified | Expr::Literal(_) => {}
            Expr::Ident(name) => self.ident(node, name),
            Expr::Select(select) => self.select(node, select),
            Expr::Call(call) => self.call(node, call),
            Expr::Comprehension(comprehension) => self.comprehension(node, comprehension),
            Expr::List(list) => list.elements.iter().for_each(|element| self.visit(element)),
            Expr::Map(map) => map.entries.iter().for_each(|entry| self.entry(&entry.expr)),
            Expr::Struct(_) => {
                let help = "write a comparison such as alert.values.drop_pct >= 5.0";
                self.fault("bad-expression", node, "messages can not be built here", help);
            }
        }
        self.depth -= 1;
    }

    fn entry(&mut self, entry: &'e EntryExpr) {
        match entry {
            EntryExpr::StructField(field) => self.visit(&field.value),
            EntryExpr::MapEntry(entry) => {
                self.visit(&entry.key);
                self.visit(&entry.value);
            }
        }
    }

    fn ident(&mut self, node: &'e IdedExpr, name: &str) {
        let seen = self.sees.names();
        if self.is_risk(node) {
            return self.bare_risk(node);
        }
        if seen.contains(&name) || self.bound.contains(&name) || TYPES.contains(&name) {
            return;
        }
        if !self.sees.has_alert() {
            let seen = seen.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" and ");
            let help = format!("a mapping sees {seen}: write {}.{name}", self.sees.names().last().unwrap_or(&"body"));
            return self.fault("unknown-variable", node, &format!("`{name}` is not known here"), &help);
        }
        let help = match nearest(name, FIELDS.into_iter()) {
            Some(field) => format!("did you mean `alert.{field}`?"),
            None => format!("only `alert` is: write alert.labels.{name} (text) or alert.values.{name} (a number)"),
        };
        self.fault("unknown-variable", node, &format!("`{name}` is not known here"), &help);
    }

    fn select(&mut self, node: &'e IdedExpr, select: &'e SelectExpr) {
        if self.is_risk(&select.operand) {
            return self.assessment(node, &select.field);
        }
        self.risk_field(node, &select.operand, &select.field);
        self.visit(&select.operand);
        self.alert_field(node, &select.operand, &select.field);
    }

    fn alert_field(&mut self, node: &'e IdedExpr, operand: &IdedExpr, field: &str) {
        if !self.is_alert(operand) || FIELDS.contains(&field) {
            return;
        }
        let help = match nearest(field, FIELDS.into_iter()) {
            Some(near) => format!("did you mean `alert.{near}`?"),
            None => format!("a monitor's own fields are under labels (text) or values (numbers): alert.values.{field}"),
        };
        self.fault("unknown-field", node, &format!("an alert has no field `{field}`"), &help);
    }

    fn call(&mut self, node: &'e IdedExpr, call: &'e CallExpr) {
        if let (op::INDEX, [of, name]) = (call.func_name.as_str(), &call.args[..])
            && self.is_risk(of)
            && let Expr::Literal(LiteralValue::String(name)) = &name.expr
        {
            return self.assessment(node, name.inner());
        }
        call.target.iter().for_each(|target| self.visit(target));
        call.args.iter().for_each(|arg| self.visit(arg));
        let name = call.func_name.as_str();
        if name.starts_with(|c: char| c.is_ascii_alphabetic()) && !FUNCTIONS.contains(&name) {
            let help = match nearest(name, FUNCTIONS.into_iter()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => {
                    String::from("there are contains, startsWith, endsWith, matches, size, has, int, double, string")
                }
            };
            self.fault("unknown-function", node, &format!("there is no function `{name}`"), &help);
        }
        let [left, right] = &call.args[..] else { return };
        if name == IN_ZONE {
            return self.zone(right);
        }
        if name == op::INDEX
            && let Expr::Literal(LiteralValue::String(field)) = &right.expr
        {
            self.alert_field(node, left, field.inner());
        }
        self.compared_levels(node, name, left, right);
        let (Some(one), Some(other)) = (self.kind(left), self.kind(right)) else { return };
        self.operands(node, name, one, other);
    }

    /// A literal zone name can be looked up now; one from an alert cannot.
    fn zone(&mut self, node: &'e IdedExpr) {
        let Expr::Literal(LiteralValue::String(name)) = &node.expr else { return };
        let name = name.inner();
        if let Err(why) = zoned::in_zone(self.zones, DateTime::UNIX_EPOCH.fixed_offset(), name) {
            let help = zone_named(name, self.zones).err().map(|unknown| unknown.help).unwrap_or_default();
            self.fault("bad-time-zone", node, &why, &help);
        }
    }

    fn operands(&mut self, node: &'e IdedExpr, operator: &str, one: ValueKind, other: ValueKind) {
        let compares = [op::EQUALS, op::NOT_EQUALS, op::LESS, op::LESS_EQUALS, op::GREATER, op::GREATER_EQUALS]
            .contains(&operator);
        let computes = [op::ADD, op::SUBSTRACT, op::MULTIPLY, op::DIVIDE, op::MODULO].contains(&operator);
        if compares && one.shown() != other.shown() {
            let message = format!("this compares {} with {}", one.shown(), other.shown());
            self.fault("never-comparable", node, &message, "labels are text (in quotes), values are numbers (without)");
        }
        if computes && matches!((one, other), (ValueKind::Double, ValueKind::Int) | (ValueKind::Int, ValueKind::Double))
        {
            let help = "write numbers that are computed with values with a point: 2.0 rather than 2";
            self.fault("mixed-numbers", node, "a number with a point and one without can not be combined", help);
        }
    }

    fn comprehension(&mut self, node: &'e IdedExpr, loop_: &'e ComprehensionExpr) {
        self.visit(&loop_.iter_range);
        self.visit(&loop_.accu_init);
        if self.loops == LOOPS_MAX {
            let message = format!("more than {LOOPS_MAX} nested loops");
            self.fault("loops-too-deep", node, &message, "let the monitor compute this and send it as a value");
            return;
        }
        self.loops += 1;
        let names = [Some(&loop_.iter_var), loop_.iter_var2.as_ref(), Some(&loop_.accu_var)];
        let before = self.bound.len();
        self.bound.extend(names.into_iter().flatten().map(String::as_str));
        [&loop_.loop_cond, &loop_.loop_step, &loop_.result].into_iter().for_each(|part| self.visit(part));
        self.bound.truncate(before);
        self.loops -= 1;
    }

    fn purpose(&mut self, root: &'e IdedExpr, purpose: ExpressionUse) {
        let Some(kind) = self.kind(root) else { return };
        let within = 0..self.text.len();
        let (code, message, help) = match (purpose, kind) {
            (ExpressionUse::Condition, ValueKind::Flag)
            | (ExpressionUse::Scalar, ValueKind::Text | ValueKind::Double | ValueKind::Int | ValueKind::Flag) => return,
            (ExpressionUse::Condition, kind) => {
                let message = format!("a condition must be true or false, but this is {}", kind.shown());
                ("not-a-condition", message, "compare it with something: alert.values.drop_pct >= 5.0")
            }
            (ExpressionUse::List | ExpressionUse::Texts, ValueKind::List) | (ExpressionUse::Texts, ValueKind::Text) => {
                return;
            }
            (ExpressionUse::Texts, kind) => {
                let message = format!("this must be text or a list of texts, but it is {}", kind.shown());
                ("not-text", message, "name what people wrote: alert.evidence.transcript")
            }
            (ExpressionUse::List, kind) => {
                let message = format!("this must be a list, but it is {}", kind.shown());
                ("not-a-list", message, "name the list of the body: body.events")
            }
            (ExpressionUse::Scalar, kind) => {
                let message = format!("this must be text or a number, but it is {}", kind.shown());
                ("not-text", message, "name one field: alert.labels.symbol")
            }
        };
        self.faults.push(BadExpression { code, within, message, help: help.to_owned() });
    }

    fn kind(&self, node: &IdedExpr) -> Option<ValueKind> {
        match &node.expr {
            Expr::Literal(literal) => ValueKind::of_literal(literal),
            Expr::Select(select) if select.test => Some(ValueKind::Flag),
            Expr::Select(select) => self.field_kind(&select.operand, &select.field),
            Expr::Call(call) => self.call_kind(call),
            Expr::List(_) => Some(ValueKind::List),
            Expr::Map(_) => Some(ValueKind::Map),
            Expr::Unspecified | Expr::Comprehension(_) | Expr::Ident(_) | Expr::Struct(_) => None,
        }
    }

    fn field_kind(&self, operand: &IdedExpr, field: &str) -> Option<ValueKind> {
        if self.is_alert(operand) {
            return match field {
                "source" | "kind" | "status" | "summary" => Some(ValueKind::Text),
                "labels" | "values" | "annotations" => Some(ValueKind::Map),
                "confidence" => Some(ValueKind::Double),
                "starts_at" => Some(ValueKind::Time),
                "drill" => Some(ValueKind::Flag),
                _ => None,
            };
        }
        if self.names_assessment(operand).is_some() {
            return if field == "level" { Some(ValueKind::Text) } else { Some(ValueKind::Double) };
        }
        let Expr::Select(outer) = &operand.expr else { return None };
        match outer.field.as_str() {
            "labels" | "annotations" if self.is_alert(&outer.operand) => Some(ValueKind::Text),
            "values" if self.is_alert(&outer.operand) => Some(ValueKind::Double),
            _ => None,
        }
    }

    fn call_kind(&self, call: &CallExpr) -> Option<ValueKind> {
        match call.func_name.as_str() {
            op::EQUALS | op::NOT_EQUALS | op::LESS | op::LESS_EQUALS | op::GREATER | op::GREATER_EQUALS => {
                Some(ValueKind::Flag)
            }
            op::LOGICAL_AND | op::LOGICAL_OR | op::LOGICAL_NOT | op::IN => Some(ValueKind::Flag),
            "contains" | "startsWith" | "endsWith" | "matches" | "bool" => Some(ValueKind::Flag),
            "size" | "int" => Some(ValueKind::Int),
            "double" => Some(ValueKind::Double),
            "string" | FACTOR => Some(ValueKind::Text),
            op::INDEX => self.field_kind(call.args.first()?, ""),
            op::ADD | op::SUBSTRACT | op::MULTIPLY | op::DIVIDE | op::NEGATE => {
                let kind = self.kind(call.args.first()?)?;
                matches!(kind, ValueKind::Double | ValueKind::Int | ValueKind::Text).then_some(kind)
            }
            op::CONDITIONAL => self.kind(call.args.get(1)?),
            _ => None,
        }
    }

    fn is_alert(&self, node: &IdedExpr) -> bool {
        self.sees.has_alert()
            && matches!(&node.expr, Expr::Ident(name) if name == "alert")
            && !self.bound.contains(&"alert")
    }

    pub(super) fn fault(&mut self, code: &'static str, node: &IdedExpr, message: &str, help: &str) {
        let within = self.place(node);
        self.faults.push(BadExpression { code, within, message: message.to_owned(), help: help.to_owned() });
    }

    fn place(&self, node: &IdedExpr) -> Range<usize> {
        let mut span = None;
        self.widen(node, &mut span);
        let whole = 0..self.text.len();
        span.filter(|span| !span.is_empty() && self.text.get(span.clone()).is_some()).unwrap_or(whole)
    }

    /// The parser only gives the places of single tokens, so a node's span is widened to include everything inside it.
    fn widen(&self, node: &IdedExpr, span: &mut Option<Range<usize>>) {
        let mut cover = |part: Range<usize>| {
            let before = span.take().unwrap_or(part.clone());
            *span = Some(before.start.min(part.start)..before.end.max(part.end));
        };
        let place = self.program.source_info().offset_for(node.id);
        if let Some((start, stop)) = place {
            cover(start as usize..stop as usize + 1);
        }
        match (&node.expr, place) {
            (Expr::Select(select), Some((start, _))) if !select.test => {
                let rest = self.text.get(start as usize..).unwrap_or_default();
                if let Some(found) = rest.find(&select.field) {
                    cover(start as usize..start as usize + found + select.field.len());
                }
                self.widen(&select.operand, span);
            }
            (Expr::Call(call), _) => {
                call.target.iter().for_each(|target| self.widen(target, span));
                call.args.iter().for_each(|arg| self.widen(arg, span));
                self.close(call, span);
            }
            _ => {}
        }
    }

    /// The tree has no tokens for the name of a call and its closing bracket.
    fn close(&self, call: &CallExpr, span: &mut Option<Range<usize>>) {
        let is_function = call.func_name.starts_with(|c: char| c.is_ascii_alphabetic());
        let bracket = if call.func_name == op::INDEX { ']' } else { ')' };
        let Some(before) = span.take() else { return };
        let rest = self.text.get(before.end..).unwrap_or_default();
        let closed = (is_function || bracket == ']') && rest.trim_start().starts_with(bracket);
        let end = if closed { before.end + rest.find(bracket).unwrap_or(0) + 1 } else { before.end };
        let ahead = self.text.get(..before.start).unwrap_or_default();
        let named = is_function && ahead.ends_with(&call.func_name);
        *span = Some(if named { before.start - call.func_name.len()..end } else { before.start..end });
    }
}
