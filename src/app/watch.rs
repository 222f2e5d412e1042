//! Runs elsewhere: a thread that watches them, and what it tells.

use super::micro::Walk;
use super::plugins::GradscapeSystems;
use super::state::Selection;
use super::training::{
    DriveChoice, Driver, NetworkReplaced, Notice, Notices, Training, send_commands,
};
use crate::watch::{Begun, Board, Followed, Follower, Group, News, Source, SourceKind, spreads};
use bevy::prelude::*;
use bevy::winit::{EventLoopProxyWrapper, WinitUserEvent};
use crossbeam_channel::{Receiver, SendTimeoutError, Sender, bounded};
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

/// Between two looks at connections, and at a folder.
const CONNECTIONS: Duration = Duration::from_millis(10);
const FOLDER: Duration = Duration::from_millis(250);
/// Looks that wait to be taken in; then the thread waits, and senders leave out.
const WAITING: usize = 4;
/// Looks that are taken in in one frame.
const A_FRAME: usize = 4;

pub(super) fn plugin(app: &mut App) {
    app.init_resource::<Watching>()
        .add_message::<WatchWish>()
        .add_systems(
            Update,
            (obey, receive, stop_walks)
                .chain()
                .before(send_commands)
                .in_set(GradscapeSystems::Receive),
        );
}

/// A wish about runs elsewhere.
#[derive(Message, Debug, Clone, PartialEq)]
pub enum WatchWish {
    /// Watch this, in place of what was watched before, with these data for the network.
    Start(SourceKind, Option<String>),
    /// Watch nothing any more; what is on screen stays.
    Stop,
}

/// What is watched, and what was told of it.
#[derive(Resource, Default)]
pub struct Watching {
    /// What is watched.
    pub source: Option<SourceKind>,
    /// Where it is listened, once it is.
    pub address: Option<String>,
    /// Curves and histograms.
    pub board: Board,
    /// The run that began last.
    pub run: Option<Begun>,
    /// Whether that has ended.
    pub ended: bool,
    /// Whether a foreign network is on screen.
    pub shows: bool,
    /// Why none is, if that is known.
    pub refused: Option<String>,
    /// What was guessed about the network.
    pub notes: Vec<String>,
    /// Sets of tensors that came.
    pub frames: u64,
    thread: Option<Thread>,
    /// What the training thread had no room for yet.
    waiting: VecDeque<Followed>,
}

impl Watching {
    /// Whether something is watched.
    pub fn is_on(&self) -> bool {
        self.thread.is_some()
    }
}

/// What a look found.
struct Look {
    news: Vec<News>,
    followed: Vec<Followed>,
    notes: Vec<String>,
}

/// A watching thread. Dropping it ends the thread.
struct Thread {
    looks: Receiver<Look>,
    stop: Arc<AtomicBool>,
    handle: Option<JoinHandle<()>>,
}

impl Drop for Thread {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(handle) = self.handle.take() {
            // A panic of the thread was already printed by its own hook.
            let _ = handle.join();
        }
    }
}

fn start(
    source: Source,
    data: Option<String>,
    wake: impl Fn() + Send + 'static,
) -> std::io::Result<Thread> {
    let (sender, looks) = bounded(WAITING);
    let stop = Arc::new(AtomicBool::new(false));
    let stopped = Arc::clone(&stop);
    let handle = std::thread::Builder::new()
        .name("watching".into())
        .spawn(move || watch(source, Follower::new(data), &sender, &stopped, &wake))?;
    Ok(Thread {
        looks,
        stop,
        handle: Some(handle),
    })
}

fn watch(
    mut source: Source,
    mut follower: Follower,
    looks: &Sender<Look>,
    stop: &AtomicBool,
    wake: &impl Fn(),
) {
    while !stop.load(Ordering::Relaxed) {
        let mut poll = source.poll();
        if !poll.news.is_empty() {
            let mut followed = Vec::new();
            poll.news
                .iter()
                .for_each(|n| follower.see(n, &mut followed));
            // Weights and gradients of a network that is shown have their own panels.
            let groups: &[Group] = match follower.shows_network() {
                true => &[Group::Activations],
                false => &Group::ALL,
            };
            let spread: Vec<News> = poll
                .news
                .iter()
                .filter_map(|news| match news {
                    News::Tensors(frame) => Some(spreads(frame, groups)),
                    _ => None,
                })
                .flatten()
                .collect();
            poll.news.extend(spread);
            let mut look = Look {
                news: poll.news,
                followed: together(followed),
                notes: follower.notes().to_vec(),
            };
            // Until there is room, or nobody wants it any more.
            loop {
                wake();
                match looks.send_timeout(look, Duration::from_millis(100)) {
                    Ok(()) => break,
                    Err(SendTimeoutError::Disconnected(_)) => return,
                    Err(SendTimeoutError::Timeout(_)) if stop.load(Ordering::Relaxed) => return,
                    Err(SendTimeoutError::Timeout(back)) => look = back,
                }
            }
            wake();
        }
        if !poll.more {
            std::thread::sleep(match source {
                Source::Tcp(_) => CONNECTIONS,
                _ => FOLDER,
            });
        }
    }
}

/// Figures that come without parameters as one.
fn together(followed: Vec<Followed>) -> Vec<Followed> {
    let mut all: Vec<Followed> = Vec::new();
    for found in followed {
        match (all.last_mut(), found) {
            (Some(Followed::Step(before)), Followed::Step(step)) if step.place.is_none() => {
                before.add(step);
            }
            (_, found) => all.push(found),
        }
    }
    all
}

fn obey(
    mut wishes: MessageReader<WatchWish>,
    mut watching: ResMut<Watching>,
    mut notices: ResMut<Notices>,
    proxy: Option<Res<EventLoopProxyWrapper>>,
) {
    for wish in wishes.read() {
        // The one before lets its port go before another is opened.
        *watching = Watching::default();
        let WatchWish::Start(kind, data) = wish else {
            continue;
        };
        let proxy = proxy.as_ref().map(|p| (***p).clone());
        let wake = move || {
            if let Some(proxy) = &proxy {
                // Fails only when the window is already gone.
                let _ = proxy.send_event(WinitUserEvent::WakeUp);
            }
        };
        let opened = Source::open(kind).map_err(|error| error.to_string());
        let opened = opened.and_then(|source| {
            let address = match &source {
                Source::Tcp(server) => Some(server.address().to_string()),
                _ => None,
            };
            let thread = start(source, data.clone(), wake).map_err(|error| error.to_string())?;
            Ok((thread, address))
        });
        match opened {
            Ok((thread, address)) => {
                watching.source = Some(kind.clone());
                watching.thread = Some(thread);
                watching.address = address;
            }
            Err(message) => notices.0.push(Notice {
                message,
                error: true,
            }),
        }
    }
}

fn receive(
    mut watching: ResMut<Watching>,
    mut training: ResMut<Training>,
    mut driver: ResMut<Driver>,
    mut selection: ResMut<Selection>,
    mut notices: ResMut<Notices>,
    mut commands: Commands,
    drive: Res<DriveChoice>,
    proxy: Option<Res<EventLoopProxyWrapper>>,
) {
    if watching.shows && training.elsewhere.is_none() {
        // Another experiment has taken its place.
        *watching = Watching::default();
        return;
    }
    let mut looks = 0;
    loop {
        let Some(found) = watching.waiting.pop_front() else {
            let thread = watching.thread.as_ref().filter(|_| looks < A_FRAME);
            let Some(look) = thread.and_then(|t| t.looks.try_recv().ok()) else {
                return;
            };
            looks += 1;
            look.news.iter().for_each(|news| watching.take_in(news));
            watching.notes = look.notes;
            watching.waiting = look.followed.into();
            continue;
        };
        match found {
            // Without a network figures are on the board alone.
            Followed::Step(_) if !watching.shows => {}
            Followed::Step(step) => {
                let has_place = step.place.is_some();
                if let Err(back) = driver.follow(step) {
                    // As soon as there is room; meanwhile senders leave out.
                    watching.waiting.push_front(Followed::Step(back));
                    return;
                }
                if has_place {
                    watching.refused = None;
                }
            }
            Followed::Refused(why) => watching.refused = Some(why),
            Followed::Network(problem) => {
                let run = watching.run.as_ref().map(|run| Arc::clone(&run.run));
                let run = run.unwrap_or_else(|| Arc::from(problem.experiment.title()));
                (watching.shows, watching.refused) = (true, None);
                *training = Training::elsewhere(Arc::clone(&problem), run);
                *driver = Driver::following(&problem, drive.0, proxy.as_deref(), &mut notices);
                *selection = Selection::default();
                commands.trigger(NetworkReplaced);
            }
        }
    }
}

/// What is trained elsewhere is not gone through event by event.
fn stop_walks(training: Res<Training>, mut walk: ResMut<Walk>) {
    if training.elsewhere.is_some() && walk.on {
        walk.leave();
    }
}

impl Watching {
    fn take_in(&mut self, news: &News) {
        self.board.see(news);
        match news {
            News::Begun(begun) => {
                self.run = Some(begun.clone());
                self.ended = false;
            }
            News::Ended { run } => {
                self.ended |= self.run.as_ref().is_some_and(|begun| begun.run == *run);
            }
            News::Tensors(_) => self.frames += 1,
            News::Metric(_) | News::Histogram(_) | News::Text(_) | News::Word(_) => {}
        }
    }
}
