//! Noticing that the write-ahead file was taken away.
//!
//! While a directory is in use, its newest commits lie in the write-ahead file alone. Without it SQLite opens the
//! directory as it was before, and says nothing. So the file itself says whether it is in use: then the write-ahead
//! file must be there. The mark is set before the first commit and taken back when all is in one file again.

use rusqlite::config::DbConfig;
use rusqlite::{Connection, Result};
use std::time::Duration;

/// In `PRAGMA application_id`: "Bu", and whether it is in use.
const CLOSED: i64 = 0x4275_0001;
const IN_USE: i64 = 0x4275_0002;

/// How to say that a file is whole, for operators who know that it is.
pub(super) const CLOSED_BY_HAND: &str = "PRAGMA application_id = 1114963969";

const _: () = assert!(CLOSED == 1_114_963_969);

/// How long SQLite waits for a lock, except where nobody may wait.
const LOCK_WAIT: Duration = Duration::from_secs(5);

/// Whether the file says that it is in use.
pub(super) fn is_in_use(connection: &Connection) -> Result<bool> {
    let mark: i64 = connection.query_row("PRAGMA application_id", [], |row| row.get(0))?;
    Ok(mark == IN_USE)
}

/// Makes closing leave everything as it is, also the write-ahead file, until [`mark_closed`].
pub(super) fn leave_as_it_is(connection: &Connection) -> Result<()> {
    connection
        .set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)
        .map(drop)
}

/// Says that the file is in use, durably.
pub(super) fn mark_in_use(connection: &Connection) -> Result<()> {
    connection.pragma_update(None, "application_id", IN_USE)?;
    checkpoint(connection)
}

/// Says that the file was closed in order. Closing then puts everything into it and removes the write-ahead file.
pub(super) fn mark_closed(connection: &Connection) -> Result<()> {
    connection.pragma_update(None, "application_id", CLOSED)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false)?;
    Ok(())
}

/// Moves everything into the file and empties the write-ahead file, unless somebody reads.
pub(super) fn checkpoint(connection: &Connection) -> Result<()> {
    connection.busy_timeout(Duration::ZERO)?;
    let done = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
    connection.busy_timeout(LOCK_WAIT)?;
    done
}
