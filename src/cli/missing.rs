//! What is said of a name on a command line that means nothing.

use super::CliError;
use super::samples::SAMPLES;
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// Bytes of a file's beginning that are looked at.
const LOOKED_AT: u64 = 4096;
/// The longest name that may be a misspelt one.
const LONGEST: usize = 40;

/// The error of a name that is neither a file nor a sample nor a recorded run.
pub(super) fn unknown(name: &str) -> CliError {
    CliError::Failed(if Path::new(name).is_dir() {
        format!(
            "{name}: this folder is not one that `gradscape train` wrote: it has no experiment.toml with weights.safetensors beside it"
        )
    } else if is_file_name(name) {
        format!("{name}: there is no such file")
    } else if let Some(meant) = nearest(name) {
        format!(
            "{name}: there is no experiment file, sample or recorded run of that name; did you \
             mean {meant}?"
        )
    } else {
        let names: Vec<&str> = SAMPLES.iter().map(|s| s.name).collect();
        format!(
            "{name}: there is no such experiment file or recorded run, and the samples are {}",
            names.join(", ")
        )
    })
}

/// Whether a name says that it is a file's: it leads through folders or has an ending.
fn is_file_name(name: &str) -> bool {
    let path = Path::new(name);
    let ending = path.extension().and_then(|ending| ending.to_str());
    let has_ending = ending.is_some_and(|ending| {
        ending.starts_with(|c: char| c.is_ascii_alphabetic())
            && ending.chars().all(|c| c.is_ascii_alphanumeric())
    });
    has_ending || name.contains(std::path::is_separator)
}

/// The sample whose name is written almost so.
fn nearest(name: &str) -> Option<&'static str> {
    let name = name.to_lowercase();
    if name.chars().count() > LONGEST {
        return None;
    }
    let near = SAMPLES.iter().filter_map(|sample| {
        let slips = slips(&name, sample.name);
        // Of a short name two letters are too much of it.
        let most = if sample.name.chars().count() < 6 {
            1
        } else {
            2
        };
        (slips <= most).then_some((slips, sample.name))
    });
    near.min().map(|(_, name)| name)
}

/// Letters that are missing, too many or others, and neighbours that are exchanged, at least,
/// between two words: the distance of optimal string alignment (Damerau 1964).
fn slips(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows: Vec<Vec<usize>> = vec![(0..=b.len()).collect()];
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let other = usize::from(a[i - 1] != b[j - 1]);
            let mut least = (rows[i - 1][j] + 1)
                .min(row[j - 1] + 1)
                .min(rows[i - 1][j - 1] + other);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                least = least.min(rows[i - 2][j - 2] + 1);
            }
            row.push(least);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}

/// Whether a file begins as a text does. One that cannot be read is left to whoever says so.
pub(super) fn is_text(path: &Path) -> bool {
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(LOOKED_AT).read_to_end(&mut bytes));
    if read.is_err() {
        return true;
    }
    let utf8 = match std::str::from_utf8(&bytes) {
        Ok(_) => true,
        // A letter may be cut at the end of what is looked at.
        Err(error) => error.error_len().is_none(),
    };
    utf8 && !bytes.contains(&0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_of_the_hand_are_counted() {
        for (a, b, slips_between) in [
            ("sprial", "spiral", 1),
            ("spral", "spiral", 1),
            ("iris", "iris", 0),
            ("", "xor", 3),
            ("ca", "abc", 3),
            ("moooons", "moons", 2),
        ] {
            assert_eq!(slips(a, b), slips_between, "{a} {b}");
            assert_eq!(slips(b, a), slips_between, "{b} {a}");
        }
        assert_eq!(nearest("sprial"), Some("spiral"));
        assert_eq!(nearest("something else"), None);
    }

    #[test]
    fn a_name_of_a_file_has_an_ending_or_leads_somewhere() {
        assert!(is_file_name("nope.onnx") && is_file_name("a/b") && is_file_name("x.h5"));
        assert!(!is_file_name("sprial") && !is_file_name("iris 0.01"));
    }
}
