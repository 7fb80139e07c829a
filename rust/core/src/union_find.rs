//! Sets of consecutive indices that merge: every set's root is its smallest member.

/// Root of `i`, halving the path to it.
#[inline(always)]
pub(crate) fn find(parents: &mut [u32], mut i: u32) -> u32 {
    loop {
        let parent = parents[i as usize];
        if parent == i {
            return i;
        }
        let above = parents[parent as usize];
        parents[i as usize] = above;
        i = above;
    }
}

/// Joins two sets under the smaller root and returns it.
#[inline(always)]
pub(crate) fn unite(parents: &mut [u32], a: u32, b: u32) -> u32 {
    let (a, b) = (find(parents, a), find(parents, b));
    let (low, high) = (a.min(b), a.max(b));
    parents[high as usize] = low;
    low
}

/// Replaces each parent by the rank of its root among the roots; returns the number of roots.
pub(crate) fn flatten(parents: &mut [u32]) -> usize {
    let mut n = 0;
    for i in 0..parents.len() {
        // A parent is never above its child, so it has its rank already.
        parents[i] = if parents[i] == i as u32 {
            n += 1;
            n - 1
        } else {
            parents[parents[i] as usize]
        };
    }
    n as usize
}
