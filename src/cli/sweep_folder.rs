//! The folder that `sweep` writes: whose it is, what is done already, and the
//! table that grows with every run.

use super::CliError;
use super::run_folder::{with_absolute_paths, write};
use crate::search::{Plan, Row, SearchError, Table, rank};
use std::fs::{File, TryLockError};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

/// What is swept: the experiment and the values.
pub const PLAN: &str = "sweep.toml";
/// One row a run.
pub const TABLE: &str = "sweep.csv";
/// The experiment that did best.
pub const BEST: &str = "best.toml";
/// The pictures.
pub const PICTURES: [&str; 2] = ["sweep.png", "sweep.svg"];

/// A sweep's folder that is being written.
pub struct SweepFolder {
    dir: PathBuf,
    csv: File,
    table: Table,
    // Keeps others out while this one is there.
    _lock: File,
}

impl SweepFolder {
    /// Opens `dir` for `plan`: a new or empty folder, or one in which an earlier
    /// sweep of the same plan got somewhere. With `force` a sweep in it begins
    /// anew, whatever it was.
    ///
    /// # Errors
    /// When the folder holds anything else, is in use, or cannot be written.
    pub fn open(dir: &Path, plan: &Plan, force: bool) -> Result<Self, CliError> {
        std::fs::create_dir_all(dir).map_err(|error| CliError::io(dir, error))?;
        let own = identity(plan)?;
        let file = dir.join(PLAN);
        let mut lock = None;
        let mut goes_on = false;
        if file.exists() {
            let mut held = lock_plan(dir)?;
            let mut text = String::new();
            held.read_to_string(&mut text)
                .map_err(|error| CliError::io(&file, error))?;
            lock = Some(held);
            match difference(&text, &own) {
                None => goes_on = !force,
                Some(_) if force => {}
                Some(what) => {
                    return Err(CliError::Failed(format!(
                        "{}: the folder holds another sweep: {what}. Name another folder, or add --force to begin anew in this one",
                        dir.display()
                    )));
                }
            }
        } else if !force && !is_free(dir)? {
            return Err(CliError::Failed(format!(
                "{}: the folder holds files that are not a sweep's; name another, or add --force to write into it",
                dir.display()
            )));
        }
        let table = if goes_on {
            read_table(&dir.join(TABLE), plan)?
        } else {
            // The table first: an old one beside a new plan would be taken for its own.
            remove(&dir.join(TABLE))?;
            write(&file, own.as_bytes())?;
            lock = None;
            Table::default()
        };
        let lock = match lock {
            Some(lock) => lock,
            None => lock_plan(dir)?,
        };
        let file = dir.join(TABLE);
        write(&file, table.to_csv(plan).as_bytes())?;
        let csv = File::options().append(true).open(&file);
        Ok(SweepFolder {
            dir: dir.to_owned(),
            csv: csv.map_err(|error| CliError::io(&file, error))?,
            table,
            _lock: lock,
        })
    }

    /// The rows so far.
    pub fn table(&self) -> &Table {
        &self.table
    }

    /// Adds a run's row to the table and to its file.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn push(&mut self, row: Row) -> Result<(), CliError> {
        let line = Table::line(&row);
        // One call for the whole line: a kill leaves it there or torn at the end.
        self.csv
            .write_all(line.as_bytes())
            .map_err(|error| CliError::io(&self.dir.join(TABLE), error))?;
        self.table.insert(row);
        Ok(())
    }

    /// Puts the rows of the file in order and writes the best experiment.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn finish(&self, plan: &Plan) -> Result<(), CliError> {
        write(&self.dir.join(TABLE), self.table.to_csv(plan).as_bytes())?;
        let ranked = rank(self.table.rows());
        let Some(best) = ranked.first().filter(|row| !row.diverged()) else {
            return remove(&self.dir.join(BEST));
        };
        let Some(case) = plan.cases().get(best.run - 1) else {
            return Ok(());
        };
        let text = with_absolute_paths(&case.experiment)
            .to_toml()
            .map_err(|error| CliError::Failed(format!("{BEST}: {error}")))?;
        let text = format!("# Run {}: {}\n{text}", best.run, plan.describe(case));
        write(&self.dir.join(BEST), text.as_bytes())
    }
}

/// The plan as a file.
fn identity(plan: &Plan) -> Result<String, CliError> {
    let failed = |error: toml::ser::Error| CliError::Failed(format!("{PLAN}: {error}"));
    let experiment = toml::Table::try_from(with_absolute_paths(plan.base())).map_err(failed)?;
    let vary = plan.vary().iter().map(|vary| {
        let mut table = toml::Table::new();
        table.insert("key".to_owned(), vary.key().into());
        table.insert("values".to_owned(), vary.values().to_vec().into());
        toml::Value::Table(table)
    });
    let mut table = toml::Table::new();
    table.insert("experiment".to_owned(), experiment.into());
    table.insert("vary".to_owned(), vary.collect::<Vec<_>>().into());
    let text = toml::to_string(&table).map_err(failed)?;
    Ok(format!(
        "# What `gradscape sweep` runs in this folder.\n{text}"
    ))
}

/// In what the plan of a folder differs from this one, if it does.
fn difference(theirs: &str, own: &str) -> Option<String> {
    let parse = |text: &str| text.parse::<toml::Table>().ok();
    let (Some(theirs), Some(own)) = (parse(theirs), parse(own)) else {
        return Some(format!("its {PLAN} cannot be read"));
    };
    if theirs == own {
        return None;
    }
    let keys = |table: &toml::Table| -> Vec<String> {
        let vary = table.get("vary").and_then(toml::Value::as_array);
        let keys = vary
            .into_iter()
            .flatten()
            .filter_map(|v| v.get("key")?.as_str());
        keys.map(str::to_owned).collect()
    };
    let (before, now) = (keys(&theirs), keys(&own));
    if before != now {
        let list = |keys: &[String]| match keys.is_empty() {
            true => "nothing".to_owned(),
            false => keys.join(", "),
        };
        return Some(format!("it varies {}, not {}", list(&before), list(&now)));
    }
    if theirs.get("vary") != own.get("vary") {
        return Some("it gives the same settings other values".to_owned());
    }
    Some("it varies the same settings of another experiment".to_owned())
}

fn lock_plan(dir: &Path) -> Result<File, CliError> {
    let file = dir.join(PLAN);
    let lock = File::open(&file).map_err(|error| CliError::io(&file, error))?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(CliError::Failed(format!(
            "{}: another sweep is writing into this folder; wait for it, or name another folder",
            dir.display()
        ))),
        // A file system without locks is no reason not to work.
        Err(TryLockError::Error(_)) => Ok(lock),
    }
}

/// Whether nothing is in the folder but what a killed sweep left half written.
fn is_free(dir: &Path) -> Result<bool, CliError> {
    let mut entries = std::fs::read_dir(dir).map_err(|error| CliError::io(dir, error))?;
    Ok(entries.all(|entry| {
        entry.is_ok_and(|entry| {
            let name = entry.file_name();
            [PLAN, TABLE]
                .iter()
                .any(|own| name.to_string_lossy() == format!(".{own}.part"))
        })
    }))
}

fn read_table(file: &Path, plan: &Plan) -> Result<Table, CliError> {
    if !file.exists() {
        return Ok(Table::default());
    }
    let bytes = std::fs::read(file).map_err(|error| CliError::io(file, error))?;
    let parsed = match std::str::from_utf8(&bytes) {
        Ok(text) => Table::parse(text, plan),
        Err(_) => Err(SearchError::Table("is not text".to_owned())),
    };
    parsed.map_err(|error| {
        CliError::Failed(format!(
            "{}: {error}; mend it, or add --force to begin anew",
            file.display()
        ))
    })
}

fn remove(file: &Path) -> Result<(), CliError> {
    match std::fs::remove_file(file) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(CliError::io(file, error))
        }
        _ => Ok(()),
    }
}
