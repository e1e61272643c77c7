//! CEL expressions over one alert. They are compiled once when the matrix is read, and evaluated for each alert.

use super::{facts::AlertVariable, lint, zoned};
use crate::{
    core::{Alert, Zones},
    matrix::expression_fault::{BadExpression, ExpressionUse},
};
use cel::{
    Context, Env, ExecutionError, Program, Value,
    common::{
        types::{CelBool, CelDouble, CelInt, CelString, CelUInt},
        value::{CowVal, Val},
    },
};
use sha2::{Digest, Sha256};
use std::{
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

/// The longest expression, in bytes.
pub const EXPRESSION_MAX: usize = 4096;

/// The longest key or summary part that an expression may return, in bytes.
pub const TEXT_MAX: usize = 256;

/// A compiled expression.
pub struct CelExpression {
    text: String,
    program: Program,
}

/// The language of expressions: the standard functions, and the time zones.
pub(super) struct ExpressionLanguage {
    env: Arc<Env>,
    pub zones: Arc<Zones>,
}

impl ExpressionLanguage {
    pub(super) fn new(zones: Arc<Zones>) -> Self {
        Self { env: Arc::new(zoned::env()), zones }
    }

    /// Compiles `text` and finds all faults that can be found without an alert. Needs a large stack, because the parser
    /// is recursive.
    pub(super) fn compile(&self, text: &str, purpose: ExpressionUse) -> Result<CelExpression, Vec<BadExpression>> {
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
        let faults = lint::check(&program, text, purpose, &self.zones);
        if faults.is_empty() { Ok(CelExpression { text: text.to_owned(), program }) } else { Err(faults) }
    }
}

impl CelExpression {
    /// The source text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether the condition holds; the error says why it cannot be evaluated.
    pub(super) fn holds(&self, scope: &AlertScope<'_>) -> Result<bool, String> {
        let value = self.value(scope)?;
        let Some(holds) = value.downcast_ref::<CelBool>() else {
            let kind = value.get_type().name().to_owned();
            return Err(self.failed(&format!("it gives {kind}, not true or false")));
        };
        Ok(*holds.inner())
    }

    /// The value as text of at most [`TEXT_MAX`] bytes, cut with an ellipsis; the error says why there is none.
    pub(super) fn show(&self, scope: &AlertScope<'_>) -> Result<String, String> {
        let shown = self.whole(scope)?;
        if shown.len() <= TEXT_MAX {
            return Ok(shown);
        }
        Ok(format!("{}…", shown[..shown.floor_char_boundary(TEXT_MAX - '…'.len_utf8())].trim_end()))
    }

    /// The value as an incident's key of at most [`TEXT_MAX`] bytes. A longer one keeps its beginning and ends in a hash
    /// of the whole, so that two that differ anywhere stay two: a long label must not keep anybody from being paged.
    pub(super) fn key(&self, scope: &AlertScope<'_>) -> Result<String, String> {
        let whole = self.whole(scope)?;
        if whole.len() <= TEXT_MAX {
            return Ok(whole);
        }
        let hash: String = Sha256::digest(&whole).iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        let kept = whole.floor_char_boundary(TEXT_MAX - 1 - hash.len());
        Ok(format!("{}~{hash}", &whole[..kept]))
    }

    fn whole(&self, scope: &AlertScope<'_>) -> Result<String, String> {
        let value = self.value(scope)?;
        shown(&*value).ok_or_else(|| {
            let kind = value.get_type().name();
            self.failed(&format!("it gives {kind}, not text, a number, true or false"))
        })
    }

    fn value<'e, 'a>(&'e self, scope: &'e AlertScope<'a>) -> Result<CowVal<'e, 'a>, String> {
        Value::resolve_val(self.program.expression(), &scope.context).map_err(|error| self.failed(&reason(&error)))
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

/// One alert, ready for any number of expressions.
pub(super) struct AlertScope<'a> {
    context: Context<'a, 'a>,
}

impl<'a> AlertScope<'a> {
    pub(super) fn new(language: &ExpressionLanguage, alert: &'a Alert) -> Self {
        let mut context = Context::with_env(language.env.clone());
        zoned::add(&mut context, &language.zones);
        context.add_variable_as_val("alert", Box::new(AlertVariable::of(alert)));
        Self { context }
    }
}

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

fn shown(value: &dyn Val) -> Option<String> {
    if let Some(text) = value.downcast_ref::<CelString>() {
        Some(text.inner().to_owned())
    } else if let Some(number) = value.downcast_ref::<CelDouble>() {
        Some(number.inner().to_string())
    } else if let Some(number) = value.downcast_ref::<CelInt>() {
        Some(number.inner().to_string())
    } else if let Some(number) = value.downcast_ref::<CelUInt>() {
        Some(number.inner().to_string())
    } else {
        value.downcast_ref::<CelBool>().map(|flag| flag.inner().to_string())
    }
}

/// Why an evaluation failed, without the values in the error: they come from the monitor and may be large.
fn reason(error: &ExecutionError) -> String {
    match error {
        ExecutionError::NoSuchKey(key) => format!("the alert has no `{key}`"),
        ExecutionError::UndeclaredReference(name) => format!("`{name}` is not known"),
        ExecutionError::DivisionByZero(_) | ExecutionError::RemainderByZero(_) => String::from("a division by zero"),
        ExecutionError::Overflow(..) => String::from("a number grew too large"),
        ExecutionError::IndexOutOfBounds(_) => String::from("a list is shorter than that"),
        ExecutionError::ValuesNotComparable(..) => String::from("the values can not be compared"),
        ExecutionError::UnsupportedBinaryOperator(operator, ..) => {
            format!("the values on both sides of {} do not go together", operator.replace('_', ""))
        }
        ExecutionError::NoSuchOverload(overload) => overload.to_string(),
        ExecutionError::FunctionError { function, .. } if function == zoned::IN_ZONE => {
            String::from("there is no such time zone")
        }
        ExecutionError::FunctionError { function, .. } => format!("{function}() failed"),
        _ => String::from("the alert does not have the expected form"),
    }
}
