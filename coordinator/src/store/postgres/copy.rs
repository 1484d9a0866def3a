//! Rows in the binary form that COPY takes: what is only ever added goes in without being parsed or planned.

use sqlx::PgConnection;

pub(super) struct Rows {
    bytes: Vec<u8>,
    columns: i16,
}

impl Rows {
    pub(super) fn of(columns: i16) -> Self {
        let mut bytes = b"PGCOPY\n\xff\r\n\0".to_vec();
        // No flags, no extension.
        bytes.extend([0; 8]);
        Self { bytes, columns }
    }

    /// Begins a row; its values follow.
    pub(super) fn row(&mut self) -> &mut Self {
        self.bytes.extend(self.columns.to_be_bytes());
        self
    }

    pub(super) fn number(&mut self, value: impl Into<Option<i64>>) -> &mut Self {
        self.value(value.into().map(i64::to_be_bytes).as_ref().map(<[u8; 8]>::as_slice))
    }

    /// Adds the bytes of a BYTEA or TEXT.
    pub(super) fn bytes<'a>(&mut self, value: impl Into<Option<&'a [u8]>>) -> &mut Self {
        self.value(value.into())
    }

    fn value(&mut self, value: Option<&[u8]>) -> &mut Self {
        // No value of ours comes near to 2 GiB; one that did is refused by the server.
        let length = value.map_or(-1, |value| i32::try_from(value.len()).unwrap_or(i32::MAX));
        self.bytes.extend(length.to_be_bytes());
        self.bytes.extend(value.unwrap_or_default());
        self
    }

    /// Sends all rows to `into` (a table and its columns).
    pub(super) async fn send(mut self, connection: &mut PgConnection, into: &str) -> sqlx::Result<()> {
        self.bytes.extend((-1i16).to_be_bytes());
        let mut copy = connection.copy_in_raw(&format!("COPY {into} FROM STDIN (FORMAT binary)")).await?;
        copy.send(self.bytes).await?;
        copy.finish().await?;
        Ok(())
    }
}
