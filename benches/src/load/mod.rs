//! What the contenders are made to do.

mod charge;
mod clock;
mod hold;
mod spin;
mod turns;

pub use charge::{by_attribute, by_hand};
pub use clock::monotonic_nanos;
pub use hold::hold_many;
pub use spin::{Keys, Spin, SpinResult};
pub use turns::{Turns, TurnsResult};
