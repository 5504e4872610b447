//! The committed sample pages are what the example draws today.

#[path = "../examples/gallery/centre.rs"]
mod centre;
#[path = "../examples/gallery/centre_calibration.rs"]
mod centre_calibration;
#[path = "../examples/gallery/centre_evidence.rs"]
mod centre_evidence;
#[path = "../examples/gallery/off_policy.rs"]
mod off_policy;
#[path = "../examples/gallery/sample.rs"]
mod sample;

use tierwise_reports::Language;

#[test]
fn the_committed_sample_is_current() {
    let committed = include_str!("../gallery/offline.html");
    let drawn = sample::page("beats", Language::En)
        .render(Language::En)
        .unwrap();
    assert!(
        committed == drawn,
        "run `cargo run -p tierwise-reports --example gallery -- reports/gallery/offline.html`"
    );
}

#[test]
fn the_committed_centre_is_current() {
    let committed = include_str!("../gallery/centre.html");
    let drawn = centre::page(Language::En).render(Language::En).unwrap();
    assert!(
        committed == drawn,
        "run `cargo run -p tierwise-reports --example gallery -- reports/gallery/centre.html en centre`"
    );
}

#[test]
fn the_committed_table_is_current() {
    let committed = include_str!("../gallery/off_policy.html");
    let drawn = off_policy::page("promote", Language::En)
        .render(Language::En)
        .unwrap();
    assert!(
        committed == drawn,
        "run `cargo run -p tierwise-reports --example gallery -- reports/gallery/off_policy.html en table`"
    );
}

#[test]
fn every_kind_of_verdict_can_be_drawn_in_both_languages() {
    for kind in ["beats", "not_shown", "worse", "simulated", "refused"] {
        for language in [Language::En, Language::Zh] {
            let html = sample::page(kind, language).render(language).unwrap();
            assert!(html.contains(&format!("verdict {}", kind.replace('_', "-"))));
        }
    }
}
