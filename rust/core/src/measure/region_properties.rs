//! Every property of every region of a label image: one pass over the frame, then work inside bounding boxes.

use std::f64::consts::PI;

use ndarray::{Array2, ArrayView1, ArrayView2};

use crate::error::{Error, Result};
use crate::measure::hull::Hull;
use crate::measure::intensity::{Intensity, radial_profile, row_slice};
use crate::measure::local_background::local_background;
use crate::measure::moments::Moments;
use crate::measure::perimeters::Borders;
use crate::measure::regions::{LabelRuns, Region};
use crate::measure::symmetry::symmetry;
use crate::parallel;
use crate::pixel::Pixel;

/// Columns of the result, in order.
pub const COLUMNS: [&str; 58] = [
    "label",
    "centroid_y_px",
    "centroid_x_px",
    "weighted_centroid_y_px",
    "weighted_centroid_x_px",
    "bbox_y0_px",
    "bbox_x0_px",
    "bbox_y1_px",
    "bbox_x1_px",
    "touches_border",
    "area_px",
    "equivalent_diameter_px",
    "perimeter_px",
    "perimeter_crofton_px",
    "convex_area_px",
    "major_axis_px",
    "minor_axis_px",
    "feret_max_px",
    "feret_min_px",
    "area_nm2",
    "equivalent_diameter_nm",
    "perimeter_nm",
    "perimeter_crofton_nm",
    "convex_area_nm2",
    "major_axis_nm",
    "minor_axis_nm",
    "feret_max_nm",
    "feret_min_nm",
    "circularity",
    "circularity_crofton",
    "solidity",
    "orientation_rad",
    "eccentricity",
    "aspect_ratio",
    "roundness",
    "extent",
    "euler_number",
    "hu_1",
    "hu_2",
    "hu_3",
    "hu_4",
    "hu_5",
    "hu_6",
    "hu_7",
    "symmetry_2",
    "symmetry_3",
    "symmetry_4",
    "symmetry_6",
    "intensity_total",
    "intensity_sum",
    "intensity_mean",
    "intensity_max",
    "intensity_min",
    "intensity_std",
    "local_background",
    "local_background_std",
    "snr",
    "saturated_fraction",
];

/// What the background of a region is.
#[derive(Clone, Copy)]
pub enum Background<'a> {
    /// The ring around it.
    Ring,
    /// One value for the whole frame.
    Constant(f64),
    /// An image of the background; its mean inside the region counts.
    Image(ArrayView2<'a, f32>),
}

/// One row a region in ascending order of the labels.
pub struct RegionProperties {
    /// Values of `COLUMNS`; lengths in nm are NaN without a pixel size.
    pub columns: Array2<f64>,
    /// Mean intensity above the background in rings of equal width about the centroid.
    pub radial_profile: Array2<f64>,
}

/// Properties of all regions of `labels` in `image`.
pub fn region_properties<T: Pixel>(
    image: ArrayView2<'_, T>,
    labels: ArrayView2<'_, i32>,
    pixel_size_nm: Option<(f64, f64)>,
    background: Background<'_>,
    saturation: Option<f64>,
    radial_bins: usize,
    threads: usize,
) -> Result<RegionProperties> {
    same_shape("labels", image.dim(), labels.dim())?;
    if let Background::Image(values) = background {
        same_shape("background", image.dim(), values.dim())?;
    }
    if radial_bins == 0 {
        return Err(Error::invalid("radial_bins", "an integer >= 1", 0));
    }
    if let Some((y, x)) = pixel_size_nm {
        if !(y > 0.0 && x > 0.0 && y.is_finite() && x.is_finite()) {
            return Err(Error::invalid(
                "pixel_size_nm",
                "finite numbers > 0",
                format!("({y}, {x})"),
            ));
        }
    }
    let regions = LabelRuns::new(labels, threads);
    let rows = parallel::map(threads, regions.len(), |i| {
        let region = regions.region(i);
        let mut profile = vec![0.0; radial_bins];
        let around = local_background(image, &region, &regions.foreground);
        let row = properties(
            image,
            &region,
            pixel_size_nm,
            background,
            around,
            saturation,
            &mut profile,
        );
        (row, profile)
    });
    let mut columns = Array2::zeros((rows.len(), COLUMNS.len()));
    let mut radial_profile = Array2::zeros((rows.len(), radial_bins));
    for (i, (row, profile)) in rows.iter().enumerate() {
        columns.row_mut(i).assign(&ArrayView1::from(row));
        radial_profile.row_mut(i).assign(&ArrayView1::from(profile));
    }
    Ok(RegionProperties {
        columns,
        radial_profile,
    })
}

/// Refuses arrays of different shape.
pub(crate) fn same_shape(
    argument: &'static str,
    expected: (usize, usize),
    found: (usize, usize),
) -> Result<()> {
    if expected == found {
        return Ok(());
    }
    Err(Error::ShapeMismatch {
        argument,
        expected: vec![expected.0, expected.1],
        found: vec![found.0, found.1],
    })
}

/// The row of one region, in the order of `COLUMNS`.
fn properties<T: Pixel>(
    image: ArrayView2<'_, T>,
    region: &Region<'_>,
    pixel_size_nm: Option<(f64, f64)>,
    background: Background<'_>,
    around: (f64, f64),
    saturation: Option<f64>,
    profile: &mut [f64],
) -> [f64; COLUMNS.len()] {
    let (height, width) = image.dim();
    let sampling = pixel_size_nm.unwrap_or((1.0, 1.0));
    let moments = Moments::new(region);
    let intensity = Intensity::new(image, region, &moments, saturation);
    let mask = region.mask(PAD);
    let borders = Borders::new(&mask);
    let hull = Hull::new(region);
    let turns = symmetry(region, &moments, &mask, PAD, sampling);
    radial_profile(image, region, &moments, sampling, profile);

    let n = moments.area as f64;
    let (ring, noise) = around;
    let level = match background {
        Background::Ring => ring,
        Background::Constant(value) => value,
        Background::Image(values) => mean_inside(values, region, n),
    };
    profile.iter_mut().for_each(|value| *value -= level);

    let px = sizes(&moments, &borders, &hull, (1.0, 1.0));
    let nm = pixel_size_nm.map(|size| sizes(&moments, &borders, &hull, size));
    let shape = nm.as_ref().unwrap_or(&px);
    let [area, _, perimeter, crofton, _, major, minor, ..] = shape.values;
    let box_area = (region.height() * region.width()) as f64;
    let mean = intensity.sum / n;
    let touches = region.y0 == 0 || region.x0 == 0 || region.y1 == height || region.x1 == width;

    let mut row = [f64::NAN; COLUMNS.len()];
    let mut at = 0;
    let mut put = |values: &[f64]| {
        row[at..at + values.len()].copy_from_slice(values);
        at += values.len();
    };
    put(&[f64::from(region.label), moments.y, moments.x]);
    put(&[intensity.y, intensity.x]);
    put(&[region.y0, region.x0, region.y1, region.x1].map(|v| v as f64));
    put(&[f64::from(u8::from(touches))]);
    put(&px.values);
    put(&nm.as_ref().map_or([f64::NAN; 9], |sizes| sizes.values));
    put(&[
        ratio(4.0 * PI * area, perimeter * perimeter),
        ratio(4.0 * PI * area, crofton * crofton),
        n / hull.area as f64,
        shape.orientation,
        shape.eccentricity,
        ratio(major, minor),
        ratio(4.0 * area, PI * major * major),
        n / box_area,
        borders.euler_number as f64,
    ]);
    put(&moments.hu(sampling));
    put(&turns);
    put(&[intensity.sum - n * level, intensity.sum, mean]);
    put(&[intensity.max, intensity.min, intensity.std]);
    put(&[level, noise, ratio(mean - level, noise)]);
    put(&[saturation.map_or(f64::NAN, |_| intensity.saturated as f64 / n)]);
    row
}

/// Empty pixels around a mask: its outline is seen whole, and rounding never leaves the grid.
const PAD: usize = 1;

/// Sizes in the order of the columns, and the ellipse's numbers without a length.
struct Sizes {
    values: [f64; 9],
    orientation: f64,
    eccentricity: f64,
}

fn sizes(moments: &Moments, borders: &Borders, hull: &Hull, sampling: (f64, f64)) -> Sizes {
    let pixel = sampling.0 * sampling.1;
    let area = moments.area as f64 * pixel;
    let ellipse = moments.ellipse(sampling);
    let (feret_max, feret_min) = hull.feret(sampling);
    Sizes {
        values: [
            area,
            (4.0 * area / PI).sqrt(),
            borders.perimeter(sampling),
            borders.crofton(sampling),
            hull.area as f64 * pixel,
            ellipse.major,
            ellipse.minor,
            feret_max,
            feret_min,
        ],
        orientation: ellipse.orientation,
        eccentricity: ellipse.eccentricity,
    }
}

/// Quotient, NaN where the divisor is 0: a property that is not defined for such a region.
fn ratio(a: f64, b: f64) -> f64 {
    if b == 0.0 { f64::NAN } else { a / b }
}

/// Mean of a background image inside a region of `n` pixels.
pub(crate) fn mean_inside(values: ArrayView2<'_, f32>, region: &Region<'_>, n: f64) -> f64 {
    let mut buffer = Vec::new();
    let mut sum = 0.0;
    for run in region.runs {
        let row = row_slice(values, run.y, run.x0, run.x1, &mut buffer);
        sum += row.iter().map(|&v| f64::from(v)).sum::<f64>();
    }
    sum / n
}
