//! Convex hull of a region, its pixel area and its calipers, from the ends of its rows.

use crate::measure::regions::Region;

/// First and last column of each row, in half pixels at every half row; None in rows without a pixel.
type Extents = Vec<Option<(i64, i64)>>;

/// Corners (half row, column in half pixels) of one side of a hull, from the first row to the last.
type Side = Vec<(i64, i64)>;

/// What the convex hull says about a region.
pub(crate) struct Hull {
    /// Pixels of the convex hull image: pixel centres inside or on the hull of the midpoints of all pixel edges.
    pub(crate) area: u64,
    /// Corners of the outline of the convex hull image, (y, x) in half pixels.
    corners: Side,
}

impl Hull {
    /// Hull of a region.
    pub(crate) fn new(region: &Region<'_>) -> Self {
        let mut rows = vec![None; region.height()];
        for run in region.runs {
            let y = run.y as usize - region.y0;
            let (x0, x1) = (i64::from(run.x0), i64::from(run.x1) - 1);
            rows[y] = Some(match rows[y] {
                None => (x0, x1),
                Some((a, b)) => (x0.min(a), x1.max(b)),
            });
        }
        let (left, right) = chains(&half_rows(&rows));
        let mut area = 0;
        let filled: Extents = (0..rows.len())
            .map(|y| {
                let at = 2 * y as i64 + 1;
                let x0 = crossing(&left, at, true);
                let x1 = crossing(&right, at, false);
                area += (x1 - x0 + 1).max(0) as u64;
                (x0 <= x1).then_some((x0, x1))
            })
            .collect();
        let (left, right) = chains(&half_rows(&filled));
        let mut corners = left;
        corners.extend(right.into_iter().rev());
        corners.dedup();
        Self { area, corners }
    }

    /// Greatest and smallest caliper width with pixels of `sampling` (y, x).
    pub(crate) fn feret(&self, sampling: (f64, f64)) -> (f64, f64) {
        let points: Vec<(f64, f64)> = self
            .corners
            .iter()
            .map(|&(y, x)| (0.5 * y as f64 * sampling.0, 0.5 * x as f64 * sampling.1))
            .collect();
        let (mut largest, mut smallest) = (0f64, f64::INFINITY);
        for (i, a) in points.iter().enumerate() {
            let b = points[(i + 1) % points.len()];
            let (ey, ex) = (b.0 - a.0, b.1 - a.1);
            let length = (ey * ey + ex * ex).sqrt();
            let mut width = 0f64;
            for p in &points {
                let (dy, dx) = (p.0 - a.0, p.1 - a.1);
                largest = largest.max(dy * dy + dx * dx);
                width = width.max((ey * dx - ex * dy).abs());
            }
            if length > 0.0 {
                smallest = smallest.min(width / length);
            }
        }
        (largest.sqrt(), smallest)
    }
}

/// The midpoints of the pixel edges: half row `2 y + 1` is pixel row `y`, columns count in half pixels.
fn half_rows(rows: &[Option<(i64, i64)>]) -> Extents {
    let mut out: Extents = vec![None; 2 * rows.len() + 1];
    let mut widen = |at: usize, x0: i64, x1: i64| {
        out[at] = Some(match out[at] {
            None => (x0, x1),
            Some((a, b)) => (x0.min(a), x1.max(b)),
        });
    };
    for (y, row) in rows.iter().enumerate() {
        if let Some((x0, x1)) = *row {
            widen(2 * y, 2 * x0, 2 * x1);
            widen(2 * y + 1, 2 * x0 - 1, 2 * x1 + 1);
            widen(2 * y + 2, 2 * x0, 2 * x1);
        }
    }
    out
}

/// Left and right side of the convex hull, from the first row to the last.
fn chains(rows: &Extents) -> (Side, Side) {
    let (mut left, mut right) = (Side::new(), Side::new());
    for (y, row) in rows.iter().enumerate() {
        if let Some((x0, x1)) = *row {
            extend(&mut left, (y as i64, x0), 1);
            extend(&mut right, (y as i64, x1), -1);
        }
    }
    (left, right)
}

/// Adds a point to a side, dropping the points that are no corners any more.
fn extend(side: &mut Side, point: (i64, i64), sign: i64) {
    while let [.., a, b] = side[..] {
        let turn = (b.0 - a.0) * (point.1 - a.1) - (point.0 - a.0) * (b.1 - a.1);
        if turn * sign > 0 {
            break;
        }
        side.pop();
    }
    side.push(point);
}

/// First (or last) whole pixel column inside a side at half row `y`.
fn crossing(side: &[(i64, i64)], y: i64, first: bool) -> i64 {
    let i = side
        .partition_point(|corner| corner.0 < y)
        .clamp(1, side.len() - 1);
    let ((y0, x0), (y1, x1)) = (side[i - 1], side[i]);
    // Column = numerator / denominator in whole pixels, exactly.
    let (numerator, denominator) = (x0 * (y1 - y0) + (x1 - x0) * (y - y0), 2 * (y1 - y0));
    if first {
        -(-numerator).div_euclid(denominator)
    } else {
        numerator.div_euclid(denominator)
    }
}
