//! One entry of `[network] layers`.

use crate::data::ConfigError;
use crate::nn::layer::{BatchNorm, Conv, LayerNorm, Pool};
use crate::nn::{Activation, LayerKind, LayerSpec, Source};
use serde::de::value::MapAccessDeserializer;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::fmt;

/// The most units, filters or pixels that a number in a layer may name: a bound
/// on what a file can make the program allocate.
const MOST: usize = 100_000;

/// A length for rows and columns alike, or one for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Extent {
    /// The same for rows and columns.
    Both(usize),
    /// Rows, then columns.
    Each([usize; 2]),
}

impl Extent {
    fn pair(self) -> [usize; 2] {
        match self {
            Extent::Both(n) => [n, n],
            Extent::Each(pair) => pair,
        }
    }
}

/// One name or several.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Names {
    /// One.
    One(String),
    /// Several.
    Many(Vec<String>),
}

impl Names {
    fn as_slice(&self) -> &[String] {
        match self {
            Names::One(name) => std::slice::from_ref(name),
            Names::Many(names) => names,
        }
    }
}

/// A kind of layer that needs no number; alone it may be written as a string.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PlainKind {
    /// An image as a plain vector.
    Flatten,
    /// The mean of each channel.
    GlobalAvgPool,
    /// Normalisation over the batch.
    BatchNorm,
    /// Normalisation over a sample's values.
    LayerNorm,
    /// A learnt slope below zero.
    Prelu,
}

/// One hidden layer. Exactly one of `dense`, `conv`, `max_pool`, `avg_pool`,
/// `dropout`, `add` and `kind` says what it is; the others belong to one of those.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct LayerConfig {
    /// Units of a fully connected layer.
    pub dense: Option<usize>,
    /// Filters of a convolution.
    pub conv: Option<usize>,
    /// The window of a max pool.
    pub max_pool: Option<Extent>,
    /// The window of an average pool.
    pub avg_pool: Option<Extent>,
    /// The share that dropout leaves out.
    pub dropout: Option<f64>,
    /// Layers whose outputs are added to that of the layer before.
    pub add: Option<Names>,
    /// A kind that needs no number.
    pub kind: Option<PlainKind>,
    /// Convolution: the filters' rows and columns.
    pub kernel: Option<Extent>,
    /// Convolution and pooling: from one window to the next.
    pub stride: Option<Extent>,
    /// Convolution and pooling: zeros around the input.
    pub padding: Option<Extent>,
    /// Convolution: from one tap to the next.
    pub dilation: Option<Extent>,
    /// Convolution: groups of channels that do not mix.
    pub groups: Option<usize>,
    /// Convolution: whether there are biases.
    pub bias: Option<bool>,
    /// Average pooling: whether zeros beyond the edge count.
    pub count_padding: Option<bool>,
    /// Batch normalisation: the share of each batch in what is gathered.
    pub momentum: Option<f64>,
    /// Normalisation: is added to the variance.
    pub epsilon: Option<f64>,
    /// Prelu: what the slopes start at.
    pub slope: Option<f64>,
    /// What is applied to the pre-activation.
    pub activation: Option<Activation>,
    /// What other layers and messages call it.
    pub name: Option<String>,
    /// The layer that it reads, where not the one before.
    pub from: Option<String>,
}

/// The same fields, for serde.
macro_rules! table {
    ($($field:ident: $type:ty),*) => {
        #[derive(Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Table {
            $(#[serde(default, skip_serializing_if = "Option::is_none")]
            $field: Option<$type>,)*
        }

        impl From<Table> for LayerConfig {
            fn from(table: Table) -> Self {
                let Table { $($field),* } = table;
                LayerConfig { $($field),* }
            }
        }

        impl From<LayerConfig> for Table {
            fn from(layer: LayerConfig) -> Self {
                let LayerConfig { $($field),* } = layer;
                Table { $($field),* }
            }
        }
    };
}

table!(
    dense: usize, conv: usize, max_pool: Extent, avg_pool: Extent, dropout: f64, add: Names,
    kind: PlainKind, kernel: Extent, stride: Extent, padding: Extent, dilation: Extent,
    groups: usize, bias: bool, count_padding: bool, momentum: f64, epsilon: f64, slope: f64,
    activation: Activation, name: String, from: String
);

impl Serialize for LayerConfig {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if let Some(kind) = self.kind
            && *self == LayerConfig::plain(kind)
        {
            return kind.serialize(serializer);
        }
        Table::from(self.clone()).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for LayerConfig {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> de::Visitor<'de> for Visitor {
            type Value = LayerConfig;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a layer: a table such as { dense = 8 }, or a kind such as \"flatten\"")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<LayerConfig, E> {
                let kind = PlainKind::deserialize(de::value::StrDeserializer::new(text))?;
                Ok(LayerConfig::plain(kind))
            }

            fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<LayerConfig, A::Error> {
                Table::deserialize(MapAccessDeserializer::new(map)).map(LayerConfig::from)
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

/// A reason why a key of a layer makes no sense.
type Fault = (&'static str, String);

impl LayerConfig {
    /// A fully connected layer.
    pub fn dense(units: usize, activation: Activation) -> Self {
        LayerConfig {
            dense: Some(units),
            activation: Some(activation),
            ..LayerConfig::default()
        }
    }

    /// A layer that its kind describes.
    pub fn plain(kind: PlainKind) -> Self {
        LayerConfig {
            kind: Some(kind),
            ..LayerConfig::default()
        }
    }

    /// What is applied to the pre-activation: what the file says, else tanh
    /// where there are weights and nothing elsewhere.
    pub fn activation(&self) -> Activation {
        self.activation
            .unwrap_or(if self.dense.or(self.conv).is_some() {
                Activation::Tanh
            } else {
                Activation::Linear
            })
    }

    /// What the layer does, or the key that makes no sense and why.
    fn layer_kind(&self) -> Result<LayerKind, Fault> {
        let (kind, name, allowed) = self.chosen()?;
        self.refuse_others(name, allowed)?;
        Ok(kind)
    }

    /// The kind, its name and the keys that it has beside those of all layers.
    fn chosen(&self) -> Result<(LayerKind, &'static str, &'static [&'static str]), Fault> {
        const POOL: &[&str] = &["stride", "padding"];
        let given = [
            ("dense", self.dense.is_some()),
            ("conv", self.conv.is_some()),
            ("max_pool", self.max_pool.is_some()),
            ("avg_pool", self.avg_pool.is_some()),
            ("dropout", self.dropout.is_some()),
            ("add", self.add.is_some()),
            ("kind", self.kind.is_some()),
        ];
        let mut chosen = given
            .iter()
            .filter(|(_, given)| *given)
            .map(|(name, _)| *name);
        let first = chosen.next().ok_or_else(|| {
            let message = "the layer does not say what it is; give one of dense, conv, max_pool, \
                           avg_pool, dropout, add, or kind";
            ("", message.to_owned())
        })?;
        if let Some(second) = chosen.next() {
            return Err((
                second,
                format!("the layer is {first} already; give one of the two"),
            ));
        }
        if let Some(units) = self.dense {
            return Ok((
                LayerKind::Dense {
                    units: bounded("dense", units)?,
                },
                first,
                &[],
            ));
        }
        if let Some(filters) = self.conv {
            let kernel = self.kernel.ok_or((
                "conv",
                "a convolution needs a kernel, such as kernel = 3".to_owned(),
            ))?;
            let conv = Conv {
                filters: bounded("conv", filters)?,
                kernel: extent("kernel", kernel, 1)?,
                stride: extent("stride", self.stride.unwrap_or(Extent::Both(1)), 1)?,
                padding: extent("padding", self.padding.unwrap_or(Extent::Both(0)), 0)?,
                dilation: extent("dilation", self.dilation.unwrap_or(Extent::Both(1)), 1)?,
                groups: bounded("groups", self.groups.unwrap_or(1))?,
                bias: self.bias.unwrap_or(true),
            };
            const KEYS: &[&str] = &["kernel", "stride", "padding", "dilation", "groups", "bias"];
            return Ok((LayerKind::Conv(conv), first, KEYS));
        }
        if let Some(size) = self.max_pool {
            return Ok((
                LayerKind::MaxPool(self.pool("max_pool", size)?),
                first,
                POOL,
            ));
        }
        if let Some(size) = self.avg_pool {
            const KEYS: &[&str] = &["stride", "padding", "count_padding"];
            return Ok((
                LayerKind::AvgPool(self.pool("avg_pool", size)?),
                first,
                KEYS,
            ));
        }
        if let Some(rate) = self.dropout {
            if !(0.0..1.0).contains(&rate) {
                let message = format!("{rate}; give a number from 0 up to, not including, 1");
                return Err(("dropout", message));
            }
            return Ok((LayerKind::Dropout { rate }, first, &[]));
        }
        if self.add.is_some() {
            return Ok((LayerKind::Add, first, &[]));
        }
        Ok(match self.kind {
            None | Some(PlainKind::Flatten) => (LayerKind::Flatten, "flatten", &[]),
            Some(PlainKind::GlobalAvgPool) => (LayerKind::GlobalAvgPool, "global_avg_pool", &[]),
            Some(PlainKind::BatchNorm) => {
                let norm = BatchNorm::default();
                let norm = BatchNorm {
                    momentum: within("momentum", self.momentum.unwrap_or(norm.momentum), 0.0, 1.0)?,
                    epsilon: self.epsilon(norm.epsilon)?,
                };
                (
                    LayerKind::BatchNorm(norm),
                    "batch_norm",
                    &["momentum", "epsilon"],
                )
            }
            Some(PlainKind::LayerNorm) => {
                let epsilon = self.epsilon(LayerNorm::default().epsilon)?;
                (
                    LayerKind::LayerNorm(LayerNorm { epsilon }),
                    "layer_norm",
                    &["epsilon"],
                )
            }
            Some(PlainKind::Prelu) => {
                let slope = within("slope", self.slope.unwrap_or(0.25), -10.0, 10.0)?;
                (LayerKind::PRelu { slope }, "prelu", &["slope"])
            }
        })
    }

    fn epsilon(&self, default: f64) -> Result<f64, Fault> {
        let epsilon = self.epsilon.unwrap_or(default);
        if epsilon.is_finite() && epsilon > 0.0 {
            Ok(epsilon)
        } else {
            Err(("epsilon", format!("{epsilon}; give a number above 0")))
        }
    }

    fn pool(&self, key: &'static str, size: Extent) -> Result<Pool, Fault> {
        Ok(Pool {
            size: extent(key, size, 1)?,
            stride: extent("stride", self.stride.unwrap_or(size), 1)?,
            padding: extent("padding", self.padding.unwrap_or(Extent::Both(0)), 0)?,
            count_padding: self.count_padding.unwrap_or(true),
        })
    }

    /// Refuses keys that a layer of this kind does not have.
    fn refuse_others(&self, kind: &str, allowed: &[&str]) -> Result<(), Fault> {
        let given = [
            ("kernel", self.kernel.is_some(), "conv"),
            ("stride", self.stride.is_some(), "conv, max_pool, avg_pool"),
            (
                "padding",
                self.padding.is_some(),
                "conv, max_pool, avg_pool",
            ),
            ("dilation", self.dilation.is_some(), "conv"),
            ("groups", self.groups.is_some(), "conv"),
            ("bias", self.bias.is_some(), "conv"),
            ("count_padding", self.count_padding.is_some(), "avg_pool"),
            ("momentum", self.momentum.is_some(), "batch_norm"),
            ("epsilon", self.epsilon.is_some(), "batch_norm, layer_norm"),
            ("slope", self.slope.is_some(), "prelu"),
        ];
        for (key, given, owners) in given {
            if given && !allowed.contains(&key) {
                return Err((
                    key,
                    format!("{kind} has no such key; {key} belongs to {owners}"),
                ));
            }
        }
        Ok(())
    }
}

fn bounded(key: &'static str, n: usize) -> Result<usize, Fault> {
    if (1..=MOST).contains(&n) {
        Ok(n)
    } else {
        let what = match key {
            "dense" => " units",
            "conv" => " filters",
            _ => "",
        };
        Err((key, format!("{n}{what}; allowed are 1 to {MOST}")))
    }
}

fn extent(key: &'static str, extent: Extent, least: usize) -> Result<[usize; 2], Fault> {
    let pair = extent.pair();
    match pair.iter().find(|n| !(least..=MOST).contains(n)) {
        None => Ok(pair),
        Some(n) => Err((key, format!("{n} pixels; allowed are {least} to {MOST}"))),
    }
}

fn within(key: &'static str, value: f64, lo: f64, hi: f64) -> Result<f64, Fault> {
    if (lo..=hi).contains(&value) {
        Ok(value)
    } else {
        Err((key, format!("{value}; give a number from {lo} to {hi}")))
    }
}

/// The layers that `layers` describe; errors name the key.
pub(super) fn specs(layers: &[LayerConfig]) -> Result<Vec<LayerSpec>, ConfigError> {
    let mut specs = Vec::with_capacity(layers.len());
    for (i, layer) in layers.iter().enumerate() {
        let error = |(key, message): Fault| {
            let dot = if key.is_empty() { "" } else { "." };
            ConfigError::new(format!("network.layers[{i}]{dot}{key}"), message)
        };
        let kind = layer.layer_kind().map_err(error)?;
        let activation = layer.activation();
        if activation == Activation::Softmax {
            let message = "softmax is for the output layer only; use another activation here";
            return Err(error(("activation", message.to_owned())));
        }
        if let Some(name) = &layer.name {
            let earlier = layers[..i].iter().any(|l| l.name.as_ref() == Some(name));
            if earlier || name == "input" || name.is_empty() {
                let message = format!("{name:?} is taken already; give every layer its own name");
                return Err(error(("name", message)));
            }
        }
        let find = |key: &'static str, name: &str| -> Result<Source, ConfigError> {
            if name == "input" {
                return Ok(Source::Input);
            }
            let at = layers[..i]
                .iter()
                .position(|l| l.name.as_deref() == Some(name));
            at.map(Source::Layer).ok_or_else(|| {
                let known: Vec<_> = layers[..i]
                    .iter()
                    .filter_map(|l| l.name.as_deref())
                    .collect();
                let known = if known.is_empty() {
                    "no earlier layer has a name; give the one that is meant `name = ...`"
                        .to_owned()
                } else {
                    format!(
                        "the names before this layer are input, {}",
                        known.join(", ")
                    )
                };
                error((key, format!("there is no earlier layer {name:?}; {known}")))
            })
        };
        let mut sources = Vec::new();
        if let Some(from) = &layer.from {
            sources.push(find("from", from)?);
        }
        if let Some(names) = &layer.add {
            if sources.is_empty() {
                sources.push(i.checked_sub(1).map_or(Source::Input, Source::Layer));
            }
            for name in names.as_slice() {
                sources.push(find("add", name)?);
            }
        }
        specs.push(LayerSpec {
            kind,
            activation,
            name: layer.name.clone(),
            sources,
        });
    }
    Ok(specs)
}

#[cfg(test)]
mod tests;
