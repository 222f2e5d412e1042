//! Other networks beside the one on screen, on the same data and batches, level with it:
//! who they are, their loading, and their news.

mod surface;
mod titles;

use super::plugins::GradscapeSystems;
use super::surface::draw_surface;
use super::training::{
    Drive, DriveChoice, Driver, Notice, Notices, Training, load_experiment, receive_training,
    send_commands,
};
use crate::compare::{self, MOST, Unlike, Variant};
use crate::experiment::Experiment;
use crate::train::{News, Problem};
use bevy::prelude::*;
use bevy::winit::{EventLoopProxyWrapper, WinitUserEvent};
use bevy_egui::EguiPrimaryContextPass;
use crossbeam_channel::{Receiver, bounded};
use std::sync::Arc;

/// At most so many stand beside the network on screen.
pub const MOST_RIVALS: usize = MOST - 1;

pub(super) fn plugin(app: &mut App) {
    app.init_resource::<Rivals>()
        .init_resource::<surface::Beside>()
        .add_message::<RivalWish>()
        .add_systems(EguiPrimaryContextPass, titles::draw)
        .add_systems(
            Update,
            (
                obey.before(send_commands),
                follow.after(load_experiment).before(send_commands),
                receive.after(receive_training),
                surface::draw.after(draw_surface),
            )
                .chain()
                .in_set(GradscapeSystems::Receive),
        );
}

/// A wish about the networks beside the one on screen.
#[derive(Message, Debug, Clone)]
pub enum RivalWish {
    /// Put this one beside, on the data of the one on screen.
    Add(Box<Experiment>),
    /// Put the one on screen beside, changed in one thing.
    AddVariant(Variant),
    /// Take away the one of this number.
    Remove(usize),
    /// Take away all.
    Clear,
    /// Show the error surface of the one of this number beside that of the one on screen,
    /// or of none.
    Surface(Option<usize>),
}

/// What changed the networks beside the one on screen: they have to be laid out anew.
#[derive(Event, Debug, Clone, Copy)]
pub struct RivalsReplaced;

/// The networks beside the one on screen.
#[derive(Resource, Default)]
pub struct Rivals {
    /// What is wanted, in order.
    wanted: Vec<Experiment>,
    /// What is there: as many, once they are loaded.
    pub list: Vec<Training>,
    /// Whose error surface stands beside that of the network on screen.
    pub surface: Option<usize>,
    /// The number of the set that is there; 0 for none.
    set: u64,
    /// Of which problem's data they are, and whether those wanted changed since.
    first: Option<Arc<Problem>>,
    stale: bool,
    loading: Option<Receiver<Vec<Result<Problem, Unlike>>>>,
}

impl Rivals {
    /// Whether any are wanted.
    pub fn is_empty(&self) -> bool {
        self.wanted.is_empty()
    }

    /// How many are wanted.
    pub fn len(&self) -> usize {
        self.wanted.len()
    }

    /// Whether they are being loaded.
    pub fn is_loading(&self) -> bool {
        self.loading.is_some()
    }

    /// Whether there is room for another.
    pub fn has_room(&self) -> bool {
        self.wanted.len() < MOST_RIVALS
    }
}

fn obey(
    mut wishes: MessageReader<RivalWish>,
    mut rivals: ResMut<Rivals>,
    training: Res<Training>,
    mut notices: ResMut<Notices>,
) {
    for wish in wishes.read() {
        let added = match wish {
            RivalWish::Add(experiment) => Some(experiment.as_ref().clone()),
            RivalWish::AddVariant(variant) => {
                // Where it changes nothing there is nothing to be had.
                variant.of(&training.problem.experiment)
            }
            RivalWish::Remove(index) => {
                if *index < rivals.wanted.len() {
                    rivals.wanted.remove(*index);
                    rivals.stale = true;
                }
                None
            }
            RivalWish::Clear => {
                rivals.wanted.clear();
                rivals.stale = true;
                None
            }
            RivalWish::Surface(wanted) => {
                rivals.surface = *wanted;
                None
            }
        };
        if let Some(experiment) = added {
            if rivals.has_room() {
                rivals.wanted.push(experiment);
                rivals.stale = true;
            } else {
                let message = format!("no more than {MOST} networks stand side by side");
                notices.0.push(failure(message));
            }
        }
    }
}

fn failure(message: String) -> Notice {
    Notice {
        message,
        error: true,
    }
}

/// Loads what is wanted where that, or the network on screen, has become another, and
/// puts in place what has been loaded.
fn follow(
    mut rivals: ResMut<Rivals>,
    training: Res<Training>,
    mut driver: ResMut<Driver>,
    mut notices: ResMut<Notices>,
    drive: Res<DriveChoice>,
    proxy: Option<Res<EventLoopProxyWrapper>>,
    mut commands: Commands,
) {
    let first = &training.problem;
    let known = rivals.first.as_ref().is_some_and(|p| Arc::ptr_eq(p, first));
    if (!known && !rivals.wanted.is_empty()) || rivals.stale {
        let rivals = &mut *rivals;
        rivals.stale = false;
        rivals.first = Some(Arc::clone(first));
        let (sender, receiver) = bounded(1);
        let (wanted, first) = (rivals.wanted.clone(), Arc::clone(first));
        let proxy = proxy.as_ref().map(|p| (***p).clone());
        let spawned = std::thread::Builder::new()
            .name("loading beside".into())
            .spawn(move || {
                let problems = wanted.iter().map(|e| compare::beside(e, &first));
                // The receiver is gone when others were asked for meanwhile.
                let _ = sender.send(problems.collect());
                if let Some(proxy) = proxy {
                    let _ = proxy.send_event(WinitUserEvent::WakeUp);
                }
            });
        match spawned {
            Ok(_) => rivals.loading = Some(receiver),
            Err(error) => notices.0.push(failure(error.to_string())),
        }
    }
    let Some(receiver) = &rivals.loading else {
        return;
    };
    let loaded = match drive.0 {
        Drive::Frame { .. } => receiver.recv().ok(),
        Drive::Thread => receiver.try_recv().ok(),
    };
    let Some(loaded) = loaded else { return };
    let rivals = &mut *rivals;
    rivals.loading = None;
    rivals.list.clear();
    // Numbers may mean others now.
    rivals.surface = rivals.surface.filter(|_| rivals.wanted.len() == 1);
    for (experiment, problem) in std::mem::take(&mut rivals.wanted).into_iter().zip(loaded) {
        match problem {
            Ok(problem) => {
                rivals.wanted.push(experiment);
                rivals.list.push(Training::at_start(Arc::new(problem)));
            }
            Err(why) => notices
                .0
                .push(failure(format!("{}: {why}", experiment.title()))),
        }
    }
    let problems = rivals.list.iter().map(|rival| Arc::clone(&rival.problem));
    rivals.set += 1;
    if !driver.put_beside(rivals.set, problems.collect()) {
        let message = "training does not take commands any more".to_owned();
        notices.0.push(failure(message));
    }
    commands.trigger(RivalsReplaced);
}

fn receive(mut rivals: ResMut<Rivals>, mut driver: ResMut<Driver>) {
    if rivals.list.is_empty() {
        return;
    }
    let (set, news) = driver.take_beside();
    let is_news = |(snapshot, outbox): &News| {
        snapshot.is_some() || !outbox.rows.is_empty() || !outbox.points.is_empty()
    };
    if set != rivals.set || !news.iter().any(is_news) {
        return;
    }
    for (rival, (snapshot, outbox)) in rivals.list.iter_mut().zip(news) {
        rival.take_in(snapshot, outbox);
    }
}
