//! Moments as a reader sees them: UTC, to the minute.

const DAY_US: i64 = 86_400_000_000;

/// Year, month and day of a day counted from 1970-01-01.
///
/// # Source
/// H. Hinnant, *chrono-compatible low-level date algorithms*, `civil_from_days`.
fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 {
        from_march + 3
    } else {
        from_march - 9
    };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

/// A moment as live pages write it, from microseconds since 1970: `2026-03-01 16:05 UTC`.
#[must_use]
pub fn moment(at_us: i64) -> String {
    let (year, month, day) = civil(at_us.div_euclid(DAY_US));
    let minutes = at_us.rem_euclid(DAY_US) / 60_000_000;
    format!(
        "{year:04}-{month:02}-{day:02} {:02}:{:02} UTC",
        minutes / 60,
        minutes % 60
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_utc() {
        // `date -u -d @… '+%F %H:%M'` of GNU coreutils.
        for (seconds, want) in [
            (0, "1970-01-01 00:00 UTC"),
            (951_782_400, "2000-02-29 00:00 UTC"),
            (1_772_380_799, "2026-03-01 15:59 UTC"),
            (4_107_542_399, "2100-02-28 23:59 UTC"),
            (-60, "1969-12-31 23:59 UTC"),
        ] {
            assert_eq!(moment(seconds * 1_000_000), want);
        }
    }
}
