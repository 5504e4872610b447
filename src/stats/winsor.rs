//! Winsorised means: outcomes above a cap count as the cap.

/// The `level` quantile of outcomes by linear interpolation (type 7, the default of R and numpy); `None` without outcomes.
///
/// Take it over both arms together, never per arm: separate caps would bias the difference. Reorders the values.
#[must_use]
pub fn cap_at_quantile(outcomes: &mut [f64], level: f64) -> Option<f64> {
    if outcomes.is_empty() {
        return None;
    }
    let place = level.clamp(0.0, 1.0) * (outcomes.len() - 1) as f64;
    let below = place.floor() as usize;
    let (_, low, above) = outcomes.select_nth_unstable_by(below, f64::total_cmp);
    let low = *low;
    let high = above.iter().copied().fold(f64::INFINITY, f64::min);
    let fraction = place - below as f64;
    Some(if fraction > 0.0 && high.is_finite() {
        low + fraction * (high - low)
    } else {
        low
    })
}
