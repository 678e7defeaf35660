//! Who may run: the rows of leases, which every write locks first.

use chrono::{DateTime, Utc};
use tokio_postgres::types::Type;

use super::{
    link::{Fault, Tx},
    rows,
    schema::damaged,
};
use crate::state::{
    Acquired, ActivationKey, Lease,
    rules::{self, Holder, NewestLease},
};

/// The newest lease, as it is stored.
struct Stored {
    newest: NewestLease,
    id: Vec<u8>,
}

/// Gives the lease of an activation out under `id`, if it is free, and clears away what earlier ones
/// left behind.
pub(super) async fn acquire(
    tx: &Tx<'_>,
    activation: &ActivationKey,
    holder: &Holder,
    now: DateTime<Utc>,
    id: &[u8],
) -> Result<Acquired, Fault> {
    let name = activation.as_str().as_bytes();
    // There must be a row to lock. Undone with all the rest unless the lease is given.
    let sql = "INSERT INTO @.lease (activation, token, until, lease_id) VALUES ($1, 0, 0, '') \
        ON CONFLICT DO NOTHING";
    tx.execute(sql, &[(&name, Type::BYTEA)]).await?;
    let stored = lock(tx, activation).await?.ok_or_else(|| damaged("lease"))?;
    let lease = |token| Acquired::Lease(Lease { activation: activation.clone(), token });
    if stored.id == id {
        return Ok(lease(stored.newest.token));
    }
    if let Some(Holder { name, until }) = stored.newest.holder_at(now).cloned() {
        return Ok(Acquired::Busy { holder: name, until });
    }
    let token = rules::next_token(Some(&stored.newest));
    let (holder, until) = (holder.name.as_bytes(), holder.until.timestamp_micros());
    tx.execute(
        "UPDATE @.lease SET token = $2, holder = $3, until = $4, lease_id = $5 \
        WHERE activation = $1",
        &[
            (&name, Type::BYTEA),
            (&token.cast_signed(), Type::INT8),
            (&holder, Type::BYTEA),
            (&until, Type::INT8),
            (&id, Type::BYTEA),
        ],
    )
    .await?;
    rows::remove_orphans(tx, activation).await?;
    Ok(lease(token))
}

/// Makes sure, until the transaction ends, that `lease` may write and nobody takes it over.
pub(super) async fn hold(tx: &Tx<'_>, lease: &Lease) -> Result<(), Fault> {
    let stored = lock(tx, &lease.activation).await?;
    Ok(rules::check_lease(stored.map(|stored| stored.newest).as_ref(), lease)?)
}

/// Whether `lease` may write by now. It may be taken over at once.
pub(super) async fn check(tx: &Tx<'_>, lease: &Lease) -> Result<(), Fault> {
    let stored = newest(tx, &lease.activation, "").await?;
    Ok(rules::check_lease(stored.map(|stored| stored.newest).as_ref(), lease)?)
}

/// Prolongs the newest lease.
pub(super) async fn prolong(tx: &Tx<'_>, lease: &Lease, until: DateTime<Utc>) -> Result<(), Fault> {
    let (name, until) = (lease.activation.as_str().as_bytes(), until.timestamp_micros());
    let sql = "UPDATE @.lease SET until = $2 WHERE activation = $1";
    tx.execute(sql, &[(&name, Type::BYTEA), (&until, Type::INT8)]).await?;
    Ok(())
}

/// Marks a lease as given back, if it is the newest.
pub(super) async fn end(tx: &Tx<'_>, lease: &Lease) -> Result<(), Fault> {
    let (name, token) = (lease.activation.as_str().as_bytes(), lease.token.cast_signed());
    let sql = "UPDATE @.lease SET holder = NULL WHERE activation = $1 AND token = $2";
    tx.execute(sql, &[(&name, Type::BYTEA), (&token, Type::INT8)]).await?;
    Ok(())
}

/// Every activation that ever had a lease, in ascending order.
pub(super) async fn activations(tx: &Tx<'_>) -> Result<Vec<ActivationKey>, Fault> {
    let sql = "SELECT activation FROM @.lease WHERE token <> 0 ORDER BY activation";
    let rows = tx.rows(sql, &[]).await?;
    let name = |bytes: Vec<u8>| String::from_utf8(bytes).map(ActivationKey::new).ok();
    let mut keys = Vec::with_capacity(rows.len());
    for row in rows {
        keys.push(row.try_get(0).ok().and_then(name).ok_or_else(|| damaged("lease"))?);
    }
    Ok(keys)
}

async fn lock(tx: &Tx<'_>, activation: &ActivationKey) -> Result<Option<Stored>, Fault> {
    newest(tx, activation, " FOR UPDATE").await
}

async fn newest(
    tx: &Tx<'_>,
    activation: &ActivationKey,
    locking: &str,
) -> Result<Option<Stored>, Fault> {
    let sql = "SELECT token, holder, until, lease_id FROM @.lease WHERE activation = $1";
    let name = activation.as_str().as_bytes();
    let row = tx.row(&format!("{sql}{locking}"), &[(&name, Type::BYTEA)]).await?;
    let Some(row) = row else { return Ok(None) };
    let read = || -> Option<Stored> {
        let token: i64 = row.try_get(0).ok()?;
        let holder: Option<Vec<u8>> = row.try_get(1).ok()?;
        let until = DateTime::from_timestamp_micros(row.try_get(2).ok()?)?;
        let holder = match holder {
            Some(name) => Some(Holder { name: String::from_utf8(name).ok()?, until }),
            None => None,
        };
        let newest = NewestLease { token: token.cast_unsigned(), holder };
        Some(Stored { newest, id: row.try_get(3).ok()? })
    };
    Ok(Some(read().ok_or_else(|| damaged("lease"))?))
}
