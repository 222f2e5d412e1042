//! Another program's model run forward, node by node in tract, on a thread of its own: what
//! goes in, how far it has come, what came out.

use crate::app::ui::format::{count, number};
use crate::app::ui::stage::Stage;
use crate::app::ui::top::source_name;
use crate::app::ui::widgets::{choose, complaint, control_id, fact, remark, row};
use crate::data::sources;
use crate::insight::model_inputs::{Given, fill_inputs, find_sample, top_places};
use crate::insight::outline::{Foreign, OutlineNode};
use crate::interop::{InputSides, NodeValue, RanNode, Run, Runnable};
use bevy_egui::egui::{self, Context, DragValue, RichText, TextEdit, Ui};
use crossbeam_channel::{Receiver, bounded};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// Classes that are shown of an output.
const TOP: usize = 5;
/// Outputs, and nodes that were not run, that are listed.
const MOST_LISTED: usize = 8;

/// What is run forward, and what came of it.
#[derive(Default)]
pub struct ForwardForm {
    /// Of which model, by the revision with which it came.
    of: u64,
    /// Sides that the file leaves open, as `--input` has them, several between blanks.
    sides: String,
    /// Which data a sample is of, by its place among the built-in ones; a ramp otherwise.
    source: Option<usize>,
    sample: usize,
    job: Option<Job>,
    result: Option<Result<Arc<ForwardRun>, String>>,
}

/// What a run came to.
pub(super) struct ForwardRun {
    /// What went into each input, in words.
    said: Vec<String>,
    /// Classes and the right one, where a sample of data went in.
    names: Vec<String>,
    label: Option<String>,
    run: Run,
}

struct Job {
    done: Arc<[AtomicUsize; 2]>,
    given_up: Arc<AtomicBool>,
    news: Receiver<Result<Arc<ForwardRun>, String>>,
}

impl Drop for Job {
    fn drop(&mut self) {
        self.given_up.store(true, Ordering::Relaxed);
    }
}

impl ForwardForm {
    /// What the last run has of a node.
    pub(super) fn node(&self, name: &str) -> Option<&RanNode> {
        let found = self.result.as_ref()?.as_ref().ok()?;
        found.run.nodes.iter().find(|node| node.name == name)
    }

    /// Takes what a run came to, and gives it once. Whatever is of another model goes.
    fn follow(&mut self, begun: u64) -> Option<Arc<ForwardRun>> {
        if self.of != begun {
            *self = ForwardForm {
                of: begun,
                ..ForwardForm::default()
            };
        }
        let news = self.job.as_ref()?.news.try_recv().ok()?;
        self.job = None;
        let found = news.as_ref().ok().cloned();
        self.result = Some(news);
        found
    }

    fn begin(&mut self, path: PathBuf, option: String, ctx: Context) {
        let sides: Result<Vec<InputSides>, String> =
            self.sides.split_whitespace().map(str::parse).collect();
        let sides = match sides {
            Ok(sides) => sides,
            Err(why) => {
                self.result = Some(Err(why));
                return;
            }
        };
        let sample = self.source.map(|at| (sources()[at].name, self.sample));
        let (sender, news) = bounded(1);
        let job = Job {
            done: Arc::default(),
            given_up: Arc::default(),
            news,
        };
        let (done, given_up) = (Arc::clone(&job.done), Arc::clone(&job.given_up));
        let spawned = std::thread::Builder::new()
            .name("forward".into())
            .spawn(move || {
                let found = run(&path, &sides, sample, &option, &mut |now, total| {
                    done[0].store(now, Ordering::Relaxed);
                    done[1].store(total, Ordering::Relaxed);
                    !given_up.load(Ordering::Relaxed)
                });
                // The receiver is gone where it was given up.
                let _ = sender.send(found.map(Arc::new));
                ctx.request_repaint();
            });
        match spawned {
            Ok(_) => (self.job, self.result) = (Some(job), None),
            Err(error) => self.result = Some(Err(error.to_string())),
        }
    }
}

fn run(
    path: &Path,
    sides: &[InputSides],
    sample: Option<(&str, usize)>,
    option: &str,
    watch: &mut dyn FnMut(usize, usize) -> bool,
) -> Result<ForwardRun, String> {
    let of_file = |why: String| format!("{}: {why}", path.display());
    let model = Runnable::open(path).map_err(|error| error.to_string())?;
    let ports = model.ports().map_err(of_file)?;
    let sample = match sample {
        Some((source, index)) => {
            Some(find_sample(source, index).map_err(|error| error.to_string())?)
        }
        None => None,
    };
    let given = Given {
        sides,
        sample: sample.as_ref(),
        option,
        ..Given::default()
    };
    let (inputs, said) = fill_inputs(&ports, given).map_err(of_file)?;
    let run = model.run(&inputs, watch).map_err(of_file)?;
    let (names, label) = sample.map_or_else(Default::default, |s| (s.names, s.label));
    Ok(ForwardRun {
        said,
        names,
        label,
        run,
    })
}

pub(super) fn show(
    ui: &mut Ui,
    stage: &mut Stage<'_>,
    form: &mut ForwardForm,
    foreign: &Arc<Foreign>,
) {
    if let Some(found) = form.follow(stage.blocks.begun()) {
        let nodes = found.run.nodes.iter();
        let shapes: HashMap<&str, &[usize]> = nodes
            .filter_map(|node| {
                let first = node.values.as_ref().ok()?.first()?;
                Some((node.name.as_str(), first.shape.as_slice()))
            })
            .collect();
        let known = |node: &OutlineNode| shapes.get(node.name.as_str()).copied();
        stage.blocks.refine(foreign.outline.with_shapes(known));
    }
    if let Some(job) = &form.job {
        let [now, total] = [0, 1].map(|k| job.done[k].load(Ordering::Relaxed));
        let share = now as f32 / total.max(1) as f32;
        let text = format!("{} / {}", count(now as u64), count(total as u64));
        ui.add(egui::ProgressBar::new(share).text(text).animate(true));
        ui.ctx()
            .request_repaint_after(std::time::Duration::from_millis(100));
        if ui.button(stage.t("model.cancel")).clicked() {
            form.job = None;
        }
        return;
    }
    let fits = fitting(foreign);
    row(ui, stage.t("model.goes_in"), |ui| {
        let options: Vec<Option<usize>> = std::iter::once(None)
            .chain(fits.into_iter().map(Some))
            .collect();
        let title = |at: Option<usize>| match at {
            None => stage.t("model.ramp").to_owned(),
            Some(at) => source_name(stage, sources()[at].name),
        };
        choose(ui, "forward/source", &mut form.source, &options, title);
    });
    if let Some(at) = form.source {
        row(ui, stage.t("model.sample"), |ui| {
            let most = sources()[at].samples.saturating_sub(1);
            ui.add(DragValue::new(&mut form.sample).range(0..=most));
        });
    }
    if is_open(foreign) {
        row(ui, stage.t("model.sides"), |ui| {
            let edit = TextEdit::singleline(&mut form.sides)
                .id(control_id("forward/sides"))
                .hint_text("3,224,224");
            ui.add_sized([ui.available_width(), 22.0], edit)
                .on_hover_text(stage.t("model.sides_tip"));
        });
    }
    if ui.button(stage.t("model.run_forward")).clicked() {
        let option = format!("“{}”", stage.t("model.sides"));
        form.begin(foreign.path.clone(), option, ui.ctx().clone());
    }
    match &form.result {
        None => remark(ui, stage.t("model.forward_what")),
        Some(Err(why)) => complaint(ui, &stage.palette, why),
        Some(Ok(found)) => outcome(ui, stage, found),
    }
}

fn outcome(ui: &mut Ui, stage: &Stage<'_>, found: &ForwardRun) {
    for said in &found.said {
        remark(ui, said);
    }
    let (ran, all) = (found.run.ran(), found.run.nodes.len());
    let (n, m) = (count(ran as u64), count(all as u64));
    fact(ui, stage.t("model.ran"), &format!("{n} / {m}"));
    for (name, shape, values) in found.run.outputs.iter().take(MOST_LISTED) {
        ui.add(
            egui::Label::new(RichText::new(format!("{name}  {}", sides(shape))).strong()).wrap(),
        );
        for place in top_places(shape, values, TOP) {
            let known = found.names.get(place);
            let known = known.filter(|_| found.names.len() == values.len());
            let class = known.cloned().unwrap_or_else(|| place.to_string());
            fact(ui, &class, &number(values[place], 4));
        }
    }
    if let Some(label) = &found.label {
        fact(ui, stage.t("model.label"), label);
    }
    let failed = found.run.nodes.iter();
    let failed = failed.filter_map(|node| Some((&node.name, node.values.as_ref().err()?)));
    for (name, why) in failed.take(MOST_LISTED) {
        complaint(ui, &stage.palette, &format!("{name}: {why}"));
    }
}

/// What a node gave in the last run, or why it was not run.
pub(super) fn of_node(ui: &mut Ui, stage: &Stage<'_>, node: &RanNode) {
    match &node.values {
        Err(why) => complaint(ui, &stage.palette, why),
        Ok(values) => values.iter().take(MOST_LISTED).for_each(|value| {
            fact(ui, stage.t("model.gave"), &sides(&value.shape));
            fact(ui, stage.t("model.gave_mean"), &mean(value));
            if let (Some(least), Some(greatest)) = (value.min, value.max) {
                let text = format!("{} … {}", number(least, 3), number(greatest, 3));
                fact(ui, stage.t("model.gave_ends"), &text);
            }
            if value.not_finite > 0 {
                let text = count(value.not_finite as u64);
                fact(ui, stage.t("model.not_finite"), &text);
            }
        }),
    }
}

fn mean(value: &NodeValue) -> String {
    value
        .mean
        .map_or_else(|| "–".to_owned(), |mean| number(mean, 3))
}

fn sides(shape: &[usize]) -> String {
    let sides: Vec<String> = shape.iter().map(usize::to_string).collect();
    sides.join("×")
}

/// Whether a side of an input, but for that of the samples, is open.
fn is_open(foreign: &Foreign) -> bool {
    foreign.model.inputs.iter().any(|port| match &port.shape {
        Some(sides) => sides.iter().skip(1).any(Option::is_none),
        None => true,
    })
}

/// The built-in data of which a sample has as many values as the first input takes, as far as
/// that is known.
fn fitting(foreign: &Foreign) -> Vec<usize> {
    let first = foreign.model.inputs.first();
    let Some(sides) = first.and_then(|port| port.shape.as_ref()) else {
        return (0..sources().len()).collect();
    };
    let known: usize = sides.iter().skip(1).flatten().product();
    let open = sides.iter().skip(1).any(Option::is_none);
    let fits = |&at: &usize| {
        let inputs = sources()[at].inputs;
        inputs == known || (open && known > 0 && inputs.is_multiple_of(known))
    };
    (0..sources().len()).filter(fits).collect()
}
