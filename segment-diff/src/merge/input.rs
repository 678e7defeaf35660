use alloc::borrow::ToOwned;
use core::convert::Infallible;

/// A sorted sequence of records, read one at a time.
///
/// # Contract
///
/// * Keys ascend; they may repeat. [`diff`](super::diff()) checks it.
/// * An input that is cut off reports an error: an end without one means that it is complete.
/// * `key` and `version` are called only after [`advance`](Self::advance) has returned `true`.
pub trait SortedInput {
    /// Says who. Byte keys are `[u8]`.
    type Key: Ord + ToOwned + ?Sized;
    /// Says whether something changed; `()` where only membership counts.
    type Version: Eq + ?Sized;
    /// What can go wrong while reading.
    type Error;

    /// Moves to the next record; `false` at the end.
    ///
    /// # Errors
    ///
    /// Fails when the next record, or the end, cannot be read.
    fn advance(&mut self) -> Result<bool, Self::Error>;

    /// The key of the record moved to.
    fn key(&self) -> &Self::Key;

    /// The version of the record moved to.
    fn version(&self) -> &Self::Version;
}

impl<I: SortedInput + ?Sized> SortedInput for &mut I {
    type Key = I::Key;
    type Version = I::Version;
    type Error = I::Error;

    fn advance(&mut self) -> Result<bool, Self::Error> {
        (**self).advance()
    }

    fn key(&self) -> &Self::Key {
        (**self).key()
    }

    fn version(&self) -> &Self::Version {
        (**self).version()
    }
}

/// Keys without versions.
pub fn keys<K: Ord + Clone>(
    keys: impl IntoIterator<Item = K>,
) -> impl SortedInput<Key = K, Version = (), Error = Infallible> {
    records(keys.into_iter().map(|key| (key, ())))
}

/// Keys without versions, from a source that can fail.
pub fn try_keys<K: Ord + Clone, E>(
    keys: impl IntoIterator<Item = Result<K, E>>,
) -> impl SortedInput<Key = K, Version = (), Error = E> {
    try_records(keys.into_iter().map(|key| key.map(|key| (key, ()))))
}

/// Pairs of key and version.
pub fn records<K: Ord + Clone, V: Eq>(
    records: impl IntoIterator<Item = (K, V)>,
) -> impl SortedInput<Key = K, Version = V, Error = Infallible> {
    try_records(records.into_iter().map(Ok))
}

/// Pairs of key and version, from a source that can fail.
pub fn try_records<K: Ord + Clone, V: Eq, E>(
    records: impl IntoIterator<Item = Result<(K, V), E>>,
) -> impl SortedInput<Key = K, Version = V, Error = E> {
    Records { rest: records.into_iter(), current: None }
}

/// Byte keys without versions: anything that is bytes, compared as bytes.
pub fn byte_keys<K: AsRef<[u8]>>(
    keys: impl IntoIterator<Item = K>,
) -> impl SortedInput<Key = [u8], Version = (), Error = Infallible> {
    try_byte_keys(keys.into_iter().map(Ok))
}

/// Byte keys without versions, from a source that can fail.
pub fn try_byte_keys<K: AsRef<[u8]>, E>(
    keys: impl IntoIterator<Item = Result<K, E>>,
) -> impl SortedInput<Key = [u8], Version = (), Error = E> {
    ByteKeys { rest: keys.into_iter(), current: None }
}

/// An input taken for its keys alone: its versions are left out of account.
#[derive(Debug)]
pub struct Membership<I>(I);

impl<I: SortedInput> Membership<I> {
    /// Leaves the versions of `input` out of account.
    pub fn new(input: I) -> Self {
        Self(input)
    }
}

impl<I: SortedInput> SortedInput for Membership<I> {
    type Key = I::Key;
    type Version = ();
    type Error = I::Error;

    fn advance(&mut self) -> Result<bool, I::Error> {
        self.0.advance()
    }

    fn key(&self) -> &I::Key {
        self.0.key()
    }

    fn version(&self) -> &() {
        &()
    }
}

struct Records<I, K, V> {
    rest: I,
    current: Option<(K, V)>,
}

impl<I, K, V, E> Records<I, K, V>
where
    I: Iterator<Item = Result<(K, V), E>>,
{
    fn current(&self) -> &(K, V) {
        self.current.as_ref().expect(AFTER_ADVANCE)
    }
}

impl<I, K: Ord + Clone, V: Eq, E> SortedInput for Records<I, K, V>
where
    I: Iterator<Item = Result<(K, V), E>>,
{
    type Key = K;
    type Version = V;
    type Error = E;

    fn advance(&mut self) -> Result<bool, E> {
        self.current = self.rest.next().transpose()?;
        Ok(self.current.is_some())
    }

    fn key(&self) -> &K {
        &self.current().0
    }

    fn version(&self) -> &V {
        &self.current().1
    }
}

struct ByteKeys<I, K> {
    rest: I,
    current: Option<K>,
}

impl<I, K: AsRef<[u8]>, E> SortedInput for ByteKeys<I, K>
where
    I: Iterator<Item = Result<K, E>>,
{
    type Key = [u8];
    type Version = ();
    type Error = E;

    fn advance(&mut self) -> Result<bool, E> {
        self.current = self.rest.next().transpose()?;
        Ok(self.current.is_some())
    }

    fn key(&self) -> &[u8] {
        self.current.as_ref().expect(AFTER_ADVANCE).as_ref()
    }

    fn version(&self) -> &() {
        &()
    }
}

const AFTER_ADVANCE: &str = "a record is asked for only after `advance` has returned true";
