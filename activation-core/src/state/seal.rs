//! Bodies of rows carry a checksum, because SQLite does not notice when bytes of a row change.

use sha2::{Digest, Sha256};

const CHECKSUM: usize = 8;

/// `body` followed by its checksum.
pub(super) fn seal(body: &[u8]) -> Vec<u8> {
    [body, &checksum(body)].concat()
}

/// The body, if it is as it was sealed.
pub(super) fn open(mut sealed: Vec<u8>) -> Option<Vec<u8>> {
    let length = sealed.len().checked_sub(CHECKSUM)?;
    let (body, end) = sealed.split_at(length);
    if checksum(body) != end {
        return None;
    }
    sealed.truncate(length);
    Some(sealed)
}

fn checksum(body: &[u8]) -> [u8; CHECKSUM] {
    let digest = Sha256::digest(body);
    std::array::from_fn(|index| digest[index])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_comes_back_as_it_was() {
        for body in [b"".as_slice(), b"x", &[0; 1000]] {
            assert_eq!(open(seal(body)).as_deref(), Some(body));
        }
    }

    #[test]
    fn any_altered_or_missing_byte_is_noticed() {
        let sealed = seal(b"batch 7 submitted");
        for index in 0..sealed.len() {
            let mut altered = sealed.clone();
            altered[index] ^= 1;
            assert_eq!(open(altered), None);
            assert_eq!(open(sealed[..index].to_vec()), None);
        }
    }
}
