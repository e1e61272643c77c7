//! Reads `[source.NAME]`.

use crate::{
    core::names::CATCH_ALL,
    matrix::{
        body_map,
        expression::ExpressionLanguage,
        settings::{OPENINGS_PER_MINUTE, SourceScope, SourceSettings},
        signature,
    },
    toml_kit::{
        document::{TomlItem, TomlTable},
        faults::{LocatedValue, MatrixFaults, SourceSpan},
        secret::{secrets, web_url},
    },
};
use std::{collections::BTreeSet, sync::Arc};

/// Reads a source; `text` is the file that contains it.
pub(super) fn source(
    mut table: TomlTable<'_>,
    at: SourceSpan,
    text: &str,
    language: &ExpressionLanguage,
    faults: &mut MatrixFaults,
) -> SourceSettings {
    let of_alerts = [
        table.take("drills"),
        table.take("unmatched"),
        table.take("openings_per_minute"),
        table.take("token_header"),
        table.take("signature"),
        table.take("map"),
    ];
    let [drills, pages_unmatched, openings_item, header_item, signature, map] = &of_alerts;
    // Who signs needs no token.
    let token = match signature {
        Some(_) => table.take("token"),
        None => table.demand("token", at, "token = { env = \"SOME_VARIABLE\" }", faults),
    };
    let tokens = token.map(|item| secrets(&item, faults)).unwrap_or_default();
    let token_header = header_item.as_ref().and_then(|item| signature::header(item, faults));
    if let (Some(item), Some(_)) = (header_item, signature) {
        let message = "`token_header` has no effect: this source signs its requests";
        faults.warning("no-effect", item.at, message, "remove `token_header`, or `signature`");
    }
    let signature = signature.as_ref().and_then(|item| signature::read(item, faults));
    let map = map.as_ref().and_then(|item| body_map::read(item, text, language, faults)).map(Arc::new);
    let drills = drills.as_ref().and_then(|item| item.flag(faults)).unwrap_or(false);
    let pages_unmatched = pages_unmatched.as_ref().and_then(|item| unmatched(item, faults)).unwrap_or(false);
    let scopes = table.take("scopes").map_or_else(|| [SourceScope::Alerts].into(), |item| scopes(&item, faults));
    let openings = openings_item.as_ref().and_then(|item| openings(item, faults));
    if !scopes.is_empty() && !scopes.contains(&SourceScope::Alerts) {
        for item in of_alerts.iter().flatten() {
            let key = item.key;
            let message = format!("`{key}` has no effect: this source has no scope \"alerts\"");
            faults.warning("no-effect", item.at, message, format!("remove `{key}`, or add \"alerts\" to its `scopes`"));
        }
    }
    let openings_per_minute = openings.unwrap_or(OPENINGS_PER_MINUTE);
    let reply_url = table.take("reply_url").and_then(|item| web_url(&item, faults));
    table.finish(&["heartbeat", "lease"], &[], faults);
    SourceSettings {
        tokens,
        token_header,
        signature,
        map,
        drills,
        pages_unmatched,
        openings_per_minute,
        reply_url,
        scopes,
    }
}

/// `["alerts", "read"]`.
fn scopes(item: &TomlItem<'_>, faults: &mut MatrixFaults) -> BTreeSet<SourceScope> {
    let texts = item.texts(faults).unwrap_or_default();
    let read = |text: &LocatedValue<String>| {
        let scope = SourceScope::ALL.into_iter().find(|scope| scope.as_str() == text.value);
        if scope.is_none() {
            let known = SourceScope::ALL.map(|scope| format!("{:?}", scope.as_str())).join(", ");
            let message = format!("there is no scope {:?}", text.value);
            faults.error("unknown-word", text.at, message, format!("the scopes are {known}"));
        }
        scope
    };
    texts.iter().filter_map(read).collect()
}

fn openings(item: &TomlItem<'_>, faults: &mut MatrixFaults) -> Option<u32> {
    let openings = item.count(faults)?;
    if openings == 0 {
        let message = "a source that may open no incident pages nobody";
        return faults.refuse("count-out-of-range", item.at, message, "from 1 on; leave it out: then it is 6000");
    }
    Some(openings)
}

fn unmatched(item: &TomlItem<'_>, faults: &mut MatrixFaults) -> Option<bool> {
    let text = item.text(faults)?;
    match text.value {
        "count" => Some(false),
        CATCH_ALL => Some(true),
        other => {
            let message = format!("`unmatched` can not be {other:?}");
            let help = "\"count\" (they are counted and logged) or \"catch-all\" (they page it, once for the source)";
            faults.refuse("unknown-word", text.at, message, help)
        }
    }
}
