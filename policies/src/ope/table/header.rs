//! Which column of a table plays which part.

use super::error::TableError;
use super::rows::Wanted;
use std::path::Path;

/// The part a column plays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Role {
    Action,
    Propensity,
    Reward,
    /// Target policy's probability of an action.
    Target(usize),
    /// A named candidate's probability of an action: `NAME:pi0`.
    Candidate(usize, usize),
    /// A reward model's value of an action.
    Model(usize),
    /// A feature of the context.
    Feature(usize),
    Episode,
    Time,
    Done,
    State,
    NextState,
    /// A group of rows, for overviews alone.
    Class,
    /// Rows with the same value are resampled together.
    Unit,
    /// Whether an action was allowed.
    Mask(usize),
}

impl Role {
    fn of(name: &str) -> Option<Self> {
        let numbered = |prefix: &str| {
            let digits = name.strip_prefix(prefix)?;
            let plain = !digits.is_empty() && (digits == "0" || !digits.starts_with('0'));
            (plain && digits.bytes().all(|b| b.is_ascii_digit()))
                .then(|| digits.parse::<usize>().ok())
                .flatten()
        };
        Some(match name {
            "action" => Self::Action,
            "propensity" => Self::Propensity,
            "reward" => Self::Reward,
            "episode" => Self::Episode,
            "t" => Self::Time,
            "done" => Self::Done,
            "state" => Self::State,
            "next_state" => Self::NextState,
            "class" => Self::Class,
            "unit" => Self::Unit,
            _ => {
                return numbered("pi")
                    .map(Self::Target)
                    .or_else(|| numbered("q").map(Self::Model))
                    .or_else(|| numbered("x").map(Self::Feature))
                    .or_else(|| numbered("mask").map(Self::Mask));
            }
        })
    }
}

/// Columns of a table by the parts they play.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// Names as they stand in the file.
    pub names: Vec<String>,
    /// Part of each column; columns without one are passed over.
    pub(crate) roles: Vec<Option<Role>>,
    /// Actions: columns `pi0`, `pi1`, …. In a table to learn from they may be absent: then columns `mask…` or `q…` tell, else
    /// this is 0.
    pub actions: usize,
    /// Columns `x0`, `x1`, ….
    pub features: usize,
    /// Names of candidates: columns `NAME:pi0`, `NAME:pi1`, ….
    pub candidates: Vec<String>,
    /// Name of the policy to judge: `pi`, or that of the one that takes its place.
    pub target: String,
    has_model: bool,
    /// The column that groups rows in overviews: `class`, else `state`.
    pub(crate) group: Option<Role>,
}

/// Name of the policy of the columns `pi0`, `pi1`, ….
pub(crate) const TARGET: &str = "pi";

/// Most actions a table may have.
const MAX_ACTIONS: usize = 4096;

impl Header {
    /// Reads the names of the columns of a table whose policy `pi…` is judged.
    #[cfg(test)]
    pub(crate) fn of(file: &Path, names: Vec<String>) -> Result<Self, TableError> {
        Self::read(file, names, true)
    }

    /// Reads the names of a table's columns; `judged` says whether `pi…` must be there.
    pub(crate) fn read(file: &Path, names: Vec<String>, judged: bool) -> Result<Self, TableError> {
        let wrong = |reason: String, fix: &str| TableError::Columns {
            file: file.to_owned(),
            reason,
            fix: fix.to_owned(),
        };
        let mut candidates: Vec<String> = Vec::new();
        let roles: Vec<Option<Role>> = names
            .iter()
            .map(|name| match name.rsplit_once(':') {
                Some((candidate, column)) if !candidate.is_empty() => match Role::of(column) {
                    Some(Role::Target(k)) => {
                        let known = candidates.iter().position(|name| name == candidate);
                        let at = known.unwrap_or_else(|| {
                            candidates.push(candidate.to_owned());
                            candidates.len() - 1
                        });
                        Some(Role::Candidate(at, k))
                    }
                    _ => None,
                },
                _ => Role::of(name),
            })
            .collect();
        let mut seen: Vec<Role> = roles.iter().copied().flatten().collect();
        seen.sort_unstable();
        if let Some(twice) = seen.windows(2).find(|pair| pair[0] == pair[1]) {
            let name = &names[roles.iter().position(|r| *r == Some(twice[0])).unwrap_or(0)];
            return Err(wrong(
                format!("column `{name}` occurs twice"),
                "keep one of them",
            ));
        }
        let actions = counted(&seen, |role| match role {
            Role::Target(k) => Some(k),
            _ => None,
        });
        let models = counted(&seen, |role| match role {
            Role::Model(k) => Some(k),
            _ => None,
        });
        let features = counted(&seen, |role| match role {
            Role::Feature(k) => Some(k),
            _ => None,
        });
        let masks = counted(&seen, |role| match role {
            Role::Mask(k) => Some(k),
            _ => None,
        });
        for needed in ["action", "reward"] {
            if !names.iter().any(|name| name == needed) {
                return Err(wrong(
                    format!("no column `{needed}`; the columns are {}", listed(&names)),
                    "a table has `action` (from 0), `reward` and `pi0`, `pi1`, …, and usually `propensity` and `q0`, `q1`, …",
                ));
            }
        }
        let gap = |prefix: &str, counts: Result<usize, usize>| {
            counts.map_err(|missing| {
                wrong(
                    format!("no column `{prefix}{missing}`, though there are later ones"),
                    "number them from 0 without gaps",
                )
            })
        };
        let actions = gap("pi", actions)?;
        let models = gap("q", models)?;
        let features = gap("x", features)?;
        let masks = gap("mask", masks)?;
        let actions = match (actions, masks, judged) {
            (0, 0, false) => models.max(counted_of(&seen, 0)),
            (0, masks, false) => masks,
            (actions, ..) => actions,
        };
        if masks != 0 && masks != actions {
            return Err(wrong(
                format!("{masks} columns `mask…` for {actions} columns `pi…`"),
                "give one of each an action, or leave the masks out",
            ));
        }
        if actions == 0 && judged {
            return Err(wrong(
                "no columns `pi0`, `pi1`, …: the probabilities of the policy to judge".to_owned(),
                "add one column an action with the probability that the policy would take it",
            ));
        }
        if actions > MAX_ACTIONS {
            return Err(wrong(
                format!("{actions} actions; at most {MAX_ACTIONS} can be judged"),
                "group the actions",
            ));
        }
        for (at, name) in candidates.iter().enumerate() {
            // In order, so that a row's cells are those of the actions one after the other.
            let own: Vec<usize> = roles
                .iter()
                .filter_map(|role| match role {
                    Some(Role::Candidate(candidate, k)) if *candidate == at => Some(*k),
                    _ => None,
                })
                .collect();
            if !own.iter().copied().eq(0..actions) {
                return Err(wrong(
                    format!(
                        "candidate `{name}` has columns for actions {own:?}, and `pi…` has {actions}"
                    ),
                    "give `NAME:pi0`, `NAME:pi1`, … in this order, one an action",
                ));
            }
        }
        if models != 0 && models != actions {
            return Err(wrong(
                format!("{models} columns `q…` for {actions} columns `pi…`"),
                "give one of each an action, or leave the model out",
            ));
        }
        let group = [Role::Class, Role::State]
            .into_iter()
            .find(|role| seen.contains(role));
        Ok(Self {
            names,
            roles,
            actions,
            features,
            candidates,
            target: TARGET.to_owned(),
            has_model: models > 0,
            group,
        })
    }

    /// Whether the policy to judge has columns of its own, `pi…`.
    #[must_use]
    pub fn has_target(&self) -> bool {
        self.has(Role::Target(0))
    }

    /// Whether rows say which actions were allowed, `mask…`.
    #[must_use]
    pub fn has_masks(&self) -> bool {
        self.has(Role::Mask(0))
    }

    /// Whether a column with this part is there.
    pub(crate) fn has(&self, role: Role) -> bool {
        self.roles.contains(&Some(role))
    }

    /// Whether propensities were logged.
    #[must_use]
    pub fn has_propensity(&self) -> bool {
        self.has(Role::Propensity)
    }

    /// Whether a reward model is given, one column an action.
    #[must_use]
    pub const fn has_model(&self) -> bool {
        self.has_model
    }

    /// Whether rows belong to episodes: the table is sequential.
    #[must_use]
    pub fn has_episodes(&self) -> bool {
        self.has(Role::Episode)
    }

    /// Whether states are given.
    #[must_use]
    pub fn has_states(&self) -> bool {
        self.has(Role::State)
    }

    /// Whether ends of episodes are marked.
    #[must_use]
    pub fn has_done(&self) -> bool {
        self.has(Role::Done)
    }

    /// Whether rows name the unit they are resampled with.
    #[must_use]
    pub fn has_units(&self) -> bool {
        self.has(Role::Unit)
    }

    /// What overviews by group read.
    pub(crate) fn grouping(&self) -> Wanted {
        Wanted {
            classes: self.group == Some(Role::Class),
            states: self.group == Some(Role::State),
            ..Wanted::default()
        }
    }

    /// Name of the column that groups rows in overviews.
    #[must_use]
    pub fn group_name(&self) -> Option<&str> {
        self.group.map(|role| self.name(role))
    }

    /// Name of the column with a part; for messages.
    pub(crate) fn name(&self, role: Role) -> &str {
        self.roles
            .iter()
            .position(|r| *r == Some(role))
            .map_or("", |at| &self.names[at])
    }
}

/// How many consecutive numbers from 0 a kind of column has, or the first that is missing.
fn counted(sorted: &[Role], number: impl Fn(Role) -> Option<usize>) -> Result<usize, usize> {
    let numbers: Vec<usize> = sorted.iter().filter_map(|role| number(*role)).collect();
    match numbers.iter().enumerate().find(|(i, n)| i != *n) {
        None => Ok(numbers.len()),
        Some((missing, _)) => Err(missing),
    }
}

/// How many columns a candidate has.
fn counted_of(sorted: &[Role], candidate: usize) -> usize {
    let own = |role: &&Role| matches!(role, Role::Candidate(at, _) if *at == candidate);
    sorted.iter().filter(own).count()
}

fn listed(names: &[String]) -> String {
    const SHOWN: usize = 12;
    let mut text = names
        .iter()
        .take(SHOWN)
        .map(|name| format!("`{name}`"))
        .collect::<Vec<_>>()
        .join(", ");
    if names.len() > SHOWN {
        text.push_str(", …");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(names: &str) -> Result<Header, String> {
        Header::of(
            Path::new("t.csv"),
            names.split(',').map(str::to_owned).collect(),
        )
        .map_err(|error| error.to_string())
    }

    #[test]
    fn parts_are_found_in_any_order_and_others_passed_over() {
        let header = header("row,q1,pi1,reward,pi0,action,q0,propensity,quality,x0,pi").unwrap();
        assert_eq!((header.actions, header.features), (2, 1));
        assert!(header.has_model() && header.has_propensity() && !header.has_episodes());
        assert_eq!(header.roles[0], None);
        assert_eq!(header.roles[8], None);
        assert_eq!(header.roles[10], None);
    }

    #[test]
    fn wrong_headers_say_what_is_wrong() {
        for (names, reason) in [
            ("reward,pi0", "no column `action`"),
            ("action,pi0", "no column `reward`"),
            ("action,reward", "no columns `pi0`"),
            ("action,reward,pi0,pi2", "no column `pi1`"),
            ("action,reward,pi0,pi1,q0", "1 columns `q…` for 2"),
            ("action,action,reward,pi0", "`action` occurs twice"),
        ] {
            let error = header(names).unwrap_err();
            assert!(error.contains(reason), "{names}: {error}");
        }
    }
}
