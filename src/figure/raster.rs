//! SVG to pixels, and pixels to PNG.

use super::{CJK, FigureError, LATIN, MATH, Svg};
use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{self, fontdb};
use std::path::Path;
use std::sync::{Arc, LazyLock};

/// The fonts inside the program and no other.
static FONTS: LazyLock<Arc<fontdb::Database>> = LazyLock::new(|| {
    let mut fonts = fontdb::Database::new();
    for font in [LATIN, MATH, CJK] {
        fonts.load_font_source(fontdb::Source::Binary(Arc::new(font)));
    }
    fonts.set_sans_serif_family("Noto Sans");
    Arc::new(fonts)
});

/// The largest picture, in pixels.
const MAX_PIXELS: f64 = 1e8;

/// A picture in memory, opaque.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pixels {
    /// Pixels from left to right.
    pub width: u32,
    /// Pixels from top to bottom.
    pub height: u32,
    /// Red, green, blue and alpha of each pixel, row by row from the top.
    pub rgba: Vec<u8>,
}

/// Draws a document, `scale` pixels to its unit.
///
/// # Errors
/// When the document is not SVG, or the picture would be empty or enormous.
pub fn rasterise(svg: &str, scale: f64) -> Result<Pixels, FigureError> {
    let options = usvg::Options {
        font_family: "Noto Sans".to_owned(),
        fontdb: Arc::clone(&FONTS),
        ..Default::default()
    };
    let tree = usvg::Tree::from_str(svg, &options)
        .map_err(|error| FigureError::Raster(error.to_string()))?;
    let size = tree.size();
    let (width, height) = (
        (f64::from(size.width()) * scale).round(),
        (f64::from(size.height()) * scale).round(),
    );
    let too_big = || FigureError::Raster(format!("{width} by {height} pixels are not possible"));
    if width * height > MAX_PIXELS {
        return Err(too_big());
    }
    let mut pixmap = Pixmap::new(width as u32, height as u32).ok_or_else(too_big)?;
    let scale = scale as f32;
    resvg::render(
        &tree,
        Transform::from_scale(scale, scale),
        &mut pixmap.as_mut(),
    );
    Ok(Pixels {
        width: pixmap.width(),
        height: pixmap.height(),
        rgba: pixmap.take_demultiplied(),
    })
}

impl Pixels {
    /// The picture as a PNG file.
    ///
    /// # Errors
    /// When `rgba` does not have 4 bytes a pixel.
    pub fn png(&self) -> Result<Vec<u8>, FigureError> {
        let failed = |error: png::EncodingError| FigureError::Raster(error.to_string());
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, self.width, self.height);
        encoder.set_color(png::ColorType::Rgba);
        encoder.set_depth(png::BitDepth::Eight);
        let mut writer = encoder.write_header().map_err(failed)?;
        writer.write_image_data(&self.rgba).map_err(failed)?;
        writer.finish().map_err(failed)?;
        Ok(bytes)
    }
}

/// Writes a document as `.svg`, or as `.png` with `scale` pixels to its unit.
///
/// # Errors
/// For another ending, and when the file cannot be written.
pub fn write_figure(path: &Path, svg: Svg, scale: f64) -> Result<(), FigureError> {
    let ending = path.extension().map(|e| e.to_ascii_lowercase());
    let bytes = match ending.as_ref().and_then(|e| e.to_str()) {
        Some("svg") => svg.finish().into_bytes(),
        Some("png") => rasterise(&svg.finish(), scale)?.png()?,
        _ => return Err(FigureError::Ending { path: path.into() }),
    };
    crate::files::replace(path, &bytes).map_err(|source| FigureError::Io {
        path: path.into(),
        source,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::colormap::Rgb;
    use crate::figure::svg::Anchor;

    fn dark_pixels(text: &str) -> usize {
        let mut svg = Svg::new(60.0, 40.0, Rgb::hex(0xffffff));
        svg.text((10.0, 30.0), 24.0, Anchor::Start, Rgb::hex(0x000000), text);
        let picture = rasterise(&svg.finish(), 1.0).unwrap();
        picture.rgba.chunks(4).filter(|p| p[0] < 128).count()
    }

    #[test]
    fn latin_greek_and_chinese_text_is_drawn_without_system_fonts() {
        let nothing = dark_pixels(" ");
        for text in ["W", "δ", "∂", "梯"] {
            assert!(dark_pixels(text) > nothing + 20, "{text}");
        }
    }

    #[test]
    fn a_png_is_read_back_pixel_for_pixel() {
        let mut svg = Svg::new(8.0, 4.0, Rgb::hex(0x102030));
        svg.rect(2.0, 1.0, 3.0, 2.0, Rgb::hex(0xff8000));
        let picture = rasterise(&svg.finish(), 2.0).unwrap();
        assert_eq!((picture.width, picture.height), (16, 8));
        let bytes = picture.png().unwrap();
        let mut reader = png::Decoder::new(std::io::Cursor::new(bytes))
            .read_info()
            .unwrap();
        let mut rgba = vec![0; reader.output_buffer_size().unwrap()];
        reader.next_frame(&mut rgba).unwrap();
        assert_eq!(rgba, picture.rgba);
        let at = |x: usize, y: usize| &picture.rgba[4 * (16 * y + x)..][..3];
        assert_eq!(
            (at(0, 0), at(6, 4)),
            (&[0x10, 0x20, 0x30][..], &[0xff, 0x80, 0][..])
        );
    }
}
