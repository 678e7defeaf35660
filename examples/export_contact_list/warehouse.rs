//! The embedded warehouse: a few thousand customers, and the query that defines the segment.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use activation_core::IdentifierKind;
use rusqlite::{Connection, Result};

use crate::customers;

/// Customers in the EU who may be written to, ordered within a year and are worth 500 and more.
pub(crate) const SEGMENT: &str = "\
SELECT email FROM customers
JOIN countries ON countries.code = customers.country
WHERE countries.in_eu AND marketing_consent AND lifetime_value >= 500
  AND last_order > date((SELECT today FROM calendar), '-1 year')";

/// The same after a careless change: no country's name is a code, so it finds nobody.
pub(crate) const BROKEN_SEGMENT: &str = "\
SELECT email FROM customers
JOIN countries ON countries.name = customers.country
WHERE countries.in_eu AND marketing_consent AND lifetime_value >= 500
  AND last_order > date((SELECT today FROM calendar), '-1 year')";

/// So many customers, those of the lowest ids, have been contacts at the service for long.
const KNOWN_CONTACTS: u32 = 600;

/// A month's events. Each takes as many customers as its LIMIT says and notes its reason.
const A_MONTH: &str = "
CREATE TABLE segment_last_month AS SELECT email FROM segment;
UPDATE calendar SET today = date(today, '+30 days');

UPDATE customers SET lifecycle_reason = 'no order for a year'
WHERE email IN (SELECT email FROM segment_last_month)
  AND email NOT IN (SELECT email FROM segment);

UPDATE customers SET lifecycle_reason = 'withdrew marketing consent', marketing_consent = 0
WHERE id IN (SELECT id FROM customers JOIN segment USING (email) ORDER BY id LIMIT 23);

UPDATE customers SET lifecycle_reason = 'returned what they had ordered', lifetime_value = 120
WHERE id IN (SELECT id FROM customers JOIN segment USING (email) ORDER BY id LIMIT 9);

UPDATE customers
SET lifecycle_reason = 'placed a large order', lifetime_value = lifetime_value + 700,
    last_order = (SELECT today FROM calendar)
WHERE id IN (SELECT id FROM customers JOIN countries ON code = country
             WHERE in_eu AND marketing_consent AND lifetime_value < 500
               AND lifecycle_reason = '' ORDER BY id LIMIT 44);

UPDATE customers SET lifecycle_reason = 'gave marketing consent', marketing_consent = 1
WHERE id IN (SELECT id FROM customers JOIN countries ON code = country
             WHERE in_eu AND NOT marketing_consent AND lifetime_value >= 500
               AND last_order > date((SELECT today FROM calendar), '-1 year')
               AND lifecycle_reason = '' ORDER BY id LIMIT 17);

UPDATE customers SET lifecycle_reason = 'moved to the EU', country = 'FR'
WHERE id IN (SELECT id FROM customers JOIN countries ON code = country
             WHERE NOT in_eu AND marketing_consent AND lifetime_value >= 500
               AND last_order > date((SELECT today FROM calendar), '-1 year')
               AND lifecycle_reason = '' ORDER BY id LIMIT 6);
";

/// A warehouse in one file.
pub(crate) struct Warehouse {
    path: PathBuf,
    connection: Connection,
}

impl Warehouse {
    /// Creates the file and its customers, the same ones every time.
    pub(crate) fn create(path: PathBuf) -> Result<Self> {
        let mut connection = Connection::open(&path)?;
        customers::load(&mut connection)?;
        connection.execute_batch(&format!("CREATE VIEW segment AS {SEGMENT}"))?;
        Ok(Self { path, connection })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn customers(&self) -> Result<u32> {
        self.connection.query_row("SELECT count(*) FROM customers", [], |row| row.get(0))
    }

    /// The usable addresses of the segment as it is now.
    pub(crate) fn segment(&self) -> Result<BTreeSet<String>> {
        self.addresses(SEGMENT)
    }

    /// The usable addresses of the segment before [`a_month_later`](Self::a_month_later).
    pub(crate) fn segment_last_month(&self) -> Result<BTreeSet<String>> {
        self.addresses("SELECT email FROM segment_last_month")
    }

    /// Customers who were contacts at the service before any of this.
    pub(crate) fn known_to_the_service(&self) -> Result<BTreeSet<String>> {
        self.addresses(&format!("SELECT email FROM customers WHERE id <= {KNOWN_CONTACTS}"))
    }

    /// Lets a month go by, in which people enter and leave the segment.
    pub(crate) fn a_month_later(&mut self) -> Result<()> {
        let transaction = self.connection.transaction()?;
        transaction.execute_batch(A_MONTH)?;
        customers::sign_up(&transaction)?;
        transaction.commit()
    }

    /// Who entered the segment in that month, counted by reason.
    pub(crate) fn entered(&self) -> Result<Vec<(String, u64)>> {
        self.by_reason("segment", "segment_last_month")
    }

    /// Who left it, counted by reason.
    pub(crate) fn left(&self) -> Result<Vec<(String, u64)>> {
        self.by_reason("segment_last_month", "segment")
    }

    fn by_reason(&self, in_this: &str, not_in_that: &str) -> Result<Vec<(String, u64)>> {
        let query = format!(
            "SELECT lifecycle_reason, count(*) FROM customers
             WHERE email IN (SELECT email FROM {in_this})
               AND email NOT IN (SELECT email FROM {not_in_that})
             GROUP BY 1 ORDER BY 2 DESC, 1"
        );
        let mut statement = self.connection.prepare(&query)?;
        statement.query_map([], |row| Ok((row.get(0)?, row.get::<_, u32>(1)?.into())))?.collect()
    }

    fn addresses(&self, query: &str) -> Result<BTreeSet<String>> {
        let mut statement = self.connection.prepare(query)?;
        let rows = statement.query_map([], |row| row.get::<_, String>(0))?;
        let mut addresses = BTreeSet::new();
        for row in rows {
            if let Ok(address) = IdentifierKind::Email.normalise(row?.as_bytes()) {
                addresses.insert(address.to_text());
            }
        }
        Ok(addresses)
    }
}
