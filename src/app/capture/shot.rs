//! What is captured, what comes of it, and why nothing may.

use crate::app::arena::ArenaView;
use crate::app::graphics::GraphicsError;
use crate::app::state::{Item, NetworkView, SurfaceView, ViewMode};
use crate::app::text::Language;
use crate::app::theme::Theme;
use crate::app::ui::Tab;
use crate::experiment::Experiment;
use crate::insight::outline::Foreign;
use crate::train::{Problem, Resumption};
use bevy::prelude::*;
use std::sync::Arc;
use std::time::Duration;

/// What to draw.
#[derive(Debug, Clone)]
pub struct Shot {
    /// Network and data.
    pub problem: Arc<Problem>,
    /// Weights to begin with; `None` is the experiment's own start.
    pub params: Option<Arc<[f32]>>,
    /// Network, surface, or both.
    pub view: ViewMode,
    /// Width and height of a frame, in pixels.
    pub size: (u32, u32),
    /// How many frames.
    pub frames: usize,
    /// What passes for the scene from one frame to the next.
    pub frame_time: Duration,
    /// A run that has been made, with its path: it is at its end before those epochs.
    pub past: Option<Arc<Resumption>>,
    /// Frames go through the path from its first point to its last, evenly by steps,
    /// instead of training on.
    pub replay: bool,
    /// Epochs trained before the first frame.
    pub epochs: usize,
    /// Training steps from one frame to the next.
    pub steps: usize,
    /// Degrees that the cameras turn from the first frame to the last.
    pub orbit: f32,
    /// Colours.
    pub theme: Theme,
    /// Language.
    pub language: Language,
    /// Size of text and panels, from 1 to 8.
    pub scale: f32,
    /// Whether the panels are drawn.
    pub panels: bool,
    /// Whether each pixel is the mean of four.
    pub smooth: bool,
    /// How the network is shown.
    pub network: NetworkView,
    /// How the surface is shown.
    pub surface: SurfaceView,
    /// Which surface, and who races on it.
    pub arena: ArenaView,
    /// Steps of the race before the first frame.
    pub race_at: u64,
    /// Pin the surface after so many epochs beside the one after all.
    pub beside: Option<usize>,
    /// Put these networks beside it.
    pub rivals: Vec<Experiment>,
    /// With this tab of the panel of the inside; the panels are then drawn, too.
    pub inside: Option<Tab>,
    /// How far into the next step's events, half of one being half-way through it;
    /// several frames go on in slow motion.
    pub events: Option<f32>,
}

/// A frame, sRGB, four bytes a pixel, row by row from the top.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// Pixels from left to right.
    pub width: u32,
    /// Pixels from top to bottom.
    pub height: u32,
    /// `width * height * 4` bytes.
    pub rgba: Vec<u8>,
}

/// Why no frames came.
#[derive(Debug, thiserror::Error)]
pub enum CaptureError {
    /// There is nothing to draw with.
    #[error(transparent)]
    Graphics(#[from] GraphicsError),
    /// More than the adapter can draw.
    #[error("{0} x {1} pixels cannot be drawn; give 16 to 8192 a side")]
    Size(u32, u32),
    /// There is nothing to look for.
    #[error(
        "{0}: only a large network and another program's model are shown in blocks that are looked through by name"
    )]
    NotInBlocks(String),
    /// Nothing is called so.
    #[error("{0}: no layer, node, block or tensor is called so or is of this kind")]
    NotFound(String),
    /// The renderer gave nothing back.
    #[error("the renderer gave no frame back after {0} updates; update the Vulkan driver")]
    NoFrame(usize),
    /// Whoever wanted the frames gave up before the first.
    #[error("interrupted; nothing was written")]
    Cancelled,
    /// Whoever wanted the frames gave up.
    #[error("{0}")]
    Sink(String),
}

/// What is looked at of what is shown.
#[derive(Debug, Clone, Default)]
pub struct Sight {
    /// This is selected, as by a click.
    pub selected: Option<Item>,
    /// Another program's model stands in place of the network.
    pub model: Option<Arc<Foreign>>,
    /// Of what is shown in blocks all that there is room for is open.
    pub open_all: bool,
    /// The first thing that is found under this name or kind is shown.
    pub find: Option<String>,
}

impl Frame {
    /// Half as wide and high: each pixel the mean of four, in linear light.
    pub(in crate::app) fn halved(&self) -> Frame {
        let (width, height) = (self.width / 2, self.height / 2);
        let to_linear: Vec<f32> = (0..256)
            .map(|v| Color::srgb_u8(v as u8, 0, 0).to_linear().red)
            .collect();
        let row = self.width as usize * 4;
        let mut rgba = Vec::with_capacity((width * height * 4) as usize);
        for y in 0..height as usize {
            for x in 0..width as usize {
                let first = 2 * y * row + 8 * x;
                for channel in 0..3 {
                    let sum: f32 = [0, 4, row, row + 4]
                        .iter()
                        .map(|offset| to_linear[self.rgba[first + offset + channel] as usize])
                        .sum();
                    let srgb = Srgba::from(LinearRgba::rgb(0.25 * sum, 0.0, 0.0)).red;
                    rgba.push((srgb * 255.0).round() as u8);
                }
                rgba.push(255);
            }
        }
        Frame {
            width,
            height,
            rgba,
        }
    }

    /// The colour at a place, from the left and the top.
    pub fn pixel(&self, x: u32, y: u32) -> [u8; 3] {
        let at = ((y * self.width + x) * 4) as usize;
        [self.rgba[at], self.rgba[at + 1], self.rgba[at + 2]]
    }
}

#[cfg(test)]
mod tests {
    use super::Frame;

    #[test]
    fn halving_keeps_flat_colours_and_mixes_light() {
        let flat = Frame {
            width: 2,
            height: 2,
            rgba: [10, 128, 250, 255].repeat(4),
        };
        assert_eq!(flat.halved().rgba, vec![10, 128, 250, 255]);
        let mut rgba = [0, 0, 0, 255].repeat(2);
        rgba.extend([255, 255, 255, 255].repeat(2));
        let mixed = Frame {
            width: 2,
            height: 2,
            rgba,
        }
        .halved();
        // Half the light is sRGB 188, not 128.
        assert_eq!(mixed.pixel(0, 0), [188, 188, 188]);
    }
}
