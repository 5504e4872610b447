//! tierwise-policies.
