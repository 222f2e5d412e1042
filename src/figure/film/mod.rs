//! Frames to a film, one at a time: an animated GIF or PNG, or an MP4 by `ffmpeg`.
//!
//! All frames last equally long, the last one longer, so that a film that begins again
//! rests where it ends.

mod apng;
mod gif;
mod mp4;

use super::{FigureError, Pixels};
use crate::files::NewFile;
use std::path::{Path, PathBuf};

/// What a film can be written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FilmFormat {
    /// An animated GIF: 256 colours a frame, shown everywhere.
    Gif,
    /// An animated PNG: all colours, nothing lost.
    Apng,
    /// H.264 in MP4, encoded by `ffmpeg`, where that is installed.
    Mp4,
}

impl FilmFormat {
    /// The format that a file's name asks for by its ending.
    pub fn of(path: &Path) -> Option<Self> {
        let ending = path.extension()?.to_str()?.to_ascii_lowercase();
        match ending.as_str() {
            "gif" => Some(FilmFormat::Gif),
            "apng" => Some(FilmFormat::Apng),
            "mp4" => Some(FilmFormat::Mp4),
            _ => None,
        }
    }
}

/// What is known of a film before its first frame.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FilmPlan {
    /// Width and height of every frame, in pixels.
    pub size: (u32, u32),
    /// How many frames there will be.
    pub frames: usize,
    /// Frames a second.
    pub rate: f64,
    /// How long the last frame is shown, in seconds.
    pub rest: f64,
}

/// A format at work.
trait Sink {
    fn add(&mut self, picture: &Pixels, last: bool) -> Result<(), FigureError>;
    fn finish(self: Box<Self>) -> Result<(), FigureError>;
}

/// A film in the making. Until [`finish`](Self::finish) an earlier file of that name is
/// left as it was; dropped before, nothing of this one remains.
pub struct Film {
    plan: FilmPlan,
    path: PathBuf,
    added: usize,
    // Before the file, which is removed when it is dropped: nothing writes to it then.
    sink: Box<dyn Sink>,
    file: NewFile,
}

impl Film {
    /// Begins a film at `path`.
    ///
    /// # Errors
    /// When its ending is none of a film's, it cannot be written, the format cannot have
    /// frames of that size or rate, or `ffmpeg` is needed and not there.
    pub fn create(path: &Path, plan: FilmPlan) -> Result<Self, FigureError> {
        let format = FilmFormat::of(path).ok_or_else(|| {
            FigureError::Raster(format!(
                "{}: films end in .gif, .apng or .mp4",
                path.display()
            ))
        })?;
        let lasting = plan.rate.is_finite() && plan.rate > 0.0 && plan.rest >= 0.0;
        if plan.frames == 0 || !lasting {
            return Err(FigureError::Raster(
                "a film needs a frame, and a number of frames a second above 0".to_owned(),
            ));
        }
        let io = |source| FigureError::Io {
            path: path.to_owned(),
            source,
        };
        let encoder = match format {
            FilmFormat::Mp4 => Some(mp4::find()?),
            _ => None,
        };
        let file = NewFile::create(path).map_err(io)?;
        let writer = file.file().try_clone().map_err(io)?;
        let sink: Box<dyn Sink> = match encoder {
            Some(encoder) => {
                let part = file.path().ok_or_else(|| {
                    FigureError::Raster(format!("{}: is no plain file", path.display()))
                })?;
                Box::new(mp4::Mp4::new(encoder, part, &plan)?)
            }
            None if format == FilmFormat::Gif => Box::new(gif::Gif::new(writer, plan)?),
            None => Box::new(apng::Apng::new(writer, &plan)?),
        };
        Ok(Film {
            plan,
            path: path.to_owned(),
            added: 0,
            sink,
            file,
        })
    }

    /// Appends a frame.
    ///
    /// # Errors
    /// When it has another size, there are more than planned, or it cannot be written.
    pub fn add(&mut self, picture: &Pixels) -> Result<(), FigureError> {
        let (width, height) = self.plan.size;
        let bytes = 4 * width as usize * height as usize;
        if (picture.width, picture.height) != self.plan.size || picture.rgba.len() != bytes {
            return Err(FigureError::Raster(format!(
                "a frame has {} by {} pixels, and the film {width} by {height}",
                picture.width, picture.height
            )));
        }
        if self.added == self.plan.frames {
            return Err(FigureError::Raster(format!(
                "the film was to have {} frames, and here is another",
                self.plan.frames
            )));
        }
        self.added += 1;
        self.sink.add(picture, self.added == self.plan.frames)
    }

    /// Puts the film in its place.
    ///
    /// # Errors
    /// When frames are missing, or it cannot be written.
    pub fn finish(self) -> Result<(), FigureError> {
        if self.added != self.plan.frames {
            return Err(FigureError::Raster(format!(
                "the film was to have {} frames, and there are {}",
                self.plan.frames, self.added
            )));
        }
        self.sink.finish()?;
        self.file.finish().map_err(|source| FigureError::Io {
            path: self.path,
            source,
        })
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A frame of one grey, two pixels high.
    pub fn frame(width: u32, value: u8) -> Pixels {
        Pixels {
            width,
            height: 2,
            rgba: [value, value, value, 255].repeat(2 * width as usize),
        }
    }

    /// Two frames, three by two pixels, of 25 a second and a long last one.
    pub const PLAN: FilmPlan = FilmPlan {
        size: (3, 2),
        frames: 2,
        rate: 25.0,
        rest: 0.5,
    };

    #[test]
    fn a_film_is_there_as_a_whole_or_not_at_all() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["film.gif", "film.apng"] {
            let path = dir.path().join(name);
            std::fs::write(&path, "earlier").unwrap();
            let mut film = Film::create(&path, PLAN).unwrap();
            film.add(&frame(3, 0)).unwrap();
            assert!(film.finish().is_err(), "{name}: a frame is missing");
            assert_eq!(std::fs::read(&path).unwrap(), b"earlier");
            let mut film = Film::create(&path, PLAN).unwrap();
            film.add(&frame(3, 0)).unwrap();
            film.add(&frame(3, 255)).unwrap();
            assert!(film.add(&frame(3, 255)).is_err(), "{name}: one too many");
            film.finish().unwrap();
            assert!(std::fs::read(&path).unwrap().len() > 40);
        }
        let left = std::fs::read_dir(dir.path()).unwrap().count();
        assert_eq!(left, 2, "nothing but the films");
    }

    #[test]
    fn what_no_film_can_be_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("film.gif");
        let mut film = Film::create(&path, PLAN).unwrap();
        assert!(film.add(&frame(2, 0)).is_err());
        drop(film);
        let wide = FilmPlan {
            size: (70_000, 2),
            ..PLAN
        };
        assert!(Film::create(&path, wide).is_err());
        let still = FilmPlan { rate: 0.0, ..PLAN };
        assert!(Film::create(&path, still).is_err());
        assert!(Film::create(&dir.path().join("film.avi"), PLAN).is_err());
        assert!(!path.exists());
    }
}
