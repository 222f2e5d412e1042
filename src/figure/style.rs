//! The colours of figures.

use crate::colormap::{Diverging, Rgb};

/// For which surroundings a figure is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Tone {
    /// Dark, for a screen.
    #[default]
    Dark,
    /// Light, for print and projectors.
    Light,
}

/// The colours of one tone.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Style {
    /// Behind everything.
    pub background: Rgb,
    /// Text and axes.
    pub text: Rgb,
    /// Less important text.
    pub faint: Rgb,
    /// Grid lines.
    pub grid: Rgb,
    /// Training figures.
    pub training: Rgb,
    /// Validation figures.
    pub validation: Rgb,
    /// A path in three dimensions, over any colour map.
    pub path: Rgb,
    /// From a path to the surface.
    pub gap: Rgb,
    /// Values with a sign.
    pub diverging: Diverging,
}

impl Tone {
    /// The colours.
    pub fn style(self) -> Style {
        match self {
            Tone::Dark => Style {
                background: Rgb::hex(0x0d1017),
                text: Rgb::hex(0xe8ebf2),
                faint: Rgb::hex(0x8f98aa),
                grid: Rgb::hex(0x262c38),
                path: Rgb::hex(0xff4d6d),
                gap: Rgb::hex(0xffb3c1),
                training: Rgb::hex(0x4fb3ff),
                validation: Rgb::hex(0xffa24d),
                diverging: Diverging {
                    negative: Rgb::hex(0xff9a3c),
                    zero: Rgb::hex(0x2b303c),
                    positive: Rgb::hex(0x4fb3ff),
                },
            },
            Tone::Light => Style {
                background: Rgb::hex(0xffffff),
                text: Rgb::hex(0x14171f),
                faint: Rgb::hex(0x5f6776),
                grid: Rgb::hex(0xe2e5eb),
                path: Rgb::hex(0xd6003c),
                gap: Rgb::hex(0xa0324f),
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
