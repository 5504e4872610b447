//! From a unit's name to one of 10,000 buckets.
//!
//! The same arithmetic as version 2 of GrowthBook's hashing, so that its SDKs agree with every assignment of revision 0:
//! FNV-1a with 32 bits over UTF-16 code units, each XORed in whole, once over seed and value and once over the decimal
//! digits of the first result.

/// How many buckets a seed cuts its units into.
pub const BUCKETS: u16 = 10_000;

const OFFSET_BASIS: u32 = 0x811c_9dc5;
const PRIME: u32 = 0x0100_0193;

/// FNV-1a over code units, from a state.
fn fnv(state: u32, text: &str) -> u32 {
    if text.is_ascii() {
        return text.bytes().fold(state, |hash, unit| {
            (hash ^ u32::from(unit)).wrapping_mul(PRIME)
        });
    }
    text.encode_utf16().fold(state, |hash, unit| {
        (hash ^ u32::from(unit)).wrapping_mul(PRIME)
    })
}

/// FNV-1a over the decimal digits of a number.
fn fnv_decimal(number: u32) -> u32 {
    let mut digits = [0; 10];
    let mut from = digits.len();
    let mut rest = number;
    loop {
        from -= 1;
        digits[from] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    digits[from..].iter().fold(OFFSET_BASIS, |hash, unit| {
        (hash ^ u32::from(*unit)).wrapping_mul(PRIME)
    })
}

/// A seed with its part of the hash already done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seed(u32);

impl Seed {
    /// The seed of an experiment or of a layer: its salt.
    #[must_use]
    pub fn new(salt: &str) -> Self {
        Self(fnv(OFFSET_BASIS, salt))
    }

    /// The unit's bucket, 0 to 9999.
    #[must_use]
    pub fn bucket(self, unit: &str) -> u16 {
        (fnv_decimal(fnv(self.0, unit)) % u32::from(BUCKETS)) as u16
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The definition, written a second time: shifts as GrowthBook writes them, text built with `format!`.
    fn as_defined(seed: &str, unit: &str) -> u16 {
        let hash = |text: String| {
            let mut value: u64 = 0x811c_9dc5;
            for code in text.encode_utf16() {
                value = (value ^ u64::from(code)) & 0xffff_ffff;
                value += (value << 1) + (value << 4) + (value << 7) + (value << 8) + (value << 24);
                value &= 0xffff_ffff;
            }
            value
        };
        let inner = hash(format!("{seed}{unit}"));
        (hash(inner.to_string()) % 10_000) as u16
    }

    proptest! {
        #[test]
        fn any_text_agrees_with_the_definition(seed in ".{0,12}", unit in ".{0,24}") {
            prop_assert_eq!(Seed::new(&seed).bucket(&unit), as_defined(&seed, &unit));
        }
    }

    #[test]
    fn published_examples_agree() {
        // FNV-1a of "a" and "foobar" with 32 bits: the vectors of Fowler, Noll and Vo.
        assert_eq!(fnv(OFFSET_BASIS, "a"), 0xe40c_292c);
        assert_eq!(fnv(OFFSET_BASIS, "foobar"), 0xbf9c_f968);
        // `hash(seed, value, 2)` of `@growthbook/growthbook` 1.8.0, times 10,000.
        for (seed, unit, want) in [
            ("seed", "a", 505),
            ("seed", "b", 2696),
            ("foo", "ab", 2575),
            ("foo", "def", 2019),
            ("89123", "8952klfjas09ujkasdf", 3840),
            ("90876879569", "123", 243),
            ("tiers", "客户-17", 3349),
            ("tiers", "naïve😀", 3497),
            ("实验", "u1", 605),
        ] {
            assert_eq!(Seed::new(seed).bucket(unit), want, "{seed} {unit}");
        }
        assert_eq!(fnv_decimal(0), fnv(OFFSET_BASIS, "0"));
        assert_eq!(fnv_decimal(u32::MAX), fnv(OFFSET_BASIS, "4294967295"));
    }
}
