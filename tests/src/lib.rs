//! Properties of the packer, and inputs to try them on: what the tests of all crates, and the fuzzers, share.
//!
//! One property, many callers: a caller brings bytes, a function of [`properties`] panics if the packer
//! breaks its promise on them. [`craft`] builds packed files by hand, for what no search has to find first.

pub mod apart;
pub mod bombs;
pub mod craft;
pub mod golden;
pub mod golden_files;
pub mod inputs;
pub mod properties;
