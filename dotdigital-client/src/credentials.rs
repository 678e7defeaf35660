//! The API user's name and password.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use zeroize::Zeroizing;

use crate::error::Error;

/// Name and password of an API user. The password is wiped from memory on drop and never printed.
#[derive(Clone)]
pub struct Credentials {
    user: String,
    password: Zeroizing<String>,
}

impl Credentials {
    /// Takes name and password as the account shows them under Settings > Access > API users.
    pub fn new(user: impl Into<String>, password: impl Into<String>) -> Self {
        Self { user: user.into(), password: Zeroizing::new(password.into()) }
    }

    /// The value of the `authorization` header.
    ///
    /// # Errors
    ///
    /// Fails for an empty name and for one with a colon, which Basic authentication cannot carry.
    pub(crate) fn authorization(&self) -> Result<Zeroizing<String>, Error> {
        if self.user.is_empty() || self.user.contains(':') {
            return Err(Error::config("the API user's name is empty or contains a colon"));
        }
        let pair = Zeroizing::new(format!("{}:{}", self.user, *self.password));
        let encoded = Zeroizing::new(STANDARD.encode(pair.as_bytes()));
        Ok(Zeroizing::new(format!("Basic {}", *encoded)))
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("user", &"***").field("password", &"***").finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_stars() {
        let shown = format!("{:?}", Credentials::new("apiuser-1@example.com", "hunter2"));
        assert_eq!(shown, r#"Credentials { user: "***", password: "***" }"#);
    }

    #[test]
    fn the_header_is_basic_authentication() {
        let header = Credentials::new("Aladdin", "open sesame").authorization().unwrap();
        assert_eq!(*header, "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
        assert!(Credentials::new("a:b", "c").authorization().is_err());
    }
}
