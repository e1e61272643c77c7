//! What expressions can call beside the standard functions of the language.

use crate::text::number;
use cel::Context;

/// `factor(a, b)`: how many times `b` the number `a` is, as text (`7,655 x`); empty where it is not more than once.
pub(super) const FACTOR: &str = "factor";

/// Gives them to one evaluation.
pub(super) fn add(context: &mut Context<'_, '_>) {
    // The standard has no function with this name.
    let _ = context.add_function(FACTOR, |of: f64, base: f64| number::factor(of, base).unwrap_or_default());
}
