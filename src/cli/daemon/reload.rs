//! Reads the matrix again, all or nothing: a broken one is refused with its diagnostics, and the last good one stays.

use crate::{
    cli::{error::CliError, load, options::PathOptions},
    core::{ChannelName, PersonName, Timestamp},
    engine::{RuntimeConfig, SharedChannelParts},
    http::{
        reloader::{ReloadOutcome, WaitingKey},
        state::AppState,
    },
    matrix::{DaemonSettings, Matrix},
    store::StoreConfig,
};
use std::collections::BTreeSet;

/// Reloads, logs and counts the result, and remembers a refusal for `/readyz`.
pub fn reload(
    app: &AppState,
    shared: &SharedChannelParts,
    places: &PathOptions,
    started: &DaemonSettings,
) -> ReloadOutcome {
    let outcome = match swap(app, shared, places, started) {
        Ok(outcome) => outcome,
        Err(failure) => ReloadOutcome {
            revision: app.engine.config().matrix.revision.clone(),
            refused: Some(failure.to_string()),
            ..ReloadOutcome::default()
        },
    };
    app.engine.health().note_reload(outcome.refused.as_deref());
    match &outcome.refused {
        Some(failure) => {
            app.engine.metrics().reload("refused");
            tracing::error!("the reload was refused, the last good matrix stays: {failure}");
        }
        None => {
            app.engine.metrics().reload("loaded");
            outcome.changes.iter().for_each(|change| tracing::warn!("the new matrix: {change}"));
            outcome.at_next_start.iter().for_each(|waiting| tracing::warn!("the new matrix: {waiting}"));
            let revision = &outcome.revision;
            tracing::info!(matrix.revision = revision, "the matrix was reloaded; open incidents keep their plans");
        }
    }
    outcome
}

fn swap(
    app: &AppState,
    shared: &SharedChannelParts,
    places: &PathOptions,
    started: &DaemonSettings,
) -> Result<ReloadOutcome, CliError> {
    let loaded = load::load(places, app.engine.now())?;
    let warnings = loaded.shown();
    let (matrix, templates) = loaded.accept()?;
    let last = app.engine.config();
    let at_next_start = waiting(started, &matrix.daemon, places);
    let changes = changes(&last.matrix, &matrix, app.engine.now());
    let revision = matrix.revision.clone();
    let live = RuntimeConfig::wire(matrix, templates, shared).succeed(&last);
    if let Some(lost) = live.lost_since(&last) {
        return Err(format!("{lost}: nothing was swapped").into());
    }
    app.engine.reload(live);
    Ok(ReloadOutcome { revision, refused: None, warnings, changes, at_next_start })
}

/// What takes effect only at the next start. `--state` counts before the key `state`, so that one waits for nothing.
fn waiting(started: &DaemonSettings, now: &DaemonSettings, places: &PathOptions) -> Vec<WaitingKey> {
    let keys = started.only_at_start(now).into_iter().filter(|key| *key != "state" || places.state.is_none());
    let warning = |key: &str| if key == "state" { no_store(now, places) } else { None };
    keys.map(|key| WaitingKey { key: key.to_owned(), warning: warning(key) }).collect()
}

fn no_store(now: &DaemonSettings, places: &PathOptions) -> Option<String> {
    let state = now.state.clone().unwrap_or_else(|| places.state());
    let is_there = StoreConfig::in_directory(&state).exists();
    (!is_there).then(|| {
        let state = state.display();
        format!(
            "{state} has no store: with it the daemon starts empty, unless you stop it and move the old folder there"
        )
    })
}

/// What a reload changes that nobody may have meant: what is gone or new, and whose turn it is now. A person more or
/// less in a rotation changes who is on call in the middle of a turn.
fn changes(before: &Matrix, after: &Matrix, now: Timestamp) -> Vec<String> {
    let mut changes = Vec::new();
    changes.extend(difference("trigger", before.triggers.keys(), after.triggers.keys()));
    changes.extend(difference("role", before.roles.keys(), after.roles.keys()));
    changes.extend(difference("person", before.people.keys(), after.people.keys()));
    changes.extend(difference("source", before.sources.keys(), after.sources.keys()));
    changes.extend(difference("channel", channel_names(before), channel_names(after)));
    for (name, rotation) in &after.roster.rotations {
        let Some(earlier) = before.roster.rotations.get(name) else { continue };
        let (was, is) = (earlier.on_call(now), rotation.on_call(now));
        if was != is {
            let who = |person: Option<&PersonName>| person.map_or("nobody".to_owned(), ToString::to_string);
            changes.push(format!("rotation {name}: {} is on call now, it was {}", who(is), who(was)));
        }
    }
    changes
}

fn difference<'a, N: Ord + ToString + 'a>(
    what: &str,
    before: impl Iterator<Item = &'a N>,
    after: impl Iterator<Item = &'a N>,
) -> Vec<String> {
    let (before, after): (BTreeSet<&N>, BTreeSet<&N>) = (before.collect(), after.collect());
    let listed = |names: Vec<&&N>| names.into_iter().map(|name| name.to_string()).collect::<Vec<_>>().join(", ");
    let (gone, new) = (listed(before.difference(&after).collect()), listed(after.difference(&before).collect()));
    let said = |how: &str, names: String| (!names.is_empty()).then(|| format!("{what} {how}: {names}"));
    said("gone", gone).into_iter().chain(said("new", new)).collect()
}

fn channel_names(matrix: &Matrix) -> impl Iterator<Item = &ChannelName> {
    matrix.channels.iter().map(|(name, _)| name)
}

#[cfg(test)]
mod tests {
    use super::waiting;
    use crate::{cli::options::PathOptions, matrix::DaemonSettings};

    #[test]
    fn a_folder_without_a_store_is_named_and_one_on_the_command_line_waits_for_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        let (started, mut now) = (DaemonSettings::default(), DaemonSettings::default());
        let mut places = PathOptions { matrix: "matrix".into(), templates: None, state: None, socket: None };
        assert_eq!(waiting(&started, &now, &places), []);
        now.state = Some(folder.path().to_owned());
        let told = waiting(&started, &now, &places).first().map(ToString::to_string).unwrap_or_default();
        assert!(told.starts_with("daemon.state stays as it was until the next start; "), "{told}");
        assert!(told.contains("has no store"), "{told}");
        std::fs::write(folder.path().join("stentor.db"), "").expect("a store");
        assert_eq!(waiting(&started, &now, &places)[0].warning, None);
        places.state = Some("state".into());
        assert_eq!(waiting(&started, &now, &places), []);
    }
}
