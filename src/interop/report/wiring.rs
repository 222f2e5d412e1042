//! The network in the page: its layers as a table, and a flat picture that the page draws
//! with the weights of the moment.

use super::pack::Packed;
use crate::figure::{NetworkFigure, Tone};
use crate::insight::run_record::RunRecord;
use crate::insight::structure::Structure;
use serde::Serialize;

/// Connections into a layer that are drawn.
const CONNECTIONS: usize = 300;
/// Networks of more units are a table alone.
const UNITS: usize = 12_000;
/// Parts of a pixel that a place is rounded to: 960 pixels fit into 16 bits.
const PARTS: f64 = 64.0;
/// Rows of the table, at most.
const ROWS: usize = 100;

/// Network and table.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Wiring {
    rows: Vec<Row>,
    /// Rows of the whole table.
    all_rows: usize,
    parameters: usize,
    multiply_adds: usize,
    plan: Option<Plan>,
}

/// A row of the table.
#[derive(Debug, Clone, Serialize)]
struct Row {
    name: String,
    kind: &'static str,
    detail: String,
    activation: &'static str,
    output: Vec<usize>,
    parameters: usize,
}

/// A picture's parts.
#[derive(Debug, Clone, Serialize)]
struct Plan {
    size: (f64, f64),
    parts: f64,
    /// Units of each column and their radius.
    columns: Vec<(usize, f64)>,
    x: Packed,
    y: Packed,
    /// The layer, the column before, and the units of each connection.
    layer: Packed,
    column: Packed,
    from: Packed,
    to: Packed,
    /// The place of its weight in the parameter vector, from 1; 0 for none.
    parameter: Packed,
    /// Its weight at the end.
    weight: Packed,
    counts: Vec<(usize, usize)>,
    /// Names of the outputs, if there is one for each.
    outputs: Vec<String>,
}

impl Wiring {
    /// That of a record.
    pub fn of(record: &RunRecord) -> Self {
        let problem = &record.problem;
        let network = &problem.network;
        let structure = Structure::of(network);
        let columns = network.layers().iter().map(|layer| layer.outputs());
        let units = network.inputs() + columns.sum::<usize>();
        let rows = structure.rows.iter().take(ROWS).map(|row| Row {
            name: row.name.clone(),
            kind: row.kind,
            detail: row.detail.clone(),
            activation: row.activation,
            output: row.output.clone(),
            parameters: row.parameters,
        });
        Wiring {
            rows: rows.collect(),
            all_rows: structure.rows.len(),
            parameters: structure.parameters,
            multiply_adds: structure.multiply_adds,
            plan: (units <= UNITS).then(|| plan(record)),
        }
    }
}

fn plan(record: &RunRecord) -> Plan {
    let problem = &record.problem;
    let params = record.params();
    let image = problem.data.image.filter(|image| image.channels == 1);
    let plan = NetworkFigure {
        network: &problem.network,
        params,
        values: &[],
        image: image.map(|image| (image.height, image.width)),
        outputs: &[],
        title: String::new(),
        subtitle: String::new(),
        tone: Tone::Dark,
    }
    .plan(CONNECTIONS);
    let points = || plan.columns.iter().flat_map(|column| &column.points);
    let place = |v: f64| (v.max(0.0) * PARTS).round() as usize;
    let links = &plan.links;
    let names = problem.data.task.names();
    let last = plan.columns.last().map_or(0, |column| column.points.len());
    Plan {
        size: plan.size,
        parts: PARTS,
        columns: plan
            .columns
            .iter()
            .map(|column| (column.points.len(), column.radius))
            .collect(),
        x: Packed::u16(points().map(|p| place(p.0))),
        y: Packed::u16(points().map(|p| place(p.1))),
        layer: Packed::u16(links.iter().map(|link| link.layer)),
        column: Packed::u16(links.iter().map(|link| link.column)),
        from: Packed::u16(links.iter().map(|link| link.from)),
        to: Packed::u16(links.iter().map(|link| link.to)),
        parameter: Packed::u32(
            links
                .iter()
                .map(|link| link.parameter.map_or(0, |p| p as u64 + 1)),
        ),
        weight: Packed::f32(
            links
                .iter()
                .map(|link| link.parameter.map_or(f32::NAN, |p| params[p])),
        ),
        outputs: match names.len() == last {
            true => names.to_vec(),
            false => Vec::new(),
        },
        counts: plan.counts,
    }
}
