//! Frames to an animated GIF, one at a time.

use super::{FigureError, Pixels};
use gif::{Encoder, EncodingError, Frame, Repeat};
use std::io::Write;

/// A GIF in the making that will repeat for ever.
pub struct Animation<W: Write> {
    encoder: Encoder<W>,
    width: u16,
    height: u16,
}

fn failed(error: EncodingError) -> FigureError {
    FigureError::Raster(error.to_string())
}

impl<W: Write> Animation<W> {
    /// An animation of frames of this size in pixels, written to `writer`.
    ///
    /// # Errors
    /// When a side is longer than a GIF's can be, or the writer refuses.
    pub fn new(writer: W, width: u32, height: u32) -> Result<Self, FigureError> {
        let side = |n: u32| {
            u16::try_from(n)
                .map_err(|_| FigureError::Raster(format!("{n} pixels are too many for a GIF")))
        };
        let (width, height) = (side(width)?, side(height)?);
        let mut encoder = Encoder::new(writer, width, height, &[]).map_err(failed)?;
        encoder.set_repeat(Repeat::Infinite).map_err(failed)?;
        Ok(Animation {
            encoder,
            width,
            height,
        })
    }

    /// Appends a frame that is shown for `delay` hundredths of a second.
    ///
    /// # Errors
    /// When it has another size, or the writer refuses.
    pub fn add(&mut self, picture: &Pixels, delay: u16) -> Result<(), FigureError> {
        let (width, height) = (self.width, self.height);
        let size = (u32::from(width), u32::from(height));
        if (picture.width, picture.height) != size
            || picture.rgba.len() != 4 * usize::from(width) * usize::from(height)
        {
            return Err(FigureError::Raster(format!(
                "a frame has {} by {} pixels, and the animation {width} by {height}",
                picture.width, picture.height
            )));
        }
        let mut rgba = picture.rgba.clone();
        let mut frame = Frame::from_rgba_speed(width, height, &mut rgba, 10);
        frame.delay = delay;
        self.encoder.write_frame(&frame).map_err(failed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(width: u32, value: u8) -> Pixels {
        Pixels {
            width,
            height: 2,
            rgba: [value, value, value, 255].repeat(2 * width as usize),
        }
    }

    #[test]
    fn frames_are_read_back_in_order() {
        let mut bytes = Vec::new();
        let mut animation = Animation::new(&mut bytes, 3, 2).unwrap();
        animation.add(&frame(3, 0), 4).unwrap();
        animation.add(&frame(3, 255), 50).unwrap();
        drop(animation);
        let mut options = gif::DecodeOptions::new();
        options.set_color_output(gif::ColorOutput::RGBA);
        let mut decoder = options.read_info(&bytes[..]).unwrap();
        let mut seen = Vec::new();
        while let Some(frame) = decoder.read_next_frame().unwrap() {
            seen.push((frame.delay, frame.buffer[0]));
        }
        assert_eq!(seen, [(4, 0), (50, 255)]);
    }

    #[test]
    fn a_frame_of_another_size_is_refused() {
        let mut animation = Animation::new(Vec::new(), 3, 2).unwrap();
        assert!(animation.add(&frame(2, 0), 4).is_err());
        assert!(Animation::new(Vec::new(), 70_000, 2).is_err());
    }
}
