//! What the watershed asks of a queue.

/// Pixels in the order in which they are flooded.
pub(crate) trait Queue {
    /// Adds a pixel whose height has `rank`.
    fn push(&mut self, rank: usize, entry: u32);
    /// Takes the next pixel.
    fn pop(&mut self) -> Option<u32>;
    /// Pixels added so far.
    fn n_pushed(&self) -> usize;
}
