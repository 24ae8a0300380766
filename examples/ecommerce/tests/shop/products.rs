use serde_json::{Value, json};

use crate::support::{Backing, Shop};

async fn names(shop: &Shop, query: &str) -> Vec<i64> {
    let list = shop.get(&format!("/api/products{query}")).await.ok();
    let products = list["products"].as_array().unwrap();
    assert_eq!(list["totalCount"], products.len());
    products.iter().map(|product| product["productId"].as_i64().unwrap()).collect()
}

#[tokio::test]
async fn products_are_listed_by_category_and_in_the_order_asked_for() {
    for backing in Backing::both().await {
        let shop = Shop::open(&backing).await;
        assert_eq!(names(&shop, "").await, (1..=21).collect::<Vec<_>>());
        assert_eq!(names(&shop, "?category=LUXURY").await, [21]);
        assert_eq!(names(&shop, "?category=NOTHING").await, [0; 0]);
        assert_eq!(names(&shop, "?category=FASHION&sort=price").await, [6, 9, 10, 7, 8]);
        assert_eq!(names(&shop, "?category=FASHION&sort=price_asc").await, [6, 9, 10, 7, 8]);
        assert_eq!(names(&shop, "?category=FASHION&sort=price_desc").await, [8, 7, 10, 9, 6]);
        assert_eq!(names(&shop, "?category=FASHION&sort=newest").await, [10, 9, 8, 7, 6]);
    }
}

#[tokio::test]
async fn a_product_is_shown_with_exactly_these_fields() {
    let shop = Shop::open(&Backing::embedded()).await;
    let expected = json!({
        "productId": 14, "name": "Vintage Olive Oil", "description": "The last two bottles of the harvest",
        "price": 54_000, "stock": 2, "category": "FOOD",
    });
    assert_eq!(shop.get("/api/products/14").await.ok(), expected);
}

#[tokio::test]
async fn a_product_or_an_order_of_them_that_is_none_is_refused() {
    let shop = Shop::open(&Backing::embedded()).await;
    shop.get("/api/products/0").await.is_refused(404, "P001");
    shop.get("/api/products/22").await.is_refused(404, "P001");
    shop.get("/api/products/x").await.is_refused(400, "COMMON002");
    shop.get("/api/products?sort=cheap").await.is_refused(400, "COMMON002");
}

#[tokio::test]
async fn nothing_sold_is_an_empty_list_of_top_products() {
    for backing in Backing::both().await {
        let shop = Shop::open(&backing).await;
        let top: Value = shop.get("/api/products/top").await.ok();
        assert_eq!(top, json!({ "period": "3days", "products": [] }));
    }
}

#[tokio::test]
async fn the_five_that_sold_best_in_three_days_are_shown_with_their_ranks() {
    for backing in Backing::both().await {
        let shop = Shop::open(&backing).await;
        let days_ago = |days: i64| match backing.redis_url {
            Some(_) => format!("UTC_DATE() - INTERVAL {days} DAY"),
            None => format!("date('now', '-{days} days')"),
        };
        // Seven that sold yesterday, and one that sold best before that.
        for (product, day, pieces) in (1..=7).map(|n| (n, 1, 10 * n)).chain([(8, 3, 1_000)]) {
            let row = format!("({product}, {}, {pieces}, {pieces} * 100)", days_ago(day));
            let insert = "INSERT INTO product_sales (product_id, sales_date, sales_count, revenue) VALUES";
            backing.run(&format!("{insert} {row}")).await;
        }
        let top = shop.get("/api/products/top").await.ok();
        let shown: Vec<_> = top["products"].as_array().unwrap().iter().collect();
        let expected = (0..5).map(|n: i64| {
            let (id, pieces) = (7 - n, 10 * (7 - n));
            (json!(n + 1), json!(id), json!(pieces), json!(pieces * 100))
        });
        let seen = shown.iter().map(|row| {
            let field = |name: &str| row[name].clone();
            (field("rank"), field("productId"), field("salesCount"), field("revenue"))
        });
        assert_eq!(seen.collect::<Vec<_>>(), expected.collect::<Vec<_>>());
    }
}
