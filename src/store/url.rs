//! Which database a URL names, and how it may be shown.

use super::StoreError;

/// The databases there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Sqlite,
    Postgres,
}

/// The database that a URL names, by its scheme.
pub(super) fn kind(url: &str) -> Result<Kind, StoreError> {
    if url.starts_with("sqlite:") {
        Ok(Kind::Sqlite)
    } else if url.starts_with("postgres://") || url.starts_with("postgresql://") {
        Ok(Kind::Postgres)
    } else {
        Err(StoreError::BadUrl {
            url: shown(url),
            reason: "its scheme is neither sqlite nor postgres".into(),
        })
    }
}

/// A URL without its password and without its query, which may hold one.
pub fn shown(url: &str) -> String {
    let url = url.split(['?', '#']).next().unwrap_or_default();
    let Some((scheme, rest)) = url.split_once("://") else {
        return url.to_owned();
    };
    // A password may hold an `@` or a `/` that somebody forgot to encode: the last `@` ends it.
    let Some((user, host)) = rest.rsplit_once('@') else {
        return url.to_owned();
    };
    let user = user.split(':').next().unwrap_or_default();
    format!("{scheme}://{user}@{host}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_password_is_ever_shown() {
        let cases = [
            ("postgres://ann:s3cret@db/shop", "postgres://ann@db/shop"),
            (
                "postgres://ann:s3cr@et@db:5432/shop",
                "postgres://ann@db:5432/shop",
            ),
            ("postgres://ann:s3c/ret@db/shop", "postgres://ann@db/shop"),
            (
                "postgres://db/shop?user=ann&password=s3cret",
                "postgres://db/shop",
            ),
            (
                "postgresql://ann@db/shop#s3cret",
                "postgresql://ann@db/shop",
            ),
            ("mysql://ann:s3cret@db", "mysql://ann@db"),
            ("sqlite:shop.db?mode=rw", "sqlite:shop.db"),
            ("sqlite::memory:", "sqlite::memory:"),
        ];
        for (url, expected) in cases {
            assert_eq!(shown(url), expected);
            assert!(!shown(url).contains("s3c"));
        }
    }

    #[test]
    fn other_schemes_are_refused_without_their_password() {
        let error = kind("mysql://ann:s3cret@db").unwrap_err().to_string();
        assert!(
            error.contains("mysql://ann@db") && error.contains("sqlite:PATH"),
            "{error}"
        );
        assert!(!error.contains("s3cret"));
    }
}
