use crate::Payload;

/// How work ended: what its owner writes into the row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Settlement {
    /// It is done; repeats are answered with the response.
    Completed(StoredResponse),
    /// It was undone and may run again.
    Failed {
        /// A line for people who look at the table.
        message: Option<String>,
    },
    /// Nobody knows whether it took effect.
    Unknown {
        /// A line for people who look at the table.
        message: Option<String>,
    },
}

/// Whether the row was still the writer's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "a fenced settlement has written nothing"]
pub enum Settled {
    /// It was; the settlement is written.
    Written,
    /// Somebody else has claimed it since, or it was settled before. Nothing is written.
    Fenced,
}

impl Settled {
    /// Judges by the number of rows that a guarded statement has changed.
    #[cfg(feature = "sql")]
    pub(crate) fn by_rows(rows: u64) -> Self {
        if rows == 1 { Self::Written } else { Self::Fenced }
    }
}

/// An answer that is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoredResponse {
    /// The work succeeded.
    Success(Payload),
    /// The work was refused, for good.
    Refusal(Payload),
}

impl StoredResponse {
    /// Returns the bytes.
    pub fn payload(&self) -> &Payload {
        match self {
            Self::Success(payload) | Self::Refusal(payload) => payload,
        }
    }
}
