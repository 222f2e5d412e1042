//! What the list of runs has done for it off the frame: reading the folder, changing and
//! deleting files, reading runs to compare.

use crate::compare::Difference;
use crate::figure::ParallelAxis;
use crate::insight::histogram::Histogram;
use crate::run::{
    Catalogue, ComparedRun, Listing, RunError, RunFile, RunNotes, axes, catalogue::remove,
    differing_keys,
};
use bevy_egui::egui;
use crossbeam_channel::{Receiver, bounded};
use std::path::PathBuf;

/// The most runs that are listed.
pub(super) const MOST: usize = 500;
/// The most runs that are compared.
pub(super) const MOST_COMPARED: usize = 200;
/// Of which histograms lie over each other.
pub(super) const MOST_HISTOGRAMS: usize = 12;
/// Steps of a run that are drawn.
const STEPS: usize = 2000;
/// Bins of a histogram.
const BINS: usize = 60;

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Order {
    /// Read the folder.
    List,
    /// Say something about runs, and read the folder.
    Note(Vec<PathBuf>, Note),
    /// Delete runs, and read the folder.
    Delete(Vec<PathBuf>),
    /// Read runs to compare them.
    Compare(Vec<PathBuf>),
}

/// What is said about a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Note {
    Rename(String),
    Tag(String),
    Untag(String),
    Comment(String),
}

/// Runs side by side.
#[derive(Debug, Clone, Default)]
pub(super) struct Compared {
    pub runs: Vec<ComparedRun>,
    pub names: Vec<String>,
    pub differences: Vec<Difference>,
    pub axes: Vec<ParallelAxis>,
    /// All parameters of each at its end, on the same bins; none where they are too many.
    pub histograms: Vec<Histogram>,
}

/// What came of it.
#[derive(Debug, Default)]
pub(super) struct Answer {
    pub listing: Option<Listing>,
    pub compared: Option<Compared>,
    pub fault: Option<String>,
}

/// Has an order carried out on a thread of its own.
pub(super) fn start(
    catalogue: Catalogue,
    order: Order,
    ctx: &egui::Context,
) -> Result<Receiver<Answer>, String> {
    let (sender, receiver) = bounded(1);
    let ctx = ctx.clone();
    std::thread::Builder::new()
        .name("runs".into())
        .spawn(move || {
            // Nobody waits for it any more where the window was closed.
            let _ = sender.send(carry_out(&catalogue, order));
            ctx.request_repaint();
        })
        .map_err(|error| error.to_string())?;
    Ok(receiver)
}

fn carry_out(catalogue: &Catalogue, order: Order) -> Answer {
    let mut answer = Answer::default();
    let done = match order {
        Order::List => Ok(()),
        Order::Note(paths, note) => paths.iter().try_for_each(|path| {
            let notes = RunNotes::open(path)?;
            match &note {
                Note::Rename(name) => notes.rename(name),
                Note::Tag(tag) => notes.tag(tag),
                Note::Untag(tag) => notes.untag(tag),
                Note::Comment(text) => notes.comment(text),
            }
        }),
        Order::Delete(paths) => paths.iter().try_for_each(|path| remove(path)),
        Order::Compare(paths) => {
            match compare(&paths) {
                Ok(compared) => answer.compared = Some(compared),
                Err(error) => answer.fault = Some(error.to_string()),
            }
            return answer;
        }
    };
    answer.fault = done.err().map(|error| error.to_string());
    match catalogue.list(MOST) {
        Ok(listing) => answer.listing = Some(listing),
        Err(error) => answer.fault = Some(error.to_string()),
    }
    answer
}

fn compare(paths: &[PathBuf]) -> Result<Compared, RunError> {
    let paths = &paths[..paths.len().min(MOST_COMPARED)];
    let mut runs = Vec::new();
    let mut weights = Vec::new();
    for path in paths {
        let run = RunFile::open(path)?;
        runs.push(ComparedRun::read(&run, STEPS)?);
        if paths.len() <= MOST_HISTOGRAMS {
            weights.push(run.snapshot(u64::MAX)?);
        }
    }
    let finite = weights.iter().flatten().filter(|v| v.is_finite());
    let (lo, hi) = finite.fold((f64::INFINITY, f64::NEG_INFINITY), |(lo, hi), &v| {
        (lo.min(f64::from(v)), hi.max(f64::from(v)))
    });
    let range = (lo < hi).then_some([lo, hi]);
    let histograms = weights.iter().map(|w| Histogram::of(w, BINS, range));
    let names = runs.iter().map(|run| {
        let own = &run.figures;
        let alike = runs.iter().filter(|other| other.figures.name == own.name);
        match alike.count() {
            1 => own.name.clone(),
            _ => own.id.clone(),
        }
    });
    Ok(Compared {
        names: names.collect(),
        differences: differing_keys(&runs),
        axes: axes(&runs),
        histograms: histograms.collect(),
        runs,
    })
}
