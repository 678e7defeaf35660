//! A SQLite database that was cut off amid a commit, as its file format describes it.

use fastrand::Rng;

/// What the name of the rollback journal adds to that of the database.
pub(super) const JOURNAL_SUFFIX: &str = "-journal";

const MAGIC: [u8; 8] = [0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7];
const SECTOR: usize = 512;

/// The database and its rollback journal after the power went somewhere between `before` and
/// `after` a transaction. The journal is synced before the database is touched, and goes when the
/// transaction is durable.
pub(super) fn torn_database(
    before: &[u8],
    after: &[u8],
    dice: &mut Rng,
) -> (Vec<u8>, Option<Vec<u8>>) {
    if before.is_empty() {
        // Nothing to roll back to; SQLite's own first transaction is over when a process has points.
        return (after.to_vec(), None);
    }
    let journal = rollback_journal(before, dice.u32(..));
    match dice.u8(0..4) {
        0 => (before.to_vec(), None),
        1 => (after.to_vec(), None),
        2 => {
            let length = dice.usize(0..=journal.len());
            (before.to_vec(), Some(journal[..length].to_vec()))
        }
        _ => (mixture(before, after, dice), Some(journal)),
    }
}

/// Sector by sector from one or the other, and as long as either.
fn mixture(before: &[u8], after: &[u8], dice: &mut Rng) -> Vec<u8> {
    let length = if dice.bool() { before.len() } else { after.len() };
    let mut mixed = Vec::with_capacity(length);
    while mixed.len() < length {
        let at = mixed.len();
        let from = if dice.bool() { before } else { after };
        match from.get(at..at + SECTOR) {
            Some(sector) => mixed.extend_from_slice(sector),
            None => mixed.resize(at + SECTOR, 0),
        }
    }
    mixed
}

/// A synced rollback journal that holds every page of `database`.
fn rollback_journal(database: &[u8], nonce: u32) -> Vec<u8> {
    let page_bytes = match u16::from_be_bytes([database[16], database[17]]) {
        1 => 65_536,
        bytes => usize::from(bytes),
    };
    let pages = database.chunks_exact(page_bytes);
    let count = u32::try_from(pages.len()).expect("a small database");
    let mut journal = MAGIC.to_vec();
    for number in [count, nonce, count, SECTOR as u32, page_bytes as u32] {
        journal.extend_from_slice(&number.to_be_bytes());
    }
    journal.resize(SECTOR, 0);
    for (number, page) in (1_u32..).zip(pages) {
        journal.extend_from_slice(&number.to_be_bytes());
        journal.extend_from_slice(page);
        journal.extend_from_slice(&checksum(page, nonce).to_be_bytes());
    }
    journal
}

/// Every 200th byte from the end, added to the nonce.
fn checksum(page: &[u8], nonce: u32) -> u32 {
    let offsets = (1..).map(|step| page.len().checked_sub(200 * step));
    let bytes = offsets.map_while(|offset| offset.filter(|offset| *offset > 0));
    bytes.fold(nonce, |sum, offset| sum.wrapping_add(page[offset].into()))
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::*;

    fn content(path: &std::path::Path) -> Vec<String> {
        let connection = Connection::open(path).unwrap();
        let mut query = connection.prepare("SELECT x FROM t ORDER BY x").unwrap();
        let rows = query.query_map([], |row| row.get(0)).unwrap();
        rows.map(|row| row.unwrap()).collect()
    }

    #[test]
    fn sqlite_rolls_a_torn_database_back_to_what_it_was() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("t.db");
        let connection = Connection::open(&path).unwrap();
        connection.execute_batch("CREATE TABLE t (x TEXT); INSERT INTO t VALUES ('a')").unwrap();
        let before = std::fs::read(&path).unwrap();
        let long = "b".repeat(20_000);
        connection.execute("INSERT INTO t VALUES (?1)", [&long]).unwrap();
        drop(connection);
        let after = std::fs::read(&path).unwrap();
        let (mut old, mut new) = (0, 0);
        for seed in 0..200 {
            let (database, journal) = torn_database(&before, &after, &mut Rng::with_seed(seed));
            std::fs::write(&path, &database).unwrap();
            let hot = directory.path().join(format!("t.db{JOURNAL_SUFFIX}"));
            if let Some(journal) = &journal {
                std::fs::write(&hot, journal).unwrap();
            }
            match &content(&path)[..] {
                [a] if a == "a" => old += 1,
                [a, b] if a == "a" && *b == long && journal.is_none() => new += 1,
                other => panic!("seed {seed}: {} rows", other.len()),
            }
            let _ = std::fs::remove_file(hot);
        }
        assert!(old > 100 && new > 20, "{old} and {new}");
    }
}
