//! Priorities that do not interrupt a service.

/// Mean wait of each priority, most urgent first; `None` for those whose queue grows without end.
///
/// Wₖ = W₀ / ((1 − σₖ₋₁)(1 − σₖ)) with σₖ the load of priorities 1 to k. `loads` are the loads ρ of each priority (its
/// share of all servers' time), and W₀ is the mean time until a server would be free for an arrival that overtakes
/// everybody: for n servers with one exponential law it is C / (nμ), Erlang C's P(wait) times the mean time between
/// departures of busy servers; for one server with any law it is [`residual_work_s`](super::SingleServer::residual_work_s).
///
/// # Source
/// Cobham, Operations Research 2, 1954; Kella & Yechiali, Operations Research 33, 1985 (n servers).
#[must_use]
pub fn priority_waits_s(time_to_free_s: f64, loads: &[f64]) -> Vec<Option<f64>> {
    let mut above = 0.0;
    loads
        .iter()
        .map(|load| {
            let with = above + load;
            let wait = (with < 1.0).then(|| time_to_free_s / ((1.0 - above) * (1.0 - with)));
            above = with;
            wait
        })
        .collect()
}
