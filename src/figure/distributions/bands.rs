//! What lies below certain shares of all numbers, over steps.

use super::{COLUMN, DistributionsFigure, PLOT, not_finite};
use crate::colormap::Rgb;
use crate::figure::matrices::three;
use crate::figure::plot::Plot;
use crate::figure::scale::Scale;
use crate::figure::svg::{Anchor, Svg};
use crate::figure::symlog::SymLog;
use crate::figure::{FigureError, Style};
use crate::insight::distributions::Spread;
use crate::insight::histogram::{Bands, SHARES};

impl DistributionsFigure<'_> {
    /// The median, and about it what lies within half a, one and one and a half standard
    /// deviations of a normal distribution, and the least and the greatest number: over
    /// steps. With `log` an axis that is logarithmic away from 0, for numbers of very
    /// different sizes.
    ///
    /// # Errors
    /// When there is nothing to draw.
    pub fn bands(&self, log: bool) -> Result<Svg, FigureError> {
        let style = self.tone.style();
        let mut svg = self.sheet()?;
        for (k, layer) in self.layers.iter().enumerate() {
            let (left, top) = Self::place(k);
            let moments: Vec<(u64, Bands)> = layer
                .moments
                .iter()
                .filter_map(|(step, spread)| Some((*step, spread.bands?)))
                .collect();
            let Some(&(last, newest)) = moments.last() else {
                continue;
            };
            let spreads: Vec<&Spread> = layer.moments.iter().map(|m| m.1).collect();
            let Bands(now) = newest;
            let said = [
                format!(
                    "{} numbers a moment{}, {} moments",
                    spreads.iter().map(|s| s.total).max().unwrap_or(0),
                    not_finite(&spreads),
                    moments.len()
                ),
                format!(
                    "after step {last}: {} to {}, median {}",
                    three(now[0]),
                    three(now[8]),
                    three(now[4])
                ),
            ];
            self.head(&mut svg, (left + 90.0, top), &layer.name, &said, &style);
            let axis = log.then(|| symlog(&moments));
            let raw = |value: f64| axis.map_or(value, |axis| axis.raw(value));
            let [lo, hi] = range(&moments);
            let first = moments[0].0 as f64;
            let plot = Plot {
                place: (left + 90.0, top + 66.0, PLOT.0, PLOT.1),
                x: Scale {
                    lo: first,
                    hi: (last as f64).max(first + 1.0),
                    log: false,
                },
                y: Scale {
                    lo: raw(lo),
                    hi: raw(hi),
                    log: false,
                }
                .widened(0.04),
                names: ["step", self.quantity],
            };
            let ticks: Vec<(f64, f64)> = match axis {
                Some(axis) => axis
                    .ticks(lo, hi)
                    .into_iter()
                    .map(|t| (axis.raw(t), t))
                    .collect(),
                None => plot.y.ticks(5).into_iter().map(|t| (t, t)).collect(),
            };
            band_panel(&mut svg, &plot, (&moments, &raw), &style);
            plot.draw_with(&mut svg, &style, &ticks);
            median(&mut svg, &plot, (&moments, &raw), &style);
        }
        self.band_legend(&mut svg, &style);
        Ok(svg)
    }

    fn band_legend(&self, svg: &mut Svg, style: &Style) {
        let columns = self.layers.len().min(2) as f64;
        let mut x = COLUMN * columns - 10.0;
        if self.layers.len() == 1 {
            // Narrow: below the line that says what it is.
            return legend_row(svg, (&mut x, 88.0), style);
        }
        legend_row(svg, (&mut x, 38.0), style);
    }
}

/// The legend of bands, written from the right to the left.
fn legend_row(svg: &mut Svg, (x, y): (&mut f64, f64), style: &Style) {
    let entries = [
        ("all", 0),
        ("87 %", 1),
        ("68 %", 2),
        ("38 %", 3),
        ("median", 4),
    ];
    for (name, band) in entries.into_iter().rev() {
        svg.text((*x, y), 13.0, Anchor::End, style.text, name);
        *x -= 7.0 * name.len() as f64 + 10.0;
        if band == 4 {
            let line = [(*x - 22.0, y - 5.0), (*x, y - 5.0)];
            svg.polyline(&line, style.text, 2.0, 1.0, "");
        } else {
            let color = band_color(band, style);
            svg.rect(*x - 22.0, y - 11.0, 22.0, 12.0, color);
            svg.frame(*x - 22.0, y - 11.0, 22.0, 12.0, style.faint);
        }
        *x -= 36.0;
    }
}

/// The colour of the band from share number `band` to the one as far from the greatest.
fn band_color(band: usize, style: &Style) -> Rgb {
    let strength = [0.16, 0.34, 0.54, 0.78][band];
    style.background.blend(style.training, strength)
}

/// From the least to the greatest of all moments.
fn range(moments: &[(u64, Bands)]) -> [f64; 2] {
    let ends = moments.iter().map(|(_, bands)| [bands.0[0], bands.0[8]]);
    ends.fold([f64::INFINITY, f64::NEG_INFINITY], |[a, b], [lo, hi]| {
        [a.min(lo), b.max(hi)]
    })
}

/// An axis that tells the inner bands of all moments from 0.
fn symlog(moments: &[(u64, Bands)]) -> SymLog {
    let inner = moments
        .iter()
        .map(|(_, bands)| bands.0[3].abs().max(bands.0[5].abs()));
    let least = inner
        .filter(|size| *size > 0.0)
        .fold(f64::INFINITY, f64::min);
    let [lo, hi] = range(moments);
    let largest = lo.abs().max(hi.abs());
    SymLog::new(least.min(largest), largest)
}

/// Moments and where their numbers lie on the axis.
type Placed<'a> = (&'a [(u64, Bands)], &'a dyn Fn(f64) -> f64);

/// The line of what lies below share number `share`.
fn line(plot: &Plot<'_>, (moments, raw): Placed<'_>, share: usize) -> Vec<(f64, f64)> {
    let at = |x: f64, bands: &Bands| plot.at(x, raw(bands.0[share]));
    match moments {
        // One moment alone is drawn as wide as the plot.
        [(_, one)] => vec![at(plot.x.lo, one), at(plot.x.hi, one)],
        _ => moments
            .iter()
            .map(|(step, bands)| at(*step as f64, bands))
            .collect(),
    }
}

fn band_panel(svg: &mut Svg, plot: &Plot<'_>, placed: Placed<'_>, style: &Style) {
    let last = SHARES.len() - 1;
    for band in 0..last / 2 {
        let mut area = line(plot, placed, band);
        area.extend(line(plot, placed, last - band).into_iter().rev());
        svg.polygon(&area, band_color(band, style), 1.0);
    }
}

fn median(svg: &mut Svg, plot: &Plot<'_>, placed: Placed<'_>, style: &Style) {
    let middle = line(plot, placed, SHARES.len() / 2);
    svg.polyline(&middle, style.text, 2.0, 1.0, "");
}
