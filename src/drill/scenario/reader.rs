//! State that the readers of all sections share.

use crate::{
    matrix::Matrix,
    toml_kit::{
        document::TomlTable,
        faults::{MatrixFaults, SourceSpan},
    },
};
use std::time::Duration;

pub(crate) struct ScenarioReader<'a> {
    pub matrix: &'a Matrix,
    pub faults: MatrixFaults,
    /// The end of the drill, if it could be read.
    pub ends: Option<Duration>,
}

impl ScenarioReader<'_> {
    /// Reads each table of a list `[[key]]`.
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
