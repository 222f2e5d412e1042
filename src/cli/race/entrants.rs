//! `--optimizers` with `--rate` or `--rates`: who takes part.

use crate::cli::CliError;
use crate::experiment::{OptimizerConfig, OptimizerName};
use crate::race::{Entry, MOST_RACERS};

/// The entries that a command line asks for. An optimiser is a name, with its
/// constants behind colons: `momentum:momentum=0.5`. Where no rate is given,
/// `default` is taken.
pub(super) fn entrants(
    list: &str,
    rate: Option<f64>,
    rates: Option<&str>,
    default: f64,
) -> Result<Vec<Entry>, CliError> {
    let given: Vec<&str> = list.split(',').map(str::trim).collect();
    let rates: Option<Vec<f64>> = rates
        .map(|text| {
            let each = text.split(',').map(|rate| {
                let bad = |_| CliError::Usage(format!("--rates: {rate:?} is not a number"));
                rate.trim().parse::<f64>().map_err(bad)
            });
            each.collect::<Result<_, _>>()
        })
        .transpose()?;
    if let Some(rates) = &rates
        && rates.len() != given.len()
    {
        return Err(CliError::Usage(format!(
            "--rates has {} rates for {} optimisers; give one for each, in the same order",
            rates.len(),
            given.len()
        )));
    }
    if given.len() > MOST_RACERS {
        return Err(CliError::Usage(format!(
            "{} optimisers; at most {MOST_RACERS} race at once",
            given.len()
        )));
    }
    let mut entries = Vec::new();
    for (i, text) in given.into_iter().enumerate() {
        let rate = rates.as_ref().map(|rates| rates[i]).or(rate);
        entries.push(entrant(text, rate.unwrap_or(default))?);
    }
    tell_apart(&mut entries);
    Ok(entries)
}

/// One optimiser with its constants.
fn entrant(text: &str, rate: f64) -> Result<Entry, CliError> {
    let mut parts = text.split(':');
    let name = parts.next().unwrap_or_default().trim();
    let names = OptimizerName::ALL.map(|n| OptimizerConfig::new(n, 1.0).kind().name());
    let known = names.iter().position(|n| *n == name);
    let Some(known) = known else {
        return Err(CliError::Usage(format!(
            "--optimizers: {name:?} is none of {}",
            names.join(", ")
        )));
    };
    let default = OptimizerConfig::new(OptimizerName::ALL[known], rate);
    let mut table = toml::Table::try_from(default)
        .map_err(|error| CliError::Failed(format!("{name}: {error}")))?;
    for part in parts {
        let bad = || {
            CliError::Usage(format!(
                "--optimizers: {part:?} is no constant; write it as momentum:momentum=0.5"
            ))
        };
        let (key, value) = part.split_once('=').ok_or_else(bad)?;
        let value = value.trim();
        let number = match value.parse::<i64>() {
            Ok(whole) => toml::Value::Integer(whole),
            Err(_) => toml::Value::Float(value.parse().map_err(|_| bad())?),
        };
        table.insert(key.trim().to_owned(), number);
    }
    let optimizer: OptimizerConfig = table.try_into().map_err(|error: toml::de::Error| {
        CliError::Usage(format!("--optimizers: {text}: {}", error.message()))
    })?;
    let mut entry = Entry::new(optimizer);
    if text.contains(':') {
        let constants: Vec<&str> = text.split(':').skip(1).map(str::trim).collect();
        entry.name = format!("{name} {}", constants.join(" "));
    }
    Ok(entry)
}

/// Gives those of the same name their rates, and numbers if that is not enough.
fn tell_apart(entries: &mut [Entry]) {
    let count = |entries: &[Entry], name: &str| entries.iter().filter(|e| e.name == name).count();
    let before = entries.to_vec();
    for entry in entries.iter_mut() {
        if count(&before, &entry.name) > 1 && entry.optimizer.kind().has_rate() {
            entry.name = format!("{} {}", entry.name, entry.optimizer.learning_rate);
        }
    }
    let before = entries.to_vec();
    let mut seen: Vec<String> = Vec::new();
    for entry in entries.iter_mut() {
        let name = entry.name.clone();
        if count(&before, &name) > 1 {
            let nth = seen.iter().filter(|n| **n == name).count() + 1;
            entry.name = format!("{name} #{nth}");
        }
        seen.push(name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn optimisers_are_read_with_their_rates_and_constants_and_told_apart() {
        let read = |list: &str, rates| entrants(list, Some(0.5), rates, 0.1).unwrap();
        let entries = read("sgd, momentum:momentum=0, lbfgs", None);
        let names: Vec<&str> = entries.iter().map(|e| e.name.as_str()).collect();
        assert_eq!(names, ["sgd", "momentum momentum=0", "lbfgs"]);
        assert_eq!(entries[1].optimizer.momentum, Some(0.0));
        let rates: Vec<f64> = entries.iter().map(|e| e.optimizer.learning_rate).collect();
        assert_eq!(rates, [0.5, 0.5, 0.0]);
        let entries = read("sgd,sgd,adam,adam", Some("1e-3,0.2,0.1,0.1"));
        let names: Vec<&str> = entries.iter().map(|e| e.name.as_str()).collect();
        assert_eq!(
            names,
            ["sgd 0.001", "sgd 0.2", "adam 0.1 #1", "adam 0.1 #2"]
        );
    }

    #[test]
    fn what_is_no_optimiser_is_refused_in_words() {
        for (list, rates, said) in [
            ("sgd,foo", None, "\"foo\" is none of sgd, momentum"),
            ("sgd:momentum", None, "\"momentum\" is no constant"),
            ("sgd:colour=1", None, "colour"),
            ("sgd,adam", Some("0.1"), "1 rates for 2 optimisers"),
            ("sgd", Some("fast"), "\"fast\" is not a number"),
        ] {
            let error = entrants(list, None, rates, 0.1).unwrap_err().to_string();
            assert!(error.contains(said), "{error}");
        }
    }
}
