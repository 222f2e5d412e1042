//! How much memory training takes beside its data.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)] // a test fails by panicking

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

const SAMPLES: usize = 60_000;
const PIXELS: usize = 28 * 28;
const MB: usize = 1_000_000;

/// As large as MNIST, in its format.
fn write_pictures(folder: &Path) {
    let header = |kind: u8, dimensions: &[u32]| -> Vec<u8> {
        let start = [0, 0, 8, kind].into_iter();
        start
            .chain(dimensions.iter().flat_map(|d| d.to_be_bytes()))
            .collect()
    };
    let pixel = |i: usize| (i.wrapping_mul(2_654_435_761) >> 24) as u8;
    let mut images = header(3, &[SAMPLES as u32, 28, 28]);
    images.extend((0..SAMPLES * PIXELS).map(pixel));
    let mut labels = header(1, &[SAMPLES as u32]);
    labels.extend((0..SAMPLES).map(|i| (i % 10) as u8));
    fs::write(folder.join("train-images-idx3-ubyte"), images).unwrap();
    fs::write(folder.join("train-labels-idx1-ubyte"), labels).unwrap();
}

/// The most memory that a process had, in bytes, or `None` when it is over.
fn peak(process: u32) -> Option<usize> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:"))?;
    let kib: usize = line.trim().trim_end_matches(" kB").parse().ok()?;
    Some(kib * 1024)
}

#[test]
fn training_takes_a_hundred_megabytes_beside_its_data_at_most() {
    let folder = tempfile::tempdir().unwrap();
    write_pictures(folder.path());
    let experiment = folder.path().join("pictures.toml");
    let mut file = fs::File::create(&experiment).unwrap();
    write!(
        file,
        "[data]\nsource = \"train-images-idx3-ubyte\"\n\
         [network]\nlayers = [{{ dense = 32, activation = \"relu\" }}]\nloss = \"cross-entropy\"\n\
         [training]\nbatch = 64\nepochs = 1\n"
    )
    .unwrap();
    let mut run = Command::new(env!("CARGO_BIN_EXE_gradscape"))
        .args(["train", "--no-record"])
        .arg(&experiment)
        .arg("--out")
        .arg(folder.path().join("out"))
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let mut most = 0;
    let status = loop {
        most = peak(run.id()).unwrap_or(most);
        if let Some(status) = run.try_wait().unwrap() {
            break status;
        }
        std::thread::sleep(Duration::from_millis(1));
    };
    assert!(status.success());
    let data = SAMPLES * PIXELS * size_of::<f32>();
    assert!(most > data, "{most} bytes cannot be all");
    let beside = most - data;
    assert!(
        beside <= 100 * MB,
        "{} MB beside {} MB of data",
        beside / MB,
        data / MB
    );
}
