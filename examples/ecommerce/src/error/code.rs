use axum::http::StatusCode;
use serde::{Deserialize, Serialize};

/// What clients tell errors apart by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[allow(missing_docs)] // each is explained by its own text
pub enum ErrorCode {
    #[serde(rename = "P001")]
    ProductNotFound,
    #[serde(rename = "P002")]
    StockShort,
    #[serde(rename = "O001")]
    InvalidQuantity,
    #[serde(rename = "O002")]
    OrderNotFound,
    #[serde(rename = "O003")]
    OrderNotPending,
    #[serde(rename = "U001")]
    UserNotFound,
    #[serde(rename = "U002")]
    InvalidAmount,
    #[serde(rename = "CART001")]
    CartNotFound,
    #[serde(rename = "CART002")]
    CartItemNotFound,
    #[serde(rename = "C001")]
    CouponSoldOut,
    #[serde(rename = "C002")]
    InvalidCoupon,
    #[serde(rename = "C003")]
    CouponExpired,
    #[serde(rename = "C004")]
    CouponAlreadyIssued,
    #[serde(rename = "PAY001")]
    BalanceShort,
    #[serde(rename = "PAY002")]
    PaymentDeclined,
    #[serde(rename = "PAY003")]
    Busy,
    #[serde(rename = "PAY004")]
    PaymentUnknown,
    #[serde(rename = "COMMON001")]
    Internal,
    #[serde(rename = "COMMON002")]
    InvalidInput,
    #[serde(rename = "COMMON003")]
    NotFound,
    #[serde(rename = "COMMON004")]
    KeyReused,
    #[serde(rename = "COMMON005")]
    MethodNotAllowed,
    #[serde(rename = "COMMON006")]
    BodyTooLarge,
    #[serde(rename = "COMMON007")]
    UnsupportedMediaType,
    #[serde(rename = "COMMON008")]
    Unavailable,
}

impl ErrorCode {
    /// The code as clients see it.
    pub fn as_str(self) -> &'static str {
        self.row().0
    }

    /// The HTTP status that goes with it.
    pub fn status(self) -> StatusCode {
        self.row().1
    }

    /// What it means, for a person, where there is nothing more particular to say.
    pub fn text(self) -> &'static str {
        self.row().2
    }

    /// Whether the answer says when to ask again.
    pub fn may_be_asked_again(self) -> bool {
        matches!(self, Self::Busy | Self::Unavailable | Self::PaymentUnknown)
    }

    /// Whether a request with an idempotency key that was refused so stays refused under that key: a decision about
    /// money, stock or coupons, rather than a request that could not be understood.
    pub fn is_final(self) -> bool {
        matches!(
            self,
            Self::StockShort
                | Self::OrderNotPending
                | Self::InvalidAmount
                | Self::CouponSoldOut
                | Self::InvalidCoupon
                | Self::CouponExpired
                | Self::CouponAlreadyIssued
                | Self::BalanceShort
                | Self::PaymentDeclined
        )
    }

    fn row(self) -> (&'static str, StatusCode, &'static str) {
        use StatusCode as S;
        match self {
            Self::ProductNotFound => ("P001", S::NOT_FOUND, "there is no such product"),
            Self::StockShort => ("P002", S::CONFLICT, "there is not enough stock"),
            Self::InvalidQuantity => ("O001", S::BAD_REQUEST, "the quantity is not valid"),
            Self::OrderNotFound => ("O002", S::NOT_FOUND, "there is no such order"),
            Self::OrderNotPending => ("O003", S::BAD_REQUEST, "the order is not waiting for payment"),
            Self::UserNotFound => ("U001", S::NOT_FOUND, "there is no such user"),
            Self::InvalidAmount => ("U002", S::BAD_REQUEST, "the amount is not valid"),
            Self::CartNotFound => ("CART001", S::NOT_FOUND, "there is no such cart"),
            Self::CartItemNotFound => ("CART002", S::NOT_FOUND, "the product is not in the cart"),
            Self::CouponSoldOut => ("C001", S::CONFLICT, "the coupon is sold out"),
            Self::InvalidCoupon => ("C002", S::BAD_REQUEST, "the coupon is not valid"),
            Self::CouponExpired => ("C003", S::BAD_REQUEST, "the coupon is not valid at this time"),
            Self::CouponAlreadyIssued => ("C004", S::BAD_REQUEST, "the user has this coupon already"),
            Self::BalanceShort => ("PAY001", S::CONFLICT, "the balance is too low"),
            Self::PaymentDeclined => ("PAY002", S::PAYMENT_REQUIRED, "the payment was declined"),
            Self::Busy => {
                ("PAY003", S::CONFLICT, "the same request, or another on the same thing, is under way")
            }
            Self::PaymentUnknown => ("PAY004", S::GATEWAY_TIMEOUT, "the payment's outcome is not known yet"),
            Self::Internal => ("COMMON001", S::INTERNAL_SERVER_ERROR, "something went wrong on our side"),
            Self::InvalidInput => ("COMMON002", S::BAD_REQUEST, "the request is not valid"),
            Self::NotFound => ("COMMON003", S::NOT_FOUND, "there is nothing at this address"),
            Self::KeyReused => {
                ("COMMON004", S::UNPROCESSABLE_ENTITY, "the idempotency key was used for another request")
            }
            Self::MethodNotAllowed => ("COMMON005", S::METHOD_NOT_ALLOWED, "the method is not allowed here"),
            Self::BodyTooLarge => ("COMMON006", S::PAYLOAD_TOO_LARGE, "the request body is too large"),
            Self::UnsupportedMediaType => {
                ("COMMON007", S::UNSUPPORTED_MEDIA_TYPE, "send the body as application/json")
            }
            Self::Unavailable => ("COMMON008", S::SERVICE_UNAVAILABLE, "try again in a moment"),
        }
    }
}
