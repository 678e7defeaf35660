//! Invented customers, the same ones every time.

use fastrand::Rng;
use rusqlite::{Connection, Result, Transaction, params};

const SCHEMA: &str = "
CREATE TABLE calendar (today TEXT NOT NULL);
INSERT INTO calendar VALUES ('2026-06-01');

CREATE TABLE countries (code TEXT PRIMARY KEY, name TEXT NOT NULL, in_eu INTEGER NOT NULL);
INSERT INTO countries VALUES
    ('DE', 'Germany', 1), ('FR', 'France', 1), ('ES', 'Spain', 1), ('NL', 'Netherlands', 1),
    ('GB', 'United Kingdom', 0), ('US', 'United States', 0);

CREATE TABLE customers (
    id                INTEGER PRIMARY KEY,
    email             TEXT NOT NULL,
    country           TEXT NOT NULL REFERENCES countries,
    marketing_consent INTEGER NOT NULL,
    last_order        TEXT NOT NULL,
    lifetime_value    INTEGER NOT NULL,
    lifecycle_reason  TEXT NOT NULL DEFAULT ''
);";

const INSERT: &str = "
INSERT INTO customers (email, country, marketing_consent, last_order, lifetime_value, lifecycle_reason)
VALUES (?1, ?2, ?3, date((SELECT today FROM calendar), ?4), ?5, ?6)";

const SEED: u64 = 20_260_601;
const CUSTOMERS: usize = 3_000;
const FIRST: [&str; 8] = ["ada", "bela", "carl", "dana", "emil", "fay", "gus", "hedy"];
const LAST: [&str; 8] = ["abel", "bach", "curie", "dahl", "euler", "fuchs", "gauss", "hopper"];
const COUNTRIES: [&str; 8] = ["DE", "DE", "FR", "FR", "ES", "NL", "GB", "US"];
/// What people and old systems write where an address should be.
const NO_ADDRESSES: [&str; 3] = ["n/a", "unknown", "ann at example.com"];

/// Creates the tables and fills them.
pub(crate) fn load(connection: &mut Connection) -> Result<()> {
    let transaction = connection.transaction()?;
    transaction.execute_batch(SCHEMA)?;
    let mut random = Rng::with_seed(SEED);
    let mut insert = transaction.prepare(INSERT)?;
    for number in 1..=CUSTOMERS {
        let email = email(&mut random, number);
        let country = COUNTRIES[random.usize(..COUNTRIES.len())];
        let consent = random.u32(..10) < 8;
        let days_ago = format!("-{} days", random.u32(1..600));
        // Many spend little, few spend much.
        let value = random.u32(10..60) * random.u32(1..60);
        insert.execute(params![email, country, consent, days_ago, value, ""])?;
    }
    for text in NO_ADDRESSES {
        insert.execute(params![text, "DE", true, "-1 days", 900, ""])?;
    }
    drop(insert);
    transaction.commit()
}

/// New customers who order well at once.
pub(crate) fn sign_up(transaction: &Transaction<'_>) -> Result<()> {
    let mut random = Rng::with_seed(SEED + 1);
    let mut insert = transaction.prepare(INSERT)?;
    for number in CUSTOMERS + 1..=CUSTOMERS + 12 {
        let email = email(&mut random, number);
        insert.execute(params![email, "ES", true, "-3 days", 800, "became a customer"])?;
    }
    Ok(())
}

/// Some people write their address in capitals; it is one address all the same.
fn email(random: &mut Rng, number: usize) -> String {
    let (first, last) = (FIRST[random.usize(..8)], LAST[random.usize(..8)]);
    let email = format!("{first}.{last}{number}@example.com");
    if number.is_multiple_of(50) { email.to_uppercase() } else { email }
}
