//! Between the sampled angles and shifts: the top of the paraboloid through a correlation's values and slopes around the best.

use ndarray::ArrayView2;

use super::angular_series::{Products, Series, derivatives};

/// Shifts around a shift, by their places in the list.
pub(super) struct Around {
    /// Step [px] and the neighbours before and after, along x and y; None without either of them.
    along: [Option<(f32, usize, usize)>; 2],
    /// Neighbours (+, +), (−, −), (+, −), (−, +).
    diagonal: Option<[usize; 4]>,
}

pub(super) fn surroundings(shifts: ArrayView2<'_, f32>) -> Vec<Around> {
    let near = |a: f32, b: f32| (a - b).abs() < 1e-4;
    let all: Vec<[f32; 2]> = shifts.rows().into_iter().map(|s| [s[0], s[1]]).collect();
    let around = |own: [f32; 2]| {
        let at = |dx: f32, dy: f32| {
            let wanted = [own[0] + dx, own[1] + dy];
            all.iter()
                .position(|s| near(s[0], wanted[0]) && near(s[1], wanted[1]))
        };
        let along = [0, 1].map(|axis| {
            let step = all
                .iter()
                .filter(|s| near(s[1 - axis], own[1 - axis]) && s[axis] > own[axis] + 1e-4)
                .map(|s| s[axis] - own[axis])
                .fold(f32::INFINITY, f32::min);
            let d = if axis == 0 { [step, 0.0] } else { [0.0, step] };
            Some((step, at(-d[0], -d[1])?, at(d[0], d[1])?))
        });
        let diagonal = match along {
            [Some((x, ..)), Some((y, ..))] => [(x, y), (-x, -y), (x, -y), (-x, y)]
                .into_iter()
                .map(|(dx, dy)| at(dx, dy))
                .collect::<Option<Vec<usize>>>()
                .and_then(|places| places.try_into().ok()),
            _ => None,
        };
        Around { along, diagonal }
    };
    all.iter().map(|&own| around(own)).collect()
}

/// From the best angle and shift to the top of the paraboloid there: (steps of the angle, shift x and y [px]; gain).
///
/// Angle and shift go together: a lopsided particle that is moved a little looks as if it were turned.
pub(super) fn to_top(
    products: &[Products],
    shift: usize,
    mirrored: bool,
    angle: usize,
    series: &Series,
    around: &Around,
) -> ([f32; 3], f32) {
    let blocks = series.harmonic_blocks();
    let at = |shift: usize| {
        derivatives(
            &products[shift * blocks..(shift + 1) * blocks],
            mirrored,
            angle,
            series,
        )
    };
    // In steps of the angle and of the shifts.
    let turn = std::f32::consts::TAU / series.n_angles as f32;
    let here = at(shift);
    let mut slope = [here[1] * turn, 0.0, 0.0];
    let mut curved = [[0.0; 3]; 3];
    curved[0][0] = here[2] * turn * turn;
    for (axis, along) in (1..).zip(around.along) {
        let Some((_, before, after)) = along else {
            // Any curvature keeps this one where it is.
            curved[axis][axis] = -1.0;
            continue;
        };
        let (before, after) = (at(before), at(after));
        slope[axis] = 0.5 * (after[0] - before[0]);
        curved[axis][axis] = after[0] - 2.0 * here[0] + before[0];
        curved[0][axis] = 0.5 * (after[1] - before[1]) * turn;
        curved[axis][0] = curved[0][axis];
    }
    if let Some(places) = around.diagonal {
        let [a, b, c, d] = places.map(|place| at(place)[0]);
        curved[1][2] = 0.25 * (a + b - c - d);
        curved[2][1] = curved[1][2];
    }
    let top = top(slope, curved).unwrap_or_else(|| {
        // A saddle: each by itself.
        [0, 1, 2].map(|i| {
            if curved[i][i] < 0.0 {
                -slope[i] / curved[i][i]
            } else {
                0.0
            }
        })
    });
    // Farther is another point of the grid's, or none at all.
    let step = [
        top[0].clamp(-2.0, 2.0),
        top[1].clamp(-0.6, 0.6),
        top[2].clamp(-0.6, 0.6),
    ];
    let gain: f32 = (0..3)
        .map(|i| {
            let bend: f32 = (0..3).map(|j| curved[i][j] * step[j]).sum();
            step[i] * (slope[i] + 0.5 * bend)
        })
        .sum();
    if gain > 0.0 {
        let px = |axis: usize| around.along[axis].map_or(0.0, |(h, ..)| h * step[axis + 1]);
        ([step[0], px(0), px(1)], gain)
    } else {
        ([0.0; 3], 0.0)
    }
}

/// Where a paraboloid with a slope and curvatures at 0 has its top; None where it has none.
fn top(slope: [f32; 3], curved: [[f32; 3]; 3]) -> Option<[f32; 3]> {
    // Cholesky's factor of the negative.
    let mut l = [[0.0f32; 3]; 3];
    let mut x = [0.0f32; 3];
    for i in 0..3 {
        for j in 0..=i {
            let rest = -curved[i][j] - (0..j).map(|k| l[i][k] * l[j][k]).sum::<f32>();
            if i == j {
                // A ridge that is all but flat has its top nowhere near.
                if rest.is_nan() || rest <= -0.05 * curved[i][i] {
                    return None;
                }
                l[i][i] = rest.sqrt();
            } else {
                l[i][j] = rest / l[j][j];
            }
        }
        let known: f32 = (0..i).map(|k| l[i][k] * x[k]).sum();
        x[i] = (slope[i] - known) / l[i][i];
    }
    for i in (0..3).rev() {
        let known: f32 = (i + 1..3).map(|k| l[k][i] * x[k]).sum();
        x[i] = (x[i] - known) / l[i][i];
    }
    Some(x)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tops_are_found_and_ridges_refused() {
        let curved = [[-2.0, 0.5, 0.1], [0.5, -1.0, 0.2], [0.1, 0.2, -3.0]];
        let at = [0.3f32, -0.2, 0.5];
        let slope = [0, 1, 2].map(|i| -(0..3).map(|j| curved[i][j] * at[j]).sum::<f32>());
        let found = top(slope, curved).unwrap();
        assert!((0..3).all(|i| (found[i] - at[i]).abs() < 1e-6));
        assert!(
            top(
                slope,
                [[-1.0, 1.0, 0.0], [1.0, -1.0, 0.0], [0.0, 0.0, -1.0]]
            )
            .is_none()
        );
        assert!(top(slope, [[1.0, 0.0, 0.0], [0.0, -1.0, 0.0], [0.0, 0.0, -1.0]]).is_none());
    }

    #[test]
    fn neighbours_of_shifts() {
        let shifts = ndarray::arr2(&[
            [0.0f32, 0.0],
            [2.0, 0.0],
            [-2.0, 0.0],
            [0.0, 1.0],
            [4.0, 0.0],
        ]);
        let around = surroundings(shifts.view());
        assert_eq!(around[0].along, [Some((2.0, 2, 1)), None]);
        assert_eq!(around[1].along, [Some((2.0, 0, 4)), None]);
        assert_eq!(around[3].along, [None, None]);
        assert!(around.iter().all(|a| a.diagonal.is_none()));
        let square: Vec<[f32; 2]> = (0..9).map(|i| [(i % 3) as f32, (i / 3) as f32]).collect();
        let around = surroundings(ndarray::arr2(&square).view());
        assert_eq!(around[4].diagonal, Some([8, 0, 2, 6]));
    }
}
