//! Writes two memberships to compare, `previous.txt` and `current.txt`, a key on each line.
//!
//! ```sh
//! cargo run --release -p segment-diff --example generate_members -- \
//!     emails 1000000 0.01 1 7 target/measure/data
//! ```
//!
//! Arguments: kind (emails, phones, ids, dense_ids, colliding), lines on each side, the share of
//! members that left and of those that came, how often a member is repeated on average, seed,
//! directory. Both sides are in random orders of their own. The same arguments give the same
//! files. Ids are also written as `previous.u64` and `current.u64`, eight little-endian bytes
//! each. Memory does not grow with the number of lines: a keyed permutation of their numbers
//! stands for the shuffling.

use std::error::Error;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [kind, lines, churn, repeated, seed, directory] = arguments.as_slice() else {
        return Err("expected: KIND LINES CHURN REPEATED SEED DIRECTORY".into());
    };
    let directory = Path::new(directory);
    let churn: f64 = churn.parse()?;
    let mut side = Side {
        lines: lines.parse()?,
        repeated: repeated.parse()?,
        first_member: 0,
        seed: seed.parse()?,
    };
    let keys = Keys::new(kind, side.seed)?;
    side.write(&keys, directory, "previous")?;
    side.first_member = (side.members() as f64 * churn).round() as u64;
    side.seed ^= 0x5851_f42d_4c95_7f2d;
    side.write(&keys, directory, "current")?;
    Ok(())
}

struct Side {
    lines: u64,
    repeated: f64,
    first_member: u64,
    seed: u64,
}

impl Side {
    fn members(&self) -> u64 {
        ((self.lines as f64 / self.repeated) as u64).max(1)
    }

    /// The member of line `index`.
    fn member(&self, order: &Permutation, index: u64) -> u64 {
        if self.repeated <= 1.0 {
            return self.first_member + order.apply(index);
        }
        // The fourth power of an even share is mostly small: a few members have most of the lines.
        let share = mix(index ^ self.seed) as f64 / u64::MAX as f64;
        let members = self.members();
        self.first_member + ((members as f64 * share.powi(4)) as u64).min(members - 1)
    }

    fn write(&self, keys: &Keys, directory: &Path, name: &str) -> Result<(), Box<dyn Error>> {
        let create = |extension| File::create(directory.join(name).with_extension(extension));
        let mut text = BufWriter::with_capacity(1 << 20, create("txt")?);
        let mut raw = match keys.is_number() {
            true => Some(BufWriter::with_capacity(1 << 20, create("u64")?)),
            false => None,
        };
        let order = Permutation::new(self.lines, self.seed);
        for index in 0..self.lines {
            let member = self.member(&order, index);
            keys.write(member, &mut text)?;
            if let Some(raw) = &mut raw {
                raw.write_all(&keys.number(member).to_le_bytes())?;
            }
        }
        text.flush()?;
        if let Some(mut raw) = raw {
            raw.flush()?;
        }
        Ok(())
    }
}

/// Turns the number of a member into its key.
enum Keys {
    Emails(Permutation),
    Phones(Permutation),
    Ids(Permutation),
    DenseIds,
    Colliding(Vec<Vec<[u8; 4]>>),
}

impl Keys {
    fn new(kind: &str, seed: u64) -> Result<Self, Box<dyn Error>> {
        Ok(match kind {
            "emails" => Self::Emails(Permutation::new(EMAILS, seed)),
            "phones" => Self::Phones(Permutation::new(PHONES, seed)),
            "ids" => Self::Ids(Permutation::new(1 << 40, seed)),
            "dense_ids" => Self::DenseIds,
            "colliding" => Self::Colliding(colliding_blocks()),
            _ => return Err(format!("unknown kind {kind}").into()),
        })
    }

    fn is_number(&self) -> bool {
        matches!(self, Self::Ids(_) | Self::DenseIds)
    }

    fn number(&self, member: u64) -> u64 {
        match self {
            Self::Emails(order) | Self::Phones(order) | Self::Ids(order) => order.apply(member),
            Self::DenseIds | Self::Colliding(_) => member + 1,
        }
    }

    fn write(&self, member: u64, out: &mut impl Write) -> std::io::Result<()> {
        let number = self.number(member);
        match self {
            Self::Emails(_) => {
                let (number, first) = divide(number, &FIRST);
                let (number, last) = divide(number, &LAST);
                let (number, domain) = divide(number, &DOMAINS);
                writeln!(out, "{first}.{last}{number:04}@{domain}")
            }
            Self::Phones(_) => {
                let (number, country) = divide(number, &COUNTRIES);
                writeln!(out, "{country}{number:09}")
            }
            Self::Ids(_) | Self::DenseIds => writeln!(out, "{number}"),
            Self::Colliding(blocks) => {
                for (index, choices) in blocks.iter().enumerate() {
                    out.write_all(&choices[(member >> (4 * index)) as usize % choices.len()])?;
                }
                out.write_all(b"\n")
            }
        }
    }
}

fn divide<'a>(number: u64, choices: &[&'a str]) -> (u64, &'a str) {
    let count = choices.len() as u64;
    (number / count, choices[(number % count) as usize])
}

/// Six blocks of text with sixteen choices each: all 16 million keys that they make agree in the
/// lower 19 bits of their FNV-1a hashes, since those depend on nothing but the lower 19 bits
/// before each block.
fn colliding_blocks() -> Vec<Vec<[u8; 4]>> {
    let low = |hash: u64| hash & 0x7_ffff;
    let mut state = 0xcbf2_9ce4_8422_2325;
    let mut blocks = Vec::new();
    for _ in 0..6 {
        let target = low(fnv1a(state, *b"AAAA"));
        let strings = (0..1_u32 << 24).map(|number| {
            [0, 6, 12, 18].map(|shift| TEXT[(number >> shift) as usize % TEXT.len()])
        });
        let choices = strings.filter(|text| low(fnv1a(state, *text)) == target).take(16);
        blocks.push(choices.collect::<Vec<_>>());
        state = target;
    }
    blocks
}

fn fnv1a(state: u64, text: [u8; 4]) -> u64 {
    text.iter().fold(state, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3))
}

/// A keyed permutation of the numbers below `size`: a Feistel network over the next power of
/// four, applied again while the result is too large.
struct Permutation {
    size: u64,
    half_bits: u32,
    seed: u64,
}

impl Permutation {
    fn new(size: u64, seed: u64) -> Self {
        let bits = 64 - size.saturating_sub(1).leading_zeros();
        Self { size, half_bits: bits.div_ceil(2).max(1), seed }
    }

    fn apply(&self, number: u64) -> u64 {
        assert!(number < self.size, "there are no more keys of this kind");
        let mut number = number;
        loop {
            let mask = (1 << self.half_bits) - 1;
            let (mut left, mut right) = (number >> self.half_bits, number & mask);
            for round in 0..4 {
                (left, right) = (right, left ^ (mix(right ^ (round << 56) ^ self.seed) & mask));
            }
            number = left << self.half_bits | right;
            if number < self.size {
                return number;
            }
        }
    }
}

/// The finaliser of SplitMix64.
fn mix(number: u64) -> u64 {
    let number = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let number = (number ^ number >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ number >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ number >> 31
}

const TEXT: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

const EMAILS: u64 = (FIRST.len() * LAST.len() * DOMAINS.len()) as u64 * 10_000;
const PHONES: u64 = COUNTRIES.len() as u64 * 1_000_000_000;

const COUNTRIES: [&str; 6] = ["+1", "+44", "+61", "+351", "+49", "+33"];

const DOMAINS: [&str; 10] = [
    "example.com",
    "example.org",
    "mail.test",
    "post.test",
    "a.invalid",
    "inbox.test",
    "acme.example",
    "mx.test",
    "home.test",
    "work.example",
];

const FIRST: [&str; 50] = [
    "ada", "alan", "alice", "amir", "anna", "barbara", "ben", "bo", "carla", "chen", "dana",
    "david", "dmitri", "edith", "elena", "emil", "farah", "felix", "grace", "hana", "hugo", "ines",
    "ivan", "jamal", "jan", "jo", "karin", "kofi", "lars", "leila", "lin", "maria", "mehmet",
    "mina", "nadia", "nils", "olga", "omar", "paula", "pedro", "priya", "rosa", "samuel", "sofia",
    "tariq", "uma", "victor", "wanda", "yuki", "zoe",
];

const LAST: [&str; 50] = [
    "adams",
    "ahmed",
    "andersson",
    "becker",
    "bernard",
    "brown",
    "castro",
    "chang",
    "cohen",
    "costa",
    "dubois",
    "eriksen",
    "fischer",
    "flores",
    "garcia",
    "gupta",
    "haddad",
    "hansen",
    "hernandez",
    "ito",
    "ivanov",
    "jensen",
    "johnson",
    "kaya",
    "khan",
    "kim",
    "kowalski",
    "lee",
    "lopez",
    "martin",
    "mbeki",
    "meyer",
    "moreau",
    "nguyen",
    "novak",
    "okafor",
    "olsen",
    "park",
    "patel",
    "petrov",
    "rossi",
    "santos",
    "schmidt",
    "silva",
    "singh",
    "smith",
    "suzuki",
    "tanaka",
    "wang",
    "williams",
];
