//! The file by stretches of equal length: what explains the bytes of each, and how many bits are flipped.

use std::ops::Range;

/// What explains a byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Nothing: bytes with a pattern of their own, left to zstd.
    Plain,
    /// Nothing: bytes that look like noise.
    Noise,
    /// A run of a generator's stream.
    Run,
    /// The seed of a packed block.
    Seed,
}

impl Kind {
    /// All of them, in the order of legends.
    pub const ALL: [Self; 4] = [Self::Plain, Self::Noise, Self::Run, Self::Seed];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Noise => "raw noise",
            Self::Run => "run",
            Self::Seed => "seed",
        }
    }

    /// Its name in style sheets.
    pub const fn class(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Noise => "noise",
            Self::Run => "run",
            Self::Seed => "seed",
        }
    }
}

/// A stretch of the file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cell {
    bytes: [u64; 4],
    /// Bits that a generator's were compared with, and those that differ.
    compared: u64,
    flips: u64,
}

impl Cell {
    /// Joins another to it.
    pub fn add(&mut self, other: &Self) {
        for (a, b) in self.bytes.iter_mut().zip(other.bytes) {
            *a += b;
        }
        self.compared += other.compared;
        self.flips += other.flips;
    }

    /// Its bytes of a kind.
    pub fn of(&self, kind: Kind) -> u64 {
        self.bytes[kind as usize]
    }

    /// All its bytes.
    pub fn len(&self) -> u64 {
        self.bytes.iter().sum()
    }

    /// The kind most of its bytes are of.
    pub fn kind(&self) -> Kind {
        // Of two with as many bytes the last: the one that is found, not the one that is left.
        Kind::ALL.into_iter().max_by_key(|kind| self.of(*kind)).unwrap_or(Kind::Plain)
    }

    /// Share of the bits that differ from the generator's; `None` where there is none.
    pub fn flip_rate(&self) -> Option<f64> {
        (self.compared > 0).then(|| self.flips as f64 / self.compared as f64)
    }

    /// 0 for no flips, to 4 for a quarter and more.
    pub fn flip_level(&self) -> usize {
        let rate = self.flip_rate().unwrap_or(0.0);
        [0.0, 0.02, 0.08, 0.25].iter().take_while(|limit| rate > **limit).count()
    }
}

/// All cells, each of as many bytes. When there would be too many, neighbours are joined, two and two.
#[derive(Clone, Debug)]
pub struct Cells {
    cell_bytes: u64,
    most: usize,
    cells: Vec<Cell>,
}

impl Cells {
    /// Cells of `cell_bytes` at first, at most `most` of them (an even number).
    pub fn new(cell_bytes: u64, most: usize) -> Self {
        Self { cell_bytes, most, cells: Vec::new() }
    }

    /// Bytes of a cell; the last may be shorter.
    pub fn cell_bytes(&self) -> u64 {
        self.cell_bytes
    }

    /// The cells, in order.
    pub fn cells(&self) -> &[Cell] {
        &self.cells
    }

    /// The bytes of `range` are of `kind`. `residual`: where a generator explains them, what differs.
    pub fn paint(&mut self, range: Range<u64>, kind: Kind, residual: Option<&[u8]>) {
        let mut at = range.start;
        while at < range.end {
            let cell_bytes = self.reach(at);
            let end = range.end.min((at / cell_bytes + 1) * cell_bytes);
            let cell = &mut self.cells[(at / cell_bytes) as usize];
            cell.bytes[kind as usize] += end - at;
            if let Some(residual) = residual {
                let here = &residual[(at - range.start) as usize..(end - range.start) as usize];
                cell.compared += 8 * here.len() as u64;
                cell.flips += here.iter().map(|byte| u64::from(byte.count_ones())).sum::<u64>();
            }
            at = end;
        }
    }

    /// Makes sure that there is a cell for byte `at`, and returns the bytes of a cell.
    fn reach(&mut self, at: u64) -> u64 {
        while at / self.cell_bytes >= self.most as u64 {
            self.halve();
        }
        let count = (at / self.cell_bytes) as usize + 1;
        if self.cells.len() < count {
            self.cells.resize(count, Cell::default());
        }
        self.cell_bytes
    }

    fn halve(&mut self) {
        self.cells = self
            .cells
            .chunks(2)
            .map(|pair| {
                let mut cell = pair[0];
                pair[1..].iter().for_each(|other| cell.add(other));
                cell
            })
            .collect();
        self.cell_bytes *= 2;
    }

    /// The same file in at most `most` cells.
    pub fn coarser(&self, most: usize) -> Self {
        let mut coarse = self.clone();
        while coarse.cells.len() > most {
            coarse.halve();
        }
        coarse
    }

    /// Bytes of a kind in all.
    pub fn total(&self, kind: Kind) -> u64 {
        self.cells.iter().map(|cell| cell.of(kind)).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_and_flips_are_the_same_however_coarse() {
        let residual: Vec<u8> = (0..100).collect();
        let flips: u64 = residual.iter().map(|byte| u64::from(byte.count_ones())).sum();
        for most in [2, 4, 64] {
            let mut cells = Cells::new(8, most);
            cells.paint(0..50, Kind::Plain, None);
            cells.paint(50..150, Kind::Run, Some(&residual));
            cells.paint(150..161, Kind::Noise, None);
            assert!(cells.cells().len() <= most);
            assert_eq!(Kind::ALL.map(|kind| cells.total(kind)), [50, 11, 100, 0]);
            assert_eq!(cells.cells().iter().map(Cell::len).sum::<u64>(), 161);
            let seen = cells.cells().iter().fold((0, 0), |(c, f), cell| (c + cell.compared, f + cell.flips));
            assert_eq!(seen, (800, flips));
            assert_eq!(cells.coarser(2).total(Kind::Run), 100);
        }
    }

    #[test]
    fn a_cell_is_of_the_kind_most_of_it_is() {
        let mut cells = Cells::new(64, 8);
        cells.paint(0..30, Kind::Plain, None);
        cells.paint(30..64, Kind::Seed, Some(&[0; 34]));
        cells.paint(64..128, Kind::Run, Some(&[1; 64]));
        assert_eq!(cells.cells()[0].kind(), Kind::Seed);
        assert_eq!((cells.cells()[0].flip_rate(), cells.cells()[0].flip_level()), (Some(0.0), 0));
        assert_eq!((cells.cells()[1].flip_rate(), cells.cells()[1].flip_level()), (Some(0.125), 3));
        assert_eq!(Cell::default().flip_rate(), None);
    }
}
