//! Kernels of the measure stage on one thread, without Python.

mod frame;

use criterion::{Criterion, criterion_group, criterion_main};
use nanospa_core::components::{self, Connectivity};
use nanospa_core::measure::particle_images::particle_images;
use nanospa_core::measure::region_properties::{Background, region_properties};
use ndarray::{Array2, Axis};

/// Side of a cut-out in pixels.
const BOX_PX: usize = 64;

/// Rings of a radial profile.
const RINGS: usize = 16;

fn regions(criterion: &mut Criterion) {
    let (image, mask) = frame::discs();
    let mut labels = Array2::zeros(mask.dim());
    let (plane, out) = (
        mask.view().insert_axis(Axis(0)),
        labels.view_mut().insert_axis(Axis(0)),
    );
    components::label(plane, Connectivity::Eight, out, 1).expect("equal shapes");
    let pixel_size_nm = Some((0.2, 0.2));

    let mut group = criterion.benchmark_group("measure");
    group.bench_function("region_properties", |b| {
        b.iter(|| {
            region_properties(
                image.view(),
                labels.view(),
                pixel_size_nm,
                Background::Ring,
                None,
                RINGS,
                1,
            )
        });
    });
    for (name, subpixel) in [
        ("particle_images, whole pixels", false),
        ("particle_images, sub-pixel", true),
    ] {
        group.bench_function(name, |b| {
            b.iter(|| {
                particle_images(
                    image.view(),
                    labels.view(),
                    BOX_PX,
                    true,
                    Background::Ring,
                    subpixel,
                    1,
                )
            });
        });
    }
    group.finish();
}

criterion_group!(measure, regions);
criterion_main!(measure);
