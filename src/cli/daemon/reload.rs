//! A reload: the matrix is read again and takes the place of the last one, whole or not at all.

use crate::{
    cli::{error::CliError, load, options::PathOptions},
    engine::{RuntimeConfig, SharedChannelParts},
    http::state::AppState,
    matrix::Matrix,
};
use std::{collections::BTreeSet, fmt::Display};

/// Reads everything again. A broken matrix is refused with its diagnostics, and the last good one stays. The log says what
/// the new one lacks and what it has more: a file that was lost on the way is a smaller matrix without any fault.
pub fn reload(app: &AppState, shared: &SharedChannelParts, places: &PathOptions) {
    match swap(app, shared, places) {
        Ok(Swapped { revision, lost, gained }) => {
            app.engine.metrics().reload("loaded");
            tracing::info!(matrix.revision = revision, "the matrix was reloaded; open incidents keep their plans");
            if !lost.is_empty() {
                tracing::warn!(lost = lost.join("; "), "the reload took this out of the matrix");
            }
            if !gained.is_empty() {
                tracing::info!(gained = gained.join("; "), "the reload brought this into the matrix");
            }
        }
        Err(failure) => {
            app.engine.metrics().reload("refused");
            tracing::error!("the reload was refused, the last good matrix stays: {failure}");
        }
    }
}

struct Swapped {
    revision: String,
    lost: Vec<String>,
    gained: Vec<String>,
}

fn swap(app: &AppState, shared: &SharedChannelParts, places: &PathOptions) -> Result<Swapped, CliError> {
    let (matrix, templates) = load::load(places, app.engine.now())?.accept()?;
    let revision = matrix.revision.clone();
    if !matrix.daemon.starts_like(&app.engine.config().matrix.daemon) {
        tracing::warn!("daemon.listen, public_url and state take effect at the next start, not by a reload");
    }
    let last = app.engine.config();
    let live = RuntimeConfig::wire(matrix, templates, shared).succeed(&last);
    if let Some(lost) = live.lost_since(&last) {
        return Err(format!("{lost}: nothing was swapped").into());
    }
    let (before, after) = (Names::of(&last.matrix), Names::of(&live.matrix));
    let swapped = Swapped { revision, lost: before.without(&after), gained: after.without(&before) };
    app.engine.reload(live);
    Ok(swapped)
}

/// What a matrix names, by kind.
struct Names([(&'static str, BTreeSet<String>); 5]);

impl Names {
    fn of(matrix: &Matrix) -> Self {
        fn texts<N: Display>(names: impl Iterator<Item = N>) -> BTreeSet<String> {
            names.map(|name| name.to_string()).collect()
        }
        Self([
            ("triggers", texts(matrix.triggers.keys())),
            ("roles", texts(matrix.roles.keys())),
            ("people", texts(matrix.people.keys())),
            ("channels", texts(matrix.channels.iter().map(|(name, _)| name))),
            ("sources", texts(matrix.sources.keys())),
        ])
    }

    /// What these have and the others have not: `triggers crash, fill; people bo`.
    fn without(&self, others: &Self) -> Vec<String> {
        let kinds = self.0.iter().zip(&others.0);
        let missing = kinds.filter_map(|((kind, ours), (_, theirs))| {
            let missing: Vec<&str> = ours.difference(theirs).map(String::as_str).collect();
            (!missing.is_empty()).then(|| format!("{kind} {}", missing.join(", ")))
        });
        missing.collect()
    }
}
