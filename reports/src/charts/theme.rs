//! Colours of plotters' drawings. Plotters writes fixed colours; a page needs
//! colours that follow light, dark and print. So charts draw with [`Ink`]s,
//! each a key colour of its own, and [`finish`] replaces every key colour in
//! the SVG text by the CSS variable of that ink (keeping the key colour as the
//! fallback, for a chart opened outside a page), removes the fixed size and
//! font, and adds the role and label that screen readers need.

use plotters::prelude::{Color, RGBColor, SVGBackend, ShapeStyle, TextStyle};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{FontDesc, FontFamily, FontStyle};

use crate::error::ReportError;
use crate::reason::TierName;

/// Plotters works in whole pixels; drawing at four times the size keeps curves
/// smooth.
pub(crate) const SCALE: i32 = 4;

/// A colour with a meaning, drawn as a key colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ink {
    /// Words and axis numbers that must be read.
    Text,
    /// Axis numbers and remarks.
    Muted,
    /// Grid lines.
    Grid,
    /// The baseline, in every chart.
    Baseline,
    /// The policies and learners, in order; repeats after [`Ink::SERIES`].
    Series(usize),
    /// A response tier.
    Tier(TierName),
    /// What is wrong: people missing, customers lost.
    Worse,
}

impl Ink {
    /// How many series can be told apart.
    pub(crate) const SERIES: usize = 5;

    const ALL: [Self; 13] = [
        Self::Text,
        Self::Muted,
        Self::Grid,
        Self::Baseline,
        Self::Series(0),
        Self::Series(1),
        Self::Series(2),
        Self::Series(3),
        Self::Series(4),
        Self::Tier(TierName::Auto),
        Self::Tier(TierName::Review),
        Self::Tier(TierName::Human),
        Self::Worse,
    ];

    fn key(self) -> RGBColor {
        match self {
            Self::Text => RGBColor(0x1d, 0x25, 0x2c),
            Self::Muted => RGBColor(0x5b, 0x66, 0x70),
            Self::Grid => RGBColor(0xe3, 0xe6, 0xe8),
            Self::Baseline => RGBColor(0x6b, 0x72, 0x79),
            Self::Series(place) => match place % Self::SERIES {
                0 => RGBColor(0x0f, 0x6e, 0x84),
                1 => RGBColor(0xa3, 0x4a, 0x28),
                2 => RGBColor(0x5b, 0x4b, 0x9e),
                3 => RGBColor(0x3f, 0x75, 0x2f),
                _ => RGBColor(0xa0, 0x3a, 0x6e),
            },
            Self::Tier(TierName::Auto) => RGBColor(0x2b, 0x6c, 0xb0),
            Self::Tier(TierName::Review) => RGBColor(0xe0, 0xa5, 0x26),
            Self::Tier(TierName::Human) => RGBColor(0xb0, 0x4a, 0x63),
            Self::Worse => RGBColor(0xa2, 0x3a, 0x12),
        }
    }

    /// The CSS variable that holds this ink's colour on a page.
    pub(crate) fn variable(self) -> &'static str {
        match self {
            Self::Text => "--text",
            Self::Muted => "--muted",
            Self::Grid => "--grid",
            Self::Baseline => "--baseline",
            Self::Series(place) => match place % Self::SERIES {
                0 => "--series-1",
                1 => "--series-2",
                2 => "--series-3",
                3 => "--series-4",
                _ => "--series-5",
            },
            Self::Tier(TierName::Auto) => "--tier-auto",
            Self::Tier(TierName::Review) => "--tier-review",
            Self::Tier(TierName::Human) => "--tier-human",
            Self::Worse => "--worse",
        }
    }

    /// Dash pattern of lines in this ink, so that colour is never the only
    /// difference between two curves.
    pub(crate) fn dashes(self) -> Option<&'static str> {
        match self {
            Self::Baseline => Some("2 4"),
            Self::Series(place) => match place % Self::SERIES {
                0 => None,
                1 => Some("9 4"),
                2 => Some("3 3"),
                3 => Some("12 4 3 4"),
                _ => Some("6 3 2 3 2 3"),
            },
            Self::Tier(TierName::Review) => Some("9 4"),
            Self::Tier(TierName::Human) => Some("3 3"),
            _ => None,
        }
    }

    pub(crate) fn fill(self, opacity: f64) -> ShapeStyle {
        self.key().mix(opacity).filled()
    }

    pub(crate) fn line(self, opacity: f64, width: f64) -> ShapeStyle {
        self.key()
            .mix(opacity)
            .stroke_width((width * f64::from(SCALE)).round().max(1.0) as u32)
    }

    /// Text of `size` CSS pixels. Plotters divides sizes by 1.24 on output.
    pub(crate) fn text(self, size: f64, align: HPos, weight: FontStyle) -> TextStyle<'static> {
        let font = FontDesc::new(
            FontFamily::SansSerif,
            size * 1.24 * f64::from(SCALE),
            weight,
        );
        let mut style = TextStyle::from(font).pos(Pos::new(align, VPos::Center));
        style.color = self.key().to_backend_color();
        style
    }
}

/// What plotters draws on.
pub(crate) type Canvas<'svg> =
    plotters::drawing::DrawingArea<SVGBackend<'svg>, plotters::coord::Shift>;

/// Draws with plotters on a canvas of `size` CSS pixels and returns the
/// finished SVG.
pub(crate) fn draw(
    chart: &'static str,
    size: (u32, u32),
    label: &str,
    paint: impl FnOnce(&Canvas<'_>) -> Result<(), Box<dyn std::error::Error>>,
) -> Result<String, ReportError> {
    use plotters::prelude::IntoDrawingArea;
    let scale = SCALE.unsigned_abs();
    let mut svg = String::new();
    {
        let root =
            SVGBackend::with_string(&mut svg, (size.0 * scale, size.1 * scale)).into_drawing_area();
        paint(&root)
            .and_then(|()| root.present().map_err(Into::into))
            .map_err(|error| ReportError::Chart {
                chart,
                detail: error.to_string(),
            })?;
    }
    Ok(finish(&svg, size, label))
}

fn finish(svg: &str, size: (u32, u32), label: &str) -> String {
    let label = escaped(label);
    let mut text = svg
        .replace(" opacity=\"1\"", "")
        .replace(" font-family=\"sans-serif\"", "")
        .replace(" points=\"", " stroke-linejoin=\"round\" points=\"")
        .replace("\n</text>", "</text>")
        .replace(" \"", "\"");
    for ink in Ink::ALL {
        let RGBColor(red, green, blue) = ink.key();
        let key = format!("#{red:02X}{green:02X}{blue:02X}");
        let color = format!("var({}, {})", ink.variable(), key.to_lowercase());
        let dashes = ink.dashes().map_or(String::new(), |dashes| {
            let scaled: Vec<String> = dashes
                .split(' ')
                .filter_map(|length| length.parse::<i32>().ok())
                .map(|length| (length * SCALE).to_string())
                .collect();
            format!(";stroke-dasharray:{}", scaled.join(" "))
        });
        text = text
            .replace(
                &format!("fill=\"{key}\""),
                &format!("style=\"fill:{color}\""),
            )
            .replace(
                &format!("stroke=\"{key}\""),
                &format!("style=\"stroke:{color}{dashes}\""),
            );
    }
    // The opening tag carries a fixed size; the page gives its own.
    let body = text.split_once('>').map_or("", |(_, body)| body);
    let scale = SCALE.unsigned_abs();
    format!(
        "<svg class=\"chart\" viewBox=\"0 0 {} {}\" xmlns=\"http://www.w3.org/2000/svg\" \
         role=\"img\" aria-label=\"{label}\" font-family=\"system-ui, sans-serif\">\n<title>{label}</title>{body}",
        size.0 * scale,
        size.1 * scale
    )
}

/// Text made safe inside SVG and HTML, also within double quotes.
pub(crate) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

/// `text` cut to `most` characters, with an ellipsis where something was lost.
pub(crate) fn shortened(text: &str, most: usize) -> String {
    // A Chinese character is about as wide as two Latin ones.
    let mut width = 0;
    let mut kept = String::new();
    for character in text.chars() {
        width += if character.is_ascii() { 1 } else { 2 };
        if width > most {
            return format!("{}…", kept.trim_end());
        }
        kept.push(character);
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_colours_are_all_different() {
        for (place, ink) in Ink::ALL.iter().enumerate() {
            for other in &Ink::ALL[..place] {
                assert_ne!(ink.key(), other.key());
                assert_ne!(ink.variable(), other.variable());
            }
        }
    }

    #[test]
    fn no_fixed_colour_survives() {
        let svg = draw("test", (100, 50), "a \"label\" <b>", |root| {
            use plotters::prelude::{PathElement, Rectangle, Text};
            root.draw(&Rectangle::new([(0, 0), (9, 9)], Ink::Grid.fill(1.0)))?;
            root.draw(&PathElement::new(
                [(0, 0), (9, 9)],
                Ink::Series(1).line(1.0, 2.0),
            ))?;
            root.draw(&Text::new(
                "x <y>",
                (5, 5),
                Ink::Text.text(12.0, HPos::Left, FontStyle::Normal),
            ))?;
            Ok(())
        })
        .unwrap();
        assert!(
            !svg.contains("fill=\"#") && !svg.contains("stroke=\"#"),
            "{svg}"
        );
        assert!(svg.contains("stroke-dasharray:36 16"), "{svg}");
        assert!(
            svg.contains("aria-label=\"a &quot;label&quot; &lt;b&gt;\""),
            "{svg}"
        );
        assert!(svg.contains("x &lt;y&gt;"), "{svg}");
        assert!(!svg.contains("width=\"400\""), "{svg}");
    }

    #[test]
    fn long_names_end_in_an_ellipsis() {
        assert_eq!(shortened("conservative", 20), "conservative");
        assert_eq!(shortened("conservative", 6), "conser…");
        assert_eq!(shortened("规则基线版本", 6), "规则基…");
    }
}
