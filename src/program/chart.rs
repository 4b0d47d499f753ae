//! Line charts of results, as SVG.

use std::ops::Range;

use anyhow::{Result, anyhow, bail};
use plotters::coord::ranged1d::{KeyPointHint, NoDefaultFormatting, Ranged, ValueFormatter};
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;
use plotters::series::DashedLineSeries;
use plotters::style::text_anchor::{HPos, Pos, VPos};

/// Several curves over one pair of axes.
#[derive(Debug, Clone)]
pub struct LineChart {
    /// What the chart shows, in one line.
    pub title: String,
    /// The horizontal axis.
    pub x: Axis,
    /// The vertical axis.
    pub y: Axis,
    /// At most eight look different from each other.
    pub series: Vec<Series>,
}

/// One axis.
#[derive(Debug, Clone)]
pub struct Axis {
    /// What is measured, and in which unit.
    pub label: String,
    /// How values become places.
    pub scale: Scale,
}

/// How values become places.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scale {
    /// Equal steps.
    Linear,
    /// Equal ratios; values of 0 and below have no place.
    Log,
}

/// One curve.
#[derive(Debug, Clone)]
pub struct Series {
    /// Its name in the legend.
    pub name: String,
    /// In the order in which they are joined. The curve is broken at points that are not finite.
    pub points: Vec<(f64, f64)>,
    /// What stands at the points.
    pub marks: Marks,
}

/// What stands at the points of a curve.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Marks {
    /// Nothing: a curve of many points.
    None,
    /// A dot each: a curve of few measurements.
    Dots,
}

impl Axis {
    /// An axis with equal steps.
    pub fn linear(label: impl Into<String>) -> Self {
        let label = label.into();
        Self {
            label,
            scale: Scale::Linear,
        }
    }

    /// An axis with equal ratios.
    pub fn log(label: impl Into<String>) -> Self {
        let label = label.into();
        Self {
            label,
            scale: Scale::Log,
        }
    }
}

impl Series {
    /// A curve without marks.
    pub fn line(name: impl Into<String>, points: Vec<(f64, f64)>) -> Self {
        let name = name.into();
        Self {
            name,
            points,
            marks: Marks::None,
        }
    }

    /// A curve with a dot at each point.
    pub fn dotted(name: impl Into<String>, points: Vec<(f64, f64)>) -> Self {
        let name = name.into();
        Self {
            name,
            points,
            marks: Marks::Dots,
        }
    }
}

impl LineChart {
    /// Whether some point has a place on the axes; without any there is nothing to draw.
    pub fn has_points(&self) -> bool {
        let mut series = self.series.iter();
        series.any(|series| !pieces(&series.points, self).is_empty())
    }
}

/// Width and height of most pictures, in pixels.
pub const SIZE: (u32, u32) = (860, 520);

// The picture brings its own paper, so that it can be read on white and on black pages.
const PAPER: RGBColor = RGBColor(252, 251, 249);
const INK: RGBColor = RGBColor(24, 32, 38);
const INK_2: RGBColor = RGBColor(66, 77, 85);
const GRID: RGBColor = RGBColor(226, 222, 214);

/// Colours of the page's runs on light paper (www/src/page/tokens.css), apart for colour-blind eyes.
const COLOURS: [RGBColor; 8] = [
    RGBColor(0, 104, 168),
    RGBColor(201, 79, 0),
    RGBColor(0, 132, 95),
    RGBColor(168, 64, 127),
    RGBColor(138, 106, 0),
    RGBColor(90, 79, 192),
    RGBColor(76, 86, 92),
    RGBColor(39, 134, 168),
];

/// Dash and gap in pixels; with the colours, each curve has two marks. A gap of 0 is a solid line.
const DASHES: [(i32, i32); 8] = [
    (1, 0),
    (9, 4),
    (3, 3),
    (16, 5),
    (6, 6),
    (12, 3),
    (4, 2),
    (2, 6),
];

const FONT: &str = "system-ui, 'Segoe UI', 'Noto Sans', sans-serif";
const TITLE_HEIGHT: i32 = 34;
const LEGEND_LINE: i32 = 20;
const SWATCH: i32 = 34;
const MARGIN: i32 = 16;

/// Draws a chart of `size` pixels and answers the SVG's text. The same chart is the same text.
///
/// # Errors
/// No point that the axes have a place for, or a size too small to draw in.
pub fn draw(chart: &LineChart, size: (u32, u32)) -> Result<String> {
    let (width, height) = (size.0 as i32, size.1 as i32);
    let rows = legend_rows(&chart.series, width);
    let head = TITLE_HEIGHT + LEGEND_LINE * rows.len() as i32 + 10;
    if width < 240 || height < head + 140 {
        bail!("{width} by {height} pixels are too few for this chart; give it more");
    }
    let curves: Vec<Vec<Vec<(f64, f64)>>> = chart
        .series
        .iter()
        .map(|series| pieces(&series.points, chart))
        .collect();
    let places = || curves.iter().flatten().flatten();
    let x = Coordinate::around(chart.x.scale, places().map(|point| point.0), 0.0)?;
    let y = Coordinate::around(chart.y.scale, places().map(|point| point.1), 0.04)?;

    let mut text = String::new();
    {
        let root = SVGBackend::with_string(&mut text, size).into_drawing_area();
        let failed = |error: DrawingAreaErrorKind<_>| anyhow!("drawing failed: {error}");
        root.fill(&PAPER).map_err(failed)?;
        let title = (FONT, 17).into_font().style(FontStyle::Bold).color(&INK);
        let title = title.pos(Pos::new(HPos::Left, VPos::Center));
        root.draw_text(&chart.title, &title, (MARGIN, TITLE_HEIGHT / 2 + 4))
            .map_err(failed)?;
        draw_legend(&root, &chart.series, &rows).map_err(failed)?;

        let (_, body) = root.split_vertically(head);
        let mut plot = ChartBuilder::on(&body)
            .margin(MARGIN)
            .margin_top(4)
            .x_label_area_size(44)
            .y_label_area_size(66)
            .build_cartesian_2d(x, y)
            .map_err(failed)?;
        plot.configure_mesh()
            .bold_line_style(GRID)
            .light_line_style(TRANSPARENT)
            .axis_style(INK_2)
            .label_style((FONT, 13).into_font().color(&INK_2))
            .axis_desc_style((FONT, 14).into_font().color(&INK))
            .x_desc(&chart.x.label)
            .y_desc(&chart.y.label)
            .x_labels(8)
            .y_labels(8)
            .draw()
            .map_err(failed)?;
        for (index, (series, curve)) in chart.series.iter().zip(&curves).enumerate() {
            for piece in curve {
                let points = piece.iter().copied();
                let style = look(index).stroke_width(2);
                match DASHES[index % DASHES.len()] {
                    (_, 0) => plot.draw_series(LineSeries::new(points, style)),
                    (dash, gap) => {
                        plot.draw_series(DashedLineSeries::new(points, dash, gap, style))
                    }
                }
                .map_err(failed)?;
                // A piece of one point is no line.
                if series.marks == Marks::Dots || piece.len() == 1 {
                    let dots = piece
                        .iter()
                        .map(|&point| Circle::new(point, 4, look(index).filled()));
                    plot.draw_series(dots).map_err(failed)?;
                }
            }
        }
        root.present().map_err(failed)?;
    }
    Ok(text)
}

fn look(index: usize) -> RGBColor {
    COLOURS[index % COLOURS.len()]
}

/// The curve without points that have no place, in pieces where they were.
fn pieces(points: &[(f64, f64)], chart: &LineChart) -> Vec<Vec<(f64, f64)>> {
    let has_place =
        |scale: Scale, value: f64| value.is_finite() && (scale == Scale::Linear || value > 0.0);
    points
        .split(|&(x, y)| !has_place(chart.x.scale, x) || !has_place(chart.y.scale, y))
        .filter(|piece| !piece.is_empty())
        .map(<[_]>::to_vec)
        .collect()
}

/// Which names stand in which line of the legend, each with its place from the left.
fn legend_rows(series: &[Series], width: i32) -> Vec<Vec<(usize, i32)>> {
    let mut rows: Vec<Vec<(usize, i32)>> = Vec::new();
    let mut left = 0;
    for (index, series) in series.iter().enumerate() {
        // Browsers' sans-serif letters of 13 pixels are some 7 pixels wide.
        let room = SWATCH + 8 + 7 * series.name.chars().count() as i32 + 22;
        if rows.is_empty() || left + room > width - MARGIN {
            rows.push(Vec::new());
            left = MARGIN;
        }
        if let Some(row) = rows.last_mut() {
            row.push((index, left));
        }
        left += room;
    }
    rows
}

type Area<'a> = DrawingArea<SVGBackend<'a>, plotters::coord::Shift>;
type AreaError = DrawingAreaErrorKind<std::io::Error>;

fn draw_legend(
    root: &Area,
    series: &[Series],
    rows: &[Vec<(usize, i32)>],
) -> Result<(), AreaError> {
    for (line, row) in rows.iter().enumerate() {
        let y = TITLE_HEIGHT + LEGEND_LINE * line as i32 + LEGEND_LINE / 2;
        for &(index, left) in row {
            let style = look(index).stroke_width(3);
            let (dash, gap) = DASHES[index % DASHES.len()];
            let step = if gap == 0 { SWATCH } else { dash + gap };
            let length = if gap == 0 { SWATCH } else { dash };
            for from in (0..SWATCH).step_by(step as usize) {
                let to = (from + length).min(SWATCH);
                let ends = vec![(left + from, y), (left + to, y)];
                root.draw(&PathElement::new(ends, style))?;
            }
            if series[index].marks == Marks::Dots {
                let middle = (left + SWATCH / 2, y);
                root.draw(&Circle::new(middle, 4, look(index).filled()))?;
            }
            let words = (FONT, 13).into_font().color(&INK);
            let words = words.pos(Pos::new(HPos::Left, VPos::Center));
            root.draw_text(&series[index].name, &words, (left + SWATCH + 8, y))?;
        }
    }
    Ok(())
}

/// An axis of plotters that is linear or logarithmic: its own are of different types.
#[derive(Debug, Clone)]
struct Coordinate {
    scale: Scale,
    low: f64,
    high: f64,
}

impl Coordinate {
    /// From the smallest to the largest of `values`, and `room` of that on either side.
    fn around(scale: Scale, values: impl Iterator<Item = f64>, room: f64) -> Result<Self> {
        let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
        for value in values {
            let place = Self::place(scale, value);
            low = low.min(place);
            high = high.max(place);
        }
        if low > high {
            bail!("there is nothing to draw: no point has a place on these axes");
        }
        let width = high - low;
        let room = if width > 0.0 {
            room * width
        } else {
            low.abs().max(1.0) * 0.1
        };
        Ok(Self {
            scale,
            low: low - room,
            high: high + room,
        })
    }

    fn place(scale: Scale, value: f64) -> f64 {
        match scale {
            Scale::Linear => value,
            Scale::Log => value.log10(),
        }
    }

    fn value(&self, place: f64) -> f64 {
        match self.scale {
            Scale::Linear => place,
            Scale::Log => 10f64.powf(place),
        }
    }
}

impl Ranged for Coordinate {
    type FormatOption = NoDefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, (from, to): (i32, i32)) -> i32 {
        let share = (Self::place(self.scale, *value) - self.low) / (self.high - self.low);
        (f64::from(from) + share * f64::from(to - from)).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, hint: Hint) -> Vec<f64> {
        let most = hint.max_num_points();
        let decades = self.high.floor() - self.low.ceil();
        if self.scale == Scale::Linear || decades < 1.0 {
            let (low, high) = (self.value(self.low), self.value(self.high));
            return RangedCoordf64::from(low..high).key_points(hint);
        }
        let stride = ((decades + 1.0) / most.max(1) as f64).ceil().max(1.0);
        let first = (self.low / stride).ceil() * stride;
        let count = ((self.high - first) / stride).floor() as usize + 1;
        (0..count)
            .map(|index| 10f64.powf(first + index as f64 * stride))
            .collect()
    }

    fn range(&self) -> Range<f64> {
        self.value(self.low)..self.value(self.high)
    }
}

impl ValueFormatter<f64> for Coordinate {
    fn format(value: &f64) -> String {
        let size = value.abs();
        if size != 0.0 && !(1e-3..1e5).contains(&size) {
            return format!("{value:.0e}");
        }
        // Steps between key points are never finer than this; the rest is rounding.
        let rounded = (value * 1e6).round() / 1e6;
        format!("{rounded}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chart(points: Vec<(f64, f64)>) -> LineChart {
        LineChart {
            title: "Error & <iterations>".into(),
            x: Axis::linear("iterations"),
            y: Axis::log("relative error"),
            series: vec![
                Series::line("GD", points.clone()),
                Series::dotted("scaled GD", points),
            ],
        }
    }

    #[test]
    fn names_are_in_the_picture_and_cannot_break_it() -> Result<()> {
        let text = draw(&chart(vec![(0.0, 1.0), (10.0, 1e-6)]), SIZE)?;
        assert!(text.starts_with("<svg") && text.trim_end().ends_with("</svg>"));
        for words in [
            "Error &amp; &lt;iterations&gt;",
            "scaled GD",
            "relative error",
            "1e-4",
        ] {
            assert!(text.contains(words), "{words}");
        }
        Ok(())
    }

    #[test]
    fn points_without_a_place_break_the_curve_and_nothing_else() -> Result<()> {
        let gap = vec![
            (0.0, 1.0),
            (1.0, f64::NAN),
            (2.0, 0.0),
            (3.0, 0.1),
            (4.0, 0.2),
        ];
        let chart = chart(gap);
        assert_eq!(pieces(&chart.series[0].points, &chart).len(), 2);
        draw(&chart, SIZE)?;
        let empty = super::tests::chart(vec![(0.0, -1.0)]);
        assert!(chart.has_points() && !empty.has_points());
        assert!(draw(&empty, SIZE).is_err());
        Ok(())
    }

    #[test]
    fn a_single_value_is_drawn_in_the_middle() -> Result<()> {
        draw(&chart(vec![(5.0, 1.0)]), SIZE)?;
        assert!(draw(&chart(vec![(5.0, 1.0)]), (100, 100)).is_err());
        Ok(())
    }

    #[test]
    fn long_legends_take_more_lines() {
        let many = vec![Series::line("a name of some length", vec![]); 7];
        let rows = legend_rows(&many, 860);
        assert_eq!(rows.iter().map(Vec::len).sum::<usize>(), 7);
        assert!(rows.len() > 1);
    }
}
