//! Connected components of masks in 2D and 3D: runs along the last axis, joined by union-find.
//!
//! Lines are cut into fixed blocks, labelled on their own and joined at their first lines. The smallest provisional label of a
//! component is that of its first run, so final labels are consecutive in raster order of first pixels whatever the partition.

use ndarray::{ArrayView3, ArrayViewMut3};

use crate::error::{Error, Result};
use crate::parallel;
use crate::union_find::{find, flatten, unite};

/// Pixels of one block of lines; a block is one piece of work.
const BLOCK_PIXELS: usize = 1 << 21;

/// Planes of a block in 3D are at least this many: three quarters of the joins of a first plane are left to the serial pass.
const BLOCK_PLANES: usize = 8;

/// Which neighbours of a pixel or voxel belong to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Connectivity {
    /// 2D, shared edges.
    Four,
    /// 2D, shared edges or corners.
    Eight,
    /// 3D, shared faces.
    Six,
    /// 3D, shared faces or edges.
    Eighteen,
    /// 3D, shared faces, edges or corners.
    TwentySix,
}

impl Connectivity {
    /// The connectivity with `n` neighbours in `ndim` dimensions.
    pub fn new(n: usize, ndim: usize) -> Result<Self> {
        match (ndim, n) {
            (2, 4) => Ok(Self::Four),
            (2, 8) => Ok(Self::Eight),
            (3, 6) => Ok(Self::Six),
            (3, 18) => Ok(Self::Eighteen),
            (3, 26) => Ok(Self::TwentySix),
            (2, _) => Err(Error::invalid("connectivity", "4 or 8 in 2D", n)),
            _ => Err(Error::invalid("connectivity", "6, 18 or 26 in 3D", n)),
        }
    }

    /// Neighbouring lines that come earlier in raster order: (step in z, step in y, reach along x).
    fn earlier_lines(self) -> &'static [(usize, isize, u32)] {
        match self {
            Self::Four => &[(0, -1, 0)],
            Self::Eight => &[(0, -1, 1)],
            Self::Six => &[(0, -1, 0), (1, 0, 0)],
            Self::Eighteen => &[(0, -1, 1), (1, 0, 1), (1, -1, 0), (1, 1, 0)],
            Self::TwentySix => &[(0, -1, 1), (1, 0, 1), (1, -1, 1), (1, 1, 1)],
        }
    }
}

/// Consecutive lines with their runs and labels of their own.
struct Block {
    /// Index of the first line in the volume.
    first_line: usize,
    /// End of each line's runs in `tags`, behind a leading 0.
    ends: Vec<usize>,
    /// Start and end of each run, alternating.
    edges: Vec<u32>,
    /// Label of each run: provisional until `settle`.
    tags: Vec<u32>,
    /// Number of labels.
    n: u32,
}

/// Labels the components of `mask` (non-zero voxels) into `labels`, which must hold zeros; returns their number.
///
/// A 2D image is one plane. Labels are 1, 2, … in raster order of the components' first voxels.
pub fn label(
    mask: ArrayView3<'_, u8>,
    connectivity: Connectivity,
    mut labels: ArrayViewMut3<'_, i32>,
    threads: usize,
) -> Result<usize> {
    if mask.dim() != labels.dim() {
        return Err(Error::ShapeMismatch {
            argument: "labels",
            expected: mask.shape().to_vec(),
            found: labels.shape().to_vec(),
        });
    }
    let (n_z, n_y, n_x) = mask.dim();
    if mask.is_empty() {
        return Ok(0);
    }
    if n_x > i32::MAX as usize {
        let expected = "lines of at most 2147483647 voxels";
        return Err(Error::invalid("mask", expected, n_x));
    }
    let n_lines = n_z * n_y;
    let lines_a_block = lines_a_block(n_z, n_y, n_x);
    let n_blocks = n_lines.div_ceil(lines_a_block);
    let blocks = parallel::map(threads, n_blocks, |i| {
        let first = i * lines_a_block;
        let last = (first + lines_a_block).min(n_lines);
        Block::new(mask, first, last, connectivity)
    });
    let (offsets, finals, n) = join_blocks(&blocks, n_y, connectivity);
    let out = labels
        .as_slice_mut()
        .ok_or_else(|| Error::invalid("labels", "a C-contiguous array", "a strided one"))?;
    parallel::for_each_block(threads, out, lines_a_block * n_x, |i, lines| {
        blocks[i].write(lines, n_x, &finals[offsets[i] as usize..]);
    });
    Ok(n)
}

/// Fixed partition: whole planes in 3D, about `BLOCK_PIXELS` pixels in 2D.
fn lines_a_block(n_z: usize, n_y: usize, n_x: usize) -> usize {
    let lines = (BLOCK_PIXELS / n_x).max(16);
    if n_z == 1 {
        lines
    } else {
        (lines / n_y).max(BLOCK_PLANES) * n_y
    }
}

impl Block {
    fn new(
        mask: ArrayView3<'_, u8>,
        first: usize,
        last: usize,
        connectivity: Connectivity,
    ) -> Self {
        let n_y = mask.dim().1;
        let mut block = Self {
            first_line: first,
            ends: vec![0],
            edges: Vec::new(),
            tags: Vec::new(),
            n: 0,
        };
        let mut copy = Vec::new();
        let mut parents = Vec::new();
        for line in first..last {
            let row = mask.slice(ndarray::s![line / n_y, line % n_y, ..]);
            match row.as_slice() {
                Some(row) => find_runs(row, &mut block.edges),
                None => {
                    copy.clear();
                    copy.extend(row.iter());
                    find_runs(&copy, &mut block.edges);
                }
            }
            block.join_line(n_y, connectivity, &mut parents);
        }
        block.n = flatten(&mut parents) as u32;
        for tag in &mut block.tags {
            *tag = parents[*tag as usize];
        }
        block
    }

    /// Gives the runs behind the last line a label: that of a run they touch, or a new one.
    fn join_line(&mut self, n_y: usize, connectivity: Connectivity, parents: &mut Vec<u32>) {
        const NONE: u32 = u32::MAX;
        let begin = self.tags.len();
        let line = self.first_line + self.ends.len() - 1;
        self.tags.resize(self.edges.len() / 2, NONE);
        let (before, tags) = self.tags.split_at_mut(begin);
        let runs = &self.edges[2 * begin..];
        for &(dz, dy, reach) in connectivity.earlier_lines() {
            let Some(other) = earlier_line(line, n_y, dz, dy) else {
                continue;
            };
            let Some(i) = other.checked_sub(self.first_line) else {
                continue;
            };
            let (start, end) = (self.ends[i], self.ends[i + 1]);
            let (edges, others) = (&self.edges[2 * start..2 * end], &before[start..end]);
            for_each_touching(runs, edges, reach, |a, b| {
                let root = find(parents, others[b]);
                tags[a] = if tags[a] == NONE {
                    root
                } else {
                    unite(parents, tags[a], root)
                };
            });
        }
        for tag in tags {
            if *tag == NONE {
                *tag = parents.len() as u32;
                parents.push(*tag);
            }
        }
        self.ends.push(self.edges.len() / 2);
    }

    /// Runs and labels of the line with index `line` in the volume.
    fn line(&self, line: usize) -> (&[u32], &[u32]) {
        let i = line - self.first_line;
        let (start, end) = (self.ends[i], self.ends[i + 1]);
        (&self.edges[2 * start..2 * end], &self.tags[start..end])
    }

    fn write(&self, lines: &mut [i32], n_x: usize, finals: &[i32]) {
        for (i, line) in lines.chunks_exact_mut(n_x).enumerate() {
            let (start, end) = (self.ends[i], self.ends[i + 1]);
            let runs = self.edges[2 * start..2 * end].chunks_exact(2);
            for (run, &tag) in runs.zip(&self.tags[start..end]) {
                let value = finals[tag as usize];
                for voxel in &mut line[run[0] as usize..run[1] as usize] {
                    *voxel = value;
                }
            }
        }
    }
}

/// Joins labels across the blocks' first planes: (offset of each block, final label of each offset label, number of components).
fn join_blocks(
    blocks: &[Block],
    n_y: usize,
    connectivity: Connectivity,
) -> (Vec<u32>, Vec<i32>, usize) {
    let mut offsets = Vec::with_capacity(blocks.len());
    let mut total = 0;
    for block in blocks {
        offsets.push(total);
        total += block.n;
    }
    let mut parents: Vec<u32> = (0..total).collect();
    for (i, block) in blocks.iter().enumerate().skip(1) {
        let n_lines = block.ends.len() - 1;
        // In 2D only the first line looks into another block; in 3D the lines of the first plane do.
        let reach_back = if connectivity.earlier_lines().len() == 1 {
            1
        } else {
            n_y
        };
        for line in block.first_line..block.first_line + n_lines.min(reach_back) {
            for &(dz, dy, reach) in connectivity.earlier_lines() {
                let Some(other) = earlier_line(line, n_y, dz, dy) else {
                    continue;
                };
                if other >= block.first_line {
                    continue;
                }
                let (runs, tags) = block.line(line);
                let (edges, others) = blocks[i - 1].line(other);
                for_each_touching(runs, edges, reach, |a, b| {
                    unite(
                        &mut parents,
                        offsets[i] + tags[a],
                        offsets[i - 1] + others[b],
                    );
                });
            }
        }
    }
    let n = flatten(&mut parents);
    let finals = parents.iter().map(|&p| p as i32 + 1).collect();
    (offsets, finals, n)
}

/// Index of the line `dz` planes earlier and `dy` further along y, if the volume has it.
fn earlier_line(line: usize, n_y: usize, dz: usize, dy: isize) -> Option<usize> {
    let z = (line / n_y).checked_sub(dz)?;
    let y = (line % n_y).checked_add_signed(dy)?;
    (y < n_y).then_some(z * n_y + y)
}

/// Appends start and end of each run of non-zero bytes of `line`.
pub(crate) fn find_runs(line: &[u8], edges: &mut Vec<u32>) {
    let begin = edges.len();
    let mut last = 0;
    let chunks = line.chunks_exact(64);
    let rest = chunks.remainder();
    let mut base = 0;
    for chunk in chunks {
        last = push_changes(bits(chunk), last, base, edges);
        base += 64;
    }
    let mut tail = [0; 64];
    tail[..rest.len()].copy_from_slice(rest);
    push_changes(bits(&tail), last, base, edges);
    if (edges.len() - begin) % 2 == 1 {
        edges.push(line.len() as u32);
    }
}

/// Appends the positions where `bits` changes from one pixel to the next; returns the last pixel.
#[inline(always)]
fn push_changes(bits: u64, before: u64, base: u32, edges: &mut Vec<u32>) -> u64 {
    let mut changes = bits ^ (bits << 1 | before);
    while changes != 0 {
        edges.push(base + changes.trailing_zeros());
        changes &= changes - 1;
    }
    bits >> 63
}

/// One bit for each of 64 bytes: whether it is non-zero.
#[inline(always)]
fn bits(chunk: &[u8]) -> u64 {
    const LOW: u64 = 0x7f7f_7f7f_7f7f_7f7f;
    // Moves bit 0 of byte k to bit k of the top byte.
    const GATHER: u64 = 0x0102_0408_1020_4080;
    let mut bits = 0;
    for (i, bytes) in chunk.chunks_exact(8).enumerate() {
        let mut word = [0; 8];
        word.copy_from_slice(bytes);
        let word = u64::from_le_bytes(word);
        let set = (((word & LOW) + LOW) | word) >> 7 & !LOW >> 7;
        bits |= (set.wrapping_mul(GATHER) >> 56) << (8 * i);
    }
    bits
}

/// Calls `f(i, j)` for every run i of `runs` and j of `others` that touch; both hold starts and ends, ascending.
#[inline(always)]
fn for_each_touching(runs: &[u32], others: &[u32], reach: u32, mut f: impl FnMut(usize, usize)) {
    let n_others = others.len() / 2;
    let mut first = 0;
    for (i, run) in runs.chunks_exact(2).enumerate() {
        while first < n_others && others[2 * first + 1] + reach <= run[0] {
            first += 1;
        }
        let mut j = first;
        while j < n_others && others[2 * j] < run[1] + reach {
            f(i, j);
            j += 1;
        }
        // The last one may reach the next run too.
        first = first.max(j.saturating_sub(1));
    }
}

#[cfg(test)]
mod tests {
    use ndarray::{Array3, array};

    use super::*;

    fn labelled(mask: &Array3<u8>, n: usize, ndim: usize) -> (Array3<i32>, usize) {
        let mut labels = Array3::zeros(mask.dim());
        let connectivity = Connectivity::new(n, ndim).unwrap();
        let count = label(mask.view(), connectivity, labels.view_mut(), 1).unwrap();
        (labels, count)
    }

    #[test]
    fn corners_join_in_eight_only() {
        let mask = array![[[1u8, 0, 9], [0, 1, 0], [0, 0, 0], [1, 1, 0]]];
        assert_eq!(labelled(&mask, 4, 2).1, 4);
        let (labels, n) = labelled(&mask, 8, 2);
        assert_eq!(n, 2);
        assert_eq!(labels, array![[[1, 0, 1], [0, 1, 0], [0, 0, 0], [2, 2, 0]]]);
    }

    #[test]
    fn blocks_do_not_show() {
        // A comb whose teeth join in the last line only, taller than a block.
        let mut mask =
            Array3::<u8>::from_shape_fn((1, 40_000, 129), |(_, _, x)| (x % 2 == 0) as u8);
        assert_eq!(labelled(&mask, 4, 2).1, 65);
        mask.slice_mut(ndarray::s![0, -1, ..]).fill(1);
        assert_eq!(labelled(&mask, 4, 2).1, 1);
    }

    #[test]
    fn wrong_neighbours_are_refused() {
        assert!(Connectivity::new(6, 2).is_err());
        assert!(Connectivity::new(8, 3).is_err());
    }
}
