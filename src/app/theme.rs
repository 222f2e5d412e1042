//! Every colour of the interface and the scene, for each theme. No colour is
//! written as a literal anywhere else.

use crate::colormap::{Diverging, Rgb};
use crate::figure::Tone;
use bevy::prelude::*;
use bevy_egui::{EguiContext, EguiPreUpdateSet, egui};
use serde::{Deserialize, Serialize};

pub(super) fn plugin(app: &mut App) {
    app.init_resource::<Theme>().add_systems(
        PreUpdate,
        dress_contexts
            .after(EguiPreUpdateSet::InitContexts)
            .before(EguiPreUpdateSet::BeginPass),
    );
}

/// Which two colours tell the signs of values apart. Those with a colour are safe for
/// the common colour vision deficiencies; each sign also has its own pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Signs {
    /// Blue above zero, orange below.
    #[default]
    BlueOrange,
    /// Blue above zero, red below.
    BlueRed,
    /// Purple above zero, green below.
    PurpleGreen,
    /// By lightness alone.
    Grey,
}

impl Signs {
    /// All of them.
    pub const ALL: [Signs; 4] = [
        Signs::BlueOrange,
        Signs::BlueRed,
        Signs::PurpleGreen,
        Signs::Grey,
    ];

    /// As settings and the texts have it.
    pub fn name(self) -> &'static str {
        match self {
            Signs::BlueOrange => "blue-orange",
            Signs::BlueRed => "blue-red",
            Signs::PurpleGreen => "purple-green",
            Signs::Grey => "grey",
        }
    }

    /// The ends above zero and below, on a dark and on a light ground.
    fn ends(self, tone: Tone) -> [Rgb; 2] {
        let [positive, negative] = match (self, tone) {
            (Signs::BlueOrange, Tone::Dark) => [0x4fb3ff, 0xff9a3c],
            (Signs::BlueOrange, Tone::Light) => [0x0a62b5, 0xc25700],
            (Signs::BlueRed, Tone::Dark) => [0x5aa9ff, 0xff6f61],
            (Signs::BlueRed, Tone::Light) => [0x1f5fae, 0xb3202c],
            (Signs::PurpleGreen, Tone::Dark) => [0xc79bff, 0x6fd08c],
            (Signs::PurpleGreen, Tone::Light) => [0x6a2fa0, 0x1b7837],
            (Signs::Grey, Tone::Dark) => [0xffffff, 0x8c93a1],
            (Signs::Grey, Tone::Light) => [0x000000, 0x7a8190],
        };
        [positive, negative].map(Rgb::hex)
    }
}

/// Which colours are in use. In settings a few words: `dark`, `light high-contrast
/// purple-green`.
#[derive(Resource, Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Theme {
    /// Dark for a screen, light for a projector in a lit room.
    pub tone: Tone,
    /// Whether text and lines stand out as much as they can.
    pub contrast: bool,
    /// The colours of signs.
    pub signs: Signs,
}

impl From<Theme> for String {
    fn from(theme: Theme) -> Self {
        let mut words = vec![match theme.tone {
            Tone::Dark => "dark",
            Tone::Light => "light",
        }];
        words.extend(theme.contrast.then_some("high-contrast"));
        words.extend((theme.signs != Signs::default()).then(|| theme.signs.name()));
        words.join(" ")
    }
}

impl TryFrom<String> for Theme {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let mut theme = Theme::DARK;
        for word in text.split_whitespace() {
            match word {
                "dark" => theme.tone = Tone::Dark,
                "light" => theme.tone = Tone::Light,
                "high-contrast" => theme.contrast = true,
                other => {
                    let known = Signs::ALL.into_iter().find(|signs| signs.name() == other);
                    theme.signs = known.ok_or_else(|| format!("no theme has a word {other:?}"))?;
                }
            }
        }
        Ok(theme)
    }
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
    /// The lecturer's pointer.
    pub laser: Rgb,
    /// Training figures in charts.
    pub training: Rgb,
    /// Validation figures in charts.
    pub validation: Rgb,
    /// Values with a sign: weights, activations, error signals.
    pub diverging: Diverging,
    /// Data classes beyond two, in order: Okabe and Ito's colours, which stay
    /// apart for the colour-blind, darker or lighter as the theme needs.
    pub classes: [Rgb; 10],
}

impl Palette {
    /// The colour of class `k` of `n`: of two, the ends of the diverging map.
    pub fn class(&self, k: usize, n: usize) -> Rgb {
        match (n, k) {
            (0..=2, 0) => self.diverging.negative,
            (0..=2, _) => self.diverging.positive,
            _ => self.classes[k % self.classes.len()],
        }
    }
}

impl Palette {
    /// The colour of racer `k`. Who cannot tell two of them apart has the letters.
    pub fn racer(&self, k: usize) -> Rgb {
        self.classes[k % self.classes.len()]
    }
}

impl Theme {
    /// For a screen.
    pub const DARK: Theme = Theme {
        tone: Tone::Dark,
        contrast: false,
        signs: Signs::BlueOrange,
    };
    /// For a projector in a lit room.
    pub const LIGHT: Theme = Theme {
        tone: Tone::Light,
        ..Theme::DARK
    };

    /// The same on the other ground.
    pub fn turned(self) -> Self {
        let tone = match self.tone {
            Tone::Dark => Tone::Light,
            Tone::Light => Tone::Dark,
        };
        Theme { tone, ..self }
    }

    /// The same with the next colours of signs.
    pub fn with_next_signs(self) -> Self {
        let all = Signs::ALL;
        let at = all.iter().position(|signs| *signs == self.signs);
        let signs = all[at.map_or(0, |at| (at + 1) % all.len())];
        Theme { signs, ..self }
    }

    /// The colours.
    pub fn palette(self) -> Palette {
        let mut palette = usual(self.tone);
        let [positive, negative] = self.signs.ends(self.tone);
        palette.diverging = Diverging {
            positive,
            negative,
            ..palette.diverging
        };
        if self.contrast {
            let (background, text) = match self.tone {
                Tone::Dark => (Rgb::hex(0x000000), Rgb::hex(0xffffff)),
                Tone::Light => (Rgb::hex(0xffffff), Rgb::hex(0x000000)),
            };
            (palette.background, palette.panel) = (background, background);
            (palette.text, palette.path) = (text, text);
            palette.faint = background.blend(text, 0.86);
            for color in [
                &mut palette.accent,
                &mut palette.warning,
                &mut palette.training,
                &mut palette.validation,
                &mut palette.gap,
            ] {
                *color = color.blend(text, 0.22);
            }
        }
        palette
    }
}

/// The colours with the usual contrast and signs.
fn usual(tone: Tone) -> Palette {
    match tone {
        Tone::Dark => Palette {
            background: Rgb::hex(0x0d1017),
            panel: Rgb::hex(0x161a23),
            text: Rgb::hex(0xe8ebf2),
            faint: Rgb::hex(0x98a1b3),
            accent: Rgb::hex(0xffd166),
            path: Rgb::hex(0xffffff),
            gap: Rgb::hex(0xff6b6b),
            warning: Rgb::hex(0xff8c69),
            laser: Rgb::hex(0xff2e4d),
            training: Rgb::hex(0x4fb3ff),
            validation: Rgb::hex(0xffa24d),
            diverging: Diverging {
                negative: Rgb::hex(0xff9a3c),
                zero: Rgb::hex(0x2b303c),
                positive: Rgb::hex(0x4fb3ff),
            },
            classes: [
                0x56b4e9, 0xe69f00, 0x2fc48d, 0xf0e442, 0xe07b9f, 0x8d9bf0, 0xf07a3c, 0xb8e0a0,
                0xc9a4e8, 0xb9bec9,
            ]
            .map(Rgb::hex),
        },
        Tone::Light => Palette {
            background: Rgb::hex(0xffffff),
            panel: Rgb::hex(0xf3f4f7),
            text: Rgb::hex(0x14171f),
            faint: Rgb::hex(0x596172),
            accent: Rgb::hex(0xb35900),
            path: Rgb::hex(0x111318),
            gap: Rgb::hex(0xc2253b),
            warning: Rgb::hex(0xb3261e),
            laser: Rgb::hex(0xf00030),
            training: Rgb::hex(0x0a62b5),
            validation: Rgb::hex(0xb85c00),
            diverging: Diverging {
                negative: Rgb::hex(0xc25700),
                zero: Rgb::hex(0xdcdfe6),
                positive: Rgb::hex(0x0a62b5),
            },
            classes: [
                0x0072b2, 0xb87700, 0x00805c, 0x8a7d00, 0xb0437a, 0x4a4fc4, 0xc24a00, 0x4f8a2a,
                0x7d3fb0, 0x5c6370,
            ]
            .map(Rgb::hex),
        },
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

/// A palette colour as egui wants it.
pub(super) fn color32(rgb: Rgb) -> egui::Color32 {
    let [r, g, b] = rgb.bytes();
    egui::Color32::from_rgb(r, g, b)
}

/// Brings every egui context into the theme when it appears or the theme changes.
fn dress_contexts(theme: Res<Theme>, mut contexts: Query<&mut EguiContext>) {
    for mut context in &mut contexts {
        if theme.is_changed() || context.is_added() {
            theme.dress(context.get_mut());
        }
    }
}

impl Theme {
    /// Gives an egui context this theme's colours, sizes and spacing.
    pub fn dress(self, ctx: &egui::Context) {
        let base = match self.tone {
            Tone::Dark => egui::Theme::Dark,
            Tone::Light => egui::Theme::Light,
        };
        ctx.set_theme(base);
        ctx.set_style_of(base, self.style());
        ctx.options_mut(|options| options.zoom_with_keyboard = false);
    }

    fn style(self) -> egui::Style {
        use egui::{
            FontFamily::{Monospace, Proportional},
            FontId, TextStyle, vec2,
        };
        let mut style = egui::Style {
            visuals: self.visuals(),
            ..egui::Style::default()
        };
        style.text_styles = [
            (TextStyle::Small, FontId::new(12.0, Proportional)),
            (TextStyle::Body, FontId::new(14.5, Proportional)),
            (TextStyle::Button, FontId::new(14.5, Proportional)),
            (TextStyle::Heading, FontId::new(18.0, Proportional)),
            (TextStyle::Monospace, FontId::new(13.5, Monospace)),
        ]
        .into();
        let spacing = &mut style.spacing;
        spacing.item_spacing = vec2(8.0, 7.0);
        spacing.button_padding = vec2(9.0, 3.0);
        spacing.interact_size = vec2(32.0, 26.0);
        spacing.slider_rail_height = 4.0;
        spacing.icon_width = 17.0;
        spacing.icon_width_inner = 10.0;
        spacing.icon_spacing = 7.0;
        spacing.menu_margin = egui::Margin::same(8);
        spacing.window_margin = egui::Margin::same(16);
        spacing.combo_height = 360.0;
        spacing.tooltip_width = 320.0;
        spacing.scroll = egui::style::ScrollStyle::thin();
        // Drawn as a translucent shade, which a light panel shows as a grey bar.
        spacing.scroll.fade.strength = 0.0;
        style.interaction.selectable_labels = false;
        style.interaction.tooltip_delay = 0.35;
        style.animation_time = 0.1;
        style
    }

    fn visuals(self) -> egui::Visuals {
        use egui::{CornerRadius, Stroke};
        let p = self.palette();
        let mix = |t: f32| color32(p.panel.blend(p.text, t));
        let radius = CornerRadius::same(5);
        let (text, accent) = (color32(p.text), color32(p.accent));
        let mut v = match self.tone {
            Tone::Dark => egui::Visuals::dark(),
            Tone::Light => egui::Visuals::light(),
        };
        let edge = if self.contrast { 0.6 } else { 0.0 };
        let look = |fill: f32, stroke: f32, fg: egui::Color32| egui::style::WidgetVisuals {
            bg_fill: mix(fill),
            weak_bg_fill: mix(fill),
            bg_stroke: Stroke::new(1.0, mix(edge + (1.0 - edge) * stroke)),
            corner_radius: radius,
            fg_stroke: Stroke::new(1.3, fg),
            expansion: 0.0,
        };
        v.widgets.noninteractive = look(0.0, 0.12, text);
        v.widgets.inactive = look(0.09, 0.15, text);
        v.widgets.inactive.bg_fill = mix(0.13);
        v.widgets.hovered = look(0.16, 0.28, text);
        v.widgets.active = look(0.22, 0.4, text);
        v.widgets.open = look(0.12, 0.28, text);
        v.selection.bg_fill = color32(p.panel.blend(p.accent, 0.32));
        v.selection.stroke = Stroke::new(1.3, text);
        v.weak_text_color = Some(color32(p.faint));
        v.hyperlink_color = accent;
        v.panel_fill = color32(p.panel);
        v.window_fill = mix(0.03);
        v.window_stroke = Stroke::new(1.0, mix(0.16));
        v.window_corner_radius = CornerRadius::same(12);
        v.menu_corner_radius = CornerRadius::same(8);
        v.extreme_bg_color = color32(p.panel.blend(p.background, 0.7));
        v.text_edit_bg_color = Some(v.extreme_bg_color);
        v.faint_bg_color = mix(0.035);
        v.code_bg_color = mix(0.06);
        v.warn_fg_color = color32(p.warning);
        v.error_fg_color = color32(p.warning);
        v.slider_trailing_fill = true;
        v.handle_shape = egui::style::HandleShape::Rect { aspect_ratio: 0.42 };
        v.striped = false;
        v.indent_has_left_vline = false;
        v.button_frame = true;
        v
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// WCAG 2.1, "contrast ratio".
    fn contrast(a: Rgb, b: Rgb) -> f32 {
        let luminance = |c: Rgb| {
            let c = linear(c);
            0.2126 * c.red + 0.7152 * c.green + 0.0722 * c.blue
        };
        let (a, b) = (luminance(a), luminance(b));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    fn every_theme() -> Vec<Theme> {
        let mut all = Vec::new();
        for tone in [Tone::Dark, Tone::Light] {
            for contrast in [false, true] {
                all.extend(Signs::ALL.map(|signs| Theme {
                    tone,
                    contrast,
                    signs,
                }));
            }
        }
        all
    }

    /// How an eye without one kind of cone sees a colour, in linear light: F. Vienot,
    /// H. Brettel, J. Mollon, "Digital video colourmaps for checking the legibility of
    /// displays by dichromats", 1999 (protan, deutan), on linear RGB.
    fn dichromat(c: Rgb, protan: bool) -> [f32; 3] {
        let c = linear(c);
        let (r, g, b) = (c.red, c.green, c.blue);
        if protan {
            let y = 0.112_38 * r + 0.887_62 * g;
            [y, y, 0.004_01 * r - 0.004_01 * g + b]
        } else {
            let y = 0.292_75 * r + 0.707_25 * g;
            [y, y, -0.022_34 * r + 0.022_34 * g + b]
        }
    }

    #[test]
    fn signs_stay_apart_for_the_colour_blind_in_every_theme() {
        for theme in every_theme() {
            let d = theme.palette().diverging;
            for protan in [false, true] {
                let seen = [d.positive, d.negative].map(|c| dichromat(c, protan));
                // In perceptual units: cube roots of light.
                let far: f32 = (0..3)
                    .map(|k| seen[0][k].max(0.0).cbrt() - seen[1][k].max(0.0).cbrt())
                    .map(|v| v * v)
                    .sum();
                assert!(far.sqrt() > 0.2, "{theme:?}, protan {protan}: {far}");
            }
        }
    }

    #[test]
    fn a_theme_is_a_few_words_and_old_settings_are_understood() {
        for theme in every_theme() {
            assert_eq!(Theme::try_from(String::from(theme)), Ok(theme));
        }
        assert_eq!(Theme::try_from("light".to_owned()), Ok(Theme::LIGHT));
        assert!(Theme::try_from("pink".to_owned()).is_err());
    }

    #[test]
    fn text_is_legible_on_every_ground_of_both_themes() {
        for theme in every_theme() {
            let p = theme.palette();
            let least_text = if theme.contrast { 15.0 } else { 7.0 };
            for ground in [p.background, p.panel, p.panel.blend(p.text, 0.09)] {
                for (least, what, color) in [
                    (least_text, "text", p.text),
                    (if theme.contrast { 7.0 } else { 4.5 }, "faint", p.faint),
                    (4.5, "warning", p.warning),
                    (3.0, "training", p.training),
                    (3.0, "validation", p.validation),
                    (3.0, "accent", p.accent),
                ] {
                    let ratio = contrast(color, ground);
                    assert!(ratio >= least, "{theme:?} {what}: {ratio:.2} < {least}");
                }
            }
            for (k, color) in p.classes.iter().enumerate() {
                assert!(contrast(*color, p.background) >= 3.0, "{theme:?} class {k}");
            }
            for end in [p.diverging.positive, p.diverging.negative] {
                assert!(contrast(end, p.background) >= 3.0, "{theme:?} signs");
            }
            let selected = p.panel.blend(p.accent, 0.32);
            assert!(contrast(p.text, selected) >= 4.5, "{theme:?} selection");
        }
    }
}
