//! The scene of gradscape in somebody else's Bevy app, without its panels.
//!
//! `cargo run --release --example scene_plugin`: two moons, learnt live; drag to
//! orbit, space pauses and goes on.

use bevy::prelude::*;
use bevy_egui::EguiPlugin;
use gradscape::app::{Command, Drive, GradscapePlugins, Training};
use gradscape::experiment::Experiment;
use gradscape::train::{Problem, RunState, TrainCommand};
use std::sync::Arc;

const EXPERIMENT: &str = r#"
[data]
source = "moons"
samples = 300
noise = 0.1

[network]
layers = [{ dense = 6 }, { dense = 4 }]
loss = "cross-entropy"

[training]
optimizer = { name = "momentum", learning_rate = 0.05 }
batch = 10
epochs = 400
"#;

fn main() -> AppExit {
    let problem = Experiment::parse(EXPERIMENT, "moons").and_then(|e| Problem::new(&e));
    let problem = match problem {
        Ok(problem) => Arc::new(problem),
        Err(error) => {
            error!("{error}");
            return AppExit::error();
        }
    };
    App::new()
        .add_plugins((DefaultPlugins, EguiPlugin::default()))
        .add_plugins(GradscapePlugins {
            problem,
            drive: Drive::Thread,
        })
        .add_systems(Startup, begin)
        .add_systems(Update, (pause_on_space, report))
        .run()
}

fn begin(mut commands: MessageWriter<Command>) {
    commands.write(Command(TrainCommand::SetSpeed(Some(20.0))));
    commands.write(Command(TrainCommand::Start));
}

fn pause_on_space(
    keys: Res<ButtonInput<KeyCode>>,
    training: Res<Training>,
    mut commands: MessageWriter<Command>,
) {
    if keys.just_pressed(KeyCode::Space) {
        let running = training.snapshot.state == RunState::Running;
        commands.write(Command(if running {
            TrainCommand::Pause
        } else {
            TrainCommand::Start
        }));
    }
}

/// The host app reads the same resource as the scene.
fn report(training: Res<Training>, mut windows: Query<&mut Window>) {
    if training.is_changed()
        && let Some(row) = training.history.last()
    {
        for mut window in &mut windows {
            window.title = format!("epoch {}: loss {:.4}", row.epoch, row.train_loss);
        }
    }
}
