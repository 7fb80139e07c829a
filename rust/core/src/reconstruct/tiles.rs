//! An order of samples in which those that follow each other share grid points.

use super::kaiser_bessel::PADDING;

/// Grid steps of a tile along z and y; along x it is as long as the grid.
const TILE: [usize; 2] = [8, 8];

/// Indices of `places` (x, y, z, in Fourier pixels of a box of `n`), tile after tile of the grid.
pub(super) fn tile_order(places: &[[f32; 3]], n: usize) -> Vec<u32> {
    let tiles_y = 2 * n / TILE[1] + 1;
    let last = (n / TILE[0] + 1) * tiles_y - 1;
    let tiles: Vec<u32> = places
        .iter()
        .map(|k| {
            let sign = if k[2] < 0.0 { -1.0 } else { 1.0 } * PADDING as f32;
            let z = (k[2] * sign) as usize / TILE[0];
            let y = (k[1] * sign + n as f32) as usize / TILE[1];
            (z * tiles_y + y).min(last) as u32
        })
        .collect();
    let mut starts = vec![0u32; last + 2];
    for &tile in &tiles {
        starts[tile as usize + 1] += 1;
    }
    for i in 1..starts.len() {
        starts[i] += starts[i - 1];
    }
    let mut order = vec![0; places.len()];
    for (i, &tile) in tiles.iter().enumerate() {
        let start = &mut starts[tile as usize];
        order[*start as usize] = i as u32;
        *start += 1;
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sample_once_tile_after_tile() {
        let n = 40;
        let places: Vec<[f32; 3]> = (0..997)
            .map(|i| std::array::from_fn(|a| ((i * (7 + 5 * a)) % 41) as f32 - 20.5))
            .collect();
        let order = tile_order(&places, n);
        let mut sorted = order.clone();
        sorted.sort_unstable();
        assert!(sorted.iter().copied().eq(0..997));
        let layers: Vec<usize> = order
            .iter()
            .map(|&i| (places[i as usize][2].abs() * 2.0) as usize / TILE[0])
            .collect();
        assert!(layers.is_sorted());
    }
}
