//! A learning-rate range test on a thread of its own.

use super::Wake;
use crate::app::surface::threads_beside_others;
use crate::search::{RangeEnd, RangePoint, RangeTest, Suggestion};
use crate::train::Problem;
use crossbeam_channel::{Receiver, Sender, TryRecvError, TrySendError, bounded};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Between two reports.
const PAUSE: Duration = Duration::from_millis(30);

/// What to test.
#[derive(Debug, Clone)]
pub struct RangePlan {
    /// The network, its data and the experiment whose rate is looked for.
    pub problem: Arc<Problem>,
    /// The first rate.
    pub from: f64,
    /// The last rate, unless training breaks before.
    pub to: f64,
    /// In so many steps.
    pub steps: usize,
}

/// What came since the last report.
struct News {
    points: Vec<RangePoint>,
    suggestion: Option<Suggestion>,
    end: Option<RangeEnd>,
    error: Option<String>,
}

/// A range test, in progress or done.
pub struct RangeTrial {
    plan: RangePlan,
    curve: Vec<RangePoint>,
    suggestion: Option<Suggestion>,
    end: Option<RangeEnd>,
    error: Option<String>,
    news: Option<Receiver<News>>,
    cancel: Arc<AtomicBool>,
}

impl RangeTrial {
    /// Begins.
    pub(super) fn start(plan: RangePlan, wake: Wake) -> Self {
        let (sender, receiver) = bounded(4);
        let cancel = Arc::new(AtomicBool::new(false));
        let (of_thread, asked) = (Arc::clone(&cancel), plan.clone());
        let spawned = std::thread::Builder::new()
            .name("range test".into())
            .spawn(move || {
                let pool = rayon::ThreadPoolBuilder::new()
                    .num_threads(threads_beside_others())
                    .build();
                match pool {
                    Ok(pool) => pool.install(|| work(&asked, &sender, &of_thread, &wake)),
                    Err(error) => fail(&sender, error.to_string()),
                }
                drop(sender);
                wake();
            });
        RangeTrial {
            plan,
            curve: Vec::new(),
            suggestion: None,
            end: None,
            error: spawned.as_ref().err().map(ToString::to_string),
            news: spawned.is_ok().then_some(receiver),
            cancel,
        }
    }

    /// Stops it within a step; the curve so far stays.
    pub(super) fn cancel(&mut self) {
        self.cancel.store(true, Ordering::Relaxed);
        self.news = None;
    }

    pub(super) fn receive(&mut self) {
        loop {
            let Some(receiver) = &self.news else { return };
            match receiver.try_recv() {
                Ok(news) => {
                    self.curve.extend(news.points);
                    self.suggestion = news.suggestion;
                    self.end = news.end;
                    self.error = news.error;
                }
                Err(TryRecvError::Empty) => return,
                Err(TryRecvError::Disconnected) => self.news = None,
            }
        }
    }

    /// What is tested.
    pub fn plan(&self) -> &RangePlan {
        &self.plan
    }

    /// The steps so far.
    pub fn curve(&self) -> &[RangePoint] {
        &self.curve
    }

    /// What they suggest.
    pub fn suggestion(&self) -> Option<Suggestion> {
        self.suggestion
    }

    /// How it ended, once it has by itself.
    pub fn end(&self) -> Option<RangeEnd> {
        self.end
    }

    /// Why there is no curve.
    pub fn error(&self) -> Option<&str> {
        self.error.as_deref()
    }

    /// Whether more is to come.
    pub fn is_running(&self) -> bool {
        self.news.is_some()
    }
}

impl Drop for RangeTrial {
    fn drop(&mut self) {
        self.cancel.store(true, Ordering::Relaxed);
    }
}

fn fail(sender: &Sender<News>, error: String) {
    // Nobody is there when another test was asked for meanwhile.
    let _ = sender.send(News {
        points: Vec::new(),
        suggestion: None,
        end: None,
        error: Some(error),
    });
}

fn work(plan: &RangePlan, sender: &Sender<News>, cancel: &AtomicBool, wake: &Wake) {
    let mut test = match RangeTest::new(&plan.problem, plan.from, plan.to, plan.steps) {
        Ok(test) => test,
        Err(error) => return fail(sender, error.to_string()),
    };
    let (mut sent, mut last) = (0, Instant::now());
    let news = |test: &RangeTest, sent: usize| News {
        points: test.curve()[sent..].to_vec(),
        suggestion: test.suggestion(),
        end: test.end(),
        error: None,
    };
    while test.advance() {
        if cancel.load(Ordering::Relaxed) {
            return;
        }
        if last.elapsed() < PAUSE {
            continue;
        }
        last = Instant::now();
        let length = test.curve().len();
        match sender.try_send(news(&test, sent)) {
            Ok(()) => {
                sent = length;
                wake();
            }
            Err(TrySendError::Full(_)) => {}
            Err(TrySendError::Disconnected(_)) => return,
        }
    }
    // As above.
    let _ = sender.send(news(&test, sent));
}
