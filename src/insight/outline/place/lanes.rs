//! Ranks with everything that stands in them or passes through them, top to bottom.

/// Sweeps over all ranks that order them, and that align them.
const SWEEPS: usize = 8;
/// The height of something that only passes through.
const THIN: f32 = 0.1;
/// How much more a straight passage counts than an edge between two parts.
const STRAIGHT: f32 = 6.0;

/// Something in a rank: a part, or the passage of a part that is read farther on.
#[derive(Debug, Clone)]
pub(super) struct Cell {
    /// The part, or the one whose passage it is.
    pub(super) part: usize,
    pub(super) passes: bool,
    pub(super) rank: usize,
    pub(super) high: f32,
    /// Its middle.
    pub(super) y: f32,
    before: Vec<usize>,
    after: Vec<usize>,
    /// Its place in its rank from the top.
    place: usize,
}

/// All cells, and each rank's in their order.
pub(super) struct Lanes {
    pub(super) cells: Vec<Cell>,
    pub(super) ranks: Vec<Vec<usize>>,
    /// From cell to cell.
    pub(super) links: Vec<[usize; 2]>,
}

impl Lanes {
    pub(super) fn new(sizes: &[[f32; 2]], rank_of: &[usize], forward: &[[usize; 2]]) -> Self {
        let count = rank_of.iter().max().map_or(0, |most| most + 1);
        let mut lanes = Lanes {
            cells: Vec::new(),
            ranks: vec![Vec::new(); count],
            links: Vec::new(),
        };
        for (part, size) in sizes.iter().enumerate() {
            lanes.cell(part, false, rank_of[part], size[1]);
        }
        // For each part its passages so far, one a rank.
        let mut passages: Vec<Vec<usize>> = vec![Vec::new(); sizes.len()];
        for &[from, to] in forward {
            let between = rank_of[to].saturating_sub(rank_of[from] + 1);
            while passages[from].len() < between {
                let last = passages[from].last().copied().unwrap_or(from);
                let rank = rank_of[from] + 1 + passages[from].len();
                let cell = lanes.cell(from, true, rank, THIN);
                lanes.link(last, cell);
                passages[from].push(cell);
            }
            let last = match between {
                0 => from,
                n => passages[from][n - 1],
            };
            lanes.link(last, to);
        }
        lanes
    }

    fn cell(&mut self, part: usize, passes: bool, rank: usize, high: f32) -> usize {
        let cell = self.cells.len();
        self.cells.push(Cell {
            part,
            passes,
            rank,
            high,
            y: 0.0,
            before: Vec::new(),
            after: Vec::new(),
            place: self.ranks[rank].len(),
        });
        self.ranks[rank].push(cell);
        cell
    }

    fn link(&mut self, from: usize, to: usize) {
        self.cells[from].after.push(to);
        self.cells[to].before.push(from);
        self.links.push([from, to]);
    }

    /// Orders each rank by the mean place of what its cells are linked with, from the front
    /// and from the back in turn.
    pub(super) fn order(&mut self) {
        for sweep in 0..SWEEPS {
            let down = sweep % 2 == 0;
            let count = self.ranks.len();
            for k in 0..count {
                let rank = if down { k } else { count - 1 - k };
                let mut keyed: Vec<(f32, usize)> = self.ranks[rank]
                    .iter()
                    .map(|&cell| {
                        let this = &self.cells[cell];
                        let near = if down { &this.before } else { &this.after };
                        (self.mean_place(near).unwrap_or(self.share(cell)), cell)
                    })
                    .collect();
                // Stable: where means agree the order stays.
                keyed.sort_by(|a, b| a.0.total_cmp(&b.0));
                for (place, &(_, cell)) in keyed.iter().enumerate() {
                    self.cells[cell].place = place;
                }
                self.ranks[rank] = keyed.into_iter().map(|(_, cell)| cell).collect();
            }
        }
    }

    /// The place of a cell in its rank, from 0 at the top to 1.
    fn share(&self, cell: usize) -> f32 {
        let this = &self.cells[cell];
        (this.place as f32 + 0.5) / self.ranks[this.rank].len() as f32
    }

    fn mean_place(&self, cells: &[usize]) -> Option<f32> {
        let sum: f32 = cells.iter().map(|&cell| self.share(cell)).sum();
        (!cells.is_empty()).then(|| sum / cells.len() as f32)
    }

    /// Gives each cell a height at which it is level with what it is linked with as far as
    /// the order and the room of its rank allow.
    pub(super) fn align(&mut self, gap: f32) {
        for rank in 0..self.ranks.len() {
            let wanted = vec![(0.0, 1.0); self.ranks[rank].len()];
            self.settle(rank, &wanted, gap);
        }
        for sweep in 0..SWEEPS {
            let down = sweep % 2 == 0;
            let count = self.ranks.len();
            for k in 0..count {
                let rank = if down { k } else { count - 1 - k };
                let wanted: Vec<(f32, f32)> = self.ranks[rank]
                    .iter()
                    .map(|&cell| {
                        let this = &self.cells[cell];
                        let near = if down { &this.before } else { &this.after };
                        let (mut sum, mut weight) = (0.0, 0.0);
                        for &other in near {
                            let other = &self.cells[other];
                            let w = if this.passes && other.passes {
                                STRAIGHT
                            } else {
                                1.0
                            };
                            sum += w * other.y;
                            weight += w;
                        }
                        if weight > 0.0 {
                            (sum / weight, weight)
                        } else {
                            (this.y, 0.2)
                        }
                    })
                    .collect();
                self.settle(rank, &wanted, gap);
            }
        }
    }

    /// Puts the cells of a rank as near as can be to where they are wanted, by least
    /// squares, in their order and without overlap: the pool-adjacent-violators algorithm on
    /// what is wanted less the room above.
    fn settle(&mut self, rank: usize, wanted: &[(f32, f32)], gap: f32) {
        let cells = &self.ranks[rank];
        // How far below the first one each has to be.
        let mut below = Vec::with_capacity(cells.len());
        let mut depth = 0.0;
        for (k, &cell) in cells.iter().enumerate() {
            if k > 0 {
                let above = &self.cells[cells[k - 1]];
                depth += 0.5 * (above.high + self.cells[cell].high) + gap;
            }
            below.push(depth);
        }
        // Pools of neighbours that touch: the sum of weighted wishes, of weights, and how many.
        let mut pools: Vec<(f32, f32, usize)> = Vec::new();
        for (&(y, weight), below) in wanted.iter().zip(&below) {
            let mut pool = (weight * (y + below), weight, 1);
            // Upward is positive: the first is the highest.
            while let Some(&last) = pools.last()
                && last.0 / last.1 < pool.0 / pool.1
            {
                pools.pop();
                pool = (last.0 + pool.0, last.1 + pool.1, last.2 + pool.2);
            }
            pools.push(pool);
        }
        let mut k = 0;
        for (sum, weight, count) in pools {
            for _ in 0..count {
                let y = sum / weight - below[k];
                self.cells[self.ranks[rank][k]].y = y;
                k += 1;
            }
        }
    }
}
