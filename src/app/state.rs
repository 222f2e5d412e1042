//! What the user has chosen to see: plain resources that panels write and
//! scene systems read.

use super::rivals::MOST_RIVALS;
use crate::figure::HeatColors;
use crate::landscape::{Directions, Measure, Scope};
use bevy::prelude::*;
use serde::{Deserialize, Serialize};

pub(super) fn plugin(app: &mut App) {
    app.init_state::<ViewMode>()
        .init_resource::<NetworkView>()
        .init_resource::<SurfaceView>()
        .init_resource::<Selection>()
        .init_resource::<ViewRect>()
        .init_resource::<NetworkBounds>()
        .init_resource::<HoldView>()
        .add_message::<CameraRequest>();
}

/// What the window shows.
#[derive(States, Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ViewMode {
    /// The network alone.
    Network,
    /// The error surface alone.
    Surface,
    /// Both, side by side, each with its own camera.
    #[default]
    Both,
    /// Both in one scene, under one camera.
    Together,
}

/// One of the things that are shown, each with a camera of its own.
#[derive(Component, Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum SceneView {
    /// The network: render layer 0.
    #[default]
    Network,
    /// The error surface: render layer 1.
    Surface,
    /// A network beside the one on screen, by its number: render layers 2 and on.
    Beside(usize),
}

impl SceneView {
    /// How many there can be.
    pub const COUNT: usize = 2 + MOST_RIVALS;

    /// All of them, in the order of their layers.
    pub fn all() -> impl Iterator<Item = SceneView> {
        [SceneView::Network, SceneView::Surface]
            .into_iter()
            .chain((0..MOST_RIVALS).map(SceneView::Beside))
    }

    /// The render layer of this view's entities.
    pub fn layer(self) -> usize {
        match self {
            SceneView::Network => 0,
            SceneView::Surface => 1,
            SceneView::Beside(rival) => 2 + rival,
        }
    }
}

/// What a neuron's colour shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NeuronValue {
    /// Its activation for the watched sample.
    #[default]
    Activation,
    /// Its bias.
    Bias,
    /// Its error signal `dL/dz` for the watched sample.
    ErrorSignal,
}

/// What a connection's thickness and colour show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ConnectionValue {
    /// Its weight.
    #[default]
    Weight,
    /// The gradient of its weight in the last step.
    Gradient,
    /// What the last step added to its weight.
    LastChange,
}

/// How matrices become colours, in the scene and in the panel of the inside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct HeatView {
    /// The colour map.
    pub colors: HeatColors,
    /// Whether each matrix has a scale of its own; else all have one.
    pub own_scale: bool,
}

/// How the network is shown.
#[derive(Resource, Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct NetworkView {
    /// What neurons' colours show.
    pub neurons: NeuronValue,
    /// What connections show.
    pub connections: ConnectionValue,
    /// At most so many connections are drawn in all, shared among the layer
    /// pairs; within a pair the strongest.
    pub connection_budget: usize,
    /// Whether the weights between two layers stand there as heat maps, in place of the
    /// connections.
    pub maps: bool,
    /// Whether neurons of a problem in the plane show their fields over it.
    pub fields: bool,
    /// How matrices become colours.
    pub heat: HeatView,
}

impl Default for NetworkView {
    fn default() -> Self {
        NetworkView {
            neurons: NeuronValue::default(),
            connections: ConnectionValue::default(),
            connection_budget: 4000,
            maps: false,
            fields: true,
            heat: HeatView::default(),
        }
    }
}

/// How the error surface is computed and shown.
#[derive(Resource, Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SurfaceView {
    /// The plane's directions.
    pub directions: Directions,
    /// Which parameters they move.
    pub scope: Scope,
    /// What is shown over the plane.
    pub measure: Measure,
    /// The plane reaches from minus to plus this along both directions, or this
    /// many times what there is to see between checkpoints.
    pub range: f64,
    /// Points a side of the finest grid.
    pub grid: usize,
    /// Height by the logarithm of the loss.
    pub log_height: bool,
    /// Whether the plane goes with the current weights.
    pub follow: bool,
    /// Whether contour lines are drawn.
    pub contours: bool,
    /// Whether the path is drawn.
    pub path: bool,
    /// Whether the gap between each path point's true loss and the slice is drawn.
    pub gaps: bool,
    /// About how many contour lines there are.
    pub levels: usize,
    /// Whether contour lines say their losses.
    pub level_names: bool,
    /// Whether contour lines are drawn on the floor, too.
    pub floor_levels: bool,
    /// Whether the camera goes with the ball.
    pub camera_follows: bool,
    /// Whether, in a replay, the surface is that around the weights of each step.
    pub replay_surface: bool,
}

impl SurfaceView {
    /// How many contour lines there can be.
    pub const LEVELS: [usize; 5] = [6, 12, 22, 36, 60];
}

impl Default for SurfaceView {
    fn default() -> Self {
        SurfaceView {
            directions: Directions::Path,
            scope: Scope::Whole,
            measure: Measure::default(),
            range: 1.0,
            grid: 65,
            log_height: false,
            follow: true,
            contours: true,
            path: true,
            gaps: true,
            levels: SurfaceView::LEVELS[2],
            level_names: false,
            floor_levels: false,
            camera_follows: false,
            replay_surface: false,
        }
    }
}

/// Something in the scene that can be pointed at. Columns count the input as 0,
/// so that column k + 1 shows layer k.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Item {
    /// A neuron, or an input.
    Neuron {
        /// Its column.
        column: usize,
        /// Its unit within the column.
        unit: usize,
    },
    /// A connection, by the layer where it ends.
    Connection {
        /// The layer, from 0.
        layer: usize,
        /// Which of the layer's sources it comes from.
        source: usize,
        /// The unit of the source.
        from: usize,
        /// The unit of this layer.
        to: usize,
    },
}

/// What is under the pointer and what was clicked.
#[derive(Resource, Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Selection {
    /// Under the pointer.
    pub hovered: Option<Item>,
    /// Clicked last.
    pub selected: Option<Item>,
}

/// The box around the network in world space; who lays it out writes it, and
/// cameras frame it.
#[derive(Resource, Debug, Clone, Copy, PartialEq)]
pub struct NetworkBounds {
    /// The corner with the smallest coordinates.
    pub min: Vec3,
    /// The corner with the largest coordinates.
    pub max: Vec3,
}

impl Default for NetworkBounds {
    fn default() -> Self {
        NetworkBounds {
            min: Vec3::splat(-3.0),
            max: Vec3::splat(3.0),
        }
    }
}

/// Whether the network's extent changes this time without a new framing of it: something was
/// opened or closed.
#[derive(Resource, Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct HoldView(pub bool);

/// The box of the surface around its root: x and z from -5 to 5, height from 0 to 4.
pub const SURFACE_MIN: Vec3 = Vec3::new(-5.0, 0.0, -5.0);
/// See [`SURFACE_MIN`].
pub const SURFACE_MAX: Vec3 = Vec3::new(5.0, 4.0, 5.0);
/// Where the box of a pinned surface stands, seen from the live one's.
pub const PINNED_OFFSET: Vec3 = Vec3::new(-13.0, 0.0, 0.0);

/// Marks the entity that everything of the error surface hangs under. Its
/// transform is the camera code's: the surface stands elsewhere when it shares
/// a scene with the network.
#[derive(Component, Debug, Clone, Copy, Default)]
#[require(Transform, Visibility)]
pub struct SurfaceRoot;

/// A wish for another point of view.
#[derive(Message, Debug, Clone, Copy, PartialEq)]
pub enum CameraRequest {
    /// Everything in view, from the present direction.
    FrameAll,
    /// The standard direction, everything in view.
    Reset,
    /// From the front.
    Front,
    /// From above.
    Top,
    /// From the right-hand side.
    Side,
    /// This point of the view in the middle, nearer.
    Focus {
        /// Which view.
        view: SceneView,
        /// The point, in world space.
        point: Vec3,
    },
    /// This box of the view, as large as it can be seen whole from the present direction.
    Frame {
        /// Which view.
        view: SceneView,
        /// Its corner with the smallest coordinates, in world space.
        low: Vec3,
        /// That with the largest.
        high: Vec3,
    },
}

/// The part of the target that panels leave to the scene, in physical pixels;
/// `None` is all of it.
#[derive(Resource, Debug, Clone, Copy, PartialEq, Default)]
pub struct ViewRect(pub Option<Rect>);
