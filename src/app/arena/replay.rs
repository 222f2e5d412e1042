//! A race as it is shown: what has been computed of it, the step that is looked
//! at, and the wishes that move it.
//!
//! The thread computes ahead of what is shown. Pausing, stepping back and
//! rewinding only move the place that is looked at, for all racers together,
//! and cost nothing.

use super::choice::{ArenaView, Ground};
use super::heat::{Lap, RaceGround, RaceSpec};
use super::runner::{News, Question, spawn};
use super::terrain::waker;
use super::thinker::Thinker;
use crate::app::surface::ErrorSurface;
use crate::app::surface_hand::SurfaceClicked;
use crate::app::training::{Drive, DriveChoice, FrameGate, Notice, Notices, Training};
use crate::experiment::OptimizerConfig;
use crate::landscape::{Analytic, Plane};
use crate::race::End;
use crate::train::Problem;
use bevy::prelude::*;
use bevy::window::RequestRedraw;
use bevy::winit::EventLoopProxyWrapper;
use std::sync::Arc;

/// A wish for the race.
#[derive(Message, Debug, Clone, Copy, PartialEq)]
pub enum RaceCommand {
    /// Start it where it stands, or pause it.
    Toggle,
    /// Pause, and look so many steps later, or earlier.
    Step(i64),
    /// Pause, and look at this step.
    Seek(u64),
    /// On a function: drop a ball for every racer at (x, y), and off they go.
    Drop([f64; 2]),
    /// Back to step 0; on the network's surface from where the weights are now.
    Restart,
}

/// One racer and all that is known of its way.
#[derive(Debug, Clone, PartialEq)]
pub struct Lane {
    /// Which optimiser, with the rate that it races with.
    pub optimizer: OptimizerConfig,
    /// Its place after every step, from step 0 on.
    pub laps: Vec<Lap>,
    /// Why it goes no further, once it does not.
    pub end: Option<End>,
}

/// Where a racer is in the step that is looked at.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Standing {
    /// Its number among the racers.
    pub index: usize,
    /// Steps that it has made.
    pub steps: u64,
    /// Where it is.
    pub lap: Lap,
    /// The lowest loss that it has had.
    pub best: f64,
    /// Whether it goes no further.
    pub is_out: bool,
}

/// The race that is shown.
#[derive(Resource, Default)]
pub struct Arena {
    /// Counts what was shown: another number, another picture.
    pub revision: u64,
    /// The racers; none while there is no race.
    pub lanes: Vec<Lane>,
    /// The function that they race on, where it is one.
    pub function: Option<Arc<Analytic>>,
    /// The step that is looked at.
    pub at: u64,
    /// Steps that are known.
    pub computed: u64,
    /// Whether it goes on by itself.
    pub playing: bool,
    /// Whether nobody goes any further than what is known.
    pub is_over: bool,
    /// Why there is no race.
    pub error: Option<String>,
    /// Shares of a step that have passed.
    fraction: f64,
}

impl Arena {
    /// Where everybody is, in the order of their numbers.
    pub fn standings(&self) -> Vec<Standing> {
        let lanes = self.lanes.iter().enumerate();
        lanes
            .filter_map(|(index, lane)| {
                let steps = (self.at as usize).min(lane.laps.len().checked_sub(1)?);
                let so_far = lane.laps[..=steps].iter().map(|l| l.loss);
                let is_last = steps + 1 == lane.laps.len();
                Some(Standing {
                    index,
                    steps: steps as u64,
                    lap: lane.laps[steps],
                    best: so_far
                        .filter(|l| l.is_finite())
                        .fold(f64::INFINITY, f64::min),
                    is_out: lane.end.is_some() && is_last && steps as u64 <= self.at,
                })
            })
            .collect()
    }

    /// The same, who has the lowest loss first and who diverged last.
    pub fn ranking(&self) -> Vec<Standing> {
        let mut all = self.standings();
        all.sort_by(|a, b| {
            let key = |s: &Standing| (s.is_out && self.has_diverged(s.index), s.lap.loss);
            let ((out_a, loss_a), (out_b, loss_b)) = (key(a), key(b));
            out_a.cmp(&out_b).then(loss_a.total_cmp(&loss_b))
        });
        all
    }

    /// Whether this racer's numbers run away in the end.
    pub fn has_diverged(&self, index: usize) -> bool {
        let end = self.lanes.get(index).and_then(|l| l.end.as_ref());
        end.is_some_and(End::is_divergence)
    }

    fn clear(&mut self) {
        *self = Arena {
            revision: self.revision + 1,
            ..Arena::default()
        };
    }

    fn look_at(&mut self, step: u64) {
        if step != self.at {
            self.at = step;
            self.revision += 1;
        }
    }

    fn take_in(&mut self, news: News) {
        self.revision += 1;
        self.error = news.error;
        self.computed = self.computed.max(news.steps);
        self.is_over = news.is_over;
        for ((lane, laps), end) in self.lanes.iter_mut().zip(news.laps).zip(news.ends) {
            lane.laps.extend(laps);
            lane.end = end;
        }
    }
}

/// The thread, what it works on, and from which weights.
#[derive(Resource, Default)]
pub(super) struct Track {
    thinker: Option<Thinker<Question, News>>,
    spec: Option<Arc<RaceSpec>>,
    tag: u64,
    asked: u64,
    /// Problem, weights and seed from which a race on the network's surface starts.
    anchor: Option<(Arc<Problem>, Arc<[f32]>, u64)>,
}

pub(super) fn start(
    mut track: ResMut<Track>,
    proxy: Option<Res<EventLoopProxyWrapper>>,
    mut notices: ResMut<Notices>,
) {
    match spawn(waker(proxy.as_deref())) {
        Ok(thinker) => track.thinker = Some(thinker),
        Err(error) => notices.0.push(Notice {
            message: format!("the thread for races could not be started: {error}"),
            error: true,
        }),
    }
}

/// A click on a function's surface drops a ball there for every racer.
pub(super) fn hear_clicks(
    mut clicks: MessageReader<SurfaceClicked>,
    mut wishes: MessageWriter<RaceCommand>,
) {
    if let Some(click) = clicks.read().last() {
        wishes.write(RaceCommand::Drop([click.x, click.y]));
    }
}

/// Obeys the wishes for the race.
pub(super) fn obey(
    mut wishes: MessageReader<RaceCommand>,
    mut arena: ResMut<Arena>,
    mut track: ResMut<Track>,
    mut view: ResMut<ArenaView>,
) {
    for wish in wishes.read() {
        arena.fraction = 0.0;
        match *wish {
            RaceCommand::Toggle => {
                let at_end = arena.at >= last_step(&arena, &view);
                if !arena.playing && at_end {
                    arena.look_at(0);
                }
                arena.playing = !arena.playing;
                arena.revision += 1;
            }
            RaceCommand::Step(steps) => {
                arena.playing = false;
                let step = arena.at.saturating_add_signed(steps);
                let last = last_step(&arena, &view);
                arena.look_at(step.min(last));
            }
            RaceCommand::Seek(step) => {
                arena.playing = false;
                let last = last_step(&arena, &view);
                arena.look_at(step.min(last));
            }
            // On the network a click moves the weights, and a race starts there.
            RaceCommand::Drop(_) if view.ground == Ground::Network => {}
            RaceCommand::Drop(at) => {
                (view.start, view.racing) = (Some(at), true);
                arena.playing = true;
                arena.look_at(0);
                arena.revision += 1;
            }
            RaceCommand::Restart => {
                arena.playing = false;
                track.anchor = None;
                arena.look_at(0);
            }
        }
    }
}

/// The last step that can be looked at.
fn last_step(arena: &Arena, view: &ArenaView) -> u64 {
    if arena.is_over {
        arena.computed
    } else {
        view.steps
    }
}

/// Begins the race that is chosen, takes in what is known and moves on.
pub(super) fn run(
    mut arena: ResMut<Arena>,
    mut track: ResMut<Track>,
    view: Res<ArenaView>,
    shown: Res<ErrorSurface>,
    training: Res<Training>,
    drive: Option<Res<DriveChoice>>,
    gate: Option<Res<FrameGate>>,
    time: Option<Res<Time>>,
    redraw: Option<ResMut<Messages<RequestRedraw>>>,
) {
    if !view.racing {
        if track.spec.take().is_some() {
            arena.clear();
            track.anchor = None;
        }
        return;
    }
    let Some(spec) = spec(&mut track, &view, &shown, &training) else {
        return;
    };
    let waits = match drive.map(|d| d.0) {
        Some(Drive::Frame { steps, .. }) => Some(steps as u64),
        Some(Drive::Thread) | None => None,
    };
    if !track.spec.as_ref().is_some_and(|s| s.is_same(&spec)) {
        begin(&mut arena, &mut track, spec);
    }
    take(&mut arena, &track);
    let before = arena.at;
    let last = last_step(&arena, &view);
    match waits {
        Some(steps) if gate.is_none_or(|g| g.0) => {
            arena.look_at((before + steps).min(last));
        }
        Some(_) => {}
        None if arena.playing => {
            // Not more than was to be seen after a rest.
            let passed = time.map_or(0.0, |t| t.delta_secs_f64()).min(0.1);
            arena.fraction += passed * view.speed;
            let whole = arena.fraction.floor();
            arena.fraction -= whole;
            arena.look_at((before + whole as u64).min(last));
            if arena.at >= last {
                arena.playing = false;
                arena.revision += 1;
            }
        }
        None => {}
    }
    ask(&mut arena, &mut track, &view);
    if waits.is_some() {
        while let Some(news) = track.thinker.as_ref().and_then(Thinker::wait) {
            if news.tag == track.tag {
                arena.take_in(news);
            }
        }
    }
    // Nobody is shown further than is known.
    let known = arena.computed;
    if arena.at > known && (arena.is_over || waits.is_some() || arena.playing) {
        arena.look_at(known);
    }
    if arena.playing
        && let Some(mut redraw) = redraw
    {
        redraw.write(RequestRedraw);
    }
}

/// The race that is wanted; `None` while there is no plane to race on yet.
fn spec(
    track: &mut Track,
    view: &ArenaView,
    shown: &ErrorSurface,
    training: &Training,
) -> Option<RaceSpec> {
    let racers = view.racers.iter().map(|r| view.as_raced(*r)).collect();
    let ground = match view.ground {
        Ground::Function => {
            let function = view.analytic();
            let start = view.start.unwrap_or_else(|| function.start());
            RaceGround::Function { function, start }
        }
        Ground::Network => {
            let plane: &Arc<Plane> = shown.plane.as_ref()?;
            let problem = &training.problem;
            let is_of =
                |p: &Option<Arc<Problem>>| p.as_ref().is_some_and(|p| Arc::ptr_eq(p, problem));
            if !is_of(&shown.problem) {
                return None;
            }
            let kept = track.anchor.take().filter(|a| Arc::ptr_eq(&a.0, problem));
            let (problem, params, seed) = kept.unwrap_or_else(|| {
                let snapshot = &training.snapshot;
                (
                    Arc::clone(problem),
                    Arc::clone(&snapshot.params),
                    snapshot.seed,
                )
            });
            track.anchor = Some((Arc::clone(&problem), Arc::clone(&params), seed));
            RaceGround::Network {
                problem,
                plane: Arc::clone(plane),
                params,
                seed,
            }
        }
    };
    Some(RaceSpec { ground, racers })
}

fn begin(arena: &mut Arena, track: &mut Track, spec: RaceSpec) {
    // Who only changes a constant sees the same step of the other race.
    let (at, playing) = (arena.at, arena.playing);
    let same_place = track
        .spec
        .as_ref()
        .is_some_and(|s| s.ground.is_same(&spec.ground));
    arena.clear();
    (arena.at, arena.playing) = if same_place {
        (at, playing)
    } else {
        (0, playing)
    };
    arena.function = match &spec.ground {
        RaceGround::Function { function, .. } => Some(Arc::new(function.clone())),
        RaceGround::Network { .. } => None,
    };
    let lane = |&optimizer: &OptimizerConfig| Lane {
        optimizer,
        laps: Vec::new(),
        end: None,
    };
    arena.lanes = spec.racers.iter().map(lane).collect();
    track.tag += 1;
    track.asked = 0;
    track.spec = Some(Arc::new(spec));
}

fn take(arena: &mut Arena, track: &Track) {
    let news = track.thinker.as_ref().and_then(Thinker::take);
    if let Some(news) = news.filter(|n| n.tag == track.tag) {
        arena.take_in(news);
    }
}

/// Has the thread compute on, a second or so ahead of what is looked at.
fn ask(arena: &mut Arena, track: &mut Track, view: &ArenaView) {
    let (Some(thinker), Some(spec)) = (&track.thinker, &track.spec) else {
        return;
    };
    let ahead = view.speed.clamp(20.0, 400.0) as u64;
    let wanted = (arena.at + ahead).min(view.steps);
    let is_new = arena.lanes.iter().all(|l| l.laps.is_empty()) && track.asked == 0;
    let is_far = wanted > track.asked + ahead / 4 || (wanted == view.steps && track.asked < wanted);
    if arena.error.is_none() && !arena.is_over && (is_new || is_far) {
        track.asked = wanted;
        thinker.ask(Question {
            tag: track.tag,
            spec: Arc::clone(spec),
            steps: wanted,
        });
    }
}
