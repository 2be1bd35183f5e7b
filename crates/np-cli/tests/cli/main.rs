//! End-to-end tests: they run the built np-cli in a folder of their own.

mod backends;
mod bench;
mod conventions;
mod corrupt;
mod faults;
mod files;
mod listing;
mod report;
mod resume;
mod round_trip;
mod sandbox;
mod signals;
mod streams;
