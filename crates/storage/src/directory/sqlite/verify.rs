//! Whether a directory is what was written: SQLite checks the structure of its pages, not what lies in them.
//!
//! Every record carries a CRC-32C over its partition, key and value, compared whenever it is read. Every partition
//! carries the number of its records and the sum of their checksums, so that a record that is gone is missed when the
//! directory is opened. They find accidents; what must not be forged is sealed by those who store it.

use super::TABLES;
use super::thread::{Claimed, read_states};
use crate::contract::PartitionId;
use rusqlite::Connection;

/// The checksum of a record.
pub(super) fn record_crc(partition: PartitionId, key: &[u8], value: &[u8]) -> u32 {
    let length = u32::try_from(key.len()).unwrap_or(u32::MAX);
    let crc = crc32c::crc32c_append(crc32c::crc32c(&partition.0.to_le_bytes()), &length.to_le_bytes());
    crc32c::crc32c_append(crc32c::crc32c_append(crc, key), value)
}

/// The checksum of a partition's row.
pub(super) fn state_crc(partition: PartitionId, state: &Claimed) -> u32 {
    let crc = crc32c::crc32c(&partition.0.to_le_bytes());
    let numbers = [
        state.token.0,
        state.last_commit.0.0,
        state.last_commit.1,
        state.last_pos.0,
        state.records,
        state.digest,
    ];
    numbers.iter().fold(crc, |crc, number| {
        crc32c::crc32c_append(crc, &number.to_le_bytes())
    })
}

/// The tables' definitions as SQLite keeps them, in the order of [`TABLES`].
fn definitions() -> impl Iterator<Item = String> {
    let statements = TABLES.split(';').map(str::trim);
    statements
        .filter(|statement| statement.starts_with("CREATE"))
        .map(str::to_owned)
}

/// Reads everything and compares; answers what is damaged.
pub(super) fn damage(connection: &Connection) -> rusqlite::Result<Option<String>> {
    let mut statement =
        connection.prepare("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY rootpage")?;
    let found: Vec<String> = statement
        .query_map([], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    if !found.iter().map(|sql| sql.trim()).eq(definitions()) {
        return Ok(Some("the definitions of the tables have changed".to_owned()));
    }
    let verdict: String = connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
    if verdict != "ok" {
        return Ok(Some(verdict));
    }
    let (states, damaged) = read_states(connection, 0)?;
    if let Some(partition) = damaged {
        return Ok(Some(format!("the row of partition {partition} is damaged")));
    }
    let mut sums = vec![(0_u64, 0_u64); states.len()];
    let mut statement = connection.prepare("SELECT partition, key, value, crc FROM records")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let partition = PartitionId(row.get(0)?);
        let (key, value) = (row.get_ref(1)?.as_blob()?, row.get_ref(2)?.as_blob()?);
        let crc: u32 = row.get(3)?;
        if record_crc(partition, key, value) != crc {
            return Ok(Some(format!("a record of partition {} is damaged", partition.0)));
        }
        let sum = usize::try_from(partition.0)
            .ok()
            .and_then(|index| sums.get_mut(index));
        let Some((records, digest)) = sum else {
            return Ok(Some(format!("partition {} has records but no row", partition.0)));
        };
        *records = records.saturating_add(1);
        *digest = digest.wrapping_add(u64::from(crc));
    }
    for (partition, (state, sum)) in states.iter().zip(&sums).enumerate() {
        if (state.records, state.digest) != *sum {
            let (kept, found) = (state.records, sum.0);
            let why = format!(
                "partition {partition} had {kept} records, of which these are not all or not these: {found}"
            );
            return Ok(Some(why));
        }
    }
    Ok(None)
}
