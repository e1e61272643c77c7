//! Counts of alerts that opened nothing. Only the count itself says how many there were; whether it can be one, and
//! whether it began as the journal says, is checked.

use super::{Audit, ROWS};
use crate::{
    core::{
        JournalRecord, ResultCount, ResultName, SourceEvent, Timestamp,
        record::RecordPlace,
        result_count::{COUNT_PERIOD, NAMES_MAX, RESULTS, WHOLE_MAX},
    },
    store::{
        StoreError,
        sqlite::{
            column::{column, shown},
            connection::limit,
            failure::failure,
        },
    },
};
use std::collections::BTreeMap;

/// What the journal has of a count.
struct JournaledCount {
    count: ResultCount,
    /// Its alerts that were journaled whole.
    whole: u32,
    /// Whether one of them is as old as the count.
    began: bool,
    /// Whether a line already tells of it.
    told: bool,
}

impl Audit<'_> {
    pub(super) async fn counts(&mut self) -> Result<(), StoreError> {
        let mut of_source: BTreeMap<String, Vec<JournaledCount>> = BTreeMap::new();
        for row in &self.all("SELECT source, name, body FROM tally ORDER BY source, name").await? {
            self.checked += 1;
            let (source, name) = (shown(row, 0), shown(row, 1));
            match read(&name, &shown(row, 2)) {
                Ok(count) => of_source.entry(source).or_default().push(JournaledCount::of(count)),
                Err(why) => self.fault(RecordPlace::Count, format!("of {source}: {name}"), why),
            }
        }
        for (source, mut counts) in of_source {
            if NAMES_MAX + RESULTS.len() < counts.len() {
                let why = format!("{} at a time: there are never so many", counts.len());
                self.fault(RecordPlace::Count, format!("of {source}"), why);
            }
            self.compare_counts(&source, &mut counts).await?;
            for (count, why) in counts.iter().filter_map(|kept| Some((&kept.count, kept.fault()?))) {
                self.fault(RecordPlace::Count, format!("of {source}: {}", named(&count.counted.name)), why);
            }
        }
        Ok(())
    }

    /// Looks for the counts' alerts in the chain of their source, from its end back to where the oldest of them began.
    async fn compare_counts(&mut self, source: &str, counts: &mut [JournaledCount]) -> Result<(), StoreError> {
        const LINES: &str = "SELECT seq, at, body FROM journal WHERE chain = ? AND seq < ? ORDER BY seq DESC LIMIT ?";
        let oldest = counts.iter().map(|kept| kept.count.began_at).min().unwrap_or_default();
        let mut before = i64::MAX;
        loop {
            let lines = sqlx::query(LINES).bind(format!("source:{source}")).bind(before).bind(limit(ROWS));
            let lines = lines.fetch_all(&mut *self.conn).await.map_err(failure)?;
            let Some(last) = lines.last() else { return Ok(()) };
            before = column(last, 0)?;
            for line in &lines {
                let at = Timestamp::from_micros(column(line, 1).unwrap_or_default());
                if at < oldest {
                    return Ok(());
                }
                // A line that can not be read is a fault of its chain.
                let Ok(record) = serde_json::from_str::<JournalRecord<SourceEvent>>(&shown(line, 2)) else { continue };
                counts.iter_mut().for_each(|kept| kept.take(at, &record.event));
            }
        }
    }
}

impl JournaledCount {
    fn of(count: ResultCount) -> Self {
        Self { count, whole: 0, began: false, told: false }
    }

    fn take(&mut self, at: Timestamp, event: &SourceEvent) {
        let own = &self.count.counted.name;
        if let SourceEvent::Counted(told) = event {
            self.told |= told.name == *own && self.count.began_at < at;
        } else if event.counted_as().is_some_and(|name| name == *own || name.among_others() == *own) {
            self.whole += u32::from(self.count.began_at <= at);
            self.began |= self.count.began_at == at;
        }
    }

    fn fault(&self) -> Option<String> {
        let ResultCount { began_at, whole, .. } = self.count;
        match self {
            Self { told: true, .. } => Some(format!("its journal has told of it since {began_at}: it was set back")),
            Self { began: false, .. } => Some(format!("its journal has no such alert of {began_at}")),
            Self { whole: found, .. } if *found < whole => {
                Some(format!("{whole} of its alerts are said to be in its journal, and {found} are"))
            }
            _ => None,
        }
    }
}

/// A count that can be one.
fn read(name: &str, body: &str) -> Result<ResultCount, String> {
    let count: ResultCount = serde_json::from_str(body).map_err(|error| format!("can not be read: {error}"))?;
    let ResultCount { began_at, whole, counted } = &count;
    if serde_json::from_str(name).ok().as_ref() != Some(&counted.name) {
        return Err("it is kept under another name than its own".into());
    }
    let (first_at, last_at) = (counted.first_at, counted.last_at);
    let checks = [
        ("result", RESULTS.contains(&counted.name.result.as_str())),
        ("number of those in the journal", (1..=WHOLE_MAX).contains(whole)),
        ("number", counted.count == 0 || *whole == WHOLE_MAX),
        ("times", *began_at <= first_at && first_at <= last_at && last_at < *began_at + COUNT_PERIOD),
    ];
    let wrong: Vec<&str> = checks.iter().filter(|(_, can_be)| !can_be).map(|(name, _)| *name).collect();
    if wrong.is_empty() { Ok(count) } else { Err(format!("no count can be so: {}", wrong.join(", "))) }
}

fn named(name: &ResultName) -> String {
    let of = [name.trigger.as_ref().map(|trigger| trigger.as_str()), name.kind.as_deref()];
    of.into_iter().flatten().fold(name.result.clone(), |named, part| format!("{named} {part}"))
}
