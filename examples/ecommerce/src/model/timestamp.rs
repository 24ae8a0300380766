use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;
use time::{Date, OffsetDateTime, PrimitiveDateTime};

const FORMAT: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");

/// A moment in UTC, to the millisecond: what both databases keep, so that a moment read back is the one written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, sqlx::Type, utoipa::ToSchema)]
#[schema(value_type = String, format = DateTime)]
#[sqlx(transparent)]
pub struct Timestamp(PrimitiveDateTime);

impl Timestamp {
    /// This moment, by the clock of this machine.
    pub fn now() -> Self {
        let now = OffsetDateTime::now_utc();
        let moment = PrimitiveDateTime::new(now.date(), now.time());
        // The number of milliseconds of a moment is within range, so the moment is never left as it was.
        Self(moment.replace_millisecond(now.millisecond()).unwrap_or(moment))
    }
}

impl Timestamp {
    /// The day of this moment.
    pub fn day(self) -> Date {
        self.0.date()
    }

    /// How long ago another moment was; zero if it is yet to come.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::try_from(self.0 - earlier.0).unwrap_or_default()
    }

    /// This moment, so long before.
    pub fn before(self, by: Duration) -> Self {
        let by = time::Duration::try_from(by).unwrap_or(time::Duration::MAX);
        Self(self.0.saturating_sub(by))
    }

    /// This moment, so long after.
    pub fn after(self, by: Duration) -> Self {
        let by = time::Duration::try_from(by).unwrap_or(time::Duration::MAX);
        Self(self.0.saturating_add(by))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.format(FORMAT).map_err(|_| fmt::Error)?)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        PrimitiveDateTime::parse(&text, FORMAT).map(Self).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_writes_to_the_last_digit() {
        let now = Timestamp::now();
        let text = serde_json::to_string(&now).unwrap();
        assert!(text.ends_with("Z\"") && text.len() == 26, "{text}");
        assert_eq!(serde_json::from_str::<Timestamp>(&text).unwrap(), now);
    }
}
