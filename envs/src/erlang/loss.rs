//! The loss system: nobody waits.

use super::Traffic;

/// Share of customers who find every server busy when nobody waits (Erlang B).
///
/// B(0) = 1, B(k) = a B(k−1) / (k + a B(k−1)). Each step only multiplies and adds positive numbers, so the relative error
/// stays near 1e-16 times the number of servers. Holds for every service law with the same mean (M/G/n/n is insensitive).
/// Below 1e-308 the answer is 0.
///
/// # Source
/// Erlang 1917; insensitivity: Sevastyanov 1957.
#[must_use]
pub fn loss_probability(traffic: &Traffic) -> f64 {
    blocking(traffic.servers(), traffic.offered())
}

/// Erlang B for `servers` of at least 0.
pub(super) fn blocking(servers: u32, offered: f64) -> f64 {
    (1..=servers).fold(1.0, |blocked, k| next_blocking(blocked, k, offered))
}

/// One step of the recursion, from k − 1 to k servers.
pub(super) fn next_blocking(blocked: f64, k: u32, offered: f64) -> f64 {
    offered * blocked / (f64::from(k) + offered * blocked)
}
