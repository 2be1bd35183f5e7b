//! A segment: its head, its sections, and both directions between them and the content.

use super::digest::{self, segment_hash};
use super::keys::KeyTable;
use super::layout::{Grid, Packed, Run, plain_ranges};
use super::masks::{Masker, try_each_piece};
use super::residual::{self, RANS_FROM, SparseModels, is_dense, is_exact, is_sparse};
use super::{grid, plain, runs, varint};
use crate::codec::coder::{Coder, Paused, RangeDecoder, RangeEncoder};
use crate::codec::rans;
use crate::error::Error;
use crate::ledger::{Heading, Ledger};
use std::convert::Infallible;
use std::ops::Range;

pub use super::masks::MaskReader;

/// What a segment's head byte says in its two low bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The content, verbatim.
    Stored,
    /// The content as a zstd frame.
    Zstd,
    /// Runs, a block grid, and the rest plain.
    Mixed,
    /// One byte, over and over.
    Fill,
}

/// Head byte: the segment is the file's last.
pub const LAST: u8 = 4;
/// Flag byte of a mixed segment: the plain section is a zstd frame.
pub const PLAIN_ZSTD: u8 = 1;

/// Lengths of the sections of a segment, in bytes, as its head tells them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sections {
    /// The range coded side section (mixed segments).
    pub side: usize,
    /// The rANS section (mixed segments; 0: dense residuals are in the side section).
    pub rans: usize,
    /// The plain section; for other kinds all that is stored of the content.
    pub plain: usize,
}

impl Sections {
    /// Bytes of all sections.
    pub fn total(&self) -> usize {
        self.side + self.rans + self.plain
    }
}

/// Bytes of memory, at most, that a segment of `len` bytes of content takes, coded in `coded` bytes, while it is decoded.
pub(super) fn memory(kind: Kind, len: usize, coded: usize) -> u64 {
    let times = match kind {
        Kind::Stored | Kind::Fill | Kind::Zstd => 1,
        // Content and plain bytes; runs and blocks, of which there is one for 16 bytes at most, with their pieces.
        Kind::Mixed => 6,
    };
    (coded + times * len) as u64 + (1 << 16)
}

/// More than any segment takes (see [`CodedSegment::memory`]).
pub const MEMORY_MAX: u64 = 9 * (super::SEGMENT_MAX as u64 + 64) + (1 << 16);

/// The forms of a segment without runs and blocks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Simple {
    /// The content, verbatim.
    Stored,
    /// The content's zstd frame.
    Zstd(Vec<u8>),
    /// The byte the content consists of.
    Fill(u8),
}

impl Simple {
    /// The smallest of the forms, with zstd at `level`.
    pub fn smallest(content: &[u8], level: i32) -> Self {
        match content {
            [first, rest @ ..] if !rest.is_empty() && rest.iter().all(|b| b == first) => Self::Fill(*first),
            _ => plain::compress_if_smaller(content, level).map_or(Self::Stored, Self::Zstd),
        }
    }

    /// Appends the segment, without its digest.
    pub fn write(&self, out: &mut Vec<u8>, content: &[u8], last: bool) {
        self.write_head(out, content.len(), last);
        match self {
            Self::Stored => out.extend_from_slice(content),
            Self::Zstd(frame) => out.extend_from_slice(frame),
            Self::Fill(byte) => out.push(*byte),
        }
    }

    /// Bytes of the segment, without its digest.
    pub fn bytes(&self, content_bytes: usize) -> usize {
        let mut head = Vec::new();
        self.write_head(&mut head, content_bytes, false);
        head.len()
            + match self {
                Self::Stored => content_bytes,
                Self::Zstd(frame) => frame.len(),
                Self::Fill(_) => 1,
            }
    }

    fn write_head(&self, out: &mut Vec<u8>, content_bytes: usize, last: bool) {
        let kind = match self {
            Self::Stored => Kind::Stored,
            Self::Zstd(_) => Kind::Zstd,
            Self::Fill(_) => Kind::Fill,
        };
        out.push(kind as u8 | if last { LAST } else { 0 });
        varint::put(out, content_bytes as u64);
        if let Self::Zstd(frame) = self {
            varint::put(out, frame.len() as u64);
        }
    }
}

/// What a mixed segment holds, all but the key table: made in parallel, written in order.
#[derive(Clone, Debug)]
pub struct MixedParts {
    runs: Vec<Run>,
    grid: Option<Grid>,
    /// Residuals of the sparse pieces, and of the dense ones when they are few, in order.
    in_side: Vec<(u8, Vec<u8>)>,
    rans: Vec<u8>,
    plain: Vec<u8>,
    plain_is_zstd: bool,
}

impl MixedParts {
    /// Codes all but the side section. `zstd_level` is for the plain bytes.
    pub fn new(content: &[u8], runs: Vec<Run>, grid: Option<Grid>, zstd_level: i32) -> Self {
        let mut residual = Vec::new();
        let mut of_piece: Vec<(u8, Range<usize>)> = Vec::new();
        let mut reader = MaskReader::default();
        let mut masks = Masker::new(&mut reader);
        let Ok(()) = try_each_piece(&runs, grid.as_ref(), |piece| {
            if !is_exact(piece.bias.class) {
                let at = residual.len();
                residual.extend_from_slice(&content[piece.range.clone()]);
                masks.xor(&piece, &mut residual, at);
                of_piece.push((piece.bias.class, at..residual.len()));
            }
            Ok::<(), Infallible>(())
        });
        masks.finish(&mut residual);
        let dense: usize = of_piece.iter().filter(|(c, _)| is_dense(*c)).map(|(_, r)| r.len()).sum();
        let (in_rans, in_side): (Vec<_>, Vec<_>) =
            of_piece.into_iter().partition(|(c, _)| is_dense(*c) && dense >= RANS_FROM);
        let rans = match dense >= RANS_FROM {
            true => rans::encode(in_rans.into_iter().map(|(c, r)| (c, &residual[r]))),
            false => Vec::new(),
        };
        let in_side = in_side.into_iter().map(|(c, r)| (c, residual[r].to_vec())).collect();
        let ranges = plain_ranges(content.len(), &runs, grid.as_ref());
        let verbatim: Vec<u8> = ranges.into_iter().flat_map(|r| content[r].iter().copied()).collect();
        let frame = plain::compress_if_smaller(&verbatim, zstd_level);
        let plain_is_zstd = frame.is_some();
        Self { runs, grid, in_side, rans, plain: frame.unwrap_or(verbatim), plain_is_zstd }
    }

    /// Bytes of everything but the side section and the head: a lower bound of the segment's size.
    pub fn bulk_bytes(&self) -> usize {
        self.rans.len() + self.plain.len()
    }

    /// Appends the segment, without its digest. `keys` takes in the runs' keys.
    pub fn write(&self, out: &mut Vec<u8>, keys: &mut KeyTable, len: usize, last: bool) -> Result<(), Error> {
        let mut coder = RangeEncoder::default();
        runs::code(&mut coder, keys, len, 0, &self.runs)?;
        grid::code(&mut coder, len, 0, &self.runs, self.grid.as_ref(), Vec::new(), |_| false)?;
        let mut sparse = SparseModels::default();
        for (class, residual) in &self.in_side {
            if is_sparse(*class) {
                residual::write_sparse(&mut coder, &mut sparse, residual);
            } else {
                for byte in residual {
                    residual::code_dense(&mut coder, *class, *byte);
                }
            }
        }
        let side = coder.finish();
        out.push(Kind::Mixed as u8 | if last { LAST } else { 0 });
        varint::put(out, len as u64);
        out.push(if self.plain_is_zstd { PLAIN_ZSTD } else { 0 });
        for section in [&side, &self.rans, &self.plain] {
            varint::put(out, section.len() as u64);
        }
        for section in [&side, &self.rans, &self.plain] {
            out.extend_from_slice(section);
        }
        Ok(())
    }
}

/// A segment as read: framed, its run table decoded, its content not yet.
#[derive(Clone, Debug)]
pub struct CodedSegment {
    /// First byte in the packed file.
    pub offset: u64,
    /// First byte in the output.
    pub output_offset: u64,
    /// Content bytes.
    pub len: usize,
    /// Its kind.
    pub kind: Kind,
    /// Whether it is the file's last.
    pub last: bool,
    /// Its runs.
    pub runs: Vec<Run>,
    pub(super) stored: Vec<u8>,
    pub(super) head_bytes: usize,
    pub(super) sections: Sections,
    pub(super) plain_is_zstd: bool,
    pub(super) side: Option<Paused>,
    pub(super) digest: u64,
}

/// A decoded segment, not yet checked against the digest chain.
#[derive(Clone, Debug)]
pub struct Decoded {
    /// The content, unless it is stored: see [`CodedSegment::content`].
    content: Vec<u8>,
    /// Its block layer.
    pub grid: Option<Grid>,
    /// Where its bits went.
    pub ledger: Ledger,
    /// Its own hash, for [`super::reader::Verifier`].
    pub hash: u64,
}

/// Memory to decode a segment into, whatever is in it: new memory costs more than what it is filled with.
#[derive(Clone, Debug, Default)]
pub struct Buffers {
    content: Vec<u8>,
    blocks: Vec<Option<Packed>>,
}

impl Decoded {
    /// What it was decoded into.
    pub fn recycle(self) -> Buffers {
        Buffers { content: self.content, blocks: self.grid.map(|grid| grid.blocks).unwrap_or_default() }
    }
}

impl CodedSegment {
    /// True if a run goes on with a stream that was left in an earlier segment: decoding it after that
    /// one, with the same [`MaskReader`], saves generating the stream from its start.
    pub fn continues(&self) -> bool {
        self.runs.iter().any(|r| r.position > 0)
    }

    /// The digest that stands behind it.
    pub fn digest(&self) -> u64 {
        self.digest
    }

    /// Bytes of memory that holding and decoding it takes, at most.
    pub fn memory(&self) -> u64 {
        memory(self.kind, self.len, self.stored.len())
    }

    /// The content that `decoded`, made of this segment, stands for.
    pub fn content<'a>(&'a self, decoded: &'a Decoded) -> &'a [u8] {
        match self.kind {
            Kind::Stored => &self.stored[self.head_bytes..],
            _ => &decoded.content,
        }
    }

    /// Decodes the content. `masks` may hold the streams an earlier segment left.
    pub fn decode(&self, masks: &mut MaskReader) -> Result<Decoded, Error> {
        self.decode_into(masks, Buffers::default())
    }

    /// [`CodedSegment::decode`] into memory such as [`Decoded::recycle`] gives back.
    pub fn decode_into(&self, masks: &mut MaskReader, buffers: Buffers) -> Result<Decoded, Error> {
        let Buffers { mut content, blocks } = buffers;
        if self.kind != Kind::Mixed {
            content.clear();
        }
        let mut ledger = Ledger::default();
        ledger.book(Heading::Header, self.head_bytes as u64);
        ledger.book(Heading::Checksums, digest::BYTES as u64);
        let Sections { side, rans, plain } = self.sections;
        let sections = &self.stored[self.head_bytes..];
        ledger.book(Heading::Plain, plain as u64);
        match self.kind {
            Kind::Stored => {
                let hash = segment_hash(&self.stored, None);
                Ok(Decoded { content, grid: None, ledger, hash })
            }
            Kind::Zstd => {
                let content = plain::decompress(sections, self.len, self.offset)?;
                let hash = segment_hash(&self.stored, Some(&content));
                Ok(Decoded { content, grid: None, ledger, hash })
            }
            Kind::Fill => {
                content.resize(self.len, sections[0]);
                let hash = segment_hash(&self.stored, Some(&content));
                Ok(Decoded { content, grid: None, ledger, hash })
            }
            Kind::Mixed => {
                ledger.book(Heading::Residual, rans as u64);
                let (side, rest) = sections.split_at(side);
                let (rans, plain) = rest.split_at(rans);
                content.resize(self.len, 0);
                let sections = [side, rans, plain];
                let grid = self.decode_mixed(sections, masks, &mut content, blocks, &mut ledger)?;
                let hash = segment_hash(&self.stored, Some(&content));
                Ok(Decoded { content, grid, ledger, hash })
            }
        }
    }

    /// `content` is as long as the segment, and `room` is a buffer; what they hold does not count.
    fn decode_mixed(
        &self,
        [side, rans, plain]: [&[u8]; 3],
        masks: &mut MaskReader,
        content: &mut [u8],
        room: Vec<Option<Packed>>,
        ledger: &mut Ledger,
    ) -> Result<Option<Grid>, Error> {
        let offset = self.offset;
        let damaged = |what| Error::Damaged { offset, what };
        let paused = self.side.clone().ok_or_else(|| damaged("its side section was not read"))?;
        let mut coder = RangeDecoder::resume(side, paused);
        let grid = grid::code(&mut coder, self.len, offset, &self.runs, None, room, RangeDecoder::overrun)?;

        let ranges = plain_ranges(self.len, &self.runs, grid.as_ref());
        let plain_len: usize = ranges.iter().map(Range::len).sum();
        let unzipped;
        let mut bytes = if self.plain_is_zstd {
            unzipped = plain::decompress(plain, plain_len, offset)?;
            &unzipped[..]
        } else {
            plain
        };
        if bytes.len() != plain_len {
            return Err(damaged("the plain section is not as long as the bytes nothing else explains"));
        }
        for range in ranges {
            let (now, later) = bytes.split_at(range.len());
            content[range].copy_from_slice(now);
            bytes = later;
        }

        let mut rans = match rans {
            [] => None,
            rans => Some(rans::Decoder::new(rans).map_err(|_| damaged("its rANS section is cut short"))?),
        };
        let mut sparse = SparseModels::default();
        let mut masks = Masker::new(masks);
        try_each_piece(&self.runs, grid.as_ref(), |piece| {
            let out = &mut content[piece.range.clone()];
            // Here and not all at once: what is XORed onto it soon finds it in a near cache.
            out.fill(0);
            let class = piece.bias.class;
            if is_sparse(class) {
                residual::xor_sparse(&mut coder, &mut sparse, out, offset)?;
            } else if is_dense(class) {
                match &mut rans {
                    Some(rans) => {
                        rans.xor(class, out).map_err(|_| damaged("its rANS section ends too early"))?
                    }
                    None => {
                        coder.book(Heading::Residual);
                        for byte in out.iter_mut() {
                            *byte ^= residual::code_dense(&mut coder, class, 0);
                        }
                    }
                }
            }
            if coder.overrun() {
                return Err(damaged("its side section ends too early"));
            }
            masks.xor(&piece, content, piece.range.start);
            Ok(())
        })?;
        masks.finish(content);
        if let Some(rans) = rans {
            rans.finish().map_err(|_| damaged("its rANS section does not end where it should"))?;
        }
        ledger.book_coded(coder.spent(), side.len() as u64);
        Ok(grid)
    }
}
