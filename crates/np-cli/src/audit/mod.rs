//! The audit: the proof of concept's accounts, the same accounts paid in full, and what chance allows.
//!
//! Nothing here decides a bit of a packed file, so floating point is welcome: the proof of concept reckoned in
//! doubles, and so does its audit.

pub mod binomial;
pub mod extreme;
pub mod folds;
pub mod paid;
pub mod planted;
pub mod proof_of_concept;
pub mod tests_of_chance;
