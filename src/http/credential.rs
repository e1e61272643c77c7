//! Authentication: sources by their tokens, people by their desk's cookie.

use crate::{
    core::{PersonName, SourceName},
    engine::keys::same,
    http::{caller::UnixCaller, problem::ProblemDetails, refusal_log, state::AppState},
    matrix::SourceScope,
};
use axum::{
    Extension,
    http::{HeaderMap, StatusCode, header},
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
    source_of(app, &token)
}

/// The source that has this token, wherever its monitor sends it.
pub fn source_of(app: &AppState, token: &str) -> Option<SourceName> {
    let live = app.engine.config();
    // All tokens are compared, so that the time reveals nothing.
    let mut found = None;
    for (source, known) in &live.tokens {
        if same(known.expose_secret(), token) {
            found = Some(source.clone());
        }
    }
    found
}

/// The value of the cookie with this name.
pub fn cookie(headers: &HeaderMap, name: &str) -> Option<String> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(known, _)| *known == name).map(|(_, value)| value.to_owned())
}

/// The cookie of a signed-in desk, and its person.
pub fn session(app: &AppState, headers: &HeaderMap) -> Option<(String, PersonName)> {
    let cookie = cookie(headers, COOKIE)?;
    let person = app.engine.keys().person_of_session(&cookie, app.engine.now())?;
    // A person who was removed from the matrix is signed out.
    app.engine.config().matrix.people.contains_key(&person).then_some((cookie, person))
}

/// The same of a request that needs one.
///
/// # Errors
/// `401` if nobody is signed in.
pub fn signed_in(app: &AppState, headers: &HeaderMap) -> Result<(String, PersonName), ProblemDetails> {
    let detail = "this desk is not signed in: ask for a new desk link";
    session(app, headers).ok_or_else(|| ProblemDetails::unauthorized(detail))
}

/// Whether a page of this session has sent the request that has this token.
pub fn is_own_page(app: &AppState, cookie: &str, csrf: &str) -> bool {
    same(app.engine.keys().csrf(cookie).expose_secret(), csrf)
}

fn password(credential: &str) -> Option<String> {
    let decoded = STANDARD.decode(credential).ok()?;
    let text = String::from_utf8(decoded).ok()?;
    text.split_once(':').map(|(_, password)| password.to_owned())
}

/// Refuses callers who may not read this. The socket has authenticated its callers, and a person who is signed in may
/// read everything; a source needs the scope.
pub fn may_read(
    app: &AppState,
    caller: Option<Extension<UnixCaller>>,
    headers: &HeaderMap,
    scope: SourceScope,
) -> Result<(), ProblemDetails> {
    reads(app, caller.is_some(), headers, scope).map_err(|source| {
        refusal_log::credential(source.as_ref(), scope);
        match source {
            Some(source) => ProblemDetails::new(StatusCode::FORBIDDEN, out_of_scope(&source, scope)),
            None => ProblemDetails::unauthorized(format!(
                "sign in to the desk (stentor desk-link NAME), or send the token of a [source] that has scopes = [{:?}] \
                 (Authorization: Bearer ..)",
                scope.as_str()
            )),
        }
    })
}

/// Whether a caller may read this. Logs nothing.
///
/// # Errors
/// The source of the token, if it has one of the matrix.
pub fn reads(
    app: &AppState,
    on_socket: bool,
    headers: &HeaderMap,
    scope: SourceScope,
) -> Result<(), Option<SourceName>> {
    if on_socket || session(app, headers).is_some() {
        return Ok(());
    }
    let source = source(app, headers).ok_or(None)?;
    if has_scope(app, &source, scope) { Ok(()) } else { Err(Some(source)) }
}

/// The source that may send alerts with the token of this request; `None` if no source has it, which is logged.
pub fn sender(app: &AppState, headers: &HeaderMap) -> Option<SourceName> {
    known_sender(source(app, headers))
}

/// The same where the request has its token elsewhere than in the usual header.
pub fn sender_of(app: &AppState, token: &str) -> Option<SourceName> {
    known_sender(source_of(app, token))
}

fn known_sender(source: Option<SourceName>) -> Option<SourceName> {
    if source.is_none() {
        refusal_log::credential(None, SourceScope::Alerts);
    }
    source
}

/// Whether the token of this source may be used for this; if not, what to change.
pub fn in_scope(app: &AppState, source: &SourceName, scope: SourceScope) -> Result<(), String> {
    if has_scope(app, source, scope) {
        return Ok(());
    }
    refusal_log::credential(Some(source), scope);
    Err(out_of_scope(source, scope))
}

/// Whether the token of this source may be used for this. Logs nothing.
pub fn has_scope(app: &AppState, source: &SourceName, scope: SourceScope) -> bool {
    app.engine.config().matrix.sources.get(source).is_some_and(|known| known.scopes.contains(&scope))
}

fn out_of_scope(source: &SourceName, scope: SourceScope) -> String {
    let scope = scope.as_str();
    format!("the token of source {source} has no scope {scope:?}: add it to `scopes` of [source.{source}]")
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
