use super::status::status;

status! {
    /// What has become of a user's coupon.
    CouponStatus {
        /// It may be used.
        Available = "AVAILABLE",
        /// It was used, by one order.
        Used = "USED",
        /// Its time is over.
        Expired = "EXPIRED",
    }
}
