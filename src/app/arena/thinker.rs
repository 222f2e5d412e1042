//! A thread that answers the newest question put to it.
//!
//! Question and answer wait in slots of one. A new question replaces the one
//! that waits and raises a flag that whoever answers looks at; an answer that
//! nobody took yet is merged with the next. So memory is bounded and no frame
//! waits, unless it wants to.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

struct Desk<Q, A> {
    question: Option<Q>,
    answer: Option<A>,
    busy: bool,
    stop: bool,
    ended: bool,
}

struct Shared<Q, A> {
    desk: Mutex<Desk<Q, A>>,
    change: Condvar,
    cancel: AtomicBool,
}

impl<Q, A> Shared<Q, A> {
    fn lock(&self) -> MutexGuard<'_, Desk<Q, A>> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The thread. Dropping it cancels and ends it.
pub(super) struct Thinker<Q, A> {
    shared: Arc<Shared<Q, A>>,
    thread: Option<JoinHandle<()>>,
}

/// What the thread does with a question: it looks at the flag, which says that
/// another question waits, and gives out answers, as many as it has.
pub(super) type Work<Q, A> = dyn FnMut(Q, &AtomicBool, &mut (dyn FnMut(A) + Send)) + Send;

impl<Q: Send + 'static, A: Send + 'static> Thinker<Q, A> {
    /// Starts the thread. `merge` joins an answer that was not taken with the
    /// next; `wake` is called on the thread whenever there is something to take.
    pub(super) fn spawn(
        name: &str,
        mut work: Box<Work<Q, A>>,
        merge: fn(A, A) -> A,
        wake: impl Fn() + Send + Sync + 'static,
    ) -> std::io::Result<Self> {
        let shared = Arc::new(Shared {
            desk: Mutex::new(Desk {
                question: None,
                answer: None,
                busy: false,
                stop: false,
                ended: false,
            }),
            change: Condvar::new(),
            cancel: AtomicBool::new(false),
        });
        let of_thread = Arc::clone(&shared);
        let thread = std::thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || {
                let _farewell = Farewell(&of_thread);
                while let Some(question) = next(&of_thread) {
                    work(question, &of_thread.cancel, &mut |answer| {
                        let mut desk = of_thread.lock();
                        desk.answer = Some(match desk.answer.take() {
                            Some(before) => merge(before, answer),
                            None => answer,
                        });
                        drop(desk);
                        wake();
                    });
                }
            })?;
        Ok(Thinker {
            shared,
            thread: Some(thread),
        })
    }

    /// Puts a question in place of any that waits.
    pub(super) fn ask(&self, question: Q) {
        let mut desk = self.shared.lock();
        desk.question = Some(question);
        // Under the lock, under which the thread takes the question and lowers it.
        self.shared.cancel.store(true, Ordering::Relaxed);
        drop(desk);
        self.shared.change.notify_all();
    }

    /// What has been answered since the last call.
    pub(super) fn take(&self) -> Option<A> {
        self.shared.lock().answer.take()
    }

    /// The same once nothing is left to be answered.
    pub(super) fn wait(&self) -> Option<A> {
        let mut desk = self.shared.lock();
        while !desk.ended && (desk.busy || desk.question.is_some()) {
            let woken = self.shared.change.wait(desk);
            desk = woken.unwrap_or_else(PoisonError::into_inner);
        }
        desk.answer.take()
    }
}

impl<Q, A> Drop for Thinker<Q, A> {
    fn drop(&mut self) {
        let mut desk = self.shared.lock();
        desk.stop = true;
        self.shared.cancel.store(true, Ordering::Relaxed);
        drop(desk);
        self.shared.change.notify_all();
        if let Some(thread) = self.thread.take() {
            // A panic of the thread was already printed by its own hook.
            let _ = thread.join();
        }
    }
}

/// Says that the thread has ended, however it ends, so that nobody waits for it.
struct Farewell<'a, Q, A>(&'a Shared<Q, A>);

impl<Q, A> Drop for Farewell<'_, Q, A> {
    fn drop(&mut self) {
        self.0.lock().ended = true;
        self.0.change.notify_all();
    }
}

fn next<Q, A>(shared: &Shared<Q, A>) -> Option<Q> {
    let mut desk = shared.lock();
    desk.busy = false;
    shared.change.notify_all();
    loop {
        if desk.stop {
            return None;
        }
        if let Some(question) = desk.question.take() {
            shared.cancel.store(false, Ordering::Relaxed);
            desk.busy = true;
            return Some(question);
        }
        let woken = shared.change.wait(desk);
        desk = woken.unwrap_or_else(PoisonError::into_inner);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_that_nobody_took_are_merged_and_a_new_question_stops_the_old_work() {
        let count: Box<Work<u64, Vec<u64>>> = Box::new(|to, cancel, say| {
            for k in 0..to {
                if cancel.load(Ordering::Relaxed) {
                    return;
                }
                say(vec![k]);
            }
        });
        let merge = |mut a: Vec<u64>, b: Vec<u64>| {
            a.extend(b);
            a
        };
        let thinker = Thinker::spawn("counting", count, merge, || {}).unwrap();
        thinker.ask(5);
        assert_eq!(thinker.wait(), Some(vec![0, 1, 2, 3, 4]));
        assert_eq!(thinker.take(), None);
        thinker.ask(u64::MAX); // for ever
        while thinker.take().is_none() {
            std::thread::yield_now();
        }
        thinker.ask(3);
        let end = thinker.wait().unwrap();
        assert_eq!(end[end.len() - 3..], [0, 1, 2]);
    }
}
