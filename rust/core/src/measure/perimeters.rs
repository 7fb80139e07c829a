//! Perimeters and Euler number of a mask from its neighbourhoods.

use std::f64::consts::PI;
use std::sync::LazyLock;

use crate::measure::bits::{BitGrid, shifted_down, shifted_up};

/// How often each situation occurs on the border of a mask.
pub(crate) struct Borders {
    /// Border pixels by the set of their border neighbours (9 bits, row by row).
    neighbourhoods: Box<[u32; 512]>,
    /// Entries into the mask along x, along y, along the diagonal and along the anti-diagonal.
    entries: [u64; 4],
    /// Pieces minus holes, 8-connected.
    pub(crate) euler_number: i64,
}

impl Borders {
    /// Counts of a mask that has one empty pixel around it.
    pub(crate) fn new(mask: &BitGrid) -> Self {
        let empty = vec![0u64; mask.row(0).len()];
        let words = empty.len();
        let mut entries = [0u64; 4];
        let (mut corners, mut edges, mut area) = (0i64, 0i64, 0i64);
        let mut border = BitGrid::new(mask.height(), words * 64);
        let mut border_row = vec![0u64; words];
        for y in 0..mask.height() {
            let row = mask.row(y);
            let above = if y > 0 { mask.row(y - 1) } else { &empty };
            let below = if y + 1 < mask.height() {
                mask.row(y + 1)
            } else {
                &empty
            };
            for k in 0..words {
                let (here, up) = (row[k], above[k]);
                let (left, up_left) = (shifted_up(row, k), shifted_up(above, k));
                let (right, up_right) = (shifted_down(row, k), shifted_down(above, k));
                entries[0] += u64::from((here & !left).count_ones());
                entries[1] += u64::from((here & !up).count_ones());
                entries[2] += u64::from((here & !up_left).count_ones());
                entries[3] += u64::from((here & !up_right).count_ones());
                // Corner above left, upper edge and left edge of every pixel place.
                corners += i64::from((here | left | up | up_left).count_ones());
                edges += i64::from((here | up).count_ones() + (here | left).count_ones());
                area += i64::from(here.count_ones());
                border_row[k] = here & !(left & right & up & below[k]);
            }
            border.set_words(y, &border_row);
        }
        let mut neighbourhoods = Box::new([0u32; 512]);
        border.for_each(|y, x| {
            let above = if y > 0 { border.triple(y - 1, x) } else { 0 };
            let below = if y + 1 < border.height() {
                border.triple(y + 1, x)
            } else {
                0
            };
            neighbourhoods[above << 6 | border.triple(y, x) << 3 | below] += 1;
        });
        Self {
            neighbourhoods,
            entries,
            euler_number: corners - edges + area,
        }
    }

    /// Length of the line through the border pixels (Benkrid and Crookes), with pixels of `sampling` (y, x).
    pub(crate) fn perimeter(&self, sampling: (f64, f64)) -> f64 {
        let (sy, sx) = sampling;
        let diagonal = sy.hypot(sx);
        let mut total = 0.0;
        for (pattern, &count) in self.neighbourhoods.iter().enumerate() {
            if count > 0 {
                let [horizontal, vertical, slanted] = STEPS[pattern];
                let length = horizontal * sx + vertical * sy + slanted * diagonal;
                total += f64::from(count) * length;
            }
        }
        total
    }

    /// Perimeter by Crofton's formula in four directions, with pixels of `sampling` (y, x).
    pub(crate) fn crofton(&self, sampling: (f64, f64)) -> f64 {
        let (sy, sx) = sampling;
        let diagonal = sy.hypot(sx);
        // Each direction stands for the angles nearer to it than to its neighbours.
        let slope = sy.atan2(sx);
        let (along_x, along_y) = (slope, 0.5 * PI - slope);
        let slanted = 0.25 * PI;
        // Distance of neighbouring lines of pixels in each direction.
        along_x * sy * self.entries[0] as f64
            + along_y * sx * self.entries[1] as f64
            + slanted * (sy * sx / diagonal) * (self.entries[2] + self.entries[3]) as f64
    }
}

/// Share of a horizontal, a vertical and a diagonal step that a border pixel adds, by its neighbourhood.
static STEPS: LazyLock<[[f64; 3]; 512]> = LazyLock::new(|| {
    std::array::from_fn(|pattern| {
        let bit = |row: usize, column: usize| (pattern >> (3 * (2 - row) + column) & 1) as f64;
        let horizontal = bit(1, 0) + bit(1, 2);
        let vertical = bit(0, 1) + bit(2, 1);
        let edges = (horizontal + vertical) as usize;
        let corners = (bit(0, 0) + bit(0, 2) + bit(2, 0) + bit(2, 2)) as usize;
        // Weights of the estimator: 1, (1 + sqrt 2) / 2 or sqrt 2 steps; other neighbourhoods do not count.
        let (straight, slanted) = match (edges, corners) {
            (2 | 3, 0..=2) => (1.0, 0.0),
            (1, 1 | 2) => (0.5, 0.5),
            (0, 2) | (1, 3) => (0.0, 1.0),
            _ => (0.0, 0.0),
        };
        if straight > 0.0 {
            let n = horizontal + vertical;
            [straight * horizontal / n, straight * vertical / n, slanted]
        } else {
            [0.0, 0.0, slanted]
        }
    })
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_of_a_ring() {
        let mut mask = BitGrid::new(7, 70);
        for y in 1..6 {
            mask.set_run(y, 60, 65);
        }
        let mut hole = BitGrid::new(7, 70);
        hole.set_run(3, 62, 63);
        mask.clear(&hole);
        let borders = Borders::new(&mask);
        assert_eq!(borders.euler_number, 0);
        // 16 outer steps; the four border pixels around the hole touch too many others to count.
        assert!((borders.perimeter((1.0, 1.0)) - 16.0).abs() < 1e-12);
        // One direction each way: 6 entries along x and along y, 10 along each diagonal.
        let expected = 0.25 * PI * (12.0 + 20.0 / 2f64.sqrt());
        assert!((borders.crofton((1.0, 1.0)) - expected).abs() < 1e-12);
    }
}
