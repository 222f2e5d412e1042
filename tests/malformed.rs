//! Files that are not what they say they are, through every reader: a clear error each, no
//! panic, and memory that stays within 200 MB above the file's size.
//!
//! `tests/malformed/` keeps what fuzzing has found (`fuzz/`), a folder a fuzz target; the test
//! gives each file to the reader of that target. A new reader gets a row in [`READERS`], a
//! target in `fuzz/fuzz_targets/` of the same name, and a folder once something is found.
#![allow(clippy::unwrap_used)] // a test fails by panicking
#![allow(unsafe_code)] // an allocator that counts is one

use gradscape::data::{DataConfig, load};
use gradscape::experiment::Experiment;
use gradscape::interop::{ModelTable, Runnable, events_of_bytes, open_model, read_path, translate};
use gradscape::run::{
    Clock, MakeRecorder, Recorder, Recording, RunError, RunFile, RunStart, Tap, TapOptions,
};
use gradscape::train::{Problem, Session, TrainCommand};
use gradscape::watch::frame::{Parsed, frame, parse_frame};
use gradscape::watch::{Begun, Follower, Header, News, TensorFrame};
use std::alloc::{GlobalAlloc, Layout, System};
use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use zip::write::SimpleFileOptions;

/// Counts what is taken from the system's allocator.
struct Counting;

static NOW: AtomicUsize = AtomicUsize::new(0);
static MOST: AtomicUsize = AtomicUsize::new(0);

fn taken(bytes: usize) {
    let now = NOW.fetch_add(bytes, Ordering::Relaxed) + bytes;
    MOST.fetch_max(now, Ordering::Relaxed);
}

// SAFETY: every call goes to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        taken(layout.size());
        // SAFETY: as above.
        unsafe { System.alloc(layout) }
    }
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        taken(layout.size());
        // SAFETY: as above.
        unsafe { System.alloc_zeroed(layout) }
    }
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        NOW.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: as above.
        unsafe { System.dealloc(pointer, layout) }
    }
    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        taken(size);
        NOW.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: as above.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

/// One test at a time: what is counted belongs to it.
static ALONE: Mutex<()> = Mutex::new(());

fn alone() -> MutexGuard<'static, ()> {
    ALONE.lock().unwrap_or_else(|broken| broken.into_inner())
}

/// What memory may grow by beyond the file's size.
const ALLOWED: usize = 200_000_000;

/// Opens a file as its reader does; what opens is looked at. An error in words otherwise.
type Read = fn(&Path) -> Result<(), String>;

/// Every reader: the name of its fuzz target, the name of a file for it, and what it is made of
/// where fuzzing makes a file of two parts.
const READERS: [(&str, &str, Read); 12] = [
    ("onnx", "a.onnx", model),
    ("keras_h5", "a.h5", model),
    ("keras", "a.keras", model),
    ("pytorch", "a.pt", model),
    ("safetensors", "a.safetensors", model),
    ("npz", "a.npz", npz),
    ("experiment", "a.toml", experiment),
    ("csv", "a.csv", data),
    ("idx", "a-images-idx3-ubyte", data),
    ("events", "a.tfevents", events),
    ("frames", "a.frames", frames),
    ("runs", "a.gsrun", runs),
];

fn model(path: &Path) -> Result<(), String> {
    let model = open_model(path).map_err(|error| error.to_string())?;
    let table = ModelTable::of(&model, &translate(&model));
    assert!(!table.text().is_empty());
    if let Ok(runnable) = Runnable::open(path) {
        let _ = runnable.ports();
    }
    Ok(())
}

fn npz(path: &Path) -> Result<(), String> {
    let read = [
        model(path),
        data(path),
        read_path(path, 3).map(drop).map_err(|e| e.to_string()),
    ];
    read.into_iter()
        .find(Result::is_ok)
        .unwrap_or(Err(path.display().to_string()))
}

fn data(path: &Path) -> Result<(), String> {
    let folder = path.parent().unwrap();
    let mut config = DataConfig::of(path.file_name().unwrap().to_str().unwrap());
    if folder.join("labels").exists() {
        config.labels = Some("labels".into());
    }
    let read = load(&config, 0, folder).map(drop);
    read.map_err(|error| error.to_string())
}

fn experiment(path: &Path) -> Result<(), String> {
    let read = Experiment::read(path).map(drop);
    read.map_err(|error| error.to_string())
}

/// A TensorBoard event file. One of which any record is damaged is an error here.
fn events(path: &Path) -> Result<(), String> {
    let bytes = std::fs::read(path).unwrap();
    let (events, faults) = events_of_bytes(&bytes);
    match faults.first() {
        Some(fault) => Err(format!("{}: {fault}", path.display())),
        None if events.is_empty() => Err(format!("{}: no events", path.display())),
        None => Ok(()),
    }
}

/// What is sent to who watches, in a file; a network is made of what it tells.
fn frames(path: &Path) -> Result<(), String> {
    let bytes = std::fs::read(path).unwrap();
    let named = |error: &str| format!("{}: {error}", path.display());
    let mut follower = Follower::new(None);
    let mut rest = &bytes[..];
    loop {
        match parse_frame(rest).map_err(|error| named(&error.to_string()))? {
            Parsed::Partial(_) => return Err(named("it is cut off")),
            Parsed::Whole { header, body } => {
                let news = match header {
                    Header::Hello { structure, .. } => News::Begun(Begun {
                        run: "run".into(),
                        framework: String::new(),
                        structure,
                    }),
                    Header::Frame { step, wall, .. } => News::Tensors(TensorFrame {
                        run: "run".into(),
                        step,
                        wall_time: wall,
                        body: rest[body.clone()].into(),
                        grouped: true,
                    }),
                    Header::Bye {} => return Ok(()),
                };
                follower.see(&news, &mut Vec::new());
                rest = &rest[body.end..];
            }
        }
    }
}

/// A recorded run, all of it.
fn runs(path: &Path) -> Result<(), String> {
    for ending in ["-wal", "-shm", "-journal"] {
        // Of another file of that name.
        let _ = std::fs::remove_file(format!("{}{ending}", path.display()));
    }
    let read = || -> Result<(), RunError> {
        let run = RunFile::open(path)?;
        run.epoch_times()?;
        run.last_step()?;
        run.steps(1000)?;
        run.told()?;
        for step in run.snapshot_steps()? {
            run.weights(step)?;
        }
        run.record().map(drop)
    };
    read().map_err(|error| error.to_string())
}

/// Gives `bytes` to a reader and holds it to its bounds. Errors name the file.
fn tried(path: &Path, read: Read, bytes: &[u8]) -> Result<(), String> {
    std::fs::write(path, bytes).unwrap();
    let before = NOW.load(Ordering::Relaxed);
    MOST.store(before, Ordering::Relaxed);
    let outcome = read(path);
    let beyond = MOST.load(Ordering::Relaxed) - before;
    let name = path.file_name().unwrap().to_string_lossy().into_owned();
    assert!(
        beyond <= bytes.len() + ALLOWED,
        "{name}: {} MB for {} bytes, {outcome:?}",
        beyond / 1_000_000,
        bytes.len()
    );
    if let Err(error) = &outcome {
        assert!(error.contains(&name), "{name}: {error}");
    }
    outcome
}

fn reader(target: &str) -> (&'static str, Read) {
    let found = READERS.iter().find(|(name, ..)| *name == target);
    let (_, file, read) = found.unwrap_or_else(|| panic!("no reader {target}"));
    (file, *read)
}

/// Numbers that are the same in every run (Knuth's MMIX generator).
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize
    }
}

fn own(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    std::fs::read(folder.join(name)).unwrap()
}

/// A small archive of arrays x `[6, 4]` and y `[6]`.
fn arrays() -> Vec<u8> {
    let floats: Vec<u8> = (0..24).flat_map(|i| (i as f32).to_le_bytes()).collect();
    let classes: Vec<u8> = (0..6_i64).flat_map(|i| (i % 2).to_le_bytes()).collect();
    let x = npy("<f4", "(6, 4)", &floats);
    let y = npy("<i8", "(6,)", &classes);
    archive(&[("x.npy", &x), ("y.npy", &y)], true)
}

/// An array in NumPy's format, whatever its header says.
fn npy(kind: &str, shape: &str, body: &[u8]) -> Vec<u8> {
    let mut header = format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}");
    while !(10 + header.len() + 1).is_multiple_of(64) {
        header.push(' ');
    }
    header.push('\n');
    let length = (header.len() as u16).to_le_bytes();
    [b"\x93NUMPY\x01\x00", &length[..], header.as_bytes(), body].concat()
}

fn archive(members: &[(&str, &[u8])], packed: bool) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let method = if packed {
        zip::CompressionMethod::Deflated
    } else {
        zip::CompressionMethod::Stored
    };
    for (name, bytes) in members {
        let options = SimpleFileOptions::default().compression_method(method);
        zip.start_file(*name, options).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// IDX: unsigned bytes of this shape.
fn idx(shape: &[u32], body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0, 0, 8, shape.len() as u8];
    bytes.extend(shape.iter().flat_map(|n| n.to_be_bytes()));
    bytes.extend(body);
    bytes
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    gzip.write_all(bytes).unwrap();
    gzip.finish().unwrap()
}

const TOML: &str = include_str!("../experiments/digits-conv.toml");

/// A good file for each reader.
fn good(target: &str) -> Vec<u8> {
    match target {
        "onnx" => own("tests/models/residual.onnx"),
        "keras_h5" => own("tests/models/block.h5"),
        "keras" => own("tests/models/block.keras"),
        "pytorch" => own("tests/models/nets.pt"),
        "safetensors" => safetensors(""),
        "npz" => arrays(),
        "experiment" => TOML.as_bytes().to_vec(),
        "csv" => {
            let rows = (0..200).map(|i| format!("{}.5,{},\"a {}\"\n", i, i * i, i % 3));
            format!("x,y,label\n{}", rows.collect::<String>()).into_bytes()
        }
        "idx" => {
            let body: Vec<u8> = (0..60 * 28 * 28).map(|i| (i % 251) as u8).collect();
            idx(&[60, 28, 28], &body)
        }
        "events" => event_file(),
        "frames" => stream(),
        "runs" => run_file(),
        other => panic!("{other} has no good file"),
    }
}

/// PyTorch's event file with scalars and histograms.
fn event_file() -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/events/files/pytorch");
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_file())
        .collect();
    files.sort_by_key(|path| path.metadata().unwrap().len());
    std::fs::read(files.last().unwrap()).unwrap()
}

/// A run that tells of its network, sends weights and ends.
fn stream() -> Vec<u8> {
    let hello = r#"{"type":"hello","protocol":1,"run":"r","structure":{"format":"onnx",
        "inputs":[{"name":"x","shape":[null,2]}],"outputs":["y"],"nodes":[{"name":"y","op":"Gemm",
        "inputs":["x"],"attributes":{"transB":1},"weights":{"1":"fc.weight","2":"fc.bias"}}]}}"#;
    let step = r#"{"type":"frame","step":3,"wall":1.5,"rows":[[3,1.5,{"loss":"NaN","n":2}]]}"#;
    [
        frame(hello, b""),
        frame(step, &safetensors("weights/")),
        frame(r#"{"type":"bye"}"#, b""),
    ]
    .concat()
}

/// A run of a small network, as it is recorded.
fn run_file() -> Vec<u8> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("good.gsrun");
    let text = "data = { source = \"xor\", samples = 40 }\n\
        network = { layers = [{ dense = 3 }], loss = \"cross-entropy\" }\n\
        training = { optimizer = { name = \"adam\", learning_rate = 0.05 }, epochs = 2, batch = 8 }";
    let problem = Arc::new(Problem::new(&Experiment::parse(text, "t").unwrap()).unwrap());
    let clock: Clock = Arc::new(|| 1_000_000);
    let mut session = Session::new(Arc::clone(&problem));
    let (of, file) = (Arc::clone(&problem), path.clone());
    let options = TapOptions::default();
    let make: MakeRecorder = Box::new(move |_| {
        let start = RunStart::of(&of, "good", 1_000_000);
        Recorder::create(&file, &start, &options.plan(&of))
    });
    let (recording, sink) = Recording::spawn(problem, make, true, 0, Arc::clone(&clock)).unwrap();
    session.observe(Box::new(Tap::new(&session, options, clock, sink)));
    session.command(TrainCommand::Epochs(2));
    drop(session);
    assert_eq!(recording.join().error, None);
    std::fs::read(path).unwrap()
}

/// A layer of 300 units that read two values; names begin with `group`.
fn safetensors(group: &str) -> Vec<u8> {
    let header = format!(
        r#"{{"{group}fc.weight":{{"dtype":"F32","shape":[300,2],"data_offsets":[0,2400]}},"{group}fc.bias":{{"dtype":"F32","shape":[300],"data_offsets":[2400,3600]}}}}"#
    );
    let body: Vec<u8> = (0..900).flat_map(|i| (i as f32).to_le_bytes()).collect();
    let length = (header.len() as u64).to_le_bytes();
    [&length[..], header.as_bytes(), &body].concat()
}

/// A folder for files; images need labels beside them.
fn folder(target: &str) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    if target == "idx" {
        let labels: Vec<u8> = (0..60).map(|i| i % 10).collect();
        std::fs::write(dir.path().join("labels"), idx(&[60], &labels)).unwrap();
    }
    dir
}

#[test]
fn what_is_whole_opens() {
    let _alone = alone();
    for (target, file, read) in READERS {
        let dir = folder(target);
        tried(&dir.path().join(file), read, &good(target)).unwrap();
    }
}

#[test]
fn what_is_cut_off_is_an_error_that_names_the_file() {
    let _alone = alone();
    for (target, file, read) in READERS {
        let dir = folder(target);
        let path = dir.path().join(file);
        let bytes = good(target);
        let cuts = (0..bytes.len()).step_by(1024).chain(0..64.min(bytes.len()));
        for cut in cuts {
            let found = tried(&path, read, &bytes[..cut]);
            // Text that ends at a line's end, or within a number, is shorter text.
            let text = matches!(target, "csv" | "experiment");
            assert!(found.is_err() || text, "{target} cut off at {cut}");
        }
    }
}

#[test]
fn damaged_bits_and_bytes_do_no_harm() {
    let _alone = alone();
    let mut dice = Dice(11);
    for (target, file, read) in READERS {
        let dir = folder(target);
        let path = dir.path().join(file);
        let whole = good(target);
        for round in 0..300 {
            let mut bytes = whole.clone();
            for _ in 0..1 + round % 5 {
                // Headers lie at the ends of files; half of the damage is done there.
                let ends = bytes.len().min(1500);
                let at = match dice.roll() % 4 {
                    0 => dice.roll() % ends,
                    1 => bytes.len() - 1 - dice.roll() % ends,
                    _ => dice.roll() % bytes.len(),
                };
                match round % 3 {
                    0 => bytes[at] ^= 1 << (dice.roll() % 8),
                    1 => bytes[at] = dice.roll() as u8,
                    _ => {
                        let end = (at + 1 + dice.roll() % 16).min(bytes.len());
                        bytes.drain(at..end);
                        if bytes.is_empty() {
                            bytes.push(0);
                        }
                    }
                }
            }
            let _ = tried(&path, read, &bytes);
        }
    }
}

#[test]
fn noise_is_refused() {
    let _alone = alone();
    let mut dice = Dice(12);
    for (target, file, read) in READERS {
        let dir = folder(target);
        let path = dir.path().join(file);
        let begin = &good(target)[..8];
        for length in [0, 1, 10, 1000, 100_000] {
            let noise: Vec<u8> = (0..length).map(|_| dice.roll() as u8).collect();
            assert!(tried(&path, read, &noise).is_err(), "{target}");
            let begun = [begin, &noise].concat();
            assert!(tried(&path, read, &begun).is_err(), "{target}");
        }
    }
}

/// A field of protocol buffers with bytes in it.
fn field(number: u64, bytes: &[u8]) -> Vec<u8> {
    let mut all = varint(number << 3 | 2);
    all.extend(varint(bytes.len() as u64));
    all.extend(bytes);
    all
}

fn varint(mut n: u64) -> Vec<u8> {
    let mut all = Vec::new();
    while n >= 128 {
        all.push(n as u8 | 128);
        n >>= 7;
    }
    all.push(n as u8);
    all
}

/// A model of this graph, which has an output so that it is one.
fn onnx(graph: &[u8]) -> Vec<u8> {
    field(7, &[graph, &field(12, &field(1, b"y"))].concat())
}

#[test]
fn little_files_that_ask_for_much_are_refused() {
    let _alone = alone();
    let dir = tempfile::tempdir().unwrap();
    let try_as = |target: &str, bytes: &[u8]| {
        let (file, read) = reader(target);
        tried(&dir.path().join(file), read, bytes)
    };
    let many = 3_000_000;
    let node = |inner: Vec<u8>| field(1, &[field(4, b"Relu"), inner].concat());
    let tensor = |inner: Vec<u8>| field(5, &[field(8, b"w"), inner].concat());
    let side = [varint(1 << 3), varint(1 << 60)].concat();
    for (what, graph) in [
        (
            "sides of a tensor",
            tensor([side.repeat(8), vec![16, 1]].concat()),
        ),
        ("many sides", tensor([8, 1].repeat(many))),
        ("packed sides", tensor(field(1, &vec![1; many]))),
        (
            "whole numbers",
            tensor([field(7, &vec![0; 20 * many]), vec![16, 7]].concat()),
        ),
        (
            "half floats",
            tensor([field(5, &vec![0; 10 * many]), vec![16, 10]].concat()),
        ),
        ("inputs", node([0x0a, 0].repeat(many))),
        ("outputs", node([0x12, 0].repeat(many))),
        (
            "settings",
            node(field(
                5,
                &[field(1, b"a"), field(8, &vec![0; 20 * many])].concat(),
            )),
        ),
        ("empty settings", node([0x2a, 0].repeat(many))),
        ("a long name", node(field(3, &vec![b'a'; 8 * many]))),
        ("nodes", node(Vec::new()).repeat(many / 8)),
        ("constants", tensor(Vec::new()).repeat(many / 4)),
        ("inputs of the graph", [0x5a, 0].repeat(many)),
        ("a graph in a graph", {
            let mut inner = Vec::new();
            for _ in 0..2000 {
                inner = node(field(
                    5,
                    &[field(1, b"b"), field(6, &inner), vec![0xa0, 1, 5]].concat(),
                ));
            }
            inner
        }),
        (
            "sides of a value",
            field(11, &field(2, &field(1, &field(2, &[0x0a, 0].repeat(many))))),
        ),
    ] {
        let outcome = try_as("onnx", &onnx(&graph));
        // Some of it is passed over; none of it may take memory.
        if [
            "sides of a tensor",
            "many sides",
            "inputs",
            "a long name",
            "constants",
        ]
        .contains(&what)
        {
            assert!(outcome.is_err(), "{what}");
        }
    }

    let huge = "(4611686018427387904, 8)";
    for shape in [huge, "(0, 99999999999999999999)", "(99999999999,)", "(1, 2"] {
        let array = npy("<f4", shape, &[0; 16]);
        let file = archive(&[("x.npy", &array), ("y.npy", &array)], true);
        assert!(try_as("npz", &file).is_err(), "{shape}");
    }
    let deep = npy(
        "<f4",
        &format!("{}1{}", "(".repeat(1000), ")".repeat(1000)),
        &[0; 4],
    );
    assert!(try_as("npz", &archive(&[("x.npy", &deep)], true)).is_err());

    for header in [
        r#"{"a":{"dtype":"F32","shape":[4611686018427387904,8],"data_offsets":[0,4]}}"#.to_owned(),
        format!(
            r#"{{"a":{{"dtype":"F32","shape":[{}1],"data_offsets":[0,4]}}}}"#,
            "1,".repeat(many)
        ),
        "[".repeat(100_000),
        r#"{"__metadata__":"#.to_owned() + &"{\"a\":".repeat(100_000),
    ] {
        let file = [
            &(header.len() as u64).to_le_bytes()[..],
            header.as_bytes(),
            &[0; 4],
        ]
        .concat();
        assert!(try_as("safetensors", &file).is_err(), "{}", &header[..40]);
    }
    assert!(try_as("safetensors", &u64::MAX.to_le_bytes()).is_err());

    // Instructions of one byte each, and texts that are named without end.
    let names = [
        b"\x80\x02X\x00\x00\x10\x00".to_vec(),
        vec![b'a'; 1 << 20],
        b"q\x00".to_vec(),
        b"h\x00h\x00\x93".repeat(10_000),
        b".".to_vec(),
    ]
    .concat();
    for pickle in [
        [b"\x80\x02", &b")".repeat(many)[..], b"."].concat(),
        [b"\x80\x02", &b"(".repeat(many)[..], b"."].concat(),
        [b"\x80\x02N", &b"2".repeat(many)[..], b"."].concat(),
        [b"\x80\x02N", &b"\x94".repeat(many)[..], b"."].concat(),
        [
            b"\x80\x02",
            &b"]".repeat(50_000)[..],
            &b"a".repeat(49_999)[..],
            b".",
        ]
        .concat(),
        names,
    ] {
        let file = archive(&[("net/data.pkl", &pickle)], true);
        assert!(try_as("pytorch", &file).is_err());
    }
}

#[test]
fn events_of_many_little_parts_are_refused() {
    let _alone = alone();
    let dir = tempfile::tempdir().unwrap();
    let try_event = |what: &str, record: Vec<u8>| {
        let crc = |data: &[u8]| {
            let crc = crc32c::crc32c(data).rotate_right(15);
            crc.wrapping_add(0xa282_ead8).to_le_bytes()
        };
        let length = (record.len() as u64).to_le_bytes();
        let file = [&length[..], &crc(&length), &record, &crc(&record)].concat();
        let (name, read) = reader("events");
        assert!(
            tried(&dir.path().join(name), read, &file).is_err(),
            "{what}"
        );
    };
    let try_as = |what: &str, value: Vec<u8>| try_event(what, field(5, &field(1, &value)));
    let many = 8_000_000;
    try_as("sides", field(8, &field(2, &[0x12, 0].repeat(many))));
    try_as("texts", field(8, &[0x42, 0].repeat(many)));
    try_as("whole numbers", field(8, &field(10, &vec![1; 2 * many])));
    // Half floats, of which each would take eight bytes.
    let half = [vec![8, 19], field(4, &vec![0; 6 * many])].concat();
    try_as("half floats", field(8, &half));
    try_event("values", field(5, &[0x0a, 0].repeat(many)));
}

#[test]
fn runs_that_are_more_than_plain_tables_are_refused_and_rows_without_end_too() {
    let _alone = alone();
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.gsrun");
    let whole = run_file();
    let endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)";
    for (sql, says) in [
        (
            format!(
                "DROP TABLE events; CREATE VIEW events AS {endless}
                 SELECT i AS id, i AS time_ms, i AS step, i AS epoch, 'started' AS kind,
                        '{{}}' AS detail FROM n"
            ),
            "plain tables",
        ),
        (
            "CREATE TRIGGER t AFTER INSERT ON steps BEGIN DELETE FROM steps; END".to_owned(),
            "plain tables",
        ),
        (
            "DROP TABLE snapshots; CREATE TABLE snapshots (step INTEGER PRIMARY KEY, epoch INTEGER,
                 loss REAL, params BLOB AS (zeroblob(1000000000)));
             INSERT INTO snapshots (step, epoch) VALUES (0, 0)"
                .to_owned(),
            "plain tables",
        ),
    ] {
        std::fs::write(&path, &whole).unwrap();
        let db = rusqlite::Connection::open(&path).unwrap();
        db.execute_batch(&sql).unwrap();
        drop(db);
        let bytes = std::fs::read(&path).unwrap();
        let error = tried(&path, runs, &bytes).unwrap_err();
        assert!(error.contains(says), "{error}");
    }
}

#[test]
fn archives_that_unpack_without_end_are_refused() {
    let _alone = alone();
    let dir = tempfile::tempdir().unwrap();
    let zeros = vec![0; 300 << 20];
    // A header that fits, so that nothing but the size is wrong.
    let array = npy("|u1", &format!("({}, {})", 300 << 10, 1 << 10), &zeros);
    let labels = npy("|u1", &format!("({},)", 300 << 10), &zeros[..300 << 10]);
    let zip = archive(&[("x.npy", &array), ("y.npy", &labels)], true);
    let pickles = archive(&[("net/data.pkl", &zeros)], true);
    let keras = archive(
        &[("config.json", b"{}"), ("model.weights.h5", &zeros)],
        true,
    );
    drop(array);
    for (target, bytes) in [("npz", &zip), ("pytorch", &pickles), ("keras", &keras)] {
        assert!(bytes.len() < 1 << 20, "{target}: {}", bytes.len());
        let (file, read) = reader(target);
        assert!(
            tried(&dir.path().join(file), read, bytes).is_err(),
            "{target}"
        );
    }
    let packed = gzip(&idx(&[200 << 10, 32, 32], &zeros[..200 << 20]));
    let labels = gzip(&idx(&[200 << 10], &zeros[..200 << 10]));
    std::fs::write(dir.path().join("labels"), labels).unwrap();
    let error = tried(&dir.path().join("a-images-idx3-ubyte.gz"), data, &packed).unwrap_err();
    assert!(error.contains("unpacks to more"), "{error}");
    // What real files of images shrink to is read.
    let real = gzip(&idx(&[2000, 28, 28], &zeros[..2000 * 28 * 28]));
    let labels: Vec<u8> = (0..2000).map(|i| (i % 10) as u8).collect();
    std::fs::write(dir.path().join("labels"), idx(&[2000], &labels)).unwrap();
    tried(&dir.path().join("b-images-idx3-ubyte.gz"), data, &real).unwrap();
}

#[test]
fn text_without_end_and_nested_without_end_is_refused() {
    let _alone = alone();
    let dir = tempfile::tempdir().unwrap();
    let try_as = |target: &str, text: String| {
        let (file, read) = reader(target);
        tried(&dir.path().join(file), read, text.as_bytes())
    };
    for text in [
        format!("a = {}", "[".repeat(100_000)),
        format!("a = {}", "{a=".repeat(100_000)),
        format!("{}=1", "a.".repeat(100_000) + "b"),
        format!("[{}]", "a.".repeat(50_000) + "b"),
        TOML.replace("seed = ", "seed = 9999999999999999999999"),
        TOML.replace("epochs = ", "epochs = 1e99 #"),
        format!("{TOML}\nseed = 1"),
        format!("data = {{ source = \"{}\" }}", "iris".repeat(100_000)),
    ] {
        assert!(
            try_as("experiment", text.clone()).is_err(),
            "{}",
            &text[..40]
        );
    }
    for text in [
        ",".repeat(5_000_000),
        "\"".repeat(3_000_001),
        format!("a\"b\n{}", "1\n".repeat(5_000_000)),
        format!("{}\n", "x,".repeat(1_000_000)),
        "\n".repeat(1_000_000),
        "a,b\n1,2\n1,2,3\n".to_owned(),
        "a,b\n\0,2\n".to_owned(),
    ] {
        assert!(try_as("csv", text.clone()).is_err(), "{}", &text[..12]);
    }
}

/// The files of [`tests/malformed`] as their targets take them: some are made of two halves.
fn as_made(target: &str, bytes: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let halves = || -> Option<(&[u8], &[u8])> {
        let (length, rest) = bytes.split_first_chunk()?;
        rest.split_at_checked(usize::from(u16::from_le_bytes(*length)))
    };
    let (file, _) = reader(target);
    let raw = vec![(file, bytes.to_vec())];
    let whole = bytes.starts_with(b"PK") || bytes.starts_with(b"\x80\x02\x8a\x0a");
    match (target, halves()) {
        ("keras", Some((config, weights))) if !whole => {
            let members = [("config.json", config), ("model.weights.h5", weights)];
            vec![(file, archive(&members, false))]
        }
        ("pytorch", Some((pickle, storage))) if !whole => {
            let members = [("net/data.pkl", pickle), ("net/data/0", storage)];
            vec![(file, archive(&members, false))]
        }
        ("npz", Some((x, y))) if !whole => {
            vec![(file, archive(&[("x.npy", x), ("y.npy", y)], false))]
        }
        ("idx", Some((images, labels))) => {
            vec![("labels", labels.to_vec()), (file, images.to_vec())]
        }
        _ => raw,
    }
}

#[test]
fn what_fuzzing_found_does_no_harm_any_more() {
    let _alone = alone();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/malformed");
    let mut folders: Vec<PathBuf> = std::fs::read_dir(&root)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .collect();
    folders.sort();
    assert!(!folders.is_empty(), "{} is empty", root.display());
    for folder in folders {
        let target = folder.file_name().unwrap().to_str().unwrap().to_owned();
        let (file, read) = reader(&target);
        for entry in std::fs::read_dir(&folder).unwrap() {
            let bytes = std::fs::read(entry.unwrap().path()).unwrap();
            let dir = tempfile::tempdir().unwrap();
            for (name, part) in as_made(&target, &bytes) {
                std::fs::write(dir.path().join(name), part).unwrap();
            }
            let path = dir.path().join(file);
            let whole = std::fs::read(&path).unwrap();
            let _ = tried(&path, read, &whole);
        }
    }
}
