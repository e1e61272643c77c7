//! `stentor assess`: how often an assessment of the matrix is right about past cases whose answer is known.

use crate::{
    cli::{
        assessments::result,
        error::CliError,
        load,
        options::PathOptions,
        output,
        table::{self, say, warn},
        threads,
    },
    core::{Alert, assessment::Assessment},
    engine::classifiers::{self, Classifiers},
    http::api::alerts,
    matrix::{AssessmentSettings, ClassifierAnswers, CostMeter, Matrix},
    report::accuracy::{Accuracy, CaseTruth, ClassScore, CountedShare, KnownCase, Reliability},
};
use clap::Args;
use futures_util::{StreamExt, stream};
use serde::Serialize;
use serde_json::Value;
use std::{collections::BTreeMap, path::PathBuf, process::ExitCode, sync::Arc};

#[derive(Debug, Args)]
pub struct AssessArgs {
    /// The cases, one JSON object a line: an alert as it would be posted to /v1/alerts, with "label": the level that is
    /// right, or true or false; - reads standard input
    #[arg(value_name = "FILE")]
    cases: PathBuf,
    /// Which assessment [default: the only one]
    #[arg(long, value_name = "NAME")]
    assessment: Option<String>,
    /// The level that cases labelled true should reach [default: the highest]
    #[arg(long, value_name = "LEVEL")]
    at: Option<String>,
    /// Ask the external classifier, as the daemon would; without this it counts as absent
    #[arg(long)]
    ask_classifier: bool,
    /// Print the report as JSON
    #[arg(long)]
    json: bool,
}

/// One line of the file.
struct LabelledCase {
    line: usize,
    alert: Alert,
    truth: CaseTruth,
}

/// The report.
#[derive(Debug, Serialize)]
struct AssessmentReport {
    assessment: String,
    /// The revision of the matrix.
    revision: String,
    /// Whether its classifier was asked; without one there is nothing to ask.
    classifier_asked: bool,
    /// The level that cases labelled true should reach.
    serious_from: String,
    /// Cases that could not be assessed: they are in no figure. The line of each, and why.
    not_assessed: Vec<(usize, String)>,
    #[serde(flatten)]
    accuracy: Accuracy,
}

impl AssessArgs {
    pub fn run(self, places: &PathOptions) -> Result<ExitCode, CliError> {
        let (matrix, _) = load::load(places, load::now())?.demand()?;
        let (name, settings) = self.chosen(&matrix)?;
        let levels: Vec<String> = settings.levels.names().map(str::to_owned).collect();
        let serious = match &self.at {
            None => levels.len() - 1,
            Some(level) => settings.levels.rank(level).ok_or_else(|| no_level(level, &levels))?,
        };
        let cases = cases(&output::read_text(&self.cases)?, &levels)?;
        let asked = if self.ask_classifier { classifiers::every(&matrix) } else { Classifiers::new() };
        let asked = asked.into_iter().filter(|(own, _)| own == name).collect();
        let assessed = assess(&matrix, (name, settings), &cases, &asked)?;
        let (mut known, mut not_assessed) = (Vec::new(), Vec::new());
        for (case, own) in cases.iter().zip(&assessed) {
            match settings.levels.rank(&own.level).filter(|_| own.failed.is_none()) {
                Some(found) => known.push(KnownCase { truth: case.truth, found, confidence: own.confidence }),
                None => not_assessed.push((case.line, result(own))),
            }
        }
        let report = AssessmentReport {
            assessment: name.to_owned(),
            revision: matrix.revision.clone(),
            classifier_asked: !asked.is_empty(),
            serious_from: levels[serious].clone(),
            not_assessed,
            accuracy: Accuracy::of(&levels, &known, serious),
        };
        if self.json {
            println!("{}", serde_json::to_string_pretty(&report)?);
        } else {
            if settings.classifier.is_some() && !report.classifier_asked {
                warn("warning: the classifier was not asked and counts as absent: see --ask-classifier");
            }
            print(&report);
        }
        Ok(ExitCode::SUCCESS)
    }

    fn chosen<'m>(&self, matrix: &'m Matrix) -> Result<(&'m str, &'m AssessmentSettings), CliError> {
        let names = || matrix.assessments.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
        let mut all = matrix.assessments.iter();
        let (name, settings) = match (&self.assessment, all.next(), all.next()) {
            (Some(name), ..) => matrix
                .assessments
                .get_key_value(name)
                .ok_or_else(|| format!("the matrix has no assessment {name:?}; it has: {}", names()))?,
            (None, Some(only), None) => only,
            (None, None, _) => return Err("the matrix has no assessment: add [assessment.NAME]".into()),
            (None, Some(_), Some(_)) => {
                return Err(format!("the matrix has several assessments, name one by --assessment: {}", names()).into());
            }
        };
        Ok((name, settings))
    }
}

fn no_level(level: &str, levels: &[String]) -> String {
    format!("the assessment has no level {level:?}; it has: {}", levels.join(", "))
}

/// The cases of a file; the error names the first line that is none.
fn cases(text: &str, levels: &[String]) -> Result<Vec<LabelledCase>, CliError> {
    let mut cases: Vec<LabelledCase> = Vec::new();
    for (line, text) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let line = line + 1;
        let case = case(text, levels).map_err(|why| format!("line {line} is no case: {why}"))?;
        let is_level = |truth: CaseTruth| matches!(truth, CaseTruth::Level(_));
        if let Some(first) = cases.first().filter(|first| is_level(first.truth) != is_level(case.1)) {
            let first = first.line;
            return Err(format!(
                "line {line}: its label is of another kind than that of line {first}: levels, or true and false"
            )
            .into());
        }
        cases.push(LabelledCase { line, alert: case.0, truth: case.1 });
    }
    if cases.is_empty() { Err("there are no cases".into()) } else { Ok(cases) }
}

fn case(text: &str, levels: &[String]) -> Result<(Alert, CaseTruth), String> {
    let mut fields = match serde_json::from_str(text) {
        Ok(Value::Object(fields)) => fields,
        Ok(_) => return Err("it is no JSON object".into()),
        Err(error) => return Err(error.to_string()),
    };
    let truth = match fields.remove("label") {
        Some(Value::Bool(is_serious)) => CaseTruth::Serious(is_serious),
        Some(Value::String(level)) => {
            let rank = levels.iter().position(|known| *known == level);
            CaseTruth::Level(rank.ok_or_else(|| no_level(&level, levels))?)
        }
        _ => return Err("it needs a \"label\": the level that is right, or true or false".into()),
    };
    let source = fields.get("source").and_then(Value::as_str).map(str::to_owned);
    let mut alert = alerts::read_exactly(Value::Object(fields).to_string().as_bytes())?;
    // The API takes the source from the token, which is not here.
    alert.source = source.map_or(alert.source, Into::into);
    Ok((alert, truth))
}

/// What the assessment makes of each case, in their order. No more are asked about at once than by the daemon.
fn assess(
    matrix: &Matrix,
    own: (&str, &AssessmentSettings),
    cases: &[LabelledCase],
    asked: &Classifiers,
) -> Result<Vec<Assessment>, CliError> {
    let assessing = BTreeMap::from([own]);
    let assess = |alert: &Alert, answers: &ClassifierAnswers| {
        let meter = Arc::new(CostMeter::new(u64::MAX));
        matrix.assess(&assessing, alert, &meter, answers).remove(own.0).unwrap_or_default()
    };
    let Some((name, classifier)) = asked.iter().next() else {
        return Ok(cases.iter().map(|case| assess(&case.alert, &ClassifierAnswers::new())).collect());
    };
    let each = stream::iter(cases.iter().map(|case| async {
        let answer = classifier.ask(&case.alert).await;
        assess(&case.alert, &ClassifierAnswers::from([(name.clone(), answer)]))
    }));
    Ok(threads::runtime(1)?.block_on(each.buffered(classifiers::ASKED_AT_ONCE).collect()))
}

fn print(report: &AssessmentReport) {
    let AssessmentReport { assessment, accuracy, not_assessed, .. } = report;
    say(&format!("assessment {assessment}, {} cases (matrix {})", accuracy.cases, report.revision));
    if let Some((line, why)) = not_assessed.first() {
        let count = not_assessed.len();
        say(&format!("{count} more could not be assessed and are in no figure. The first is line {line}: {why}"));
    }
    let what = match accuracy.each.is_empty() {
        true => format!("{} or above, as labelled", report.serious_from),
        false => "the very level".to_owned(),
    };
    say(&format!("{what}: {}", shown(&accuracy.right)));
    println!();
    let mut columns = vec!["right \\ found"];
    columns.extend(accuracy.levels.iter().map(String::as_str));
    let mut rows = table::table(&columns);
    for (truth, counts) in accuracy.truths.iter().zip(&accuracy.confusion) {
        rows.add_row(std::iter::once(truth.clone()).chain(counts.iter().map(u64::to_string)));
    }
    println!("{rows}");
    if !accuracy.each.is_empty() {
        println!("\n{}", scores("level", &accuracy.each));
    }
    println!("\n{}", scores("at or above", &accuracy.at_or_above));
    match &accuracy.reliability {
        Some(reliability) => print_reliability(reliability),
        None => say("\nno confidences: nobody said how sure they were"),
    }
}

fn scores(what: &str, scores: &[ClassScore]) -> table::TextTable {
    let mut rows = table::table(&[what, "precision", "recall", "F1"]);
    for ClassScore { level, precision, recall, f1 } in scores {
        let f1 = f1.map_or_else(|| "-".to_owned(), |f1| format!("{f1:.3}"));
        rows.add_row([level.clone(), shown(precision), shown(recall), f1]);
    }
    rows
}

fn print_reliability(Reliability { cases, ece, brier, bins }: &Reliability) {
    say(&format!("\nconfidences of {cases} cases: expected calibration error {ece:.3}, Brier score {brier:.3}"));
    let mut rows = table::table(&["confidence", "mean", "right"]);
    for bin in bins {
        let between = format!("{:.1} to {:.1}", bin.above, bin.up_to);
        rows.add_row([between, format!("{:.3}", bin.confidence), shown(&bin.right)]);
    }
    println!("{rows}");
}

/// `0.902 (55 of 61; 0.802 to 0.954)`: the share, its counts, its interval.
fn shown(CountedShare { hits, of, share, interval }: &CountedShare) -> String {
    match share.zip(*interval) {
        Some((share, interval)) => format!("{share:.3} ({hits} of {of}; {:.3} to {:.3})", interval.low, interval.high),
        None => "- (none)".to_owned(),
    }
}
