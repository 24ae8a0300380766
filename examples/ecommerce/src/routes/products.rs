use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::app::App;
use crate::error::ShopError;
use crate::http::{Json, Path, Query, errors};
use crate::model::{ProductId, ProductOrder};
use crate::usecase::products::{self, Product};
use crate::usecase::top_products;

errors!(ProductsErrors: InvalidInput);
errors!(ProductErrors: InvalidInput, ProductNotFound);
errors!(TopProductsErrors:);

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct ProductBody {
    product_id: ProductId,
    name: String,
    description: String,
    price: i64,
    stock: i64,
    category: String,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct ProductsBody {
    products: Vec<ProductBody>,
    total_count: usize,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct TopBody {
    period: &'static str,
    products: Vec<RankedBody>,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct RankedBody {
    rank: usize,
    product_id: ProductId,
    name: String,
    sales_count: i64,
    revenue: i64,
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Filter {
    category: Option<String>,
    #[serde(default)]
    sort: ProductOrder,
}

impl From<Product> for ProductBody {
    fn from(Product { row, stock }: Product) -> Self {
        let (product_id, name, description) = (row.id, row.name, row.description);
        Self { product_id, name, description, price: row.price, stock, category: row.category }
    }
}

#[utoipa::path(
    get,
    path = "/products",
    operation_id = "products",
    summary = "The products",
    params(Filter),
    responses((status = 200, body = ProductsBody, description = "Done"), ProductsErrors)
)]
pub(super) async fn list(
    State(app): State<App>,
    Query(filter): Query<Filter>,
) -> Result<Json<ProductsBody>, ShopError> {
    let products =
        products::list(app.database(), app.cache(), filter.category.as_deref(), filter.sort).await?;
    let products: Vec<_> = products.into_iter().map(ProductBody::from).collect();
    Ok(Json(ProductsBody { total_count: products.len(), products }))
}

#[utoipa::path(
    get,
    path = "/products/{id}",
    operation_id = "product",
    summary = "One product",
    params(("id" = ProductId, Path)),
    responses((status = 200, body = ProductBody, description = "Done"), ProductErrors)
)]
pub(super) async fn show(
    State(app): State<App>,
    Path(id): Path<ProductId>,
) -> Result<Json<ProductBody>, ShopError> {
    Ok(Json(products::find(app.database(), app.cache(), id).await?.into()))
}

#[utoipa::path(
    get,
    path = "/products/top",
    operation_id = "topProducts",
    summary = "The five products sold most in the last three days",
    responses((status = 200, body = TopBody, description = "Done"), TopProductsErrors)
)]
pub(super) async fn top(State(app): State<App>) -> Result<Json<TopBody>, ShopError> {
    let rows = top_products::list(app.database(), app.cache()).await?;
    let ranked = (1..).zip(rows).map(|(rank, row)| RankedBody {
        rank,
        product_id: row.product_id,
        name: row.name,
        sales_count: row.sales_count,
        revenue: row.revenue,
    });
    Ok(Json(TopBody { period: "3days", products: ranked.collect() }))
}
