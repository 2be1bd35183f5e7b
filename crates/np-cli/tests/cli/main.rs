//! End-to-end tests: they run the built np-cli in a folder of their own.

mod backends;
mod bench;
mod conventions;
mod corrupt;
mod files;
mod listing;
mod report;
mod round_trip;
mod sandbox;
mod signals;
mod streams;
