use super::status::status;

status! {
    /// How far an order is.
    OrderStatus {
        /// It waits for its payment.
        Pending = "PENDING",
        /// It is paid.
        Completed = "COMPLETED",
        /// It was given up.
        Cancelled = "CANCELLED",
    }
}
