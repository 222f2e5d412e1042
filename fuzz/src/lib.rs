//! What the fuzz targets have in common. A target is a line or two: it gives a reader the
//! bytes that libFuzzer made, in the form in which the reader takes them.

mod memory;

pub use memory::within;

use gradscape::data::{DataConfig, load};
use gradscape::interop::{ModelTable, Piece, events_of_bytes, next_piece, read_model, translate};
use gradscape::run::{Replay, RunFile};
use gradscape::train::{Problem, Session};
use gradscape::watch::frame::{Parsed, frame, parse_frame};
use gradscape::watch::{Begun, Follower, Header, News, TensorFrame};
use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};
use zip::write::SimpleFileOptions;

/// Reads a model, and looks at whatever opens as `gradscape inspect` does. A refusal has to
/// name the file.
pub fn model(name: &str, bytes: &[u8]) {
    within(bytes.len(), || {
        match read_model(Path::new(name), bytes.to_vec()) {
            Ok(model) => {
                let table = ModelTable::of(&model, &translate(&model));
                assert!(!table.text().is_empty());
            }
            Err(error) => assert!(error.to_string().contains(name), "{error}"),
        }
    });
}

/// A zip archive of stored members: what lies inside is reached without a checksum that
/// chance never meets.
pub fn archive(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let stored = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    for (name, bytes) in members {
        zip.start_file(*name, stored).expect("a valid name");
        zip.write_all(bytes).expect("memory takes all");
    }
    zip.finish().expect("memory takes all").into_inner()
}

/// The input as two: its first two bytes say how long the first is.
pub fn halves(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk()?;
    rest.split_at_checked(usize::from(u16::from_le_bytes(*length)))
}

/// A folder of this process for readers that take files alone, in memory where the system
/// has such a folder.
static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| {
    let memory = Path::new("/dev/shm");
    let root = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
    let folder = root.join(format!("gradscape-fuzz-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder for files");
    folder
});

/// Reads data from files of these names, of which the first is the source.
pub fn data(files: &[(&str, &[u8])]) {
    for (name, bytes) in files {
        std::fs::write(FOLDER.join(name), bytes).expect("a file is written");
    }
    let source = files[0].0;
    match load(&DataConfig::of(source), 0, &FOLDER) {
        Ok(data) => assert!(data.n_samples() > 0),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

/// Parts of the input, each behind two bytes that say how long it is; what is left at the end
/// is one as well.
pub fn parts(mut bytes: &[u8]) -> Vec<&[u8]> {
    let mut parts = Vec::new();
    while let Some((part, rest)) = halves(bytes) {
        parts.push(part);
        bytes = rest;
    }
    parts.push(bytes);
    parts
}

/// Records of an event file with the checksums that they have to have (as in
/// `tensorflow/core/lib/io/record_writer.h`).
pub fn records(parts: &[&[u8]]) -> Vec<u8> {
    let masked = |data: &[u8]| {
        let crc = crc32c::crc32c(data).rotate_right(15);
        crc.wrapping_add(0xa282_ead8).to_le_bytes()
    };
    let mut file = Vec::new();
    for part in parts {
        let length = (part.len() as u64).to_le_bytes();
        file.extend([&length[..], &masked(&length), part, &masked(part)].concat());
    }
    file
}

/// Reads a whole event file.
pub fn events(file: &[u8]) {
    within(file.len(), || {
        let mut rest = file;
        while let Piece::Record { length, .. } | Piece::Damaged { length } = next_piece(rest) {
            assert!(length > 0 && length <= rest.len() as u64);
            rest = &rest[length as usize..];
        }
        let (_, faults) = events_of_bytes(file);
        assert!(faults.iter().all(|fault| fault.offset <= file.len() as u64));
    });
}

/// Frames of pairs of a header and a body.
pub fn frames(parts: &[&[u8]]) -> Vec<u8> {
    let pairs = parts.chunks_exact(2);
    let made = pairs.map(|pair| frame(&String::from_utf8_lossy(pair[0]), pair[1]));
    made.collect::<Vec<_>>().concat()
}

/// Reads a stream of frames as whoever watches it does: a network is made of what it tells.
pub fn stream(bytes: &[u8]) {
    within(bytes.len(), || {
        let mut follower = Follower::new(None);
        let mut rest = bytes;
        loop {
            let (header, body) = match parse_frame(rest) {
                Ok(Parsed::Whole { header, body }) => (header, body),
                Ok(Parsed::Partial(needed)) => {
                    assert!(needed > rest.len());
                    return;
                }
                Err(error) => {
                    assert!(!error.to_string().is_empty());
                    return;
                }
            };
            let news = match header {
                Header::Hello {
                    framework,
                    structure,
                    ..
                } => News::Begun(Begun {
                    run: "run".into(),
                    framework,
                    structure,
                }),
                Header::Frame { step, wall, .. } => News::Tensors(TensorFrame {
                    run: "run".into(),
                    step,
                    wall_time: wall,
                    body: rest[body.clone()].into(),
                    grouped: true,
                }),
                Header::Bye {} => News::Ended { run: "run".into() },
            };
            follower.see(&news, &mut Vec::new());
            rest = &rest[body.end..];
        }
    });
}

/// Opens a run's file and reads all of it, as `gradscape runs show`, a replay and a report
/// do. Its experiment is run only where it is that of `known`: what damaged experiments do
/// has a target of its own.
pub fn run(bytes: &[u8], known: &str) {
    let path = FOLDER.join("a.gsrun");
    for ending in ["-wal", "-shm", "-journal"] {
        // Of another file of that name, if there was one.
        let _ = std::fs::remove_file(FOLDER.join(format!("a.gsrun{ending}")));
    }
    std::fs::write(&path, bytes).expect("a file is written");
    within(bytes.len(), || {
        let named = |error: gradscape::run::RunError| {
            let text = error.to_string();
            assert!(text.contains("a.gsrun"), "{text}");
        };
        let run = match RunFile::open(&path) {
            Ok(run) => run,
            Err(error) => return named(error),
        };
        run.epochs().map_or_else(named, drop);
        run.last_epoch().map_or_else(named, drop);
        run.epoch_times().map_or_else(named, drop);
        run.steps(1000).map_or_else(named, drop);
        run.last_step().map_or_else(named, drop);
        run.events().map_or_else(named, drop);
        run.findings().map_or_else(named, drop);
        run.told().map_or_else(named, drop);
        run.memory_steps().map_or_else(named, drop);
        run.place(u64::MAX).map_or_else(named, drop);
        for step in run.snapshot_steps().unwrap_or_default() {
            run.weights(step).map_or_else(named, drop);
        }
        if run.experiment_text().is_ok_and(|text| text == known) {
            let experiment = run.experiment().expect("the text is that of a known one");
            let problem = Problem::new(&experiment).expect("it can be run");
            let problem = Arc::new(problem);
            Replay::load(&run, &problem).map_or_else(named, drop);
            run.record().map_or_else(named, drop);
            if let Ok(place) = run.place(u64::MAX)
                && place.epoch < 1000
            {
                let _ = Session::resume(problem, place);
            }
        }
    });
}
