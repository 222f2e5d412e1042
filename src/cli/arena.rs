//! Flags for functions, races and a second surface in pictures of the scene.

use super::CliError;
use crate::experiment::{OptimizerConfig, OptimizerName};
use crate::landscape::{Analytic, Axis};
use clap::Args;

/// At most so many optimisers race in a picture: as many as have a colour each.
const MOST_RACERS: usize = 8;

/// What is shown besides the network's own surface and path.
#[derive(Args, Debug, Clone, Default)]
pub struct ArenaArgs {
    /// Show the surface of a function: the name of a built-in one (ravine, rosenbrock, ...), or a formula in x and y
    #[arg(long, value_name = "NAME|FORMULA", allow_hyphen_values = true)]
    function: Option<String>,
    /// The range of x of the function
    #[arg(
        long,
        value_name = "LO:HI",
        requires = "function",
        allow_hyphen_values = true
    )]
    x: Option<Axis>,
    /// The range of y of the function
    #[arg(
        long,
        value_name = "LO:HI",
        requires = "function",
        allow_hyphen_values = true
    )]
    y: Option<Axis>,
    /// Race these optimisers from one start, on the function or on the network's surface: names with commas between them, each with its own rate after a colon if it has one (sgd:0.9,momentum,adam:0.5)
    #[arg(long, value_name = "NAME[:RATE],...", value_delimiter = ',', value_parser = racer)]
    race: Vec<OptimizerConfig>,
    /// The learning rate of racers that were given none
    #[arg(long, value_name = "RATE", requires = "race")]
    rate: Option<f64>,
    /// Start a race on a function there
    #[arg(long, value_name = "X,Y", requires = "race", requires = "function", allow_hyphen_values = true, value_parser = point)]
    start: Option<[f64; 2]>,
    /// Steps of the race before the first frame
    #[arg(long, value_name = "N", requires = "race", default_value = "0", value_parser = clap::value_parser!(u64).range(0..=20_000))]
    race_steps: u64,
    /// Show the network's surface after so many epochs beside the one after --epochs, on one height scale
    #[arg(long, value_name = "EPOCHS", conflicts_with = "function")]
    beside: Option<usize>,
}

/// The same, checked.
#[derive(Debug, Clone, Default)]
pub struct ArenaPlan {
    /// The function, its ranges, and where a race on it starts.
    pub function: Option<FunctionPlan>,
    /// Who races; nobody where there is no race.
    pub racers: Vec<OptimizerConfig>,
    /// Steps of the race before the first frame.
    pub race_steps: u64,
    /// The epochs after which a surface is pinned.
    pub beside: Option<usize>,
}

/// A function to show.
#[derive(Debug, Clone)]
pub struct FunctionPlan {
    /// Its name or its formula.
    pub text: String,
    /// The ranges of x and of y, where they are not its own.
    pub domain: Option<[[f64; 2]; 2]>,
    /// Where a race starts, where that is not its own start.
    pub start: Option<[f64; 2]>,
}

impl ArenaArgs {
    /// Whether a function is shown, so that no network is needed.
    pub fn has_function(&self) -> bool {
        self.function.is_some()
    }

    /// Checks what clap cannot.
    ///
    /// # Errors
    /// When a formula is none, a rate makes no sense, or there are too many racers.
    pub fn plan(&self, epochs: usize) -> Result<ArenaPlan, CliError> {
        let usage = |text: String| Err(CliError::Usage(text));
        let function = match &self.function {
            None => None,
            Some(text) => {
                let function = match Analytic::find(text) {
                    Ok(function) => function,
                    Err(error) => return usage(format!("--function {text:?}: {error}")),
                };
                let range = |axis: &Option<Axis>, own: [f64; 2]| axis.map_or(own, |a| [a.lo, a.hi]);
                let [x, y] = function.domain();
                let domain = [range(&self.x, x), range(&self.y, y)];
                let given = self.x.is_some() || self.y.is_some();
                Some(FunctionPlan {
                    text: text.trim().to_owned(),
                    domain: given.then_some(domain),
                    start: self.start,
                })
            }
        };
        if self.race.len() > MOST_RACERS {
            return usage(format!(
                "--race: at most {MOST_RACERS} optimisers race in a picture"
            ));
        }
        if let Some(rate) = self.rate.filter(|r| !(r.is_finite() && *r > 0.0)) {
            return usage(format!("--rate {rate}: give a number above 0"));
        }
        if let Some(beside) = self.beside.filter(|b| *b > epochs) {
            return usage(format!(
                "--beside {beside}: the surface beside it comes after --epochs {epochs}, which has to be as many or more"
            ));
        }
        let rate = self.rate.unwrap_or(0.1);
        let racers = self.race.iter().map(|racer| {
            // Not given: see `racer`.
            let is_open = racer.kind().has_rate() && racer.learning_rate == 0.0;
            OptimizerConfig {
                learning_rate: if is_open { rate } else { racer.learning_rate },
                ..*racer
            }
        });
        Ok(ArenaPlan {
            function,
            racers: racers.collect(),
            race_steps: self.race_steps,
            beside: self.beside,
        })
    }
}

/// `NAME` or `NAME:RATE`; without a rate it is 0.
fn racer(text: &str) -> Result<OptimizerConfig, String> {
    let (name, rate) = match text.split_once(':') {
        Some((name, rate)) => (name, Some(rate)),
        None => (text, None),
    };
    let known = |n: &OptimizerName| OptimizerConfig::new(*n, 1.0).kind().name();
    let found = OptimizerName::ALL
        .into_iter()
        .find(|n| known(n) == name.trim());
    let Some(found) = found else {
        let all: Vec<&str> = OptimizerName::ALL.iter().map(known).collect();
        return Err(format!(
            "{name:?} is no optimiser; there are {}",
            all.join(", ")
        ));
    };
    let rate = match rate.map(|r| (r, r.trim().parse::<f64>())) {
        None => 0.0,
        Some((_, Ok(rate))) if rate.is_finite() && rate > 0.0 => rate,
        Some((text, _)) => return Err(format!("the rate {text:?} of {name} is no number above 0")),
    };
    Ok(OptimizerConfig::new(found, rate))
}

/// `X,Y`.
fn point(text: &str) -> Result<[f64; 2], String> {
    let number = |t: &str| t.trim().parse::<f64>().ok().filter(|v| v.is_finite());
    let pair = text.split_once(',');
    pair.and_then(|(x, y)| Some([number(x)?, number(y)?]))
        .ok_or_else(|| "give X,Y, two numbers, such as -1.2,1".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn racers_have_their_own_rate_or_the_common_one() {
        let args = ArenaArgs {
            race: vec![
                racer("sgd:0.9").unwrap(),
                racer("adam").unwrap(),
                racer("lbfgs").unwrap(),
            ],
            rate: Some(0.25),
            ..ArenaArgs::default()
        };
        let plan = args.plan(0).unwrap();
        let rates: Vec<f64> = plan.racers.iter().map(|r| r.learning_rate).collect();
        assert_eq!(rates[..2], [0.9, 0.25]);
        assert!(!plan.racers[2].kind().has_rate());
        assert!(racer("sgdd").unwrap_err().contains("momentum"));
        assert!(racer("sgd:-1").is_err() && racer("sgd:x").is_err());
        assert_eq!(point("-1.2, 1").unwrap(), [-1.2, 1.0]);
        assert!(point("1").is_err());
    }

    #[test]
    fn a_formula_that_is_none_is_refused_with_the_reason() {
        let args = ArenaArgs {
            function: Some("x +".into()),
            ..ArenaArgs::default()
        };
        assert!(matches!(args.plan(0), Err(CliError::Usage(text)) if text.contains("x +")));
    }
}
