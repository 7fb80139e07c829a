//! Detector counts of a scanned image.

use ndarray::{Array2, ArrayView2};

use super::random::Stream;
use crate::error::{Error, Result};
use crate::parallel;

/// Lines computed as one piece of work.
const BLOCK_ROWS: usize = 16;

/// What turns electrons into counts.
#[derive(Debug, Clone, Copy)]
pub struct Detector {
    /// Electrons of the beam that a pixel gets.
    pub electrons_per_pixel: f64,
    /// Counts per electron.
    pub gain: f64,
    /// Counts without an electron.
    pub offset: f64,
    /// Standard deviation of the noise, in electrons.
    pub read_noise: f64,
}

/// Counts from the fraction of the beam that reaches the detector: Poisson electrons, normal noise, gain, offset. Line i draws from
/// stream i of the key.
pub fn detect(
    fraction: ArrayView2<f32>,
    detector: Detector,
    key: [u64; 2],
    threads: usize,
) -> Result<Array2<u16>> {
    if let Some((index, value)) = fraction
        .indexed_iter()
        .find(|(_, v)| !(v.is_finite() && **v >= 0.0))
    {
        return Err(Error::NonFinite {
            argument: "fraction",
            index: vec![index.0, index.1],
            found: value.to_string(),
        });
    }
    let shape = fraction.dim();
    let mut out = Array2::<u16>::zeros(shape);
    if out.is_empty() {
        return Ok(out);
    }
    let slice = out.as_slice_mut().expect("a fresh array is contiguous");
    parallel::for_each_block(threads, slice, BLOCK_ROWS * shape.1, |i_block, block| {
        for (i, row) in block.chunks_mut(shape.1).enumerate() {
            let line = i_block * BLOCK_ROWS + i;
            let mut stream = Stream::new(key, line as u64);
            let mut second = None;
            for (j, count) in row.iter_mut().enumerate() {
                let mean = f64::from(fraction[[line, j]]) * detector.electrons_per_pixel;
                let mut electrons = stream.poisson(mean);
                if detector.read_noise > 0.0 {
                    let normal = second.take().unwrap_or_else(|| {
                        let [a, b] = stream.normal_pair();
                        second = Some(b);
                        a
                    });
                    electrons += detector.read_noise * normal;
                }
                // A cast saturates at both ends of the detector's range.
                *count = (detector.offset + detector.gain * electrons).round() as u16;
            }
        }
    });
    Ok(out)
}
