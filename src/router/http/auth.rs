//! Who asks, and what they may.
//!
//! Without API keys everything is allowed, and the router listens on loopback only. Keys are compared by hash, in constant
//! time, over all keys. Requests carry their key in a header; pages for people may carry it in a cookie, which no request
//! that changes something accepts. A header that is given twice opens nothing: whoever stands before the router may have
//! read the other.

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use subtle::ConstantTimeEq;

use super::Problem;
use crate::router::service::Service;
use crate::store::Role;

/// The cookie that holds a reader's key until the browser is closed.
const COOKIE: &str = "tierwise_key";
/// The cookie that takes it away.
pub(super) const NO_COOKIE: &str = "tierwise_key=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0";

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
    check_given(service, || in_header(headers), needed)
}

/// As [`check`], for pages: the key may come in the cookie as well.
pub(super) fn check_reader(
    service: &Service,
    headers: &HeaderMap,
    needed: Role,
) -> Result<String, Problem> {
    check_given(
        service,
        || Ok(in_header(headers)?.or_else(|| in_cookie(headers))),
        needed,
    )
}

/// As [`check`], for a key that was typed.
pub(super) fn check_key(service: &Service, key: &str, needed: Role) -> Result<String, Problem> {
    check_given(service, || Ok(Some(key)), needed)
}

/// The cookie that keeps a key; `None` for a key that no cookie can hold.
pub(super) fn cookie(key: &str, https: bool) -> Option<HeaderValue> {
    let fits = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b',' | b';' | b'\\');
    if key.is_empty() || !key.bytes().all(fits) {
        return None;
    }
    let secure = if https { "; Secure" } else { "" };
    let text = format!("{COOKIE}={key}; Path=/; HttpOnly; SameSite=Strict{secure}");
    HeaderValue::from_str(&text).ok()
}

fn in_header(headers: &HeaderMap) -> Result<Option<&str>, Problem> {
    match only(headers, &header::AUTHORIZATION)? {
        Some(value) => Ok(bearer(value)),
        None => only(headers, &HeaderName::from_static("x-api-key")),
    }
}

fn in_cookie(headers: &HeaderMap) -> Option<&str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find_map(|(name, value)| (name == COOKIE).then_some(value))
}

/// Checks a key; `given` is not looked at where no key is asked for.
fn check_given<'a>(
    service: &Service,
    given: impl FnOnce() -> Result<Option<&'a str>, Problem>,
    needed: Role,
) -> Result<String, Problem> {
    let keys = service.keys();
    if keys.is_empty() {
        return Ok("loopback".to_owned());
    }
    let given = given()?;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cookies_are_found_among_others() {
        let mut headers = HeaderMap::new();
        headers.insert(
            header::COOKIE,
            HeaderValue::from_static("a=b; tierwise_key=k=1; tierwise_keys=no"),
        );
        assert_eq!(in_cookie(&headers), Some("k=1"));
        assert_eq!(in_header(&headers).unwrap(), None);
        headers.insert("x-api-key", HeaderValue::from_static("k2"));
        assert_eq!(in_header(&headers).unwrap(), Some("k2"));
    }

    #[test]
    fn a_cookie_holds_nothing_that_ends_it() {
        let text = |key, https| cookie(key, https).map(|value| value.to_str().unwrap().to_owned());
        assert_eq!(
            text("abc", false).as_deref(),
            Some("tierwise_key=abc; Path=/; HttpOnly; SameSite=Strict")
        );
        assert!(text("abc", true).unwrap().ends_with("; Secure"));
        for key in ["", "a;b", "a b", "a\r\nSet-Cookie: x", "ключ"] {
            assert_eq!(text(key, false), None, "{key:?}");
        }
    }
}
