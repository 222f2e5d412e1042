//! The exact loss and slope at the place under the pointer: at once where that
//! is cheap, and on a thread of its own where it is not.

use super::touch::{Exact, Touched};
use crate::app::surface::ErrorSurface;
use crate::app::training::{Drive, DriveChoice, Training};
use crate::landscape::{Gauge, Measure, Over, Plane, Slice};
use crate::train::Problem;
use bevy::prelude::*;
use bevy::winit::{EventLoopProxyWrapper, WinitUserEvent};
use crossbeam_channel::{Receiver, Sender, bounded};
use std::sync::Arc;

/// Parameters times samples up to which a gradient is computed in the frame:
/// some tenths of a millisecond.
const AT_ONCE: usize = 300_000;

/// A point of a plane.
#[derive(Debug, Clone)]
struct Question {
    problem: Arc<Problem>,
    plane: Arc<Plane>,
    point: (f64, f64),
    measure: Measure,
    batch: Arc<[u32]>,
}

impl Question {
    fn is(&self, other: &Question) -> bool {
        Arc::ptr_eq(&self.plane, &other.plane)
            && self.point == other.point
            && self.measure == other.measure
            && (self.measure.over != Over::Batch || self.batch == other.batch)
    }

    fn answer(&self) -> Option<Exact> {
        let batch =
            (self.measure.over == Over::Batch).then(|| self.problem.train.select_rows(&self.batch));
        let gauge = Gauge::new(&self.problem, self.measure, batch.as_ref()).ok()?;
        let slice = Slice::new(gauge, &self.plane);
        let (loss, gradient) = slice.gradient(self.point.0, self.point.1)?;
        Some(Exact { loss, gradient })
    }
}

/// The thread, which ends when this goes.
#[derive(Resource)]
pub(super) struct Prober {
    questions: Sender<Question>,
    answers: Receiver<(Question, Option<Exact>)>,
    asked: bool,
    known: Option<(Question, Option<Exact>)>,
}

pub(super) fn start(mut commands: Commands, proxy: Option<Res<EventLoopProxyWrapper>>) {
    let (questions, asked) = bounded::<Question>(1);
    let (answered, answers) = bounded(1);
    let proxy = proxy.map(|p| (**p).clone());
    let thread = std::thread::Builder::new()
        .name("under the pointer".into())
        .spawn(move || {
            for question in asked {
                let answer = question.answer();
                if answered.send((question, answer)).is_err() {
                    return;
                }
                if let Some(proxy) = &proxy {
                    // Fails only when the window is already gone.
                    let _ = proxy.send_event(WinitUserEvent::WakeUp);
                }
            }
        });
    if thread.is_ok() {
        commands.insert_resource(Prober {
            questions,
            answers,
            asked: false,
            known: None,
        });
    }
}

/// Fills in what is known of the place that is touched, and asks for it.
pub(super) fn look_closely(
    prober: Option<ResMut<Prober>>,
    shown: Res<ErrorSurface>,
    drive: Option<Res<DriveChoice>>,
    training: Res<Training>,
    mut touched: ResMut<Touched>,
) {
    let Some(mut prober) = prober else { return };
    if let Ok(known) = prober.answers.try_recv() {
        prober.asked = false;
        prober.known = Some(known);
    }
    let Some(touch) = touched.surface else { return };
    if let Some(function) = &shown.function {
        let jet = function.jet(touch.x, touch.y);
        let exact = Some(Exact {
            loss: jet.value,
            gradient: jet.gradient,
        });
        if touch.exact != exact
            && let Some(touch) = &mut touched.surface
        {
            touch.exact = exact;
        }
        return;
    }
    let (Some(problem), Some(plane)) = (&shown.problem, &shown.plane) else {
        return;
    };
    let question = Question {
        problem: Arc::clone(problem),
        plane: Arc::clone(plane),
        point: (touch.x, touch.y),
        measure: shown.measure,
        batch: Arc::clone(&training.snapshot.batch),
    };
    let is_known = prober.known.as_ref().is_some_and(|(q, _)| q.is(&question));
    if !is_known {
        let work = problem.network.layout().len() * problem.train.len();
        let waits = drive.is_some_and(|d| matches!(d.0, Drive::Frame { .. }));
        if waits || work <= AT_ONCE {
            prober.known = Some((question.clone(), question.answer()));
        } else if !prober.asked {
            // One at a time: of the places passed meanwhile the last is asked next.
            prober.asked = prober.questions.try_send(question.clone()).is_ok();
        }
    }
    let exact = prober
        .known
        .as_ref()
        .filter(|(known, _)| known.is(&question))
        .and_then(|(_, exact)| *exact);
    if touch.exact != exact
        && let Some(touch) = &mut touched.surface
    {
        touch.exact = exact;
    }
}
