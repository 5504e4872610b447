//! Data beside the repository, which it may not hold.

use std::path::{Path, PathBuf};

/// A file of `../shared/fixtures`, if it is on this machine.
pub(crate) fn fixture(name: &str) -> Option<PathBuf> {
    found(beside("fixtures").join(name))
}

/// A folder of `TIERWISE_DATA`, else of `../shared/data`, if it is on this machine.
pub(crate) fn data(name: &str) -> Option<PathBuf> {
    #[expect(
        clippy::disallowed_methods,
        reason = "a test finds its data here; the library never does"
    )]
    let root = std::env::var("TIERWISE_DATA").map_or_else(|_| beside("data"), PathBuf::from);
    found(root.join(name))
}

/// A file of `configs/`.
pub(crate) fn config(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("configs")
        .join(name)
}

fn beside(folder: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../shared")
        .join(folder)
}

fn found(path: PathBuf) -> Option<PathBuf> {
    if path.exists() {
        return Some(path);
    }
    eprintln!("skipped: {} is absent", path.display());
    None
}
