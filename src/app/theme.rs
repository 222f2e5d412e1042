//! Every colour of the interface and the scene, for each theme. No colour is
//! written as a literal anywhere else.

use crate::colormap::{Diverging, Rgb};
use bevy::prelude::*;
use serde::{Deserialize, Serialize};

pub(super) fn plugin(app: &mut App) {
    app.init_resource::<Theme>();
}

/// Which colours are in use.
#[derive(Resource, Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Theme {
    /// For a screen.
    #[default]
    Dark,
    /// For a projector in a lit room.
    Light,
}

/// The colours of a theme, all sRGB.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Palette {
    /// Behind the scene.
    pub background: Rgb,
    /// Panels.
    pub panel: Rgb,
    /// Text and axes.
    pub text: Rgb,
    /// Less important text, grid lines.
    pub faint: Rgb,
    /// Selection, buttons in use, the ball.
    pub accent: Rgb,
    /// The optimiser's path.
    pub path: Rgb,
    /// Gaps between a slice and the truth.
    pub gap: Rgb,
    /// Errors and warnings.
    pub warning: Rgb,
    /// Training figures in charts.
    pub training: Rgb,
    /// Validation figures in charts.
    pub validation: Rgb,
    /// Values with a sign: weights, activations, error signals.
    pub diverging: Diverging,
}

impl Theme {
    /// The colours.
    pub fn palette(self) -> Palette {
        match self {
            Theme::Dark => Palette {
                background: Rgb::hex(0x0d1017),
                panel: Rgb::hex(0x161a23),
                text: Rgb::hex(0xe8ebf2),
                faint: Rgb::hex(0x7d8699),
                accent: Rgb::hex(0xffd166),
                path: Rgb::hex(0xffffff),
                gap: Rgb::hex(0xff6b6b),
                warning: Rgb::hex(0xff8c69),
                training: Rgb::hex(0x4fb3ff),
                validation: Rgb::hex(0xffa24d),
                diverging: Diverging {
                    negative: Rgb::hex(0xff9a3c),
                    zero: Rgb::hex(0x2b303c),
                    positive: Rgb::hex(0x4fb3ff),
                },
            },
            Theme::Light => Palette {
                background: Rgb::hex(0xffffff),
                panel: Rgb::hex(0xf3f4f7),
                text: Rgb::hex(0x14171f),
                faint: Rgb::hex(0x6a7282),
                accent: Rgb::hex(0xb35900),
                path: Rgb::hex(0x111318),
                gap: Rgb::hex(0xc2253b),
                warning: Rgb::hex(0xb3261e),
                training: Rgb::hex(0x0a62b5),
                validation: Rgb::hex(0xb85c00),
                diverging: Diverging {
                    negative: Rgb::hex(0xc25700),
                    zero: Rgb::hex(0xdcdfe6),
                    positive: Rgb::hex(0x0a62b5),
                },
            },
        }
    }
}

/// A palette colour as Bevy wants it.
pub(super) fn color(rgb: Rgb) -> Color {
    Color::srgb(rgb.r, rgb.g, rgb.b)
}

/// A palette colour in linear light, as shaders want it.
pub(super) fn linear(rgb: Rgb) -> LinearRgba {
    color(rgb).to_linear()
}
