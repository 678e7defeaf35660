//! File names derived from activations, whatever those are called.

use sha2::{Digest, Sha256};

use crate::state::{ActivationKey, Lease, digest};

/// What the names of all files of an activation start with, so that no segment name can lead out of
/// the store's directory or clash with another one on any file system.
pub(super) fn prefix(activation: &ActivationKey) -> String {
    let digest = Sha256::digest(activation.as_str().as_bytes());
    format!("{}.", digest::hex(&digest[..16]))
}

/// A finished snapshot: whose it is, under which lease it was written, and what it contains.
pub(super) fn snapshot(lease: &Lease, content: Sha256) -> String {
    format!("{}{}.{}.seg", prefix(&lease.activation), lease.token, digest::of_content(content))
}

/// The digest of the content that the name of a snapshot of `activation` carries; `None` when this
/// store cannot have given that name.
pub(super) fn digest_in<'a>(snapshot: &'a str, activation: &ActivationKey) -> Option<&'a str> {
    let rest = snapshot.strip_prefix(prefix(activation).as_str())?;
    let (token, digest) = rest.strip_suffix(".seg")?.split_once('.')?;
    let is_name = token.parse::<u64>().is_ok() && digest::is_one(digest);
    is_name.then_some(digest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_segment_name_gives_a_short_plain_file_name() {
        for name in ["", "..", "a/b", "c:\\d", "nul", "🦀", "a\0b", &"x".repeat(300)] {
            let lease = Lease { activation: ActivationKey::new(name), token: u64::MAX };
            let file = snapshot(&lease, Sha256::new());
            assert!(file.len() < 100, "{file}");
            assert!(file.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'.'));
            assert_eq!(digest_in(&file, &lease.activation).map(str::len), Some(32));
        }
    }

    #[test]
    fn names_that_differ_in_case_only_stay_apart() {
        assert_ne!(prefix(&ActivationKey::new("vip")), prefix(&ActivationKey::new("VIP")));
    }

    #[test]
    fn a_name_of_another_activation_or_with_a_path_in_it_is_not_ours() {
        let lease = Lease { activation: ActivationKey::new("vip"), token: 1 };
        let file = snapshot(&lease, Sha256::new());
        assert_eq!(digest_in(&file, &ActivationKey::new("other")), None);
        let climbing = format!("{}1./../../etc/passwd.seg", prefix(&lease.activation));
        assert_eq!(digest_in(&climbing, &lease.activation), None);
    }
}
