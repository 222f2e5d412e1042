//! A foreign model as a table: every node with what it is to our engine, its shapes and
//! its parameters.

use super::graph::{ForeignModel, ModelFormat, Sides};
use super::onnx::DOMAIN;
use super::run::tract_has;
use super::translate::{Status, Translation};
use crate::insight::structure::{grouped, shape as sides_text};
use crate::nn::Shape;
use serde::Serialize;

/// One node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ModelRow {
    /// Its name in the file.
    pub name: String,
    /// What the file calls its operation.
    pub operator: String,
    /// Our layer kind, `merged` for a part of the layer before it, `unknown` where it
    /// depends on a shape that nobody knows, or `opaque`.
    pub kind: String,
    /// Why it is opaque or unknown; empty otherwise.
    pub why: String,
    /// Whether `tract` has the operator; `null` where the file is no graph of ONNX.
    pub tract: Option<bool>,
    /// The values that it reads, weights left out.
    pub reads: Vec<String>,
    /// What it gives, per sample where the engine knows it; empty where nobody does.
    pub output: String,
    /// The shapes of its weights.
    pub weights: Vec<Vec<usize>>,
    /// Its parameters.
    pub parameters: usize,
}

/// The whole model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ModelTable {
    /// The kind of file.
    pub format: &'static str,
    /// Who wrote it, as the file says.
    pub producer: String,
    /// What it reads: `name: shape`.
    pub inputs: Vec<String>,
    /// What it gives.
    pub outputs: Vec<String>,
    /// Its nodes, in order.
    pub nodes: Vec<ModelRow>,
    /// All its parameters; what nodes share counts once.
    pub parameters: usize,
    /// Nodes that are opaque.
    pub opaque: usize,
    /// Whether it became a network of ours.
    pub network: bool,
    /// Why it did not; empty if it did.
    pub why: String,
    /// What was guessed or left out.
    pub notes: Vec<String>,
}

impl ModelTable {
    /// The table of a model and what became of it.
    pub fn of(model: &ForeignModel, translation: &Translation) -> Self {
        let rows = model
            .nodes
            .iter()
            .zip(&translation.statuses)
            .zip(&translation.shapes);
        let nodes: Vec<ModelRow> = rows
            .map(|((node, status), shape)| {
                let (kind, why) = match status {
                    Status::Layer(kind) => (kind.name(), ""),
                    Status::Merged => ("merged", ""),
                    Status::Unknown(why) => ("unknown", why.as_str()),
                    Status::Opaque(why) => ("opaque", why.as_str()),
                };
                let weights = node.weights.iter().map(|w| &w.tensor);
                let is_weight = |name: &&String| weights.clone().any(|t| t.name == **name);
                let known = node.shapes.iter().flatten().next();
                ModelRow {
                    name: node.name.clone(),
                    operator: node.op.clone(),
                    kind: kind.to_owned(),
                    why: why.to_owned(),
                    tract: (model.format == ModelFormat::Onnx).then(|| {
                        let domain = node.text(DOMAIN).unwrap_or_default();
                        tract_has(&node.op, domain)
                    }),
                    reads: node
                        .inputs
                        .iter()
                        .filter(|n| !n.is_empty() && !is_weight(n))
                        .cloned()
                        .collect(),
                    output: match (shape, known) {
                        (Some(shape), _) => text(*shape),
                        (None, Some(sides)) => Sides(sides).to_string(),
                        (None, None) => String::new(),
                    },
                    weights: weights.clone().map(|t| t.shape.clone()).collect(),
                    parameters: node.parameters(),
                }
            })
            .collect();
        let port = |port: &super::Port| match &port.shape {
            Some(sides) => format!("{}: {}", port.name, Sides(sides)),
            None => port.name.clone(),
        };
        ModelTable {
            format: model.format.name(),
            producer: model.producer.clone(),
            inputs: model.inputs.iter().map(port).collect(),
            outputs: model.outputs.iter().map(port).collect(),
            opaque: nodes.iter().filter(|row| row.kind == "opaque").count(),
            nodes,
            parameters: model.parameters(),
            network: translation.result.is_ok(),
            why: translation
                .result
                .as_ref()
                .err()
                .cloned()
                .unwrap_or_default(),
            notes: model.notes.clone(),
        }
    }

    /// The table in columns of equal width, with what is to be said about it below.
    pub fn text(&self) -> String {
        let cells = self.cells();
        let width = |k: usize| {
            cells
                .iter()
                .map(|row| row[k].chars().count())
                .max()
                .unwrap_or(0)
        };
        let widths: Vec<usize> = (0..HEADINGS.len()).map(width).collect();
        let mut lines = vec![self.headline()];
        for row in &cells {
            let pieces = row
                .iter()
                .zip(&widths)
                .enumerate()
                .map(|(k, (cell, width))| {
                    let pad = " ".repeat(width - cell.chars().count());
                    // Words begin at the left, the numbers of parameters end at the right.
                    if k == PARAMETERS {
                        format!("{pad}{cell}")
                    } else {
                        format!("{cell}{pad}")
                    }
                });
            lines.push(pieces.collect::<Vec<_>>().join("  ").trim_end().to_owned());
        }
        lines.extend(self.remarks());
        lines.join("\n") + "\n"
    }

    /// The table in Markdown.
    pub fn markdown(&self) -> String {
        let mut lines = vec![self.headline(), String::new()];
        for (k, row) in self.cells().iter().enumerate() {
            let cells: Vec<String> = row.iter().map(|cell| cell.replace('|', "\\|")).collect();
            lines.push(format!("| {} |", cells.join(" | ")));
            if k == 0 {
                lines.push("|---|---|---|---|---:|---|".to_owned());
            }
        }
        lines.push(String::new());
        lines.extend(
            self.remarks()
                .into_iter()
                .map(|remark| format!("- {remark}")),
        );
        lines.join("\n") + "\n"
    }

    /// `ONNX (pytorch 2.1): input: ? × 1 × 28 × 28 -> probs`
    fn headline(&self) -> String {
        let by = match self.producer.as_str() {
            "" => String::new(),
            producer => format!(" ({producer})"),
        };
        let list = |all: &[String]| {
            if all.is_empty() {
                "?".to_owned()
            } else {
                all.join(", ")
            }
        };
        format!(
            "{}{by}, {} -> {}",
            self.format,
            list(&self.inputs),
            list(&self.outputs)
        )
    }

    fn remarks(&self) -> Vec<String> {
        let mut remarks = self.notes.clone();
        let tract = |has: bool| {
            let rows = self.nodes.iter().filter(|row| row.kind == "opaque");
            rows.filter(|row| row.tract == Some(has)).count()
        };
        match (self.network, tract(true), tract(false)) {
            (true, ..) | (_, 0, 0) => {}
            (_, _, 0) => remarks.push("tract has all its operators: --run runs it forward.".to_owned()),
            (_, _, n) => remarks.push(format!(
                "tract lacks {n} of the opaque nodes; --run runs forward whatever does not need them."
            )),
        }
        remarks.push(if self.network {
            "It is a network of ours: it can be run, explained and trained further.".to_owned()
        } else {
            format!("It is shown and not run: {}.", self.why)
        });
        remarks
    }

    /// Headings, rows and totals as texts.
    fn cells(&self) -> Vec<Vec<String>> {
        let mut all = vec![HEADINGS.iter().map(|&h| h.to_owned()).collect::<Vec<_>>()];
        all.extend(self.nodes.iter().map(|row| {
            let note = match row.tract.filter(|_| row.kind == "opaque") {
                Some(true) => format!("{}; runs in tract", row.why),
                Some(false) => format!("{}, nor has tract", row.why),
                None => row.why.clone(),
            };
            vec![
                row.name.clone(),
                row.operator.clone(),
                row.kind.clone(),
                row.output.clone(),
                grouped(row.parameters),
                note,
            ]
        }));
        let opaque = match self.opaque {
            0 => String::new(),
            n => format!("{n} opaque"),
        };
        all.push(vec![
            "total".to_owned(),
            match self.nodes.len() {
                1 => "1 node".to_owned(),
                n => format!("{n} nodes"),
            },
            opaque,
            String::new(),
            grouped(self.parameters),
            String::new(),
        ]);
        all
    }
}

const HEADINGS: [&str; 6] = ["node", "operator", "kind", "out", "parameters", ""];

/// The column of numbers.
const PARAMETERS: usize = 4;

fn text(shape: Shape) -> String {
    if shape.is_flat() {
        shape.size().to_string()
    } else {
        sides_text(&[shape.channels, shape.height, shape.width])
    }
}
