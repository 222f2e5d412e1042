//! What panels see and what they may ask for.

use crate::app::search::SearchCommand;
use crate::app::settings::Choices;
use crate::app::theme::{Palette, Theme};
use crate::app::{
    Arena, Blocks, CameraRequest, ErrorSurface, LitWays, Notice, PictureWish, PinCommand,
    RaceCommand, ReplayWish, RivalWish, Rivals, Selection, StudyWish, Texts, Training, WatchWish,
    Watching, WeightsWish,
};
use crate::experiment::Experiment;
use crate::train::TrainCommand;
use crate::train::micro::Chain;
use std::path::PathBuf;
use std::sync::Arc;

/// Something that a panel asks for and the systems around it carry out.
#[derive(Debug, Clone)]
pub enum Intent {
    /// Tell the run.
    Train(TrainCommand),
    /// Load another experiment.
    Load {
        /// The experiment.
        experiment: Box<Experiment>,
        /// Whether it starts at once.
        start: bool,
    },
    /// Open a file: an experiment, data, or another program's model.
    Open(PathBuf),
    /// Open a recorded run, with its past.
    OpenRun(PathBuf),
    /// Go on from the weights that are shown with another experiment, as a run of its own.
    Branch(Box<Experiment>),
    /// Give up opening one.
    CancelOpening,
    /// Show the network again in place of another program's model.
    LeaveModel,
    /// Write an experiment into a file.
    Save {
        /// What to write.
        experiment: Box<Experiment>,
        /// Where.
        path: PathBuf,
    },
    /// Another point of view.
    Camera(CameraRequest),
    /// Tell the user.
    Notify(Notice),
    /// Other weights, or the earlier ones back.
    Weights(WeightsWish),
    /// Another time.
    Replay(ReplayWish),
    /// A picture in a file.
    Picture(PictureWish),
    /// Begin or stop a search.
    Search(SearchCommand),
    /// Run, pause or rewind the race.
    Race(RaceCommand),
    /// Keep the surface, or let it go.
    Pin(PinCommand),
    /// Look into the weights.
    Study(StudyWish),
    /// Put networks beside the one on screen, or take them away.
    Rival(RivalWish),
    /// Watch a run elsewhere, or no more.
    Watch(WatchWish),
    /// Light these ways of an answer through the network, or none.
    Ways(Option<Arc<LitWays>>),
}

/// Everything a panel can read, what it can change at once, and where it puts
/// its wishes.
pub struct Stage<'a> {
    /// The strings.
    pub texts: &'a Texts,
    /// The colours.
    pub palette: Palette,
    /// The theme that the colours are of; another that is chosen comes with the next frame.
    pub theme: Theme,
    /// The run.
    pub training: &'a Training,
    /// The error surface.
    pub surface: &'a ErrorSurface,
    /// The race.
    pub arena: &'a Arena,
    /// The way of the chain rule that is shown.
    pub chain: Option<Arc<Chain>>,
    /// The networks beside the one on screen.
    pub rivals: &'a Rivals,
    /// Runs elsewhere.
    pub watching: &'a Watching,
    /// Whether a surface is pinned beside the live one.
    pub pinned: bool,
    /// Whether an experiment is being loaded.
    pub loading: bool,
    /// The file that is being opened: its name, the key of what is being done with it, and
    /// how far it has come, 0 to 1.
    pub opening: Option<(String, &'static str, f32)>,
    /// What is shown in blocks.
    pub blocks: &'a mut Blocks,
    /// What can be chosen.
    pub choices: &'a mut Choices,
    /// What is selected in the scene.
    pub selection: &'a mut Selection,
    /// The wishes.
    pub intents: &'a mut Vec<Intent>,
}

impl<'a> Stage<'a> {
    /// A string of the language in use.
    pub fn t(&self, key: &'a str) -> &'a str {
        self.texts.get(key)
    }

    /// What the axis of curves is called: epochs, or steps where epochs are not told.
    pub fn axis(&self) -> &'static str {
        match self.training.elsewhere {
            Some(_) => "figure.step",
            None => "figure.epoch",
        }
    }

    /// The networks side by side, the one on screen first.
    pub fn networks(&self) -> Vec<&'a Training> {
        std::iter::once(self.training)
            .chain(&self.rivals.list)
            .collect()
    }

    /// Tells the run something.
    pub fn train(&mut self, command: TrainCommand) {
        self.intents.push(Intent::Train(command));
    }
}
