//! A surface in tiles, killed and gone on with at any moment: the same bytes as
//! one run's.
#![cfg(unix)]
#![allow(clippy::unwrap_used)] // a test fails by panicking

use gradscape::interop::read_tile;
use gradscape::landscape::tiles::Tile;
use std::fs;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

/// Long enough that a kill meets it at work.
const EXPERIMENT: &str = r#"
seed = 5
data = { source = "spiral", samples = 1500, validation = 0.2 }
training = { optimizer = { name = "adam", learning_rate = 0.02 }, batch = 32, epochs = 6 }
[network]
layers = [{ dense = 24 }, { dense = 24 }]
loss = "cross-entropy"
"#;

fn folder() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("e.toml"), EXPERIMENT).unwrap();
    succeeds(dir.path(), "train e.toml --out run");
    dir
}

fn command(dir: &Path, line: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gradscape"));
    command.args(line.split(' ')).current_dir(dir);
    command.env("GRADSCAPE_RUNS_DIR", dir.join(".runs"));
    command
}

fn succeeds(dir: &Path, line: &str) -> Output {
    let output = command(dir, line).output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{line}: {error}");
    output
}

fn fails(dir: &Path, status: i32, line: &str) -> String {
    let output = command(dir, line).output().unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(status), "{line}: {error}");
    assert_eq!(error.matches("error:").count(), 1, "{line}: {error}");
    error
}

/// How much of its own a tile's file knows, and how much it is to know.
fn known(file: &Path) -> (usize, usize) {
    let Ok(tile) = read_tile(file) else {
        assert!(!file.exists(), "a torn file");
        return (0, usize::MAX);
    };
    let own: Tile = tile.head.tile.parse().unwrap();
    let all = (0..tile.progress.len()).filter(|&k| own.has(k)).count();
    (all - tile.progress.missing(own).len(), all)
}

/// Numbers that look random and are the same every time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (self.0 >> 33) % n
    }
}

/// Waits until it has ended, or for so long; then kills it without a warning.
/// Whether it had to be killed.
fn kill_after(mut child: Child, milliseconds: u64) -> bool {
    std::thread::sleep(Duration::from_millis(milliseconds));
    let running = child.try_wait().unwrap().is_none();
    let _ = child.kill();
    let status = child.wait().unwrap();
    assert!(running || status.success(), "{status}");
    running
}

#[test]
fn seven_tiles_killed_and_gone_on_with_at_random_merge_to_the_bytes_of_one_run() {
    let dir = folder();
    let dir = dir.path();
    let what = "surface run --directions path --grid 201 --range -1.2:1.1";
    let files =
        |name: &str| ["csv", "npz", "safetensors", "svg", "png"].map(|end| format!("{name}.{end}"));
    let outs = |name: &str| files(name).map(|file| format!("--out {file}")).join(" ");
    succeeds(dir, &format!("{what} {}", outs("one")));

    let mut dice = Dice(11);
    let (mut kills, mut resumed) = (0, 0);
    let mut open: Vec<usize> = (1..=7).collect();
    while !open.is_empty() {
        let tile = open[dice.below(open.len() as u64) as usize];
        let file = dir.join(format!("{tile}.safetensors"));
        let before = known(&file);
        assert!(before.0 < before.1);
        let threads = 1 + dice.below(3);
        let line = format!("{what} --tile {tile}/7 --out {tile}.safetensors --flush-every 0.01");
        let mut child = command(dir, &line)
            .env("RAYON_NUM_THREADS", threads.to_string())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        // Every other one is met at work; the rest at any moment, the start too.
        if dice.below(2) == 0 {
            while child.try_wait().unwrap().is_none()
                && (!file.exists() || known(&file).0 <= before.0)
            {
                std::thread::sleep(Duration::from_millis(2));
            }
        }
        // The longer it goes on, the longer each may: a slow machine gets done.
        let was_killed = kill_after(child, dice.below(60) + 2 * kills);
        let after = known(&file);
        // What was there stays there.
        assert!(after.0 >= before.0);
        kills += u64::from(was_killed);
        resumed += usize::from(before.0 > 0);
        if after.0 == after.1 {
            open.retain(|&other| other != tile);
        } else {
            assert!(was_killed);
        }
    }
    assert!(kills >= 3, "only {kills} kills");
    assert!(resumed >= 1, "only {resumed} went on with something");

    let tiles = [3, 7, 1, 2, 6, 5, 4].map(|tile| format!("{tile}.safetensors"));
    // On another machine, without the run and its data.
    fs::rename(dir.join("run"), dir.join("gone")).unwrap();
    succeeds(
        dir,
        &format!("surface merge {} {}", tiles.join(" "), outs("merged")),
    );
    for (one, merged) in files("one").iter().zip(files("merged")) {
        let same = fs::read(dir.join(one)).unwrap() == fs::read(dir.join(&merged)).unwrap();
        assert!(same, "{merged}");
    }
}

#[test]
fn what_is_missing_is_named_and_left_out_only_on_demand() {
    let dir = folder();
    let dir = dir.path();
    let what = "surface run --grid 12";
    for tile in [1, 2, 4] {
        succeeds(
            dir,
            &format!("{what} --tile {tile}/4 --out {tile}.safetensors"),
        );
    }
    let three = "1.safetensors 2.safetensors 4.safetensors";
    let error = fails(dir, 1, &format!("surface merge {three} --out s.csv"));
    assert!(error.contains("not among the files: 3/4"), "{error}");
    assert!(!dir.join("s.csv").exists());
    succeeds(
        dir,
        &format!("surface merge {three} --partial --out s.csv --out s.safetensors"),
    );
    let table = fs::read_to_string(dir.join("s.csv")).unwrap();
    assert_eq!(table.matches("NaN").count(), 36);
    // What was merged in part can be merged again.
    succeeds(dir, &format!("{what} --tile 3/4 --out 3.safetensors"));
    succeeds(dir, "surface merge 3.safetensors s.safetensors --out s.csv");
    succeeds(dir, &format!("{what} --out one.csv"));
    let read = |file: &str| fs::read(dir.join(file)).unwrap();
    assert_eq!(read("s.csv"), read("one.csv"));
}

#[test]
fn a_tile_of_another_surface_is_refused_and_left_as_it_is() {
    let dir = folder();
    let dir = dir.path();
    succeeds(dir, "surface run --grid 9 --tile 1/2 --out 1.safetensors");
    let before = fs::read(dir.join("1.safetensors")).unwrap();
    for (line, word) in [
        (
            "surface run --grid 8 --tile 1/2",
            "grid (8x8 here, 9x9 there)",
        ),
        ("surface run --grid 9 --range -2:2 --tile 1/2", "range of x"),
        (
            "surface run --grid 9 --directions random:1 --tile 1/2",
            "direction x",
        ),
        ("surface e.toml --grid 9 --tile 1/2", "weights"),
        ("surface run --grid 9 --tile 2/2", "holds tile 1/2, not 2/2"),
    ] {
        let error = fails(dir, 1, &format!("{line} --out 1.safetensors"));
        assert!(error.contains(word), "{error}");
        assert_eq!(fs::read(dir.join("1.safetensors")).unwrap(), before);
    }
    // A run's weights are no tile either.
    let error = fails(
        dir,
        1,
        "surface run --grid 9 --tile 1/2 --out run/weights.safetensors",
    );
    assert!(error.contains("is not a tile"), "{error}");
    succeeds(
        dir,
        "surface run --grid 9 --directions random:1 --tile 2/2 --out 2.safetensors",
    );
    let error = fails(
        dir,
        1,
        "surface merge 1.safetensors 2.safetensors --out s.csv",
    );
    assert!(
        error.contains("of another surface") && error.contains("direction x"),
        "{error}"
    );
    fails(dir, 2, "surface run --tile 3/2 --out 1.safetensors");
    fails(dir, 2, "surface run --tile 1/2 --out s.csv");
}

#[test]
fn a_request_to_end_keeps_what_is_done_and_has_a_status_of_its_own() {
    let dir = folder();
    let dir = dir.path();
    let line = "surface run --grid 300 --tile 1/1 --out t.safetensors --flush-every 3600";
    let mut child = command(dir, line)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // The first version of the file tells that it is at work.
    while !dir.join("t.safetensors").exists() {
        assert!(child.try_wait().unwrap().is_none());
        std::thread::sleep(Duration::from_millis(5));
    }
    let second = fails(dir, 1, line);
    assert!(second.contains("another process is computing"), "{second}");
    std::thread::sleep(Duration::from_millis(300));
    let pid = child.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-TERM", &pid])
            .status()
            .unwrap()
            .success()
    );
    let output = child.wait_with_output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{error}");
    assert!(error.contains("goes on from there"), "{error}");
    let (done, all) = known(&dir.join("t.safetensors"));
    assert!(done > 0 && done < all, "{done} of {all}");
}

#[test]
fn a_folder_of_tiles_is_gone_on_with_whoever_computed_them() {
    let dir = folder();
    let dir = dir.path();
    fs::create_dir(dir.join("d")).unwrap();
    succeeds(
        dir,
        "surface run --grid 13 --tile 2/3 --out d/two.safetensors",
    );
    let before = fs::read(dir.join("d/two.safetensors")).unwrap();
    succeeds(dir, "surface run --grid 13 --tile-dir d --out s.npz");
    succeeds(dir, "surface run --grid 13 --out one.npz");
    let read = |file: &str| fs::read(dir.join(file)).unwrap();
    assert_eq!(read("s.npz"), read("one.npz"));
    assert_eq!(read("d/two.safetensors"), before);
    let own = read_tile(&dir.join("d/process-0001.safetensors")).unwrap();
    let two = read_tile(&dir.join("d/two.safetensors")).unwrap();
    let both = (0..own.progress.len()).filter(|&k| own.progress.knows(k) && two.progress.knows(k));
    assert_eq!(both.count(), 0);
    assert_eq!(
        own.progress.count() + two.progress.count(),
        own.progress.len()
    );
    let error = fails(dir, 1, "surface run --grid 14 --tile-dir d --out s.npz");
    assert!(error.contains("part of another surface"), "{error}");
}
