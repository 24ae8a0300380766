use serde::Deserialize;

/// The order of a list of products.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ProductOrder {
    /// By number.
    #[default]
    #[serde(skip)]
    Number,
    /// The cheapest first.
    #[serde(alias = "price")]
    PriceAsc,
    /// The dearest first.
    PriceDesc,
    /// The newest first.
    Newest,
}
