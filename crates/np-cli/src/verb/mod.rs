//! One file a verb.

pub mod bench;
pub mod completions;
pub mod devices;
pub mod info;
pub mod man;
pub mod mine;
pub mod pack;
pub mod report;
pub mod selftest;
pub mod unpack;
pub mod verify;
