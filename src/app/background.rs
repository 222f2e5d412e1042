//! Threads whose work can wait: for a core that training or drawing wants, too.

use bevy::log::debug;
use thread_priority::{ThreadPriority, ThreadPriorityValue, set_current_thread_priority};

/// Of 0 to 99. On Linux it is a niceness of 10: under load, about a tenth of what
/// a thread with the usual priority gets.
const PRIORITY: u8 = 22;

/// Lets every thread with the usual priority go before the one that calls this.
/// Where the system does not allow it, it goes on as it was.
pub(super) fn step_back() {
    let lowered = ThreadPriorityValue::try_from(PRIORITY)
        .map(|value| set_current_thread_priority(ThreadPriority::Crossplatform(value)));
    match lowered {
        Ok(Ok(())) => {}
        Ok(Err(error)) => debug!("the priority of a thread stays as it was: {error:?}"),
        Err(error) => debug!("no priority: {error}"),
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_thread_that_steps_back_does_so_alone() {
        let niceness = || {
            // The 19th field; the name in the second may have spaces.
            let stat = std::fs::read_to_string("/proc/thread-self/stat").unwrap();
            let after = stat.rsplit_once(") ").unwrap().1;
            after.split(' ').nth(16).unwrap().parse::<i32>().unwrap()
        };
        let thread = std::thread::spawn(move || {
            step_back();
            niceness()
        });
        let after = thread.join().unwrap();
        assert!(after >= 10, "{after}");
        assert!(niceness() < 10, "this thread shall not follow");
    }
}
