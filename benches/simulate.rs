//! Kernels of simulated specimens: a particle's projection, a tile, its detection.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use nanospa_core::simulate::body::Body;
use nanospa_core::simulate::cell_means::cell_means;
use nanospa_core::simulate::detect::{Detector, detect};
use nanospa_core::simulate::film::{Film, Wave};
use nanospa_core::simulate::scan::Scan;
use nanospa_core::simulate::specimen_image::{Patch, specimen_image};

fn kernels(c: &mut Criterion) {
    // A particle of 10 nm turned by some angles.
    let (s, k) = 0.4f64.sin_cos();
    let turned = [
        [0.2 * k, -0.2 * s, 0.0],
        [0.2 * s * k, 0.2 * k * k, -0.2 * s],
        [0.2 * s * s, 0.2 * s * k, 0.2 * k],
    ];
    for (name, parameter) in [("sphere", 0.0), ("cube", 10.0), ("star", 0.25)] {
        let body = Body::new(name, parameter).expect("a known body");
        c.bench_function(&format!("cell_means {name}"), |b| {
            b.iter(|| cell_means(body, black_box(turned), 90, 0.1));
        });
    }

    let place = |i: u32| 0.2 * f64::from(i);
    let rows = (0..1024).map(|i| [place(i), 0.0]).collect();
    let columns = (0..1024).map(|j| [0.0, place(j)]).collect();
    let scan = Scan::new(rows, columns).expect("finite places");
    let wave = |i: u32| Wave {
        k: [(f64::from(i)).sin(), (f64::from(i)).cos()],
        phase: f64::from(i),
        amplitude: 0.01,
    };
    let film = Film {
        mean: 0.003,
        waves: (0..152).map(wave).collect(),
        holes: vec![],
        edge: 6.0,
    };
    let body = Body::new("sphere", 0.0).expect("a known body");
    let values = cell_means(body, turned, 90, 0.1).expect("a particle");
    let patches: Vec<Patch> = (0..20)
        .map(|i| Patch {
            values: values.view(),
            centre: [10.0 * f64::from(i), (77.0 * f64::from(i)) % 200.0],
            spacing: 0.1,
            level: 0.01,
        })
        .collect();
    c.bench_function("specimen_image 1024², 20 particles", |b| {
        b.iter(|| specimen_image(&scan, &film, black_box(&patches), 1));
    });

    let fraction = specimen_image(&scan, &film, &patches, 1).expect("an image");
    let detector = Detector {
        electrons_per_pixel: 1623.0,
        gain: 25.0,
        offset: 400.0,
        read_noise: 1.5,
    };
    c.bench_function("detect 1024²", |b| {
        b.iter(|| detect(black_box(fraction.view()), detector, [1, 2], 1));
    });
}

criterion_group!(benches, kernels);
criterion_main!(benches);
