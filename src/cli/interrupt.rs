//! Ctrl-C, and a batch system's request to end, as a flag that long work looks at, so that it can end cleanly.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

/// Whether the user has asked to stop.
#[derive(Debug, Clone)]
pub struct Interrupt(Arc<AtomicBool>);

static FLAG: OnceLock<Arc<AtomicBool>> = OnceLock::new();

impl Interrupt {
    /// From now on Ctrl-C (and SIGTERM) raises the flag instead of ending the
    /// process; a second one ends it at once. Where no handler can be installed the
    /// flag stays down and Ctrl-C does what it always did.
    pub fn listen() -> Self {
        let flag = FLAG.get_or_init(|| {
            let flag = Arc::new(AtomicBool::new(false));
            let raised = Arc::clone(&flag);
            let _ = ctrlc::set_handler(move || {
                if raised.swap(true, Ordering::Relaxed) {
                    std::process::exit(1);
                }
            });
            flag
        });
        Interrupt(Arc::clone(flag))
    }

    /// Whether the flag is up.
    pub fn is_raised(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// The flag, for work that takes one.
    pub fn flag(&self) -> &AtomicBool {
        &self.0
    }
}
