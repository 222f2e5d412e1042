//! One setting and the values that it is to take: `training.batch=8,32,128`.

use super::SearchError;
use super::grid::MOST_RUNS;
use std::str::FromStr;
use toml::{Table, Value};

/// A key of the experiment and its values, in the order given.
#[derive(Debug, Clone, PartialEq)]
pub struct Vary {
    key: String,
    path: Vec<Part>,
    values: Vec<Value>,
    log: bool,
    // Whether the values were computed, so that they may be rounded.
    computed: bool,
}

#[derive(Debug, Clone, PartialEq)]
enum Part {
    Name(String),
    Index(usize),
}

const SYNTAX: &str = "give KEY=A,B,C or KEY=LO..HI or KEY=LO..HI:STEP (whole numbers), \
                      KEY=LO..HI:lin:N or KEY=LO..HI:log:N";

impl FromStr for Vary {
    type Err = SearchError;

    /// `KEY=VALUES`: a list `A,B,C` of TOML values (words need no quotes), whole
    /// numbers `LO..HI` or `LO..HI:STEP`, both ends included, or N numbers
    /// `LO..HI:lin:N`, `LO..HI:log:N`, evenly spaced or evenly spaced by their
    /// logarithm, rounded to six digits.
    fn from_str(text: &str) -> Result<Self, SearchError> {
        let bad = |message: String| SearchError::Syntax {
            text: text.to_owned(),
            message,
        };
        let (key, spec) = text.split_once('=').ok_or_else(|| bad(SYNTAX.to_owned()))?;
        let (key, spec) = (key.trim(), spec.trim());
        let path = parse_key(key).map_err(&bad)?;
        let range = match spec.split_once("..") {
            Some((lo, rest)) if lo.trim().parse::<f64>().is_ok() => Some((lo.trim(), rest)),
            _ => None,
        };
        let (values, log) = match range {
            Some((lo, rest)) => parse_range(lo, rest).map_err(&bad)?,
            None => (parse_list(spec).map_err(&bad)?, false),
        };
        if let Some(twice) = first_double(&values) {
            return Err(bad(format!("{} is there twice", value_text(twice))));
        }
        Ok(Vary {
            key: key.to_owned(),
            path,
            values,
            log,
            computed: range.is_some(),
        })
    }
}

impl Vary {
    /// The experiment's seed and those after it, `count` in all.
    ///
    /// # Errors
    /// When there are none, too many, or they leave the range of seeds.
    pub fn seeds(first: u64, count: usize) -> Result<Self, SearchError> {
        let failed = |message: &str| SearchError::Key {
            key: "seed".to_owned(),
            message: message.to_owned(),
        };
        if !(1..=MOST_RUNS).contains(&count) {
            return Err(failed("give at least 1 seed and at most 10000"));
        }
        let last = first.checked_add(count as u64 - 1);
        let (Ok(first), Some(Ok(last))) = (i64::try_from(first), last.map(i64::try_from)) else {
            return Err(failed(
                "the experiment's seed is too large to count on from it",
            ));
        };
        Ok(Vary {
            key: "seed".to_owned(),
            path: vec![Part::Name("seed".to_owned())],
            values: (first..=last).map(Value::Integer).collect(),
            log: false,
            computed: true,
        })
    }

    /// The key with its tables, `network.layers[0].dense`.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The values, in the order given.
    pub fn values(&self) -> &[Value] {
        &self.values
    }

    /// Whether they were spaced by their logarithm.
    pub fn is_log(&self) -> bool {
        self.log
    }

    /// Takes the experiment as it is into account: where it has a whole number,
    /// computed values are rounded to whole numbers, each kept once.
    pub(super) fn fit(&mut self, experiment: &Table) {
        let (first, rest) = match self.path.split_first() {
            Some((Part::Name(first), rest)) => (first, rest),
            _ => return,
        };
        let place = rest
            .iter()
            .try_fold(experiment.get(first), |place, part| match part {
                Part::Name(name) => Some(place?.get(name)),
                Part::Index(index) => Some(place?.get(*index)),
            });
        if !(self.computed && matches!(place, Some(Some(Value::Integer(_))))) {
            return;
        }
        for value in &mut self.values {
            if let Value::Float(v) = value {
                *value = Value::Integer(v.round() as i64);
            }
        }
        self.values.dedup();
    }

    /// Puts one of the values into `experiment`.
    ///
    /// # Errors
    /// When the way there is no table or no list, or the list is too short.
    pub(super) fn apply(&self, experiment: &mut Table, value: &Value) -> Result<(), SearchError> {
        let failed = |message: String| SearchError::Key {
            key: self.key.clone(),
            message,
        };
        let Some((Part::Name(first), rest)) = self.path.split_first() else {
            return Err(failed("names no key".to_owned()));
        };
        let mut seen = first.clone();
        let mut place = experiment
            .entry(first)
            .or_insert_with(|| Value::Table(Table::new()));
        for part in rest {
            place = match (part, place) {
                (Part::Name(name), Value::Table(table)) => {
                    seen += &format!(".{name}");
                    table
                        .entry(name)
                        .or_insert_with(|| Value::Table(Table::new()))
                }
                (Part::Index(index), Value::Array(items)) => {
                    let len = items.len();
                    let item = items.get_mut(*index).ok_or_else(|| {
                        failed(format!("{seen} has {len} entries, counted from 0"))
                    })?;
                    seen += &format!("[{index}]");
                    item
                }
                (Part::Name(name), _) => {
                    return Err(failed(format!("{seen} is no table, so it has no {name}")));
                }
                (Part::Index(index), _) => {
                    return Err(failed(format!("{seen} is no list, so it has no [{index}]")));
                }
            };
        }
        *place = value.clone();
        Ok(())
    }

    /// Whether setting this one replaces what `earlier` set.
    pub(super) fn hides(&self, earlier: &Vary) -> bool {
        earlier.path.starts_with(&self.path)
    }
}

/// A value as a table, a file name or a command line shows it: without the
/// quotes around a word.
pub fn value_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Float(v) if *v != 0.0 && !(1e-4..1e15).contains(&v.abs()) => format!("{v:e}"),
        Value::Float(v) => format!("{v}"),
        other => other.to_string(),
    }
}

fn first_double(values: &[Value]) -> Option<&Value> {
    let mut seen = std::collections::HashSet::new();
    values.iter().find(|v| !seen.insert(value_text(v)))
}

fn parse_key(key: &str) -> Result<Vec<Part>, String> {
    let mut parts = Vec::new();
    for piece in key.split('.') {
        let (name, indices) = piece.split_at(piece.find('[').unwrap_or(piece.len()));
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        if name.is_empty() || !name.chars().all(plain) {
            return Err(format!(
                "{key:?} is no key; give one such as training.batch or network.layers[0].dense"
            ));
        }
        parts.push(Part::Name(name.to_owned()));
        let mut rest = indices;
        while !rest.is_empty() {
            let index = rest.strip_prefix('[').and_then(|r| r.split_once(']'));
            let (index, after) = index
                .and_then(|(i, after)| Some((i.parse().ok()?, after)))
                .ok_or_else(|| {
                    format!("{piece:?} is no place in a list; give one such as layers[0]")
                })?;
            parts.push(Part::Index(index));
            rest = after;
        }
    }
    Ok(parts)
}

/// The values of `LO..REST`, and whether they are spaced by their logarithm.
fn parse_range(lo: &str, rest: &str) -> Result<(Vec<Value>, bool), String> {
    let mut pieces = rest.split(':').map(str::trim);
    let hi = pieces.next().unwrap_or_default();
    let spacing: Vec<&str> = pieces.collect();
    let number = |text: &str| {
        let value = text.parse::<f64>().ok().filter(|v| v.is_finite());
        value.ok_or_else(|| format!("{text:?} is no number; {SYNTAX}"))
    };
    let (from, to) = (number(lo)?, number(hi)?);
    if from >= to {
        return Err(format!("the range {lo}..{hi} does not go upwards"));
    }
    match spacing[..] {
        [] => whole_numbers(lo, hi, "1"),
        [step] => whole_numbers(lo, hi, step),
        [kind @ ("lin" | "log"), n] => {
            let n: usize = n
                .parse()
                .map_err(|_| format!("{n:?} is no number of values; {SYNTAX}"))?;
            if !(2..=MOST_RUNS).contains(&n) {
                return Err(format!("{n} values; give 2 to {MOST_RUNS}"));
            }
            let log = kind == "log";
            if log && from <= 0.0 {
                return Err(format!("a logarithmic range begins above 0, not at {lo}"));
            }
            let values = (0..n).map(|i| spaced(from, to, i as f64 / (n - 1) as f64, log));
            let values: Vec<f64> = values.collect();
            let whole = lo.parse::<i64>().is_ok() && hi.parse::<i64>().is_ok();
            let whole = whole && values.iter().all(|v| v.fract() == 0.0);
            let wrap = |v: f64| {
                if whole {
                    Value::Integer(v as i64)
                } else {
                    Value::Float(v)
                }
            };
            Ok((values.into_iter().map(wrap).collect(), log))
        }
        _ => Err(SYNTAX.to_owned()),
    }
}

/// The number at `share` of the way, with six digits, so that what is shown is
/// what was used; the ends as they were given.
fn spaced(from: f64, to: f64, share: f64, log: bool) -> f64 {
    let value = match share {
        s if s <= 0.0 => return from,
        s if s >= 1.0 => return to,
        s if log => from * (to / from).powf(s),
        s => from + s * (to - from),
    };
    format!("{value:.5e}").parse().unwrap_or(value)
}

fn whole_numbers(lo: &str, hi: &str, step: &str) -> Result<(Vec<Value>, bool), String> {
    let number = |text: &str| {
        text.parse::<i64>()
            .map_err(|_| format!("{text:?} is no whole number; {SYNTAX}"))
    };
    let (lo, hi, step) = (number(lo)?, number(hi)?, number(step)?);
    if step < 1 {
        return Err(format!("a step of {step}; give at least 1"));
    }
    let count = (i128::from(hi) - i128::from(lo)) / i128::from(step) + 1;
    if count > MOST_RUNS as i128 {
        return Err(format!("{count} values; at most {MOST_RUNS} are allowed"));
    }
    let values = (0..count as i64).map(|i| Value::Integer(lo + i * step));
    Ok((values.collect(), false))
}

fn parse_list(spec: &str) -> Result<Vec<Value>, String> {
    let items = split_list(spec)?;
    items.into_iter().map(parse_value).collect()
}

/// The parts between commas that stand outside brackets and quotes.
fn split_list(spec: &str) -> Result<Vec<&str>, String> {
    let (mut items, mut start, mut depth) = (Vec::new(), 0, 0_i32);
    let (mut quote, mut escaped) = (None, false);
    for (at, c) in spec.char_indices() {
        match (quote, c) {
            (Some('"'), '\\') if !escaped => {
                escaped = true;
                continue;
            }
            (Some(q), c) if c == q && !escaped => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(c),
            (None, '[' | '{') => depth += 1,
            (None, ']' | '}') => depth -= 1,
            (None, ',') if depth == 0 => {
                items.push(&spec[start..at]);
                start = at + 1;
            }
            _ => {}
        }
        escaped = false;
        if depth < 0 {
            break;
        }
    }
    if depth != 0 || quote.is_some() {
        return Err("brackets or quotes are not closed".to_owned());
    }
    items.push(&spec[start..]);
    let items: Vec<&str> = items.into_iter().map(str::trim).collect();
    if items.iter().any(|item| item.is_empty()) {
        return Err(format!("a value is missing; {SYNTAX}"));
    }
    Ok(items)
}

/// A TOML value, or a word or number that TOML would want written otherwise.
fn parse_value(item: &str) -> Result<Value, String> {
    match format!("value = {item}").parse::<Table>() {
        Ok(mut table) if table.len() == 1 => table
            .remove("value")
            .ok_or_else(|| format!("{item:?} is no value")),
        Err(error) if item.starts_with(['[', '{', '"', '\'']) => {
            Err(format!("{item} is no TOML value: {}", error.message()))
        }
        _ => Ok(match item.parse::<f64>() {
            Ok(number) => Value::Float(number),
            Err(_) => Value::String(item.to_owned()),
        }),
    }
}
