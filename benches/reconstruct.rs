//! Kernels of the reconstruct stage on one thread, without Python.

use criterion::{Criterion, criterion_group, criterion_main};
use nanospa_core::reconstruct::accumulated;
use nanospa_core::reconstruct::fourier_volume::{FourierVolume, transform};
use nanospa_core::reconstruct::insert::insert;
use nanospa_core::reconstruct::padded_transform::grid_shape;
use nanospa_core::reconstruct::project::project;
use nanospa_core::reconstruct::symmetrise::symmetrise;
use nanospa_core::reconstruct::view::View;
use ndarray::{Array3, ArrayView3};
use rustfft::num_complex::Complex;

/// Images a call.
const IMAGES: usize = 100;

/// The 24 rotations that permute the axes.
fn octahedral() -> Vec<[[i8; 3]; 3]> {
    let permutations = [
        [0, 1, 2],
        [1, 2, 0],
        [2, 0, 1],
        [0, 2, 1],
        [2, 1, 0],
        [1, 0, 2],
    ];
    let mut out = Vec::new();
    for (i, permutation) in permutations.iter().enumerate() {
        for signs in 0..8u32 {
            let odd = (i >= 3) != (signs.count_ones() % 2 == 1);
            if odd {
                continue;
            }
            let mut matrix = [[0; 3]; 3];
            for (row, &column) in permutation.iter().enumerate() {
                matrix[row][column] = if signs >> row & 1 == 1 { -1 } else { 1 };
            }
            out.push(matrix);
        }
    }
    out
}

/// Views spread over the sphere by the golden angle.
fn views() -> Vec<View> {
    (0..IMAGES)
        .map(|i| {
            let z = 1.0 - (2 * i + 1) as f64 / IMAGES as f64;
            let (sin, cos) = (2.399_963 * i as f64).sin_cos();
            let r = (1.0 - z * z).sqrt();
            View {
                detector: [[-sin, cos, 0.0], [-z * cos, -z * sin, r]],
                shift: [0.3, -0.7],
                scale: 1.0,
            }
        })
        .collect()
}

fn kernels(criterion: &mut Criterion) {
    let (views, operations) = (views(), octahedral());
    for n in [32, 64, 128] {
        let mut group = criterion.benchmark_group(format!("reconstruct, box {n}"));
        group.sample_size(10);
        let volume = Array3::from_shape_fn((n, n, n), |(z, y, x)| {
            ((z * 7 + y * 13 + x * 29) % 31) as f32
        });
        let shape = grid_shape(n);
        let mut grid = Array3::<Complex<f32>>::default(shape);
        group.bench_function("fourier_volume", |b| {
            b.iter(|| transform(volume.view(), grid.as_slice_mut().expect("standard"), 1));
        });
        let fourier = FourierVolume::new(grid.view(), n).expect("its own shape");
        let mut images = vec![0.0f32; IMAGES * n * n];
        group.bench_function("project", |b| {
            b.iter(|| project(fourier, &views, &mut images, 1));
        });
        let images = ArrayView3::from_shape((IMAGES, n, n), &images).expect("IMAGES of n × n");
        let copies = [[[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]];
        let size = shape.0 * shape.1 * shape.2;
        let (mut numerator, mut density) = (vec![Complex::default(); size], vec![0.0; size]);
        group.bench_function("insert", |b| {
            b.iter(|| {
                insert(
                    images,
                    &views,
                    None,
                    &copies,
                    &mut numerator,
                    &mut density,
                    1,
                )
            });
        });
        group.bench_function("symmetrise, O", |b| {
            b.iter(|| symmetrise(&mut numerator, &mut density, n, &operations, false));
        });
        let noise = vec![0.0; n / 2];
        group.bench_function("accumulated volume", |b| {
            b.iter(|| accumulated::volume(&numerator, &density, n, &noise, 1));
        });
        group.finish();
    }
}

criterion_group!(benches, kernels);
criterion_main!(benches);
