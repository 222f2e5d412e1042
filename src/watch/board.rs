//! Curves and histograms of runs that are watched, in bounded memory.

use super::news::{Logged, Metric, News};
use crate::interop::EventHistogram;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The most points of a curve, the most histograms over time, and the most of either.
const MOST_POINTS: usize = 4_096;
const MOST_OVER_TIME: usize = 48;
const MOST_SERIES: usize = 1_000;
/// The most bins of a histogram that is kept.
const MOST_BINS: usize = 256;
/// The most words that are kept.
const MOST_WORDS: usize = 50;

/// The name of a series: its run and its tag.
pub type Key = (Arc<str>, Arc<str>);

/// A number over the steps. When it is full every second point goes, but for the last.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Series {
    /// Step and value, in the order of the steps.
    pub points: Vec<(i64, f64)>,
    /// How many were told in all.
    pub told: u64,
    /// The value told last.
    pub last: f64,
    stride: u64,
}

impl Series {
    fn push(&mut self, step: i64, value: f64) {
        // A run that begins anew overwrites what it had told of later steps.
        while self.points.last().is_some_and(|&(last, _)| last >= step) {
            self.points.pop();
        }
        // The last point stands in until one on the stride replaces it.
        let stride = self.stride.max(1);
        if self.points.len() > 1 && !(self.told - 1).is_multiple_of(stride) {
            self.points.pop();
        }
        self.points.push((step, value));
        self.told += 1;
        self.last = value;
        if self.points.len() > MOST_POINTS {
            self.stride = stride * 2;
            every_second(&mut self.points);
        }
    }
}

/// Histograms of the same numbers over the steps, bounded in the same way.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct HistogramSeries {
    /// Step and histogram, in the order of the steps.
    pub points: Vec<(i64, EventHistogram)>,
    /// How many were told in all.
    pub told: u64,
    stride: u64,
}

impl HistogramSeries {
    fn push(&mut self, step: i64, mut histogram: EventHistogram) {
        if histogram.bins.len() > MOST_BINS {
            histogram.bins = merged(&histogram.bins);
        }
        while self.points.last().is_some_and(|(last, _)| *last >= step) {
            self.points.pop();
        }
        let stride = self.stride.max(1);
        if self.points.len() > 1 && !(self.told - 1).is_multiple_of(stride) {
            self.points.pop();
        }
        self.points.push((step, histogram));
        self.told += 1;
        if self.points.len() > MOST_OVER_TIME {
            self.stride = stride * 2;
            every_second(&mut self.points);
        }
    }
}

/// Keeps the first, the third, and so on, and the last.
fn every_second<T>(points: &mut Vec<T>) {
    let last = points.len().saturating_sub(1);
    let mut k = 0;
    points.retain(|_| {
        k += 1;
        (k - 1) % 2 == 0 || k - 1 == last
    });
}

/// As many bins as are kept, each of as many neighbours.
fn merged(bins: &[[f64; 3]]) -> Vec<[f64; 3]> {
    let groups = bins.chunks(bins.len().div_ceil(MOST_BINS));
    groups
        .filter_map(|group| {
            let count = group.iter().map(|bin| bin[2]).sum();
            Some([group.first()?[0], group.last()?[1], count])
        })
        .collect()
}

/// What was told so far.
#[derive(Debug, Clone, Default)]
pub struct Board {
    series: BTreeMap<Key, Series>,
    histograms: BTreeMap<Key, HistogramSeries>,
    words: Vec<String>,
    full: bool,
    /// Counts what came, so that a reader knows whether there is anything new.
    pub revision: u64,
}

impl Board {
    /// Takes in something new.
    pub fn see(&mut self, news: &News) {
        self.revision += 1;
        match news {
            News::Metric(metric) => self.metric(metric),
            News::Histogram(histogram) => self.histogram(histogram),
            News::Word(word) => self.say(word.clone()),
            News::Begun(_) | News::Text(_) | News::Tensors(_) | News::Ended { .. } => {}
        }
    }

    fn metric(&mut self, metric: &Metric) {
        let key = (Arc::clone(&metric.run), Arc::clone(&metric.tag));
        if self.has_room(&key, self.series.contains_key(&key)) {
            let series = self.series.entry(key).or_default();
            series.push(metric.step, metric.value);
        }
    }

    fn histogram(&mut self, told: &Logged<EventHistogram>) {
        let key = (Arc::clone(&told.run), Arc::clone(&told.tag));
        if self.has_room(&key, self.histograms.contains_key(&key)) {
            let series = self.histograms.entry(key).or_default();
            series.push(told.step, told.value.clone());
        }
    }

    fn has_room(&mut self, key: &Key, known: bool) -> bool {
        if known || self.series.len() + self.histograms.len() < MOST_SERIES {
            return true;
        }
        if !std::mem::replace(&mut self.full, true) {
            let (run, tag) = key;
            self.say(format!(
                "{MOST_SERIES} curves and histograms are shown; {run}: {tag} and others that come \
                 are left out"
            ));
        }
        false
    }

    fn say(&mut self, word: String) {
        if self.words.len() >= MOST_WORDS {
            self.words.remove(0);
        }
        self.words.push(word);
    }

    /// The curves, by run and tag.
    pub fn series(&self) -> impl Iterator<Item = (&Key, &Series)> {
        self.series.iter()
    }

    /// The histograms, by run and tag.
    pub fn histograms(&self) -> impl Iterator<Item = (&Key, &HistogramSeries)> {
        self.histograms.iter()
    }

    /// What the user should be told, newest last.
    pub fn words(&self) -> &[String] {
        &self.words
    }

    /// Whether nothing was told yet.
    pub fn is_empty(&self) -> bool {
        self.series.is_empty() && self.histograms.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metric(step: i64, value: f64) -> News {
        News::Metric(Logged {
            run: Arc::from("."),
            tag: Arc::from("loss"),
            step,
            wall_time: 0.0,
            value,
        })
    }

    #[test]
    fn a_long_curve_stays_bounded_even_in_step_and_keeps_both_ends() {
        let mut board = Board::default();
        // Steps of which none is a multiple of two.
        for k in 0..50_000 {
            board.see(&metric(10 * k + 1, k as f64));
        }
        let (_, series) = board.series().next().unwrap();
        assert!(series.points.len() <= MOST_POINTS + 1 && series.points.len() > MOST_POINTS / 3);
        assert_eq!(series.points[0], (1, 0.0));
        assert_eq!(series.points.last(), Some(&(499_991, 49_999.0)));
        let apart: Vec<i64> = series.points.windows(2).map(|w| w[1].0 - w[0].0).collect();
        let inner = &apart[..apart.len() - 1];
        assert!(inner.iter().all(|&d| d == inner[0]), "{:?}", &inner[..5]);
        assert_eq!(series.told, 50_000);
    }

    #[test]
    fn a_run_that_begins_anew_takes_its_future_back() {
        let mut board = Board::default();
        for step in [0, 1, 2, 3, 1, 2] {
            board.see(&metric(step, f64::from(step as i32)));
        }
        let (_, series) = board.series().next().unwrap();
        let steps: Vec<i64> = series.points.iter().map(|p| p.0).collect();
        assert_eq!(steps, [0, 1, 2]);
    }

    #[test]
    fn curves_beyond_the_bound_are_left_out_and_it_is_said_once() {
        let mut board = Board::default();
        for k in 0..MOST_SERIES + 10 {
            board.see(&News::Metric(Logged {
                run: Arc::from("."),
                tag: Arc::from(format!("t{k}")),
                step: 0,
                wall_time: 0.0,
                value: 0.0,
            }));
        }
        assert_eq!(board.series().count(), MOST_SERIES);
        assert_eq!(board.words().len(), 1);
    }
}
