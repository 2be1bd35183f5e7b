//! Entropy coding: the adaptive binary range coder, its models, and rANS for dense residuals.

pub mod coder;
pub mod mix;
pub mod model;

pub mod rans;
