//! Binding of `nanospa_core::reconstruct`.
