//! The centre page from outside: its charts and sentences, escaping, missing
//! numbers, and the contradictions it refuses.

#[path = "../../examples/gallery/centre.rs"]
mod centre;
#[path = "../../examples/gallery/centre_calibration.rs"]
mod centre_calibration;
#[path = "../../examples/gallery/centre_evidence.rs"]
mod centre_evidence;
mod values;

use tierwise_reports::{
    CentrePage, CentreSection, Language, OmittedCentreSection, ParameterSource, Reason,
    ReportError, Uncertain,
};

use values::{calibration, page, small};

const LANGUAGES: [Language; 2] = [Language::En, Language::Zh];

/// The page without its style sheet.
fn body(html: &str) -> &str {
    html.split_once("</style>")
        .expect("every page has a style sheet")
        .1
}

/// The wide charts of one section.
fn charts<'a>(html: &'a str, section: &str) -> Vec<&'a str> {
    let start = format!("<section id=\"{section}\"");
    let (_, rest) = html.split_once(&start).expect("the section is drawn");
    let section = rest.split("</section>").next().unwrap_or(rest);
    section
        .split("<div class=\"wide\">")
        .skip(1)
        .filter_map(|part| part.split("</div>").next())
        .collect()
}

#[test]
fn a_small_page() {
    for (language, name) in [
        (Language::En, "small_centre_en"),
        (Language::Zh, "small_centre_zh"),
    ] {
        let html = small("q v2").render(language).unwrap();
        insta::assert_snapshot!(name, body(&html));
    }
}

#[test]
fn every_chart() {
    let html = page("q", 90.0).render(Language::En).unwrap();
    for (section, names) in [
        ("waits", &["waits"][..]),
        ("pools", &["pools"]),
        (
            "calibration",
            &["quantiles", "hourly_volume", "reliability"],
        ),
        ("staffing", &["staffing", "replicas"]),
        ("outages", &["outage"]),
    ] {
        let charts = charts(&html, section);
        assert_eq!(charts.len(), names.len(), "{section}");
        for (chart, name) in charts.iter().zip(names) {
            insta::assert_snapshot!(format!("chart_{name}"), chart);
        }
    }
}

#[test]
fn markup_in_names_is_escaped_everywhere() {
    let hostile = "<script>alert('1')</script>\"&";
    for language in LANGUAGES {
        let html = page(hostile, 0.4).render(language).unwrap();
        assert!(!html.contains("<script"), "{language:?}");
        assert!(!html.contains("\"&\""), "{language:?}");
        assert!(html.matches("script").count() > 60, "{language:?}");
    }
}

#[test]
fn numbers_that_cannot_be_read_are_never_printed() {
    for number in [
        f64::NAN,
        f64::INFINITY,
        f64::NEG_INFINITY,
        f64::MAX,
        f64::MIN,
        1e300,
        5e-324,
        -0.0,
    ] {
        for language in LANGUAGES {
            let html = page("q", number).render(language).unwrap();
            let body = body(&html);
            for word in [
                "NaN", "inf,", "inf<", "inf ", "inf%", ">inf", "None", "Some(",
            ] {
                assert!(!body.contains(word), "{number} printed {word}");
            }
            let longest = body
                .split(|character: char| !character.is_ascii_digit())
                .map(str::len)
                .max();
            assert!(longest < Some(20), "{number}: {longest:?} digits in a row");
        }
    }
}

#[test]
fn the_same_values_give_the_same_bytes_also_through_json() {
    let page = centre::page(Language::En);
    let json = serde_json::to_string(&page).unwrap();
    let again: CentrePage = serde_json::from_str(&json).unwrap();
    assert_eq!(page, again);
    for language in LANGUAGES {
        assert_eq!(
            page.render(language).unwrap(),
            again.render(language).unwrap()
        );
    }
}

#[test]
fn the_page_stands_alone() {
    let html = centre::page(Language::Zh).render(Language::Zh).unwrap();
    assert!(html.contains("<html lang=\"zh-Hans\">"));
    for loader in [
        "<script",
        "<link",
        "<img",
        "@import",
        " src=",
        "@font-face",
        "fetch(",
    ] {
        assert!(!html.contains(loader), "{loader}");
    }
    assert_eq!(
        html.matches("http").count(),
        html.matches("http://www.w3.org/2000/svg").count()
    );
}

#[test]
fn every_drawing_is_labelled_and_headings_descend_in_order() {
    let html = centre::page(Language::En).render(Language::En).unwrap();
    for drawing in html.split("<svg").skip(1) {
        let tag = drawing.split('>').next().unwrap();
        let labelled = tag.contains("role=\"img\"") && tag.contains("aria-label=\"");
        let hidden = tag.contains("aria-hidden") || tag.contains("class=\"cut\"");
        assert!(labelled || hidden, "{tag}");
        assert!(!tag.contains("aria-label=\"\""), "{tag}");
    }
    let mut last = 0;
    for heading in body(&html).split("<h").skip(1) {
        let Some(level) = heading.chars().next().and_then(|digit| digit.to_digit(10)) else {
            continue;
        };
        assert!(level <= last + 1, "h{level} after h{last}");
        last = level;
    }
    // Every section of the sample opens with its sentence.
    assert_eq!(
        html.matches("<p class=\"lead\">").count(),
        html.matches("<section id=\"").count() - 2
    );
}

#[test]
fn absent_sections_are_left_out_or_say_why() {
    let mut page = small("q");
    let html = page.render(Language::En).unwrap();
    assert!(!html.contains("id=\"calibration\"") && !html.contains("#calibration"));
    page.omitted = vec![OmittedCentreSection {
        section: CentreSection::Calibration,
        reason: Reason::NotLogged,
    }];
    let html = page.render(Language::En).unwrap();
    assert!(html.contains("id=\"calibration\"") && html.contains("Not in the log."));
}

#[test]
fn the_articles_figures_are_never_ours() {
    for (language, sentence) in [
        (Language::En, "They are not results of tierwise"),
        (Language::Zh, "并非 tierwise 的结果"),
    ] {
        let html = small("q").render(language).unwrap();
        assert!(html.contains(sentence), "{sentence}");
    }
}

#[test]
fn the_difference_says_which_queue_to_believe() {
    let said = |difference: Option<Uncertain>, calibrated: bool| {
        let mut page = small("q");
        if let Some(queue) = &mut page.queue_effect {
            queue.policies[0].difference = difference;
        }
        if calibrated {
            page.calibration = Some(calibration("q", 90.0));
        }
        page.render(Language::En).unwrap()
    };
    let clear = said(Some(Uncertain::new(0.03, 0.01, 0.05)), true);
    assert!(clear.contains("q: believe the centre."));
    assert!(clear.contains("1 of 1 quantities"));
    let open = said(Some(Uncertain::new(0.01, -0.01, 0.03)), false);
    assert!(open.contains("q: believe the log."));
    assert!(open.contains("holds no calibration"));
    assert!(said(None, false).contains("cannot say which of the two to believe"));
}

#[test]
fn contradictions_are_refused() {
    type Spoil = fn(&mut CentrePage);
    let cases: [(&str, Spoil); 12] = [
        ("is not in the KPI table", |page| {
            page.waits.as_mut().unwrap().policies[0].policy = "other".to_owned();
        }),
        ("9 does not follow 9", |page| {
            page.pools.as_mut().unwrap().abandonment[0].hours[0].hour = 9;
        }),
        ("must lie in [0, 23]", |page| {
            page.waits.as_mut().unwrap().policies[0].tiers[0].hours[1].hour = 24;
        }),
        ("must be in [0, 1] and sum to 1", |page| {
            let cells = &mut page.routing.as_mut().unwrap().policies[0].cells;
            cells[0].shares[0] = Uncertain::new(0.9, 0.9, 0.9);
        }),
        ("does not fit axes", |page| {
            page.routing.as_mut().unwrap().policies[0].cells[0].load = 2;
        }),
        ("does not contain the value", |page| {
            page.queue_effect.as_mut().unwrap().policies[0].in_centre =
                Uncertain::new(0.5, 0.6, 0.7);
        }),
        ("is assumed, so it has neither", |page| {
            page.calibration.as_mut().unwrap().parameters[0].source = ParameterSource::Assumed {
                reason: Reason::NotLogged,
            };
        }),
        ("is fitted, so give its standard error", |page| {
            page.calibration.as_mut().unwrap().parameters[0].n = None;
        }),
        ("the parts add up to 10, the whole is 11", |page| {
            let sensitivity = page.sensitivity.as_mut().unwrap();
            sensitivity.samples.as_mut().unwrap().samples = 11;
        }),
        ("`q` also leads as fitted", |page| {
            let sensitivity = page.sensitivity.as_mut().unwrap();
            sensitivity.samples.as_mut().unwrap().flips[0].winner = "q".to_owned();
        }),
        ("is not measured -0.02 minus truth 0.03", |page| {
            page.designs[0].designs[0].bias = Uncertain::new(0.05, 0.04, 0.06);
        }),
        ("does not follow", |page| page.outages[0].end_secs = 0.0),
    ];
    assert!(page("q", 90.0).render(Language::En).is_ok());
    for (expected, spoil) in cases {
        let mut spoilt = page("q", 90.0);
        spoil(&mut spoilt);
        let error: ReportError = spoilt.render(Language::En).unwrap_err();
        assert!(error.to_string().contains(expected), "{expected}: {error}");
    }
}
