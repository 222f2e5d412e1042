//! A [`Session`] on a thread of its own: commands in, snapshots out.
//!
//! Both ways are bounded. Commands wait in a channel of fixed length. Of
//! snapshots only the newest counts, and it is made when the reader has taken
//! the last one; rows and path points are never dropped: when the reader falls
//! too far behind, training waits. Other runs can be trained beside it, level with it.

use super::problem::Problem;
use super::session::{ForeignStep, Session};
use super::snapshot::{Outbox, RunState, Snapshot, TrainCommand};
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Commands that can wait.
const COMMANDS: usize = 256;
/// Steps of a run elsewhere that can wait.
const WAITING_STEPS: usize = 3;
/// Rows and points that can wait before training does.
const OUTBOX: usize = 50_000;
/// Time between two snapshots while running: about 30 a second.
const PUBLISH: Duration = Duration::from_millis(33);

/// What the reader finds of a run: the newest snapshot, and all rows and points since
/// the last look.
pub type News = (Option<Snapshot>, Outbox);

/// What the thread is told.
enum Order {
    Command(TrainCommand),
    Follow(ForeignStep),
    Beside(u64, Vec<Arc<Problem>>),
}

/// What is kept for the reader.
#[derive(Default)]
struct Mailbox {
    own: News,
    /// Of the runs beside it, in their order, with the number of the set that they are.
    beside: (u64, Vec<News>),
}

/// A training thread. Dropping it ends the thread.
pub struct Worker {
    commands: Option<Sender<Order>>,
    mailbox: Arc<Mutex<Mailbox>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Worker {
    /// Starts a thread with a session at its start. `wake` is called on that
    /// thread whenever there is something new to read.
    pub fn spawn(
        problem: Arc<Problem>,
        wake: impl Fn() + Send + 'static,
    ) -> std::io::Result<Worker> {
        Self::run(move || Session::new(problem), wake)
    }

    /// The same with a session that `make` makes on that thread.
    pub fn run(
        make: impl FnOnce() -> Session + Send + 'static,
        wake: impl Fn() + Send + 'static,
    ) -> std::io::Result<Worker> {
        let (sender, receiver) = bounded(COMMANDS);
        let mailbox = Arc::new(Mutex::new(Mailbox::default()));
        let stop = Arc::new(AtomicBool::new(false));
        let (box_, stop_) = (Arc::clone(&mailbox), Arc::clone(&stop));
        let thread = std::thread::Builder::new()
            .name("training".into())
            .spawn(move || run(make(), &receiver, &box_, &stop_, &wake))?;
        Ok(Worker {
            commands: Some(sender),
            mailbox,
            stop,
            thread: Some(thread),
        })
    }

    /// Queues a command; `false` if the queue is full or the thread has ended.
    pub fn send(&self, command: TrainCommand) -> bool {
        self.order(Order::Command(command))
    }

    /// Trains these beside the run, level with it ([`Session::keep_level`]), in place of
    /// those before; `false` as with [`send`](Self::send). The run waits while they catch
    /// up. Their news are read with [`take_beside`](Self::take_beside), and have to be;
    /// `set` is a number by which they are known there.
    pub fn put_beside(&self, set: u64, problems: Vec<Arc<Problem>>) -> bool {
        self.order(Order::Beside(set, problems))
    }

    /// Tells a session that follows what came of the run elsewhere, or gives it back where
    /// too much waits already: parameters are large, and only the newest count.
    pub fn follow(&self, step: ForeignStep) -> Result<(), ForeignStep> {
        match &self.commands {
            Some(commands) if commands.len() < WAITING_STEPS => commands
                .try_send(Order::Follow(step))
                .map_err(|error| match error.into_inner() {
                    Order::Follow(step) => step,
                    Order::Command(_) | Order::Beside(..) => ForeignStep::default(),
                }),
            _ => Err(step),
        }
    }

    fn order(&self, order: Order) -> bool {
        self.commands
            .as_ref()
            .is_some_and(|c| c.try_send(order).is_ok())
    }

    /// The newest snapshot, if there is one that was not yet taken, and all
    /// rows and path points since the last call.
    pub fn take(&self) -> News {
        let mut mailbox = self.mailbox.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut mailbox.own)
    }

    /// The same of the runs beside it, in their order, with the number of their set; 0
    /// and none before the first set.
    pub fn take_beside(&self) -> (u64, Vec<News>) {
        let mut mailbox = self.mailbox.lock().unwrap_or_else(PoisonError::into_inner);
        let (set, news) = &mut mailbox.beside;
        (*set, news.iter_mut().map(std::mem::take).collect())
    }

    /// Whether the thread still runs; it ends early only by a panic.
    pub fn is_alive(&self) -> bool {
        self.thread.as_ref().is_some_and(|t| !t.is_finished())
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        self.commands = None;
        if let Some(thread) = self.thread.take() {
            // A panic of the thread was already printed by its own hook.
            let _ = thread.join();
        }
    }
}

fn run(
    mut session: Session,
    orders: &Receiver<Order>,
    mailbox: &Mutex<Mailbox>,
    stop: &AtomicBool,
    wake: &impl Fn(),
) {
    let mut beside = (0, Vec::new());
    let mut pace = Pace::default();
    publish(&mut session, &mut beside, mailbox, wake);
    let mut last_publish = Instant::now();
    let mut was_level = true;
    while !stop.load(Ordering::Relaxed) {
        let mut commanded = false;
        let is_level = keep_level(&mut beside.1, &session, last_publish + PUBLISH, stop);
        if is_level && !was_level {
            // Whoever has caught up is seen to have, before anything is waited for.
            publish(&mut session, &mut beside, mailbox, wake);
            last_publish = Instant::now();
        }
        was_level = is_level;
        if session.state() == RunState::Running || !is_level {
            while let Ok(order) = orders.try_recv() {
                obey(&mut session, &mut beside, order);
                commanded = true;
            }
        } else {
            match orders.recv() {
                Ok(order) => obey(&mut session, &mut beside, order),
                Err(_) => return,
            }
            pace.restart();
            commanded = true;
        }
        let is_running = session.state() == RunState::Running;
        if is_running && is_level {
            let steps = session.trainer().steps_per_epoch();
            if let Some(wait) = pace.wait(session.speed(), steps) {
                match orders.recv_timeout(wait.min(PUBLISH)) {
                    Ok(order) => {
                        obey(&mut session, &mut beside, order);
                        commanded = true;
                    }
                    Err(RecvTimeoutError::Timeout) => {}
                    Err(RecvTimeoutError::Disconnected) => return,
                }
            } else {
                session.advance();
                pace.made_step();
            }
        }
        let rests = session.state() != RunState::Running && is_level;
        if commanded || rests || last_publish.elapsed() >= PUBLISH {
            if rests {
                // What is shown while nothing moves is level.
                was_level = keep_level(&mut beside.1, &session, Instant::now() + PUBLISH, stop);
            }
            publish(&mut session, &mut beside, mailbox, wake);
            last_publish = Instant::now();
            wait_for_reader(mailbox, stop);
        }
    }
}

/// Lets those beside the run catch up until a moment has come. Returns whether all are
/// level with it.
fn keep_level(
    beside: &mut [Session],
    session: &Session,
    until: Instant,
    stop: &AtomicBool,
) -> bool {
    loop {
        // Every one of them makes a step in turn.
        let mut is_level = true;
        for other in beside.iter_mut() {
            is_level &= other.keep_level(session, 1);
        }
        if is_level {
            return true;
        }
        if Instant::now() >= until || stop.load(Ordering::Relaxed) {
            return false;
        }
    }
}

/// Obeys without staying away for a whole epoch, which may take long and would
/// keep the next command waiting, and whoever drops the worker.
fn obey(session: &mut Session, beside: &mut (u64, Vec<Session>), order: Order) {
    match order {
        Order::Command(TrainCommand::Epoch) => session.begin_epoch(),
        Order::Command(other) => session.command(other),
        Order::Follow(step) => session.follow(step),
        Order::Beside(set, problems) => {
            *beside = (set, problems.into_iter().map(Session::new).collect());
        }
    }
}

/// Puts fresh snapshots in the mailbox.
fn publish(
    session: &mut Session,
    (set, beside): &mut (u64, Vec<Session>),
    mailbox: &Mutex<Mailbox>,
    wake: &impl Fn(),
) {
    let own = (session.snapshot(), session.take_outbox());
    let others = beside.iter_mut();
    let others: Vec<_> = others.map(|s| (s.snapshot(), s.take_outbox())).collect();
    let mut mailbox = mailbox.lock().unwrap_or_else(PoisonError::into_inner);
    post(&mut mailbox.own, own);
    if mailbox.beside.0 != *set {
        mailbox.beside = (*set, vec![News::default(); others.len()]);
    }
    for (slot, news) in mailbox.beside.1.iter_mut().zip(others) {
        post(slot, news);
    }
    drop(mailbox);
    wake();
}

/// A fresh snapshot together with what came before it, so that the reader never sees a
/// row that is newer than its snapshot's run.
fn post((waiting, outbox): &mut News, (snapshot, news): (Snapshot, Outbox)) {
    let stale = waiting
        .as_ref()
        .is_some_and(|s| s.generation != snapshot.generation);
    if stale {
        *outbox = Outbox::default();
    }
    // Where the run went back, what nobody has read of later steps is not true any more.
    outbox.rows.retain(|r| r.step <= snapshot.step);
    outbox.points.retain(|p| p.step <= snapshot.step);
    outbox.rows.extend(news.rows);
    outbox.points.extend(news.points);
    *waiting = Some(snapshot);
}

/// Holds training while too much waits to be read; never past `stop`.
fn wait_for_reader(mailbox: &Mutex<Mailbox>, stop: &AtomicBool) {
    while !stop.load(Ordering::Relaxed) {
        let waiting = {
            let mailbox = mailbox.lock().unwrap_or_else(PoisonError::into_inner);
            let all = std::iter::once(&mailbox.own).chain(&mailbox.beside.1);
            all.map(|(_, outbox)| outbox.rows.len() + outbox.points.len())
                .max()
                .unwrap_or(0)
        };
        if waiting < OUTBOX {
            return;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Holds training to a number of epochs a second.
#[derive(Default)]
struct Pace {
    begun: Option<(Instant, f64, usize)>,
    steps: u64,
}

impl Pace {
    fn restart(&mut self) {
        self.begun = None;
    }

    fn made_step(&mut self) {
        self.steps += 1;
    }

    /// How long to wait before the next step, if at all.
    fn wait(&mut self, speed: Option<f64>, steps_per_epoch: usize) -> Option<Duration> {
        let speed = speed?;
        let key = (speed, steps_per_epoch);
        let begun = match self.begun {
            Some((begun, s, n)) if (s, n) == key => begun,
            _ => {
                let now = Instant::now();
                self.begun = Some((now, speed, steps_per_epoch));
                self.steps = 0;
                now
            }
        };
        let due = self.steps as f64 / (speed * steps_per_epoch as f64);
        let ahead = due - begun.elapsed().as_secs_f64();
        if ahead < -0.5 {
            // Cannot keep up (or slept): do not sprint afterwards.
            self.begun = None;
        }
        (ahead > 0.0).then(|| Duration::from_secs_f64(ahead.min(3600.0)))
    }
}
