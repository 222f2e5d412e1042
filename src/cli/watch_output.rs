//! What `gradscape watch` prints: a line a step for people, an object each for programs.

use super::watch::nothing;
use super::{CliError, Out};
use crate::train::Problem;
use crate::watch::{Board, Group, News, Source, SourceKind};
use serde_json::json;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

/// So many lines are printed of one look, at its begin and at its end.
const LINES: usize = 5;
/// So many curves are listed at the end.
const LISTED: usize = 40;

/// Prints what is told.
pub(super) struct Reporter {
    out: Out,
    board: Board,
    /// The lines of this look, in their order, by run and step.
    lines: Vec<(Arc<str>, i64, String)>,
    rows: u64,
    histograms: u64,
    frames: u64,
    bytes: u64,
}

impl Reporter {
    pub(super) fn new(out: Out) -> Self {
        Reporter {
            out,
            board: Board::default(),
            lines: Vec::new(),
            rows: 0,
            histograms: 0,
            frames: 0,
            bytes: 0,
        }
    }

    pub(super) fn begin(&mut self, source: &Source, kind: &SourceKind) -> Result<(), CliError> {
        if let Source::Tcp(server) = source {
            let address = server.address().to_string();
            self.out
                .object(&json!({"type": "listening", "address": address}))?;
            self.out
                .say(format!("listening at {address}; Ctrl-C ends"))?;
            if matches!(kind, SourceKind::Tcp { remote: true, .. }) {
                let warning = "other machines can connect and send; nothing is asked of them and \
                               nothing is encrypted";
                self.out
                    .object(&json!({"type": "warning", "message": warning}))?;
                self.out.say(format!("warning: {warning}"))?;
            }
        }
        Ok(())
    }

    /// Says that a folder has nothing yet.
    pub(super) fn waiting(&mut self, folder: &Path) -> Result<(), CliError> {
        let folder = folder.display();
        self.out
            .object(&json!({"type": "waiting", "folder": folder.to_string()}))?;
        self.out.say(format!(
            "{folder}: waiting: so far {}; Ctrl-C ends",
            nothing()
        ))
    }

    /// Takes in something new, and prints it at once where a program reads.
    pub(super) fn see(&mut self, news: &News) -> Result<(), CliError> {
        self.board.see(news);
        match news {
            News::Begun(begun) => {
                self.out.object(&json!({
                    "type": "run", "run": &*begun.run, "framework": begun.framework,
                    "structure": begun.structure.is_some(),
                }))?;
                let by = match begun.framework.as_str() {
                    "" => String::new(),
                    by => format!(", by {by}"),
                };
                self.line(&begun.run, i64::MIN, format!("run {}{by}", begun.run));
            }
            News::Metric(m) => {
                self.rows += 1;
                self.out.object(&json!({
                    "type": "metric", "run": &*m.run, "tag": &*m.tag, "step": m.step,
                    "wall_time": m.wall_time, "value": m.value,
                }))?;
                let text = format!("{} {}", m.tag, short(m.value));
                self.line(&m.run, m.step, text);
            }
            News::Histogram(h) => {
                self.histograms += 1;
                let [low, high] = h.value.range().unwrap_or([f64::NAN; 2]);
                self.out.object(&json!({
                    "type": "histogram", "run": &*h.run, "tag": &*h.tag, "step": h.step,
                    "wall_time": h.wall_time, "total": h.value.total(), "low": low, "high": high,
                    "bins": h.value.bins,
                }))?;
            }
            News::Text(t) => {
                self.out.object(&json!({
                    "type": "text", "run": &*t.run, "tag": &*t.tag, "step": t.step,
                    "wall_time": t.wall_time, "text": t.value,
                }))?;
            }
            News::Tensors(frame) => {
                self.frames += 1;
                self.bytes += frame.body.len() as u64;
                let mut many: BTreeMap<&str, [usize; 2]> = BTreeMap::new();
                for (group, tensor) in frame.tensors() {
                    let [tensors, values] = many.entry(Group::name(group)).or_default();
                    *tensors += 1;
                    *values += tensor.shape.iter().product::<usize>();
                }
                let values: BTreeMap<&str, usize> = many.iter().map(|(g, n)| (*g, n[1])).collect();
                self.out.object(&json!({
                    "type": "tensors", "run": &*frame.run, "step": frame.step,
                    "wall_time": frame.wall_time, "bytes": frame.body.len(), "values": values,
                }))?;
                let text: Vec<String> = values.iter().map(|(g, n)| format!("{n} {g}")).collect();
                self.line(&frame.run, frame.step, text.join(", "));
            }
            News::Ended { run } => {
                self.out.object(&json!({"type": "end", "run": &**run}))?;
                self.line(run, i64::MAX, format!("{run} has ended"));
            }
            News::Word(word) => {
                self.out
                    .object(&json!({"type": "warning", "message": word}))?;
                self.show()?;
                self.out.say(format!("warning: {word}"))?;
            }
        }
        Ok(())
    }

    /// The foreign network became one of ours.
    pub(super) fn network(&mut self, problem: &Problem, notes: &[String]) -> Result<(), CliError> {
        let network = &problem.network;
        let layers: Vec<String> = network
            .layers()
            .iter()
            .map(|l| l.output_shape().to_string())
            .collect();
        let parameters = network.layout().len();
        let data = &problem.experiment.data.source;
        self.out.object(&json!({
            "type": "network", "layers": layers, "parameters": parameters, "data": data,
            "notes": notes,
        }))?;
        self.show()?;
        let layers = layers.join(" → ");
        self.out.say(format!(
            "network: {} → {layers}, {parameters} parameters, shown with the data {data}",
            network.input_shape()
        ))?;
        for note in notes {
            self.out.say(format!("  {note}"))?;
        }
        Ok(())
    }

    /// The foreign network stays foreign.
    pub(super) fn refused(&mut self, why: &str) -> Result<(), CliError> {
        self.out
            .object(&json!({"type": "no_network", "why": why}))?;
        self.show()?;
        self.out.say(format!("its network cannot be shown: {why}"))
    }

    fn line(&mut self, run: &Arc<str>, step: i64, text: String) {
        match self.lines.last_mut() {
            Some((of, at, line)) if of == run && *at == step => {
                line.push_str("  ");
                line.push_str(&text);
            }
            _ => self.lines.push((Arc::clone(run), step, text)),
        }
    }

    /// Prints the lines of this look, not all of many.
    pub(super) fn show(&mut self) -> Result<(), CliError> {
        let lines = std::mem::take(&mut self.lines);
        let hidden = lines.len().saturating_sub(2 * LINES);
        for (k, (run, step, text)) in lines.iter().enumerate() {
            if hidden > 0 && (LINES..LINES + hidden).contains(&k) {
                if k == LINES {
                    self.out.say(format!("… {hidden} more"))?;
                }
                continue;
            }
            self.out.say(match *step {
                i64::MIN | i64::MAX => text.clone(),
                step => format!("{run}  step {step}  {text}"),
            })?;
        }
        Ok(())
    }

    /// What it came to.
    pub(super) fn end(mut self, written: &[&Path]) -> Result<(), CliError> {
        self.show()?;
        self.out.object(&json!({
            "type": "done", "rows": self.rows, "histograms": self.histograms,
            "frames": self.frames, "bytes": self.bytes,
        }))?;
        let curves: Vec<_> = self.board.series().collect();
        for ((run, tag), series) in curves.iter().take(LISTED) {
            let step = series.points.last().map_or(0, |p| p.0);
            self.out.say(format!(
                "{run}  {tag}: {} at step {step}, {} values",
                short(series.last),
                series.told
            ))?;
        }
        if curves.len() > LISTED {
            self.out
                .say(format!("… {} more curves", curves.len() - LISTED))?;
        }
        for ((run, tag), series) in self.board.histograms().take(LISTED) {
            let Some((step, last)) = series.points.last() else {
                continue;
            };
            let [low, high] = last.range().unwrap_or([f64::NAN; 2]);
            self.out.say(format!(
                "{run}  {tag}: {} numbers from {} to {} at step {step}, {} histograms",
                last.total(),
                short(low),
                short(high),
                series.told
            ))?;
        }
        self.out.say(format!(
            "{} numbers, {} histograms, {} sets of tensors of {} bytes",
            self.rows, self.histograms, self.frames, self.bytes
        ))?;
        for place in written {
            self.out.say(format!("written to {}", place.display()))?;
        }
        Ok(())
    }
}

/// A number in few digits.
fn short(x: f64) -> String {
    match x.abs() {
        0.0 => "0".to_owned(),
        size if (1e-3..1e5).contains(&size) => {
            let text = format!("{x:.4}");
            let text = text.trim_end_matches('0').trim_end_matches('.');
            text.to_owned()
        }
        _ => format!("{x:.3e}"),
    }
}
