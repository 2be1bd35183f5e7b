//! Reads a packed file segment by segment, within limits, and checks the digest chain.

use super::digest::{self, Chain};
use super::keys::{self, KeyTable};
use super::layout::Run;
use super::runs;
use super::segment::{CodedSegment, Decoded, Kind, LAST, PLAIN_ZSTD, Sections, memory};
use super::{MAGIC, SEGMENT_MAX, VERSION, varint};
use crate::codec::coder::{Paused, RangeDecoder};
use crate::error::Error;
use std::io::{self, BufRead, Read, Seek};

/// Bytes of the file header.
pub const HEADER_BYTES: usize = MAGIC.len() + 1;

/// The header of every file of this version.
pub const HEADER: [u8; HEADER_BYTES] = [MAGIC[0], MAGIC[1], MAGIC[2], VERSION];

/// What a file may ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Most output bytes.
    pub max_output: u64,
    /// Most stream bytes generated only to be skipped; each stream that a run begins anew counts as some, too.
    pub max_skip: u64,
    /// Most bytes of memory for the key table and for one segment, coded and decoded, by a cautious estimate.
    pub max_memory: u64,
}

impl Default for Limits {
    /// 64 GiB of output and 64 GiB of skipped stream, half a minute's work each; 4 GiB of memory, which is more
    /// than one segment and the largest key table need.
    fn default() -> Self {
        Self { max_output: 64 << 30, max_skip: 64 << 30, max_memory: 4 << 30 }
    }
}

impl Limits {
    /// What the packer keeps to, so that a file it makes unpacks with default limits but for its size.
    pub fn default_for_packing() -> Self {
        Self { max_output: u64::MAX, ..Self::default() }
    }

    /// No limits but the format's own.
    pub const NONE: Self = Self { max_output: u64::MAX, max_skip: u64::MAX, max_memory: u64::MAX };
}

/// Reading failed, or what was read is not right.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The input could not be read.
    #[error("cannot read: {0}")]
    Io(#[from] io::Error),
    /// The packed file is not right.
    #[error(transparent)]
    Format(#[from] Error),
}

const MEMORY: &str = "the memory for a segment and the keys";

/// What a segment's head says.
struct Head {
    kind: Kind,
    last: bool,
    len: usize,
    sections: Sections,
    plain_is_zstd: bool,
}

/// What the heads and run tables of a whole packed file claim is within `limits`: a file that claims too much at
/// its end is refused before anything of it is decoded. Sections are passed over, not read. Damage is not
/// looked for and ends the survey: decoding tells of it, and comes no further either.
pub fn survey(mut input: impl BufRead + Seek, limits: Limits) -> Result<(), Error> {
    let mut header = [0; HEADER_BYTES];
    if input.read_exact(&mut header).is_err() || header != HEADER {
        return Ok(());
    }
    let mut frames = Frames::new(limits);
    let mut step = || -> Result<bool, ReadError> {
        let offset = frames.offset;
        let mut stored = Vec::new();
        let head = frames.read_head(&mut input, &mut stored)?;
        let mut rest = head.sections.total() + digest::BYTES;
        if head.kind == Kind::Mixed {
            let mut side = Vec::new();
            frames.read(&mut input, &mut side, head.sections.side, "a side section")?;
            frames.read_runs(&side, head.len, offset)?;
            rest -= side.len();
        }
        input.seek_relative(rest as i64)?;
        frames.offset += rest as u64;
        frames.output += head.len as u64;
        Ok(!head.last)
    };
    loop {
        match step() {
            Ok(true) => {}
            Err(ReadError::Format(
                error @ (Error::OverLimit { .. } | Error::OutOfRange { what: keys::TOO_MANY, .. }),
            )) => return Err(error),
            Ok(false) | Err(_) => return Ok(()),
        }
    }
}

/// Yields the segments of a packed file.
#[derive(Debug)]
pub struct SegmentReader<R> {
    input: R,
    frames: Frames,
    done: bool,
}

/// What reading a segment needs to know of those before it.
#[derive(Clone, Debug)]
pub(crate) struct Frames {
    pub(crate) keys: KeyTable,
    limits: Limits,
    offset: u64,
    output: u64,
    /// Buffers of segments that are done with.
    spare: Vec<Vec<u8>>,
}

/// Buffers kept for segments to come.
const SPARE: usize = 64;

impl Frames {
    /// Behind the file header.
    pub(crate) fn new(limits: Limits) -> Self {
        Self { keys: KeyTable::default(), limits, offset: HEADER_BYTES as u64, output: 0, spare: Vec::new() }
    }

    /// Takes back the buffer of a segment that is done with: new memory costs more than what it is filled with.
    pub(crate) fn recycle(&mut self, segment: CodedSegment) {
        if self.spare.len() < SPARE {
            self.spare.push(segment.stored);
        }
    }

    /// Whether a file with these keys is within the limits.
    pub(crate) fn affords(&self, keys: &KeyTable) -> bool {
        keys.skipped() <= self.limits.max_skip && keys.memory() <= self.limits.max_memory
    }
}

impl<R: BufRead> SegmentReader<R> {
    /// Reads the file header.
    pub fn new(mut input: R, limits: Limits) -> Result<Self, ReadError> {
        let mut header = Vec::new();
        (&mut input).take(HEADER_BYTES as u64).read_to_end(&mut header)?;
        let known = header.len().min(MAGIC.len());
        if header.is_empty() || header[..known] != MAGIC[..known] {
            return Err(Error::NotPacked { found: header, expected: MAGIC }.into());
        }
        match header.get(MAGIC.len()) {
            None => Err(Error::Truncated { offset: header.len() as u64, what: "the file header" }.into()),
            Some(&version) if version != VERSION => {
                Err(Error::UnknownVersion { version, known: VERSION }.into())
            }
            Some(_) => Ok(Self { input, frames: Frames::new(limits), done: false }),
        }
    }

    /// The next segment, or `None` after the last, once the input has ended there.
    pub fn next_segment(&mut self) -> Result<Option<CodedSegment>, ReadError> {
        if self.done {
            return Ok(None);
        }
        let segment = self.frames.read_segment(&mut self.input)?;
        if segment.last {
            self.done = true;
            let rest = self.input.fill_buf()?;
            if !rest.is_empty() {
                let packed = rest.starts_with(&MAGIC);
                let what = if packed { "another packed file begins" } else { "there is more data" };
                return Err(Error::TrailingData { offset: self.frames.offset, what }.into());
            }
        }
        Ok(Some(segment))
    }
}

impl<R> SegmentReader<R> {
    /// Takes back what a segment that is done with holds, to read another into.
    pub fn recycle(&mut self, segment: CodedSegment) {
        self.frames.recycle(segment);
    }
}

impl Frames {
    /// Reads a segment and decodes its run table.
    pub(crate) fn read_segment(&mut self, input: &mut impl BufRead) -> Result<CodedSegment, ReadError> {
        let offset = self.offset;
        let mut stored = self.spare.pop().unwrap_or_default();
        stored.clear();
        let Head { kind, last, len, sections, plain_is_zstd } = self.read_head(input, &mut stored)?;
        let head_bytes = stored.len();
        self.read(input, &mut stored, sections.total(), "a segment's sections")?;
        let mut digest = Vec::new();
        self.read(input, &mut digest, digest::BYTES, "a segment's digest")?;
        let digest = digest.iter().rev().fold(0, |d, b| d << 8 | u64::from(*b));
        let (mut runs, mut side) = (Vec::new(), None);
        if kind == Kind::Mixed {
            let paused;
            (runs, paused) = self.read_runs(&stored[head_bytes..head_bytes + sections.side], len, offset)?;
            side = Some(paused);
        }
        let output_offset = self.output;
        self.output += len as u64;
        Ok(CodedSegment {
            offset,
            output_offset,
            len,
            kind,
            last,
            runs,
            stored,
            head_bytes,
            sections,
            plain_is_zstd,
            side,
            digest,
        })
    }

    /// Reads a segment's head and checks what it claims; `stored` takes in its bytes.
    fn read_head(&mut self, input: &mut impl BufRead, stored: &mut Vec<u8>) -> Result<Head, ReadError> {
        let offset = self.offset;
        let head = self.byte(input, stored, "a segment's head (the last segment has not been seen)")?;
        let unknown = |what, value: u8| Error::UnknownFlag { offset, what, value: value.into() };
        if head & !(3 | LAST) != 0 {
            return Err(unknown("head byte", head).into());
        }
        let kind = match head & 3 {
            0 => Kind::Stored,
            1 => Kind::Zstd,
            2 => Kind::Mixed,
            _ => Kind::Fill,
        };
        let last = head & LAST != 0;
        let len = self.varint(input, stored, "a segment's length", SEGMENT_MAX)?;
        if len == 0 && !(last && self.output == 0 && kind == Kind::Stored) {
            return Err(Error::Damaged { offset, what: "it is empty" }.into());
        }
        // No section can be longer than this without being larger than the content stored.
        let most = len + 64;
        let mut sections = Sections::default();
        let mut plain_is_zstd = false;
        match kind {
            Kind::Stored => sections.plain = len,
            Kind::Fill => sections.plain = 1,
            Kind::Zstd => sections.plain = self.varint(input, stored, "the length of a zstd frame", most)?,
            Kind::Mixed => {
                let flags = self.byte(input, stored, "a segment's flags")?;
                if flags & !PLAIN_ZSTD != 0 {
                    return Err(unknown("flag byte", flags).into());
                }
                plain_is_zstd = flags & PLAIN_ZSTD != 0;
                sections.side = self.varint(input, stored, "the length of a side section", most)?;
                sections.rans = self.varint(input, stored, "the length of a rANS section", most)?;
                sections.plain = self.varint(input, stored, "the length of a plain section", most)?;
            }
        }
        let output = self.output + len as u64;
        self.over(offset, "the output", output, self.limits.max_output, "--max-output")?;
        let memory = self.keys.memory() + memory(kind, len, sections.total());
        self.over(offset, MEMORY, memory, self.limits.max_memory, "--memory-limit")?;
        Ok(Head { kind, last, len, sections, plain_is_zstd })
    }

    /// The run table of a mixed segment of `len` bytes, and where its side section goes on.
    fn read_runs(&mut self, side: &[u8], len: usize, offset: u64) -> Result<(Vec<Run>, Paused), Error> {
        let mut coder = RangeDecoder::new(side);
        let runs = runs::code_checked(&mut coder, &mut self.keys, len, offset)?;
        let skipped = self.keys.skipped();
        let skip = "what is generated only to be skipped";
        self.over(offset, skip, skipped, self.limits.max_skip, "--max-skip")?;
        self.over(offset, MEMORY, self.keys.memory(), self.limits.max_memory, "--memory-limit")?;
        Ok((runs, coder.pause()))
    }

    fn over(
        &self,
        offset: u64,
        what: &'static str,
        found: u64,
        limit: u64,
        option: &'static str,
    ) -> Result<(), Error> {
        if found > limit { Err(Error::OverLimit { offset, what, found, limit, option }) } else { Ok(()) }
    }

    /// Appends `len` bytes of input to `out`.
    fn read(
        &mut self,
        input: &mut impl BufRead,
        out: &mut Vec<u8>,
        len: usize,
        what: &'static str,
    ) -> Result<(), ReadError> {
        let before = out.len();
        // At most a section of a segment: the caller has checked it against the format's limits.
        out.reserve(len);
        input.take(len as u64).read_to_end(out)?;
        let got = out.len() - before;
        self.offset += got as u64;
        if got < len { Err(Error::Truncated { offset: self.offset, what }.into()) } else { Ok(()) }
    }

    fn byte(
        &mut self,
        input: &mut impl BufRead,
        out: &mut Vec<u8>,
        what: &'static str,
    ) -> Result<u8, ReadError> {
        self.read(input, out, 1, what)?;
        Ok(out[out.len() - 1])
    }

    fn varint(
        &mut self,
        input: &mut impl BufRead,
        out: &mut Vec<u8>,
        what: &'static str,
        limit: usize,
    ) -> Result<usize, ReadError> {
        let offset = self.offset;
        let mut value = 0;
        for index in 0.. {
            let byte = self.byte(input, out, what)?;
            match varint::step(&mut value, index, byte) {
                None => {}
                Some(Ok(found)) if found <= limit as u64 => return Ok(found as usize),
                Some(Ok(found)) => {
                    return Err(Error::OutOfRange { offset, what, found, limit: limit as u64 }.into());
                }
                Some(Err(())) => break,
            }
        }
        Err(Error::Damaged { offset, what: "a length is not a shortest varint" }.into())
    }
}

/// Checks decoded segments, in order, against the digest chain.
#[derive(Clone, Debug)]
pub struct Verifier {
    chain: Chain,
}

impl Default for Verifier {
    fn default() -> Self {
        Self { chain: Chain::new(&HEADER) }
    }
}

impl Verifier {
    /// The next segment of the file is what was packed, and so is all before it.
    pub fn accept(&mut self, segment: &CodedSegment, decoded: &Decoded) -> Result<(), Error> {
        let expected = self.chain.accept(decoded.hash);
        if segment.digest == expected {
            Ok(())
        } else {
            Err(Error::Digest { offset: segment.offset, found: segment.digest, expected })
        }
    }
}
