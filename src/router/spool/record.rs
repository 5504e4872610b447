//! An exposure as bytes: length, CRC-32, then the fields in order, little-endian.
//!
//! The format lives only between a router's crash and its restart; a record that is cut off or altered ends the reading of
//! its segment.

use std::sync::Arc;

use uuid::Uuid;

use crate::store::ExposureRow;

/// Bytes of length and checksum before a record.
const HEADER: usize = 8;
/// Longest record: a context is at most as long as a request.
const LONGEST: usize = 16 << 20;

/// Appends a row.
pub(super) fn encode(row: &ExposureRow, out: &mut Vec<u8>) {
    let start = out.len();
    out.extend_from_slice(&[0; HEADER]);
    out.extend_from_slice(row.decision_id.as_bytes());
    out.extend_from_slice(&row.unit);
    out.extend_from_slice(&row.at_us.to_le_bytes());
    out.extend_from_slice(&row.arm.to_le_bytes());
    out.extend_from_slice(&row.revision.to_le_bytes());
    out.extend_from_slice(&row.bucket.to_le_bytes());
    out.extend_from_slice(&row.share.to_le_bytes());
    out.push(row.tier);
    out.push(row.mask);
    for p in row.probabilities {
        out.extend_from_slice(&p.to_le_bytes());
    }
    out.extend_from_slice(&row.propensity.to_le_bytes());
    let present = u8::from(row.conversation.is_some())
        | u8::from(row.fallback.is_some()) << 1
        | u8::from(row.forced) << 2
        | u8::from(row.block.is_some()) << 3
        | u8::from(row.stratum.is_some()) << 4
        | u8::from(row.context.is_some()) << 5;
    out.push(present);
    if let Some(conversation) = &row.conversation {
        out.extend_from_slice(conversation);
    }
    if let Some(block) = row.block {
        out.extend_from_slice(&block.to_le_bytes());
    }
    let texts = [
        Some(&*row.experiment),
        Some(&*row.policy_version),
        row.fallback.as_deref(),
        row.stratum.as_deref(),
        row.context.as_deref(),
    ];
    for text in texts.into_iter().flatten() {
        out.extend_from_slice(&(text.len() as u32).to_le_bytes());
        out.extend_from_slice(text.as_bytes());
    }
    let body = &out[start + HEADER..];
    let (length, sum) = (body.len() as u32, crc32fast::hash(body));
    out[start..start + 4].copy_from_slice(&length.to_le_bytes());
    out[start + 4..start + HEADER].copy_from_slice(&sum.to_le_bytes());
}

/// Reads the record at the start of `bytes` and says how long it is. `None` where nothing whole stands there.
pub(super) fn decode(bytes: &[u8]) -> Option<(ExposureRow, usize)> {
    let length = u32::from_le_bytes(bytes.get(..4)?.try_into().ok()?) as usize;
    let sum = u32::from_le_bytes(bytes.get(4..HEADER)?.try_into().ok()?);
    if length > LONGEST {
        return None;
    }
    let body = bytes.get(HEADER..HEADER + length)?;
    if crc32fast::hash(body) != sum {
        return None;
    }
    let mut rest = Cursor(body);
    let row = rest.row()?;
    rest.0.is_empty().then_some((row, HEADER + length))
}

/// What is left to read of a body.
struct Cursor<'a>(&'a [u8]);

impl<'a> Cursor<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (head, tail) = self.0.split_at_checked(count)?;
        self.0 = tail;
        Some(head)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    fn text(&mut self) -> Option<&'a str> {
        let length = u32::from_le_bytes(self.array()?) as usize;
        std::str::from_utf8(self.take(length)?).ok()
    }

    fn row(&mut self) -> Option<ExposureRow> {
        let decision_id = Uuid::from_bytes(self.array()?);
        let unit = self.array()?;
        let at_us = i64::from_le_bytes(self.array()?);
        let arm = u16::from_le_bytes(self.array()?);
        let revision = u32::from_le_bytes(self.array()?);
        let bucket = u16::from_le_bytes(self.array()?);
        let share = f64::from_le_bytes(self.array()?);
        let [tier, mask] = self.array()?;
        let mut probabilities = [0.0; 3];
        for p in &mut probabilities {
            *p = f32::from_le_bytes(self.array()?);
        }
        let propensity = f32::from_le_bytes(self.array()?);
        let [present] = self.array()?;
        let has = |bit: u8| present & (1 << bit) != 0;
        let conversation = if has(0) { Some(self.array()?) } else { None };
        let block = if has(3) {
            Some(i64::from_le_bytes(self.array()?))
        } else {
            None
        };
        let experiment = Arc::from(self.text()?);
        let policy_version = Arc::from(self.text()?);
        let fallback = if has(1) {
            Some(Arc::from(self.text()?))
        } else {
            None
        };
        let stratum = if has(4) {
            Some(Arc::from(self.text()?))
        } else {
            None
        };
        let context = if has(5) {
            Some(self.text()?.to_owned())
        } else {
            None
        };
        Some(ExposureRow {
            decision_id,
            experiment,
            unit,
            conversation,
            at_us,
            arm,
            revision,
            bucket,
            share,
            tier,
            mask,
            probabilities,
            propensity,
            policy_version,
            fallback,
            forced: has(2),
            block,
            stratum,
            context,
        })
    }
}

#[cfg(test)]
pub(super) fn example(number: u128) -> ExposureRow {
    let odd = number % 2 == 1;
    ExposureRow {
        decision_id: Uuid::from_u128(number),
        experiment: "tiers".into(),
        unit: [7; 16],
        conversation: odd.then_some([9; 16]),
        at_us: 1_700_000_000_000_000 + number as i64,
        arm: 1,
        revision: 3,
        bucket: 9_999,
        share: 0.25,
        tier: 2,
        mask: 7,
        probabilities: [0.5, 0.25, 0.25],
        propensity: 0.25,
        policy_version: "0123456789ab".into(),
        fallback: odd.then(|| "policy_missing".into()),
        forced: odd,
        block: odd.then_some(-4),
        stratum: odd.then(|| "中文".into()),
        context: odd.then(|| "[1,null]".into()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn records_read_back_and_leave_the_rest() {
        let mut bytes = Vec::new();
        for number in 0..4 {
            encode(&example(number), &mut bytes);
        }
        let mut rest = &bytes[..];
        for number in 0..4 {
            let (row, length) = decode(rest).unwrap();
            assert_eq!(row, example(number));
            rest = &rest[length..];
        }
        assert!(rest.is_empty());
    }

    proptest! {
        #[test]
        fn nothing_cut_or_altered_is_taken_for_a_record(cut in 0_usize..200, flip in 0_usize..1600) {
            let mut bytes = Vec::new();
            encode(&example(1), &mut bytes);
            prop_assert!(decode(&bytes[..cut.min(bytes.len() - 1)]).is_none());
            let bit = flip % (bytes.len() * 8);
            bytes[bit / 8] ^= 1 << (bit % 8);
            prop_assert!(decode(&bytes).is_none());
        }

        #[test]
        fn any_bytes_are_read_without_harm(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = decode(&bytes);
        }
    }
}
