//! What a pixel may be: uint8, uint16, float32 or float64.

use std::ops::Sub;

/// A pixel type of the kernels.
pub trait Pixel: Copy + Send + Sync + PartialOrd + Default + Sub<Output = Self> + 'static {
    /// Whether the type holds integers only.
    const INTEGER: bool;

    /// What no value is below.
    const LOWEST: Self;

    /// What no value is above.
    const HIGHEST: Self;

    /// The value as uint16; exact for integers only.
    fn to_u16(self) -> u16;

    /// The value as float32 (float64 is rounded).
    fn to_f32(self) -> f32;

    /// `values` themselves where they are float32 already.
    fn as_f32(values: &[Self]) -> Option<&[f32]>;

    /// The value as float64, exact for every pixel type.
    fn to_f64(self) -> f64;
}

macro_rules! pixel {
    ($type:ty, $integer:expr, $lowest:expr, $highest:expr, $as_f32:expr) => {
        impl Pixel for $type {
            const INTEGER: bool = $integer;
            const LOWEST: Self = $lowest;
            const HIGHEST: Self = $highest;

            #[inline(always)]
            fn to_u16(self) -> u16 {
                self as u16
            }

            #[inline(always)]
            fn to_f32(self) -> f32 {
                self as f32
            }

            #[inline(always)]
            fn as_f32(values: &[Self]) -> Option<&[f32]> {
                $as_f32(values)
            }

            #[inline(always)]
            fn to_f64(self) -> f64 {
                self as f64
            }
        }
    };
}

pixel!(u8, true, u8::MIN, u8::MAX, |_| None);
pixel!(u16, true, u16::MIN, u16::MAX, |_| None);
pixel!(f32, false, f32::NEG_INFINITY, f32::INFINITY, Some);
pixel!(f64, false, f64::NEG_INFINITY, f64::INFINITY, |_| None);
