//! A [`Session`] on a thread of its own: commands in, snapshots out.
//!
//! Both ways are bounded. Commands wait in a channel of fixed length. Of
//! snapshots only the newest counts, and it is made when the reader has taken
//! the last one; rows and path points are never dropped: when the reader falls
//! too far behind, training waits.

use super::problem::Problem;
use super::session::Session;
use super::snapshot::{Outbox, RunState, Snapshot, TrainCommand};
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Commands that can wait.
const COMMANDS: usize = 256;
/// Rows and points that can wait before training does.
const OUTBOX: usize = 50_000;
/// Time between two snapshots while running: about 30 a second.
const PUBLISH: Duration = Duration::from_millis(33);

/// What the reader finds: the newest snapshot, and all rows and points since
/// the last look.
#[derive(Default)]
struct Mailbox {
    snapshot: Option<Snapshot>,
    outbox: Outbox,
}

/// A training thread. Dropping it ends the thread.
pub struct Worker {
    commands: Option<Sender<TrainCommand>>,
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
        let (sender, receiver) = bounded(COMMANDS);
        let mailbox = Arc::new(Mutex::new(Mailbox::default()));
        let stop = Arc::new(AtomicBool::new(false));
        let (box_, stop_) = (Arc::clone(&mailbox), Arc::clone(&stop));
        let thread = std::thread::Builder::new()
            .name("training".into())
            .spawn(move || run(Session::new(problem), &receiver, &box_, &stop_, &wake))?;
        Ok(Worker {
            commands: Some(sender),
            mailbox,
            stop,
            thread: Some(thread),
        })
    }

    /// Queues a command; `false` if the queue is full or the thread has ended.
    pub fn send(&self, command: TrainCommand) -> bool {
        self.commands
            .as_ref()
            .is_some_and(|c| c.try_send(command).is_ok())
    }

    /// The newest snapshot, if there is one that was not yet taken, and all
    /// rows and path points since the last call.
    pub fn take(&self) -> (Option<Snapshot>, Outbox) {
        let mut mailbox = self.mailbox.lock().unwrap_or_else(PoisonError::into_inner);
        (mailbox.snapshot.take(), std::mem::take(&mut mailbox.outbox))
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
    commands: &Receiver<TrainCommand>,
    mailbox: &Mutex<Mailbox>,
    stop: &AtomicBool,
    wake: &impl Fn(),
) {
    let mut pace = Pace::default();
    publish(&mut session, mailbox, wake);
    let mut last_publish = Instant::now();
    while !stop.load(Ordering::Relaxed) {
        let mut commanded = false;
        if session.state() == RunState::Running {
            while let Ok(command) = commands.try_recv() {
                obey(&mut session, command);
                commanded = true;
            }
        } else {
            match commands.recv() {
                Ok(command) => obey(&mut session, command),
                Err(_) => return,
            }
            pace.restart();
            commanded = true;
        }
        if session.state() == RunState::Running {
            let steps = session.trainer().steps_per_epoch();
            if let Some(wait) = pace.wait(session.speed(), steps) {
                match commands.recv_timeout(wait.min(PUBLISH)) {
                    Ok(command) => {
                        obey(&mut session, command);
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
        if commanded || session.state() != RunState::Running || last_publish.elapsed() >= PUBLISH {
            publish(&mut session, mailbox, wake);
            last_publish = Instant::now();
            wait_for_reader(mailbox, stop);
        }
    }
}

/// Obeys without staying away for a whole epoch, which may take long and would
/// keep the next command waiting, and whoever drops the worker.
fn obey(session: &mut Session, command: TrainCommand) {
    match command {
        TrainCommand::Epoch => session.begin_epoch(),
        other => session.command(other),
    }
}

/// Puts a fresh snapshot in the mailbox together with what came before it, so
/// that the reader never sees a row that is newer than its snapshot's run.
fn publish(session: &mut Session, mailbox: &Mutex<Mailbox>, wake: &impl Fn()) {
    let snapshot = session.snapshot();
    let news = session.take_outbox();
    let mut slot = mailbox.lock().unwrap_or_else(PoisonError::into_inner);
    let stale = slot
        .snapshot
        .as_ref()
        .is_some_and(|s| s.generation != snapshot.generation);
    if stale {
        slot.outbox = Outbox::default();
    }
    // Where the run went back, what nobody has read of later steps is not true any more.
    slot.outbox.rows.retain(|r| r.step <= snapshot.step);
    slot.outbox.points.retain(|p| p.step <= snapshot.step);
    slot.outbox.rows.extend(news.rows);
    slot.outbox.points.extend(news.points);
    slot.snapshot = Some(snapshot);
    drop(slot);
    wake();
}

/// Holds training while too much waits to be read; never past `stop`.
fn wait_for_reader(mailbox: &Mutex<Mailbox>, stop: &AtomicBool) {
    while !stop.load(Ordering::Relaxed) {
        let waiting = {
            let slot = mailbox.lock().unwrap_or_else(PoisonError::into_inner);
            slot.outbox.rows.len() + slot.outbox.points.len()
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
