//! What can be seen of a query without knowing its dialect.

/// The parts of a query.
pub(super) struct Query {
    /// Everything outside of texts in single quotes and of comments.
    pub(super) names: String,
    /// What is inside of single quotes.
    pub(super) texts: Vec<String>,
    several: bool,
}

impl Query {
    pub(super) fn parse(sql: &str) -> Self {
        let mut query = Self { names: String::new(), texts: Vec::new(), several: false };
        let mut rest = sql;
        let mut over = false;
        while let Some(first) = rest.chars().next() {
            let length = match first {
                '\'' | '"' | '`' => closing(rest, first),
                '-' if rest.starts_with("--") => rest.find('\n').unwrap_or(rest.len()),
                '/' if rest.starts_with("/*") => rest.find("*/").map_or(rest.len(), |at| at + 2),
                _ => first.len_utf8(),
            };
            let (part, after) = rest.split_at(length);
            rest = after;
            let is_comment = part.starts_with("--") || part.starts_with("/*");
            over |= part == ";";
            query.several |= over && part != ";" && !is_comment && !part.trim().is_empty();
            match first {
                '\'' => query.texts.push(part.trim_matches('\'').to_owned()),
                _ if is_comment => query.names.push(' '),
                _ => query.names.push_str(part),
            }
        }
        query
    }

    /// What makes it no query that a source can read.
    pub(super) fn problem(&self) -> Option<&'static str> {
        let first = self.names.split(|c: char| !c.is_ascii_alphabetic()).find(|w| !w.is_empty());
        match first {
            None => Some("is empty; it must be one SELECT"),
            Some(_) if self.several => Some("has several statements; it must be one"),
            Some(word) if WRITES.iter().any(|writes| writes.eq_ignore_ascii_case(word)) => {
                Some("writes; it must only read")
            }
            Some(_) => None,
        }
    }
}

/// The length of what is in quotes at the beginning of `text`. A doubled quote begins the next one.
fn closing(text: &str, quote: char) -> usize {
    text[1..].find(quote).map_or(text.len(), |at| at + 2)
}

/// With which statements begin that change something in most dialects. What begins otherwise may
/// write too; only the rights of the user prevent that.
const WRITES: [&str; 9] =
    ["alter", "create", "delete", "drop", "insert", "merge", "replace", "truncate", "update"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_statements_are_seen_outside_of_texts_and_comments_only() {
        let several =
            |sql| Query::parse(sql).problem() == Some("has several statements; it must be one");
        for sql in ["SELECT 1; SELECT 2", "SELECT ';';DROP TABLE x", "SELECT 1;;--\n'x'"] {
            assert!(several(sql), "{sql}");
        }
        for sql in [
            "SELECT 1",
            " SELECT 1 ; \n",
            "SELECT 1; -- and no more; really",
            "SELECT ';', \"a;b\", `c;d`, 'it''s; one' /* ; x */ FROM t",
        ] {
            assert_eq!(Query::parse(sql).problem(), None, "{sql}");
        }
    }

    #[test]
    fn what_is_no_query_is_refused() {
        assert_eq!(
            Query::parse(" -- nothing\n").problem(),
            Some("is empty; it must be one SELECT")
        );
        assert_eq!(
            Query::parse("/* x */ delete FROM t").problem(),
            Some("writes; it must only read")
        );
        assert_eq!(Query::parse("(SELECT 1)").problem(), None);
    }

    #[test]
    fn texts_are_apart_from_names() {
        let query = Query::parse("SELECT email FROM \"people\" WHERE town = 'Ghent' -- 'no'");
        assert_eq!(query.texts, ["Ghent"]);
        assert!(query.names.contains("people") && !query.names.contains("Ghent"));
    }
}
