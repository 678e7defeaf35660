//! The two loops of the lockstep merge: how far two stretches of lines are identical, and
//! whether the lines of one ascend.

use std::cmp::Ordering;
use std::ops::Range;

use super::SLACK;

/// The most bytes looked at in one turn; small enough for the lines to be in the first-level
/// cache when their order is looked at.
pub(crate) const STRETCH: usize = 4096;

/// Where the lines of an identical stretch end.
pub(crate) struct Feeds {
    places: Box<[u16]>,
    count: usize,
}

impl Feeds {
    pub(crate) fn new() -> Self {
        // A word of 64 bytes may be all line feeds, and four places are written at a time.
        Self { places: vec![0; STRETCH + 64 + 4].into_boxed_slice(), count: 0 }
    }

    /// The offsets of the line feeds, ascending.
    pub(crate) fn places(&self) -> &[u16] {
        &self.places[..self.count]
    }

    /// Adds `at` plus the place of every bit in `bits`.
    #[inline(always)]
    fn push(&mut self, at: usize, mut bits: u64) {
        let total = self.count + bits.count_ones() as usize;
        loop {
            // Four at a time without asking whether there are as many: that would be
            // mispredicted all the time.
            let places = &mut self.places[self.count..self.count + 4];
            for place in places {
                *place = (at + bits.trailing_zeros() as usize) as u16;
                bits &= bits.wrapping_sub(1);
            }
            self.count += 4;
            if self.count >= total {
                break;
            }
        }
        self.count = total;
    }
}

/// The lines of an identical stretch, as [`ascending`] found them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ascent {
    /// The first line that is not empty.
    pub(crate) first: Range<usize>,
    /// The last line that is not empty.
    pub(crate) last: Range<usize>,
    /// How many different lines there are that are not empty.
    pub(crate) distinct: u64,
}

/// How many bytes `a` and `b` have in common, up to `limit`, and where lines end among them.
///
/// `limit` is at most [`STRETCH`], and [`SLACK`] bytes follow it on both sides.
pub(crate) fn identical(a: &[u8], b: &[u8], limit: usize, feeds: &mut Feeds) -> usize {
    #[cfg(target_arch = "x86_64")]
    if let Some(found) = super::detected::identical(a, b, limit, feeds) {
        return found;
    }
    identical_by(a, b, limit, feeds, portable::look)
}

/// Whether the lines that end at `ends` ascend; the start of the first one that does not is the
/// error. `None` if all are empty.
///
/// [`SLACK`] bytes follow the last line.
pub(crate) fn ascending(lines: &[u8], ends: &[u16]) -> Result<Option<Ascent>, usize> {
    #[cfg(target_arch = "x86_64")]
    if let Some(found) = super::detected::ascending(lines, ends) {
        return found;
    }
    ascending_by(lines, ends, portable::clearly)
}

/// The place of the first line feed.
pub(crate) fn feed(bytes: &[u8]) -> Option<usize> {
    let (words, rest) = bytes.as_chunks::<8>();
    for (index, word) in words.iter().enumerate() {
        let feeds = portable::feeds(u64::from_le_bytes(*word));
        if feeds != 0 {
            return Some(8 * index + feeds.trailing_zeros() as usize / 8);
        }
    }
    let place = rest.iter().position(|byte| *byte == b'\n')?;
    Some(8 * words.len() + place)
}

/// `look` says which bytes differ, and which bytes of the first are line feeds.
#[inline(always)]
pub(super) fn identical_by(
    a: &[u8],
    b: &[u8],
    limit: usize,
    feeds: &mut Feeds,
    look: impl Fn(&[u8; 64], &[u8; 64]) -> (u64, u64),
) -> usize {
    const { assert!(SLACK >= 64) };
    let (a, b) = (&a[..limit + SLACK], &b[..limit + SLACK]);
    feeds.count = 0;
    let mut at = 0;
    while at < limit {
        let (mut differing, mut ends) = look(word(a, at), word(b, at));
        if limit - at < 64 {
            differing |= !0 << (limit - at);
        }
        if differing != 0 {
            let shared = differing.trailing_zeros();
            ends &= (1 << shared) - 1;
            feeds.push(at, ends);
            return at + shared as usize;
        }
        feeds.push(at, ends);
        at += 64;
    }
    limit
}

/// `clearly` says whether the line at the first place is less than that at the second, if that
/// can be told from so many bytes; `false` if not.
#[inline(always)]
pub(super) fn ascending_by(
    lines: &[u8],
    ends: &[u16],
    clearly: impl Fn(&[u8; 32], &[u8; 32]) -> bool,
) -> Result<Option<Ascent>, usize> {
    let mut rest = ends.iter().map(|end| usize::from(*end));
    let mut start = 0;
    let first = loop {
        let Some(end) = rest.next() else { return Ok(None) };
        if end > start {
            break start..end;
        }
        start = end + 1;
    };
    let mut distinct = rest.len() as u64 + 1;
    let (mut last, mut last_word) = (first.clone(), word(lines, start));
    start = first.end + 1;
    for end in rest {
        let line = start..end;
        let line_word = word(lines, start);
        start = end + 1;
        if !clearly(last_word, line_word) {
            if line.is_empty() {
                distinct -= 1;
                continue;
            }
            match lines[last].cmp(&lines[line.clone()]) {
                Ordering::Less => {}
                Ordering::Equal => distinct -= 1,
                Ordering::Greater => return Err(line.start),
            }
        }
        (last, last_word) = (line, line_word);
    }
    Ok(Some(Ascent { first, last, distinct }))
}

#[inline(always)]
fn word<const N: usize>(bytes: &[u8], at: usize) -> &[u8; N] {
    let word = bytes.get(at..at + N).and_then(|word| word.first_chunk());
    word.expect("there is slack behind the last line")
}

mod portable {
    pub(super) fn look(a: &[u8; 64], b: &[u8; 64]) -> (u64, u64) {
        let (mut differ, mut ends) = (0, 0);
        for (index, (a, b)) in words(a).zip(words(b)).enumerate() {
            differ |= gather(!zeros(a ^ b) & TOP) << (8 * index);
            ends |= gather(feeds(a)) << (8 * index);
        }
        (differ, ends)
    }

    pub(super) fn clearly(a: &[u8; 32], b: &[u8; 32]) -> bool {
        for (a, b) in words(a).zip(words(b)) {
            let stop = (!zeros(a ^ b) & TOP) | feeds(b);
            if stop != 0 {
                let place = stop.trailing_zeros() & !7;
                let (a, b) = ((a >> place) as u8, (b >> place) as u8);
                return b != b'\n' && a < b;
            }
        }
        false
    }

    /// The highest bit of every byte of `word` that is a line feed.
    pub(super) fn feeds(word: u64) -> u64 {
        zeros(word ^ (u64::from(b'\n') * ONES))
    }

    /// The highest bit of every byte of `word` that is zero.
    fn zeros(word: u64) -> u64 {
        // The sum cannot carry from one byte into the next.
        !(((word & !TOP) + !TOP) | word) & TOP
    }

    /// The highest bits of all bytes, beside each other.
    fn gather(tops: u64) -> u64 {
        (tops >> 7).wrapping_mul(0x0102_0408_1020_4080) >> 56
    }

    fn words(bytes: &[u8]) -> impl Iterator<Item = u64> {
        bytes.as_chunks().0.iter().map(|word| u64::from_le_bytes(*word))
    }

    const ONES: u64 = 0x0101_0101_0101_0101;
    const TOP: u64 = 0x80 * ONES;
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    /// With the slack that has to follow, which tells nothing.
    fn slack(bytes: &[u8], byte: u8) -> Vec<u8> {
        [bytes, &[byte; SLACK]].concat()
    }

    fn bytes() -> impl Strategy<Value = Vec<u8>> {
        let byte = prop_oneof![Just(b'\n'), Just(b'a'), Just(0), Just(0x0b), any::<u8>()];
        vec(byte, 0..400)
    }

    fn portable_identical(a: &[u8], b: &[u8], limit: usize, feeds: &mut Feeds) -> usize {
        identical_by(a, b, limit, feeds, portable::look)
    }

    fn portable_ascending(lines: &[u8], ends: &[u16]) -> Result<Option<Ascent>, usize> {
        ascending_by(lines, ends, portable::clearly)
    }

    /// What [`ascending`] has to say, one line after the other.
    fn naive_ascending(lines: &[u8], ends: &[u16]) -> Result<Option<Ascent>, usize> {
        let (mut start, mut found) = (0, None::<Ascent>);
        for end in ends {
            let line = start..usize::from(*end);
            start = line.end + 1;
            if line.is_empty() {
                continue;
            }
            let Some(ascent) = &mut found else {
                found = Some(Ascent { first: line.clone(), last: line, distinct: 1 });
                continue;
            };
            match lines[ascent.last.clone()].cmp(&lines[line.clone()]) {
                Ordering::Less => ascent.distinct += 1,
                Ordering::Equal => {}
                Ordering::Greater => return Err(line.start),
            }
            ascent.last = line;
        }
        Ok(found)
    }

    proptest! {
        #[test]
        fn identical_bytes_and_their_feeds_are_found(
            same in bytes(),
            other in (bytes(), bytes()),
            cut in 0..500_usize,
        ) {
            let a = [&same[..], &other.0].concat();
            let b = [&same[..], &other.1].concat();
            let limit = a.len().min(b.len()).min(cut);
            let expected = (0..limit).find(|place| a[*place] != b[*place]).unwrap_or(limit);
            let places = (0..expected).filter(|place| a[*place] == b'\n');
            let places: Vec<u16> = places.map(|place| place as u16).collect();
            let (a, b) = (slack(&a, b'\n'), slack(&b, b'\n'));
            for kernel in [identical, portable_identical] {
                let mut feeds = Feeds::new();
                prop_assert_eq!(kernel(&a, &b, limit, &mut feeds), expected);
                prop_assert_eq!(feeds.places(), &places);
            }
        }

        #[test]
        fn lines_ascend_if_each_does(
            shared in 0..70_usize,
            mut tails in vec(vec(prop_oneof![Just(0), Just(9), Just(11), Just(b'a'), any::<u8>()], 0..5), 0..12),
            sorted in prop::bool::weighted(0.8),
            empty in prop::bool::weighted(0.3),
            behind in any::<u8>(),
        ) {
            if sorted {
                tails.sort();
            }
            let mut lines = Vec::new();
            for tail in tails {
                lines.resize(lines.len() + shared, b'p');
                lines.extend(tail);
                lines.push(b'\n');
                if empty {
                    lines.push(b'\n');
                }
            }
            let ends = (0..lines.len()).filter(|place| lines[*place] == b'\n');
            let ends: Vec<u16> = ends.map(|place| place as u16).collect();
            let lines = slack(&lines, behind);
            let expected = naive_ascending(&lines, &ends);
            for kernel in [ascending, portable_ascending] {
                prop_assert_eq!(kernel(&lines, &ends), expected.clone());
            }
        }

        #[test]
        fn the_first_feed_is_found(bytes in bytes()) {
            prop_assert_eq!(feed(&bytes), bytes.iter().position(|byte| *byte == b'\n'));
        }
    }

    #[test]
    fn a_whole_stretch_of_feeds_has_room() {
        let bytes = slack(&[b'\n'; STRETCH], 0);
        for kernel in [identical, portable_identical] {
            let mut feeds = Feeds::new();
            assert_eq!(kernel(&bytes, &bytes, STRETCH, &mut feeds), STRETCH);
            assert_eq!(feeds.places().len(), STRETCH);
        }
    }
}
