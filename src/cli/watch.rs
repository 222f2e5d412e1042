//! `gradscape watch`: what another program trains, on the terminal and into files.

use super::interrupt::Interrupt;
use super::record::now_ms;
use super::watch_output::Reporter;
use super::{CliError, Out};
use crate::files;
use crate::interop::EventWriter;
use crate::watch::{
    Followed, Follower, MOST_DEPTH, News, Recorder, RunOfNews, Source, SourceKind, WatchError,
};
use clap::Args;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

/// Between two looks at connections, and at a folder.
const CONNECTIONS: Duration = Duration::from_millis(5);
const FOLDER: Duration = Duration::from_millis(200);

/// Watch another program train: TensorBoard's logs, checkpoints, or a stream from Python
///
/// SOURCE is a folder of TensorBoard event files, a folder of safetensors checkpoints (or of
/// such folders, as --out fills one; each is a run), or `tcp`
/// (`tcp:PORT`; 5577 unless said), where the Python package gradscape sends to. See
/// docs/watch.md.
#[derive(Args, Debug, Clone)]
pub struct WatchArgs {
    /// A folder, tcp, or tcp:PORT
    source: String,
    /// Listen at this address and port instead of on this machine alone
    ///
    /// Whoever reaches the address can send: nothing is asked of a sender, and nothing is
    /// encrypted.
    #[arg(long, value_name = "ADDR:PORT")]
    listen: Option<SocketAddr>,
    /// Keep all numbers (history.csv) and tensors (snapshots/) in this folder
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Write numbers, histograms and texts as TensorBoard event files into this folder
    #[arg(long, value_name = "DIR")]
    events: Option<PathBuf>,
    /// Record the run that is watched into this file (.gsrun)
    ///
    /// All numbers, and the weights of the first run that tells any, where the engine has all
    /// its layers. `gradscape runs`, `open`, `report` and `export-run` take the file.
    #[arg(long, value_name = "FILE", value_parser = super::record::run_file)]
    record: Option<PathBuf>,
    /// The data that the network is shown with: a built-in name, or a CSV, NPZ or IDX file
    #[arg(long, value_name = "SOURCE")]
    data: Option<String>,
    /// End after so many seconds
    #[arg(long = "for", value_name = "SECONDS", value_parser = seconds)]
    seconds: Option<f64>,
    /// End once a step of this number was told
    #[arg(long, value_name = "N")]
    steps: Option<i64>,
    /// End once everything that is in the folder now is read; that nothing is there is an error
    #[arg(long, conflicts_with_all = ["listen", "seconds"])]
    once: bool,
    /// Open the window and show it there
    #[arg(long, conflicts_with_all = ["out", "record", "events", "seconds", "steps", "once", "json"])]
    window: bool,
    /// Print one JSON object for each thing that is told
    #[arg(long)]
    json: bool,
}

fn seconds(text: &str) -> Result<f64, String> {
    let seconds = text
        .parse()
        .ok()
        .filter(|s: &f64| s.is_finite() && *s > 0.0);
    seconds.ok_or_else(|| "a number of seconds above 0".to_owned())
}

/// Obeys `gradscape watch`.
///
/// # Errors
/// When the source cannot be watched, or a file cannot be written.
pub fn run(args: &WatchArgs) -> Result<(), CliError> {
    let kind = SourceKind::parse(&args.source, args.listen).map_err(CliError::Usage)?;
    if args.once && matches!(kind, SourceKind::Tcp { .. }) {
        let message = "--once goes with a folder: nobody knows when all has been sent";
        return Err(CliError::Usage(message.to_owned()));
    }
    if args.window {
        return super::open::watch(&kind, args.data.clone());
    }
    if let Some(path) = &args.record {
        files::folder_is_there(path).map_err(|error| CliError::io(path, error))?;
    }
    let interrupt = Interrupt::listen();
    let mut source = Source::open(&kind)?;
    // Said before any file is made of it.
    if let (Some(folder), true) = (source.undecided(), args.once) {
        return Err(CliError::Failed(format!(
            "{}: nothing to read: {}",
            folder.display(),
            nothing()
        )));
    }
    let mut reporter = Reporter::new(Out::stdout(args.json));
    reporter.begin(&source, &kind)?;
    if let Some(folder) = source.undecided() {
        reporter.waiting(folder)?;
    }
    let mut kept = Kept::new(args, &kind)?;
    // Only to say what would be shown, and for a recording; else it would cost time for nothing.
    let mut follower = Some(Follower::new(args.data.clone()));
    let begin = Instant::now();
    let is_all = loop {
        let poll = source.poll();
        let mut reached = false;
        for news in &poll.news {
            kept.see(news)?;
            reporter.see(news)?;
            reached |= args
                .steps
                .is_some_and(|n| step_of(news).is_some_and(|s| s >= n));
            let mut followed = Vec::new();
            let Some(following) = &mut follower else {
                continue;
            };
            following.see(news, &mut followed);
            if let Some(run) = &mut kept.run {
                run.see(news, following, &followed, now_ms())?;
                for word in run.words() {
                    reporter.see(&News::Word(word))?;
                }
            }
            for found in followed {
                match found {
                    Followed::Network(problem) => {
                        reporter.network(&problem, following.notes())?;
                    }
                    Followed::Refused(why) => reporter.refused(&why)?,
                    Followed::Step(_) => continue,
                }
                if kept.run.is_none() {
                    follower = None;
                    break;
                }
            }
        }
        reporter.show()?;
        if !poll.news.is_empty() {
            kept.flush()?;
        }
        if let Some(run) = &mut kept.run {
            run.settle(now_ms())?;
        }
        let is_all = args.once && !poll.more && poll.news.is_empty();
        let done = args
            .seconds
            .is_some_and(|s| begin.elapsed().as_secs_f64() >= s)
            || is_all;
        if reached || done || interrupt.is_raised() {
            break is_all;
        }
        if !poll.more {
            std::thread::sleep(match &source {
                Source::Tcp(_) => CONNECTIONS,
                _ if args.once => CONNECTIONS,
                _ => FOLDER,
            });
        }
    };
    kept.flush()?;
    if let Some(run) = kept.run.take() {
        run.close(is_all, now_ms())?;
    }
    let written = [&args.out, &args.record, &args.events];
    let written: Vec<&Path> = written
        .into_iter()
        .flatten()
        .map(PathBuf::as_path)
        .collect();
    reporter.end(&written)
}

/// What a folder has not.
pub(super) fn nothing() -> String {
    format!(
        "neither event files (*tfevents*) nor checkpoints (*.safetensors) are in the folder, nor \
         in those up to {MOST_DEPTH} deep below it"
    )
}

/// What is watched in words, and a name for a run that does not say its own.
fn named(kind: &SourceKind) -> (String, String) {
    match kind {
        SourceKind::Folder(path) => {
            let whole = path.canonicalize().unwrap_or_else(|_| path.clone());
            let name = whole.file_name().unwrap_or(whole.as_os_str());
            (
                whole.display().to_string(),
                name.to_string_lossy().into_owned(),
            )
        }
        SourceKind::Tcp { address, .. } => (format!("tcp {address}"), "watched".to_owned()),
    }
}

fn step_of(news: &News) -> Option<i64> {
    match news {
        News::Metric(told) => Some(told.step),
        News::Histogram(told) => Some(told.step),
        News::Text(told) => Some(told.step),
        News::Tensors(frame) => Some(frame.step),
        News::Begun(_) | News::Ended { .. } | News::Word(_) => None,
    }
}

/// Where what is told is kept.
struct Kept {
    recorder: Option<Recorder>,
    run: Option<RunOfNews>,
    events: Option<PathBuf>,
    /// An event file for each run, as TensorBoard has one folder a run.
    writers: BTreeMap<Arc<str>, EventWriter>,
}

impl Kept {
    fn new(args: &WatchArgs, kind: &SourceKind) -> Result<Self, CliError> {
        let run = match &args.record {
            Some(path) => {
                let (source, name) = named(kind);
                Some(RunOfNews::create(path, &source, &name, now_ms())?)
            }
            None => None,
        };
        Ok(Kept {
            run,
            recorder: args.out.as_deref().map(Recorder::create).transpose()?,
            events: args.events.clone(),
            writers: BTreeMap::new(),
        })
    }

    fn see(&mut self, news: &News) -> Result<(), CliError> {
        if let Some(recorder) = &mut self.recorder {
            recorder.see(news)?;
        }
        let Some(root) = self.events.clone() else {
            return Ok(());
        };
        match news {
            News::Metric(m) => {
                let writer = self.writer(&root, &m.run)?;
                writer.scalar(&m.tag, m.step, m.wall_time, m.value)?;
            }
            News::Histogram(h) => {
                let bins = &h.value.bins;
                // Of none there is one edge, wherever it is.
                let begin = bins.first().map_or(0.0, |bin| bin[0]);
                let edges: Vec<f64> = [begin]
                    .into_iter()
                    .chain(bins.iter().map(|b| b[1]))
                    .collect();
                let counts: Vec<f64> = bins.iter().map(|bin| bin[2]).collect();
                let writer = self.writer(&root, &h.run)?;
                writer.histogram(&h.tag, h.step, h.wall_time, &edges, &counts)?;
            }
            News::Text(t) => {
                let writer = self.writer(&root, &t.run)?;
                writer.text(&t.tag, t.step, t.wall_time, &t.value)?;
            }
            News::Begun(_) | News::Tensors(_) | News::Ended { .. } | News::Word(_) => {}
        }
        Ok(())
    }

    fn writer(&mut self, root: &Path, run: &Arc<str>) -> Result<&mut EventWriter, CliError> {
        if !self.writers.contains_key(run) {
            let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
            let now = since.map_or(0.0, |since| since.as_secs_f64());
            // A run's name may have slashes, as folders do, but leads nowhere else.
            let parts = run
                .split('/')
                .filter(|part| !matches!(*part, "" | "." | ".."));
            let folder = parts.fold(root.to_owned(), |folder, part| folder.join(part));
            let writer = EventWriter::create(&folder, now)?;
            self.writers.insert(Arc::clone(run), writer);
        }
        let writer = self.writers.get_mut(run);
        writer.ok_or_else(|| CliError::Failed(format!("{run}: no event file")))
    }

    fn flush(&mut self) -> Result<(), CliError> {
        if let Some(recorder) = &mut self.recorder {
            recorder.flush()?;
        }
        for writer in self.writers.values_mut() {
            writer.flush()?;
        }
        Ok(())
    }
}

impl From<WatchError> for CliError {
    fn from(error: WatchError) -> Self {
        CliError::Failed(error.to_string())
    }
}
