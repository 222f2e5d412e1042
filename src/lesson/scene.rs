//! A scene of a lesson.

use crate::experiment::OptimizerConfig;
use crate::landscape::{Analytic, Directions};
use serde::Deserialize;

/// A text in both languages.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Both {
    /// In English.
    pub en: String,
    /// In simplified Chinese.
    pub zh: String,
}

/// What is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ViewName {
    /// The network alone.
    #[default]
    Network,
    /// The error surface alone.
    Surface,
    /// Both side by side.
    Both,
    /// Both in one scene.
    Together,
}

/// What goes on by itself once the scene is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Play {
    /// Nothing.
    #[default]
    Nothing,
    /// Events, in slow motion.
    Events,
    /// Training.
    Training,
    /// The race.
    Race,
}

/// What neurons show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NeuronsOf {
    /// Activations.
    #[default]
    Activation,
    /// Biases.
    Bias,
    /// Error signals.
    ErrorSignal,
}

/// What connections show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ConnectionsOf {
    /// Weights.
    #[default]
    Weight,
    /// Gradients.
    Gradient,
    /// What the last step changed.
    LastChange,
}

/// What is lit and explained.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Select {
    /// A neuron: its column (0 has the inputs) and its unit, both from 0.
    Neuron([usize; 2]),
    /// A weight: its layer, the unit where it ends and the one where it begins, all
    /// from 0.
    Weight([usize; 3]),
}

/// How the error surface is shown.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SurfacePlan {
    /// The plane, as for `gradscape surface --directions`.
    pub directions: Option<String>,
    /// How far it reaches.
    pub range: Option<f64>,
    /// Whether heights are logarithmic.
    pub log: bool,
    /// Whether it stays where it is while weights move.
    pub still: bool,
    /// Whether the optimiser's path is left out, and with it what is said of it.
    pub no_path: bool,
}

/// A function of x and y, and who races on it (or on the network's surface).
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Race {
    /// The function; without one it is the network's own surface.
    pub function: Option<String>,
    /// The ranges of x and of y.
    pub domain: Option<[[f64; 2]; 2]>,
    /// Where the race begins.
    pub start: Option<[f64; 2]>,
    /// Whether the function's heights are logarithmic.
    pub log: bool,
    /// Who races, each with its constants.
    pub racers: Vec<OptimizerConfig>,
    /// Steps that have been made when the scene begins.
    pub at: u64,
    /// The last step.
    pub steps: Option<u64>,
}

/// From where it is seen.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CameraPose {
    /// Degrees about the vertical, from the front.
    pub yaw: f32,
    /// Degrees from the horizon, upwards.
    pub pitch: f32,
    /// How near, as a multiple of what shows everything.
    #[serde(default = "one")]
    pub zoom: f32,
}

fn one() -> f32 {
    1.0
}

/// Something to be answered before the lesson goes on.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Question {
    /// What is asked.
    pub text: Both,
    /// The answers to choose from.
    pub answers: Vec<Both>,
    /// The right one, from 0.
    pub right: usize,
    /// Why, said once it was answered.
    pub why: Both,
    /// How many events show the answer.
    #[serde(default)]
    pub reveal: usize,
}

/// What is shown, and what is said of it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scene {
    /// A heading.
    pub title: Both,
    /// What the audience reads.
    pub caption: Both,
    /// What only the lecturer reads.
    #[serde(default)]
    pub notes: Option<Both>,
    /// One of the lesson's experiments, or a sample.
    pub experiment: String,
    /// Network, surface, or both.
    #[serde(default)]
    pub view: ViewName,
    /// Epochs that have been trained.
    #[serde(default)]
    pub epochs: usize,
    /// Events that have happened in the next step; without it the run is not gone
    /// through event by event.
    #[serde(default)]
    pub events: Option<usize>,
    /// What goes on by itself.
    #[serde(default)]
    pub play: Play,
    /// What is lit.
    #[serde(default)]
    pub select: Option<Select>,
    /// What neurons show.
    #[serde(default)]
    pub neurons: NeuronsOf,
    /// What connections show.
    #[serde(default)]
    pub connections: ConnectionsOf,
    /// Whether weights stand between the layers as heat maps.
    #[serde(default)]
    pub maps: bool,
    /// Whether neurons show their fields over the plane of inputs.
    #[serde(default)]
    pub fields: bool,
    /// The surface.
    #[serde(default)]
    pub surface: SurfacePlan,
    /// The race, or the function.
    #[serde(default)]
    pub race: Option<Race>,
    /// Paper to draw on lies beside it, with these strokes on it: points from `[0, 0]`,
    /// the upper left corner, to `[1, 1]`.
    #[serde(default)]
    pub draw: Option<Vec<Vec<[f32; 2]>>>,
    /// Whether the chain rule is shown as a path.
    #[serde(default)]
    pub chain: bool,
    /// Whether the panel with curves and data is shown beside it.
    #[serde(default)]
    pub panel: bool,
    /// From where it is seen.
    #[serde(default)]
    pub camera: Option<CameraPose>,
    /// Something to be answered.
    #[serde(default)]
    pub question: Option<Question>,
}

/// The most epochs that a scene trains while it loads.
const MOST_EPOCHS: usize = 20_000;

impl Scene {
    /// What is wrong with it, naming the key.
    pub(super) fn check(&self) -> Result<(), String> {
        let texts = [&self.title, &self.caption].into_iter();
        let notes = self.notes.iter();
        let question = self.question.iter().flat_map(|q| {
            let own = [&q.text, &q.why].into_iter();
            own.chain(&q.answers)
        });
        for both in texts.chain(notes).chain(question) {
            if both.en.trim().is_empty() || both.zh.trim().is_empty() {
                return Err("a text is empty in one of the languages".to_owned());
            }
        }
        if self.epochs > MOST_EPOCHS {
            let epochs = self.epochs;
            return Err(format!("epochs: {epochs} is more than {MOST_EPOCHS}"));
        }
        if let Some(directions) = &self.surface.directions {
            let parsed = directions.parse::<Directions>();
            parsed.map_err(|error| format!("surface.directions: {error}"))?;
        }
        if self.chain && self.events.is_none() {
            let message = "chain: it needs events, as many as lead behind the loss";
            return Err(message.to_owned());
        }
        if let Some(range) = self.surface.range
            && !(range.is_finite() && range > 0.0)
        {
            return Err(format!("surface.range: {range} is no number above 0"));
        }
        if let Some(function) = self.race.as_ref().and_then(|race| race.function.as_ref()) {
            let found = Analytic::find(function);
            found.map_err(|error| format!("race.function: {error}"))?;
        }
        if let Some(question) = &self.question {
            let n = question.answers.len();
            if !(2..=9).contains(&n) || question.right >= n {
                return Err(format!(
                    "question: {n} answers, of which number {} is right, counted from 0; give 2 \
                     to 9 and the number of one of them",
                    question.right
                ));
            }
        }
        Ok(())
    }
}
