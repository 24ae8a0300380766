use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::app::App;
use crate::error::{ErrorCode, ShopError};
use crate::http::{Json, Query, errors};
use crate::model::{ProductId, Quantity, UserId};
use crate::store::carts::CartLine;
use crate::usecase::carts;

errors!(CartErrors: InvalidInput, UserNotFound);
errors!(AddToCartErrors: UserNotFound, ProductNotFound, InvalidQuantity, InvalidInput, BodyTooLarge, UnsupportedMediaType);
errors!(SetInCartErrors: CartNotFound, CartItemNotFound, ProductNotFound, InvalidQuantity, UserNotFound, InvalidInput, BodyTooLarge, UnsupportedMediaType);
errors!(RemoveFromCartErrors: CartNotFound, CartItemNotFound, UserNotFound, InvalidInput, BodyTooLarge, UnsupportedMediaType);

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct CartBody {
    user_id: UserId,
    items: Vec<CartLineBody>,
    total_amount: i64,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct CartLineBody {
    product_id: ProductId,
    name: String,
    unit_price: i64,
    quantity: i64,
    subtotal: i64,
    stock_available: bool,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct SetBody {
    product_id: ProductId,
    quantity: i64,
    subtotal: i64,
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(rename_all = "camelCase")]
pub(super) struct Whose {
    user_id: UserId,
}

// The quantity is read by itself, so that it gets an error code of its own.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct ItemBody {
    user_id: UserId,
    product_id: ProductId,
    #[schema(value_type = i64, minimum = 1, maximum = 1_000_000)]
    quantity: Option<Value>,
}

// The same where 0 is a quantity.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct SetItemBody {
    user_id: UserId,
    product_id: ProductId,
    #[schema(value_type = i64, minimum = 0, maximum = 1_000_000)]
    quantity: Option<Value>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct WhichBody {
    user_id: UserId,
    product_id: ProductId,
}

impl CartBody {
    fn new(user_id: UserId, lines: Vec<CartLine>) -> Self {
        let items: Vec<_> = lines.into_iter().map(CartLineBody::from).collect();
        let total_amount = items.iter().map(|item| item.subtotal).sum();
        Self { user_id, items, total_amount }
    }
}

impl From<CartLine> for CartLineBody {
    fn from(line: CartLine) -> Self {
        Self {
            product_id: line.product_id,
            name: line.name,
            unit_price: line.price,
            quantity: line.quantity,
            subtotal: line.price.saturating_mul(line.quantity),
            stock_available: line.stock >= line.quantity,
        }
    }
}

#[utoipa::path(
    get,
    path = "/cart",
    operation_id = "cart",
    summary = "The cart of a user",
    params(Whose),
    responses((status = 200, body = CartBody, description = "Done"), CartErrors)
)]
pub(super) async fn show(
    State(app): State<App>,
    Query(Whose { user_id }): Query<Whose>,
) -> Result<Json<CartBody>, ShopError> {
    let lines = carts::show(app.database(), app.cache(), user_id).await?;
    Ok(Json(CartBody::new(user_id, lines)))
}

#[utoipa::path(
    post,
    path = "/cart/items",
    operation_id = "addToCart",
    summary = "Puts pieces of a product into the cart",
    request_body = ItemBody,
    responses((status = 201, body = CartBody, description = "Done"), AddToCartErrors)
)]
pub(super) async fn add(
    State(app): State<App>,
    Json(body): Json<ItemBody>,
) -> Result<(StatusCode, Json<CartBody>), ShopError> {
    let quantity = Quantity::from_json(body.quantity.as_ref()).ok_or(ErrorCode::InvalidQuantity)?;
    let (user_id, product_id) = (body.user_id, body.product_id);
    let tasks = app.tasks().clone();
    let write = async move { carts::add(app.database(), app.cache(), user_id, product_id, quantity).await };
    let lines = tasks.run("cart", write).await?;
    Ok((StatusCode::CREATED, Json(CartBody::new(user_id, lines))))
}

#[utoipa::path(
    put,
    path = "/cart/items",
    operation_id = "setInCart",
    summary = "Sets how many pieces of a product are in the cart; 0 takes it out",
    request_body = SetItemBody,
    responses((status = 200, body = SetBody, description = "Done"), SetInCartErrors)
)]
pub(super) async fn set(
    State(app): State<App>,
    Json(body): Json<SetItemBody>,
) -> Result<Json<SetBody>, ShopError> {
    let (user_id, product_id) = (body.user_id, body.product_id);
    if body.quantity.as_ref().and_then(Value::as_i64) == Some(0) {
        let tasks = app.tasks().clone();
        let write = async move { carts::remove(app.database(), app.cache(), user_id, product_id).await };
        tasks.run("cart", write).await?;
        return Ok(Json(SetBody { product_id, quantity: 0, subtotal: 0 }));
    }
    let quantity = Quantity::from_json(body.quantity.as_ref()).ok_or(ErrorCode::InvalidQuantity)?;
    let tasks = app.tasks().clone();
    let write = async move { carts::set(app.database(), app.cache(), user_id, product_id, quantity).await };
    let product = tasks.run("cart", write).await?;
    let quantity = quantity.pieces();
    Ok(Json(SetBody { product_id, quantity, subtotal: product.price.saturating_mul(quantity) }))
}

#[utoipa::path(
    delete,
    path = "/cart/items",
    operation_id = "removeFromCart",
    summary = "Takes a product out of the cart",
    request_body = WhichBody,
    responses((status = 200, body = CartBody, description = "Done"), RemoveFromCartErrors)
)]
pub(super) async fn remove(
    State(app): State<App>,
    Json(body): Json<WhichBody>,
) -> Result<Json<CartBody>, ShopError> {
    let WhichBody { user_id, product_id } = body;
    let tasks = app.tasks().clone();
    let write = async move { carts::remove(app.database(), app.cache(), user_id, product_id).await };
    Ok(Json(CartBody::new(user_id, tasks.run("cart", write).await?)))
}
