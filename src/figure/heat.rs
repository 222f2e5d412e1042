//! Pictures of numbers: a sample as it is, and maps over it with their colour bars.

use super::raster::Pixels;
use super::svg::{Anchor, Svg};
use super::ticks::tick_label;
use super::{FigureError, Style};
use crate::colormap::{Rgb, viridis};
use crate::figure::contour_lines;
use crate::insight::picture::Picture;
use ndarray::ArrayView2;

/// What the numbers of a map mean.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Sense {
    /// They speak for something or against it; 0 is neutral.
    Signed,
    /// They begin at 0.
    Amount,
}

/// A rectangle: left, top, width, height.
pub(super) type Frame = (f64, f64, f64, f64);

/// Draws values row by row as squares of colour.
fn squares(
    svg: &mut Svg,
    (left, top, width, height): Frame,
    size: [usize; 2],
    color: impl Fn(usize) -> Rgb,
) -> Result<(), FigureError> {
    // Every value as several pixels, so that its edges stay sharp however large the
    // picture is drawn.
    const FINE: usize = 8;
    let [rows, columns] = size;
    let mut rgba = Vec::with_capacity(rows * columns * FINE * FINE * 4);
    for y in 0..rows * FINE {
        for x in 0..columns * FINE {
            let [r, g, b] = color(y / FINE * columns + x / FINE).bytes();
            rgba.extend([r, g, b, 255]);
        }
    }
    let pixels = Pixels {
        width: (columns * FINE) as u32,
        height: (rows * FINE) as u32,
        rgba,
    };
    svg.image(left, top, width, height, &pixels.png()?);
    Ok(())
}

/// The largest frame of the picture's proportions within a square.
pub(super) fn fitted(picture: Picture, (left, top, side): (f64, f64, f64)) -> Frame {
    let (height, width) = (picture.shape.height as f64, picture.shape.width as f64);
    let scale = side / height.max(width);
    let (w, h) = (width * scale, height * scale);
    (left + 0.5 * (side - w), top + 0.5 * (side - h), w, h)
}

/// The sample itself: in colour with three channels, else in grey; `lo` is black and
/// `hi` white.
pub(super) fn photo(
    svg: &mut Svg,
    frame: Frame,
    picture: Picture,
    values: &[f64],
    [lo, hi]: [f64; 2],
) -> Result<(), FigureError> {
    let shape = picture.shape;
    let level = |channel: usize, pixel: usize| {
        let place = picture.index(channel, pixel / shape.width, pixel % shape.width);
        ((values[place] - lo) / (hi - lo).max(f64::MIN_POSITIVE)).clamp(0.0, 1.0) as f32
    };
    squares(svg, frame, [shape.height, shape.width], |pixel| {
        if shape.channels == 3 {
            let [r, g, b] = [0, 1, 2].map(|channel| level(channel, pixel));
            return Rgb { r, g, b };
        }
        let all: f32 = (0..shape.channels).map(|c| level(c, pixel)).sum();
        let grey = all / shape.channels as f32;
        Rgb {
            r: grey,
            g: grey,
            b: grey,
        }
    })
}

/// A map, one number a pixel, with its colour bar in the 30 units below.
pub(super) fn map(
    svg: &mut Svg,
    frame: Frame,
    picture: Picture,
    values: &[f64],
    sense: Sense,
    style: &Style,
) -> Result<(), FigureError> {
    let finite = values.iter().filter(|v| v.is_finite());
    let most = finite.fold(0.0_f64, |most, v| most.max(v.abs()));
    let color = |value: f64| {
        let share = if most > 0.0 { value / most } else { 0.0 };
        match sense {
            Sense::Signed => style.diverging.at(share as f32),
            Sense::Amount => viridis(share as f32),
        }
    };
    let size = [picture.shape.height, picture.shape.width];
    squares(svg, frame, size, |pixel| color(values[pixel]))?;
    let (left, top, width, height) = frame;
    let bar = (left, top + height + 8.0, width, 9.0);
    let least = if sense == Sense::Signed { -1.0 } else { 0.0 };
    const STEPS: usize = 64;
    for k in 0..STEPS {
        let share = least + (1.0 - least) * (k as f64 + 0.5) / STEPS as f64;
        let x = bar.0 + bar.2 * k as f64 / STEPS as f64;
        // A little wider, so that no seam shows.
        let step = bar.2 / STEPS as f64;
        let wide = if k + 1 < STEPS { step + 0.5 } else { step };
        svg.rect(x, bar.1, wide, bar.3, color(share * most));
    }
    let label = |value: f64| {
        let text = tick_label(format!("{value:.1e}").parse().unwrap_or(value));
        if value > 0.0 && sense == Sense::Signed {
            format!("+{text}")
        } else {
            text
        }
    };
    let y = bar.1 + bar.3 + 14.0;
    let mut text = |x: f64, anchor: Anchor, value: f64| {
        svg.text((x, y), 12.0, anchor, style.faint, &label(value));
    };
    text(bar.0, Anchor::Start, least * most);
    text(bar.0 + bar.2, Anchor::End, most);
    if sense == Sense::Signed {
        text(bar.0 + 0.5 * bar.2, Anchor::Middle, 0.0);
    }
    Ok(())
}

/// The outline of what is brighter than a third of the brightest, over a map.
pub(super) fn outline(svg: &mut Svg, frame: Frame, picture: Picture, ink: &[f64], style: &Style) {
    let (height, width) = (picture.shape.height, picture.shape.width);
    let Ok(grid) = ArrayView2::from_shape((height, width), ink) else {
        return;
    };
    let most = ink.iter().copied().fold(0.0, f64::max);
    if most <= 0.0 {
        return;
    }
    let (left, top, w, h) = frame;
    svg.clipped(frame, |svg| {
        for line in contour_lines(grid, 0.35 * most) {
            // Values stand in the middle of their squares.
            let place = |&(x, y): &(f64, f64)| {
                (
                    left + (x + 0.5) * w / width as f64,
                    top + (y + 0.5) * h / height as f64,
                )
            };
            let points: Vec<(f64, f64)> = line.iter().map(place).collect();
            svg.polyline(&points, style.background, 3.0, 0.55, "");
            svg.polyline(&points, style.text, 1.3, 0.9, "");
        }
    });
}
