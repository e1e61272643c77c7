//! What the readers of a scenario's sections share.

use crate::{
    matrix::Matrix,
    toml_kit::{
        document::TomlTable,
        faults::{MatrixFaults, SourceSpan},
    },
};
use std::time::Duration;

/// What the readers of all sections share.
pub(crate) struct ScenarioReader<'a> {
    pub matrix: &'a Matrix,
    pub faults: MatrixFaults,
    /// When the drill is over, where that could be read.
    pub ends: Option<Duration>,
}

impl ScenarioReader<'_> {
    /// The tables of a list `[[key]]`.
    pub(super) fn each<'t, T>(
        &mut self,
        top: &mut TomlTable<'t>,
        key: &'static str,
        read: impl Fn(&mut Self, TomlTable<'t>, SourceSpan) -> Option<T>,
    ) -> Vec<T> {
        let Some(item) = top.take(key) else { return Vec::new() };
        let Some(list) = item.list(&mut self.faults) else { return Vec::new() };
        let mut all = Vec::new();
        for item in list {
            if let Some(table) = item.table(format!("`[[{key}]]`"), &mut self.faults) {
                all.extend(read(self, table, item.at));
            }
        }
        all
    }
}
