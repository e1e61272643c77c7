//! The rows that were set aside: each as the journal last says of it.

use super::Audit;
use crate::{
    core::record::RecordPlace,
    store::{
        QuarantinedRow, StoreError,
        sqlite::{
            column::shown,
            quarantine_record::{self, journaled},
        },
    },
};

impl Audit<'_> {
    pub(super) async fn quarantine(&mut self) -> Result<(), StoreError> {
        let mut said = journaled(self.conn).await?;
        for row in &self.all("SELECT row, body FROM quarantine").await? {
            self.checked += 1;
            let (name, body) = (shown(row, 0), shown(row, 1));
            let said = said.remove(&name);
            let entry =
                serde_json::from_str::<QuarantinedRow>(&body).ok().filter(|entry| entry.row.to_string() == name);
            let fault = match &entry {
                Some(entry) => quarantine_record::fault(entry, said.as_ref()),
                None => Some("it can not be read".to_owned()),
            };
            if let Some(why) = fault {
                self.fault(RecordPlace::Quarantine, name, why);
            }
        }
        for (name, _) in said.into_iter().filter(|(_, said)| said.is_aside()) {
            self.fault(RecordPlace::Quarantine, name, "the journal says that it was set aside: it was deleted");
        }
        Ok(())
    }
}
