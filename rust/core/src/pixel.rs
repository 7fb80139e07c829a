//! What a pixel may be: uint8, uint16, float32 or float64.

/// A pixel type of the kernels.
pub trait Pixel: Copy + Send + Sync + PartialOrd + Default + 'static {
    /// Whether the type holds integers only.
    const INTEGER: bool;

    /// The value as float32 (float64 is rounded).
    fn to_f32(self) -> f32;

    /// The value as float64, exact for every pixel type.
    fn to_f64(self) -> f64;
}

macro_rules! pixel {
    ($type:ty, $integer:expr) => {
        impl Pixel for $type {
            const INTEGER: bool = $integer;

            #[inline(always)]
            fn to_f32(self) -> f32 {
                self as f32
            }

            #[inline(always)]
            fn to_f64(self) -> f64 {
                self as f64
            }
        }
    };
}

pixel!(u8, true);
pixel!(u16, true);
pixel!(f32, false);
pixel!(f64, false);
