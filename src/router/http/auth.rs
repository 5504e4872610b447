//! Who asks, and what they may.
//!
//! Without API keys everything is allowed, and the router listens on loopback only. Keys are compared by hash, in constant
//! time, over all keys.

use axum::http::{HeaderMap, header};
use subtle::ConstantTimeEq;

use super::Problem;
use crate::router::service::Service;
use crate::store::Role;

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
    let bearer = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.strip_prefix("Bearer "));
    let given = bearer.or_else(|| headers.get("x-api-key")?.to_str().ok());
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
