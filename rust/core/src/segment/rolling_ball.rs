//! Background under an image by a rolling ball (Sternberg, Computer 16(1), 22, 1983), exactly: the height of the apex of a ball
//! pushed up from below, b(x) = min over |o| <= R of f(x + o) + s (R − √(R² − |o|²)).
//!
//! Branch and bound instead of a search over all of the ball: for a tile of output, a block of pixels matters only if its smallest
//! pixel, raised by the ball's depth at the smallest distance between block and tile, is below what the tile already has. On slopes
//! that is a weak bound: there planes below the block, above the tile and below the (convex) ball are compared. The first bound is
//! immune to rounding, which is monotonic; the second keeps a margin above it. The result is the same, bit for bit, as that of the
//! full search in float32.

mod ball;
mod pyramid;

use ball::Ball;
use multiversion::multiversion;
use ndarray::{Array2, ArrayView2};

use pyramid::{Pyramid, over_plane, slopes};

use crate::error::{Error, Result};
use crate::parallel;
use crate::pixel::Pixel;

/// Side of an output tile and of the smallest block.
const TILE: usize = 8;

/// Side of a block of blocks.
const LARGE: usize = 32;

/// Margin of the bound by planes, relative to the largest value that enters it: its dozen operations round by less.
const MARGIN: f32 = 4e-6;

/// Pixels that touched the ball under one tile and are tried first under the next.
const KEPT: usize = 32;

/// Background of `image` by a ball of `radius_px` pixels whose height is `intensity_scale` intensities a pixel.
pub fn rolling_ball<T: Pixel>(
    image: ArrayView2<'_, T>,
    radius_px: f64,
    intensity_scale: f64,
    threads: usize,
) -> Result<Array2<f32>> {
    let mut out = Array2::<f32>::zeros(image.dim());
    let slice = out.as_slice_mut().expect("a fresh array is contiguous");
    rolling_ball_into(image, radius_px, intensity_scale, threads, slice)?;
    Ok(out)
}

/// The same, row after row into `out`.
pub fn rolling_ball_into<T: Pixel>(
    image: ArrayView2<'_, T>,
    radius_px: f64,
    intensity_scale: f64,
    threads: usize,
    out: &mut [f32],
) -> Result<()> {
    if !(radius_px > 0.0 && radius_px.is_finite()) {
        return Err(Error::invalid(
            "radius_px",
            "a finite number > 0",
            radius_px,
        ));
    }
    if !(intensity_scale >= 0.0 && intensity_scale.is_finite()) {
        let expected = "a finite number >= 0";
        return Err(Error::invalid("intensity_scale", expected, intensity_scale));
    }
    let (height, width) = image.dim();
    if image.is_empty() {
        return Ok(());
    }
    // Beyond the image's diagonal the ball's rim is never met, only its curvature.
    let reach = (radius_px.floor() as usize).min(height + width);
    let ball = Ball::new(radius_px, intensity_scale, reach);
    let pixels = Pyramid::new(image, threads);
    let margin = MARGIN * (2.0 * pixels.magnitude + (intensity_scale * radius_px) as f32);
    parallel::for_each_block(threads, out, TILE * width, |i, rows| {
        roll(&pixels, &ball, margin, i * TILE, rows, width);
    });
    Ok(())
}

/// Blocks `first .. end` of side `side` that hold positions within `reach` of the tile that starts at `start`.
fn near(start: usize, reach: usize, side: usize, n_blocks: usize) -> std::ops::Range<usize> {
    start.saturating_sub(reach) / side..((start + TILE - 1 + reach) / side + 1).min(n_blocks)
}

/// Distance along an axis between the tile that starts at `tile` and the block of `side` that starts at `block`.
#[inline(always)]
fn gap(tile: usize, block: usize, side: usize) -> usize {
    if block >= tile {
        block.saturating_sub(tile + TILE - 1)
    } else {
        tile.saturating_sub(block + side - 1)
    }
}

/// Background of the rows from `y0` on, one row of tiles.
#[multiversion(targets("x86_64+avx2"))]
fn roll(pixels: &Pyramid, ball: &Ball, margin: f32, y0: usize, rows: &mut [f32], width: usize) {
    let stride = pixels.columns * LARGE;
    let mut touched: Vec<(usize, usize)> = Vec::new();
    for x0 in (0..width).step_by(TILE) {
        let mut tile = Tile::new(x0, y0, rows.len() / width, width, &pixels.pixels, stride);
        let earlier = std::mem::take(&mut touched);
        for &(y, x) in &earlier {
            if tile.lower(ball, pixels.pixels[y * stride + x], y, x) {
                touched.push((y, x));
            }
        }
        tile.find_highest();
        for large_y in near(y0, ball.reach, LARGE, pixels.rows) {
            let large_gap_y = gap(y0, large_y * LARGE, LARGE);
            for large_x in near(x0, ball.reach, LARGE, pixels.columns) {
                let lowest = pixels.large[large_y * pixels.columns + large_x];
                let depth = ball.at(large_gap_y, gap(x0, large_x * LARGE, LARGE));
                if lowest + depth >= tile.highest {
                    continue;
                }
                for i in 0..(LARGE / TILE) * (LARGE / TILE) {
                    let y = large_y * LARGE + i / (LARGE / TILE) * TILE;
                    let x = large_x * LARGE + i % (LARGE / TILE) * TILE;
                    let (gap_y, gap_x) = (gap(y0, y, TILE), gap(x0, x, TILE));
                    if gap_y > ball.reach || gap_x > ball.reach {
                        continue;
                    }
                    let depth = ball.at(gap_y, gap_x);
                    let block = y / TILE * (stride / TILE) + x / TILE;
                    if pixels.small[block] + depth < tile.highest
                        && tile.meets(&pixels.planes[block], ball.plane((y0, x0), (y, x)), margin)
                    {
                        tile.try_block(ball, pixels, (y, x), depth, &mut touched);
                    }
                }
            }
        }
        let n = TILE.min(width - x0);
        for (row, found) in rows.chunks_exact_mut(width).zip(&tile.found) {
            row[x0..x0 + n].copy_from_slice(&found[..n]);
        }
        let surplus = touched.len().saturating_sub(KEPT);
        touched.drain(..surplus);
    }
}

#[inline(always)]
fn highest(tile: &[[f32; TILE]; TILE]) -> f32 {
    let mut columns = [f32::NEG_INFINITY; TILE];
    for row in tile {
        for (c, &v) in columns.iter_mut().zip(row) {
            *c = if v > *c { v } else { *c };
        }
    }
    let larger = |a, b| if b > a { b } else { a };
    columns.into_iter().fold(f32::NEG_INFINITY, larger)
}

/// A tile of output, as far as it is known.
struct Tile {
    y0: usize,
    x0: usize,
    found: [[f32; TILE]; TILE],
    highest: f32,
    /// Plane above `found`: height at the middle, slopes along y and x.
    plane: [f32; 3],
}

impl Tile {
    /// Begins with the pixels themselves: where the apex touches.
    #[inline(always)]
    fn new(
        x0: usize,
        y0: usize,
        n_rows: usize,
        width: usize,
        pixels: &[f32],
        stride: usize,
    ) -> Self {
        // Outside the image nothing can be lowered.
        let mut found = [[f32::NEG_INFINITY; TILE]; TILE];
        let n = TILE.min(width - x0);
        for (i, row) in found.iter_mut().enumerate().take(n_rows) {
            row[..n].copy_from_slice(&pixels[(y0 + i) * stride + x0..][..n]);
        }
        Self {
            y0,
            x0,
            found,
            highest: f32::INFINITY,
            plane: [f32::INFINITY, 0.0, 0.0],
        }
    }

    #[inline(always)]
    fn find_highest(&mut self) {
        self.highest = highest(&self.found);
        let [slope_y, slope_x] = slopes(&self.found);
        let top = highest(&over_plane(&self.found, slope_y, slope_x));
        self.plane = [top, slope_y, slope_x];
    }

    /// Whether a block over the plane `block` may hold the ball down somewhere, by a plane below the ball.
    #[inline(always)]
    fn meets(&self, block: &[f32; 3], ball: [f32; 3], margin: f32) -> bool {
        let middle = 0.5 * (TILE - 1) as f32;
        let [top, tile_y, tile_x] = self.plane;
        let along_y = (block[1] - ball[1]).abs() + (ball[1] - tile_y).abs();
        let along_x = (block[2] - ball[2]).abs() + (ball[2] - tile_x).abs();
        block[0] + ball[0] - top - middle * (along_y + along_x) < margin
    }

    /// Lets the pixel `value` at (y, x) hold the ball down; whether it did anywhere.
    #[inline(always)]
    fn lower(&mut self, ball: &Ball, value: f32, y: usize, x: usize) -> bool {
        if gap(self.y0, y, 1).max(gap(self.x0, x, 1)) > ball.reach {
            return false;
        }
        let mut lowered = [false; TILE];
        for (i, row) in self.found.iter_mut().enumerate() {
            let depths = ball.row((self.y0 + i).abs_diff(y), self.x0, x);
            for ((v, l), &d) in row.iter_mut().zip(&mut lowered).zip(depths) {
                let apex = value + d;
                *l |= apex < *v;
                *v = if apex < *v { apex } else { *v };
            }
        }
        lowered.contains(&true)
    }

    /// Tries the pixels of a small block, which are at least `depth` below the apex.
    #[inline(always)]
    fn try_block(
        &mut self,
        ball: &Ball,
        pixels: &Pyramid,
        (y0, x0): (usize, usize),
        depth: f32,
        touched: &mut Vec<(usize, usize)>,
    ) {
        let stride = pixels.columns * LARGE;
        let mut changed = false;
        for y in y0..y0 + TILE {
            let row = &pixels.pixels[y * stride + x0..][..TILE];
            let limit = self.highest;
            if !row.iter().fold(false, |any, &v| any | (v + depth < limit)) {
                continue;
            }
            for (i, &v) in row.iter().enumerate() {
                if v + depth < limit && self.lower(ball, v, y, x0 + i) {
                    touched.push((y, x0 + i));
                    changed = true;
                }
            }
        }
        if changed {
            self.find_highest();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn full_search(image: &Array2<f32>, radius: f64, scale: f64) -> Array2<f32> {
        let reach = radius.floor() as usize;
        let ball = Ball::new(radius, scale, reach);
        Array2::from_shape_fn(image.dim(), |(y, x)| {
            let mut lowest = f32::INFINITY;
            for ((v, u), &p) in image.indexed_iter() {
                let (dy, dx) = (y.abs_diff(v), x.abs_diff(u));
                if dy <= reach && dx <= reach {
                    lowest = lowest.min(p + ball.at(dy, dx));
                }
            }
            lowest
        })
    }

    #[test]
    fn equals_the_full_search() {
        let image = Array2::from_shape_fn((45, 70), |(y, x)| {
            let noise = ((y * 70 + x) * 7919 % 211) as f32 * 0.3;
            noise + (x as f32 * 0.2).sin() * 30.0 + y as f32
        });
        for (radius, scale) in [
            (1.0, 1.0),
            (4.5, 1.0),
            (20.0, 3.0),
            (20.0, 0.0),
            (500.0, 1.0),
        ] {
            let expected = full_search(&image, radius, scale);
            for threads in [1, 3] {
                let got = rolling_ball(image.view(), radius, scale, threads).unwrap();
                assert_eq!(got, expected, "radius {radius}");
            }
        }
    }

    #[test]
    fn refuses_bad_values() {
        let image = Array2::<u8>::zeros((3, 3));
        assert!(rolling_ball(image.view(), 0.0, 1.0, 1).is_err());
        assert!(rolling_ball(image.view(), 3.0, f64::NAN, 1).is_err());
    }
}
