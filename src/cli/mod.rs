//! The command line: raw flags become a plan, the plan calls into the library.
//! One file a subcommand; [`Out`] is the only thing that prints.
//!
//! `docs/commands.md` states what other programs may rely on: exit statuses,
//! JSON fields and file layouts.

pub mod arena;
mod branch;
pub mod capture;
mod compare;
mod curvature;
mod data;
mod derivatives;
mod diagnose;
mod error;
mod exercise;
mod explain;
mod export;
mod export_run;
mod figure;
mod functions;
mod gradient;
mod headless;
mod inspect;
mod interrupt;
mod lesson;
mod line;
mod maximise;
mod missing;
mod open;
mod out;
mod race;
mod range_test;
mod record;
mod report;
mod report_page;
mod run_folder;
mod run_source;
mod runs;
pub mod samples;
mod source;
mod surface;
mod sweep;
mod sweep_folder;
mod train;
mod watch;
mod watch_output;
mod waypoint;

pub use error::CliError;
pub use out::Out;

use clap::{Parser, Subcommand};

const EXAMPLES: &str = "\
Examples:
  gradscape                                     open the window with a spiral that is being learnt
  gradscape open my.toml                        open the window with an experiment of your own
  gradscape train digits --out out/digits       train a sample and keep everything
  gradscape sweep iris --vary training.batch=8,32,128 --seeds 3
  gradscape range-test iris                     suggest a learning rate
  gradscape runs                                list the recorded runs
  gradscape compare spiral my.toml              train networks side by side, and say what differs
  gradscape diagnose my.toml                    say what is wrong with a run, and what to try
  gradscape report out/digits --out report.html hand on a run as one page that works offline
  gradscape surface out/digits --out surface.png
  gradscape race --function rosenbrock --rate 0.001 --out race.png
  gradscape line out/digits --out line.png
  gradscape curvature out/iris --out density.png
  gradscape explain out/digits --sample 12 --out why.png
  gradscape maximise out/digits --unit classes --out digits.png
  gradscape export out/digits --out digits.onnx hand the network to other programs
  gradscape capture spiral --frames 60 --out spiral.gif
  gradscape watch tcp                           watch another program train
  gradscape data iris                           say what is in a data set

Samples: spiral, xor, hills, sine, iris, wine, breast-cancer, digits, mnist, fashion-mnist,
sine-levenberg-marquardt, hills-lbfgs, digits-one-cycle, moons-residual, digits-conv,
mnist-lenet, fashion-cnn.
Exit status: 0 done, 1 failed, 2 wrong usage, 3 interrupted and to be gone on with.";

/// See back-propagation from the inside: a live 3D network beside the error surface that it descends
#[derive(Parser, Debug)]
#[command(name = "gradscape", version, after_help = EXAMPLES, max_term_width = 100)]
pub struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand, Debug)]
enum Command {
    Open(open::OpenArgs),
    #[command(after_help = "\
Examples:
  gradscape lesson                              list the lessons
  gradscape lesson back-propagation             give one, full screen
  gradscape lesson my-lesson.toml               one of your own; it is read again when it changes
  gradscape lesson xor --capture out/xor --lang zh --theme light

PAGE DOWN and PAGE UP go from scene to scene, digits jump or answer, B blackens the screen, N shows
the notes, HOME begins the scene anew, the arrow keys go through the events.")]
    Lesson(lesson::LessonArgs),
    #[command(after_help = "\
Examples:
  gradscape exercise                                 list the exercises
  gradscape exercise diverge                         one in the window, which says when it is solved
  gradscape exercise spiral --start spiral.toml      its experiment, to be changed
  gradscape exercise spiral --check spiral.toml      trains it and judges; exit status 1 if not solved")]
    Exercise(exercise::ExerciseArgs),
    #[command(after_help = "\
Examples:
  gradscape inspect digits-conv
  gradscape inspect digits-conv --out model.svg
  gradscape inspect out/run --out model.md")]
    Inspect(inspect::InspectArgs),
    #[command(after_help = "\
Examples:
  gradscape figure weights out/digits --out weights.png
  gradscape figure filters digits-conv --epochs 5 --layer 1 --out filters.svg
  gradscape figure features digits-conv --epochs 5 --sample 3 --out features.png
  gradscape figure histogram spiral --of gradients --log --out gradients.png
  gradscape figure confusion digits --epochs 10 --part validation --out confusion.png
  gradscape figure ridge digits --of gradients --steps 100..400 --out ridge.png
  gradscape figure similarity digits-conv --with digits --epochs 8 --out similarity.svg")]
    Figure(figure::FigureArgs),
    #[command(after_help = "\
Examples:
  gradscape train digits --out out/digits
  gradscape train my.toml --epochs 50 --seed 3 --out out/my
  gradscape train iris --out out/iris --json | jq .validation_accuracy
  gradscape train digits --tag lecture --snapshot-every 50
  gradscape train 20261128-1 --from 500 --learning-rate 0.01 --set training.batch=32

The run is recorded into a file of its own, see `gradscape runs` and docs/runs.md.
DIR gets experiment.toml, weights.safetensors, history.csv, history.jsonl, path.npz and
summary.json. Ctrl-C ends the run and keeps what was reached.")]
    Train(train::TrainArgs),
    #[command(after_help = "\
Examples:
  gradscape runs                                     list the recorded runs, newest first
  gradscape runs show 20261128-1
  gradscape runs compare first second --out curves.svg
  gradscape runs compare a b c --what histogram --out weights.png
  gradscape runs compare a b c d --what parallel --out parallel.svg
  gradscape runs tag first good lecture-3
  gradscape runs delete second --yes

A RUN is a .gsrun file, or the id (or the beginning of it) or the name of a run in the folder of
runs: GRADSCAPE_RUNS_DIR, else `runs` in the user's folder for data.")]
    Runs(runs::RunsArgs),
    #[command(after_help = "\
Examples:
  gradscape sweep iris --vary training.optimizer.learning_rate=1e-4..1:log:12 --vary training.batch=8,32,128
  gradscape sweep my.toml --vary network.layers[0].dense=4,8,16 --seeds 5 --out out/width
  gradscape sweep spiral --vary 'network.layers=[],[{dense=8}],[{dense=8},{dense=8}]' --jobs 2

DIR gets sweep.toml, sweep.csv, best.toml, sweep.png and sweep.svg. Interrupted or killed, the
same command goes on where it was. At most 10000 runs.")]
    Sweep(sweep::SweepArgs),
    #[command(after_help = "\
Examples:
  gradscape compare spiral my-deeper.toml --epochs 100
  gradscape compare digits deeper wider --epochs 20 --out losses.png
  gradscape compare digits digits-conv --json

The others learn the first one's data with its seed and batches; structure, loss, optimiser and
penalties stay their own.")]
    Compare(compare::CompareArgs),
    #[command(after_help = "\
Examples:
  gradscape range-test iris
  gradscape range-test my.toml --from 1e-5 --to 1 --steps 500 --out out/rates

DIR gets range-test.csv, range-test.png and range-test.svg.")]
    RangeTest(range_test::RangeTestArgs),
    #[command(after_help = "\
Examples:
  gradscape diagnose iris
  gradscape diagnose my.toml --epochs 50
  gradscape diagnose my.toml --out cured.toml --cure 2
  gradscape diagnose my.toml --threshold dead=0.6 --threshold lag=0.1 --json")]
    Diagnose(diagnose::DiagnoseArgs),
    #[command(after_help = "\
Examples:
  gradscape report out/digits --out report.html
  gradscape report spiral --epochs 200 --out spiral.html --lang zh --theme light
  gradscape report out/digits --again --out report.html")]
    Report(report_page::ReportArgs),
    #[command(after_help = "\
Examples:
  gradscape export-run out/digits --out history.csv --out run.npz
  gradscape export-run out/digits --out network.glb --out path.surface.glb --out loss.svg
  gradscape export-run digits --epochs 20 --out out/everything")]
    ExportRun(export_run::ExportRunArgs),
    #[command(after_help = "\
Examples:
  gradscape gradient xor --out g.safetensors
  gradscape gradient out/xor --double --out g.safetensors
  gradscape gradient my.toml --weights w.safetensors --out g.safetensors")]
    Gradient(gradient::GradientArgs),
    #[command(after_help = "\
Examples:
  gradscape derivatives out/xor --of hessian --out hessian.npz
  gradscape derivatives iris --of jacobian --samples 10 --out jacobian.npz
  gradscape derivatives out/digits --of hessian-gradient --out product.npz")]
    Derivatives(derivatives::DerivativesArgs),
    #[command(after_help = "\
Examples:
  gradscape surface out/digits --out surface.png --out surface.npz
  gradscape surface xor --directions weights:0,1 --range -5:5 --grid 101 --out surface.csv
  gradscape surface my.toml --weights w.safetensors --directions random:3 --out surface.png
  gradscape surface --function himmelblau --grid 201 --heights log --out himmelblau.png
  gradscape surface out/digits --tile 3/7 --out tile-3.safetensors
  gradscape surface merge tile-*.safetensors --out surface.png
  gradscape surface out/iris --directions hessian:ends --penalties --out hessian.svg
  gradscape surface out/iris --checkpoints initial 200 other.safetensors --out three.png
  gradscape surface out/iris --directions path --scope layers:0 --measure accuracy --over validation --out v.png")]
    Surface(surface::SurfaceCommand),
    #[command(after_help = "\
Examples:
  gradscape race --function rosenbrock --optimizers sgd,momentum,adam,lbfgs --rate 0.002 --out race.png
  gradscape race --function 'sin(x) + 0.1*y^2' --start 1.4,2 --noise 0.2 --out race.csv
  gradscape race spiral --optimizers sgd,adam --rates 0.1,0.01 --steps 500 --out race.svg --losses losses.svg
  gradscape race --function ravine --optimizers sgd,momentum:momentum=0.5,momentum --target 1e-6")]
    Race(race::RaceArgs),
    Functions(functions::FunctionsArgs),
    #[command(after_help = "\
Examples:
  gradscape line out/digits --out line.png
  gradscape line out/digits --from 100 --to last --range -0.5:1.5 --out line.csv
  gradscape line my.toml --from a.safetensors --to b.safetensors --points 201 --out line.svg")]
    Line(line::LineArgs),
    #[command(after_help = "\
Examples:
  gradscape curvature out/digits --out density.png
  gradscape curvature out/iris --at initial --top 20 --json
  gradscape curvature my.toml --scope layers:1 --probes 30 --out curvature.npz")]
    Curvature(curvature::CurvatureArgs),
    #[command(after_help = "\
Examples:
  gradscape explain out/digits --sample 12 --out why.png
  gradscape explain out/iris --sample 3 --target versicolor --json
  gradscape explain out/lenet --sample 0 --method grad-cam --method occlusion --out why.svg")]
    Explain(explain::ExplainArgs),
    #[command(after_help = "\
Examples:
  gradscape maximise out/digits --unit 7 --out seven.png
  gradscape maximise out/digits --unit classes --seed 3 --out all.png
  gradscape maximise out/lenet --unit c3:c5 --out channel.png
  gradscape maximise out/iris --unit virginica --out virginica.png --json")]
    Maximise(maximise::MaximiseArgs),
    #[command(after_help = "\
Examples:
  gradscape export out/digits --out digits.onnx
  gradscape export out/digits --out digits.safetensors --out digits.npz
  gradscape export my.toml --weights w.safetensors --out my.onnx
  gradscape export keras.h5 --out same.onnx")]
    Export(export::ExportArgs),
    #[command(after_help = "\
Examples:
  gradscape capture spiral --epochs 100 --out spiral.png
  gradscape capture digits --view network --frames 60 --orbit 90 --out digits.gif
  gradscape capture out/iris --view surface --theme light --lang zh --size 1920x1080 --out iris.png")]
    Capture(capture::CaptureArgs),
    #[command(after_help = "\
Examples:
  gradscape data digits
  gradscape data measurements.csv --label species --json")]
    Data(data::DataArgs),
    #[command(after_help = "\
Examples:
  gradscape watch runs/                         follow TensorBoard's logs below a folder
  gradscape watch tcp                           wait for Python: gradscape.connect()
  gradscape watch tcp:6000 --out received       keep everything that is sent
  gradscape watch checkpoints/ --window         show a network that is saved now and then
  gradscape watch runs/ --once --json | jq -c 'select(.type == \"metric\")'")]
    Watch(watch::WatchArgs),
}

/// Obeys a command line.
///
/// # Errors
/// Whatever went wrong, to be shown once; [`CliError::status`] is the exit status.
pub fn run(cli: &Cli) -> Result<(), CliError> {
    match &cli.command {
        None => match open::obstacle() {
            Some(why) => headless::run(&why),
            None => open::run(&open::OpenArgs::default()),
        },
        Some(Command::Open(args)) => open::run(args),
        Some(Command::Lesson(args)) => lesson::run(args),
        Some(Command::Exercise(args)) => exercise::run(args),
        Some(Command::Inspect(args)) => inspect::run(args),
        Some(Command::Figure(args)) => figure::run(args),
        Some(Command::Train(args)) => train::run(args),
        Some(Command::Runs(args)) => runs::run(args),
        Some(Command::Sweep(args)) => sweep::run(args),
        Some(Command::Compare(args)) => compare::run(args),
        Some(Command::RangeTest(args)) => range_test::run(args),
        Some(Command::Diagnose(args)) => diagnose::run(args),
        Some(Command::Report(args)) => report_page::run(args),
        Some(Command::ExportRun(args)) => export_run::run(args),
        Some(Command::Gradient(args)) => gradient::run(args),
        Some(Command::Derivatives(args)) => derivatives::run(args),
        Some(Command::Surface(args)) => surface::obey(args),
        Some(Command::Race(args)) => race::run(args),
        Some(Command::Functions(args)) => functions::run(args),
        Some(Command::Line(args)) => line::run(args),
        Some(Command::Curvature(args)) => curvature::run(args),
        Some(Command::Explain(args)) => explain::run(args),
        Some(Command::Maximise(args)) => maximise::run(args),
        Some(Command::Export(args)) => export::run(args),
        Some(Command::Capture(args)) => capture::run(args),
        Some(Command::Data(args)) => data::run(args),
        Some(Command::Watch(args)) => watch::run(args),
    }
}

/// What is said where graphics were asked of a build that has none.
#[cfg(not(feature = "app"))]
fn no_graphics() -> CliError {
    CliError::Failed(
        "this build has no graphics; build with the feature `app`, which is on by default. \
         `train`, `watch`, `runs`, `report`, `export`, `export-run`, `sweep`, `range-test`, `diagnose`, `gradient`, `derivatives`, `surface`, `line`, `curvature`, `explain`, `maximise`, `inspect`, `figure`, `race`, `functions` and `data` work without it"
            .to_owned(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent_and_help_lists_every_sample() {
        let mut command = Cli::command();
        command.build();
        command.clone().debug_assert();
        let help = command.render_long_help().to_string();
        for sample in &samples::SAMPLES {
            assert!(help.contains(sample.name), "{}", sample.name);
        }
    }
}
