//! The tables of the file.
//!
//! *Invariant:* whatever changes here changes [`VERSION`] too: a file of another version is put aside.

use rusqlite::{Connection, Transaction, TransactionBehavior};

use super::IndexError;

/// `kreact` in four bytes: what `file` and we know the file by.
pub(super) const APPLICATION: i32 = 0x6b72_6163;
/// Of these tables.
pub(super) const VERSION: i32 = 1;

const TABLES: &str = "
CREATE TABLE document (
    id INTEGER PRIMARY KEY,
    derivation TEXT NOT NULL,
    blob TEXT NOT NULL,
    path TEXT NOT NULL,
    name TEXT NOT NULL,
    title TEXT NOT NULL,
    status TEXT NOT NULL,
    superseded_by TEXT,
    kinds TEXT NOT NULL,
    platforms TEXT NOT NULL,
    signature TEXT NOT NULL,
    length REAL NOT NULL,
    texts BLOB NOT NULL,
    chunks INTEGER NOT NULL,
    UNIQUE (derivation, blob, path)
) STRICT;
CREATE TABLE body (
    document INTEGER PRIMARY KEY,
    front TEXT NOT NULL,
    chunks BLOB NOT NULL
) STRICT;
CREATE TABLE term (
    id INTEGER PRIMARY KEY,
    text TEXT NOT NULL UNIQUE
) STRICT;
CREATE TABLE posting (
    term INTEGER NOT NULL,
    document INTEGER NOT NULL,
    weight REAL NOT NULL,
    PRIMARY KEY (term, document)
) STRICT, WITHOUT ROWID;
CREATE TABLE model (
    id INTEGER PRIMARY KEY,
    digest TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    dimensions INTEGER NOT NULL
) STRICT;
CREATE TABLE vector (
    id INTEGER PRIMARY KEY,
    model INTEGER NOT NULL,
    texts BLOB NOT NULL,
    sum INTEGER NOT NULL,
    data BLOB NOT NULL,
    UNIQUE (model, texts)
) STRICT;
CREATE TABLE memo (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
";

/// Names every table and column: it can't be prepared where one is missing.
const PROBE: &str = "
SELECT d.derivation, d.blob, d.path, d.name, d.title, d.status, d.superseded_by, d.kinds, d.platforms, d.signature,
       d.length, d.texts, d.chunks, b.front, b.chunks, t.text, p.weight, m.digest, m.name, m.dimensions, v.texts, v.sum, v.data,
       o.value
FROM document d JOIN body b ON b.document = d.id JOIN posting p ON p.document = d.id JOIN term t ON t.id = p.term
     JOIN vector v ON v.texts = d.texts JOIN model m ON m.id = v.model JOIN memo o ON o.key = m.digest
LIMIT 1";

/// Makes the tables in a new file; refuses a file that is not ours or of another version.
pub(super) fn prepare(db: &mut Connection) -> Result<(), IndexError> {
    if check(db).is_ok() {
        return Ok(());
    }
    // Whoever comes second finds what the first one made.
    let work = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    if pragma(&work, "schema_version")? == 0 && pragma(&work, "application_id")? == 0 {
        work.execute_batch(TABLES)?;
        work.pragma_update(None, "application_id", APPLICATION)?;
        work.pragma_update(None, "user_version", VERSION)?;
    }
    work.commit()?;
    check(db)
}

fn check(db: &Connection) -> Result<(), IndexError> {
    if pragma(db, "application_id")? != i64::from(APPLICATION) {
        return Err(IndexError::Damaged("the file is not an index of kubectl-react".to_owned()));
    }
    let version = pragma(db, "user_version")?;
    if version != i64::from(VERSION) {
        return Err(IndexError::Damaged(format!("it is of version {version}, not {VERSION}")));
    }
    db.prepare(PROBE).map_err(|error| IndexError::Damaged(error.to_string()))?;
    Ok(())
}

fn pragma(db: &Connection, name: &str) -> Result<i64, rusqlite::Error> {
    db.pragma_query_value(None, name, |row| row.get(0))
}

/// A transaction that begins as a writer: one that began as a reader could not become one once another wrote.
pub(super) fn writing(db: &mut Connection) -> Result<Transaction<'_>, rusqlite::Error> {
    db.transaction_with_behavior(TransactionBehavior::Immediate)
}
