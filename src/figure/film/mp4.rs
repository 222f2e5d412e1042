//! MP4 by the system's `ffmpeg`, to which the frames are piped as they are.

use super::{FilmPlan, Sink};
use crate::figure::{FigureError, Pixels};
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Child, ChildStderr, ChildStdin, Command, Stdio};

/// The program, by its name on the PATH or as the environment names it.
const VARIABLE: &str = "GRADSCAPE_FFMPEG";
/// Encoders that it may have, with how to ask each for a good picture: the best first.
const ENCODERS: [(&str, &[&str]); 3] = [
    ("libx264", &["-crf", "18", "-preset", "medium"]),
    ("libopenh264", &["-b:v", "8M"]),
    ("mpeg4", &["-q:v", "2"]),
];
/// The most bytes of its complaints that are kept.
const COMPLAINT: u64 = 4096;

/// An `ffmpeg` that is there, and what it can encode with.
pub(super) struct Ffmpeg {
    program: std::ffi::OsString,
    encoder: (&'static str, &'static [&'static str]),
}

/// Looks for it.
///
/// # Errors
/// When there is none, or it has none of the encoders.
pub(super) fn find() -> Result<Ffmpeg, FigureError> {
    let program = std::env::var_os(VARIABLE).unwrap_or_else(|| "ffmpeg".into());
    let asked = Command::new(&program)
        .args(["-hide_banner", "-encoders"])
        .stdin(Stdio::null())
        .output()
        .map_err(|error| {
            FigureError::Raster(format!(
                ".mp4 is written by ffmpeg, and {} cannot be run ({error}); install ffmpeg, name it in {VARIABLE}, or write .gif or .apng",
                program.to_string_lossy()
            ))
        })?;
    let listed = String::from_utf8_lossy(&asked.stdout);
    let has = |name: &str| {
        listed
            .lines()
            .any(|line| line.split_whitespace().nth(1) == Some(name))
    };
    let encoder = ENCODERS.into_iter().find(|(name, _)| has(name));
    encoder
        .map(|encoder| Ffmpeg { program: program.clone(), encoder })
        .ok_or_else(|| {
            FigureError::Raster(format!(
                "{} has none of the encoders libx264, libopenh264 and mpeg4; install a complete ffmpeg, or write .gif or .apng",
                program.to_string_lossy()
            ))
        })
}

/// An `ffmpeg` that encodes.
pub(super) struct Mp4 {
    child: Child,
    frames: Option<ChildStdin>,
    complaint: Option<ChildStderr>,
    /// How often the last frame is given, to last as long as it should.
    repeats: usize,
    ended: bool,
}

impl Mp4 {
    pub(super) fn new(ffmpeg: Ffmpeg, path: &Path, plan: &FilmPlan) -> Result<Self, FigureError> {
        let (encoder, quality) = ffmpeg.encoder;
        let size = format!("{}x{}", plan.size.0, plan.size.1);
        let rate = plan.rate.to_string();
        let mut child = Command::new(&ffmpeg.program)
            .args(["-hide_banner", "-loglevel", "error", "-nostdin", "-y"])
            .args([
                "-f",
                "rawvideo",
                "-pixel_format",
                "rgba",
                "-video_size",
                &size,
            ])
            .args(["-framerate", &rate, "-i", "pipe:0", "-an", "-c:v", encoder])
            .args(quality)
            // Colours at half the resolution are what every player takes, and these
            // need even sides.
            .args(["-vf", "pad=ceil(iw/2)*2:ceil(ih/2)*2,format=yuv420p"])
            // The index first, so that a player can begin before it has all.
            .args(["-movflags", "+faststart", "-f", "mp4"])
            .arg(path)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| FigureError::Raster(format!("ffmpeg cannot be started: {error}")))?;
        Ok(Mp4 {
            frames: child.stdin.take(),
            complaint: child.stderr.take(),
            child,
            repeats: (plan.rest * plan.rate).round().clamp(1.0, 1e4) as usize,
            ended: false,
        })
    }

    /// Ends it and says what it said.
    fn failed(&mut self, what: &str) -> FigureError {
        self.frames = None;
        let mut said = String::new();
        if let Some(complaint) = self.complaint.take() {
            // What cannot be read is left out of the message.
            let _ = complaint.take(COMPLAINT).read_to_string(&mut said);
        }
        FigureError::Raster(format!("ffmpeg {what}: {}", said.trim()))
    }
}

impl Sink for Mp4 {
    fn add(&mut self, picture: &Pixels, last: bool) -> Result<(), FigureError> {
        for _ in 0..if last { self.repeats } else { 1 } {
            let written = match &mut self.frames {
                Some(frames) => frames.write_all(&picture.rgba),
                None => Err(std::io::ErrorKind::BrokenPipe.into()),
            };
            if let Err(error) = written {
                return Err(self.failed(&format!("took no more frames ({error})")));
            }
        }
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<(), FigureError> {
        self.frames = None;
        let status = self.child.wait();
        self.ended = true;
        match status {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => Err(self.failed(&format!("ended with {status}"))),
            Err(error) => Err(self.failed(&format!("was lost ({error})"))),
        }
    }
}

impl Drop for Mp4 {
    fn drop(&mut self) {
        if !self.ended {
            // A film that is not wanted any more; it may have ended by itself.
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{PLAN, frame};
    use super::super::{Film, FilmPlan};
    use super::*;

    #[test]
    fn a_film_is_what_ffmpeg_reads_back() {
        let Ok(ffmpeg) = find() else {
            // Without it there is the message, which names it.
            let error = Film::create(Path::new("film.mp4"), PLAN);
            assert!(error.err().unwrap().to_string().contains("ffmpeg"));
            return;
        };
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("film.mp4");
        let plan = FilmPlan {
            size: (33, 2),
            frames: 3,
            ..PLAN
        };
        let mut film = Film::create(&path, plan).unwrap();
        for value in [20, 120, 220] {
            film.add(&frame(33, value)).unwrap();
        }
        film.finish().unwrap();
        let read = Command::new(ffmpeg.program)
            .args(["-loglevel", "error", "-i"])
            .arg(&path)
            .args(["-f", "rawvideo", "-pix_fmt", "gray", "pipe:1"])
            .output()
            .unwrap();
        // An odd side has a column more; the last frame lasts for half a second.
        let frames: Vec<u8> = read.stdout.chunks(34 * 2).map(|f| f[5]).collect();
        assert_eq!(frames.len(), 2 + 13);
        for (k, &value) in frames.iter().enumerate() {
            let wanted = [20, 120, 220][k.min(2)];
            assert!(value.abs_diff(wanted) < 6, "frame {k}: {value}");
        }
    }
}
