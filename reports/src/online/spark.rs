//! Evidence on both sides as a small drawing in a row: where each stands between 1 and its threshold.

use std::fmt::Write;

use crate::charts::theme::escaped;

const WIDTH: f64 = 160.0;
const HEIGHT: f64 = 34.0;

/// Draws logarithms of wealth, promotion and roll-back, each as a fraction of the logarithm of its threshold.
pub(super) fn draw(label: &str, points: &[(f64, f64)]) -> String {
    let label = escaped(label);
    let mut svg = format!(
        "<svg class=\"spark\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{label}\">\
         <line class=\"decides\" x1=\"0\" x2=\"{WIDTH}\" y1=\"{0:.1}\" y2=\"{0:.1}\"/>\
         <line class=\"even\" x1=\"0\" x2=\"{WIDTH}\" y1=\"{1:.1}\" y2=\"{1:.1}\"/>",
        y(1.0),
        y(0.0)
    );
    for (class, pick) in [
        ("worse", (|p: &(f64, f64)| p.1) as fn(&(f64, f64)) -> f64),
        ("better", |p: &(f64, f64)| p.0),
    ] {
        let last = points.len().saturating_sub(1).max(1) as f64;
        let mut path = String::new();
        for (place, point) in points.iter().enumerate() {
            let value = pick(point);
            if value.is_finite() {
                let x = place as f64 / last * WIDTH;
                // Writing to a string cannot fail.
                let _ = write!(path, "{x:.1},{:.1} ", y(value));
            }
        }
        let _ = write!(
            svg,
            "<polyline class=\"{class}\" points=\"{}\"/>",
            path.trim_end()
        );
    }
    svg.push_str("</svg>");
    svg
}

/// Half a threshold below even to somewhat above the threshold.
fn y(fraction: f64) -> f64 {
    let fraction = fraction.clamp(-0.45, 1.1);
    HEIGHT - 2.0 - (fraction + 0.5) / 1.6 * (HEIGHT - 4.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn evidence_in_a_row() {
        insta::assert_snapshot!(draw(
            "evidence <both> sides",
            &[(0.0, 0.0), (0.5, -0.2), (f64::NAN, -9.0), (1.05, -0.4)]
        ));
        assert!(!draw("", &[]).contains("NaN"));
        // The threshold lies above even, and both inside the drawing.
        assert!(y(1.0) < y(0.0) && y(9.0) > 0.0 && y(-9.0) < HEIGHT);
    }
}
