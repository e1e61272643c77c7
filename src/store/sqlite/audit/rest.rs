//! What is no incident's own: heads of chains, plans, proofs of contact, runs of drills, settings, counts of alerts, and
//! the structure of the database.

use super::{Audit, INCIDENTS, ROWS};
use crate::{
    core::{
        ContactProof, DrillRun, Event, Incident, IncidentId, JournalRecord, SourceEvent, Timestamp, event::hex,
        names::SELF, page::PageStage, proof::ProofKind, record::RecordPlace,
    },
    store::{
        StoreError,
        clock::ClockAnchor,
        sqlite::{
            column::{column, shown},
            connection::limit,
            failure::failure,
            read,
            setting::LEFT,
        },
    },
};
use sha2::{Digest, Sha256};
use sqlx::sqlite::SqliteRow;
use std::{collections::BTreeMap, time::Duration};

/// How many runs of drills are read at once: each has the text of its scenario.
const RUNS_AT_ONCE: usize = 200;

/// How long after the line of a stop the clock may have been kept once more: a stop takes less.
const CLOCK_AFTER_STOP: Duration = Duration::from_secs(60);

impl Audit<'_> {
    pub(super) async fn rest(&mut self) -> Result<(), StoreError> {
        self.heads().await?;
        self.strays().await?;
        self.plans().await?;
        self.runs().await?;
        self.settings().await?;
        self.counts().await?;
        self.quarantine().await?;
        self.objects().await
    }

    /// The heads of the chains that are no incident's.
    async fn heads(&mut self) -> Result<(), StoreError> {
        const HEADS: &str = "SELECT name, seq, hash FROM chain";
        // From chain to chain by the index: the lines of each are not read.
        const CHAINS: &str = "WITH RECURSIVE known(chain) AS (
                SELECT min(chain) FROM journal
                UNION ALL
                SELECT (SELECT min(j.chain) FROM journal j WHERE known.chain < j.chain)
                FROM known WHERE known.chain IS NOT NULL)
            SELECT chain FROM known WHERE chain <> 'INC-' || CAST(substr(chain, 5) AS INTEGER)";
        let mut kept = BTreeMap::new();
        for row in &self.all(HEADS).await? {
            self.checked += 1;
            kept.insert(shown(row, 0), (column::<i64>(row, 1).ok(), column::<Vec<u8>>(row, 2).ok()));
        }
        for row in &self.all(CHAINS).await? {
            let chain = shown(row, 0);
            let end = self.chain_end(&chain).await?;
            let end = (end.and_then(|(seq, _)| i64::try_from(seq).ok()), end.map(|(_, hash)| hash.to_vec()));
            match kept.remove(&chain) {
                None => self.fault(RecordPlace::Head, chain, "it was deleted"),
                Some(head) if head != end => {
                    self.fault(RecordPlace::Head, chain, "it is not the last line of its chain");
                }
                Some(_) => {}
            }
        }
        for chain in kept.into_keys() {
            self.fault(RecordPlace::Head, chain, "its chain is gone");
        }
        Ok(())
    }

    /// Rows of incidents that do not exist.
    async fn strays(&mut self) -> Result<(), StoreError> {
        const STRAYS: &str = "SELECT DISTINCT 'INC-' || incident, 'body' FROM body
                WHERE NOT EXISTS (SELECT 1 FROM incident i WHERE i.id = body.incident)
            UNION SELECT DISTINCT 'INC-' || incident, 'page' FROM page
                WHERE NOT EXISTS (SELECT 1 FROM incident i WHERE i.id = page.incident)
            UNION SELECT DISTINCT 'INC-' || incident, 'row of who was asked' FROM asked
                WHERE NOT EXISTS (SELECT 1 FROM incident i WHERE i.id = asked.incident)
            UNION SELECT DISTINCT 'INC-' || incident, 'key of a conversation' FROM request_key
                WHERE NOT EXISTS (SELECT 1 FROM incident i WHERE i.id = request_key.incident)";
        for row in &self.all(STRAYS).await? {
            let why = format!("there is a {} of it, and no such incident", shown(row, 1));
            self.fault(RecordPlace::Incident, shown(row, 0), why);
        }
        Ok(())
    }

    async fn plans(&mut self) -> Result<(), StoreError> {
        for row in &self.all("SELECT hash, body FROM plan").await? {
            self.checked += 1;
            let (hash, found) = (shown(row, 0), hex(&Sha256::digest(shown(row, 1).as_bytes())));
            if hash != found {
                self.fault(RecordPlace::Plan, hash, "it was edited, or stored under another name");
            }
        }
        Ok(())
    }

    /// Each proof has its event; those of one incident are looked for in one fold of it. Returns the last incident if
    /// there are more.
    pub(super) async fn proofs(&mut self, after: i64) -> Result<Option<i64>, StoreError> {
        let (proofs, unreadable) = read::proofs(self.conn).await?;
        // The first portion has what has no number, too.
        for (row, why) in unreadable.into_iter().filter(|_| after == 0) {
            self.fault(RecordPlace::Proof, row, format!("can not be read: {why}"));
        }
        let mut by_incident: BTreeMap<IncidentId, Vec<ContactProof>> = BTreeMap::new();
        for proof in proofs.into_iter().filter(|proof| after == 0 || after < proof.incident.0) {
            by_incident.entry(proof.incident).or_default().push(proof);
        }
        let last = by_incident.keys().nth(INCIDENTS - 1).filter(|_| INCIDENTS < by_incident.len()).map(|id| id.0);
        for (id, proofs) in by_incident.into_iter().take(INCIDENTS) {
            self.proofs_of(id, &proofs).await?;
        }
        Ok(last)
    }

    async fn proofs_of(&mut self, id: IncidentId, proofs: &[ContactProof]) -> Result<(), StoreError> {
        let lines = self.chain(id).await?;
        let records: Vec<JournalRecord> =
            lines.iter().filter_map(|line| serde_json::from_str(&line.body).ok()).collect();
        let folded = Incident::fold(id, records.iter().map(|record| (record.at, &record.event)));
        for proof in proofs {
            self.checked += 1;
            let is_there = folded.as_ref().is_some_and(|folded| {
                folded.drill == proof.drill && records.iter().any(|record| shows(record, proof, folded))
            });
            if !is_there {
                let (how, at) = (proof.how.as_str(), proof.at);
                let why = format!("{id} has no event of {at} that says {how}");
                self.fault(RecordPlace::Proof, format!("of {} by {}", proof.person, proof.channel), why);
            }
        }
        Ok(())
    }

    /// Each run is as it was last journaled, and its columns as its body.
    async fn runs(&mut self) -> Result<(), StoreError> {
        let mut journaled = self.journaled_runs().await?;
        let mut last = Some(i64::MIN);
        while let Some(after) = last {
            const RUNS: &str = "SELECT id, scenario, hash, started, ended, state, body FROM drill_run WHERE ? < id
                ORDER BY id LIMIT ?";
            let rows = sqlx::query(RUNS).bind(after).bind(limit(RUNS_AT_ONCE)).fetch_all(&mut *self.conn).await;
            let rows = rows.map_err(failure)?;
            for row in &rows {
                self.checked += 1;
                let known = journaled.remove(&format!("DR-{}", shown_number(row)));
                self.run(row, known.as_deref());
            }
            last = rows.last().map(|row| column(row, 0)).transpose()?;
        }
        // The same crash at a run's first line leaves a line without a row.
        for (name, _) in journaled.into_iter().filter(|(_, digests)| 1 < digests.len()) {
            self.fault(RecordPlace::Run, name, "it was journaled, and is missing");
        }
        Ok(())
    }

    /// One run, with the digests that were journaled of it.
    fn run(&mut self, row: &SqliteRow, known: Option<&[String]>) {
        let (name, body) = (format!("DR-{}", shown_number(row)), shown(row, 6));
        let Ok(run) = serde_json::from_str::<DrillRun>(&body) else {
            return self.fault(RecordPlace::Run, name, "can not be read");
        };
        // The line is written before the row: after a crash between them the row is one behind.
        if known.is_some_and(|known| !known.iter().rev().take(2).any(|digest| *digest == run.digest())) {
            self.fault(RecordPlace::Run, &name, "it is not the run that was journaled: it was edited");
        }
        if run.revision != hex(&Sha256::digest(run.text.as_bytes())) {
            self.fault(RecordPlace::Run, &name, "its scenario is not the text that its hash was made from");
        }
        let same = run.id.to_string() == name
            && run.scenario == shown(row, 1)
            && run.revision == shown(row, 2)
            && column::<i64>(row, 3).ok() == Some(run.started_at.as_micros())
            && column::<Option<i64>>(row, 4).ok() == Some(run.ended_at.map(|at| at.as_micros()))
            && run.state.as_str() == shown(row, 5);
        if !same {
            self.fault(RecordPlace::Run, &name, "its columns are not what its body says");
        }
    }

    /// What Stentor's own chain says of runs: their digests in order.
    async fn journaled_runs(&mut self) -> Result<BTreeMap<String, Vec<String>>, StoreError> {
        let mut journaled: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let chain = format!("source:{SELF}");
        let mut after = 0;
        // In portions: this chain has a line for each start, and for much else.
        loop {
            let own = read::lines(self.conn, Some(&chain), after, limit(ROWS)).await?;
            let Some(last) = own.last() else { return Ok(journaled) };
            after = last.pos;
            for line in own.iter().filter(|line| line.body.contains("drill-run-kept")) {
                let read = serde_json::from_str::<JournalRecord<SourceEvent>>(&line.body);
                if let Ok(JournalRecord { event: SourceEvent::DrillRunKept { run, digest, .. }, .. }) = read {
                    journaled.entry(run.to_string()).or_default().push(digest);
                }
            }
        }
    }

    /// The forms of the settings. Of what they are, only the clock can be compared with something.
    async fn settings(&mut self) -> Result<(), StoreError> {
        let kept = self.all("SELECT name, typeof(value), length(value), CAST(value AS TEXT) FROM meta").await?;
        let kept: BTreeMap<String, (String, i64, String)> = kept
            .iter()
            .map(|row| (shown(row, 0), (shown(row, 1), column(row, 2).unwrap_or_default(), shown(row, 3))))
            .collect();
        let form = |name: &str| kept.get(name).map(|(kind, length, _)| (kind.as_str(), *length));
        match form("server_key") {
            Some(("blob", 32)) => {}
            Some((kind, length)) => {
                let why =
                    format!("it is {kind} of {length} bytes and not a key of 32: codes and links can not be checked");
                self.fault(RecordPlace::Setting, "server_key", why);
            }
            None => self.fault(RecordPlace::Setting, "server_key", "it is missing"),
        }
        if form("epoch").is_none_or(|(kind, _)| kind != "integer") {
            self.fault(RecordPlace::Setting, "epoch", "it is missing, or no number");
        }
        for name in kept.keys().filter(|name| !is_setting(name)) {
            self.fault(RecordPlace::Setting, name, "no version of this program makes such a row");
        }
        let number = |name| kept.get(name).filter(|(kind, ..)| kind == "integer").map(|(.., text)| text);
        let order = |name| number(name).and_then(|text| text.parse::<i64>().ok());
        if kept.contains_key(LEFT)
            && order(LEFT).is_none_or(|left| !(0..=order("epoch").unwrap_or(left)).contains(&left))
        {
            self.fault(RecordPlace::Setting, LEFT, "it is no number of a daemon that there was");
        }
        let has_left = number("epoch").is_some_and(|epoch| number(LEFT) == Some(epoch));
        match kept.get("clock").map(|(.., text)| serde_json::from_str::<ClockAnchor>(text)) {
            Some(Ok(clock)) if has_left => self.clock(clock.time).await,
            Some(Err(_)) => {
                self.fault(RecordPlace::Setting, "clock", "it is no time");
                Ok(())
            }
            Some(Ok(_)) | None => Ok(()),
        }
    }

    /// The clock of a store whose last daemon ended in order: it stands where the journal says that the daemon stopped.
    async fn clock(&mut self, time: Timestamp) -> Result<(), StoreError> {
        const LAST: &str = "SELECT body FROM journal WHERE chain = ? ORDER BY seq DESC LIMIT 1";
        let last = sqlx::query(LAST).bind(format!("source:{SELF}")).fetch_optional(&mut *self.conn).await;
        let Some(last) = last.map_err(failure)? else { return Ok(()) };
        // Where the disk was full, the journal has no such line.
        let Ok(JournalRecord { at, event: SourceEvent::Stopped {}, .. }) = serde_json::from_str(&shown(&last, 0))
        else {
            return Ok(());
        };
        if at + CLOCK_AFTER_STOP < time {
            let why = format!("it says {time}, and the journal says that the daemon stopped at {at}: it was set on");
            self.fault(RecordPlace::Setting, "clock", why);
        }
        Ok(())
    }
}

/// Whether a setting has this name, or is what was kept of a damaged one.
fn is_setting(name: &str) -> bool {
    ["server_key", "epoch", "clock", LEFT].contains(&name.strip_suffix("_damaged").unwrap_or(name))
}

fn shown_number(row: &SqliteRow) -> String {
    column::<i64>(row, 0).map_or_else(|_| "?".into(), |number| number.to_string())
}

/// Whether this event is the one that the proof was made from.
fn shows(record: &JournalRecord, proof: &ContactProof, folded: &Incident) -> bool {
    record.at == proof.at
        && match &record.event {
            Event::Answered { person, channel, .. } | Event::Chosen { person, channel, .. } => {
                proof.how == ProofKind::Answered && *person == proof.person && channel.as_ref() == Some(&proof.channel)
            }
            Event::Reported { page, stage, .. } => {
                let how = match stage {
                    PageStage::Seen => ProofKind::Shown,
                    PageStage::Delivered => ProofKind::Delivered,
                };
                let of = |page: &crate::core::Page| {
                    page.person.as_ref() == Some(&proof.person) && page.channel == proof.channel
                };
                proof.how == how && folded.pages.get(page).is_some_and(|page| of(page))
            }
            _ => false,
        }
}
