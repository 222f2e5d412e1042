//! Ranks from left to right, in rows under each other where there are too many for one.

use super::lanes::Lanes;
use super::{Gaps, Placement, Stroke};

/// At most so many rows.
const MOST_ROWS: usize = 24;
/// How far a row's end may move to where fewer ways are cut, as a share of its ranks.
const LEEWAY: f32 = 0.2;
/// How far below a row the way back to the left runs, as a share of the space between rows:
/// below what is written there.
const BELOW: f32 = 0.74;

struct Row {
    ranks: std::ops::Range<usize>,
    top: f32,
    bottom: f32,
    /// Added to all heights.
    shift: f32,
}

pub(super) fn lay(lanes: &Lanes, sizes: &[[f32; 2]], gaps: &Gaps) -> Placement {
    let mut wide = vec![0.0_f32; lanes.ranks.len()];
    for cell in lanes.cells.iter().filter(|cell| !cell.passes) {
        wide[cell.rank] = wide[cell.rank].max(sizes[cell.part][0]);
    }
    let mut rows: Vec<Row> = divide(lanes, &wide, gaps)
        .into_iter()
        .map(|ranks| {
            let cells = lanes.ranks[ranks.clone()].iter().flatten();
            let ends = cells.map(|&cell| {
                let cell = &lanes.cells[cell];
                (cell.y + 0.5 * cell.high, cell.y - 0.5 * cell.high)
            });
            let (top, bottom) = ends.fold((f32::NEG_INFINITY, f32::INFINITY), |all, end| {
                (all.0.max(end.0), all.1.min(end.1))
            });
            Row {
                ranks,
                top,
                bottom,
                shift: 0.0,
            }
        })
        .collect();
    let width = |row: &Row| {
        let all: f32 = wide[row.ranks.clone()].iter().sum();
        all + gaps.rank * (row.ranks.len().saturating_sub(1)) as f32
    };
    let widest = rows.iter().map(&width).fold(0.0, f32::max);
    let high: f32 = rows.iter().map(|row| row.top - row.bottom).sum();
    let high = high + gaps.row * rows.len().saturating_sub(1) as f32;
    let mut edge = 0.5 * high;
    for row in &mut rows {
        row.shift = edge - row.top;
        edge -= row.top - row.bottom + gaps.row;
    }
    let left = -0.5 * widest;
    let mut middle = vec![0.0; wide.len()];
    let mut row_of = vec![0; wide.len()];
    for (at, row) in rows.iter().enumerate() {
        // A row alone stands in the middle, several begin below each other.
        let mut x = left;
        for rank in row.ranks.clone() {
            middle[rank] = x + 0.5 * wide[rank];
            row_of[rank] = at;
            x += wide[rank] + gaps.rank;
        }
    }
    let place = |cell: usize| {
        let cell = &lanes.cells[cell];
        [middle[cell.rank], cell.y + rows[row_of[cell.rank]].shift]
    };
    let mut placement = Placement {
        at: (0..sizes.len()).map(place).collect(),
        strokes: Vec::with_capacity(lanes.links.len()),
        bounds: [[left, -0.5 * high], [left + widest, 0.5 * high]],
    };
    for &[from, to] in &lanes.links {
        let (a, b) = (&lanes.cells[from], &lanes.cells[to]);
        let half = |cell: usize| {
            let cell = &lanes.cells[cell];
            0.5 * if cell.passes {
                wide[cell.rank]
            } else {
                sizes[cell.part][0]
            }
        };
        let ([x, y], [u, v]) = (place(from), place(to));
        let mut points = vec![[x + half(from), y]];
        let (first, next) = (row_of[a.rank], row_of[b.rank]);
        if first != next {
            // As the eye goes from the end of a line of text to the next one's beginning.
            let lane = rows[first].bottom + rows[first].shift - BELOW * gaps.row;
            let right = middle[rows[first].ranks.end - 1]
                + 0.5 * wide[rows[first].ranks.end - 1]
                + 0.5 * gaps.rank;
            let begin = left - 0.5 * gaps.rank;
            points.extend([[right, y], [right, lane], [begin, lane], [begin, v]]);
        }
        points.push([u - half(to), v]);
        if b.passes {
            points.push([u + half(to), v]);
        }
        placement.strokes.push(Stroke {
            from: a.part,
            to: (!b.passes).then_some(b.part),
            points,
            back: false,
        });
    }
    placement
}

/// The ranks of each row.
fn divide(lanes: &Lanes, wide: &[f32], gaps: &Gaps) -> Vec<std::ops::Range<usize>> {
    let count = wide.len();
    let total = wide.iter().sum::<f32>() + gaps.rank * count.saturating_sub(1) as f32;
    let ends = lanes
        .cells
        .iter()
        .map(|cell| (cell.y + 0.5 * cell.high, cell.y - 0.5 * cell.high));
    let (top, bottom) = ends.fold((f32::NEG_INFINITY, f32::INFINITY), |all, end| {
        (all.0.max(end.0), all.1.min(end.1))
    });
    let high = (top - bottom).max(0.0) + gaps.row;
    let mut rows = 1;
    while rows < MOST_ROWS.min(count)
        && total / rows as f32 > gaps.wide
        && total / rows as f32 > gaps.aspect * rows as f32 * high
    {
        rows += 1;
    }
    // How many ways cross the space behind each rank.
    let mut crossing = vec![0_usize; count];
    for &[from, _] in &lanes.links {
        crossing[lanes.cells[from].rank] += 1;
    }
    let mut ranges = Vec::with_capacity(rows);
    let (mut begin, mut x) = (0, 0.0);
    let mut before = vec![0.0; count + 1];
    for (rank, width) in wide.iter().enumerate() {
        x += width + gaps.rank;
        before[rank + 1] = x;
    }
    for row in 1..rows {
        let goal = x * row as f32 / rows as f32;
        let ideal = before
            .partition_point(|&at| at < goal)
            .clamp(begin + 1, count - 1);
        let leeway = (LEEWAY * count as f32 / rows as f32) as usize;
        let from = ideal.saturating_sub(leeway).max(begin + 1);
        let to = (ideal + leeway).min(count - 1).max(from);
        let end = (from..=to).min_by_key(|&end| (crossing[end - 1], end.abs_diff(ideal)));
        let end = end.unwrap_or(ideal);
        ranges.push(begin..end);
        begin = end;
        if begin + 1 >= count {
            break;
        }
    }
    ranges.push(begin..count);
    ranges
}
