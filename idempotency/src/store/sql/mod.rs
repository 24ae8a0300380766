//! What the stores in a SQL database share.

mod columns;
mod fencing;
mod raw_row;
mod session;
mod table;
#[cfg(any(feature = "mysql", feature = "postgres"))]
mod template;
mod transactional;
mod units;

#[cfg(feature = "sqlite")]
pub(crate) use self::units::millis;
pub(crate) use self::{
    columns::Columns,
    raw_row::{RawRow, RawStuck},
    session::Abandoned,
    table::Table,
};
pub use self::{
    fencing::{Fence, FencingStore},
    session::Session,
    table::InvalidTable,
    transactional::{CommitError, NotBegun, TransactionalStore},
};
#[cfg(any(feature = "mysql", feature = "postgres"))]
pub(crate) use self::{
    template::{Dialect, Literal, Template},
    units::{kept, micros},
};
