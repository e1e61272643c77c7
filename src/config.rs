//! The only module that reads the environment: secrets, folders, limits of the process.

pub mod zoneinfo;

use crate::toml_kit::secret::SecretRef;
use secrecy::SecretString;
use std::{io, path::PathBuf};

/// The longest secret that is read, in bytes.
const SECRET_MAX: u64 = 64 * 1024;

/// Why a secret can not be read.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The variable is not set or is empty.
    #[error("the environment variable {0} is not set")]
    Unset(String),
    /// The file can not be read.
    #[error("{path} can not be read")]
    Unreadable {
        /// The path.
        path: PathBuf,
        /// The reason.
        #[source]
        source: io::Error,
    },
    /// It exists but is empty.
    #[error("{0} is empty")]
    Empty(PathBuf),
    /// The process was not started by systemd.
    #[error("the credential {0:?} needs systemd's LoadCredential= (CREDENTIALS_DIRECTORY is not set)")]
    NoCredentials(String),
}

/// Reads a secret, without white space around it.
pub fn secret(secret: &SecretRef) -> Result<SecretString, SecretError> {
    match secret {
        SecretRef::Env(name) => {
            let value = variable(name).filter(|value| !value.trim().is_empty());
            Ok(SecretString::from(value.ok_or_else(|| SecretError::Unset(name.clone()))?.trim()))
        }
        SecretRef::File(path) => read(path.clone()),
        SecretRef::Credential(name) => {
            let folder = variable("CREDENTIALS_DIRECTORY").ok_or_else(|| SecretError::NoCredentials(name.clone()))?;
            read(PathBuf::from(folder).join(name))
        }
    }
}

/// A file of root certificates to trust in addition to the system's, for mail relays with a certificate of a private
/// CA: `STENTOR_CA_FILE`.
pub fn extra_ca() -> Option<PathBuf> {
    variable("STENTOR_CA_FILE").map(PathBuf::from)
}

/// An environment variable that is set, not empty, and UTF-8.
#[expect(clippy::disallowed_methods, reason = "the one reader of the environment")]
pub fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

fn read(path: PathBuf) -> Result<SecretString, SecretError> {
    use io::Read;
    let mut text = String::new();
    let file = std::fs::File::open(&path).map_err(|source| SecretError::Unreadable { path: path.clone(), source })?;
    file.take(SECRET_MAX)
        .read_to_string(&mut text)
        .map_err(|source| SecretError::Unreadable { path: path.clone(), source })?;
    let trimmed = text.trim();
    if trimmed.is_empty() { Err(SecretError::Empty(path)) } else { Ok(SecretString::from(trimmed)) }
}
