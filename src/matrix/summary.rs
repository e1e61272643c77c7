//! A trigger's summary: text in which `{ expression }` parts are filled in from the alert.

use crate::matrix::{
    expression::{CelExpression, ExpressionLanguage, ExpressionScope},
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
    /// An amount that is followed by its currency: `USD 444.0bn`, as in all other texts.
    Money(CelExpression, &'static str),
}

/// The currencies that may follow an amount; they are written before it.
const CURRENCIES: [&str; 12] = ["USD", "EUR", "GBP", "CHF", "JPY", "CNY", "HKD", "SGD", "AUD", "CAD", "SEK", "NOK"];

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
                let currency = currency(&rest[len + 1..]);
                match (hole(text, at + 1..at + len, language), currency) {
                    (Ok(amount), Some(currency)) => parts.push(SummaryPart::Money(amount, currency)),
                    (Ok(expression), None) => parts.push(SummaryPart::Expression(expression)),
                    (Err(more), _) => faults.extend(more),
                }
                at += len + 1 + currency.map_or(0, |currency| currency.len() + 1);
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

    /// The expressions in it.
    pub(super) fn expressions(&self) -> impl Iterator<Item = &CelExpression> {
        self.parts.iter().filter_map(|part| match part {
            SummaryPart::Text(_) => None,
            SummaryPart::Expression(expression) | SummaryPart::Money(expression, _) => Some(expression),
        })
    }

    /// Its own words, without what is filled in.
    pub(super) fn literal(&self) -> String {
        let words = |part: &SummaryPart| match part {
            SummaryPart::Text(text) => text.clone(),
            SummaryPart::Expression(_) | SummaryPart::Money(..) => String::new(),
        };
        self.parts.iter().map(words).collect()
    }

    /// The text for one alert; the error says which part cannot be filled in.
    pub(super) fn fill(&self, scope: &ExpressionScope<'_>) -> Result<String, String> {
        let mut filled = String::new();
        for part in &self.parts {
            match part {
                SummaryPart::Text(text) => filled.push_str(text),
                SummaryPart::Expression(expression) => filled.push_str(&expression.read(scope)?),
                SummaryPart::Money(amount, currency) => {
                    filled.push_str(&format!("{currency} {}", amount.read(scope)?));
                }
            }
        }
        Ok(filled)
    }
}

/// The currency that text behind a hole begins with, as a word of its own.
fn currency(behind: &str) -> Option<&'static str> {
    let word = behind.strip_prefix(' ')?;
    let word = &word[..word.find(|c: char| !c.is_alphanumeric()).unwrap_or(word.len())];
    CURRENCIES.into_iter().find(|currency| *currency == word)
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
