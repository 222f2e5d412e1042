//! The error surface of a network beside the one on screen, live, in the place of a pinned
//! one and on the same height scale.

use super::Rivals;
use crate::app::arena::{Kept, Pinned};
use crate::app::state::{SurfaceView, ViewMode};
use crate::app::surface::{
    Budget, ErrorSurface, Planner, SurfaceWorker, WORK, show, threads_beside_others,
};
use crate::app::training::{Drive, DriveChoice, Notice, Notices};
use crate::landscape::{Directions, Scope};
use bevy::prelude::*;
use bevy::window::RequestRedraw;
use bevy::winit::{EventLoopProxyWrapper, WinitUserEvent};
use std::time::{Duration, Instant};

/// In real time: seconds for one surface while training runs, and between two.
const SECONDS: f64 = 0.12;
const INTERVAL: Duration = Duration::from_millis(200);

/// The surface beside, while one is wanted.
#[derive(Resource, Default)]
pub(in crate::app) struct Beside(Option<Drawn>);

struct Drawn {
    /// Of which set of networks, and which of them.
    of: (u64, usize),
    worker: SurfaceWorker,
    planner: Planner,
    shown: ErrorSurface,
    asked_at: Option<Instant>,
    pending: bool,
    /// The revision of what is pinned that was this surface; another one was pinned by
    /// somebody else.
    revision: Option<u64>,
}

/// What can be shown of another network of what is chosen for the one on screen: planes
/// through single parameters or checkpoints mean nothing there.
fn fitting(view: &SurfaceView) -> SurfaceView {
    let directions = match view.directions {
        Directions::Weights(..) | Directions::Checkpoints(..) => SurfaceView::default().directions,
        directions => directions,
    };
    SurfaceView {
        directions,
        scope: Scope::Whole,
        ..view.clone()
    }
}

pub(super) fn draw(
    mut beside: ResMut<Beside>,
    mut rivals: ResMut<Rivals>,
    mut pinned: ResMut<Pinned>,
    view: Res<SurfaceView>,
    mode: Option<Res<State<ViewMode>>>,
    drive: Res<DriveChoice>,
    proxy: Option<Res<EventLoopProxyWrapper>>,
    mut notices: ResMut<Notices>,
    mut redraw: Option<ResMut<Messages<RequestRedraw>>>,
) {
    let wanted = rivals.surface.filter(|k| *k < rivals.list.len());
    let wanted = wanted.map(|k| (rivals.set, k));
    let replaced = beside.0.as_ref().is_some_and(|drawn| {
        // Who pins another surface, or lets this one go, has the last word.
        drawn.revision.is_some_and(|own| own != pinned.revision)
    });
    if replaced && rivals.surface.is_some() {
        rivals.surface = None;
        beside.0 = None;
        return;
    }
    if beside.0.as_ref().map(|drawn| drawn.of) != wanted {
        if let Some(Drawn {
            revision: Some(_), ..
        }) = beside.0.take()
        {
            pinned.kept = None;
            pinned.revision += 1;
        }
        beside.0 = wanted.and_then(|of| begin(of, proxy.as_deref(), &mut notices));
    }
    let Some(drawn) = &mut beside.0 else { return };
    let training = &rivals.list[drawn.of.1];
    let waits = matches!(drive.0, Drive::Frame { .. });
    let hidden = mode.is_some_and(|mode| *mode.get() == ViewMode::Network);
    drawn.pending |= rivals.is_changed() || view.is_changed();
    let (planner, mut shown) = (&mut drawn.planner, &mut drawn.shown);
    let before = shown.revision;
    let busy = drawn.worker.is_busy();
    show(
        drawn.worker.take(),
        planner,
        &mut shown,
        training,
        &mut notices,
    );
    let rested = waits || drawn.asked_at.is_none_or(|at| at.elapsed() >= INTERVAL);
    if drawn.pending && rested && !hidden {
        let budget = match waits {
            true => WORK,
            false => Budget::Seconds(SECONDS),
        };
        let busy = busy && !waits;
        match planner.due(training, &fitting(&view), busy, budget) {
            Ok(Some(request)) => {
                let tag = request.tag;
                drawn.asked_at = Some(Instant::now());
                drawn.worker.submit(request);
                if waits {
                    show(
                        drawn.worker.wait(tag),
                        planner,
                        &mut shown,
                        training,
                        &mut notices,
                    );
                }
            }
            Ok(None) => drawn.pending = busy,
            Err(error) => {
                drawn.pending = false;
                notices.0.push(Notice {
                    message: error.to_string(),
                    error: true,
                });
            }
        }
    }
    if let Some(redraw) = &mut redraw
        && drawn.pending
        && !hidden
        && !waits
        && !drawn.worker.is_busy()
    {
        redraw.write(RequestRedraw);
    }
    if shown.revision != before
        && let Some(mut kept) = Kept::of(shown)
    {
        kept.title.beside = Some(drawn.of.1 + 1);
        pinned.kept = Some(kept);
        pinned.revision += 1;
        drawn.revision = Some(pinned.revision);
    }
}

fn begin(
    of: (u64, usize),
    proxy: Option<&EventLoopProxyWrapper>,
    notices: &mut Notices,
) -> Option<Drawn> {
    let proxy = proxy.map(|proxy| (**proxy).clone());
    let wake = move || {
        if let Some(proxy) = &proxy {
            // Fails only when the window is already gone.
            let _ = proxy.send_event(WinitUserEvent::WakeUp);
        }
    };
    let worker = SurfaceWorker::spawn(threads_beside_others(), wake)
        .inspect_err(|error| {
            let message = format!("the surface thread could not be started: {error}");
            notices.0.push(Notice {
                message,
                error: true,
            });
        })
        .ok()?;
    Some(Drawn {
        of,
        worker,
        planner: Planner::default(),
        shown: ErrorSurface::default(),
        asked_at: None,
        pending: true,
        revision: None,
    })
}
