//! Blocks of nodes: by the paths that names are, by ways that part and meet again, and
//! where many parts are left by what follows each other.

use super::{Block, BlockName, MOST_PARTS, NodeKind, OutlineNode, Part};
use std::collections::HashMap;

/// What stands outermost, and all blocks.
pub(super) fn nest(nodes: &[OutlineNode], edges: &[[usize; 2]]) -> (Vec<Part>, Vec<Block>) {
    let mut nest = Nest {
        nodes,
        edges,
        blocks: Vec::new(),
    };
    // What comes from outside and goes there is part of no block.
    fn pieces(node: &OutlineNode) -> Vec<&str> {
        match node.kind {
            NodeKind::Input | NodeKind::Output => Vec::new(),
            _ => path(&node.name),
        }
    }
    let mut paths: Vec<Vec<&str>> = nodes.iter().map(pieces).collect();
    let loose = adopt(nodes, edges, &mut paths);
    let all: Vec<usize> = (0..nodes.len()).collect();
    let named = paths.iter().filter(|path| !path.is_empty()).count();
    let mut top = if 2 * named >= nodes.len() {
        nest.by_names(&paths, &all, 0)
    } else {
        all.into_iter().map(Part::Node).collect()
    };
    if loose.len() > FEW_CONSTANTS {
        top.retain(|part| !matches!(part, Part::Node(node) if loose.contains(node)));
        let inner = loose.iter().copied().map(Part::Node).collect();
        let constants = nest.block(BlockName::Constants, inner);
        top.insert(0, constants);
    }
    top = nest.gather(top);
    // Blocks by name may hold too much as well; those that are made here do not.
    for block in 0..nest.blocks.len() {
        let parts = std::mem::take(&mut nest.blocks[block].parts);
        nest.blocks[block].parts = nest.gather(parts);
    }
    for block in 0..nest.blocks.len() {
        for part in nest.blocks[block].parts.clone() {
            if let Part::Block(inner) = part {
                nest.blocks[inner].parent = Some(block);
            }
        }
    }
    (top, nest.blocks)
}

/// More constants than this that belong to no block are a block of their own.
const FEW_CONSTANTS: usize = 3;

/// What does not depend on what comes from outside and has no path of its own (a constant, or
/// what is made of constants) belongs where it is read: it is given the path that all its
/// readers have in common. Those whose readers have none in common are returned.
fn adopt<'a>(
    nodes: &'a [OutlineNode],
    edges: &[[usize; 2]],
    paths: &mut [Vec<&'a str>],
) -> Vec<usize> {
    let mut readers = vec![Vec::new(); nodes.len()];
    let mut fed: Vec<bool> = nodes.iter().map(|n| n.kind == NodeKind::Input).collect();
    // Nodes come behind those that they read.
    for &[from, to] in edges {
        readers[from].push(to);
    }
    for node in 0..nodes.len() {
        if fed[node] {
            readers[node].iter().for_each(|&reader| fed[reader] = true);
        }
    }
    let mut loose = Vec::new();
    for node in (0..nodes.len()).rev() {
        if fed[node] || nodes[node].kind == NodeKind::Output || !paths[node].is_empty() {
            continue;
        }
        let mut common: Option<Vec<&str>> = None;
        for &reader in &readers[node] {
            let path = &paths[reader];
            common = Some(match common {
                None => path.clone(),
                Some(mut common) => {
                    let same = common.iter().zip(path).take_while(|(a, b)| a == b);
                    let same = same.count();
                    common.truncate(same);
                    common
                }
            });
        }
        paths[node] = common.unwrap_or_default();
        if paths[node].is_empty() {
            loose.push(node);
        }
    }
    loose.reverse();
    loose
}

/// The names of the blocks around a node as its own name tells them: `/layer1/conv/Conv` as
/// `layer1` and `conv`, `features.0` as `features`.
fn path(name: &str) -> Vec<&str> {
    let separator = if name.contains('/') { '/' } else { '.' };
    let mut pieces: Vec<&str> = name.split(separator).filter(|p| !p.is_empty()).collect();
    pieces.pop();
    pieces
}

struct Nest<'a> {
    nodes: &'a [OutlineNode],
    edges: &'a [[usize; 2]],
    blocks: Vec<Block>,
}

impl Nest<'_> {
    fn block(&mut self, name: BlockName, parts: Vec<Part>) -> Part {
        self.blocks.push(Block {
            name,
            parts,
            parent: None,
        });
        Part::Block(self.blocks.len() - 1)
    }

    /// Gathers nodes whose paths agree so far by the next piece of their paths, in the order
    /// of the first of each.
    fn by_names(&mut self, paths: &[Vec<&str>], nodes: &[usize], depth: usize) -> Vec<Part> {
        let mut order: Vec<Result<usize, &str>> = Vec::new();
        let mut groups: HashMap<&str, Vec<usize>> = HashMap::new();
        for &node in nodes {
            match paths[node].get(depth) {
                None => order.push(Ok(node)),
                Some(&piece) => {
                    let group = groups.entry(piece).or_default();
                    if group.is_empty() {
                        order.push(Err(piece));
                    }
                    group.push(node);
                }
            }
        }
        let mut parts = Vec::with_capacity(order.len());
        for entry in order {
            let group = match entry {
                Ok(node) => {
                    parts.push(Part::Node(node));
                    continue;
                }
                Err(piece) => groups.remove(piece).unwrap_or_default(),
            };
            let inner = self.by_names(paths, &group, depth + 1);
            // A block of one says nothing that the one does not.
            if let [only] = inner[..] {
                parts.push(only);
                continue;
            }
            let slashes = group
                .iter()
                .any(|&node| self.nodes[node].name.contains('/'));
            let name = paths[group[0]][..=depth].join(if slashes { "/" } else { "." });
            let block = self.block(BlockName::Path(name), inner);
            parts.push(block);
        }
        parts
    }

    /// No more than [`MOST_PARTS`] parts: the others are gathered into blocks.
    fn gather(&mut self, parts: Vec<Part>) -> Vec<Part> {
        if parts.len() <= MOST_PARTS {
            return parts;
        }
        let parts = self.by_branches(parts);
        if parts.len() <= MOST_PARTS {
            return parts;
        }
        let runs = self.runs(&parts);
        let mut gathered = Vec::with_capacity(runs.len());
        for [from, to] in runs {
            if to - from == 1 {
                gathered.push(parts[from]);
                continue;
            }
            let inner = self.gather(parts[from..to].to_vec());
            let block = self.block(BlockName::Run([from + 1, to]), inner);
            gathered.push(block);
        }
        gathered
    }

    /// Gathers what lies between two places where a single value passes: ways that part
    /// and meet again, such as a residual block.
    fn by_branches(&mut self, parts: Vec<Part>) -> Vec<Part> {
        let reach = self.reach(&parts);
        let mut gathered = Vec::new();
        let (mut begin, mut blocks) = (0, 0);
        for at in 0..parts.len() {
            // Values of parts up to here that are still to be read.
            let open = reach[..=at].iter().filter(|&&last| last > at).count();
            if open > 1 {
                continue;
            }
            let inner = &parts[begin..=at];
            begin = at + 1;
            if inner.len() <= 1 || inner.len() == parts.len() {
                gathered.extend(inner);
                continue;
            }
            blocks += 1;
            let inner = self.gather(inner.to_vec());
            let block = self.block(BlockName::Branches(blocks), inner);
            gathered.push(block);
        }
        gathered.extend(&parts[begin..]);
        gathered
    }

    /// For each of `parts` the place of the last of them that reads it.
    fn reach(&self, parts: &[Part]) -> Vec<usize> {
        let mut stands_for = vec![usize::MAX; self.nodes.len()];
        for (at, &part) in parts.iter().enumerate() {
            self.mark(part, at, &mut stands_for);
        }
        let mut reach: Vec<usize> = (0..parts.len()).collect();
        for &[from, to] in self.edges {
            let [from, to] = [stands_for[from], stands_for[to]];
            if from != usize::MAX && to != usize::MAX {
                reach[from] = reach[from].max(to);
            }
        }
        reach
    }

    fn mark(&self, part: Part, at: usize, stands_for: &mut [usize]) {
        match part {
            Part::Node(node) => stands_for[node] = at,
            Part::Block(block) => {
                for &inner in &self.blocks[block].parts {
                    self.mark(inner, at, stands_for);
                }
            }
        }
    }

    /// Where to divide a long list: where the shape changes, if that gives a handful of
    /// runs, else into equal ones.
    fn runs(&self, parts: &[Part]) -> Vec<[usize; 2]> {
        let shape = |part: Part| {
            self.last_node(part)
                .and_then(|n| self.nodes[n].output.clone())
        };
        let mut ends: Vec<usize> = (1..parts.len())
            .filter(|&at| shape(parts[at]) != shape(parts[at - 1]))
            .collect();
        ends.push(parts.len());
        if !(3..=MOST_PARTS).contains(&ends.len()) {
            let wanted = (parts.len() as f64).sqrt().ceil() as usize;
            let size = parts.len().div_ceil(wanted.min(MOST_PARTS));
            ends = (1..=parts.len().div_ceil(size))
                .map(|k| (k * size).min(parts.len()))
                .collect();
        }
        let begins = std::iter::once(0).chain(ends.iter().copied());
        begins.zip(&ends).map(|(from, &to)| [from, to]).collect()
    }

    fn last_node(&self, part: Part) -> Option<usize> {
        match part {
            Part::Node(node) => Some(node),
            Part::Block(block) => self.last_node(*self.blocks[block].parts.last()?),
        }
    }
}
