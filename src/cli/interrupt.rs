//! Ctrl-C, and a batch system's request to end, as a flag that long work looks at, so that it can end cleanly.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

/// Whether the user has asked to stop.
#[derive(Debug, Clone)]
pub struct Interrupt(Arc<AtomicBool>);

/// The environment variable by which another program, such as the window, leads this one:
/// progress is written line by line, and the end of standard input is a request to end.
const LED_VARIABLE: &str = "GRADSCAPE_PROGRESS";

/// Whether another program leads this one.
pub fn is_led() -> bool {
    std::env::var_os(LED_VARIABLE).is_some_and(|value| !value.is_empty())
}

/// Raises the flag once standard input has ended.
fn await_end_of_input(flag: Arc<AtomicBool>) {
    let job = move || {
        // Whatever comes is not meant for anybody.
        let _ = std::io::copy(&mut std::io::stdin().lock(), &mut std::io::sink());
        flag.store(true, Ordering::Relaxed);
    };
    // Without the thread the command goes on to its end.
    let _ = std::thread::Builder::new().name("input".into()).spawn(job);
}

static FLAG: OnceLock<Arc<AtomicBool>> = OnceLock::new();

impl Interrupt {
    /// From now on Ctrl-C (and SIGTERM) raises the flag instead of ending the
    /// process; a second one ends it at once. Where no handler can be installed the
    /// flag stays down and Ctrl-C does what it always did.
    pub fn listen() -> Self {
        let flag = FLAG.get_or_init(|| {
            let flag = Arc::new(AtomicBool::new(false));
            if is_led() {
                await_end_of_input(Arc::clone(&flag));
            }
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
