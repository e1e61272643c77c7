//! CEL expressions over one alert, or over the body from which alerts are made. They are compiled once when the matrix is read, and evaluated for each alert.

use super::{
    cost::{self, CostMeter},
    expression_functions,
    facts::{self, AlertVariable},
    lint,
    risk::{LevelNames, RISK, RiskVariable},
    zoned,
};
use crate::{
    core::{Alert, Zones},
    matrix::expression_fault::{BadExpression, ExpressionRoot, ExpressionUse},
    text::number::number,
};
use cel::{
    Context, Env, ExecutionError, Value,
    common::{
        ast::IdedExpr,
        types::{CelBool, CelDouble, CelInt, CelList, CelString, CelUInt},
        value::{CowVal, Val},
    },
};
use serde_json::Value as Json;
use sha2::{Digest, Sha256};
use std::{
    collections::BTreeSet,
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

/// The longest expression, in bytes.
pub const EXPRESSION_MAX: usize = 4096;

/// The longest key, in bytes, and the longest part of a summary, in characters.
pub const TEXT_MAX: usize = 256;

/// How much of a longer key is kept, in bytes; its hash stands for the rest.
const KEY_START: usize = 200;

/// A compiled expression.
pub struct CelExpression {
    text: String,
    /// What is evaluated; it counts what it costs.
    metered: IdedExpr,
    /// The assessments that it uses.
    assessments: BTreeSet<String>,
}

/// The language of expressions: the standard functions, and the time zones.
pub(super) struct ExpressionLanguage {
    env: Arc<Env>,
    pub zones: Arc<Zones>,
    /// The assessments that conditions can name.
    pub levels: LevelNames,
}

impl ExpressionLanguage {
    pub(super) fn new(zones: Arc<Zones>) -> Self {
        Self { env: Arc::new(zoned::env()), zones, levels: LevelNames::new() }
    }

    /// Compiles `text` and finds all faults that can be found without an alert. Needs a large stack, because the parser
    /// is recursive.
    pub(super) fn compile(&self, text: &str, purpose: ExpressionUse) -> Result<CelExpression, Vec<BadExpression>> {
        self.compile_for(text, purpose, ExpressionRoot::Alert)
    }

    /// The same for an expression that sees something else than an alert.
    pub(super) fn compile_for(
        &self,
        text: &str,
        purpose: ExpressionUse,
        root: ExpressionRoot,
    ) -> Result<CelExpression, Vec<BadExpression>> {
        self.compiled(text, purpose, root).map_err(|mut faults| {
            // An example with an alert helps nobody who has none.
            let of_alert = |fault: &&mut BadExpression| !root.has_alert() && fault.help.contains("alert.");
            faults.iter_mut().filter(of_alert).for_each(|fault| fault.help = OF_BODY.to_owned());
            faults
        })
    }

    fn compiled(
        &self,
        text: &str,
        purpose: ExpressionUse,
        root: ExpressionRoot,
    ) -> Result<CelExpression, Vec<BadExpression>> {
        let whole = |code, message: String, help: &str| {
            vec![BadExpression { code, within: 0..text.len(), message, help: help.to_owned() }]
        };
        if EXPRESSION_MAX < text.len() {
            let message = format!("this expression is longer than {EXPRESSION_MAX} bytes");
            return Err(whole("expression-too-long", message, "split it into two triggers"));
        }
        // The parser is generated code, and has panicked on unusual input.
        let parsed = catch_unwind(AssertUnwindSafe(|| self.env.compile(text)));
        let program = match parsed {
            Ok(Ok(program)) => program,
            Ok(Err(errors)) => return Err(vec![syntax(text, &errors)]),
            Err(_) => return Err(whole("bad-expression", "this is not an expression".into(), EXAMPLE)),
        };
        let assessments = lint::check(&program, text, (purpose, root), (&self.zones, &self.levels))?;
        Ok(CelExpression { text: text.to_owned(), metered: cost::metered(program.expression()), assessments })
    }
}

impl CelExpression {
    /// The source text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The assessments that it uses.
    pub(super) fn assessments(&self) -> &BTreeSet<String> {
        &self.assessments
    }

    /// Whether the condition holds; the error says why it cannot be evaluated.
    pub(super) fn holds(&self, scope: &ExpressionScope<'_>) -> Result<bool, String> {
        let value = self.value(scope)?;
        let Some(holds) = value.downcast_ref::<CelBool>() else {
            let kind = value.get_type().name().to_owned();
            return Err(self.failed(&format!("it gives {kind}, not true or false")));
        };
        Ok(*holds.inner())
    }

    /// The value as a key; the error says why there is none. A long one is kept as its start and its hash: two that differ
    /// stay two.
    pub(super) fn key(&self, scope: &ExpressionScope<'_>) -> Result<String, String> {
        let value = self.value(scope)?;
        let text = scalar(&*value).map(|scalar| scalar.exact()).ok_or_else(|| self.no_scalar(&*value))?;
        if text.len() <= TEXT_MAX {
            return Ok(text);
        }
        let start = &text[..text.floor_char_boundary(KEY_START)];
        let hash = Sha256::digest(text.as_bytes());
        let hash: String = hash.iter().take(12).map(|byte| format!("{byte:02x}")).collect();
        Ok(format!("{start}~{hash}"))
    }

    /// The value as a finite number; the error says why there is none.
    pub(super) fn number(&self, scope: &ExpressionScope<'_>) -> Result<f64, String> {
        let value = self.value(scope)?;
        let number = match scalar(&*value) {
            Some(Scalar::Double(number)) => Some(number),
            Some(Scalar::Int(number)) => Some(number as f64),
            Some(Scalar::UInt(number)) => Some(number as f64),
            _ => None,
        };
        number.filter(|number| number.is_finite()).ok_or_else(|| self.failed("it gives no number"))
    }

    /// The value as people read it; the error says why there is none. A long text is cut.
    pub(super) fn read(&self, scope: &ExpressionScope<'_>) -> Result<String, String> {
        let value = self.value(scope)?;
        let text = scalar(&*value).map(|scalar| scalar.readable()).ok_or_else(|| self.no_scalar(&*value))?;
        let Some((end, _)) = text.char_indices().nth(TEXT_MAX) else { return Ok(text) };
        Ok(format!("{}…", text[..end].trim_end()))
    }

    /// The value as it is written; the error says why there is none.
    pub(super) fn scalar(&self, scope: &ExpressionScope<'_>) -> Result<String, String> {
        let value = self.value(scope)?;
        scalar(&*value).map(Scalar::exact).ok_or_else(|| self.no_scalar(&*value))
    }

    /// The elements of the value as JSON; the error says why there are none.
    pub(super) fn list(&self, scope: &ExpressionScope<'_>) -> Result<Vec<Json>, String> {
        let value = self.value(scope)?;
        let Some(list) = value.downcast_ref::<CelList>() else {
            let kind = value.get_type().name().to_owned();
            return Err(self.failed(&format!("it gives {kind}, not a list")));
        };
        Ok(list.inner().iter().map(|element| facts::to_json(&**element)).collect())
    }

    /// The texts of the value: a text, or those of a list; of a turn of a conversation its `text`.
    pub(super) fn texts(&self, scope: &ExpressionScope<'_>) -> Result<Vec<String>, String> {
        let text_of = |value: Json| match value {
            Json::String(text) => Some(text),
            Json::Object(mut turn) => turn.remove("text").and_then(|text| text.as_str().map(str::to_owned)),
            _ => None,
        };
        let texts = match facts::to_json(&*self.value(scope)?) {
            Json::Array(items) => items.into_iter().map(text_of).collect::<Option<Vec<_>>>(),
            value => text_of(value).map(|text| vec![text]),
        };
        texts.ok_or_else(|| self.failed("it gives neither text nor a list of texts"))
    }

    fn no_scalar(&self, value: &dyn Val) -> String {
        let kind = value.get_type().name();
        self.failed(&format!("it gives {kind}, not text, a number, true or false"))
    }

    fn value<'e, 'a>(&'e self, scope: &'e ExpressionScope<'a>) -> Result<CowVal<'e, 'a>, String> {
        scope.meter.begin();
        let value = Value::resolve_val(&self.metered, &scope.context);
        if let Some(why) = scope.meter.ended() {
            return Err(self.failed(why));
        }
        value.map_err(|error| self.failed(&reason(&error, scope)))
    }

    fn failed(&self, why: &str) -> String {
        format!("`{}` can not be evaluated: {why}", self.text)
    }
}

impl fmt::Debug for CelExpression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Expression({:?})", self.text)
    }
}

/// What expressions see, ready for any number of them.
pub(super) struct ExpressionScope<'a> {
    /// The alert, if that is what they see.
    alert: Option<&'a Alert>,
    context: Context<'a, 'a>,
    meter: Arc<CostMeter>,
}

impl<'a> ExpressionScope<'a> {
    pub(super) fn new(language: &ExpressionLanguage, alert: &'a Alert, meter: &Arc<CostMeter>) -> Self {
        let mut scope = Self::empty(language, meter);
        scope.alert = Some(alert);
        scope.context.add_variable_as_val("alert", Box::new(AlertVariable::of(alert)));
        scope.context.add_variable_as_val(RISK, Box::new(RiskVariable(&alert.assessed)));
        scope
    }

    /// For expressions that see the body of a request.
    pub(super) fn of_body(language: &ExpressionLanguage, body: &'a Json, meter: &Arc<CostMeter>) -> Self {
        let mut scope = Self::empty(language, meter);
        scope.context.add_variable_as_val("body", facts::json(body));
        scope
    }

    /// The item of the body that they see from now on.
    pub(super) fn set_item(&mut self, item: &'a Json) {
        self.context.add_variable_as_val("item", facts::json(item));
    }

    fn empty(language: &ExpressionLanguage, meter: &Arc<CostMeter>) -> Self {
        let mut context = Context::with_env(language.env.clone());
        zoned::add(&mut context, &language.zones);
        // The standard has no function with this name.
        let _ = context.add_function(cost::METERED, cost::function(meter));
        expression_functions::add(&mut context);
        Self { alert: None, context, meter: meter.clone() }
    }
}

impl PartialEq for CelExpression {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for CelExpression {}

const OF_BODY: &str =
    "name a field of what is sent: body.event, or body.level == \"error\" where true or false is asked";

const EXAMPLE: &str = "write a comparison such as alert.values.drop_pct >= 5.0";

fn syntax(text: &str, errors: &cel::ParseErrors) -> BadExpression {
    let Some(first) = errors.errors.first() else {
        let message = String::from("this is not an expression");
        return BadExpression { code: "bad-expression", within: 0..text.len(), message, help: EXAMPLE.to_owned() };
    };
    let (line, column) = (first.pos.0.max(1) as usize, first.pos.1.max(1) as usize);
    let line_start: usize = text.split_inclusive('\n').take(line - 1).map(str::len).sum();
    let start = (line_start + column - 1).min(text.len());
    let word = text.get(start..).and_then(|rest| rest.split_whitespace().next()).map_or(0, str::len);
    let message = match word {
        0 => String::from("the expression ends too early"),
        _ => format!("the expression can not be understood from `{}` on", &text[start..start + word]),
    };
    // At the very end there is nothing to underline, so the whole expression is underlined.
    let within = if word == 0 { 0..text.len() } else { start..start + word };
    BadExpression { code: "bad-expression", within, message, help: EXAMPLE.to_owned() }
}

/// A value that can be written.
enum Scalar {
    Text(String),
    Double(f64),
    Int(i64),
    UInt(u64),
    Flag(bool),
}

fn scalar(value: &dyn Val) -> Option<Scalar> {
    if let Some(text) = value.downcast_ref::<CelString>() {
        Some(Scalar::Text(text.inner().to_owned()))
    } else if let Some(number) = value.downcast_ref::<CelDouble>() {
        Some(Scalar::Double(*number.inner()))
    } else if let Some(number) = value.downcast_ref::<CelInt>() {
        Some(Scalar::Int(*number.inner()))
    } else if let Some(number) = value.downcast_ref::<CelUInt>() {
        Some(Scalar::UInt(*number.inner()))
    } else {
        value.downcast_ref::<CelBool>().map(|flag| Scalar::Flag(*flag.inner()))
    }
}

impl Scalar {
    fn exact(self) -> String {
        match self {
            Self::Text(text) => text,
            Self::Double(number) => number.to_string(),
            Self::Int(number) => number.to_string(),
            Self::UInt(number) => number.to_string(),
            Self::Flag(flag) => flag.to_string(),
        }
    }

    /// Numbers as everywhere else that people read them.
    fn readable(self) -> String {
        match self {
            Self::Double(value) => number(value),
            Self::Int(value) => number(value as f64),
            Self::UInt(value) => number(value as f64),
            Self::Text(_) | Self::Flag(_) => self.exact(),
        }
    }
}

/// Why an evaluation failed, without the values in the error: they come from the monitor and may be large.
fn reason(error: &ExecutionError, scope: &ExpressionScope<'_>) -> String {
    let what = if scope.alert.is_some() { "alert" } else { "body" };
    match error {
        ExecutionError::NoSuchKey(key)
            if scope.alert.is_some_and(|alert| alert.annotations.contains_key(key.as_str())) =>
        {
            format!("the alert has `{key}` only as text that is not a number")
        }
        ExecutionError::NoSuchKey(key) => format!("the {what} has no `{key}`"),
        ExecutionError::UndeclaredReference(name) => format!("`{name}` is not known"),
        ExecutionError::DivisionByZero(_) | ExecutionError::RemainderByZero(_) => String::from("a division by zero"),
        ExecutionError::Overflow(..) => String::from("a number grew too large"),
        ExecutionError::IndexOutOfBounds(_) => String::from("a list is shorter than that"),
        ExecutionError::ValuesNotComparable(..) => String::from("the values can not be compared"),
        ExecutionError::UnsupportedBinaryOperator(operator, ..) => {
            format!("the values on both sides of {} can not be combined", operator.replace('_', ""))
        }
        ExecutionError::NoSuchOverload(overload) => overload.to_string(),
        ExecutionError::FunctionError { function, .. } if function == zoned::IN_ZONE => {
            String::from("there is no such time zone")
        }
        ExecutionError::FunctionError { function, message } if function == RISK => message.clone(),
        ExecutionError::FunctionError { function, .. } => format!("{function}() failed"),
        _ => format!("the {what} does not have the expected form"),
    }
}
