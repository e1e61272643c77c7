//! A trigger's summary: text in which `{ expression }` parts are filled in from the alert.

use crate::matrix::{
    expression::{AlertScope, CelExpression, ExpressionLanguage},
    expression_fault::{BadExpression, ExpressionUse},
};
use std::ops::Range;

/// A summary, ready to be filled in.
#[derive(Debug)]
pub struct SummaryTemplate {
    parts: Vec<SummaryPart>,
}

#[derive(Debug)]
enum SummaryPart {
    Text(String),
    Expression(CelExpression),
}

impl SummaryTemplate {
    /// Reads `"{alert.labels.symbol} fell {alert.values.drop_pct} %"`; `{{` and `}}` stand for braces.
    pub(super) fn compile(text: &str, language: &ExpressionLanguage) -> Result<Self, Vec<BadExpression>> {
        let (mut parts, mut faults) = (Vec::new(), Vec::new());
        let mut at = 0;
        while at < text.len() {
            let rest = &text[at..];
            if let Some(brace) = ["{{", "}}"].into_iter().find(|double| rest.starts_with(*double)) {
                parts.push(SummaryPart::Text(brace[1..].to_owned()));
                at += 2;
            } else if rest.starts_with('{') {
                let Some(len) = closing(rest) else {
                    let help = "close it with }, or write {{ for a brace";
                    faults.push(fault(at..text.len(), "this { is never closed", help));
                    break;
                };
                match hole(text, at + 1..at + len, language) {
                    Ok(expression) => parts.push(SummaryPart::Expression(expression)),
                    Err(more) => faults.extend(more),
                }
                at += len + 1;
            } else if rest.starts_with('}') {
                faults.push(fault(at..at + 1, "this } has no matching {", "write }} for a brace"));
                at += 1;
            } else {
                let len = rest.find(['{', '}']).unwrap_or(rest.len());
                parts.push(SummaryPart::Text(rest[..len].to_owned()));
                at += len;
            }
        }
        if faults.is_empty() { Ok(Self { parts }) } else { Err(faults) }
    }

    /// The text for one alert; the error says which part cannot be filled in.
    pub(super) fn fill(&self, scope: &AlertScope<'_>) -> Result<String, String> {
        let mut filled = String::new();
        for part in &self.parts {
            match part {
                SummaryPart::Text(text) => filled.push_str(text),
                SummaryPart::Expression(expression) => filled.push_str(&expression.show(scope)?),
            }
        }
        Ok(filled)
    }
}

fn hole(text: &str, within: Range<usize>, language: &ExpressionLanguage) -> Result<CelExpression, Vec<BadExpression>> {
    let inner = &text[within.clone()];
    let start = within.start + inner.len() - inner.trim_start().len();
    if inner.trim().is_empty() {
        return Err(vec![fault(within.start - 1..within.end + 1, "there is nothing in these braces", "name a field")]);
    }
    language.compile(inner.trim(), ExpressionUse::Scalar).map_err(|mut faults| {
        for fault in &mut faults {
            fault.within = fault.within.start + start..fault.within.end + start;
        }
        faults
    })
}

/// The position of the brace that closes the one before `rest`; braces in quotes do not count.
fn closing(rest: &str) -> Option<usize> {
    let (mut depth, mut quote) = (0_usize, None);
    for (at, c) in rest.char_indices() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(c),
            (None, '{') => depth += 1,
            (None, '}') if depth == 1 => return Some(at),
            (None, '}') => depth -= 1,
            (None, _) => {}
        }
    }
    None
}

fn fault(within: Range<usize>, message: &str, help: &str) -> BadExpression {
    BadExpression { code: "bad-summary", within, message: message.to_owned(), help: help.to_owned() }
}
