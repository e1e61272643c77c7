//! Authentication: sources by their tokens, people by their desk's cookie.

use crate::{
    core::{PersonName, SourceName},
    engine::keys::same,
    http::{caller::UnixCaller, problem::ProblemDetails, state::AppState},
};
use axum::{
    Extension,
    http::{HeaderMap, header},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use secrecy::ExposeSecret;

/// The name of the desk's cookie.
pub const COOKIE: &str = "stentor_desk";

/// The source whose token is in this request: as a bearer token, or as the password of basic authentication.
pub fn source(app: &AppState, headers: &HeaderMap) -> Option<SourceName> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, credential) = value.split_once(' ')?;
    let token = match scheme.to_ascii_lowercase().as_str() {
        "bearer" => credential.trim().to_owned(),
        "basic" => password(credential.trim())?,
        _ => return None,
    };
    let live = app.engine.config();
    // All tokens are compared, so that the time reveals nothing.
    let mut found = None;
    for (source, known) in &live.tokens {
        if same(known.expose_secret(), &token) {
            found = Some(source.clone());
        }
    }
    found
}

/// The cookie of a signed-in desk, and its person.
pub fn session(app: &AppState, headers: &HeaderMap) -> Option<(String, PersonName)> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let cookie = pairs.find(|(name, _)| *name == COOKIE).map(|(_, value)| value.to_owned())?;
    let person = app.engine.keys().person_of_session(&cookie, app.engine.now())?;
    // A person who was removed from the matrix is signed out.
    app.engine.config().matrix.people.contains_key(&person).then_some((cookie, person))
}

fn password(credential: &str) -> Option<String> {
    let decoded = STANDARD.decode(credential).ok()?;
    let text = String::from_utf8(decoded).ok()?;
    text.split_once(':').map(|(_, password)| password.to_owned())
}

/// Refuses callers without a credential. The socket has authenticated its callers; over TCP a desk's cookie or a
/// source's token is required.
pub fn admitted(
    app: &AppState,
    caller: Option<Extension<UnixCaller>>,
    headers: &HeaderMap,
) -> Result<(), ProblemDetails> {
    let known = || session(app, headers).is_some() || source(app, headers).is_some();
    if caller.is_some() || known() {
        return Ok(());
    }
    Err(ProblemDetails::unauthorized("sign in to the desk (stentor desk-link NAME), or send the token of a [source]"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn basic_passwords_are_read() {
        assert_eq!(password("cHJvbTpzM2NyZXQ="), Some("s3cret".into()));
        assert_eq!(password("cHJvbTphOmI="), Some("a:b".into()));
        assert_eq!(password("not base64!"), None);
    }
}
