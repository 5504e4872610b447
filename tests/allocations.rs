//! Counting a unit allocates nothing: tallies are updated on the path of every outcome.

use allocation_counter::measure;
use tierwise::stats::Alpha;
use tierwise::stats::eprocess::{Block, RateTest, TestLevels};
use tierwise::stats::tally::{Count, Moments, PairedMoments};

#[test]
fn tallies_and_blocks_allocate_nothing() {
    // The counter counts at all.
    assert!(measure(|| drop(std::hint::black_box(vec![0_u8; 100]))).count_total > 0);
    let mut count = Count::default();
    let mut moments = Moments::default();
    let mut paired = PairedMoments::default();
    let mut test = RateTest::new(TestLevels::halves(Alpha::FIVE_PERCENT));
    let mut fold = |at: u32| {
        let units = Count {
            units: 50,
            conversions: u64::from(at % 7),
        };
        test.fold(&Block {
            at: f64::from(at),
            share: 0.5,
            control: units,
            treatment: units,
            rows: Vec::new(),
        })
        .expect("a sound block");
    };
    // The first block makes the mixture that all tests share.
    fold(0);
    let found = measure(|| {
        for i in 1..1000 {
            let value = f64::from(i) * 0.37;
            count.count(i % 3 == 0);
            moments.count(value);
            paired.count(value, value * value);
            fold(i);
        }
    });
    assert_eq!(found.count_total, 0, "{found:?}");
    assert_eq!((count.units, moments.units), (999, 999));
}
