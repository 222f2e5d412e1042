//! One node of ONNX through `tract`: a model of this node alone, its inputs and constants
//! around it.

use super::Read;
use super::bounds::{self, MOST_VALUES};
use super::graph::RawNode;
use prost::Message as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, LazyLock};
use tract_onnx::Onnx;
use tract_onnx::data_resolver::FopenDataResolver;
use tract_onnx::model::ParsingContext;
use tract_onnx::pb::{GraphProto, ModelProto, NodeProto, TensorProto};
use tract_onnx::prelude::*;
use tract_onnx::tract_hir::infer::Factoid;
use tract_onnx::tract_hir::internal::DimLike;

/// The bytes of a node with its settings, constants aside: `tract` takes up to a hundred times
/// that in memory.
const MOST_NODE_BYTES: usize = 1 << 20;

/// Constants of up to so many values count as settings, such as shapes and axes: `tract` may
/// compute with them before it runs.
const FEW: usize = 4096;

/// Numbers that are no whole ones are settings only in fewer cases: scales of a `Resize`.
const FEW_FLOATS: usize = 16;

static ONNX: LazyLock<Onnx> = LazyLock::new(tract_onnx::onnx);

/// Whether an operator is there.
pub(super) fn has(op: &str, domain: &str) -> bool {
    matches!(domain, "" | "ai.onnx" | "ai.onnx.ml") && ONNX.op_register.0.contains_key(op)
}

/// The constant in the bytes of a `TensorProto`.
pub(super) fn constant(bytes: &[u8]) -> Result<Arc<Tensor>, String> {
    guarded(|| {
        let proto = TensorProto::decode(bytes).map_err(|error| error.to_string())?;
        // Without a folder no other file is opened, whatever the tensor says.
        let tensor = tract_onnx::tensor::load_tensor(&FopenDataResolver, &proto, None);
        tensor.map(Arc::new).map_err(|error| short(&error))
    })
}

/// What all nodes of a model have in common.
pub(super) struct Runtime {
    opset: i64,
    model: ModelProto,
    graph: GraphProto,
}

impl Runtime {
    pub(super) fn new(opset: i64) -> Self {
        Runtime {
            opset,
            model: ModelProto::default(),
            graph: GraphProto::default(),
        }
    }

    /// The outputs of a node that have names, for these inputs.
    pub(super) fn run(
        &self,
        node: &RawNode<'_>,
        reads: &[Option<Read>],
    ) -> Result<Vec<Arc<Tensor>>, String> {
        if node.op == "Constant"
            && let Some(bytes) = node.tensor("value")?
        {
            return Ok(vec![constant(bytes)?]);
        }
        if !has(node.op, node.domain) {
            return Err(match node.domain {
                "" => format!("tract has no {}", node.op),
                domain => format!("tract has no {} of {domain}", node.op),
            });
        }
        if node.bytes.len() > MOST_NODE_BYTES {
            return Err(format!(
                "its settings take {} bytes, and at most {MOST_NODE_BYTES} are read",
                node.bytes.len()
            ));
        }
        bounds::check(node, reads)?;
        guarded(|| self.through_tract(node, reads))
    }

    fn through_tract(
        &self,
        node: &RawNode<'_>,
        reads: &[Option<Read>],
    ) -> Result<Vec<Arc<Tensor>>, String> {
        let proto = NodeProto::decode(node.bytes).map_err(|error| error.to_string())?;
        let context = ParsingContext {
            onnx_operator_set_version: self.opset,
            framework: &ONNX,
            model: &self.model,
            parent_graphs: vec![&self.graph],
            model_dir: None,
            template: InferenceModel::default(),
        };
        let builder = ONNX.op_register.0.get(node.op);
        let builder = builder.ok_or_else(|| format!("tract has no {}", node.op))?;
        let (op, closures) = builder(&context, &proto).map_err(|error| short(&error))?;
        if let Some(name) = closures.first() {
            return Err(format!("its inner graph reads {name:?} from around it"));
        }
        let mut model = InferenceModel::default();
        let mut sources = Vec::new();
        let given: Vec<&Read> = reads.iter().flatten().collect();
        let running = source(&given);
        let mut outlets = Vec::with_capacity(given.len());
        for (k, read) in given.iter().enumerate() {
            let name = format!("input{k}");
            let tensor = &read.0;
            let fixed = is_setting(read) || read.1;
            let outlet = if fixed && Some(k) != running {
                model.add_const(name, Arc::clone(tensor))
            } else {
                sources.push(TValue::from_const(Arc::clone(tensor)));
                let fact = InferenceFact::dt_shape(tensor.datum_type(), tensor.shape());
                model.add_source(name, fact)
            };
            outlets.push(outlet.map_err(|error| short(&error))?);
        }
        let named = node.outputs.iter().filter(|name| !name.is_empty());
        let facts: TVec<InferenceFact> = named.map(|_| InferenceFact::default()).collect();
        let outputs = facts.len();
        let build = || -> TractResult<InferenceModel> {
            let id = model.add_node("node", op, facts)?;
            for (slot, outlet) in outlets.into_iter().enumerate() {
                model.add_edge(outlet, InletId::new(id, slot))?;
            }
            let all: Vec<OutletId> = (0..outputs).map(|slot| OutletId::new(id, slot)).collect();
            model.select_output_outlets(&all)?;
            model.analyse(false)?;
            Ok(model)
        };
        let model = build().map_err(|error| short(&error))?;
        check_outputs(&model)?;
        let run = || -> TractResult<TVec<TValue>> {
            let plan = model.into_optimized()?.into_runnable()?;
            plan.run(sources.into_iter().collect())
        };
        let values = run().map_err(|error| short(&error))?;
        let tensors = values.into_iter().map(|value| {
            let tensor = value.into_tensor();
            // Sizes are a type of their own there.
            match tensor.datum_type() {
                DatumType::TDim => tensor.cast_to::<i64>().map(|t| Arc::new(t.into_owned())),
                _ => Ok(Arc::new(tensor)),
            }
        });
        let tensors: TractResult<Vec<Arc<Tensor>>> = tensors.collect();
        tensors.map_err(|error| short(&error))
    }
}

/// Whether an input is so small that it may be a setting.
fn is_setting(read: &Read) -> bool {
    let tensor = &read.0;
    if tensor.datum_type().is_float() {
        tensor.len() <= FEW_FLOATS
    } else {
        tensor.len() <= FEW
    }
}

/// The input that is no constant, so that nothing large is computed before its size was checked:
/// the first that is neither small nor in the file, else the largest; none where all are small.
fn source(given: &[&Read]) -> Option<usize> {
    let large = |k: &usize| !is_setting(given[*k]);
    let running = (0..given.len()).find(|k| large(k) && !given[*k].1);
    running.or_else(|| {
        (0..given.len())
            .filter(large)
            .max_by_key(|&k| given[k].0.len())
    })
}

/// Refuses a node whose outputs are known to be too large. Sizes that follow from values were
/// checked before.
fn check_outputs(model: &InferenceModel) -> Result<(), String> {
    for &outlet in model.output_outlets().map_err(|error| short(&error))? {
        let fact = model.outlet_fact(outlet).map_err(|error| short(&error))?;
        let Some(shape) = fact.shape.concretize() else {
            continue;
        };
        let sides: Option<Vec<usize>> = shape.iter().map(|side| side.to_usize().ok()).collect();
        let values = sides.and_then(|sides| crate::interop::model::bytes::count(&sides));
        if values.is_none_or(|n| n > MOST_VALUES) {
            return Err(format!(
                "its output would have the shape {shape:?}; at most {MOST_VALUES} values are computed"
            ));
        }
    }
    Ok(())
}

/// Runs what stands on `tract`, whose operators meet impossible settings (a stride of 0, an axis
/// that is not there) with panics here and there. Nothing of ours is changed while it runs, so
/// that nothing is left half done.
fn guarded<T>(run: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    let outcome = catch_unwind(AssertUnwindSafe(run));
    outcome.unwrap_or_else(|_| Err("tract fails at its settings".to_owned()))
}

/// An error in a line.
fn short(error: &TractError) -> String {
    const MOST: usize = 160;
    let chain: Vec<String> = error.chain().map(|cause| cause.to_string()).collect();
    let text = chain.last().map_or("", String::as_str);
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let short: String = line.chars().take(MOST).collect();
    let rest = if short.len() < line.len() { "..." } else { "" };
    format!("tract: {short}{rest}")
}
