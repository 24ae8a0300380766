use super::status::status;

status! {
    /// How far a payment is.
    PaymentStatus {
        /// Stock and balance are taken; the gateway has not answered yet.
        Reserved = "RESERVED",
        /// The gateway did not answer in time.
        Unknown = "UNKNOWN",
        /// The gateway approved, and the order is paid.
        Settled = "SETTLED",
        /// Stock and balance were given back.
        Returned = "RETURNED",
    }
}
