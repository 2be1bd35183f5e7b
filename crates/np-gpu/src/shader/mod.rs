//! Shader texts: the templates of `shaders/`, their shared pieces, and what is generated for W words and a tile.

mod fragment;

use crate::layout::{SHORT_WORDS, WORKGROUP, chunk_blocks, quads};

/// A kernel and everything its text is specialised by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Kernel {
    /// `shaders/mask.wgsl`: masks of 4 to 227 words into the mask buffer.
    Mask {
        /// W.
        words: usize,
    },
    /// `shaders/long_mask.wgsl`: masks of 228 to 1024 words into the mask buffer.
    LongMask {
        /// W.
        words: usize,
    },
    /// `shaders/score.wgsl`: masks of at most 32 words against a chunk of blocks.
    Score {
        /// W.
        words: usize,
    },
    /// `shaders/score_wide.wgsl`: masks of more than 32 words against a chunk of blocks.
    ScoreWide {
        /// W.
        words: usize,
    },
    /// `shaders/fused.wgsl`: masks of at most 32 words made and scored at once.
    Fused {
        /// W.
        words: usize,
    },
    /// `shaders/fused_wide.wgsl`: masks of 33 to 227 words made and scored at once against at most `blocks` blocks.
    FusedWide {
        /// W.
        words: usize,
        /// Blocks: 1, 2, 4 or 8.
        blocks: usize,
    },
    /// `shaders/join.wgsl`: the first words of masks against the table of the blocks' words.
    Join {
        /// Leading words looked at, 1 to 8.
        words: usize,
    },
}

impl Kernel {
    /// The kernel that makes masks of `words` words.
    pub fn mask(words: usize) -> Self {
        if words <= SHORT_WORDS { Self::Mask { words } } else { Self::LongMask { words } }
    }

    /// The kernel that scores masks of `words` words.
    pub fn score(words: usize) -> Self {
        if words <= crate::layout::REGISTER_WORDS { Self::Score { words } } else { Self::ScoreWide { words } }
    }

    /// Name of the entry point, of the shader's file and of its twin.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Mask { .. } => "mask",
            Self::LongMask { .. } => "long_mask",
            Self::Score { .. } => "score",
            Self::ScoreWide { .. } => "score_wide",
            Self::Fused { .. } => "fused",
            Self::FusedWide { .. } => "fused_wide",
            Self::Join { .. } => "join",
        }
    }

    /// W, or the words a join looks at.
    pub const fn words(self) -> usize {
        match self {
            Self::Mask { words }
            | Self::LongMask { words }
            | Self::Score { words }
            | Self::ScoreWide { words }
            | Self::Fused { words }
            | Self::FusedWide { words, .. }
            | Self::Join { words } => words,
        }
    }

    /// Masks a thread works on.
    pub const fn tile(self) -> usize {
        match self {
            Self::Score { words } if words <= 8 => 8,
            Self::Score { words } if words <= 16 => 4,
            Self::Score { .. } | Self::ScoreWide { .. } | Self::FusedWide { .. } => 2,
            Self::Mask { .. } => 4,
            Self::Fused { words } if words <= 16 => 4,
            Self::Fused { .. } => 2,
            Self::LongMask { .. } | Self::Join { .. } => 1,
        }
    }

    /// Running weights a thread keeps for each of its masks, in the kernels that stream words.
    const fn block_tile(self) -> usize {
        match self {
            Self::FusedWide { blocks, .. } => blocks,
            _ => 8,
        }
    }

    const fn template(self) -> &'static str {
        match self {
            Self::Mask { .. } => include_str!("../../../../shaders/mask.wgsl"),
            Self::LongMask { .. } => include_str!("../../../../shaders/long_mask.wgsl"),
            Self::Score { .. } => include_str!("../../../../shaders/score.wgsl"),
            Self::ScoreWide { .. } => include_str!("../../../../shaders/score_wide.wgsl"),
            Self::Fused { .. } => include_str!("../../../../shaders/fused.wgsl"),
            Self::FusedWide { .. } => include_str!("../../../../shaders/fused_wide.wgsl"),
            Self::Join { .. } => include_str!("../../../../shaders/join.wgsl"),
        }
    }

    /// The whole WGSL text.
    pub fn text(self) -> String {
        assemble(self.template(), |name| self.value(name))
    }

    /// What stands for `{{name}}`.
    fn value(self, name: &str) -> String {
        let words = self.words();
        match name {
            "WORDS" => words.to_string(),
            "WORKGROUP" => WORKGROUP.to_string(),
            "QUADS" => quads(words).to_string(),
            "WHOLE_QUADS" => fragment::whole_quads(words).to_string(),
            "CHUNK_BLOCKS" => chunk_blocks(words).to_string(),
            "CHUNK_QUADS" => (chunk_blocks(words) * quads(words)).to_string(),
            "SEEDED" => words.min(623).to_string(),
            "TILE" => self.tile().to_string(),
            "TILE_SEEDS" => (self.tile() * WORKGROUP as usize).to_string(),
            "BLOCK_TILE" => self.block_tile().to_string(),
            "STREAM_BEGIN" => fragment::stream_begin(self.tile()),
            "STREAM_STORE" => fragment::stream_store(words, self.tile()),
            "STREAM_GROUP" => fragment::stream_weigh(words, self.tile(), self.block_tile(), true),
            "STREAM_REST" => fragment::stream_weigh(words, self.tile(), self.block_tile(), false),
            "TEMPER_IN_PLACE" => fragment::temper_in_place(words),
            "SHORT_MASK" => fragment::short_mask(words, self.tile()),
            "JOIN_WORDS" => fragment::short_words(words, 1),
            "ANY_HELD" => fragment::any_held(words),
            "LOAD_MASKS" => fragment::load_masks(words, self.tile()),
            "LOAD_BLOCK" => fragment::load_block(words),
            "WEIGH_TILE" => fragment::weigh_tile(words, self.tile()),
            "SPAN" => SPAN.to_string(),
            "WEIGH_AGAIN" => fragment::weigh_again(words),
            "ANY_WEIGHT" => fragment::any_weight(self.tile(), self.block_tile(), "b"),
            "ANY_HIT" => fragment::any_hit(self.tile()),
            "WEIGHTS" => fragment::weights(self.tile(), self.block_tile()),
            "WEIGH_GROUP" => fragment::weigh_group(words, self.tile(), self.block_tile(), true),
            "WEIGH_REST" => fragment::weigh_group(words, self.tile(), self.block_tile(), false),
            "REPORT_TILE" => match self {
                Self::Score { .. } | Self::Fused { .. } => fragment::report_tile(self.tile()),
                _ => fragment::report_weights(self.tile(), self.block_tile()),
            },
            other => unreachable!("no value for {{{{{other}}}}}"),
        }
    }
}

/// Blocks a thread scores before it looks whether any was a hit.
const SPAN: usize = 16;

/// The shared pieces, by the name they are included under.
const SHARED: [(&str, &str); 5] = [
    ("shared/blocks.wgsl", include_str!("../../../../shaders/shared/blocks.wgsl")),
    ("shared/job.wgsl", include_str!("../../../../shaders/shared/job.wgsl")),
    ("shared/mt19937.wgsl", include_str!("../../../../shaders/shared/mt19937.wgsl")),
    ("shared/roof.wgsl", include_str!("../../../../shaders/shared/roof.wgsl")),
    ("shared/weigh.wgsl", include_str!("../../../../shaders/shared/weigh.wgsl")),
];

/// Puts shared pieces for `//#include` lines and values for `{{NAME}}`.
pub(crate) fn assemble(template: &str, value: impl Fn(&str) -> String) -> String {
    let mut text = String::new();
    for line in template.lines() {
        match line.strip_prefix("//#include ") {
            Some(name) => {
                let piece = SHARED.iter().find(|(shared, _)| *shared == name);
                text.push_str(piece.unwrap_or_else(|| unreachable!("no shared piece {name}")).1);
            }
            None => text.push_str(line),
        }
        text.push('\n');
    }
    let mut out = String::new();
    let mut rest = text.as_str();
    while let Some((before, after)) = rest.split_once("{{") {
        let (name, after) = after.split_once("}}").unwrap_or_else(|| unreachable!("an unclosed {{{{"));
        out.push_str(before);
        out.push_str(&value(name));
        rest = after;
    }
    out.push_str(rest);
    out
}
