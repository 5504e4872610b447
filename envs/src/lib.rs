//! tierwise-envs.
