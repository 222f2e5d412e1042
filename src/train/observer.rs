//! Who is told of everything that happens to a run.

use super::session::Session;
use super::snapshot::TrainCommand;

/// Told of each step and each command of a [`Session`], on the thread that runs it:
/// what it does is time that training waits.
pub trait Observer: Send + Sync {
    /// A step was made, or could not be made and the run has diverged or stopped. The
    /// history's row and the path's point of it are there already.
    fn stepped(&mut self, session: &Session);

    /// A command was carried out, or a run came to rest by itself (then there is none).
    /// The steps of the command were told before.
    fn settled(&mut self, session: &Session, command: Option<&TrainCommand>);
}
