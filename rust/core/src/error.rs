//! The one error type of the kernels. Every variant carries the values a message needs.

/// What a kernel refuses.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Error {
    /// A scalar argument is outside its range.
    #[error("{argument}: expected {expected}, found {found}")]
    InvalidValue {
        /// Name of the argument.
        argument: &'static str,
        /// What would have been accepted.
        expected: &'static str,
        /// What came, as text.
        found: String,
    },
    /// Two arrays that must have one shape do not.
    #[error("{argument}: expected shape {expected:?}, found {found:?}")]
    ShapeMismatch {
        /// Name of the argument.
        argument: &'static str,
        /// Shape of the array it is compared with.
        expected: Vec<usize>,
        /// Its own shape.
        found: Vec<usize>,
    },
    /// An array holds NaN or infinity.
    #[error("{argument}: expected finite values, found {found} at index {index:?}")]
    NonFinite {
        /// Name of the argument.
        argument: &'static str,
        /// Index of the first such element.
        index: Vec<usize>,
        /// The value, as text.
        found: String,
    },
}

impl Error {
    /// Every kind; `nanospa.errors` has a class for each.
    pub const KINDS: [&'static str; 3] = ["invalid_value", "shape", "non_finite"];

    /// Stable name of the kind of error.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::InvalidValue { .. } => Self::KINDS[0],
            Self::ShapeMismatch { .. } => Self::KINDS[1],
            Self::NonFinite { .. } => Self::KINDS[2],
        }
    }

    /// A scalar argument outside its range.
    pub fn invalid(argument: &'static str, expected: &'static str, found: impl ToString) -> Self {
        Self::InvalidValue {
            argument,
            expected,
            found: found.to_string(),
        }
    }
}

/// Result of a kernel.
pub type Result<T> = std::result::Result<T, Error>;
