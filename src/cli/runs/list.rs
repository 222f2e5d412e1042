//! `gradscape runs list`.

use super::{catalogue, columns, local_time, loss_text, say, share_text, size_text};
use crate::cli::record::now_ms;
use crate::cli::{CliError, Out};
use crate::run::{Listed, SavedState};
use clap::Args;

/// List the recorded runs, the newest first
#[derive(Args, Debug, Clone)]
pub(super) struct ListArgs {
    /// List at most so many
    #[arg(long, value_name = "N", default_value = "50")]
    most: usize,
    /// List only runs with this in their name, id, data, comment or tags
    #[arg(long, value_name = "TEXT")]
    search: Option<String>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// The most files that are looked at for a search.
const SEARCHED: usize = 10_000;
/// A run that is open and was not written to for so long was broken off.
const SILENT_MS: i64 = 15_000;

pub(super) fn run(args: &ListArgs) -> Result<(), CliError> {
    let mut out = Out::stdout(args.json);
    let catalogue = catalogue()?;
    let most = match args.search {
        Some(_) => SEARCHED,
        None => args.most,
    };
    let mut listing = catalogue.list(most)?;
    if let Some(text) = &args.search {
        listing.runs.retain(|run| run.info.mentions(text));
        let over = listing.runs.len().saturating_sub(args.most);
        listing.runs.truncate(args.most);
        listing.left_out += over;
    }
    out.object(&listing)?;
    if listing.runs.is_empty() && listing.unreadable.is_empty() {
        return out.say(match args.search {
            Some(_) => "no run of that description".to_owned(),
            None => format!(
                "no runs in {} yet; `gradscape train` records them",
                catalogue.dir().display()
            ),
        });
    }
    let head = [
        "id",
        "name",
        "begun",
        "epochs",
        "valid. loss",
        "valid. accuracy",
        "state",
        "size",
        "tags",
    ];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    rows.extend(listing.runs.iter().map(row));
    let right = [false, false, false, true, true, true, false, true, false];
    say(&mut out, &columns(&rows, &right))?;
    for broken in &listing.unreadable {
        out.say(format!("cannot be listed: {}", broken.error))?;
    }
    let more = match listing.left_out {
        0 => String::new(),
        n => format!("; {n} older ones are not shown, see --most and --search"),
    };
    out.say(format!(
        "{} in {}, {} in all{more}",
        match listing.runs.len() {
            1 => "1 run".to_owned(),
            n => format!("{n} runs"),
        },
        catalogue.dir().display(),
        size_text(listing.bytes)
    ))
}

fn row(run: &Listed) -> Vec<String> {
    let last = run.last.as_ref();
    // Without a validation part it is the training part's, and that is said.
    let of = |validation: Option<f64>, train: Option<f64>, text: fn(f64) -> String| {
        let finite = |value: &f64| value.is_finite();
        match (validation.filter(finite), train.filter(finite)) {
            (Some(value), _) => text(value),
            (None, Some(value)) if validation.is_none() => format!("{} (training)", text(value)),
            _ => "-".to_owned(),
        }
    };
    let loss = last.map(|row| of(row.validation_loss, Some(row.train_loss), loss_text));
    let accuracy = last.map(|row| of(row.validation_accuracy, row.train_accuracy, share_text));
    let dash = || "-".to_owned();
    vec![
        run.info.id.clone(),
        run.info.name.clone(),
        local_time(run.info.created_ms),
        last.map_or_else(|| "0".to_owned(), |row| row.epoch.to_string()),
        loss.unwrap_or_else(dash),
        accuracy.unwrap_or_else(dash),
        state(run).to_owned(),
        size_text(run.bytes),
        run.info.tags.join(", "),
    ]
}

/// What became of it; of one that is open it is the clock that tells.
fn state(run: &Listed) -> &'static str {
    match run.info.state {
        SavedState::Open if now_ms() - run.info.updated_ms < SILENT_MS => "recording",
        SavedState::Open => "broken off",
        other => other.name(),
    }
}
