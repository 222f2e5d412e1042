//! A surface shared among the processes of `mpirun`: the bytes of one process,
//! also after a kill and with another number of processes.
#![cfg(all(feature = "mpi", unix))]
#![allow(clippy::unwrap_used)] // a test fails by panicking

use gradscape::interop::read_tile;
use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

const EXPERIMENT: &str = r#"
seed = 5
data = { source = "spiral", samples = 1500, validation = 0.2 }
training = { optimizer = { name = "adam", learning_rate = 0.02 }, batch = 32, epochs = 6 }
[network]
layers = [{ dense = 24 }, { dense = 24 }]
loss = "cross-entropy"
"#;

const BINARY: &str = env!("CARGO_BIN_EXE_gradscape");

fn folder() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("e.toml"), EXPERIMENT).unwrap();
    succeeds(alone(dir.path(), "train e.toml --out run"));
    dir
}

fn alone(dir: &Path, line: &str) -> Command {
    let mut command = Command::new(BINARY);
    command.args(line.split(' ')).current_dir(dir);
    command.env("GRADSCAPE_RUNS_DIR", dir.join(".runs"));
    command
}

/// The command as `n` processes.
fn mpirun(dir: &Path, n: usize, line: &str) -> Command {
    let mut command = Command::new("mpirun");
    // Root, more processes than cores, and no cores of their own.
    command.args("--allow-run-as-root --oversubscribe --bind-to none -n".split(' '));
    command.arg(n.to_string()).arg(BINARY).args(line.split(' '));
    command.env("RAYON_NUM_THREADS", "1").current_dir(dir);
    command
}

fn succeeds(mut command: Command) -> Output {
    let output = command.output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {error}");
    output
}

/// How much is in a folder's files, and of how much.
fn known(dir: &Path) -> (usize, usize) {
    let files = fs::read_dir(dir).into_iter().flatten();
    let names = files.map(|entry| entry.unwrap().path());
    let tiles = names.filter(|path| path.extension().is_some_and(|e| e == "safetensors"));
    let progress = tiles.map(|path| read_tile(&path).unwrap().progress);
    progress.fold((0, usize::MAX), |(known, _), p| {
        (known + p.count(), p.len())
    })
}

const OUTS: [&str; 4] = ["csv", "npz", "safetensors", "svg"];

fn outs(name: &str) -> String {
    OUTS.map(|end| format!("--out {name}.{end}")).join(" ")
}

fn assert_same(dir: &Path, one: &str, other: &str) {
    for end in OUTS {
        let read = |name: &str| fs::read(dir.join(format!("{name}.{end}"))).unwrap();
        assert!(read(one) == read(other), "{other}.{end}");
    }
}

#[test]
fn two_and_three_processes_give_the_bytes_of_one_and_one_of_them_speaks() {
    let dir = folder();
    let dir = dir.path();
    let what = "surface run --directions path --grid 31";
    succeeds(alone(dir, &format!("{what} {}", outs("one"))));
    for n in [2, 3] {
        let name = format!("of{n}");
        let output = succeeds(mpirun(dir, n, &format!("{what} {} --json", outs(&name))));
        assert_eq!(String::from_utf8(output.stdout).unwrap().lines().count(), 1);
        assert_same(dir, "one", &name);
    }
}

#[test]
fn killed_processes_are_gone_on_with_by_another_number_of_them() {
    let dir = folder();
    let dir = dir.path();
    // Seconds of work, and a file that is written many times within them.
    let what = "surface run --directions path --grid 901";
    let line = format!(
        "{what} --tile-dir parts --flush-every 0.01 {}",
        outs("parts")
    );
    let parts = dir.join("parts");
    let mut before = 0;
    for (n, share) in [(2, 20), (3, 8)] {
        let mut child = mpirun(dir, n, &line)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // Until there is a twentieth, and then an eighth.
        loop {
            let (known, all) = known(&parts);
            assert!(child.try_wait().unwrap().is_none(), "it was done too soon");
            if known > before && known > all / share {
                break;
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        // Open MPI takes its processes with it when its own end is seen; they
        // are met at work by this one all the same.
        child.kill().unwrap();
        child.wait().unwrap();
        let mut last = (0, 0);
        // Until nobody writes any more.
        while last != known(&parts) {
            last = known(&parts);
            std::thread::sleep(Duration::from_millis(400));
        }
        assert!(last.0 >= before && last.0 < last.1, "{last:?}");
        before = last.0;
    }
    succeeds(mpirun(dir, 2, &line));
    succeeds(alone(dir, &format!("{what} {}", outs("one"))));
    assert_same(dir, "one", "parts");
    // Nothing was computed twice.
    let (known, all) = known(&parts);
    assert_eq!(known, all);
}

#[test]
fn a_mistake_is_said_once() {
    let dir = folder();
    let dir = dir.path();
    let output = mpirun(dir, 2, "surface nothing.toml --out s.csv")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(error.matches("error:").count(), 1, "{error}");
    assert!(!dir.join("s.csv").exists());
}
