//! Several paths over one surface, each with its colour, its number and its
//! line in a legend.

use super::contour::ContourFigure;
use super::svg::{Anchor, Svg};
use super::{FigureError, Tone};
use crate::colormap::{Rgb, racer_color};

/// A path to draw.
#[derive(Debug, Clone)]
pub struct RacePath {
    /// The number of its colour.
    pub color: usize,
    /// What its end is marked with and the legend begins with.
    pub number: usize,
    /// Whose it is, and how it has fared.
    pub label: String,
    /// Its places, oldest first.
    pub points: Vec<[f64; 2]>,
}

/// A surface with paths over it.
#[derive(Debug, Clone)]
pub struct PathsFigure<'a> {
    /// The surface.
    pub contour: ContourFigure<'a>,
    /// The paths, in the order of the legend.
    pub paths: Vec<RacePath>,
    /// Places to mark with a cross, such as minima.
    pub marks: Vec<[f64; 2]>,
}

type Point = (f64, f64);

const INK: Rgb = Rgb::hex(0xffffff);
const HALO: Rgb = Rgb::hex(0x05070c);
/// Radius of the disc with a number.
const DISC: f64 = 9.0;
/// Height of a line of the legend.
const ROW: f64 = 22.0;

impl PathsFigure<'_> {
    /// The picture as SVG.
    ///
    /// # Errors
    /// What [`ContourFigure::draw`] fails with.
    pub fn draw(&self) -> Result<Svg, FigureError> {
        let mut svg = self.contour.draw()?;
        let frame = self.contour.frame();
        let paths: Vec<Vec<Point>> = self.paths.iter().map(|p| self.placed(p)).collect();
        svg.clipped(frame, |svg| {
            for &[x, y] in &self.marks {
                cross(svg, self.contour.at(x, y));
            }
            for points in &paths {
                svg.polyline(points, HALO, 5.0, 0.6, "");
            }
            for (path, points) in self.paths.iter().zip(&paths) {
                svg.polyline(points, racer_color(path.color, false), 2.6, 1.0, "");
            }
            if let Some(&start) = paths.iter().find_map(|p| p.first()) {
                svg.circle(start, 6.0, HALO, INK);
            }
        });
        let inside = |p: &Point| {
            let (left, top, width, height) = frame;
            (left..=left + width).contains(&p.0) && (top..=top + height).contains(&p.1)
        };
        let (mut taken, mut discs) = (Vec::new(), Vec::new());
        for (path, points) in self.paths.iter().zip(&paths) {
            // Who has left the picture has no disc in it.
            let Some(&end) = points.last().filter(|p| inside(p)) else {
                continue;
            };
            let place = free_place(end, &taken);
            taken.push(place);
            if place != end {
                svg.line(end, place, HALO, 3.0, 0.7);
                svg.line(end, place, racer_color(path.color, false), 1.4, 1.0);
            }
            discs.push((place, path));
        }
        for (place, path) in discs {
            disc(&mut svg, place, path, HALO);
        }
        self.legend(&mut svg, &paths);
        Ok(svg)
    }

    fn placed(&self, path: &RacePath) -> Vec<Point> {
        let points = path
            .points
            .iter()
            .filter(|p| p.iter().all(|v| v.is_finite()));
        // Far outside the picture numbers only cost precision.
        let clamp = |v: f64| v.clamp(-1e5, 1e5);
        points
            .map(|&[x, y]| self.contour.at(x, y))
            .map(|(x, y)| (clamp(x), clamp(y)))
            .collect()
    }

    /// Where at the plot's edge the least of the paths goes through.
    fn legend(&self, svg: &mut Svg, paths: &[Vec<Point>]) {
        if self.paths.is_empty() {
            return;
        }
        let (left, top, width, height) = self.contour.frame();
        let longest = self.paths.iter().map(|p| p.label.chars().count()).max();
        let w = (50.0 + 8.2 * longest.unwrap_or(0) as f64).min(width - 24.0);
        let h = ROW * self.paths.len() as f64 + 14.0;
        let (right, bottom) = (left + width - w - 12.0, top + height - h - 12.0);
        let (middle, center) = (left + (width - w) / 2.0, top + (height - h) / 2.0);
        let places = [
            (right, top + 12.0),
            (left + 12.0, top + 12.0),
            (right, bottom),
            (left + 12.0, bottom),
            (middle, bottom),
            (middle, top + 12.0),
            (right, center),
            (left + 12.0, center),
        ];
        let along: Vec<Point> = paths.iter().flat_map(|p| dense(p)).collect();
        let covered = |&(x, y): &Point| {
            let near = |p: &&Point| {
                (x - 14.0..=x + w + 14.0).contains(&p.0) && (y - 14.0..=y + h + 14.0).contains(&p.1)
            };
            let marks = self.marks.iter().map(|m| self.contour.at(m[0], m[1]));
            let marks = marks.filter(|p| near(&p)).count();
            // An end counts for more than a place on the way.
            let ends = paths.iter().filter_map(|p| p.last());
            let ends = ends.filter(near).count();
            along.iter().filter(near).count() + 200 * (ends + marks)
        };
        let Some((x, y)) = places.into_iter().min_by_key(covered) else {
            return;
        };
        let light = self.contour.tone == Tone::Light;
        let style = self.contour.tone.style();
        svg.rect(x, y, w, h, style.background);
        svg.frame(x, y, w, h, style.faint);
        let rim = if light { style.text } else { HALO };
        for (i, path) in self.paths.iter().enumerate() {
            let middle = y + 7.0 + ROW * (i as f64 + 0.5);
            disc(svg, (x + 18.0, middle), path, rim);
            let at = (x + 36.0, middle + 5.0);
            svg.text(at, 13.5, Anchor::Start, style.text, &path.label);
        }
    }
}

/// Points along a path, at most some pixels apart where it is in the picture.
fn dense(points: &[Point]) -> Vec<Point> {
    let between = |pair: &[Point]| {
        let ((x0, y0), (x1, y1)) = (pair[0], pair[1]);
        let n = ((x1 - x0).hypot(y1 - y0) / 6.0).ceil().clamp(1.0, 200.0);
        (0..n as u32).map(move |i| {
            let t = f64::from(i) / n;
            (x0 + t * (x1 - x0), y0 + t * (y1 - y0))
        })
    };
    points.windows(2).flat_map(between).collect()
}

/// The end of a path, or one a little beside it where others end as well.
fn free_place(end: Point, taken: &[Point]) -> Point {
    let free = |p: &Point| {
        let apart = |q: &Point| (p.0 - q.0).hypot(p.1 - q.1) > 2.0 * DISC + 1.0;
        taken.iter().all(apart)
    };
    let around = (1..4).flat_map(|ring| {
        let n = 8 * ring;
        (0..n).map(move |i| {
            let angle = std::f64::consts::TAU * f64::from(i) / f64::from(n) - 0.6;
            let radius = (2.0 * DISC + 4.0) * f64::from(ring);
            (end.0 + radius * angle.cos(), end.1 + radius * angle.sin())
        })
    });
    std::iter::once(end).chain(around).find(free).unwrap_or(end)
}

/// A disc of the path's colour with its number.
fn disc(svg: &mut Svg, at: Point, path: &RacePath, rim: Rgb) {
    svg.circle(at, DISC, racer_color(path.color, false), rim);
    let number = path.number.to_string();
    let size = if number.len() > 1 { 10.0 } else { 12.0 };
    let place = (at.0, at.1 + 0.36 * size);
    svg.text(place, size, Anchor::Middle, HALO, &number);
}

fn cross(svg: &mut Svg, (x, y): Point) {
    const R: f64 = 6.0;
    for (color, width) in [(HALO, 4.5), (INK, 2.0)] {
        svg.line((x - R, y - R), (x + R, y + R), color, width, 1.0);
        svg.line((x - R, y + R), (x + R, y - R), color, width, 1.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figure::Heights;
    use crate::landscape::Surface;
    use ndarray::Array2;

    #[test]
    fn every_racer_has_a_line_a_number_and_a_place_in_the_legend() {
        let axis: Vec<f64> = (0..11).map(|i| f64::from(i) / 5.0 - 1.0).collect();
        let surface = Surface {
            loss: Array2::from_shape_fn((11, 11), |(j, i)| axis[i].powi(2) + axis[j].powi(2)),
            x: axis.clone(),
            y: axis,
        };
        let path = |number: usize, points: &[[f64; 2]]| RacePath {
            color: number - 1,
            number,
            label: format!("racer <{number}>"),
            points: points.to_vec(),
        };
        let figure = PathsFigure {
            contour: ContourFigure {
                surface: &surface,
                path: None,
                title: "race".to_owned(),
                subtitle: String::new(),
                x_label: "x".to_owned(),
                y_label: "y".to_owned(),
                height: "value".to_owned(),
                heights: Heights::Auto,
                tone: Tone::Dark,
            },
            paths: vec![
                path(1, &[[0.8, 0.8], [0.0, 0.0]]),
                path(2, &[[0.8, 0.8], [0.0, 0.001]]),
                path(3, &[[0.8, 0.8], [1e300, f64::NAN], [1e300, 2.0]]),
            ],
            marks: vec![[0.0, 0.0]],
        };
        let text = figure.draw().unwrap().finish();
        for number in 1..=3 {
            let color = racer_color(number - 1, false).css();
            assert!(text.contains(&format!("stroke=\"{color}\"")));
            assert!(text.contains(&format!("racer &lt;{number}&gt;")));
        }
        // The picture within it is letters too, but has no comma or point.
        for broken in ["NaN,", ",NaN", "inf,", ",inf", "\"NaN", "\"inf"] {
            assert!(!text.contains(broken), "{broken}");
        }
        // Two discs at one end stand apart; who left the picture has none in it.
        let discs = text.matches(&format!("r=\"{DISC:.2}\"")).count();
        assert_eq!(discs, 2 + 3);
        let ends = [(100.0, 100.0), (100.5, 100.0), (100.0, 99.0)];
        let mut taken: Vec<Point> = Vec::new();
        for end in ends {
            taken.push(free_place(end, &taken));
        }
        for (i, a) in taken.iter().enumerate() {
            for b in &taken[..i] {
                assert!((a.0 - b.0).hypot(a.1 - b.1) > 2.0 * DISC);
            }
        }
    }
}
