//! The command line's definition: verbs, and the options that several verbs share.

use crate::backend::Choice;
use crate::exit::Usage;
use crate::verb;
use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches, Parser, Subcommand};
use np_core::block::BlockBits;
use np_core::format::SEGMENT_MAX;
use np_core::format::reader::Limits;
use np_core::miner::Miner;
use np_core::pack::Options;

/// A lossless packer for data that looks like noise: it looks for the generator behind it.
#[derive(Debug, Parser)]
#[command(name = "np-cli", version, max_term_width = 100, after_help = EXIT_CODES)]
pub struct Cli {
    #[command(subcommand)]
    pub verb: Verb,
}

const EXIT_CODES: &str = "Exit codes: 0 done; 1 failed; 2 wrong usage; 3 two backends disagree; \
    130 stopped by Ctrl-C, SIGTERM or SIGHUP (nothing half-written is left behind).";

/// One a file in `verb/`.
#[derive(Debug, Subcommand)]
pub enum Verb {
    Pack(verb::pack::Pack),
    Unpack(verb::unpack::Unpack),
    Verify(verb::verify::Verify),
    Info(verb::info::Info),
    Mine(verb::mine::Mine),
    Bench(verb::bench::Bench),
    Report(verb::report::Report),
    Devices(verb::devices::Devices),
    Selftest(verb::selftest::SelfTest),
    Completions(verb::completions::Completions),
    Man(verb::man::Man),
}

impl Verb {
    /// Does what was asked.
    pub fn run(self) -> anyhow::Result<()> {
        match self {
            Self::Pack(verb) => verb.run(),
            Self::Unpack(verb) => verb.run(),
            Self::Verify(verb) => verb.run(),
            Self::Info(verb) => verb.run(),
            Self::Mine(verb) => verb.run(),
            Self::Bench(verb) => verb.run(),
            Self::Report(verb) => verb.run(),
            Self::Devices(verb) => verb.run(),
            Self::Selftest(verb) => verb.run(),
            Self::Completions(verb) => verb.run(),
            Self::Man(verb) => verb.run(),
        }
    }
}

/// How much is said.
#[derive(Args, Clone, Copy, Debug, Default)]
pub struct Talk {
    /// Say nothing but errors
    #[arg(short, long, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Say more: the ledger, and what is done to which file
    #[arg(short, long)]
    pub verbose: bool,
}

/// How many threads work.
#[derive(Args, Clone, Copy, Debug)]
pub struct Threads {
    /// Working threads; 0 for one a core, 1 for one thing at a time. The output does not depend on it
    #[arg(short = 'T', long, value_name = "N", default_value_t = 0)]
    pub threads: usize,
}

impl Threads {
    /// Fixes the number of threads of everything this process does, and returns it.
    pub fn set_up(self) -> anyhow::Result<usize> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let threads = if self.threads == 0 { cores } else { self.threads };
        rayon::ThreadPoolBuilder::new().num_threads(threads).build_global()?;
        Ok(threads)
    }
}

/// Where the output goes, and what becomes of the input.
#[derive(Args, Clone, Debug)]
pub struct Files {
    /// Input files; `-` is the standard input, and so is none at all unless it is a terminal
    #[arg(value_name = "FILE")]
    pub files: Vec<std::path::PathBuf>,
    /// Write to OUT; `-` is the standard output
    #[arg(short, long, value_name = "OUT", conflicts_with = "stdout")]
    pub output: Option<std::path::PathBuf>,
    /// Write to the standard output
    #[arg(short = 'c', long, alias = "to-stdout")]
    pub stdout: bool,
    /// Overwrite the output; write packed data to a terminal; remove a link's name with --rm
    #[arg(short, long)]
    pub force: bool,
    /// Keep the input file (the default)
    #[arg(short, long, overrides_with = "rm")]
    pub keep: bool,
    /// Remove the input file once the output was read back, synced to the disk and named
    #[arg(long, overrides_with = "keep")]
    pub rm: bool,
}

impl Files {
    /// Refuses what contradicts itself. `joined`: outputs can follow each other on the standard output.
    pub fn check(&self, joined: bool) -> anyhow::Result<()> {
        let to_stdout = self.stdout || self.output.as_deref().is_some_and(is_dash);
        if self.output.is_some() && self.files.len() > 1 {
            return Err(Usage::error("-o names one output, but there are several inputs; leave -o out"));
        }
        if to_stdout && self.files.len() > 1 && !joined {
            return Err(Usage::error("packed files cannot be joined on one output; pack them one by one"));
        }
        if self.rm && to_stdout {
            return Err(Usage::error(
                "--rm needs an output that can be read back, not the standard output; leave --rm or -c out",
            ));
        }
        if self.files.iter().filter(|f| is_dash(f)).count() > 1 {
            return Err(Usage::error("the standard input (-) is named twice"));
        }
        Ok(())
    }
}

/// True for `-`.
pub fn is_dash(path: &std::path::Path) -> bool {
    path.as_os_str() == "-"
}

/// What is spent on the search, and how the input is cut.
#[derive(Args, Clone, Debug)]
pub struct Search {
    #[command(flatten)]
    pub level: Level,
    /// Bits of a block, a multiple of 32 from 128 to 32768 [default: 512, or what records that are found turn out to have]
    #[arg(long, value_name = "N", value_parser = block_bits)]
    pub block_bits: Option<u32>,
    /// Seeds to look at on either side of the last one found; 0 for none [default: the level's]
    #[arg(long, value_name = "R", value_parser = clap::value_parser!(u32).range(..=1 << 30))]
    pub radius: Option<u32>,
    /// Bytes of a segment, 1K to 32M: smaller ones take less memory and find less
    #[arg(long, value_name = "SIZE", default_value = "32M", value_parser = segment_size)]
    pub segment_size: u64,
}

impl Search {
    /// As np-core wants it.
    pub fn options(&self) -> anyhow::Result<Options> {
        let mut options = Options::level(self.level.number());
        if let Some(bits) = self.block_bits {
            (options.block_bits, options.fixed_blocks) = (BlockBits::new(bits)?, true);
        }
        // Whole blocks, so that records go on in step from segment to segment.
        let (segment, block) = (self.segment_size as usize, options.block_bits.bytes());
        options.segment_bytes = if segment < block { segment } else { segment - segment % block };
        if let Some(radius) = self.radius {
            options.effort.radius = radius.min(RADIUS_MAX);
        }
        Ok(options)
    }
}

/// All that a verb is told that searches and writes no packed file.
#[derive(Args, Clone, Debug)]
pub struct Searching {
    #[command(flatten)]
    pub search: Search,
    #[command(flatten)]
    pub choice: Choice,
    #[command(flatten)]
    pub threads: Threads,
    #[command(flatten)]
    pub talk: Talk,
}

/// [`Searching`], set up.
pub struct Ready {
    pub options: Options,
    pub threads: usize,
    pub miner: Box<dyn Miner>,
}

impl Searching {
    /// Fixes the number of threads of this process and opens the miner that was asked for.
    pub fn set_up(&self) -> anyhow::Result<Ready> {
        let options = self.search.options()?;
        let threads = self.threads.set_up()?;
        let miner = self.choice.open(threads)?;
        Ok(Ready { options, threads, miner })
    }
}

/// A radius beyond this is a search of all seeds.
const RADIUS_MAX: u32 = 1 << 31;

fn block_bits(text: &str) -> Result<u32, String> {
    let bits = text.parse::<u32>().map_err(|e| e.to_string())?;
    BlockBits::new(bits).map(BlockBits::bits).map_err(|e| e.to_string())
}

fn segment_size(text: &str) -> Result<u64, String> {
    match crate::size::parse(text)? {
        size if (1 << 10..=SEGMENT_MAX as u64).contains(&size) => Ok(size),
        _ => Err("a segment has 1K to 32M bytes".to_owned()),
    }
}

/// What a packed file may ask for.
#[derive(Args, Clone, Copy, Debug)]
pub struct Bounds {
    /// Refuse a file that unpacks to more (K, M, G, T; `none` for no limit)
    #[arg(long, value_name = "SIZE", default_value = "64G", value_parser = crate::size::parse_limit)]
    pub max_output: u64,
    /// Refuse a file that makes the generators run over more unused output than this
    #[arg(long, value_name = "SIZE", default_value = "64G", value_parser = crate::size::parse_limit)]
    pub max_skip: u64,
    /// Decode no more segments at once than fit into this, and refuse a file that has one that does not
    #[arg(long, value_name = "SIZE", default_value = "4G", value_parser = crate::size::parse_limit)]
    pub memory_limit: u64,
}

impl Bounds {
    /// As np-core wants it.
    pub fn limits(self) -> Limits {
        Limits { max_output: self.max_output, max_skip: self.max_skip, max_memory: self.memory_limit }
    }
}

/// `-1` to `-9` and `--level N`; the last one given counts.
#[derive(Clone, Copy, Debug, Default)]
pub struct Level(Option<u32>);

impl Level {
    const DEFAULT: u32 = 6;

    /// The level that was given, or the default.
    pub fn number(self) -> u32 {
        self.0.unwrap_or(Self::DEFAULT)
    }

    /// The level that was given, or `other`.
    pub fn or(self, other: u32) -> Self {
        Self(self.0.or(Some(other)))
    }
    const FLAGS: [&str; 9] = ["1", "2", "3", "4", "5", "6", "7", "8", "9"];
}

impl Args for Level {
    fn augment_args(command: Command) -> Command {
        let all = Self::FLAGS.iter().chain(&["level"]);
        let number = Arg::new("level")
            .long("level")
            .value_name("N")
            .value_parser(clap::value_parser!(u32).range(1..=9))
            .overrides_with_all(all.clone())
            .help("What to spend on the search, 1 to 9 [default: 6]");
        Self::FLAGS.iter().fold(command.arg(number), |command, flag| {
            command.arg(
                Arg::new(*flag)
                    .short(flag.chars().next())
                    .action(ArgAction::SetTrue)
                    .overrides_with_all(all.clone())
                    .hide(!matches!(*flag, "1" | "9"))
                    .help(match *flag {
                        "1" => "Fastest; -1 to -9 are short for --level",
                        "9" => "Most thorough: every seed, for as long as that takes",
                        _ => "The level of this number",
                    }),
            )
        })
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for Level {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let flag = Self::FLAGS.iter().position(|flag| matches.get_flag(flag)).map(|i| i as u32 + 1);
        let number = matches.get_one::<u32>("level").copied();
        Ok(Self(flag.or(number)))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn the_last_level_counts() {
        let level = |args: &[&str]| {
            let cli = Cli::try_parse_from([&["np-cli", "pack"], args].concat()).unwrap();
            let Verb::Pack(pack) = cli.verb else { panic!("not pack") };
            pack.search.level.number()
        };
        assert_eq!(level(&[]), 6);
        assert_eq!(level(&["-1"]), 1);
        assert_eq!(level(&["-1", "-9"]), 9);
        assert_eq!(level(&["-9", "-9", "-2"]), 2);
        assert_eq!(level(&["-9", "--level", "3"]), 3);
        assert_eq!(level(&["--level", "3", "-4"]), 4);
        assert_eq!(level(&["-4k"]), 4);
        assert!(Cli::try_parse_from(["np-cli", "pack", "--level", "0"]).is_err());
    }
}
