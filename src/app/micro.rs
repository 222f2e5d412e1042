//! An iteration event by event, in time: by key, in slow motion, or so fast that
//! it is ordinary training.

use super::plugins::GradscapeSystems;
use super::presenter::Motion;
use super::settings::Choices;
use super::training::{Command, FrameGate, Training, receive_training};
use crate::train::micro::{Event, MicroCommand};
use crate::train::{RunState, TrainCommand};
use bevy::prelude::*;
use bevy::window::RequestRedraw;

pub(super) fn plugin(app: &mut App) {
    app.init_resource::<Walk>()
        .init_resource::<Playing>()
        .add_systems(
            Update,
            walk.in_set(GradscapeSystems::Receive)
                .before(super::training::send_commands),
        )
        .add_systems(
            Update,
            play.in_set(GradscapeSystems::Receive)
                .after(receive_training),
        );
}

/// How fast it goes on by itself.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Gait {
    /// Not at all: each event has its key press.
    ByKey,
    /// So many events a second.
    Events(f64),
    /// So many whole steps a second: ordinary training, slowed down.
    Steps(f64),
    /// As fast as it goes.
    Full,
}

/// Whether a run is led through its iterations event by event, and how fast.
#[derive(Resource, Debug, Clone, PartialEq)]
pub struct Walk {
    /// Whether it is.
    pub on: bool,
    /// Whether it goes on by itself.
    pub walking: bool,
    /// The one control from a single event (0) to full speed (1).
    pub pace: f32,
    /// Events to go: forward or back.
    pub steps: i32,
    /// Counts wishes to see the watched sample go through the network, layer by layer.
    pub flow: u32,
    /// Whether the chain rule is shown as a path, from the loss to a parameter.
    pub chain: bool,
}

impl Default for Walk {
    fn default() -> Self {
        Walk {
            on: false,
            walking: false,
            pace: 0.26,
            steps: 0,
            flow: 0,
            chain: false,
        }
    }
}

/// Events a second at the slow end, and where whole steps begin.
const SLOWEST: f64 = 0.1;
const MOST_EVENTS: f64 = 60.0;
/// Steps a second at the fast end.
const MOST_STEPS: f64 = 5000.0;
/// Where on the control events end and whole steps do.
const EVENTS_END: f32 = 0.7;
const STEPS_END: f32 = 0.98;

impl Walk {
    /// What the control means for iterations of so many events.
    pub fn gait(&self, events: usize) -> Gait {
        let between = |a: f64, b: f64, t: f32| a * (b / a).powf(f64::from(t.clamp(0.0, 1.0)));
        let first = MOST_EVENTS / events.max(1) as f64;
        match self.pace {
            pace if pace <= 0.0 => Gait::ByKey,
            pace if pace <= EVENTS_END => {
                Gait::Events(between(SLOWEST, MOST_EVENTS, pace / EVENTS_END))
            }
            pace if pace < STEPS_END => {
                let t = (pace - EVENTS_END) / (STEPS_END - EVENTS_END);
                Gait::Steps(between(first, MOST_STEPS, t))
            }
            _ => Gait::Full,
        }
    }

    /// One event forward, or into an iteration; it stops going by itself.
    pub fn forward(&mut self) {
        self.walking = false;
        if self.on {
            self.steps += 1;
        }
        self.on = true;
    }

    /// One event back.
    pub fn back(&mut self) {
        self.walking = false;
        if self.on {
            self.steps -= 1;
        }
    }

    /// Goes on by itself, or stops.
    pub fn toggle(&mut self) {
        self.on = true;
        self.walking = !self.walking;
    }

    /// Makes it faster, or slower, by so many notches.
    pub fn change_pace(&mut self, by: i32) {
        self.pace = (self.pace + 0.05 * by as f32).clamp(0.0, 1.0);
    }

    /// Out of it.
    pub fn leave(&mut self) {
        (self.on, self.walking, self.steps) = (false, false, 0);
        self.chain = false;
    }

    /// Shows the chain rule as a path, or no longer. It begins at the loss: where that
    /// has not been reached, `to_loss` says how many events it is away.
    pub fn toggle_chain(&mut self, to_loss: i32) {
        self.chain = !self.chain;
        self.walking = false;
        if self.chain {
            self.steps += to_loss.max(0);
        }
    }
}

/// What is being played, and how far it has come.
#[derive(Resource, Debug, Clone, Copy, PartialEq, Default)]
pub struct Playing {
    /// The event that happened last; none at the start of an iteration.
    pub event: Option<Event>,
    /// From 0, where it begins, to 1, where it is over.
    pub t: f32,
}

impl Playing {
    /// Without an iteration: the watched sample on its way through so many layers,
    /// `seconds` later; nothing once it is through.
    fn flowed(self, layers: usize, seconds: f32) -> Self {
        let Some(Event::Sum { layer }) = self.event else {
            return Playing::default();
        };
        let t = self.t + seconds / A_LAYER.min(ALL_LAYERS / layers.max(1) as f32);
        match (t < 1.0, layer + 1 < layers) {
            (true, _) => Playing { t, ..self },
            (false, true) => Playing {
                event: Some(Event::Sum { layer: layer + 1 }),
                t: 0.0,
            },
            (false, false) => Playing::default(),
        }
    }
}

/// Seconds that the watched sample takes through a layer, and at most through all.
const A_LAYER: f32 = 0.7;
const ALL_LAYERS: f32 = 4.0;

/// Seconds that an event takes that was asked for by key.
const BY_KEY: f64 = 0.9;
/// The share of the time from one event to the next in which something moves.
const MOVES: f64 = 0.85;
/// At most so many events are asked for in one frame.
const MOST_AT_ONCE: f64 = 32.0;

/// What the run was last told, and what it has not answered yet.
#[derive(Default)]
pub(super) struct Told {
    on: bool,
    /// Events that are due, with what has not made up for a whole one.
    due: f64,
    /// The state of the run when events were last asked for.
    asked_at: Option<u64>,
    /// The speed that ordinary training was given.
    speed: Option<f64>,
}

pub(super) fn walk(
    mut walk: ResMut<Walk>,
    training: Res<Training>,
    time: Res<Time>,
    gate: Res<FrameGate>,
    mut told: Local<Told>,
    mut out: MessageWriter<Command>,
    choices: Option<Res<Choices>>,
    redraw: Option<ResMut<Messages<RequestRedraw>>>,
) {
    let snapshot = &training.snapshot;
    let mut tell = |command: TrainCommand| {
        out.write(Command(command));
    };
    let usual = choices.map_or(f64::INFINITY, |choices| choices.speed);
    let usual = TrainCommand::SetSpeed(usual.is_finite().then_some(usual));
    let running = snapshot.state == RunState::Running;
    if walk.on != told.on {
        told.on = walk.on;
        (told.due, told.asked_at) = (0.0, None);
        if told.speed.take().is_some() {
            tell(usual.clone());
        }
        tell(TrainCommand::Micro(if walk.on {
            MicroCommand::Enter
        } else {
            MicroCommand::Leave
        }));
    }
    if !walk.on {
        return;
    }
    let events = snapshot.micro.as_ref().map_or(1, |m| m.trace.events.len());
    let gait = if walk.walking && gate.0 {
        walk.gait(events)
    } else {
        Gait::ByKey
    };
    match gait {
        Gait::ByKey => {
            if told.speed.take().is_some() {
                tell(usual);
                tell(TrainCommand::Pause);
                tell(TrainCommand::Micro(MicroCommand::Enter));
            }
            let most = MOST_AT_ONCE as i32;
            let steps = walk.steps.clamp(-most, most);
            for _ in 0..steps.unsigned_abs() {
                tell(TrainCommand::Micro(if steps > 0 {
                    MicroCommand::Forward
                } else {
                    MicroCommand::Back
                }));
            }
            if steps != 0 {
                walk.steps -= steps;
            }
            told.due = 0.0;
        }
        Gait::Events(rate) => {
            if told.speed.take().is_some() {
                tell(usual);
                tell(TrainCommand::Pause);
                tell(TrainCommand::Micro(MicroCommand::Enter));
            }
            told.due = (told.due + time.delta_secs_f64() * rate).min(MOST_AT_ONCE);
            let answered = told.asked_at.is_none_or(|at| at != snapshot.revision);
            if told.due >= 1.0 && answered {
                told.asked_at = Some(snapshot.revision);
                for _ in 0..told.due as usize {
                    tell(TrainCommand::Micro(MicroCommand::Forward));
                }
                told.due = told.due.fract();
            }
        }
        Gait::Steps(_) | Gait::Full => {
            let per_epoch = training.problem.steps_per_epoch().max(1) as f64;
            let speed = match gait {
                Gait::Steps(steps) => Some(steps / per_epoch),
                _ => None,
            };
            let told_speed = told.speed;
            let now = speed.unwrap_or(f64::INFINITY);
            if told_speed != Some(now) {
                told.speed = Some(now);
                tell(TrainCommand::SetSpeed(speed));
                if told_speed.is_none() {
                    tell(TrainCommand::Start);
                }
            } else if matches!(snapshot.state, RunState::Finished | RunState::Diverged) && !running
            {
                walk.walking = false;
            }
        }
    }
    if let Some(mut redraw) = redraw
        && matches!(gait, Gait::Events(_))
    {
        redraw.write(RequestRedraw);
    }
}

/// Notices what happened and lets time pass over it.
fn play(
    training: Res<Training>,
    walk: Res<Walk>,
    time: Res<Time>,
    (gate, motion): (Res<FrameGate>, Option<Res<Motion>>),
    mut playing: ResMut<Playing>,
    (mut seen, mut flowed): (Local<Option<(u64, usize)>>, Local<Option<u32>>),
    redraw: Option<ResMut<Messages<RequestRedraw>>>,
) {
    let still = motion.is_some_and(|motion| motion.reduced);
    let wished = flowed
        .replace(walk.flow)
        .is_some_and(|before| before != walk.flow);
    let Some(micro) = &training.snapshot.micro else {
        *seen = None;
        let layers = training.problem.network.layers().len();
        if wished && !still && gate.0 {
            let event = Some(Event::Sum { layer: 0 });
            playing.set_if_neq(Playing { event, t: 0.0 });
        } else if gate.0 || still {
            let next = playing.flowed(layers, time.delta_secs());
            playing.set_if_neq(next);
        }
        if let Some(mut redraw) = redraw.filter(|_| playing.event.is_some()) {
            redraw.write(RequestRedraw);
        }
        return;
    };
    let now = (micro.trace.step, micro.done);
    if *seen != Some(now) {
        let is_next = |(step, done): (u64, usize)| now == (step, done + 1) || now == (step + 1, 1);
        let begins = seen.is_some_and(is_next) && !still;
        *seen = Some(now);
        playing.set_if_neq(Playing {
            event: micro.last(),
            t: if begins { 0.0 } else { 1.0 },
        });
    } else if playing.t < 1.0 && gate.0 {
        let lasts = match walk.gait(micro.trace.events.len()) {
            Gait::Events(rate) if walk.walking => MOVES / rate,
            _ => BY_KEY,
        };
        playing.t = (playing.t + (time.delta_secs_f64() / lasts) as f32).min(1.0);
    }
    if let Some(mut redraw) = redraw
        && playing.t < 1.0
    {
        redraw.write(RequestRedraw);
    }
}

#[cfg(test)]
mod tests {
    use super::super::training::{Drive, TrainingPlugin};
    use super::super::{plugins, state};
    use super::*;
    use crate::experiment::Experiment;
    use crate::train::Problem;
    use bevy::state::app::StatesPlugin;
    use bevy::time::TimeUpdateStrategy;
    use std::sync::Arc;
    use std::time::Duration;

    #[test]
    fn one_control_leads_from_a_single_event_to_full_speed() {
        let at = |pace| {
            Walk {
                pace,
                ..Walk::default()
            }
            .gait(12)
        };
        assert_eq!((at(0.0), at(1.0)), (Gait::ByKey, Gait::Full));
        let events = |gait| match gait {
            Gait::ByKey => 0.0,
            Gait::Events(rate) => rate,
            Gait::Steps(steps) => 12.0 * steps,
            Gait::Full => f64::INFINITY,
        };
        let all: Vec<f64> = (0..=200).map(|k| events(at(k as f32 / 200.0))).collect();
        assert!(all.windows(2).all(|w| w[1] >= w[0]));
        assert!((events(at(1e-6)) - 0.1).abs() < 1e-4);
        // Where events become steps, the rate goes on where it was.
        assert!((events(at(0.7)) - events(at(0.700_01))).abs() < 0.1);
    }

    fn app() -> App {
        let text = "[data]\nsource = \"xor\"\nsamples = 40\n[network]\n\
                    layers = [{ dense = 3 }]\nloss = \"cross-entropy\"\n";
        let experiment = Experiment::parse(text, "test").unwrap();
        let problem = Arc::new(Problem::new(&experiment).unwrap());
        let mut app = App::new();
        app.add_plugins((MinimalPlugins, StatesPlugin, state::plugin));
        app.configure_sets(Update, plugins::GradscapeSystems::Receive);
        app.init_resource::<super::super::state::Selection>();
        let drive = Drive::Frame { steps: 1 };
        app.add_plugins((TrainingPlugin { problem, drive }, plugin));
        let tick = TimeUpdateStrategy::ManualDuration(Duration::from_millis(100));
        app.insert_resource(tick);
        app.update();
        app
    }

    fn done(app: &App) -> Option<(u64, usize)> {
        let micro = &app.world().resource::<Training>().snapshot.micro;
        micro.as_ref().map(|m| (m.trace.step, m.done))
    }

    #[test]
    fn keys_lead_forward_and_back_and_out() {
        let mut app = app();
        let mut press = |key: fn(&mut Walk)| {
            key(&mut app.world_mut().resource_mut::<Walk>());
            app.update();
            (done(&app), *app.world().resource::<Playing>())
        };
        assert_eq!(press(Walk::forward).0, Some((1, 0)));
        let (at, playing) = press(Walk::forward);
        assert_eq!(at, Some((1, 1)));
        assert_eq!(playing.event, Some(Event::Sum { layer: 0 }));
        assert_eq!(playing.t, 0.0);
        assert_eq!(press(Walk::forward).0, Some((1, 2)));
        let (at, playing) = press(Walk::back);
        assert_eq!(at, Some((1, 1)));
        assert_eq!(playing.t, 1.0, "nothing is played on the way back");
        assert_eq!(press(Walk::leave).0, None);
    }

    #[test]
    fn slow_motion_plays_each_event_and_full_speed_trains() {
        let mut app = app();
        let walk = |app: &mut App, pace| {
            let mut walk = app.world_mut().resource_mut::<Walk>();
            (walk.on, walk.walking, walk.pace) = (true, true, pace);
        };
        // Two events a second: one in five frames.
        let two = 0.7 * (20.0_f32).ln() / (600.0_f32).ln();
        walk(&mut app, two);
        let mut between = 0;
        for _ in 0..26 {
            app.update();
            let t = app.world().resource::<Playing>().t;
            between += usize::from(t > 0.0 && t < 1.0);
        }
        let (step, events) = done(&app).unwrap();
        assert!(step == 1 && (4..=5).contains(&events), "{events}");
        assert!(between >= 10, "{between} frames show something on its way");
        walk(&mut app, 1.0);
        for _ in 0..5 {
            app.update();
        }
        let training = app.world().resource::<Training>();
        assert_eq!(training.snapshot.state, RunState::Running);
        assert!(training.snapshot.step >= 3);
        // And back to slow motion, from where it came to.
        walk(&mut app, two);
        (0..12).for_each(|_| app.update());
        let training = app.world().resource::<Training>();
        assert_eq!(training.snapshot.state, RunState::Paused);
        assert!(done(&app).unwrap().0 > 3);
    }
}
