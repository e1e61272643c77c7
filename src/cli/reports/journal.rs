//! `stentor journal`: verifies the evidence, and exports a copy of it.

use crate::{
    cli::{
        error::CliError, options::PathOptions, output::OutputOptions, progress::while_working,
        reports::journal_source::JournalSource, table::say,
    },
    core::record::RecordFault,
    journal::{
        self, AnchorKey, ExportedItem, FAULTS_MAX, JournalReport, JournalVerifier, KeptAnchors, TextCheck,
        VerifyConclusion,
    },
};
use clap::{Args, Subcommand, ValueHint};
use serde_json::Value;
use std::{
    collections::BTreeSet,
    fs::File,
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::ExitCode,
};

/// How many gaps between kept anchors are listed.
const GAPS_SHOWN: usize = 10;

#[derive(Debug, Args)]
pub struct JournalArgs {
    #[command(subcommand)]
    what: JournalCommand,
}

#[derive(Debug, Subcommand)]
enum JournalCommand {
    /// Recompute every hash, and compare the stored state, texts and drill runs with the journal: exit 1 if anything was
    /// altered, is missing or does not belong
    Verify {
        /// Anchors that were kept elsewhere (the daemon's log, or an export; one file or several): finds alteration,
        /// truncation and resets up to the last of them
        #[arg(long, value_name = "FILE", num_args = 1.., value_hint = ValueHint::FilePath)]
        anchor: Vec<PathBuf>,
        /// The public key of the daemon that wrote the anchors (`stentor journal key`; one file or several): only copies
        /// that it signed count
        #[arg(long, value_name = "FILE", num_args = 1.., requires = "anchor", value_hint = ValueHint::FilePath)]
        key: Vec<PathBuf>,
        /// Verify an export instead of the daemon's journal
        #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
        file: Option<PathBuf>,
        /// Print the report as JSON
        #[arg(long)]
        json: bool,
    },
    /// Print the public key with which the signatures of anchors are checked, in PEM
    Key,
    /// Write every line with its hash, as one JSON object on each line (JSONL: it needs no option for JSON)
    Export {
        #[command(flatten)]
        output: OutputOptions,
        /// Also every text that was shown, after the lines
        #[arg(long)]
        texts: bool,
    },
}

impl JournalArgs {
    pub fn run(self, places: &PathOptions) -> Result<ExitCode, CliError> {
        match self.what {
            JournalCommand::Verify { anchor, key, file, json } => verify(places, kept(&anchor, &key)?, file, json),
            JournalCommand::Key => {
                print!("{}", JournalSource::of(places)?.anchor_key()?);
                Ok(ExitCode::SUCCESS)
            }
            JournalCommand::Export { output, texts } => export(places, &output, texts),
        }
    }
}

/// Reads the files of `--anchor`, and those of `--key`. Also returns other remarks about the files, one per line.
fn kept(paths: &[PathBuf], keys: &[PathBuf]) -> Result<(KeptAnchors, Vec<String>), CliError> {
    let keys = keys.iter().map(|path| public_key(path)).collect::<Result<Vec<_>, _>>()?;
    let (mut kept, mut without) = (KeptAnchors::signed_by(keys), Vec::new());
    for path in paths {
        let file = opened(path)?;
        let unread = |error: std::io::Error| format!("{} can not be read: {error}", path.display());
        if kept.read(file).map_err(unread)? == 0 {
            without.push(path.clone());
        }
    }
    if kept.is_empty() && 0 < kept.unsigned() {
        let files = named(&without);
        return Err(format!("no copy in {files} has a signature: with --key they prove nothing; name files with signed copies (the daemon's log, the `file` of [daemon] anchors), or leave --key out").into());
    }
    if !paths.is_empty() && kept.is_empty() {
        return Err(format!("no anchor in {}: it proves nothing", named(&without)).into());
    }
    let remarks = remarks(&kept, &without);
    Ok((kept, remarks))
}

/// How each SQLite database begins.
const DATABASE: &[u8] = b"SQLite format 3\0";

/// Opens a file of lines. A database is not one: the error says how that is verified.
fn opened(path: &Path) -> Result<BufReader<File>, CliError> {
    let shown = path.display();
    let unread = |error: std::io::Error| format!("{shown} can not be read: {error}");
    let mut file = BufReader::new(File::open(path).map_err(unread)?);
    if file.fill_buf().map_err(unread)?.starts_with(DATABASE) {
        return Err(format!("{shown} is a database, not an export: copy it as `stentor.db` into an empty folder, then `stentor --state FOLDER journal verify`; or export its lines there with `stentor --state FOLDER journal export`").into());
    }
    Ok(file)
}

fn public_key(path: &Path) -> Result<AnchorKey, CliError> {
    let text = std::fs::read_to_string(path);
    let text = text.map_err(|error| format!("{} can not be read: {error}", path.display()))?;
    let help = "is no Ed25519 public key in PEM: `stentor journal key` prints the daemon's";
    AnchorKey::from_pem(&text).ok_or_else(|| format!("{} {help}", path.display()).into())
}

fn remarks(kept: &KeptAnchors, without: &[PathBuf]) -> Vec<String> {
    let mut remarks = Vec::new();
    if !without.is_empty() {
        remarks.push(format!("no anchor in {}", named(without)));
    }
    if 0 < kept.torn() {
        remarks.push(format!("{} line(s) name an anchor but are incomplete: ignored", kept.torn()));
    }
    if 0 < kept.unsigned() {
        remarks.push(format!("{} copy(s) of an anchor have no signature: ignored", kept.unsigned()));
    }
    let gaps = kept.gaps();
    let shown = gaps.iter().take(GAPS_SHOWN).map(|gap| match (gap.start(), gap.end()) {
        (only, last) if only == last => format!("{only}"),
        (first, last) => format!("{first} to {last}"),
    });
    let shown: Vec<String> = shown.collect();
    if !shown.is_empty() {
        let more = if GAPS_SHOWN < gaps.len() { ", .." } else { "" };
        let shown = shown.join(", ");
        remarks.push(format!("no copy was kept of anchor(s) {shown}{more}: the next kept anchor covers them"));
    }
    remarks
}

fn named(paths: &[PathBuf]) -> String {
    paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ")
}

fn verify(
    places: &PathOptions,
    (kept, remarks): (KeptAnchors, Vec<String>),
    file: Option<PathBuf>,
    json: bool,
) -> Result<ExitCode, CliError> {
    let copies = kept.len();
    let mut verifier = JournalVerifier::new(kept);
    let record = while_working("verifying the journal", || compared(places, file.as_deref(), &mut verifier))?;
    let report = verifier.finish();
    if json {
        println!("{}", serde_json::to_string_pretty(&told(&report, copies, &remarks, &record))?);
    } else {
        print(&report, copies, &remarks, &record);
    }
    let is_sound = report.is_sound() && record.faulty == 0;
    Ok(if is_sound { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Follows every line, of an export or of the daemon's journal, and compares with them what is beside them.
fn compared(
    places: &PathOptions,
    export: Option<&Path>,
    verifier: &mut JournalVerifier,
) -> Result<RecordCheck, CliError> {
    if let Some(path) = export {
        return RecordCheck::of_export(path, verifier);
    }
    let source = JournalSource::of(places)?;
    source.each_line(|lines| {
        lines.iter().for_each(|line| verifier.line(line));
        Ok(())
    })?;
    RecordCheck::of(&source)
}

/// What was compared with the journal, and what that found.
#[derive(Default)]
pub struct RecordCheck {
    /// What the rows are; empty where there was nothing to compare.
    what: &'static str,
    /// How many rows were compared.
    pub checked: u64,
    /// How many faults there are.
    pub faulty: u64,
    faults: Vec<RecordFault>,
}

impl RecordCheck {
    /// Compares everything that is stored.
    pub fn of(source: &JournalSource) -> Result<Self, CliError> {
        let mut check = Self { what: "stored state, texts and runs", ..Self::default() };
        source.each_audit(|portion| {
            check.checked += portion.checked;
            check.faulty += portion.faults.len() as u64;
            let room = FAULTS_MAX.saturating_sub(check.faults.len());
            check.faults.extend(portion.faults.into_iter().take(room));
        })?;
        Ok(check)
    }

    /// Follows the lines of an export, and compares its texts with them.
    fn of_export(path: &Path, verifier: &mut JournalVerifier) -> Result<Self, CliError> {
        let (mut texts, mut is_empty) = (TextCheck::default(), true);
        for item in journal::read_export(opened(path)?) {
            is_empty = false;
            match item? {
                ExportedItem::Line(line) => {
                    verifier.line(&line);
                    texts.line(&line);
                }
                ExportedItem::Text(text) => texts.text(&text),
            }
        }
        if is_empty {
            let shown = path.display();
            return Err(format!("{shown} has no line in it: there is nothing to verify, and it proves nothing").into());
        }
        let (what, checked) = (if texts.is_empty() { "" } else { "texts" }, texts.len() as u64);
        let mut faults = texts.finish();
        let faulty = faults.len() as u64;
        faults.truncate(FAULTS_MAX);
        Ok(Self { what, checked, faulty, faults })
    }

    /// What to do, one sentence for each kind of fault.
    fn remedies(&self) -> BTreeSet<&'static str> {
        self.faults.iter().map(|fault| fault.place.remedy()).collect()
    }

    fn told(&self) -> Value {
        let fault = |fault: &RecordFault| {
            serde_json::json!({
                "kind": fault.place, "row": fault.row, "why": fault.why, "text": fault.to_string(),
                "remedy": fault.place.remedy(),
            })
        };
        let faults: Vec<Value> = self.faults.iter().map(fault).collect();
        serde_json::json!({ "rows": self.checked, "faulty": self.faulty, "faults": faults })
    }

    fn print(&self) {
        self.faults.iter().for_each(|fault| say(&format!("{fault}")));
        let untold = self.faulty.saturating_sub(self.faults.len() as u64);
        if 0 < untold {
            say(&format!("and {untold} more fault(s)"));
        }
        self.remedies().iter().for_each(|remedy| say(&format!("  {remedy}")));
        if self.what.is_empty() {
            say("this export has no texts, and no export has the stored state: its chains alone were checked");
            return;
        }
        let word = if self.faulty == 0 { "as the journal says" } else { "NOT WHAT THE JOURNAL SAYS" };
        say(&format!("{}: {} row(s): {} fault(s): {word}", self.what, self.checked, self.faulty));
    }
}

fn told(report: &JournalReport, copies: usize, remarks: &[String], record: &RecordCheck) -> Value {
    let faults: Vec<String> = report.faults.iter().map(ToString::to_string).collect();
    serde_json::json!({
        "lines": report.lines, "chains": report.chains, "anchors": report.anchors, "kept": copies,
        "proven_to": report.proven_to, "unanchored": report.unanchored, "unproven": report.unproven,
        "sound": report.is_sound() && record.faulty == 0,
        "conclusion": report.conclusion(), "unseen": report.unseen(),
        "remarks": remarks, "faulty": report.faulty, "faults": faults, "record": record.told(),
    })
}

fn print(report: &JournalReport, copies: usize, remarks: &[String], record: &RecordCheck) {
    for fault in &report.faults {
        say(&format!("{fault}"));
    }
    let untold = report.faulty.saturating_sub(report.faults.len());
    if 0 < untold {
        say(&format!("and {untold} more fault(s)"));
    }
    let word = match (report.conclusion(), report.proven_to) {
        (VerifyConclusion::NotSound, None) => "NOT SOUND".to_owned(),
        (VerifyConclusion::NotSound, Some(seq)) => format!("NOT SOUND after the kept anchor {seq}"),
        (_, None) => "consistent in itself".to_owned(),
        (_, Some(seq)) => format!("sound, complete up to the kept anchor {seq}"),
    };
    say(&format!(
        "{} line(s) in {} chain(s), {} anchor(s): {} fault(s): {word}",
        report.lines, report.chains, report.anchors, report.faulty
    ));
    let (end, kept) =
        if copies == 0 { (report.unanchored, "") } else { (report.unproven, " of which a copy was kept") };
    if 0 < end.lines {
        say(&format!("{end} are covered by no anchor{kept}"));
    }
    for line in remarks.iter().chain(&report.unseen()) {
        say(line);
    }
    record.print();
}

fn export(places: &PathOptions, output: &OutputOptions, texts: bool) -> Result<ExitCode, CliError> {
    let source = JournalSource::of(places)?;
    let mut to = output.open()?;
    source.each_line(|lines| Ok(journal::export(lines, &mut to)?))?;
    if texts {
        source.each_text(|texts| Ok(journal::export_texts(texts, &mut to)?))?;
    }
    to.flush()?;
    Ok(ExitCode::SUCCESS)
}
