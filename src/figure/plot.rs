//! A frame with two axes, for figures that are curves, bars or points.

use super::Tone;
use super::scale::Scale;
use super::style::Style;
use super::svg::{Anchor, Svg};
use super::ticks::tick_label;

/// A rectangle with axes.
pub(super) struct Plot<'a> {
    /// Left, top, width and height.
    pub place: (f64, f64, f64, f64),
    /// From left to right.
    pub x: Scale,
    /// From bottom to top.
    pub y: Scale,
    /// What the axes are.
    pub names: [&'a str; 2],
}

impl Plot<'_> {
    /// Where a point lies in the picture.
    pub fn at(&self, x: f64, y: f64) -> (f64, f64) {
        let (left, top, width, height) = self.place;
        let bottom = top + height;
        (
            left + width * self.x.share(x),
            bottom - height * self.y.share(y),
        )
    }

    /// The grid, the frame, ticks and names.
    pub fn draw(&self, svg: &mut Svg, style: &Style) {
        let ticks = self.y.ticks(5).into_iter();
        let ticks: Vec<(f64, f64)> = ticks.map(|tick| (tick, tick)).collect();
        self.draw_with(svg, style, &ticks);
    }

    /// The same with ticks of the upright axis at the given places, each with its number.
    pub fn draw_with(&self, svg: &mut Svg, style: &Style, ticks: &[(f64, f64)]) {
        let (left, top, width, height) = self.place;
        let bottom = top + height;
        for &(place, number) in ticks {
            let (_, y) = self.at(self.x.lo, place);
            svg.line((left, y), (left + width, y), style.grid, 1.0, 1.0);
            let at = (left - 9.0, y + 5.0);
            svg.text(at, 13.0, Anchor::End, style.text, &tick_label(number));
        }
        for tick in self.x.ticks((width / 90.0).max(2.0) as usize) {
            let (x, _) = self.at(tick, self.y.lo);
            svg.line((x, bottom), (x, bottom + 5.0), style.faint, 1.0, 1.0);
            let at = (x, bottom + 20.0);
            svg.text(at, 13.0, Anchor::Middle, style.text, &tick_label(tick));
        }
        svg.frame(left, top, width, height, style.faint);
        let [x, y] = self.names;
        let at = (left + 0.5 * width, bottom + 42.0);
        svg.text(at, 14.0, Anchor::Middle, style.text, x);
        let at = (left - 58.0, top + 0.5 * height);
        svg.text_upwards(at, 14.0, Anchor::Middle, style.text, y);
    }
}

/// An empty picture with a heading and a line below it.
pub(super) fn sheet(size: (f64, f64), tone: Tone, title: &str, subtitle: &str) -> Svg {
    let style = tone.style();
    let mut svg = Svg::new(size.0, size.1, style.background);
    svg.text((40.0, 38.0), 22.0, Anchor::Start, style.text, title);
    svg.text((40.0, 63.0), 13.5, Anchor::Start, style.faint, subtitle);
    svg
}
