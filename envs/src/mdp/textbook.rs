//! Three textbook problems with known optima, written from their published definitions.
//!
//! They are what exact solutions and learners are checked against; states and actions are numbered as in Gymnasium's toy
//! texts, so that results compare.

use super::{Mdp, MdpBuilder, TransitionRow};

/// Cliff walking: a 4 × 12 grid, start bottom left, goal bottom right, a cliff between them.
///
/// Actions up, right, down, left; each step costs 1, stepping off the cliff costs 100 and leads back to the start. The best
/// return is −13.
///
/// # Source
/// Sutton & Barto, Reinforcement Learning, 2nd ed., example 6.6.
#[must_use]
pub fn cliff_walking() -> Mdp {
    const START: usize = 36;
    const GOAL: usize = 47;
    let mut transitions = Vec::new();
    for state in (0..48).filter(|&s| s != GOAL) {
        let (row, column) = (state / 12, state % 12);
        let moves = [
            (row.saturating_sub(1), column),
            (row, (column + 1).min(11)),
            ((row + 1).min(3), column),
            (row, column.saturating_sub(1)),
        ];
        for (action, (row, column)) in moves.into_iter().enumerate() {
            let next = row * 12 + column;
            let (reward, next) = if (START + 1..GOAL).contains(&next) {
                (-100.0, START)
            } else {
                (-1.0, next)
            };
            transitions.push(TransitionRow::new(state, action, reward, vec![(next, 1.0)]));
        }
    }
    built(48, 4, vec![(START, 1.0)], vec![GOAL], transitions)
}

/// Frozen lake, 4 × 4 and slippery: a move goes where it should, or to either side of it, with probability 1/3 each.
///
/// Actions left, down, right, up; reaching the goal pays 1 and ends, falling into a hole ends. Rewards are the expectation
/// over where a move slips. The best chance of reaching the goal, without a time limit, is 14/17 = 0.8235….
///
/// # Source
/// Gymnasium, `FrozenLake-v1`, map `4x4`; its optimum by value iteration there.
#[must_use]
pub fn frozen_lake() -> Mdp {
    const MAP: &[u8; 16] = b"SFFFFHFHFFFHHFFG";
    const GOAL: usize = 15;
    let step = |state: usize, direction: usize| {
        let (row, column) = (state / 4, state % 4);
        let (row, column) = match direction {
            0 => (row, column.saturating_sub(1)),
            1 => ((row + 1).min(3), column),
            2 => (row, (column + 1).min(3)),
            _ => (row.saturating_sub(1), column),
        };
        row * 4 + column
    };
    let ends: Vec<usize> = (0..16).filter(|&s| b"HG".contains(&MAP[s])).collect();
    let mut transitions = Vec::new();
    for state in (0..16).filter(|s| !ends.contains(s)) {
        for action in 0..4 {
            let mut thirds = [0_u32; 16];
            for slip in [3, 0, 1] {
                thirds[step(state, (action + slip) % 4)] += 1;
            }
            let next = (0..16).filter(|&s| thirds[s] > 0);
            let next = next.map(|s| (s, f64::from(thirds[s]) / 3.0)).collect();
            let reward = f64::from(thirds[GOAL]) / 3.0;
            transitions.push(TransitionRow::new(state, action, reward, next));
        }
    }
    built(16, 4, vec![(0, 1.0)], ends, transitions)
}

/// Taxi: fetch a passenger at one of four stands of a 5 × 5 town and set them down at another.
///
/// Actions south, north, east, west, pick up, set down; each step costs 1, a wrong pick-up or set-down 10, and delivery pays
/// 20 and ends. Starts are uniform over the 300 states with the passenger at a stand other than the destination. The best
/// mean return is 7.93. States whose passenger already is at the destination are terminal: they are entered by delivery only.
///
/// # Source
/// Dietterich, JAIR 2000, section 2; numbering as Gymnasium's `Taxi`.
#[must_use]
pub fn taxi() -> Mdp {
    const STANDS: [(usize, usize); 4] = [(0, 0), (0, 4), (4, 0), (4, 3)];
    const ABOARD: usize = 4;
    let encode = |row: usize, column: usize, passenger: usize, destination: usize| {
        ((row * 5 + column) * 5 + passenger) * 4 + destination
    };
    // A wall east of (row, column).
    let wall = |row: usize, column: usize| {
        matches!((row, column), (0 | 1, 1) | (3 | 4, 0 | 2)) || column == 4
    };
    let (mut transitions, mut ends, mut starts) = (Vec::new(), Vec::new(), Vec::new());
    for state in 0..500 {
        let (destination, passenger) = (state % 4, state / 4 % 5);
        let (row, column) = (state / 100, state / 20 % 5);
        if passenger == destination {
            ends.push(state);
            continue;
        }
        if passenger < ABOARD {
            starts.push((state, 1.0 / 300.0));
        }
        let stand = STANDS.iter().position(|&stand| stand == (row, column));
        let drive = |row, column| (-1.0, encode(row, column, passenger, destination));
        let east = if wall(row, column) {
            column
        } else {
            column + 1
        };
        let west = if column == 0 || wall(row, column - 1) {
            column
        } else {
            column - 1
        };
        let pick_up = match stand {
            Some(stand) if stand == passenger => (-1.0, encode(row, column, ABOARD, destination)),
            _ => (-10.0, state),
        };
        let set_down = match stand {
            Some(stand) if passenger == ABOARD => {
                let reward = if stand == destination { 20.0 } else { -1.0 };
                (reward, encode(row, column, stand, destination))
            }
            _ => (-10.0, state),
        };
        let outcomes = [
            drive((row + 1).min(4), column),
            drive(row.saturating_sub(1), column),
            drive(row, east),
            drive(row, west),
            pick_up,
            set_down,
        ];
        for (action, (reward, next)) in outcomes.into_iter().enumerate() {
            transitions.push(TransitionRow::new(state, action, reward, vec![(next, 1.0)]));
        }
    }
    built(500, 6, starts, ends, transitions)
}

fn built(
    states: usize,
    actions: usize,
    initial: Vec<(usize, f64)>,
    terminal: Vec<usize>,
    transitions: Vec<TransitionRow>,
) -> Mdp {
    MdpBuilder {
        discount: 1.0,
        state_count: states,
        action_count: actions,
        initial,
        terminal,
        transitions,
        ..MdpBuilder::default()
    }
    .build()
    .expect("the textbook problems are well formed")
}

#[cfg(test)]
mod tests {
    use super::super::FinitePolicy;
    use super::*;

    #[test]
    fn optima_are_the_published_ones() {
        // −13: the cliff's edge, eleven to the right, one up, one down. 14/17: value iteration on Gymnasium's own tables gives
        // 0.82352941. 7.93: mean over the 300 starts of the optimal return (20 + 1 − steps − 1 …), Gymnasium's tables too.
        let cases = [
            (cliff_walking(), -13.0, 1e-9),
            (frozen_lake(), 14.0 / 17.0, 1e-9),
            (taxi(), 7.93, 5e-4),
        ];
        for (mdp, want, tolerance) in cases {
            let optimum = mdp.optimum(1.0).unwrap();
            assert!(
                (optimum.start_value - want).abs() < tolerance,
                "{} is not {want}",
                optimum.start_value
            );
            let policy = FinitePolicy::deterministic(&mdp, &optimum.policy).unwrap();
            assert!((mdp.start_value(&policy, 1.0).unwrap() - want).abs() < tolerance);
        }
    }
}
