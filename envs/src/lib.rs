//! tierwise-envs.

pub mod finite;
pub mod mdp;
