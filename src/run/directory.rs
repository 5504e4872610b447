//! The run directory and its files.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;
use tierwise_envs::centre::CentreError;
use tierwise_envs::env::EnvError;
use tierwise_envs::log::error::LogError;
use tierwise_envs::mdp::MdpError;
use tierwise_envs::replay::ModelError;
use tierwise_envs::shop::ShopError;
use tierwise_policies::artefact::ArtefactError;
use tierwise_policies::ope::OpeError;
use tierwise_policies::tabular::LearnError;

use crate::config::ConfigError;
use crate::failure::{Failure, failure_of};

/// Why a run could not start or finish.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// The file system said no.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What it said.
        #[source]
        source: io::Error,
    },
    /// A file of the run directory is not what it should be.
    #[error("{}: {reason}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// A line of a ledger of judged candidates is not what it should be.
    #[error("{}:{line}: {reason}", path.display())]
    Ledger {
        /// The file.
        path: PathBuf,
        /// Its line, from 1.
        line: u64,
        /// What is wrong.
        reason: String,
    },
    /// The configuration cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The log cannot be read.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The finite MDP cannot be read or solved.
    #[error(transparent)]
    Mdp(#[from] MdpError),
    /// The generated shop cannot be built.
    #[error(transparent)]
    Shop(#[from] ShopError),
    /// The contact centre cannot be built.
    #[error(transparent)]
    Centre(#[from] CentreError),
    /// The learner cannot go on.
    #[error(transparent)]
    Learn(#[from] LearnError),
    /// The environment cannot go on.
    #[error(transparent)]
    Env(#[from] EnvError),
    /// No outcome model can be fitted.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// A policy cannot be trusted or written.
    #[error(transparent)]
    Artefact(#[from] ArtefactError),
    /// Columns that cannot be judged.
    #[error(transparent)]
    Ope(#[from] OpeError),
    /// What was asked for does not fit together.
    #[error("{what}")]
    Unusable {
        /// Where and what.
        what: String,
        /// Why.
        why: String,
        /// The way out.
        fix: String,
    },
    /// Somebody pressed Ctrl-C; everything up to the last checkpoint is kept.
    #[error("interrupted; checkpoints are in {}", dir.display())]
    Interrupted {
        /// The run directory.
        dir: PathBuf,
    },
}

impl RunError {
    /// A combination that does not fit together.
    pub(super) fn unusable(
        what: impl Into<String>,
        why: impl Into<String>,
        fix: impl Into<String>,
    ) -> Self {
        Self::Unusable {
            what: what.into(),
            why: why.into(),
            fix: fix.into(),
        }
    }
}

impl From<RunError> for Failure {
    fn from(error: RunError) -> Self {
        match error {
            RunError::Config(error) => error.into(),
            RunError::Unusable { what, why, fix } => Self::new(what).detail(why).fix(fix),
            RunError::Interrupted { .. } => Self {
                exit_code: Self::INTERRUPTED,
                ..failure_of(&error)
                    .fix("run the same command with `--resume` to go on, bit for bit")
            },
            RunError::Model(ModelError::NoNumbers { tier, .. }) => failure_of(&error).fix(format!(
                "state your assumption under `[assumed.{tier}]`, or mask the tier"
            )),
            RunError::Log(ref log) if log.as_row().is_some() => failure_of(&error).fix(
                "`tierwise log check` lists every broken row; import the log again without them",
            ),
            other => failure_of(&other),
        }
    }
}

/// A run directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunDirectory {
    path: PathBuf,
}

impl RunDirectory {
    /// Creates the directory if it is missing.
    ///
    /// # Errors
    /// [`RunError::Io`].
    pub fn create(path: &Path) -> Result<Self, RunError> {
        fs::create_dir_all(path).map_err(|source| RunError::Io {
            path: path.to_owned(),
            source,
        })?;
        Ok(Self {
            path: path.to_owned(),
        })
    }

    /// A directory that exists.
    #[must_use]
    pub fn at(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
        }
    }

    /// Its path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The resolved configuration.
    #[must_use]
    pub fn config(&self) -> PathBuf {
        self.path.join("config.toml")
    }

    /// Result of training.
    #[must_use]
    pub fn training(&self) -> PathBuf {
        self.path.join("training.json")
    }

    /// Result of judging.
    #[must_use]
    pub fn evaluation(&self) -> PathBuf {
        self.path.join("evaluation.json")
    }

    /// Result of a simulation of the contact centre.
    #[must_use]
    pub fn simulation(&self) -> PathBuf {
        self.path.join("simulation.json")
    }

    /// How the centre was fitted to a log.
    #[must_use]
    pub fn calibration(&self) -> PathBuf {
        self.path.join("calibration.json")
    }

    /// How much a comparison hangs on the centre's numbers.
    #[must_use]
    pub fn sensitivity(&self) -> PathBuf {
        self.path.join("sensitivity.json")
    }

    /// What test designs measured.
    #[must_use]
    pub fn designs(&self) -> PathBuf {
        self.path.join("designs.json")
    }

    /// Result of judging a logged table.
    #[must_use]
    pub fn table(&self) -> PathBuf {
        self.path.join("table.json")
    }

    /// Result of analysing an experiment.
    #[must_use]
    pub fn analysis(&self) -> PathBuf {
        self.path.join("analysis.json")
    }

    /// What the log holds.
    #[must_use]
    pub fn log_check(&self) -> PathBuf {
        self.path.join("log-check.json")
    }

    /// The folder of checkpoints, which stands there while a run is not finished.
    #[must_use]
    pub fn checkpoints(&self) -> PathBuf {
        self.path.join("checkpoint")
    }

    /// Checkpoint of one seed.
    #[must_use]
    pub fn checkpoint(&self, seed: u64) -> PathBuf {
        self.checkpoints().join(format!("seed-{seed}.json"))
    }

    /// Forgets what an earlier version was judged to be, before a new one takes its place.
    ///
    /// # Errors
    /// [`RunError::Io`].
    pub fn clear_judgement(&self) -> Result<(), RunError> {
        for path in [self.evaluation(), self.log_check()] {
            match fs::remove_file(&path) {
                Err(source) if source.kind() != io::ErrorKind::NotFound => {
                    return Err(RunError::Io { path, source });
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Forgets what was found of policies or a centre that were simulated before.
    ///
    /// # Errors
    /// [`RunError::Io`].
    pub fn clear_simulation(&self) -> Result<(), RunError> {
        for path in [self.designs(), self.sensitivity(), self.calibration()] {
            match fs::remove_file(&path) {
                Err(source) if source.kind() != io::ErrorKind::NotFound => {
                    return Err(RunError::Io { path, source });
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Forgets checkpoints, after the end of a run or before a new one.
    ///
    /// # Errors
    /// [`RunError::Io`].
    pub fn clear_checkpoints(&self) -> Result<(), RunError> {
        let path = self.checkpoints();
        match fs::remove_dir_all(&path) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                Err(RunError::Io { path, source })
            }
            _ => Ok(()),
        }
    }
}

/// Writes a file under a temporary name and renames it.
pub(crate) fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), RunError> {
    let parent = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    fs::create_dir_all(parent)
        .and_then(|()| temporary(parent))
        .and_then(|mut file| {
            file.write_all(bytes)?;
            file.as_file().sync_all()?;
            file.persist(path).map_err(|error| error.error)
        })
        .map(|_| ())
        .map_err(|source| RunError::Io {
            path: path.to_owned(),
            source,
        })
}

/// A temporary file that will have the permissions any new file has: the umask's, not the owner's alone.
fn temporary(parent: &Path) -> io::Result<tempfile::NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".tierwise-");
    #[cfg(unix)]
    let builder = {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(fs::Permissions::from_mode(0o666))
    };
    builder.tempfile_in(parent)
}

/// Writes a value as JSON, whole or not at all.
pub(crate) fn write_json<T: Serialize>(path: &Path, value: &T) -> Result<(), RunError> {
    let mut text = serde_json::to_string_pretty(value).map_err(|e| RunError::Malformed {
        path: path.to_owned(),
        reason: e.to_string(),
    })?;
    text.push('\n');
    write_whole(path, text.as_bytes())
}

/// Reads a file as text.
pub(crate) fn read_text(path: &Path) -> Result<String, RunError> {
    fs::read_to_string(path).map_err(|source| RunError::Io {
        path: path.to_owned(),
        source,
    })
}

/// Reads a value from JSON.
pub(crate) fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T, RunError> {
    let text = read_text(path)?;
    serde_json::from_str(&text).map_err(|e| RunError::Malformed {
        path: path.to_owned(),
        reason: e.to_string(),
    })
}
