//! Plain bytes through zstd: a frame without magic number, content size or checksum (RFC 8878).

use crate::error::Error;
use zstd_safe::{CCtx, CParameter, DCtx, DParameter, FrameFormat};

/// Largest window a frame may ask for: a segment.
const WINDOW_LOG_MAX: u32 = super::SEGMENT_MAX.ilog2();

/// `data` as a zstd frame, or `None` if zstd fails (out of memory): it is then kept verbatim.
pub fn compress(data: &[u8], level: i32) -> Option<Vec<u8>> {
    let mut context = CCtx::try_create()?;
    let window = usize::BITS - data.len().max(1024).saturating_sub(1).leading_zeros();
    let parameters = [
        CParameter::CompressionLevel(level),
        CParameter::Format(FrameFormat::Magicless),
        CParameter::ContentSizeFlag(false),
        CParameter::ChecksumFlag(false),
        CParameter::WindowLog(window.clamp(10, WINDOW_LOG_MAX)),
    ];
    for parameter in parameters {
        context.set_parameter(parameter).ok()?;
    }
    let mut out = Vec::with_capacity(zstd_safe::compress_bound(data.len()));
    context.compress2(&mut out, data).ok()?;
    out.shrink_to_fit();
    Some(out)
}

/// Level of the trial that tells whether the real level is worth its time.
const TRIAL_LEVEL: i32 = 1;
/// Below this many bytes there is no trial.
const TRIAL_FROM: usize = 1 << 18;

/// The size of `data` at a fast level.
pub fn trial_size(data: &[u8]) -> Option<usize> {
    compress(data, TRIAL_LEVEL).map(|frame| frame.len())
}

/// No frame of `len` bytes is smaller: each block, of 128 KiB at most, has a head of three bytes and one more.
pub fn least_size(len: usize) -> usize {
    4 * len.div_ceil(128 << 10)
}

/// `data` as a zstd frame if that is smaller than `data` itself.
pub fn compress_if_smaller(data: &[u8], level: i32) -> Option<Vec<u8>> {
    if data.is_empty() {
        return None;
    }
    if data.len() >= TRIAL_FROM && level > TRIAL_LEVEL {
        let trial = compress(data, TRIAL_LEVEL)?;
        // Incompressible data grows by the frame's block headers; anything else is worth the real level.
        if trial.len() >= data.len() {
            return None;
        }
    }
    compress(data, level).filter(|frame| frame.len() < data.len())
}

/// The `len` bytes of a frame. `offset`: the segment's, for errors.
pub fn decompress(frame: &[u8], len: usize, offset: u64) -> Result<Vec<u8>, Error> {
    let damaged = Error::Damaged { offset, what: "its zstd frame cannot be decoded" };
    let mut context = DCtx::create();
    for parameter in [DParameter::Format(FrameFormat::Magicless), DParameter::WindowLogMax(WINDOW_LOG_MAX)] {
        context.set_parameter(parameter).map_err(|_| damaged.clone())?;
    }
    let mut out = Vec::with_capacity(len);
    match context.decompress(&mut out, frame) {
        Ok(n) if n == len => Ok(out),
        _ => Err(damaged),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_frame_is_smaller_than_the_least() {
        for len in [0, 1, 1000, 128 << 10, 128 << 10 | 1, 5 << 20] {
            for level in [1, 6, 19] {
                let size = compress(&vec![7; len], level).unwrap().len();
                assert!(size >= least_size(len), "{len} bytes, level {level}: {size}");
            }
        }
    }

    #[test]
    fn frames_have_no_fat_and_come_back() {
        for len in [0usize, 1, 100, 5000, 300_000] {
            let data: Vec<u8> = (0..len).map(|i| (i / 7) as u8).collect();
            let frame = compress(&data, 19).unwrap();
            assert_eq!(decompress(&frame, len, 0).unwrap(), data);
            assert!(decompress(&frame, len + 1, 0).is_err());
            if len > 0 {
                assert!(decompress(&frame, len - 1, 0).is_err());
            }
        }
        assert!(decompress(&[1, 2, 3], 10, 0).is_err());
        assert!(compress(&[0; 1000], 19).unwrap().len() < 20);
    }
}
