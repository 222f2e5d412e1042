//! The surface of a function of x and y, computed off the frame, coarse to fine,
//! and shown in place of the network's, which comes back as it was.

use super::choice::{ArenaView, Ground};
use super::thinker::{Thinker, Work};
use crate::app::state::SurfaceView;
use crate::app::surface::ErrorSurface;
use crate::app::training::{Drive, DriveChoice, Notice, Notices};
use crate::landscape::{Analytic, Axis, Surface, evaluate};
use bevy::prelude::*;
use bevy::winit::{EventLoopProxyWrapper, WinitUserEvent};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// The least points a side: a function is cheap, and its valleys may be narrow.
const LEAST_SIDE: usize = 129;

/// A function and the grid to compute it over.
struct Question {
    function: Arc<Analytic>,
    side: usize,
}

/// A level of a function's surface.
struct Answer {
    function: Arc<Analytic>,
    surface: Arc<Surface>,
}

/// What was asked for last: the function as it was written, its ranges, the grid.
type Asked = (String, [[f64; 2]; 2], usize);

/// The thread, and the network's surface while a function's is shown.
#[derive(Resource, Default)]
pub(super) struct Terrain {
    thinker: Option<Thinker<Question, Answer>>,
    asked: Option<Asked>,
    network: Option<ErrorSurface>,
}

/// Called on a thread of the arena when there is something to take.
pub(super) fn waker(proxy: Option<&EventLoopProxyWrapper>) -> impl Fn() + Send + Sync + 'static {
    let proxy = proxy.map(|p| (**p).clone());
    move || {
        if let Some(proxy) = &proxy {
            // Fails only when the window is already gone.
            let _ = proxy.send_event(WinitUserEvent::WakeUp);
        }
    }
}

pub(super) fn start(
    mut terrain: ResMut<Terrain>,
    proxy: Option<Res<EventLoopProxyWrapper>>,
    mut notices: ResMut<Notices>,
) {
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(crate::app::surface::threads_beside_others())
        .thread_name(|i| format!("function {i}"))
        .build()
        .map_err(std::io::Error::other);
    let thinker = pool.and_then(|pool| {
        let work: Box<Work<Question, Answer>> = Box::new(move |question, cancel, say| {
            pool.install(|| answer(&question, cancel, say));
        });
        let wake = waker(proxy.as_deref());
        Thinker::spawn("function", work, |_, newest| newest, wake)
    });
    match thinker {
        Ok(thinker) => terrain.thinker = Some(thinker),
        Err(error) => notices.0.push(Notice {
            message: format!("the thread for functions could not be started: {error}"),
            error: true,
        }),
    }
}

fn answer(question: &Question, cancel: &AtomicBool, say: &mut (dyn FnMut(Answer) + Send)) {
    let [[x0, x1], [y0, y1]] = question.function.domain();
    let axes = (
        Axis::new(x0, x1, question.side),
        Axis::new(y0, y1, question.side),
    );
    let (Ok(x), Ok(y)) = axes else { return };
    let level = |surface| {
        say(Answer {
            function: Arc::clone(&question.function),
            surface: Arc::new(surface),
        });
    };
    evaluate(&*question.function, x, y, cancel, |_| {}, level);
}

/// Shows the function that is chosen, or the network's surface again.
pub(super) fn show(
    mut terrain: ResMut<Terrain>,
    mut shown: ResMut<ErrorSurface>,
    arena: Res<ArenaView>,
    view: Res<SurfaceView>,
    drive: Option<Res<DriveChoice>>,
) {
    if arena.ground == Ground::Network {
        terrain.asked = None;
        if let Some(network) = terrain.network.take() {
            let revision = shown.revision + 1;
            *shown = ErrorSurface {
                revision,
                ..network
            };
        }
        return;
    }
    let Terrain {
        thinker,
        asked,
        network,
    } = &mut *terrain;
    let Some(thinker) = thinker else { return };
    let side = view.grid.max(LEAST_SIDE);
    let domain = arena.domain.unwrap_or_default();
    let wanted = (arena.function.clone(), domain, side);
    let is_new = asked.as_ref() != Some(&wanted);
    if is_new {
        *asked = Some(wanted);
        let function = Arc::new(arena.analytic());
        thinker.ask(Question { function, side });
    }
    let answer = match drive.map(|d| d.0) {
        // The frame shows what was asked for in it.
        Some(Drive::Frame { .. }) if is_new => thinker.wait(),
        _ => thinker.take(),
    };
    let Some(Answer { function, surface }) = answer else {
        return;
    };
    let is_fresh = shown
        .function
        .as_ref()
        .is_none_or(|f| f.formula() != function.formula() || f.domain() != function.domain());
    let finer = |s: &Surface| surface.x.len() >= s.x.len() || surface.x.len() == side;
    if !is_fresh && !shown.surface.as_deref().is_none_or(finer) {
        // A coarse level of what is there already is no news.
        return;
    }
    let revision = shown.revision + 1;
    let of_function = ErrorSurface {
        revision,
        function: Some(function),
        surface: Some(surface),
        ..ErrorSurface::default()
    };
    let before = std::mem::replace(&mut *shown, of_function);
    if before.function.is_none() {
        *network = Some(before);
    }
}
