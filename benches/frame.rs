//! A frame of discs on noise, the same in every run.

use ndarray::Array2;

/// Side of the frame in pixels.
pub(crate) const SIZE: usize = 1024;

/// Discs in it.
const DISCS: usize = 82;

/// Numbers in [0, 1): xorshift64 (Marsaglia, J. Stat. Softw. 8, 14, 2003).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as f64 / (1u64 << 53) as f64
    }
}

/// Image and mask (1 inside) of discs of radius 8 to 24 px, some of them touching: about 5 % of the frame.
pub(crate) fn discs() -> (Array2<f32>, Array2<u8>) {
    let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
    let mut mask = Array2::zeros((SIZE, SIZE));
    for _ in 0..DISCS {
        let [y, x] = [(); 2].map(|()| numbers.next() * SIZE as f64);
        let radius = 8.0 + 16.0 * numbers.next();
        for ((i, j), inside) in mask.indexed_iter_mut() {
            if (i as f64 - y).hypot(j as f64 - x) < radius {
                *inside = 1;
            }
        }
    }
    let image =
        mask.map(|&inside| 1000.0 + 400.0 * f32::from(inside) + 60.0 * numbers.next() as f32);
    (image, mask)
}
