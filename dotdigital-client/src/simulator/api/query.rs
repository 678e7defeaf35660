//! The query part of a request's address.

use percent_encoding::percent_decode_str;

/// Names and values, decoded, in the order they were sent.
pub(in crate::simulator) struct Query {
    pairs: Vec<(String, String)>,
}

impl Query {
    pub(in crate::simulator) fn parse(query: &str) -> Self {
        let pairs = query
            .split('&')
            .filter(|pair| !pair.is_empty())
            .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
            .map(|(name, value)| (decode(name), decode(value)))
            .collect();
        Self { pairs }
    }

    /// The first value of that name.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    pub(super) fn pairs(&self) -> &[(String, String)] {
        &self.pairs
    }

    /// `true` or `false`, the latter where the name is missing; `None` where it is neither.
    pub(super) fn flag(&self, name: &str) -> Option<bool> {
        self.get(name).map_or(Some(false), |text| text.to_ascii_lowercase().parse().ok())
    }

    /// A whole number within `range`; `absent` where the name is missing, `None` where it is wrong or
    /// sent twice.
    pub(super) fn number(
        &self,
        name: &str,
        range: std::ops::RangeInclusive<usize>,
        absent: usize,
    ) -> Option<usize> {
        let mut sent = self.pairs.iter().filter(|(key, _)| key == name).map(|(_, value)| value);
        match (sent.next(), sent.next()) {
            (None, _) => Some(absent),
            (Some(text), None) => text.parse().ok().filter(|number| range.contains(number)),
            (Some(_), Some(_)) => None,
        }
    }
}

fn decode(text: &str) -> String {
    percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_values_are_decoded() {
        let query = Query::parse("~listId=7&marker=YQ%3D%3D&include=lists%7Cpreferences&x=a+b");
        assert_eq!(query.get("~listId"), Some("7"));
        assert_eq!(query.get("marker"), Some("YQ=="));
        assert_eq!(query.get("include"), Some("lists|preferences"));
        assert_eq!(query.get("x"), Some("a b"));
    }

    #[test]
    fn a_number_must_be_one_and_within_its_range() {
        let query = Query::parse("select=0&skip=x");
        assert_eq!(query.number("select", 1..=1_000, 1_000), None);
        assert_eq!(query.number("skip", 0..=9, 0), None);
        assert_eq!(query.number("limit", 1..=9, 5), Some(5));
        assert_eq!(Query::parse("skip=1&skip=1").number("skip", 0..=9, 0), None);
    }
}
