/// A key that should be above the one before it is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("key number {index} (from zero) is not above the one before it")]
pub struct OrderError {
    /// How many keys came before the offending one.
    pub index: u64,
}

/// A key is longer than is allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a key of {length} bytes is longer than the {limit} bytes allowed")]
pub struct KeyTooLong {
    /// Its length in bytes.
    pub length: usize,
    /// The most bytes it may have.
    pub limit: usize,
}

#[cfg(feature = "std")]
impl KeyTooLong {
    pub(crate) fn check(key: &[u8], limit: usize) -> Result<(), Self> {
        if key.len() > limit { Err(Self { length: key.len(), limit }) } else { Ok(()) }
    }
}
