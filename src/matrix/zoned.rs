//! Time zone functions in conditions: `alert.starts_at.getHours("Europe/London")` uses the time zones of the matrix.
//!
//! The language's own functions have zone data that were fixed when they were built. So each function with a zone
//! argument is read as two: our function gives the time in that zone, and then the function without a zone is called.

use crate::{core::Zones, matrix::zone_name::zone_named};
use cel::{Context, Env, ExecutionError, common::ast::CallExpr, common::ast::Expr, parser::Macro};
use chrono::{DateTime, FixedOffset};
use std::sync::Arc;

/// The functions of the language with a zone argument.
const TAKE_A_ZONE: [&str; 10] = [
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

/// The name of the function in between; it cannot be written in an expression.
pub(super) const IN_ZONE: &str = "@in_zone";

/// The language with its standard functions; the ones with zones use ours.
pub(super) fn env() -> Env {
    let mut env = Env::stdlib();
    for name in TAKE_A_ZONE {
        let zoned = Macro::receiver(name, 1, move |helper, target, args| {
            let (Some(time), Some(zone)) = (target.take(), args.pop()) else { return Ok(None) };
            let call =
                |func_name: &str, target, args| Expr::Call(CallExpr { func_name: func_name.into(), target, args });
            let local = helper.next_expr(call(IN_ZONE, None, vec![time, zone]));
            Ok(Some(helper.next_expr(call(name, Some(Box::new(local)), Vec::new()))))
        });
        // The standard has no macros with these names.
        let _ = env.add_macro(zoned);
    }
    env
}

/// Gives the zones to one evaluation.
pub(super) fn add(context: &mut Context<'_, '_>, zones: &Arc<Zones>) {
    let zones = zones.clone();
    let local = move |time: DateTime<FixedOffset>, zone: Arc<String>| {
        in_zone(&zones, time, &zone).map_err(|why| ExecutionError::function_error(IN_ZONE, why))
    };
    // The standard has no function with this name.
    let _ = context.add_function(IN_ZONE, local);
}

/// A time in a zone: a name, `+HH:MM` or `-HH:MM`, or empty for UTC.
pub(super) fn in_zone(zones: &Zones, time: DateTime<FixedOffset>, zone: &str) -> Result<DateTime<FixedOffset>, String> {
    if zone.is_empty() {
        return Ok(time.to_utc().fixed_offset());
    }
    if zone.contains(':') {
        let offset = offset(zone).ok_or_else(|| format!("{zone:?} is not an offset from UTC"))?;
        return Ok(time.with_timezone(&offset));
    }
    let zone = zone_named(zone, zones).map_err(|unknown| unknown.to_string())?;
    Ok(time.with_timezone(&zone).fixed_offset())
}

fn offset(text: &str) -> Option<FixedOffset> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let (hours, minutes) = digits.split_once(':')?;
    let number = |text: &str, max: i32| {
        let digits = (1..=2).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse::<i32>().ok().filter(|number| digits && *number <= max)
    };
    FixedOffset::east_opt(sign * (number(hours, 23)? * 60 + number(minutes, 59)?) * 60)
}
