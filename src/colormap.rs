//! Numbers to colours.
//!
//! Losses use viridis (perceptually uniform, in grey order, legible to the
//! colour-blind). Signed values use a diverging map whose two ends, blue and
//! orange, stay apart under every common colour vision deficiency, blended in
//! OKLab so that equal steps look equal.

/// An sRGB colour, each channel from 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rgb {
    /// Red.
    pub r: f32,
    /// Green.
    pub g: f32,
    /// Blue.
    pub b: f32,
}

impl Rgb {
    /// The colour written `0xRRGGBB`.
    pub const fn hex(rgb: u32) -> Self {
        Rgb {
            r: ((rgb >> 16) & 255) as f32 / 255.0,
            g: ((rgb >> 8) & 255) as f32 / 255.0,
            b: (rgb & 255) as f32 / 255.0,
        }
    }

    /// The colour in bytes.
    pub fn bytes(self) -> [u8; 3] {
        [self.r, self.g, self.b].map(|c| (c.clamp(0.0, 1.0) * 255.0).round() as u8)
    }

    /// The colour's channels in proportion to light, as vertex colours are.
    pub fn linear(self) -> [f32; 3] {
        [self.r, self.g, self.b].map(to_linear)
    }

    /// The colour as CSS writes it, `#rrggbb`.
    pub fn css(self) -> String {
        let [r, g, b] = self.bytes();
        format!("#{r:02x}{g:02x}{b:02x}")
    }

    /// This colour at `t` = 0, `other` at 1, blended in OKLab.
    pub fn blend(self, other: Rgb, t: f32) -> Rgb {
        let (a, b) = (self.to_oklab(), other.to_oklab());
        let t = t.clamp(0.0, 1.0);
        Rgb::from_oklab(std::array::from_fn(|i| a[i] + t * (b[i] - a[i])))
    }

    // B. Ottosson, "A perceptual color space for image processing", 2020.
    fn to_oklab(self) -> [f32; 3] {
        let [r, g, b] = [self.r, self.g, self.b].map(to_linear);
        let l = (0.412_221_47 * r + 0.536_332_54 * g + 0.051_445_993 * b).cbrt();
        let m = (0.211_903_5 * r + 0.680_699_5 * g + 0.107_396_96 * b).cbrt();
        let s = (0.088_302_46 * r + 0.281_718_84 * g + 0.629_978_7 * b).cbrt();
        [
            0.210_454_26 * l + 0.793_617_8 * m - 0.004_072_047 * s,
            1.977_998_5 * l - 2.428_592_2 * m + 0.450_593_7 * s,
            0.025_904_037 * l + 0.782_771_77 * m - 0.808_675_77 * s,
        ]
    }

    fn from_oklab([l, a, b]: [f32; 3]) -> Rgb {
        let lc = (l + 0.396_337_78 * a + 0.215_803_76 * b).powi(3);
        let mc = (l - 0.105_561_346 * a - 0.063_854_17 * b).powi(3);
        let sc = (l - 0.089_484_18 * a - 1.291_485_5 * b).powi(3);
        Rgb {
            r: from_linear(4.076_741_7 * lc - 3.307_711_6 * mc + 0.230_969_94 * sc),
            g: from_linear(-1.268_438 * lc + 2.609_757_4 * mc - 0.341_319_38 * sc),
            b: from_linear(-0.004_196_086_3 * lc - 0.703_418_6 * mc + 1.707_614_7 * sc),
        }
    }
}

fn to_linear(c: f32) -> f32 {
    if c <= 0.040_45 {
        c / 12.92
    } else {
        ((c + 0.055) / 1.055).powf(2.4)
    }
}

fn from_linear(c: f32) -> f32 {
    let c = c.clamp(0.0, 1.0);
    if c <= 0.003_130_8 {
        12.92 * c
    } else {
        1.055 * c.powf(1.0 / 2.4) - 0.055
    }
}

/// A map for values with a sign.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Diverging {
    /// The colour of -1.
    pub negative: Rgb,
    /// The colour of 0.
    pub zero: Rgb,
    /// The colour of 1.
    pub positive: Rgb,
}

impl Diverging {
    /// The colour of `t` from -1 to 1; values outside and NaN are clamped to
    /// the ends and to zero.
    pub fn at(&self, t: f32) -> Rgb {
        let end = if t < 0.0 {
            self.negative
        } else {
            self.positive
        };
        let t = if t.is_nan() { 0.0 } else { t.abs().min(1.0) };
        self.zero.blend(end, t)
    }
}

/// Colours of a race's racers: apart from each other and from viridis.
const RACERS: [u32; 16] = [
    0xff5a4d, 0x6cc8ff, 0xffc21f, 0xff8ad8, 0xf4f4f4, 0xff8f1f, 0x4d7dff, 0x8effc0, 0xd84df5,
    0xc98f5a, 0xff6f91, 0x00e0e8, 0xc3a6ff, 0xc2cf3a, 0xb01e5a, 0x9aa4b2,
];

/// The colour of racer number `index`, from 0; after 16 they repeat. To be drawn
/// over viridis or on a dark ground; on a light one it is darkened.
pub fn racer_color(index: usize, on_light: bool) -> Rgb {
    let color = Rgb::hex(RACERS[index % RACERS.len()]);
    if on_light {
        color.blend(Rgb::hex(0x000000), 0.32)
    } else {
        color
    }
}

/// Viridis (van der Walt and Smith 2015) at `t` from 0 to 1.
pub fn viridis(t: f32) -> Rgb {
    let t = if t.is_nan() { 0.0 } else { t.clamp(0.0, 1.0) };
    let color = colorous::VIRIDIS.eval_continuous(f64::from(t));
    Rgb::hex(u32::from(color.r) << 16 | u32::from(color.g) << 8 | u32::from(color.b))
}

/// Matplotlib's map `hot` at `t` from 0 to 1: black, red, yellow, white. Its channels
/// rise one after the other: red up to 0.365, green up to 0.746, then blue.
pub fn hot(t: f32) -> Rgb {
    let t = if t.is_nan() { 0.0 } else { t.clamp(0.0, 1.0) };
    let rise = |from: f32, to: f32, least: f32| {
        (least + (1.0 - least) * (t - from) / (to - from)).clamp(0.0, 1.0)
    };
    Rgb {
        r: rise(0.0, 0.365_079, 0.0416),
        g: rise(0.365_079, 0.746_032, 0.0),
        b: rise(0.746_032, 1.0, 0.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blending_goes_from_one_end_to_the_other() {
        let (a, b) = (Rgb::hex(0xff9a3c), Rgb::hex(0x4fb3ff));
        assert_eq!(a.blend(b, 0.0).bytes(), a.bytes());
        assert_eq!(a.blend(b, 1.0).bytes(), b.bytes());
    }

    #[test]
    fn viridis_has_its_published_ends() {
        assert_eq!(viridis(0.0).bytes(), [68, 1, 84]);
        assert_eq!(viridis(1.0).bytes(), [253, 231, 37]);
    }

    #[test]
    fn hot_is_matplotlibs() {
        // plt.get_cmap("hot") at 0, 0.25, 0.5, 0.75 and 1, in bytes.
        for (t, theirs) in [
            (0.0, [11, 0, 0]),
            (0.25, [178, 0, 0]),
            (0.5, [255, 90, 0]),
            (0.75, [255, 255, 4]),
            (1.0, [255, 255, 255]),
        ] {
            let ours = hot(t).bytes();
            let near = ours.iter().zip(theirs).all(|(a, b)| a.abs_diff(b) <= 3);
            assert!(near, "{t}: {ours:?}");
        }
    }

    #[test]
    fn a_diverging_map_is_neutral_at_zero_and_symmetric_in_sign() {
        let map = Diverging {
            negative: Rgb::hex(0xff0000),
            zero: Rgb::hex(0x808080),
            positive: Rgb::hex(0x0000ff),
        };
        assert_eq!(map.at(0.0).bytes(), [128, 128, 128]);
        assert_eq!(map.at(-3.0).bytes(), [255, 0, 0]);
        assert_eq!(map.at(1.0).bytes(), [0, 0, 255]);
        assert_eq!(map.at(f32::NAN).bytes(), [128, 128, 128]);
    }
}
