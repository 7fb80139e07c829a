//! Kernels of the segment stage on one thread, without Python.

mod frame;

use criterion::{Criterion, criterion_group, criterion_main};
use nanospa_core::components::{self, Connectivity};
use nanospa_core::segment::distance_transform::distance_transform;
use nanospa_core::segment::erode::erode;
use nanospa_core::segment::gaussian::gaussian;
use nanospa_core::segment::li::li;
use nanospa_core::segment::rolling_ball::rolling_ball;
use nanospa_core::segment::seeds::{Meaning, seeds};
use nanospa_core::segment::split::{Splitting, split};
use nanospa_core::segment::tophat::tophat;
use nanospa_core::segment::watershed::{Ties, watershed};
use ndarray::{Array2, Axis, Ix2};

/// Lengths of the preset "slater2020".
const TOPHAT_PX: usize = 301;
const EROSION_PX: usize = 10;
const SEPARATION_PX: usize = 20;

fn filters(criterion: &mut Criterion) {
    let (image, mask) = frame::discs();
    let counts = image.map(|&v| v as u16);
    let mut group = criterion.benchmark_group("filters");
    group.bench_function("tophat float32", |b| {
        b.iter(|| tophat(image.view(), TOPHAT_PX, 1))
    });
    group.bench_function("tophat uint16", |b| {
        b.iter(|| tophat(counts.view(), TOPHAT_PX, 1))
    });
    group.bench_function("rolling_ball", |b| {
        b.iter(|| rolling_ball(image.view(), 150.0, 1.0, 1))
    });
    group.bench_function("gaussian", |b| b.iter(|| gaussian(image.view(), 1.0, 1)));
    group.bench_function("li float32", |b| b.iter(|| li(image.view(), 1)));
    group.bench_function("li uint16", |b| b.iter(|| li(counts.view(), 1)));
    group.bench_function("erode", |b| b.iter(|| erode(mask.view(), EROSION_PX, 1)));
    group.finish();
}

fn regions(criterion: &mut Criterion) {
    let (_, mask) = frame::discs();
    let labelled = |connectivity: Connectivity| {
        let mut labels = Array2::zeros(mask.dim());
        let (plane, out) = (
            mask.view().insert_axis(Axis(0)),
            labels.view_mut().insert_axis(Axis(0)),
        );
        let n = components::label(plane, connectivity, out, 1).expect("equal shapes");
        (labels, n)
    };
    let (labels, n) = labelled(Connectivity::Eight);
    let distance =
        || distance_transform(mask.view().into_dyn(), &[1.0, 1.0], false, 1).expect("two spacings");
    let heights = distance()
        .into_dimensionality::<Ix2>()
        .expect("two dimensions");
    let found = || {
        seeds(
            heights.view(),
            labels.view(),
            SEPARATION_PX,
            Meaning::Distance,
            1,
        )
        .expect("equal shapes")
    };
    let mut markers = Array2::zeros(mask.dim());
    for pixel in found().0 {
        markers[[pixel.y, pixel.x]] = pixel.seed;
    }
    let rule = Splitting {
        erosion_radius_px: EROSION_PX,
        separation_px: SEPARATION_PX,
        min_area_px: 1,
        keep_all: true,
    };

    let mut group = criterion.benchmark_group("regions");
    group.bench_function("label 8", |b| b.iter(|| labelled(Connectivity::Eight)));
    group.bench_function("label 4", |b| b.iter(|| labelled(Connectivity::Four)));
    group.bench_function("distance_transform", |b| b.iter(distance));
    group.bench_function("seeds", |b| b.iter(found));
    group.bench_function("watershed", |b| {
        b.iter(|| {
            let mut out = Array2::zeros(mask.dim());
            let (inside, four) = (Some(mask.view()), Connectivity::Four);
            watershed(
                heights.view(),
                markers.view(),
                inside,
                four,
                true,
                Ties::FirstReached,
                out.view_mut(),
                1,
            )
        });
    });
    group.bench_function("split", |b| {
        b.iter(|| {
            let mut parts = labels.clone();
            split(parts.view_mut(), n, &rule, 1)
        });
    });
    group.finish();
}

criterion_group!(segment, filters, regions);
criterion_main!(segment);
