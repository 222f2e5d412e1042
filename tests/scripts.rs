//! The shell scripts: what they find missing, install, say and hand to cargo,
//! on machines made of stub commands.
#![cfg(target_os = "linux")]

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// A folder that is the whole PATH of the scripts under test: the small tools
/// that they use, and stubs that write how they were called to `calls`.
struct Machine {
    folder: PathBuf,
}

impl Machine {
    /// A machine of `name` (one per test) that has a current Rust.
    fn new(name: &str) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(folder.join("bin")).expect("a folder for the stubs");
        let machine = Self { folder };
        for tool in ["bash", "dirname", "env", "grep", "ls", "sed", "tr", "uname"] {
            let real = std::env::split_paths(&std::env::var_os("PATH").expect("a PATH"))
                .map(|entry| entry.join(tool))
                .find(|path| path.exists())
                .expect("a common tool");
            symlink(real, machine.folder.join("bin").join(tool)).expect("a link");
        }
        machine.stub(
            "cargo",
            "[ \"$1\" = --version ] && echo 'cargo 1.999.0 (abc 2030-01-01)'",
        );
        machine
    }

    /// Adds a command that notes its call and then runs `body`.
    fn stub(&self, command: &str, body: &str) {
        let path = self.folder.join("bin").join(command);
        let calls = self.folder.join("calls");
        let text = format!(
            "#!/usr/bin/env bash\necho \"{command} $*\" >>'{}'\n{body}\nexit 0\n",
            calls.display()
        );
        fs::write(&path, text).expect("a stub");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("an executable stub");
    }

    /// An ordinary user's machine with apt and, of the parts, nothing.
    fn lacking_everything(name: &str) -> Self {
        let machine = Self::new(name);
        machine.stub("id", "echo 1000");
        machine.stub("apt-get", "");
        machine
    }

    fn bash(&self, script: &str) -> Output {
        Command::new(self.folder.join("bin/bash"))
            .args(["-c", script])
            .env_clear()
            .env("PATH", self.folder.join("bin"))
            .env("HOME", &self.folder)
            .current_dir(&self.folder)
            .output()
            .expect("bash")
    }

    /// Runs `prepare` on a machine where a part is there once `installed` exists.
    fn prepare(&self, purposes: &str) -> Output {
        self.bash(&format!(
            "set -eu; . '{ROOT}/scripts/lib.sh'; have() {{ [ -e installed ]; }}; prepare {purposes}"
        ))
    }

    fn calls(&self) -> Vec<String> {
        let text = fs::read_to_string(self.folder.join("calls")).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_complete_machine_is_left_alone_in_silence() {
    let machine = Machine::lacking_everything("complete");
    fs::write(machine.folder.join("installed"), "").expect("a mark");
    let output = machine.prepare("compile draw window");
    assert!(output.status.success());
    assert_eq!(said(&output), "");
    assert_eq!(machine.calls(), Vec::<String>::new());
}

#[test]
fn what_is_missing_is_installed_with_sudo_after_saying_why() {
    let machine = Machine::lacking_everything("sudo");
    machine.stub(
        "sudo",
        "touch() { : >\"$1\"; }; touch installed; [ \"$1\" = -n ] && shift; \"$@\"",
    );
    let output = machine.prepare("compile draw window");
    assert!(output.status.success(), "{}", said(&output));
    assert!(said(&output).contains(
        "lacks a C compiler to link the program, a Vulkan driver to draw, \
         X11 and keyboard libraries to open a window. Installing: gcc libc6-dev libvulkan1 \
         mesa-vulkan-drivers libx11-6 libx11-xcb1 libxcursor1 libxi6 libxkbcommon0 libxkbcommon-x11-0\n"
    ));
    let apt: Vec<_> = machine
        .calls()
        .into_iter()
        .filter(|call| call.starts_with("apt-get"))
        .collect();
    assert_eq!(
        apt,
        [
            "apt-get update -qq",
            "apt-get install -qq -y --no-install-recommends gcc libc6-dev libvulkan1 mesa-vulkan-drivers \
             libx11-6 libx11-xcb1 libxcursor1 libxi6 libxkbcommon0 libxkbcommon-x11-0",
        ]
    );
}

#[test]
fn each_known_package_manager_has_a_package_for_every_part() {
    let machine = Machine::new("packages");
    let output = machine.bash(&format!(
        ". '{ROOT}/scripts/lib.sh'
         for manager in apt dnf pacman; do
             for part in $(for purpose in compile draw window virtual-screen mpi browser node; do parts_of $purpose; done); do
                 [ -n \"$(packages_of $manager $part)\" ] || echo $manager $part
             done
         done"
    ));
    assert_eq!(String::from_utf8_lossy(&output.stdout), "");
    assert_eq!(said(&output), "");
}

#[test]
fn without_sudo_the_command_is_printed_and_the_loss_is_named() {
    let machine = Machine::lacking_everything("no-sudo");
    let output = machine.prepare("draw");
    assert!(!output.status.success());
    let said = said(&output);
    assert!(said.contains(
        "As root: apt-get install -qq -y --no-install-recommends libvulkan1 mesa-vulkan-drivers\n"
    ));
    assert!(said.contains(
        "the window and `capture` will not work; `train`, `surface`, `gradient` and `data` will"
    ));
    assert!(
        machine
            .calls()
            .iter()
            .all(|call| !call.starts_with("apt-get"))
    );
}

#[test]
fn a_failing_installation_names_the_command_and_the_loss() {
    let machine = Machine::lacking_everything("failing");
    machine.stub("sudo", "exit 1");
    let output = machine.prepare("window");
    assert!(!output.status.success());
    assert!(said(&output).contains("By hand: sudo apt-get install"));
    assert!(said(&output).contains("it will not open"));
}

#[test]
fn an_unknown_package_manager_is_told_which_parts_are_missing() {
    let machine = Machine::new("unknown-manager");
    let output = machine.prepare("draw");
    assert!(!output.status.success());
    assert!(said(&output).contains("(libvulkan.so.1 vulkan-driver)"));
}

#[test]
fn installation_can_be_declined() {
    let machine = Machine::lacking_everything("declined");
    machine.stub("sudo", "");
    let output = machine.bash(&format!(
        "export GRADSCAPE_INSTALL=no; . '{ROOT}/scripts/lib.sh'; have() {{ false; }}; prepare draw"
    ));
    assert!(said(&output).contains("To install: sudo apt-get install"));
    assert!(machine.calls().iter().all(|call| !call.starts_with("sudo")));
}

#[test]
fn a_vulkan_manifest_counts_only_when_its_library_is_there() {
    let machine = Machine::new("manifest");
    let manifest = machine.folder.join("driver.json");
    let whole = |library: &str| {
        fs::write(
            &manifest,
            format!("{{\n  \"ICD\": {{ \"library_path\": \"{library}\" }}\n}}\n"),
        )
        .expect("a manifest");
        machine
            .bash(&format!(
                ". '{ROOT}/scripts/lib.sh'; manifest_is_whole '{}'",
                manifest.display()
            ))
            .status
            .success()
    };
    fs::write(machine.folder.join("libdriver.so"), "").expect("a library");
    assert!(whole("./libdriver.so"));
    assert!(whole(
        &machine.folder.join("libdriver.so").display().to_string()
    ));
    assert!(!whole("./libother.so"));
    assert!(!whole("/nowhere/libdriver.so"));
    assert!(!whole("libgradscape-no-such-driver.so"));
}

#[test]
fn both_commands_pass_their_arguments_on_and_stay_in_the_caller_s_folder() {
    let machine = Machine::new("arguments");
    machine.stub("id", "echo 1000");
    machine.stub(
        "cargo",
        "[ \"$1\" = --version ] && echo 'cargo 1.999.0' || { pwd; printf '[%s]' \"$@\"; }",
    );
    let here = machine.folder.display();
    for (script, subcommand, separator) in [("run", "run", "[--]"), ("test", "test", "")] {
        let output = machine.bash(&format!(
            "'{ROOT}/scripts/{script}' train 'my file.toml' --json"
        ));
        assert!(output.status.success(), "{}", said(&output));
        assert_eq!(
            String::from_utf8_lossy(&output.stdout),
            format!(
                "{here}\n[{subcommand}][--release][--manifest-path][{ROOT}/Cargo.toml]{separator}[train][my file.toml][--json]"
            )
        );
    }
}

#[test]
fn a_rust_that_is_missing_or_too_old_stops_the_command_with_what_to_do() {
    let machine = Machine::new("rust");
    machine.stub("cargo", "echo 'cargo 1.63.0'");
    let output = machine.bash(&format!("'{ROOT}/scripts/run'"));
    assert_eq!(output.status.code(), Some(1));
    assert!(
        said(&output).contains("Rust 1.63.0 is too old") && said(&output).contains("rustup update")
    );

    fs::remove_file(machine.folder.join("bin/cargo")).expect("the stub");
    let output = machine.bash(&format!("'{ROOT}/scripts/run'"));
    assert_eq!(output.status.code(), Some(1));
    assert!(said(&output).contains("https://rustup.rs"));
}

#[test]
fn a_broken_invariant_is_found_and_a_comment_about_it_is_not_one() {
    let machine = Machine::new("invariants");
    let check = |file: &str, line: &str| {
        let tree = machine.folder.join("tree");
        let _ = fs::remove_dir_all(&tree);
        for folder in [
            "scripts",
            "src/nn",
            "src/optim",
            "src/data",
            "src/landscape",
            "src/app/render",
        ] {
            fs::create_dir_all(tree.join(folder)).expect("a room");
        }
        fs::write(tree.join("Cargo.toml"), "[dependencies]\nserde = \"1\"\n").expect("a manifest");
        fs::copy(
            Path::new(ROOT).join("scripts/check-invariants"),
            tree.join("scripts/check"),
        )
        .expect("the script");
        fs::write(tree.join(file), format!("{line}\n")).expect("a source file");
        machine.bash("tree/scripts/check").status.success()
    };
    assert!(check("src/nn/a.rs", "use ndarray::prelude::*;"));
    assert!(check(
        "src/nn/a.rs",
        "/// Unlike `bevy::math::Vec2`, this has `Instant::now` nowhere."
    ));
    assert!(check("src/app/a.rs", "use bevy::prelude::*;"));
    assert!(check(
        "src/app/theme.rs",
        "const INK: Color = Color::srgb(0.1, 0.1, 0.1);"
    ));
    assert!(check(
        "src/app/render/a.rs",
        "fn f(meshes: ResMut<Assets<Mesh>>) {}"
    ));

    assert!(!check("src/nn/a.rs", "use bevy::prelude::*;"));
    assert!(!check("src/figure.rs", "fn f(c: egui::Color32) {}"));
    assert!(!check(
        "src/nn/a.rs",
        "let start = std::time::Instant::now();"
    ));
    assert!(!check("src/data/a.rs", "println!(\"{x}\");"));
    assert!(!check("src/landscape/a.rs", "std::thread::spawn(f);"));
    assert!(!check(
        "src/train.rs",
        "let (s, r) = crossbeam_channel::unbounded::<u8>();"
    ));
    assert!(!check("src/optim/a.rs", "let mut rng = rand::rng();"));
    assert!(!check(
        "src/app/scene.rs",
        "fn f(meshes: ResMut<Assets<Mesh>>) {}"
    ));
    assert!(!check(
        "src/app/scene.rs",
        "let red = Color::srgb(1.0, 0.0, 0.0);"
    ));
    assert!(!check("src/nn/a.rs", "use crate::data::*;"));
    assert!(!check("Cargo.toml", "serde = \"*\""));
}
