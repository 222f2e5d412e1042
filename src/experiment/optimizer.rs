//! The `optimizer` table of `[training]`.

use super::constants::{Range, check};
use crate::data::ConfigError;
use crate::optim::{Method, OptimizerKind, SolverKind};
use serde::{Deserialize, Serialize};

/// An optimiser by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs)] // the variants are the names
pub enum OptimizerName {
    Sgd,
    Momentum,
    Nesterov,
    AdaGrad,
    RmsProp,
    Adam,
    AdamW,
    AdaDelta,
    Adamax,
    NAdam,
    Lion,
    Qhm,
    Rprop,
    Gdx,
    #[serde(rename = "fletcher-reeves")]
    FletcherReeves,
    #[serde(rename = "polak-ribiere")]
    PolakRibiere,
    Lbfgs,
    #[serde(rename = "levenberg-marquardt")]
    LevenbergMarquardt,
}

impl OptimizerName {
    /// All of them, in the order of a menu: first-order ones, then full-batch
    /// methods.
    pub const ALL: [OptimizerName; 18] = [
        OptimizerName::Sgd,
        OptimizerName::Momentum,
        OptimizerName::Nesterov,
        OptimizerName::AdaGrad,
        OptimizerName::RmsProp,
        OptimizerName::Adam,
        OptimizerName::AdamW,
        OptimizerName::AdaDelta,
        OptimizerName::Adamax,
        OptimizerName::NAdam,
        OptimizerName::Lion,
        OptimizerName::Qhm,
        OptimizerName::Rprop,
        OptimizerName::Gdx,
        OptimizerName::FletcherReeves,
        OptimizerName::PolakRibiere,
        OptimizerName::Lbfgs,
        OptimizerName::LevenbergMarquardt,
    ];
}

/// `optimizer = { name = "adam", learning_rate = 0.03 }`: only constants that
/// the named optimiser has are allowed; the others keep their defaults.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OptimizerConfig {
    /// Which one.
    pub name: OptimizerName,
    /// The step size; 0, which is the same as none, for those that have none.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub learning_rate: f64,
    /// Momentum, Nesterov, QHM, Gdx.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub momentum: Option<f64>,
    /// QHM.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nu: Option<f64>,
    /// RMSProp, AdaDelta.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rho: Option<f64>,
    /// Adam, AdamW, Adamax, NAdam, Lion.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub beta1: Option<f64>,
    /// Adam, AdamW, Adamax, NAdam, Lion.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub beta2: Option<f64>,
    /// AdaGrad, RMSProp, Adam, AdamW, AdaDelta, Adamax, NAdam.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epsilon: Option<f64>,
    /// NAdam.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub momentum_decay: Option<f64>,
    /// SGD, momentum, Nesterov, QHM, AdamW, Lion.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight_decay: Option<f64>,
    /// Rprop.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub eta_minus: Option<f64>,
    /// Rprop.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub eta_plus: Option<f64>,
    /// Rprop.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step_min: Option<f64>,
    /// Rprop.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step_max: Option<f64>,
    /// Gdx.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lr_inc: Option<f64>,
    /// Gdx.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lr_dec: Option<f64>,
    /// Gdx.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_perf_inc: Option<f64>,
    /// L-BFGS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub history: Option<usize>,
    /// Levenberg-Marquardt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mu: Option<f64>,
    /// Levenberg-Marquardt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mu_dec: Option<f64>,
    /// Levenberg-Marquardt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mu_inc: Option<f64>,
    /// Levenberg-Marquardt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mu_max: Option<f64>,
}

fn is_zero(v: &f64) -> bool {
    *v == 0.0
}

impl Default for OptimizerConfig {
    fn default() -> Self {
        OptimizerConfig::new(OptimizerName::Adam, 0.01)
    }
}

impl OptimizerConfig {
    /// The named optimiser with its default constants. Those that have no
    /// learning rate are given none.
    pub fn new(name: OptimizerName, learning_rate: f64) -> Self {
        let mut config = OptimizerConfig {
            name,
            learning_rate,
            momentum: None,
            nu: None,
            rho: None,
            beta1: None,
            beta2: None,
            epsilon: None,
            momentum_decay: None,
            weight_decay: None,
            eta_minus: None,
            eta_plus: None,
            step_min: None,
            step_max: None,
            lr_inc: None,
            lr_dec: None,
            max_perf_inc: None,
            history: None,
            mu: None,
            mu_dec: None,
            mu_inc: None,
            mu_max: None,
        };
        if !config.kind().has_rate() {
            config.learning_rate = 0.0;
        }
        config
    }

    /// The method that is meant.
    pub fn kind(&self) -> Method {
        use Method::{FirstOrder, FullBatch};
        use OptimizerName as N;
        let momentum = self.momentum.unwrap_or(0.9);
        let beta1 = self.beta1.unwrap_or(0.9);
        let beta2 = self.beta2.unwrap_or(0.999);
        let epsilon = self.epsilon.unwrap_or(1e-8);
        FirstOrder(match self.name {
            N::Sgd => OptimizerKind::Sgd,
            N::Momentum => OptimizerKind::Momentum { momentum },
            N::Nesterov => OptimizerKind::Nesterov { momentum },
            N::AdaGrad => OptimizerKind::AdaGrad {
                epsilon: self.epsilon.unwrap_or(1e-10),
            },
            N::RmsProp => OptimizerKind::RmsProp {
                rho: self.rho.unwrap_or(0.99),
                epsilon,
            },
            N::Adam => OptimizerKind::Adam {
                beta1,
                beta2,
                epsilon,
            },
            N::AdamW => OptimizerKind::AdamW {
                beta1,
                beta2,
                epsilon,
                weight_decay: self.weight_decay.unwrap_or(0.01),
            },
            N::AdaDelta => OptimizerKind::AdaDelta {
                rho: self.rho.unwrap_or(0.9),
                epsilon: self.epsilon.unwrap_or(1e-6),
            },
            N::Adamax => OptimizerKind::Adamax {
                beta1,
                beta2,
                epsilon,
            },
            N::NAdam => OptimizerKind::NAdam {
                beta1,
                beta2,
                epsilon,
                momentum_decay: self.momentum_decay.unwrap_or(0.004),
            },
            N::Lion => OptimizerKind::Lion {
                beta1,
                beta2: self.beta2.unwrap_or(0.99),
                weight_decay: self.weight_decay.unwrap_or(0.0),
            },
            N::Qhm => OptimizerKind::Qhm {
                momentum: self.momentum.unwrap_or(0.999),
                nu: self.nu.unwrap_or(0.7),
            },
            N::Rprop => OptimizerKind::Rprop {
                eta_minus: self.eta_minus.unwrap_or(0.5),
                eta_plus: self.eta_plus.unwrap_or(1.2),
                step_min: self.step_min.unwrap_or(1e-6),
                step_max: self.step_max.unwrap_or(50.0),
            },
            N::Gdx => {
                return FullBatch(SolverKind::Gdx {
                    momentum,
                    lr_inc: self.lr_inc.unwrap_or(1.05),
                    lr_dec: self.lr_dec.unwrap_or(0.7),
                    max_perf_inc: self.max_perf_inc.unwrap_or(1.04),
                });
            }
            N::FletcherReeves => return FullBatch(SolverKind::FletcherReeves),
            N::PolakRibiere => return FullBatch(SolverKind::PolakRibiere),
            N::Lbfgs => {
                return FullBatch(SolverKind::Lbfgs {
                    history: self.history.unwrap_or(10),
                });
            }
            N::LevenbergMarquardt => {
                return FullBatch(SolverKind::LevenbergMarquardt {
                    mu: self.mu.unwrap_or(0.001),
                    mu_dec: self.mu_dec.unwrap_or(0.1),
                    mu_inc: self.mu_inc.unwrap_or(10.0),
                    mu_max: self.mu_max.unwrap_or(1e10),
                });
            }
        })
    }

    /// The decoupled weight decay of an optimiser whose own update has none.
    pub fn decoupled_decay(&self) -> f64 {
        match self.name {
            OptimizerName::AdamW | OptimizerName::Lion => 0.0,
            _ => self.weight_decay.unwrap_or(0.0),
        }
    }

    /// Whether its constants are its own and within their ranges.
    ///
    /// # Errors
    /// Names the key, what is wrong and what is allowed.
    pub fn validate(&self) -> Result<(), ConfigError> {
        use OptimizerName as N;
        let method = self.kind();
        let rate = self.learning_rate;
        let key = "training.optimizer.learning_rate";
        if method.has_rate() {
            if !(rate.is_finite() && rate > 0.0) {
                return Err(ConfigError::new(
                    key,
                    format!("{rate} is not a step size; give a number above 0"),
                ));
            }
        } else if rate != 0.0 {
            return Err(ConfigError::new(
                key,
                format!(
                    "{} finds the length of each step itself; leave the key out",
                    method.name()
                ),
            ));
        }
        let betas = &[N::Adam, N::AdamW, N::Adamax, N::NAdam, N::Lion];
        let lm = &[N::LevenbergMarquardt];
        let constants = [
            (
                "momentum",
                self.momentum,
                &[N::Momentum, N::Nesterov, N::Qhm, N::Gdx][..],
                Range::BelowOne,
            ),
            ("nu", self.nu, &[N::Qhm], Range::Share),
            ("rho", self.rho, &[N::RmsProp, N::AdaDelta], Range::BelowOne),
            ("beta1", self.beta1, betas, Range::BelowOne),
            ("beta2", self.beta2, betas, Range::BelowOne),
            (
                "epsilon",
                self.epsilon,
                &[
                    N::AdaGrad,
                    N::RmsProp,
                    N::Adam,
                    N::AdamW,
                    N::AdaDelta,
                    N::Adamax,
                    N::NAdam,
                ],
                Range::FromZero,
            ),
            (
                "momentum_decay",
                self.momentum_decay,
                &[N::NAdam],
                Range::FromZero,
            ),
            (
                "weight_decay",
                self.weight_decay,
                &[N::Sgd, N::Momentum, N::Nesterov, N::Qhm, N::AdamW, N::Lion],
                Range::FromZero,
            ),
            ("eta_minus", self.eta_minus, &[N::Rprop], Range::Inside),
            ("eta_plus", self.eta_plus, &[N::Rprop], Range::AboveOne),
            ("step_min", self.step_min, &[N::Rprop], Range::FromZero),
            ("step_max", self.step_max, &[N::Rprop], Range::AboveZero),
            ("lr_inc", self.lr_inc, &[N::Gdx], Range::FromOne),
            ("lr_dec", self.lr_dec, &[N::Gdx], Range::Inside),
            ("max_perf_inc", self.max_perf_inc, &[N::Gdx], Range::FromOne),
            (
                "history",
                self.history.map(|n| n as f64),
                &[N::Lbfgs],
                Range::OneToHundred,
            ),
            ("mu", self.mu, lm, Range::AboveZero),
            ("mu_dec", self.mu_dec, lm, Range::Inside),
            ("mu_inc", self.mu_inc, lm, Range::AboveOne),
            ("mu_max", self.mu_max, lm, Range::AboveZero),
        ];
        let title = |name| Self::new(name, 1.0).kind().name();
        check("training.optimizer", self.name, title, &constants)?;
        match method {
            Method::FirstOrder(OptimizerKind::Rprop {
                step_min, step_max, ..
            }) if step_min > step_max => Err(ConfigError::new(
                "training.optimizer.step_min",
                format!("{step_min} is above step_max, {step_max}"),
            )),
            Method::FullBatch(SolverKind::LevenbergMarquardt { mu, mu_max, .. }) if mu > mu_max => {
                Err(ConfigError::new(
                    "training.optimizer.mu",
                    format!("{mu} is above mu_max, {mu_max}"),
                ))
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_files_are_those_of_the_methods_and_the_menu_has_them_all() {
        for name in OptimizerName::ALL {
            let method = OptimizerConfig::new(name, 0.1).kind();
            let written = serde_json::to_value(name).unwrap();
            assert_eq!(written, method.name());
        }
        let kinds = OptimizerKind::ALL.map(Method::FirstOrder).into_iter();
        let all: Vec<_> = kinds
            .chain(SolverKind::ALL.map(Method::FullBatch))
            .collect();
        let named = OptimizerName::ALL.map(|n| OptimizerConfig::new(n, 0.1).kind());
        assert_eq!(named.to_vec(), all, "order and default constants");
    }
}
