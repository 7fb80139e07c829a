//! The ball: depths of its surface below its apex, and planes below them.

use super::TILE;

/// Where a plane touches the ball at most, as a part of its radius: at the rim it would be vertical.
const STEEPEST: f64 = 0.98;

/// Depth of the ball's surface below its apex, by offset; infinite outside the ball.
pub(super) struct Ball {
    /// Rows |dy| = 0, 1, …; columns dx = −(reach + TILE), …, reach + TILE.
    depth: Vec<f32>,
    /// Planes by offset in tiles: see `plane`.
    planes: Vec<[f32; 3]>,
    /// Largest offset in tiles.
    tiles: usize,
    pub(super) reach: usize,
    stride: usize,
}

impl Ball {
    pub(super) fn new(radius: f64, scale: f64, reach: usize) -> Self {
        let margin = reach + TILE;
        let stride = 2 * margin + 1;
        let depth = (0..=margin).flat_map(|dy| {
            (0..stride).map(move |i| {
                let dx = i as f64 - margin as f64;
                let square = (dy * dy) as f64 + dx * dx;
                if square > radius * radius {
                    return f32::INFINITY;
                }
                (scale * (radius - (radius * radius - square).sqrt())) as f32
            })
        });
        let tiles = reach / TILE + 2;
        let planes = (0..=tiles).flat_map(|y| {
            (0..=tiles).map(move |x| touching(radius, scale, (y * TILE) as f64, (x * TILE) as f64))
        });
        Self {
            depth: depth.collect(),
            planes: planes.collect(),
            tiles,
            reach,
            stride,
        }
    }

    /// Depths of the tile columns x0, x0 + 1, … in a row `dy` rows from a pixel in column x.
    #[inline(always)]
    pub(super) fn row(&self, dy: usize, x0: usize, x: usize) -> &[f32] {
        let start = dy * self.stride + x0 + self.reach + TILE - x;
        &self.depth[start..start + TILE]
    }

    #[inline(always)]
    pub(super) fn at(&self, dy: usize, dx: usize) -> f32 {
        self.depth[dy * self.stride + self.reach + TILE + dx]
    }

    /// A plane nowhere above the ball's surface, for a tile at `tile` and a block at `block` (multiples of the tile's side): its
    /// depth at the offset between them, and its slopes along y and x.
    #[inline(always)]
    pub(super) fn plane(&self, tile: (usize, usize), block: (usize, usize)) -> [f32; 3] {
        let (y, x) = (
            tile.0.abs_diff(block.0) / TILE,
            tile.1.abs_diff(block.1) / TILE,
        );
        let [depth, slope_y, slope_x] = self.planes[y * (self.tiles + 1) + x];
        [
            depth,
            if tile.0 < block.0 { -slope_y } else { slope_y },
            if tile.1 < block.1 { -slope_x } else { slope_x },
        ]
    }
}

/// The surface is convex: its tangential plane at one point is below it everywhere.
fn touching(radius: f64, scale: f64, dy: f64, dx: f64) -> [f32; 3] {
    let distance = dy.hypot(dx);
    let inward = (STEEPEST * radius / distance.max(f64::MIN_POSITIVE)).min(1.0);
    let (y, x) = (dy * inward, dx * inward);
    let height = (radius * radius - y * y - x * x).sqrt();
    let slopes = [scale * y / height, scale * x / height];
    let depth = scale * (radius - height) + slopes[0] * (dy - y) + slopes[1] * (dx - x);
    [depth as f32, slopes[0] as f32, slopes[1] as f32]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn planes_are_below_the_surface() {
        let ball = Ball::new(50.0, 2.0, 50);
        for block in [(0, 0), (40, 56), (96, 40), (16, 40)] {
            let [depth, slope_y, slope_x] = ball.plane((40, 40), block);
            for dy in -50i32..=50 {
                for dx in -50i32..=50 {
                    let from_y = dy as f32 - (40 - block.0 as i32) as f32;
                    let from_x = dx as f32 - (40 - block.1 as i32) as f32;
                    let plane = depth + slope_y * from_y + slope_x * from_x;
                    let surface = ball.at(dy.unsigned_abs() as usize, dx.unsigned_abs() as usize);
                    assert!(plane <= surface + 1e-3, "{block:?} {dy} {dx}");
                }
            }
        }
    }
}
