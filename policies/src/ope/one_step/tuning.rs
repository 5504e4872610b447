//! Choosing the parameter of a shrunk estimator by the data.

use super::estimator::Tuning;

/// What is known of a candidate: value, standard error, mean of what shrinking leaves out.
#[derive(Debug, Clone, Copy)]
pub(super) struct Known {
    pub(super) value: f64,
    pub(super) error: f64,
    pub(super) lost: f64,
}

/// The candidate to take, of candidates from the least biased to the least variable.
///
/// SLOPE takes the last whose value lies within c + (√6 − 1) c′ of every earlier one, c and c′ being half-widths of the
/// two: as long as that holds, its bias is no larger than the spread of those before it.
pub(super) fn chosen(candidates: &[Known], tuning: Tuning, quantile: f64) -> usize {
    match tuning {
        Tuning::MeanSquaredError => {
            let squared = |k: &Known| k.lost * k.lost + k.error * k.error;
            (0..candidates.len())
                .min_by(|a, b| squared(&candidates[*a]).total_cmp(&squared(&candidates[*b])))
                .unwrap_or(0)
        }
        Tuning::Slope => {
            let half = |k: &Known| quantile * k.error;
            let fits = |i: usize| {
                candidates[..i].iter().all(|before| {
                    (candidates[i].value - before.value).abs()
                        <= half(&candidates[i]) + (6.0_f64.sqrt() - 1.0) * half(before)
                })
            };
            (1..candidates.len())
                .take_while(|i| fits(*i))
                .last()
                .unwrap_or(0)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(value: f64, error: f64, lost: f64) -> Known {
        Known { value, error, lost }
    }

    #[test]
    fn slope_stops_where_bias_shows() {
        // Half-widths 2, 1, 0.5 at quantile 2; √6 − 1 = 1.449. From 1 to 2.2 is within 1 + 2.9; to 4.5 is not within
        // 0.5 + 2.9 = 3.4 of the first.
        let candidates = [
            known(1.0, 1.0, 0.0),
            known(2.2, 0.5, 0.1),
            known(4.5, 0.25, 0.2),
        ];
        assert_eq!(chosen(&candidates, Tuning::Slope, 2.0), 1);
        let closer = [candidates[0], candidates[1], known(3.0, 0.25, 0.2)];
        assert_eq!(chosen(&closer, Tuning::Slope, 2.0), 2);
        assert_eq!(chosen(&candidates[..1], Tuning::Slope, 2.0), 0);
    }

    #[test]
    fn squared_error_weighs_bias_against_variance() {
        let candidates = [
            known(1.0, 1.0, 0.0),
            known(1.0, 0.5, 0.5),
            known(1.0, 0.1, 0.9),
        ];
        assert_eq!(chosen(&candidates, Tuning::MeanSquaredError, 2.0), 1);
    }
}
