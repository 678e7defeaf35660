//! Where the service is: regions, explicit endpoints, and the old names of both.

use std::{net::IpAddr, str::FromStr};

use reqwest::Url;

use crate::error::Error;

/// The region an account lives in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Region {
    /// Europe.
    R1,
    /// North America.
    R2,
    /// Asia Pacific.
    R3,
}

impl Region {
    /// The region's address.
    pub fn endpoint(self) -> &'static str {
        match self {
            Self::R1 => "https://r1-api.dotdigital.com",
            Self::R2 => "https://r2-api.dotdigital.com",
            Self::R3 => "https://r3-api.dotdigital.com",
        }
    }
}

/// The text names no region.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a region: r1, r2 and r3 are")]
pub struct InvalidRegion;

impl FromStr for Region {
    type Err = InvalidRegion;

    /// Reads `r1`, `r2` or `r3`, whatever the case.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.trim().to_ascii_lowercase().as_str() {
            "r1" => Ok(Self::R1),
            "r2" => Ok(Self::R2),
            "r3" => Ok(Self::R3),
            _ => Err(InvalidRegion),
        }
    }
}

/// Scheme and authority of the service, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Endpoint {
    base: String,
    plain: bool,
}

impl Endpoint {
    /// Checks an address, maps old host names to the current ones and drops trailing slashes.
    pub(crate) fn parse(text: &str) -> Result<Self, Error> {
        let url = Url::parse(text.trim())
            .map_err(|_| Error::config("the endpoint is not an address such as https://host"))?;
        if let Some(region) = old_name(&url) {
            return Ok(region.into());
        }
        let bare = url.path().trim_matches('/').is_empty()
            && url.query().is_none()
            && url.fragment().is_none()
            && url.username().is_empty()
            && url.password().is_none();
        if !bare {
            return Err(Error::config(
                "the endpoint must be scheme and host only, without user, path or query",
            ));
        }
        let plain = match url.scheme() {
            "https" => false,
            "http" if is_loopback(&url) => true,
            "http" => {
                return Err(Error::config(
                    "the endpoint must be https: over http the password would travel in clear \
                     (http is only allowed for this machine itself)",
                ));
            }
            _ => return Err(Error::config("the endpoint must start with https://")),
        };
        Ok(Self { base: url.origin().ascii_serialization(), plain })
    }

    /// Scheme and authority, without a trailing slash.
    pub(crate) fn base(&self) -> &str {
        &self.base
    }

    /// Whether it speaks plain HTTP, which only this machine itself may.
    pub(crate) fn is_plain(&self) -> bool {
        self.plain
    }
}

impl From<Region> for Endpoint {
    fn from(region: Region) -> Self {
        Self { base: region.endpoint().to_owned(), plain: false }
    }
}

/// The region behind a host name of the time when the company was called dotmailer.
fn old_name(url: &Url) -> Option<Region> {
    match url.host_str()? {
        "r1-api.dotmailer.com" | "api.dotmailer.com" | "apiconnector.com" => Some(Region::R1),
        "r2-api.dotmailer.com" => Some(Region::R2),
        "r3-api.dotmailer.com" => Some(Region::R3),
        _ => None,
    }
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn base(text: &str) -> String {
        Endpoint::parse(text).unwrap().base().to_owned()
    }

    #[test]
    fn trailing_slashes_are_dropped() {
        assert_eq!(base("https://r2-api.dotdigital.com/"), "https://r2-api.dotdigital.com");
        assert_eq!(
            base(" https://gateway.example.com:8443// "),
            "https://gateway.example.com:8443"
        );
    }

    #[test]
    fn old_names_lead_to_the_current_hosts() {
        assert_eq!(base("https://r3-api.dotmailer.com/"), Region::R3.endpoint());
        assert_eq!(base("https://api.dotmailer.com/v2"), Region::R1.endpoint());
        assert_eq!(base("http://apiconnector.com/v2/"), Region::R1.endpoint());
    }

    #[test]
    fn plain_http_is_for_this_machine_only() {
        for near in ["http://127.0.0.1:1234", "http://localhost:1234/", "http://[::1]:80"] {
            assert!(Endpoint::parse(near).unwrap().is_plain(), "{near}");
        }
        for far in ["http://example.com", "http://10.0.0.1", "http://127.0.0.1.example.com"] {
            assert!(Endpoint::parse(far).unwrap_err().to_string().contains("in clear"), "{far}");
        }
    }

    #[test]
    fn anything_beyond_scheme_and_host_is_refused() {
        for bad in ["", "r1", "ftp://example.com", "https://u:p@example.com", "https://a.com/x"] {
            assert!(Endpoint::parse(bad).is_err(), "{bad}");
        }
        assert!(Endpoint::parse("https://example.com/?a=b").is_err());
    }
}
