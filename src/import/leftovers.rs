//! What an export has and no reader of ours reads.

use crate::import::{
    foreign::{called, items},
    report::{FindingKind, ImportReport},
};
use serde_json::Value;

/// Reports each object of the lists that are not `read`.
pub fn report(export: &Value, read: &[&str], report: &mut ImportReport) {
    for (name, _) in export.as_object().into_iter().flatten().filter(|(name, _)| !read.contains(&name.as_str())) {
        for item in items(export, name) {
            report.found(FindingKind::NotCarried, called(name, item), "there is nothing of this kind in a matrix");
        }
    }
}
