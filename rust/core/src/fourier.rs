//! Plans of Fourier transforms, made once a size.

use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use realfft::{ComplexToReal, RealFftPlanner, RealToComplex};
use rustfft::{Fft, FftPlanner};

static COMPLEX: LazyLock<Mutex<FftPlanner<f32>>> = LazyLock::new(|| Mutex::new(FftPlanner::new()));
static REAL: LazyLock<Mutex<RealFftPlanner<f32>>> =
    LazyLock::new(|| Mutex::new(RealFftPlanner::new()));

/// Σ f(x) exp(−2πi kx/n), in place, on any number of consecutive rows.
pub fn forward(n: usize) -> Arc<dyn Fft<f32>> {
    let mut planner = COMPLEX.lock().unwrap_or_else(PoisonError::into_inner);
    planner.plan_fft_forward(n)
}

/// Σ F(k) exp(2πi kx/n), not divided by n.
pub fn inverse(n: usize) -> Arc<dyn Fft<f32>> {
    let mut planner = COMPLEX.lock().unwrap_or_else(PoisonError::into_inner);
    planner.plan_fft_inverse(n)
}

/// `forward` of a real row: its first n / 2 + 1 values.
pub fn real_forward(n: usize) -> Arc<dyn RealToComplex<f32>> {
    let mut planner = REAL.lock().unwrap_or_else(PoisonError::into_inner);
    planner.plan_fft_forward(n)
}

/// `inverse` to a real row.
pub fn real_inverse(n: usize) -> Arc<dyn ComplexToReal<f32>> {
    let mut planner = REAL.lock().unwrap_or_else(PoisonError::into_inner);
    planner.plan_fft_inverse(n)
}
