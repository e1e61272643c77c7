//! What an evaluation may cost. The language bounds how deep loops are nested, but not how long they run: that follows
//! from the alert, and alerts come from outside. So each compiled expression is rewritten to count what it does.

use cel::{
    ExecutionError, FunctionContext,
    common::{
        ast::{CallExpr, EntryExpr, Expr, IdedExpr, LiteralValue, operators as op},
        types::{CelBytes, CelInt, CelList, CelMap, CelString},
        value::{CowVal, Val},
    },
};
use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
};

/// The most that one expression may cost, in units. A unit is a value that is looked at, or 64 bytes of text: some tens
/// of nanoseconds. Two nested loops over 300 elements cost about as much as this.
pub const EXPRESSION_COST_MAX: u64 = 1_000_000;

/// What a pattern of `matches` costs besides its length, in units: it is compiled each time.
const PATTERN_COST: i64 = 500;

/// The function that counts, which can not be written in an expression: `@metered(value, weight)` is `value`.
pub(super) const METERED: &str = "@metered";

/// Operators that look at a flag, or at one part of a value, whatever its size.
const FREE: [&str; 8] = [
    op::CONDITIONAL,
    op::LOGICAL_AND,
    op::LOGICAL_OR,
    op::LOGICAL_NOT,
    op::NOT_STRICTLY_FALSE,
    op::INDEX,
    op::OPT_INDEX,
    op::OPT_SELECT,
];

/// Counts what evaluations cost, and ends those that cost too much.
#[derive(Debug)]
pub struct CostMeter {
    /// What all evaluations together may still cost.
    left: AtomicU64,
    /// What the expression at work may still cost.
    of_expression: AtomicU64,
    /// Nobody waits for the result any more.
    is_given_up: AtomicBool,
    /// An evaluation was ended because all of them together, or the wait for them, had reached their limit.
    is_overrun: AtomicBool,
}

impl CostMeter {
    /// A meter for evaluations that together may cost `most` units, and [`EXPRESSION_COST_MAX`] each.
    pub fn new(most: u64) -> Self {
        Self {
            left: most.into(),
            of_expression: AtomicU64::new(0),
            is_given_up: AtomicBool::new(false),
            is_overrun: AtomicBool::new(false),
        }
    }

    /// Ends the evaluation in progress, and all that come after it, as soon as they look at another value.
    pub fn give_up(&self) {
        self.is_given_up.store(true, Relaxed);
    }

    /// Whether an evaluation was ended though it had not reached its own limit: another meter may let it through.
    pub fn is_overrun(&self) -> bool {
        self.is_overrun.load(Relaxed)
    }

    /// What all evaluations together may still cost.
    pub fn left(&self) -> u64 {
        self.left.load(Relaxed)
    }

    /// Whether nobody waits for the result any more.
    pub fn is_given_up(&self) -> bool {
        self.is_given_up.load(Relaxed)
    }

    /// From now on all evaluations together may cost this much, whatever those before have cost.
    pub(super) fn allow(&self, most: u64) {
        self.left.store(most, Relaxed);
        self.is_overrun.store(false, Relaxed);
    }

    /// Another expression begins.
    pub(super) fn begin(&self) {
        self.of_expression.store(EXPRESSION_COST_MAX, Relaxed);
    }

    /// Why the last expression was ended, if it was: an operator may have swallowed the error.
    pub(super) fn ended(&self) -> Option<&'static str> {
        if self.of_expression.load(Relaxed) == 0 {
            Some("the alert is too large for it: it would take too many steps")
        } else {
            self.is_overrun().then_some("there was no time left for it, because of alerts that are too large")
        }
    }

    /// Counts that a text of this length is read, at so many units for 64 bytes; the error says why it may not be.
    pub(super) fn charge_text(&self, bytes: usize, units: u64) -> Result<(), &'static str> {
        self.begin();
        let charged = self.charge((bytes as u64 / 64 + 1).saturating_mul(units));
        charged.map_err(|_| self.ended().unwrap_or("there was no time left for it"))
    }

    fn charge(&self, cost: u64) -> Result<(), ExecutionError> {
        // What is beyond the expression's own limit is not done.
        let cost = cost.min(self.of_expression.load(Relaxed));
        let of_expression = self.of_expression.load(Relaxed).saturating_sub(cost);
        self.of_expression.store(of_expression, Relaxed);
        let left = self.left.load(Relaxed).saturating_sub(cost);
        self.left.store(left, Relaxed);
        if of_expression != 0 && (left == 0 || self.is_given_up.load(Relaxed)) {
            self.is_overrun.store(true, Relaxed);
        }
        match self.ended() {
            Some(why) => Err(ExecutionError::function_error(METERED, why)),
            None => Ok(()),
        }
    }
}

type CelFunction = Box<
    dyn for<'context, 'call> Fn(
            &mut FunctionContext<'context, 'call>,
        ) -> Result<CowVal<'context, 'call>, ExecutionError>
        + Send
        + Sync,
>;

/// The function [`METERED`] on one meter.
pub(super) fn function(meter: &Arc<CostMeter>) -> CelFunction {
    let meter = meter.clone();
    Box::new(move |call| {
        let weight = match call.args.pop() {
            Some(weight) if !call.args.is_empty() => {
                weight.downcast_ref::<CelInt>().map_or(0, |weight| *weight.inner())
            }
            _ => return Err(ExecutionError::MissingArgumentOrTarget),
        };
        let Some(value) = call.args.pop() else { return Err(ExecutionError::MissingArgumentOrTarget) };
        let times = u64::try_from(weight).unwrap_or(0).saturating_mul(elements(&*value));
        meter.charge(size(&*value).saturating_add(times))?;
        Ok(value)
    })
}

/// The same expression, whose evaluation calls [`METERED`] for every value that costs as much as it is large: the
/// arguments of functions, the elements of lists, and what a loop runs over, with the size of the loop's body.
pub(super) fn metered(expression: &IdedExpr) -> IdedExpr {
    let mut metered = expression.clone();
    meter(&mut metered);
    metered
}

fn meter(node: &mut IdedExpr) {
    match &mut node.expr {
        Expr::Unspecified | Expr::Literal(_) | Expr::Ident(_) | Expr::Struct(_) => {}
        // A chain of names stays as it is: only its end is a value that is used.
        Expr::Select(select) => meter(&mut select.operand),
        Expr::Call(call) => meter_call(call),
        Expr::Comprehension(looped) => {
            let body = nodes(&looped.loop_step).saturating_add(nodes(&looped.loop_cond));
            for part in [&mut looped.iter_range, &mut looped.accu_init, &mut looped.loop_cond, &mut looped.result] {
                meter(part);
            }
            meter(&mut looped.loop_step);
            wrap(&mut looped.iter_range, body);
        }
        Expr::List(list) => list.elements.iter_mut().for_each(meter_and_wrap),
        Expr::Map(map) => {
            for entry in &mut map.entries {
                match &mut entry.expr {
                    EntryExpr::StructField(field) => meter_and_wrap(&mut field.value),
                    EntryExpr::MapEntry(entry) => {
                        meter_and_wrap(&mut entry.key);
                        meter_and_wrap(&mut entry.value);
                    }
                }
            }
        }
    }
}

fn meter_call(call: &mut CallExpr) {
    let is_free = FREE.contains(&&*call.func_name);
    let pattern = if call.func_name == "matches" { PATTERN_COST } else { 0 };
    let args = call.args.iter_mut().map(|arg| (arg, pattern));
    for (value, weight) in args.chain(call.target.as_deref_mut().map(|target| (target, 0))) {
        meter(value);
        if !is_free {
            wrap(value, weight);
        }
    }
}

fn meter_and_wrap(node: &mut IdedExpr) {
    meter(node);
    wrap(node, 0);
}

/// The result of a loop so far is its own (`@result`), and a list has just been made of metered elements: the language
/// knows loops by these two, and appends to them in place.
fn wrap(node: &mut IdedExpr, weight: i64) {
    let is_cheap = match &node.expr {
        Expr::Literal(_) => weight == 0,
        Expr::Ident(name) => name.starts_with('@'),
        Expr::List(_) => weight == 0,
        _ => false,
    };
    if is_cheap {
        return;
    }
    let weight = IdedExpr { id: node.id, expr: Expr::Literal(LiteralValue::Int(weight.into())) };
    let value = std::mem::take(node);
    node.id = value.id;
    node.expr = Expr::Call(CallExpr { func_name: METERED.to_owned(), target: None, args: vec![value, weight] });
}

/// The number of nodes that one evaluation may visit, loops within it counted once.
fn nodes(node: &IdedExpr) -> i64 {
    let within: i64 = match &node.expr {
        Expr::Unspecified | Expr::Literal(_) | Expr::Ident(_) | Expr::Struct(_) => 0,
        Expr::Select(select) => nodes(&select.operand),
        Expr::Call(call) => call.args.iter().chain(call.target.as_deref()).map(nodes).sum(),
        Expr::Comprehension(looped) => {
            [&looped.iter_range, &looped.loop_cond, &looped.loop_step, &looped.result].map(nodes).iter().sum()
        }
        Expr::List(list) => list.elements.iter().map(nodes).sum(),
        Expr::Map(map) => {
            let entries = map.entries.iter().map(|entry| match &entry.expr {
                EntryExpr::StructField(field) => nodes(&field.value),
                EntryExpr::MapEntry(entry) => nodes(&entry.key) + nodes(&entry.value),
            });
            entries.sum()
        }
    };
    within + 1
}

/// How large a value is, with everything in it, in units.
fn size(value: &dyn Val) -> u64 {
    if let Some(text) = value.downcast_ref::<CelString>() {
        1 + text.inner().len() as u64 / 64
    } else if let Some(list) = value.downcast_ref::<CelList>() {
        1 + list.inner().iter().map(|element| size(&**element)).sum::<u64>()
    } else if let Some(map) = value.downcast_ref::<CelMap>() {
        1 + map.inner().values().map(|value| 1 + size(&**value)).sum::<u64>()
    } else if let Some(bytes) = value.downcast_ref::<CelBytes>() {
        1 + bytes.inner().len() as u64 / 64
    } else {
        1
    }
}

/// How often a loop over this value runs; 1 for a value that has no elements.
fn elements(value: &dyn Val) -> u64 {
    if let Some(list) = value.downcast_ref::<CelList>() {
        list.inner().len() as u64
    } else if let Some(map) = value.downcast_ref::<CelMap>() {
        map.inner().len() as u64
    } else {
        1
    }
}
