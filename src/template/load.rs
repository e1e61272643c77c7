//! Where templates come from: the shipped ones are built in, and a directory can override them. Broken templates are
//! found when they are loaded, not in a crisis.

use super::{
    broken::BrokenTemplate,
    fit, functions,
    handoff::{self, HandoffFacts, HandoffTexts},
};
use crate::core::{HandoffState, handoff::WordingVariant};
use minijinja::Environment;
use sha2::{Digest, Sha256};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt, io,
    path::PathBuf,
};

/// The templates for pages, ready to render: the shipped ones, with overrides from a directory.
pub struct PageTemplates {
    env: Environment<'static>,
    revisions: BTreeMap<String, String>,
    handoffs: HandoffTexts,
}

/// Why a directory's templates are refused.
#[derive(Debug, thiserror::Error)]
pub enum TemplateError {
    /// The directory cannot be read.
    #[error("the templates in {} can not be read", folder.display())]
    Unreadable {
        /// The directory.
        folder: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// These files are broken; all of them are listed.
    #[error("{}", .0.iter().map(BrokenTemplate::to_string).collect::<Vec<_>>().join("\n"))]
    Broken(Vec<BrokenTemplate>),
}

/// The files of one template; a missing file is taken from [`DEFAULT`].
pub(super) const FILES: [&str; 3] = ["brief.txt", "sms.txt", "mail.html"];

/// The text of a call. For a template without this file, its SMS is read aloud.
pub(super) const VOICE: &str = "voice.txt";

/// What the files of a template may `include`.
pub(super) const PARTS: [&str; 2] = ["facts.txt", "clocks.txt"];

/// The template for roles without their own.
pub(super) const DEFAULT: &str = "default";

macro_rules! shipped {
    ($($name:literal),*) => {
        [$(
            (concat!($name, "/brief.txt"), include_str!(concat!("../../templates/", $name, "/brief.txt"))),
            (concat!($name, "/sms.txt"), include_str!(concat!("../../templates/", $name, "/sms.txt"))),
            (concat!($name, "/mail.html"), include_str!(concat!("../../templates/", $name, "/mail.html"))),
        )*]
    };
}

/// The template for messages about an ending: somebody has it, you are not needed, it is over.
pub(super) const ALL_CLEAR: &str = "all-clear";

const SHIPPED: [(&str, &str); 24] =
    shipped!["default", "trader", "head-of-desk", "compliance", "it", "commander", "catch-all", "all-clear"];

/// Parts that the shipped texts and mails of a template share, by `include`.
const SHIPPED_PARTS: [(&str, &str); 4] = [
    ("trader/facts.txt", include_str!("../../templates/trader/facts.txt")),
    ("trader/clocks.txt", include_str!("../../templates/trader/clocks.txt")),
    ("compliance/clocks.txt", include_str!("../../templates/compliance/clocks.txt")),
    ("it/facts.txt", include_str!("../../templates/it/facts.txt")),
];

impl PageTemplates {
    /// The templates that ship with the program.
    pub fn shipped() -> Self {
        // A broken shipped file would be left out, and its pages would be sent with the raw facts; a test prevents
        // this.
        build(shipped_files()).0
    }

    /// The revision of each template: the first twelve hexadecimal digits of a SHA-256 over the files that it may use.
    pub fn revisions(&self) -> BTreeMap<String, String> {
        self.revisions.clone()
    }

    /// Whether this template is loaded in this revision.
    pub fn has(&self, template: &str, revision: &str) -> bool {
        self.revisions.get(template).is_some_and(|known| known == revision)
    }

    /// What the user of a handoff may be told in this state; `None` where there is nothing to tell.
    pub fn handoff_text(
        &self,
        locale: &str,
        state: HandoffState,
        variant: Option<WordingVariant>,
        facts: &HandoffFacts,
    ) -> Option<String> {
        self.handoffs.text(locale, state, variant, facts)
    }

    /// The template with that name if it exists, otherwise the default one.
    pub(super) fn name_for<'t>(&self, template: Option<&'t str>) -> &'t str {
        template.filter(|name| self.revisions.contains_key(*name)).unwrap_or(DEFAULT)
    }

    pub(super) fn revision(&self, name: &str) -> &str {
        self.revisions.get(name).map_or("", String::as_str)
    }

    /// The file of a template that is read aloud in a call.
    pub(super) fn voice_file(&self, name: &str) -> &'static str {
        if self.env.get_template(&format!("{name}/{VOICE}")).is_ok() { VOICE } else { FILES[1] }
    }

    /// Runs one file of a template. The error says where it stopped, without values from the alert.
    pub(super) fn run(&self, name: &str, file: &str, context: minijinja::Value) -> Result<String, BrokenTemplate> {
        let own = format!("{name}/{file}");
        let path = if self.env.get_template(&own).is_ok() { own } else { format!("{DEFAULT}/{file}") };
        let run = || self.env.get_template(&path).and_then(|template| template.render(context));
        // A bug in the template engine must not prevent the page.
        match std::panic::catch_unwind(std::panic::AssertUnwindSafe(run)) {
            Ok(Ok(text)) => Ok(fit::tidy(&text)),
            Ok(Err(error)) => Err(BrokenTemplate::from_error(&path, &error)),
            Err(_) => Err(BrokenTemplate { file: path, line: None, why: "the template engine panicked".to_owned() }),
        }
    }
}

impl fmt::Debug for PageTemplates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Templates").field("revisions", &self.revisions).finish_non_exhaustive()
    }
}

pub(super) fn shipped_files() -> BTreeMap<String, String> {
    SHIPPED.iter().chain(&SHIPPED_PARTS).map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect()
}

pub(super) fn build(mut files: BTreeMap<String, String>) -> (PageTemplates, Vec<BrokenTemplate>) {
    let (handoffs, unsound) = HandoffTexts::build(handoff::own(&mut files));
    let mut env = functions::environment();
    let revisions = revisions_of(&files);
    let mut broken = unsound;
    for (path, text) in files {
        if let Err(error) = env.add_template_owned(path.clone(), text) {
            broken.push(BrokenTemplate::from_error(&path, &error));
        }
    }
    (PageTemplates { env, revisions, handoffs }, broken)
}

fn revisions_of(files: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let names: BTreeSet<&str> = files.keys().filter_map(|path| path.split_once('/')).map(|(name, _)| name).collect();
    names.into_iter().map(|name| (name.to_owned(), revision_of(files, name))).collect()
}

/// Over the template's own files, the default's for missing ones, and every file that one of these includes.
fn revision_of(files: &BTreeMap<String, String>, name: &str) -> String {
    let own = |file: &&str| files.contains_key(&format!("{name}/{file}"));
    let folder = |file: &&str| if own(file) { name } else { DEFAULT };
    let mut used: BTreeSet<String> = FILES.iter().map(|file| format!("{}/{file}", folder(file))).collect();
    used.extend(own(&VOICE).then(|| format!("{name}/{VOICE}")));
    loop {
        let names = |path: &&String| used.iter().filter_map(|path| files.get(path)).any(|text| text.contains(*path));
        let included: Vec<String> = files.keys().filter(|path| !used.contains(*path)).filter(names).cloned().collect();
        if included.is_empty() {
            break;
        }
        used.extend(included);
    }
    let mut hash = Sha256::new();
    for path in &used {
        let text = files.get(path).map_or("", String::as_str);
        hash.update(format!("{path}\0{}\0{text}", text.len()));
    }
    hash.finalize().iter().take(6).map(|byte| format!("{byte:02x}")).collect()
}
