//! A network, or a model of another program, from a distance: its nodes, what reads what,
//! and blocks of nodes within blocks, of which those that are open show what they hold.
//!
//! `network.rs` and `model.rs` make an [`Outline`], `nest.rs` finds its blocks, `place.rs`
//! says where everything stands, `foreign.rs` reads what is
//! shown and not run, `find.rs` looks for names, and `spread.rs` says how a
//! node's weights are distributed.

mod find;
mod foreign;
mod model;
mod nest;
mod network;
mod place;
mod spread;

pub use find::Hit;
pub use foreign::{Foreign, Found, read_model};
pub use place::{Gaps, Placement, Stroke, place};
pub use spread::Spread;

use std::collections::{BTreeSet, HashSet};

/// At most so many parts stand side by side in a block before they are gathered into
/// blocks of their own.
pub const MOST_PARTS: usize = 24;
/// At first blocks are open as long as no more parts than this are shown.
pub const FIRST_PARTS: usize = 16;
/// At most so many parts are shown at a time, whatever is opened.
pub const MOST_SHOWN: usize = 400;

/// One side of a value: a number, or open.
pub type Side = Option<usize>;

/// What a node is to the engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NodeKind {
    /// A value that comes from outside.
    Input,
    /// A value that goes outside.
    Output,
    /// A layer of ours of this kind.
    Layer(&'static str),
    /// Part of the layer before it, or nothing that changes a value.
    Merged,
    /// Whether the engine has it depends on shapes that nobody knows, and why.
    Unknown(String),
    /// Nothing that the engine has, and why.
    Opaque(String),
}

impl NodeKind {
    /// Why the engine cannot run it, if so.
    pub fn reason(&self) -> Option<&str> {
        match self {
            NodeKind::Unknown(why) | NodeKind::Opaque(why) => Some(why),
            _ => None,
        }
    }
}

/// One operation.
#[derive(Debug, Clone, PartialEq)]
pub struct OutlineNode {
    /// Its whole name.
    pub name: String,
    /// What it does, in the words of its file.
    pub operator: String,
    /// What is particular to it: `3×3, stride 2, relu`; empty for nothing.
    pub detail: String,
    /// What it is to the engine.
    pub kind: NodeKind,
    /// The sides of what it gives, without that of the samples; `None` where nobody knows.
    pub output: Option<Vec<Side>>,
    /// Its parameters.
    pub parameters: usize,
    /// Names and sides of the tensors that it owns.
    pub tensors: Vec<(String, Vec<usize>)>,
}

impl OutlineNode {
    /// Values of a sample that it gives, with 1 for sides that are open.
    pub fn values(&self) -> usize {
        let sides = self.output.iter().flatten();
        let product = |n: usize, side: &Side| n.saturating_mul(side.unwrap_or(1).max(1));
        sides.fold(1, product)
    }
}

/// A node, or a block of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Part {
    /// By its number.
    Node(usize),
    /// By its number.
    Block(usize),
}

/// How a block is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BlockName {
    /// As the names of its nodes begin.
    Path(String),
    /// Ways that part and meet again; counted from 1.
    Branches(usize),
    /// What does not depend on what comes from outside and is read here and there.
    Constants,
    /// Parts that follow each other: the first and the last, counted from 1 among those
    /// that are gathered.
    Run([usize; 2]),
}

/// Parts that are shown as one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// How it is called.
    pub name: BlockName,
    /// What it consists of, in order.
    pub parts: Vec<Part>,
    /// The block that it is part of.
    pub parent: Option<usize>,
}

/// Nodes, edges and blocks.
#[derive(Debug, Clone, PartialEq)]
pub struct Outline {
    nodes: Vec<OutlineNode>,
    edges: Vec<[usize; 2]>,
    blocks: Vec<Block>,
    top: Vec<Part>,
    home: Vec<Option<usize>>,
}

/// What is on show while some blocks are open.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Shown {
    /// Nodes and closed blocks, in order.
    pub parts: Vec<Part>,
    /// Which of `parts` read which, by their places there: from and to, each pair once.
    pub edges: Vec<[usize; 2]>,
}

impl Outline {
    /// Nodes, in order.
    pub fn nodes(&self) -> &[OutlineNode] {
        &self.nodes
    }

    /// Which node reads which: from and to, each pair once.
    pub fn edges(&self) -> &[[usize; 2]] {
        &self.edges
    }

    /// Blocks.
    pub fn blocks(&self) -> &[Block] {
        &self.blocks
    }

    /// The same with what nodes give as it turned out in a run: `found` has all sides of a node's
    /// first value. What the file says stays; a first side of 1 is that of the one sample.
    pub fn with_shapes<'a>(&self, found: impl Fn(&OutlineNode) -> Option<&'a [usize]>) -> Self {
        let mut outline = self.clone();
        for node in &mut outline.nodes {
            let open = node.output.iter().flatten().any(Option::is_none);
            if node.output.is_some() && !open {
                continue;
            }
            if let Some(sides) = found(node) {
                let sides = sides.strip_prefix(&[1]).unwrap_or(sides);
                node.output = Some(sides.iter().copied().map(Some).collect());
            }
        }
        outline
    }

    /// What stands outermost.
    pub fn top(&self) -> &[Part] {
        &self.top
    }

    /// Whether there is such a part.
    pub fn has(&self, part: Part) -> bool {
        match part {
            Part::Node(node) => node < self.nodes.len(),
            Part::Block(block) => block < self.blocks.len(),
        }
    }

    /// The block that a part is in.
    pub fn parent(&self, part: Part) -> Option<usize> {
        match part {
            Part::Node(node) => self.home.get(node).copied().flatten(),
            Part::Block(block) => self.blocks.get(block)?.parent,
        }
    }

    /// The blocks around a part, the innermost first.
    pub fn around(&self, part: Part) -> impl Iterator<Item = usize> + '_ {
        std::iter::successors(self.parent(part), |&block| self.parent(Part::Block(block)))
    }

    /// All nodes of a part, in order.
    pub fn nodes_of(&self, part: Part) -> Vec<usize> {
        let mut found = Vec::new();
        let mut rest = vec![part];
        while let Some(part) = rest.pop() {
            match part {
                Part::Node(node) => found.push(node),
                Part::Block(block) => {
                    rest.extend(self.blocks.get(block).into_iter().flat_map(|b| &b.parts));
                }
            }
        }
        found.sort_unstable();
        found
    }

    /// Parameters of a part.
    pub fn parameters(&self, part: Part) -> usize {
        let nodes = self.nodes_of(part).into_iter();
        nodes.map(|node| self.nodes[node].parameters).sum()
    }

    /// Its nodes that are nothing that the engine has.
    pub fn opaque(&self, part: Part) -> usize {
        self.count(part, |kind| matches!(kind, NodeKind::Opaque(_)))
    }

    /// Its nodes of which nobody knows whether the engine has them.
    pub fn unknown(&self, part: Part) -> usize {
        self.count(part, |kind| matches!(kind, NodeKind::Unknown(_)))
    }

    fn count(&self, part: Part, is: impl Fn(&NodeKind) -> bool) -> usize {
        let nodes = self.nodes_of(part).into_iter();
        nodes.filter(|&node| is(&self.nodes[node].kind)).count()
    }

    /// The last part of a name whose beginning its blocks say already.
    pub fn short_name(&self, node: usize) -> &str {
        let Some(this) = self.nodes.get(node) else {
            return "";
        };
        let path =
            self.around(Part::Node(node))
                .find_map(|block| match &self.blocks.get(block)?.name {
                    BlockName::Path(path) => Some(path.as_str()),
                    _ => None,
                });
        let name = this.name.trim_start_matches('/');
        let rest = path.and_then(|path| name.strip_prefix(path.trim_start_matches('/')));
        match rest.map(|rest| rest.trim_start_matches(['/', '.', '_', ':'])) {
            Some(rest) if !rest.is_empty() => rest,
            _ => name,
        }
    }

    /// What is on show while the blocks in `open` are, as far as those around them are, too.
    pub fn shown(&self, open: &BTreeSet<usize>) -> Shown {
        let mut parts = Vec::new();
        let mut stands_for = vec![usize::MAX; self.nodes.len()];
        self.unfold(&self.top, open, &mut parts);
        for (at, &part) in parts.iter().enumerate() {
            for node in self.nodes_of(part) {
                stands_for[node] = at;
            }
        }
        let mut seen = HashSet::new();
        let between = self
            .edges
            .iter()
            .map(|edge| edge.map(|end| stands_for[end]));
        let edges = between
            .filter(|&[from, to]| from != to && seen.insert([from, to]))
            .collect();
        Shown { parts, edges }
    }

    fn unfold(&self, parts: &[Part], open: &BTreeSet<usize>, shown: &mut Vec<Part>) {
        for &part in parts {
            match part {
                Part::Block(block) if open.contains(&block) => {
                    self.unfold(&self.blocks[block].parts, open, shown);
                }
                part => shown.push(part),
            }
        }
    }

    /// The blocks that are open at first: from the outside in, the smallest first, while
    /// no more than [`FIRST_PARTS`] parts are shown.
    pub fn first_open(&self) -> BTreeSet<usize> {
        let mut open = BTreeSet::new();
        loop {
            let shown = self.shown(&open).parts;
            let closed = shown.iter().filter_map(|part| match part {
                Part::Block(block) => Some((self.blocks[*block].parts.len(), *block)),
                Part::Node(_) => None,
            });
            match closed.min() {
                Some((parts, block)) if shown.len() + parts <= FIRST_PARTS + 1 => {
                    open.insert(block);
                }
                _ => return open,
            }
        }
    }

    fn new(nodes: Vec<OutlineNode>, mut edges: Vec<[usize; 2]>) -> Self {
        edges.retain(|&[from, to]| from != to && from < nodes.len() && to < nodes.len());
        edges.sort_unstable();
        edges.dedup();
        let (top, blocks) = nest::nest(&nodes, &edges);
        let mut home = vec![None; nodes.len()];
        for (at, block) in blocks.iter().enumerate() {
            for part in &block.parts {
                if let Part::Node(node) = *part {
                    home[node] = Some(at);
                }
            }
        }
        Outline {
            nodes,
            edges,
            blocks,
            top,
            home,
        }
    }
}

#[cfg(test)]
mod tests;
