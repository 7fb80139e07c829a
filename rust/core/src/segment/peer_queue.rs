//! The queue of scikit-image 0.17, which ParticleSpy 0.5.1 floods with: a binary heap by height, then by turn.
//!
//! All markers share turn 0, so their order is that in which a binary heap happens to release equal entries; parity needs the same heap.

use crate::segment::queue::Queue;

/// Height, turn and pixel; the first two decide.
type Entry = (u32, u32, u32);

/// A binary heap in an array.
pub(crate) struct PeerQueue {
    heap: Vec<Entry>,
    turn: u32,
    n_pushed: usize,
    n_markers: usize,
}

impl PeerQueue {
    /// An empty queue whose first `n_markers` entries are markers.
    pub(crate) fn new(n_markers: usize) -> Self {
        Self {
            heap: Vec::new(),
            turn: 0,
            n_pushed: 0,
            n_markers,
        }
    }

    fn before(&self, a: usize, b: usize) -> bool {
        let (a, b) = (self.heap[a], self.heap[b]);
        (a.0, a.1) < (b.0, b.1)
    }
}

impl Queue for PeerQueue {
    fn push(&mut self, rank: usize, entry: u32) {
        if self.n_pushed >= self.n_markers {
            self.turn += 1;
        }
        self.n_pushed += 1;
        let mut child = self.heap.len();
        self.heap.push((rank as u32, self.turn, entry));
        while child > 0 {
            let parent = (child - 1) / 2;
            if !self.before(child, parent) {
                break;
            }
            self.heap.swap(child, parent);
            child = parent;
        }
    }

    fn pop(&mut self) -> Option<u32> {
        if self.heap.is_empty() {
            return None;
        }
        let (_, _, entry) = self.heap.swap_remove(0);
        let mut parent = 0;
        loop {
            let mut first = parent;
            for child in [2 * parent + 1, 2 * parent + 2] {
                if child < self.heap.len() && self.before(child, first) {
                    first = child;
                }
            }
            if first == parent {
                return Some(entry);
            }
            self.heap.swap(first, parent);
            parent = first;
        }
    }

    fn n_pushed(&self) -> usize {
        self.n_pushed
    }
}
