/// A kind of damage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Failed,
    Lost,
    Double,
    Oversold,
    Orders,
}

impl Kind {
    /// Every kind of which the data itself tells; a request that failed has done no harm to it.
    pub(super) const OF_DATA: [Self; 4] = [Self::Lost, Self::Double, Self::Oversold, Self::Orders];

    /// As it is called in a sentence.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Failed => "failed requests",
            Self::Lost => "lost updates",
            Self::Double => "double charges",
            Self::Oversold => "oversold coupons",
            Self::Orders => "several orders under one key",
        }
    }
}

/// What a load has done, counted in the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Damage {
    /// Charges that were made, and of which the balance knows nothing.
    pub(super) lost_updates: i64,
    /// Charges beyond one under one key.
    pub(super) double_charges: i64,
    /// Coupons in users' hands beyond those there were.
    pub(super) oversold_coupons: i64,
    /// The most orders under one key.
    pub(super) orders_per_key: i64,
}

impl Damage {
    /// Whether there is any of this kind, given how many requests failed.
    pub(super) fn shows(&self, kind: Kind, failed: usize) -> bool {
        match kind {
            Kind::Failed => failed > 0,
            Kind::Lost => self.lost_updates > 0,
            Kind::Double => self.double_charges > 0,
            Kind::Oversold => self.oversold_coupons > 0,
            Kind::Orders => self.orders_per_key > 1,
        }
    }
}
