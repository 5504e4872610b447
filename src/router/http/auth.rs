//! Who asks, and what they may.
//!
//! Without API keys everything is allowed, and the router listens on loopback only. Keys are compared by hash, in constant
//! time, over all keys. A header that is given twice opens nothing: whoever stands before the router may have read the other.

use axum::http::{HeaderMap, HeaderName, header};
use subtle::ConstantTimeEq;

use super::Problem;
use crate::router::service::Service;
use crate::store::Role;

/// The text of a header that is given once; `None` without one.
fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a str>, Problem> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    if values.next().is_some() {
        return Err(Problem::bad_request(format!("`{name}` is given twice")));
    }
    value
        .to_str()
        .map(Some)
        .map_err(|_| Problem::unauthorized())
}

/// The token of `Bearer TOKEN`; the scheme is written in any case (RFC 9110, section 11.1).
fn bearer(value: &str) -> Option<&str> {
    let (scheme, token) = value.split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then(|| token.trim_start())
}

/// Checks the key for a role; admin may do everything. Returns the key's id for the history.
pub(super) fn check(
    service: &Service,
    headers: &HeaderMap,
    needed: Role,
) -> Result<String, Problem> {
    let keys = service.keys();
    if keys.is_empty() {
        return Ok("loopback".to_owned());
    }
    let given = match only(headers, &header::AUTHORIZATION)? {
        Some(value) => bearer(value),
        None => only(headers, &HeaderName::from_static("x-api-key"))?,
    };
    let hash = blake3::hash(given.ok_or_else(Problem::unauthorized)?.as_bytes());
    let mut found = None;
    for key in keys.iter() {
        let same = bool::from(key.hash.ct_eq(hash.as_bytes()));
        if same && key.revoked_at_us.is_none() {
            found = Some(key);
        }
    }
    let key = found.ok_or_else(Problem::unauthorized)?;
    if key.role == needed || key.role == Role::Admin {
        return Ok(key.id.clone());
    }
    Err(Problem::forbidden(format!(
        "key `{}` has the role `{}`; this needs `{}`",
        key.id,
        key.role.word(),
        needed.word()
    )))
}
