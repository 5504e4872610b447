//! The project's exact small model of shared people, solved and compared with an independent solution.

use std::path::Path;

use super::{FinitePolicy, Mdp};

fn tier_mdp() -> Option<Mdp> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/fixtures/tier_mdp.json");
    if !path.exists() {
        eprintln!("skipped: {} is absent", path.display());
        return None;
    }
    Some(Mdp::from_path(&path).unwrap())
}

#[test]
fn the_tier_model_has_its_independent_solution() {
    // Expected values: numpy's linear solver and policy iteration over the same file, γ = 0.98.
    let Some(mdp) = tier_mdp() else { return };
    assert_eq!((mdp.states(), mdp.actions(), mdp.discount()), (45, 3, 0.98));
    let optimum = mdp.optimum(0.98).unwrap();
    assert!((optimum.start_value - 36.139365598194615).abs() < 1e-9);
    let average = mdp.average_optimum().unwrap();
    assert!((average.average_reward - 0.7140958686281769).abs() < 1e-12);
    let myopic = FinitePolicy::deterministic(&mdp, &mdp.myopic_policy()).unwrap();
    assert!((mdp.average_reward(&myopic).unwrap() - 0.6965536105748781).abs() < 1e-12);
    assert!((mdp.start_value(&myopic, 0.98).unwrap() - 35.980392863425685).abs() < 1e-9);
}
