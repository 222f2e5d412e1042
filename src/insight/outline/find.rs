//! Looking for a node, a block or a tensor by a part of its name or of its kind.

use super::{BlockName, NodeKind, Outline, Part};

/// Something that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hit {
    /// Where it is.
    pub part: Part,
    /// The tensor that was asked for, where it was one.
    pub tensor: Option<String>,
    /// How well it fits: smaller is better.
    rank: u8,
}

/// Whether `query` is a path, or its last pieces: those between slashes, or points.
fn ends_with_piece(path: &str, query: &str) -> bool {
    let before = path.strip_suffix(query);
    before.is_some_and(|before| before.is_empty() || before.ends_with(['/', '.']))
}

impl Outline {
    /// Up to `most` parts whose names, kinds or tensors have every word of `query` in them,
    /// however written; names before kinds before tensors, and otherwise in the model's
    /// order. Nothing for a query without words.
    pub fn find(&self, query: &str, most: usize) -> Vec<Hit> {
        let query = query.to_lowercase();
        let words: Vec<&str> = query.split_whitespace().collect();
        if words.is_empty() || most == 0 {
            return Vec::new();
        }
        let has = |text: &str| words.iter().all(|word| text.contains(word));
        let mut hits = Vec::new();
        for (at, block) in self.blocks().iter().enumerate() {
            let BlockName::Path(path) = &block.name else {
                continue;
            };
            let path = path.to_lowercase();
            if has(&path) {
                hits.push(Hit {
                    part: Part::Block(at),
                    tensor: None,
                    rank: if ends_with_piece(&path, &query) { 0 } else { 3 },
                });
            }
        }
        for (at, node) in self.nodes().iter().enumerate() {
            let name = node.name.to_lowercase();
            let kind = match &node.kind {
                NodeKind::Layer(kind) => kind,
                _ => "",
            };
            let what = format!("{} {kind} {}", node.operator, node.detail).to_lowercase();
            let rank = if name == query {
                0
            } else if name.starts_with(&query) {
                1
            } else if has(&name) {
                2
            } else if what.split(' ').any(|word| word == query) {
                4
            } else if has(&format!("{name} {what}")) {
                5
            } else {
                let tensor = node
                    .tensors
                    .iter()
                    .find(|(name, _)| has(&name.to_lowercase()));
                let Some((tensor, _)) = tensor else { continue };
                hits.push(Hit {
                    part: Part::Node(at),
                    tensor: Some(tensor.clone()),
                    rank: 6,
                });
                continue;
            };
            hits.push(Hit {
                part: Part::Node(at),
                tensor: None,
                rank,
            });
        }
        hits.sort_by_key(|hit| hit.rank);
        hits.truncate(most);
        hits
    }
}
