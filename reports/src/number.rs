//! Numbers as a reader sees them: fixed decimals, per cent, seconds and
//! minutes, signed differences, counts with thin separators. Owns digits and
//! signs only; unit words come from the phrases in `text`. Whatever is not
//! finite becomes [`MISSING`], so that no page ever prints `NaN` or `inf`.

/// What stands where a number is missing.
pub(crate) const MISSING: &str = "—";
const MINUS: char = '\u{2212}';
const THIN: char = '\u{202f}';
const LARGEST_PLAIN: f64 = 1e9;
const MOST_DECIMALS: usize = 6;

/// How many decimals a group of related numbers shares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Decimals(pub(crate) usize);

impl Decimals {
    /// Enough decimals to show `significant` digits of the smallest number that
    /// is not zero, and at least `least`: an interval from 0.00011 to 0.00073
    /// must not read as "0.000 to 0.001".
    pub(crate) fn for_all(least: usize, significant: usize, numbers: &[f64]) -> Self {
        let smallest = numbers
            .iter()
            .filter(|number| number.is_finite() && **number != 0.0)
            .map(|number| number.abs())
            .fold(f64::INFINITY, f64::min);
        if !smallest.is_finite() {
            return Self(least);
        }
        let wanted = significant as f64 - 1.0 - smallest.log10().floor();
        Self((wanted.max(least as f64) as usize).min(MOST_DECIMALS.max(least)))
    }
}

/// A number with a true minus sign, thin separators, and powers of ten where
/// plain digits would not fit.
pub(crate) fn fixed(number: f64, decimals: Decimals) -> String {
    if !number.is_finite() {
        return MISSING.to_owned();
    }
    let magnitude = number.abs();
    let digits = if magnitude >= LARGEST_PLAIN {
        scientific(magnitude)
    } else {
        let plain = format!("{magnitude:.0$}", decimals.0);
        if magnitude > 0.0 && plain.bytes().all(|byte| matches!(byte, b'0' | b'.')) {
            let smallest = format!("{:.1$}", 10f64.powi(-(decimals.0 as i32)), decimals.0);
            return if number < 0.0 {
                format!("> {MINUS}{smallest}")
            } else {
                format!("< {smallest}")
            };
        }
        separated(&plain)
    };
    if number < 0.0 {
        format!("{MINUS}{digits}")
    } else {
        digits
    }
}

/// [`fixed`], with a plus sign before positive numbers.
pub(crate) fn signed(number: f64, decimals: Decimals) -> String {
    let text = fixed(number, decimals);
    if number.is_finite() && number > 0.0 && !text.starts_with('<') {
        format!("+{text}")
    } else {
        text
    }
}

/// A fraction as per cent: 0.123 becomes "12.3 %".
pub(crate) fn percent(fraction: f64, decimals: Decimals) -> String {
    let text = fixed(fraction * 100.0, decimals);
    if text == MISSING {
        text
    } else {
        format!("{text}{THIN}%")
    }
}

/// A confidence level: 0.95 becomes "95 %", 0.999 becomes "99.9 %".
pub(crate) fn level(fraction: f64) -> String {
    let mut text = format!("{:.2}", fraction * 100.0);
    if !fraction.is_finite() {
        return MISSING.to_owned();
    }
    while text.ends_with('0') {
        text.pop();
    }
    format!("{}{THIN}%", text.trim_end_matches('.'))
}

/// A count with thin separators: 12345 becomes "12 345".
pub(crate) fn count(number: u64) -> String {
    separated(&number.to_string())
}

/// A count short enough for an axis or a small cell: 20000 becomes "20k".
pub(crate) fn compact(number: f64) -> String {
    if !number.is_finite() {
        return MISSING.to_owned();
    }
    let magnitude = number.abs();
    let (scaled, suffix) = match magnitude {
        m if m >= 1e12 => return fixed(number, Decimals(0)),
        m if m >= 1e9 => (number / 1e9, "G"),
        m if m >= 1e6 => (number / 1e6, "M"),
        m if m >= 1e3 => (number / 1e3, "k"),
        _ => (number, ""),
    };
    let tenths = (scaled * 10.0).round() / 10.0;
    let decimals = usize::from(tenths.fract() != 0.0 && tenths.abs() < 100.0);
    format!("{}{suffix}", fixed(tenths, Decimals(decimals)))
}

/// The unit in which one column of durations is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TimeUnit {
    Seconds,
    Minutes,
    Hours,
}

impl TimeUnit {
    /// The unit that keeps the largest of several durations readable; one unit
    /// per column, so that rows compare at a glance.
    pub(crate) fn for_largest(durations_secs: impl IntoIterator<Item = f64>) -> Self {
        let largest = durations_secs
            .into_iter()
            .filter(|secs| secs.is_finite())
            .fold(0.0, |largest: f64, secs| largest.max(secs.abs()));
        match largest {
            secs if secs < 600.0 => Self::Seconds,
            secs if secs < 36_000.0 => Self::Minutes,
            _ => Self::Hours,
        }
    }

    /// Seconds in one of this unit.
    pub(crate) fn secs(self) -> f64 {
        match self {
            Self::Seconds => 1.0,
            Self::Minutes => 60.0,
            Self::Hours => 3600.0,
        }
    }
}

/// An exponent as it stands after its base: raised digits where it is a whole
/// number, else `^0.5`.
pub(crate) fn power(exponent: f64) -> String {
    if exponent.fract() == 0.0 && exponent.abs() < 1000.0 {
        format!("{exponent:.0}").chars().map(superscript).collect()
    } else {
        let text = fixed(exponent, Decimals(2));
        format!("^{}", text.trim_end_matches('0'))
    }
}

fn scientific(magnitude: f64) -> String {
    let text = format!("{magnitude:.2e}");
    match text.split_once('e') {
        Some((mantissa, exponent)) => {
            let raised: String = exponent.chars().map(superscript).collect();
            format!("{mantissa}{THIN}×{THIN}10{raised}")
        }
        None => text,
    }
}

fn superscript(digit: char) -> char {
    match digit {
        '0' => '⁰',
        '1' => '¹',
        '2' => '²',
        '3' => '³',
        '4' => '⁴',
        '5' => '⁵',
        '6' => '⁶',
        '7' => '⁷',
        '8' => '⁸',
        '9' => '⁹',
        '-' => '⁻',
        other => other,
    }
}

fn separated(digits: &str) -> String {
    let (whole, fraction) = match digits.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (digits, None),
    };
    let mut text = String::with_capacity(digits.len() + 6);
    for (position, digit) in whole.chars().enumerate() {
        let left = whole.len() - position;
        // Four digits stay together, as the SI brochure (9th ed., §5.4.4) permits.
        if position > 0 && left.is_multiple_of(3) && whole.len() > 4 {
            text.push(THIN);
        }
        text.push(digit);
    }
    if let Some(fraction) = fraction {
        text.push('.');
        text.push_str(fraction);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fixed_numbers() {
        for (number, decimals, expected) in [
            (0.0, 3, "0.000"),
            (-0.0, 3, "0.000"),
            (0.4125, 3, "0.412"),
            (-0.25, 2, "−0.25"),
            (0.0001, 3, "< 0.001"),
            (-0.0001, 3, "> −0.001"),
            (1234.5, 1, "1234.5"),
            (12_345.5, 1, "12\u{202f}345.5"),
            (1.5e300, 3, "1.50\u{202f}×\u{202f}10³⁰⁰"),
            (-2e9, 0, "−2.00\u{202f}×\u{202f}10⁹"),
            (f64::NAN, 3, "—"),
            (f64::INFINITY, 3, "—"),
            (f64::NEG_INFINITY, 3, "—"),
        ] {
            assert_eq!(fixed(number, Decimals(decimals)), expected, "{number}");
        }
    }

    #[test]
    fn signed_differences() {
        for (number, expected) in [
            (0.021, "+0.021"),
            (-0.021, "−0.021"),
            (0.0, "0.000"),
            (f64::NAN, "—"),
            (1e-9, "< 0.001"),
        ] {
            assert_eq!(signed(number, Decimals(3)), expected, "{number}");
        }
    }

    #[test]
    fn percentages_and_levels() {
        assert_eq!(percent(0.1234, Decimals(1)), "12.3\u{202f}%");
        assert_eq!(percent(f64::NAN, Decimals(1)), "—");
        assert_eq!(level(0.95), "95\u{202f}%");
        assert_eq!(level(0.999), "99.9\u{202f}%");
        assert_eq!(level(0.9), "90\u{202f}%");
        assert_eq!(level(f64::NAN), "—");
    }

    #[test]
    fn counts() {
        for (number, expected) in [
            (0, "0"),
            (9999, "9999"),
            (12_345, "12\u{202f}345"),
            (1_234_567, "1\u{202f}234\u{202f}567"),
        ] {
            assert_eq!(count(number), expected);
        }
        for (number, expected) in [
            (0.0, "0"),
            (12.0, "12"),
            (0.5, "0.5"),
            (1500.0, "1.5k"),
            (20_000.0, "20k"),
            (2_500_000.0, "2.5M"),
            (3e9, "3G"),
            (f64::NAN, "—"),
        ] {
            assert_eq!(compact(number), expected, "{number}");
        }
    }

    #[test]
    fn decimals_show_two_significant_digits() {
        for (numbers, expected) in [
            (&[0.00042, 0.00011, 0.00073][..], 5),
            (&[0.021, 0.012, 0.031], 3),
            (&[1.0, 2.0], 3),
            (&[1e-12], 6),
            (&[0.0, f64::NAN], 3),
        ] {
            assert_eq!(
                Decimals::for_all(3, 2, numbers),
                Decimals(expected),
                "{numbers:?}"
            );
        }
    }

    #[test]
    fn exponents() {
        assert_eq!(power(2.0), "²");
        assert_eq!(power(-1.0), "⁻¹");
        assert_eq!(power(0.5), "^0.5");
        assert_eq!(power(f64::NAN), "^—");
    }

    #[test]
    fn one_time_unit_for_a_column() {
        assert_eq!(TimeUnit::for_largest([3.0, 480.0]), TimeUnit::Seconds);
        assert_eq!(TimeUnit::for_largest([3.0, 1200.0]), TimeUnit::Minutes);
        assert_eq!(TimeUnit::for_largest([90_000.0]), TimeUnit::Hours);
        assert_eq!(TimeUnit::for_largest([f64::NAN]), TimeUnit::Seconds);
    }
}
