//! The live pages from outside: both languages, every phase, hostile names, missing numbers, nothing from outside.

#[path = "../examples/gallery/online.rs"]
mod sample;

use tierwise_reports::{
    Asset, DashboardPage, DashboardRow, Language, LiveFrame, LoginPage, OnlinePhase, RouterState,
};

const LANGUAGES: [Language; 2] = [Language::En, Language::Zh];
const HOSTILE: &str = "<script>alert(1)</script>\"'&{{";

fn frame() -> LiveFrame {
    LiveFrame {
        here: "/dashboard/tiers?lang=en".to_owned(),
        signed_in: true,
    }
}

/// No script of anybody, no address but XML namespaces.
fn stands_alone(html: &str) {
    assert!(
        !html.contains("<script>") && !html.contains("onload="),
        "a script"
    );
    for address in html
        .split("http")
        .skip(1)
        .filter(|rest| rest.starts_with("://") || rest.starts_with("s://"))
    {
        assert!(
            address.starts_with("://www.w3.org/"),
            "{}",
            &address[..60.min(address.len())]
        );
    }
    assert!(
        !html.contains("NaN") && !html.contains(">inf"),
        "a number that is none"
    );
    assert!(
        !html.contains("{{") || html.contains("&#39;&#38;{{"),
        "an unfilled blank"
    );
}

#[test]
fn every_phase_is_drawn_in_both_languages() {
    for kind in sample::kinds() {
        let page = sample::page(kind);
        for language in LANGUAGES {
            let html = page.render(language).unwrap();
            stands_alone(&html);
            assert!(!html.contains("<script"), "{kind}");
            let class = match kind {
                "promoted" | "completed" => "verdict beats",
                "rolled_back" | "killed" => "verdict worse",
                "broken" => "verdict refused",
                _ => "verdict open",
            };
            assert!(html.contains(class), "{kind}");
            assert_eq!(html.contains("id=\"ramp\""), kind != "draft", "{kind}");
            // The verdict comes before everything else.
            assert!(html.find("id=\"headline\"") < html.find("id=\"arms\""));
        }
        let zh = page.render(Language::Zh).unwrap();
        assert!(zh.contains("lang=\"zh-Hans\""));
        assert!(!zh.contains("Evidence over time") && zh.contains("证据随时间的变化"));
    }
}

#[test]
fn the_headline_says_who_won_and_who_waits() {
    let said = |kind: &str| sample::page(kind).render(Language::En).unwrap();
    assert!(said("promoted").contains("q is better than rule and has been promoted"));
    assert!(said("waiting").contains("7.0 days at this share (so far 3.5)"));
    assert!(said("interference").contains("not promoted"));
    assert!(said("interference").contains("it may roll back but not promote"));
    assert!(said("rolled_back").contains("`q` harms `escalation`"));
    assert!(said("killed").contains("wrong prices in the answers"));
}

#[test]
fn hostile_names_and_missing_numbers_do_no_harm() {
    let mut page = sample::page("waiting");
    page.title = Some(HOSTILE.to_owned());
    page.arms[1].name = HOSTILE.to_owned();
    page.arms[1].mean = Some(f64::NAN);
    page.audit[0].reason = HOSTILE.to_owned();
    page.watched[0].metric.name = HOSTILE.to_owned();
    page.watched[1].looks[3].1 = f64::NAN;
    page.watched[1].means[0] = None;
    page.entering[2].units.clear();
    page.revisions[1].shares.clear();
    page.challengers[0].log_wealth = (f64::NAN, f64::INFINITY);
    if let Some(sequence) = &mut page.sequence {
        sequence.looks[5].log_wealth = (f64::NAN, f64::NEG_INFINITY);
        sequence.interval = Some((None, None));
    }
    for language in LANGUAGES {
        stands_alone(&page.render(language).unwrap());
        let live = page.render_live(language, &frame()).unwrap();
        stands_alone(&live);
    }
}

fn row(kind: &str) -> DashboardRow {
    let page = sample::page(kind);
    DashboardRow {
        key: page.key.clone(),
        title: page.title.clone(),
        phase: page.phase.clone(),
        phase_since_us: page.phase_since_us,
        arms: page
            .arms
            .iter()
            .map(|arm| (arm.name.clone(), arm.share))
            .collect(),
        entered: page.arms.iter().map(|arm| arm.entered).sum(),
        mature: page.arms.iter().map(|arm| arm.mature).sum(),
        challengers: page.challengers.clone(),
        thresholds: (40.0, 80.0),
        looks: vec![(0.0, 0.0), (1.0, -1.0), (2.0, f64::NAN)],
    }
}

fn dashboard(rows: Vec<DashboardRow>) -> DashboardPage {
    DashboardPage {
        at_us: 0,
        router: RouterState {
            ready: true,
            leading: true,
            spool_bytes: 2_049,
        },
        experiments: rows,
    }
}

#[test]
fn live_pages_load_what_their_router_serves_and_nothing_else() {
    let list = dashboard(sample::kinds().map(row).to_vec());
    for language in LANGUAGES {
        let pages = [
            list.render(language, &frame()).unwrap(),
            sample::page("waiting")
                .render_live(language, &frame())
                .unwrap(),
            LoginPage { refused: true }
                .render(language, &frame())
                .unwrap(),
        ];
        for html in pages {
            stands_alone(&html);
            for (before, rest) in [("src=\"", true), ("href=\"", false)]
                .into_iter()
                .flat_map(|(mark, loads)| html.split(mark).skip(1).map(move |rest| (loads, rest)))
            {
                let address = rest.split('"').next().unwrap();
                assert!(address.starts_with(['/', '#']), "{address}");
                if before {
                    assert_eq!(address, Asset::SCRIPT.path);
                }
            }
        }
    }
}

#[test]
fn the_dashboard_says_what_to_do() {
    let html = dashboard(vec![row("waiting")])
        .render(Language::En, &frame())
        .unwrap();
    assert!(html.contains("tierwise experiment kill tiers --reason"));
    assert!(
        html.contains("3 KB of exposures on their way"),
        "2,049 bytes are rounded up"
    );
    let over = dashboard(vec![DashboardRow {
        phase: OnlinePhase::Stopped,
        ..row("waiting")
    }]);
    assert!(
        !over
            .render(Language::En, &frame())
            .unwrap()
            .contains("tierwise experiment")
    );
    let none = dashboard(Vec::new())
        .render(Language::En, &frame())
        .unwrap();
    assert!(none.contains("tierwise experiment create configs/experiment.toml"));
}

#[test]
fn a_page_is_redrawn_from_its_values() {
    let page = sample::page("promoted");
    let text = serde_json::to_string(&page).unwrap();
    let back: tierwise_reports::OnlinePage = serde_json::from_str(&text).unwrap();
    assert_eq!(back, page);
}
