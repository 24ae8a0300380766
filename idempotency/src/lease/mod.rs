//! Work whose effect lies outside the database: claimed for a time, and settled after it.

mod claim;
mod heartbeat;
mod held;
mod policy;
mod reconcile;
mod request;
mod settle;

pub use self::{
    held::Lease,
    policy::Takeover,
    reconcile::{Reconciled, UnknownWork},
    request::LeasedRequest,
};
