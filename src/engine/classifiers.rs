//! External classifiers: each is asked about an alert before the matrix judges it, by HTTP or by running a program. Whatever
//! it does, its answer is there at its deadline or it is absent.

use crate::{
    channel::{client::BoundedClient, program},
    core::{
        Alert,
        assessment::{Assessments, Classified, ClassifierAnswer, cut},
    },
    engine::{active_channel::SharedChannelParts, channel_factory},
    matrix::{ClassifierSettings, ClassifierVia, Matrix, NOT_ASKED},
    toml_kit::secret::SecretAddress,
};
use reqwest::{Method, header};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};
use tokio::{sync::Semaphore, time::timeout};

/// How many alerts one classifier is asked about at the same time. The others wait, within their deadline.
pub const ASKED_AT_ONCE: usize = 8;

/// The longest answer that is read, in bytes.
const ANSWER_MAX: usize = 16 * 1024;

/// The classifiers of the matrix, by the assessments that they are for.
pub type Classifiers = BTreeMap<String, Arc<Classifier>>;

/// One classifier, ready to be asked.
pub struct Classifier {
    assessment: String,
    /// The error says why it can not be asked.
    way: Result<ClassifierWay, String>,
    deadline: Duration,
    turns: Semaphore,
    is_absent: AtomicBool,
}

enum ClassifierWay {
    Http { client: BoundedClient, token: Option<SecretString> },
    Program { program: PathBuf, arguments: Vec<String>, environment: Vec<(String, String)> },
}

/// Those of a matrix. In the sandbox nothing leaves the machine, so none is asked.
pub(super) fn of(matrix: &Matrix, shared: &SharedChannelParts) -> Classifiers {
    if shared.sandbox { Classifiers::new() } else { every(matrix) }
}

/// Those of a matrix, by the secrets that can be read here.
pub fn every(matrix: &Matrix) -> Classifiers {
    let own = matrix.assessments.iter().filter_map(|(name, own)| Some((name, own.classifier.as_ref()?)));
    own.map(|(name, settings)| (name.clone(), Arc::new(Classifier::new(name, settings)))).collect()
}

impl Classifier {
    fn new(assessment: &str, settings: &ClassifierSettings) -> Self {
        let way = ClassifierWay::of(&settings.via);
        if let Err(why) = &way {
            tracing::warn!(assessment, why, "this classifier can not be asked");
        }
        let (assessment, deadline) = (assessment.to_owned(), settings.deadline);
        Self { assessment, way, deadline, turns: Semaphore::new(ASKED_AT_ONCE), is_absent: AtomicBool::new(false) }
    }

    /// Why it can not be asked, if it can not.
    pub(super) fn trouble(&self) -> Option<&str> {
        self.way.as_ref().err().map(String::as_str)
    }

    /// What it says of an alert, at its deadline at the latest.
    pub async fn ask(&self, alert: &Alert) -> ClassifierAnswer {
        let asked = async {
            let way = self.way.as_ref().map_err(Clone::clone)?;
            let _turn = self.turns.acquire().await.map_err(|_| NOT_ASKED.to_owned())?;
            way.ask(&self.question(alert)).await
        };
        let within = humantime::format_duration(self.deadline);
        let said = timeout(self.deadline, asked).await.unwrap_or_else(|_| Err(format!("no answer within {within}")));
        let was_absent = self.is_absent.swap(said.is_err(), Relaxed);
        match said {
            Ok(said) => {
                if was_absent {
                    tracing::info!(assessment = self.assessment, "the classifier answers again");
                }
                ClassifierAnswer::Said(said)
            }
            Err(why) => {
                // Told once: each assessment has it.
                if !was_absent {
                    tracing::warn!(assessment = self.assessment, why, "the classifier does not answer");
                }
                ClassifierAnswer::Absent(cut(&why))
            }
        }
    }

    fn question(&self, alert: &Alert) -> Vec<u8> {
        let alert = Alert { assessed: Assessments::new(), ..alert.clone() };
        json!({ "assessment": self.assessment, "alert": alert }).to_string().into_bytes()
    }
}

impl ClassifierWay {
    fn of(via: &ClassifierVia) -> Result<Self, String> {
        match via {
            ClassifierVia::Http { url, token } => {
                let token = token.as_ref().map(channel_factory::secret).transpose()?;
                let client = match url {
                    SecretAddress::Written(url) => BoundedClient::new(url, None),
                    SecretAddress::Kept(secret) => {
                        BoundedClient::new(channel_factory::secret(secret)?.expose_secret(), None)
                    }
                };
                Ok(Self::Http { client: client.map_err(|error| error.to_string())?, token })
            }
            ClassifierVia::Program { program, arguments } => {
                let (program, arguments) = (program.clone(), arguments.clone());
                Ok(Self::Program { program, arguments, environment: channel_factory::environment() })
            }
        }
    }

    async fn ask(&self, question: &[u8]) -> Result<Classified, String> {
        let answer = match self {
            Self::Http { client, token } => {
                let request = client.request(Method::POST, client.url().clone());
                let request = request.header(header::CONTENT_TYPE, "application/json").body(question.to_vec());
                let request = match token {
                    Some(token) => request.bearer_auth(token.expose_secret()),
                    None => request,
                };
                let answer = client.send_within(request, ANSWER_MAX).await.map_err(|error| error.to_string())?;
                if !answer.status.is_success() {
                    return Err(format!("{} answered {}", client.host(), answer.status));
                }
                answer.body
            }
            Self::Program { program, arguments, environment } => {
                let ended = program::run(program, arguments, environment, question).await;
                let ended = ended.map_err(|error| format!("the program can not be run: {error}"))?;
                if !ended.status.success() {
                    return Err(format!("the program failed: {}", ended.status));
                }
                ended.output
            }
        };
        serde_json::from_str(&answer).map_err(|error| format!("its answer can not be read: {error}"))
    }
}
