//! Faults on purpose: what tests make go wrong in an open device.

/// What is to go wrong.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// Nothing.
    #[default]
    None,
    /// The device is destroyed before its submission number `after` (the first is 0).
    Lost {
        /// Submissions that still run.
        after: u64,
    },
    /// Every shader has `from` replaced by `to` in its text. Nothing is replaced where `from` does not occur.
    Broken {
        /// Text to look for.
        from: &'static str,
        /// What stands there instead.
        to: &'static str,
    },
}
