//! Where the parts of a graph stand: in ranks, each part behind all that it reads (longest
//! path), the order within a rank by barycentres, and a long row of ranks broken into
//! several as text is. After Sugiyama, Tagawa and Toda, "Methods for visual understanding of
//! hierarchical system structures", IEEE Transactions on Systems, Man, and Cybernetics 11
//! (1981), without their exact steps.

mod lanes;
mod rows;

use lanes::Lanes;

/// Free space, in the unit of the sizes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Gaps {
    /// Between a rank and the next.
    pub rank: f32,
    /// Between parts of a rank.
    pub lane: f32,
    /// Between a row of ranks and the next.
    pub row: f32,
    /// A row is not broken as long as it is not wider than this.
    pub wide: f32,
    /// How much wider than high the whole should be.
    pub aspect: f32,
}

/// A piece of the way from one part to those that read it.
#[derive(Debug, Clone, PartialEq)]
pub struct Stroke {
    /// The part that is read.
    pub from: usize,
    /// The part that reads it, at the last piece of a way; all that read the same part
    /// share the pieces before.
    pub to: Option<usize>,
    /// Where it goes.
    pub points: Vec<[f32; 2]>,
    /// Whether it leads back to a part that stands before.
    pub back: bool,
}

/// Where parts stand, x to the right and y upward, around the origin.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Placement {
    /// The middle of each part.
    pub at: Vec<[f32; 2]>,
    /// What connects them.
    pub strokes: Vec<Stroke>,
    /// The lower left and the upper right corner of a box around all parts.
    pub bounds: [[f32; 2]; 2],
}

/// Places parts of these sizes (width and height), of which `edges` says what reads what:
/// from and to. Parts come in an order in which most edges lead forward.
pub fn place(sizes: &[[f32; 2]], edges: &[[usize; 2]], gaps: &Gaps) -> Placement {
    if sizes.is_empty() {
        return Placement::default();
    }
    let forward: Vec<[usize; 2]> = edges.iter().copied().filter(|[a, b]| a < b).collect();
    let ranks = ranks(sizes.len(), &forward);
    let mut lanes = Lanes::new(sizes, &ranks, &forward);
    lanes.order();
    lanes.align(gaps.lane);
    let mut placement = rows::lay(&lanes, sizes, gaps);
    let back = edges.iter().filter(|[a, b]| a > b);
    placement.strokes.extend(back.map(|&[from, to]| {
        let [[x, y], [u, v]] = [placement.at[from], placement.at[to]];
        let under = |part: usize| 0.5 * sizes[part][1];
        Stroke {
            from,
            to: Some(to),
            points: vec![[x, y - under(from)], [u, v - under(to)]],
            back: true,
        }
    }));
    placement
}

/// The length of the longest way to each part; a part that reads nothing stands right
/// before the first that reads it.
fn ranks(parts: usize, forward: &[[usize; 2]]) -> Vec<usize> {
    let mut readers = vec![Vec::new(); parts];
    let mut reads = vec![false; parts];
    for &[from, to] in forward {
        readers[from].push(to);
        reads[to] = true;
    }
    let mut ranks = vec![0; parts];
    // Edges lead forward, and so every part is final before it is passed on.
    for from in 0..parts {
        for &to in &readers[from] {
            ranks[to] = ranks[to].max(ranks[from] + 1);
        }
    }
    for part in (0..parts).filter(|&part| !reads[part]) {
        let first = readers[part].iter().map(|&to| ranks[to]).min();
        ranks[part] = first.map_or(0, |first| first - 1);
    }
    ranks
}

#[cfg(test)]
mod tests {
    use super::*;

    const GAPS: Gaps = Gaps {
        rank: 1.0,
        lane: 0.5,
        row: 2.0,
        wide: 1000.0,
        aspect: 2.0,
    };

    fn boxes(n: usize) -> Vec<[f32; 2]> {
        vec![[1.0, 1.0]; n]
    }

    #[test]
    fn a_part_stands_behind_everything_that_it_reads() {
        let edges = [[0, 1], [1, 3], [3, 4], [0, 4], [2, 4], [4, 5]];
        let placed = place(&boxes(6), &edges, &GAPS);
        for [from, to] in edges {
            let apart = placed.at[to][0] - placed.at[from][0];
            assert!(apart >= 2.0 - 1e-4, "{from} to {to}: {apart}");
        }
        // What reads nothing stands where it is needed, not at the very beginning.
        assert!((placed.at[2][0] - placed.at[3][0]).abs() < 1e-4);
    }

    #[test]
    fn no_two_parts_overlap_whatever_the_graph() {
        let mut seed = 7_u64;
        let mut draw = |n: usize| {
            seed = seed
                .wrapping_mul(6364136223846793005)
                .wrapping_add(1442695040888963407);
            (seed >> 33) as usize % n
        };
        for wide in [1000.0, 8.0] {
            let n = 60;
            let sizes: Vec<[f32; 2]> = (0..n)
                .map(|_| [0.5 + 0.3 * draw(4) as f32, 0.5 + 0.4 * draw(5) as f32])
                .collect();
            let edges: Vec<[usize; 2]> = (1..n)
                .flat_map(|to| [[draw(to), to], [draw(to), to]])
                .collect();
            let gaps = Gaps { wide, ..GAPS };
            let placed = place(&sizes, &edges, &gaps);
            for a in 0..n {
                for b in 0..a {
                    let apart = |axis: usize| {
                        let room = 0.5 * (sizes[a][axis] + sizes[b][axis]);
                        (placed.at[a][axis] - placed.at[b][axis]).abs() >= room - 1e-3
                    };
                    assert!(apart(0) || apart(1), "{a} and {b} at {wide}");
                }
            }
        }
    }

    #[test]
    fn a_chain_is_a_straight_line_and_a_detour_passes_beside_it() {
        let chain: Vec<[usize; 2]> = (1..8).map(|to| [to - 1, to]).collect();
        let placed = place(&boxes(8), &chain, &GAPS);
        assert!(
            placed
                .at
                .iter()
                .all(|at| (at[1] - placed.at[0][1]).abs() < 1e-4)
        );
        let with = [&chain[..], &[[1, 6]]].concat();
        let placed = place(&boxes(8), &with, &GAPS);
        let long = placed.strokes.iter().filter(|s| s.from == 1);
        for stroke in long.filter(|s| s.to != Some(2)) {
            for pair in stroke.points.windows(2) {
                for at in &placed.at[2..6] {
                    let inside =
                        |p: [f32; 2]| (p[0] - at[0]).abs() < 0.49 && (p[1] - at[1]).abs() < 0.49;
                    for k in 0..=20 {
                        let t = k as f32 / 20.0;
                        let mix = |axis: usize| pair[0][axis] * (1.0 - t) + pair[1][axis] * t;
                        assert!(!inside([mix(0), mix(1)]), "{stroke:?} crosses {at:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn two_branches_do_not_cross() {
        // 0 to 1 and 2, these to 4 and 3: the order of 3 and 4 has to be turned.
        let edges = [[0, 1], [0, 2], [1, 4], [2, 3], [3, 5], [4, 5]];
        let placed = place(&boxes(6), &edges, &GAPS);
        let above = |a: usize, b: usize| placed.at[a][1] > placed.at[b][1];
        assert_eq!(above(1, 2), above(4, 3));
    }

    #[test]
    fn a_long_chain_is_broken_into_rows_that_are_read_like_text() {
        let chain: Vec<[usize; 2]> = (1..60).map(|to| [to - 1, to]).collect();
        let gaps = Gaps { wide: 30.0, ..GAPS };
        let placed = place(&boxes(60), &chain, &gaps);
        let [[left, low], [right, high]] = placed.bounds;
        let aspect = (right - left) / (high - low);
        assert!((1.0..4.0).contains(&aspect), "{aspect}");
        // Each part is to the right of the one before, or begins a row below it.
        for pair in placed.at.windows(2) {
            assert!(
                pair[1][0] > pair[0][0] || pair[1][1] < pair[0][1] - 1.0,
                "{pair:?}"
            );
        }
        assert!((left + right).abs() < 1e-3 && (low + high).abs() < 1e-3);
    }

    #[test]
    fn what_leads_back_is_said_to() {
        let placed = place(&boxes(3), &[[0, 1], [1, 2], [2, 1]], &GAPS);
        let back: Vec<_> = placed.strokes.iter().filter(|s| s.back).collect();
        assert_eq!(back.len(), 1);
        assert_eq!((back[0].from, back[0].to), (2, Some(1)));
    }
}
