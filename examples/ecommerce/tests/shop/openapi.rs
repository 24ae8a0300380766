use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Answer, Backing, Shop};

/// Every route there is; the README lists the same.
pub(crate) const ROUTES: [(&str, &str); 20] = [
    ("get", "/api/users/{id}"),
    ("get", "/api/users/{id}/balance"),
    ("post", "/api/users/{id}/balance/charge"),
    ("get", "/api/users/{id}/coupons"),
    ("post", "/api/coupons/{id}/issue"),
    ("get", "/api/products"),
    ("get", "/api/products/top"),
    ("get", "/api/products/{id}"),
    ("get", "/api/cart"),
    ("post", "/api/cart/items"),
    ("put", "/api/cart/items"),
    ("delete", "/api/cart/items"),
    ("post", "/api/orders"),
    ("get", "/api/orders"),
    ("post", "/api/orders/complete"),
    ("post", "/api/orders/{id}/payment"),
    ("get", "/healthz"),
    ("get", "/readyz"),
    ("get", "/metrics"),
    ("get", "/openapi.json"),
];

/// What the server says of itself.
struct Description(Value);

impl Description {
    async fn of(shop: &Shop) -> Self {
        Self(shop.get("/openapi.json").await.ok())
    }

    fn operation(&self, method: &str, path: &str) -> &Value {
        let operation = &self.0["paths"][path][method];
        assert!(operation.is_object(), "{method} {path} is not described");
        operation
    }

    /// Fails unless the answer's status is described, and its body as it is described.
    fn describes(&self, method: &str, path: &str, answer: &Answer) {
        let status = answer.status.as_str();
        let response = &self.operation(method, path)["responses"][status];
        let schema = &response["content"]["application/json"]["schema"];
        assert!(schema.is_object(), "{method} {path} answers {status}, which is not described");
        let body = answer.json();
        if let Err(wrong) = self.fits(schema, &body) {
            panic!("{method} {path} {status}: {wrong} in {body}");
        }
        if let Some(code) = answer.code_if_refused() {
            let codes = response["description"].as_str().unwrap();
            assert!(
                codes.contains(&format!("`{code}`")),
                "{method} {path} {status}: {code} is not in {codes}"
            );
            let again = response["headers"]["Retry-After"].is_object();
            assert!(again || !answer.headers.contains_key("retry-after"), "{method} {path} {status} {code}");
        }
    }

    fn fits(&self, schema: &Value, value: &Value) -> Result<(), String> {
        if let Some(name) = schema["$ref"].as_str() {
            let named = self.0.pointer(name.trim_start_matches('#')).ok_or(format!("{name} is not there"))?;
            return self.fits(named, value);
        }
        if let Some(choices) = schema["oneOf"].as_array() {
            let fits = choices.iter().any(|choice| self.fits(choice, value).is_ok());
            return if fits { Ok(()) } else { Err(format!("{value} is none of {choices:?}")) };
        }
        if let Some(values) = schema["enum"].as_array() {
            return if values.contains(value) {
                Ok(())
            } else {
                Err(format!("{value} is not in {values:?}"))
            };
        }
        let types: Vec<_> = match &schema["type"] {
            Value::Array(types) => types.iter().filter_map(Value::as_str).collect(),
            one => one.as_str().into_iter().collect(),
        };
        let of_type = types.iter().any(|kind| match *kind {
            "object" => value.is_object(),
            "array" => value.is_array(),
            "string" => value.is_string(),
            "integer" => value.is_i64() || value.is_u64(),
            "boolean" => value.is_boolean(),
            "null" => value.is_null(),
            other => panic!("a type that no answer should have: {other}"),
        });
        if !of_type {
            return Err(format!("{value} is not of {types:?}"));
        }
        for item in value.as_array().into_iter().flatten() {
            self.fits(&schema["items"], item)?;
        }
        let Some(fields) = value.as_object() else { return Ok(()) };
        let described = schema["properties"].as_object().ok_or("an object without properties")?;
        for name in schema["required"].as_array().into_iter().flatten() {
            let name = name.as_str().unwrap_or_default();
            fields.get(name).ok_or(format!("{name} is missing"))?;
        }
        for (name, field) in fields {
            let schema = described.get(name).ok_or(format!("{name} is not described"))?;
            self.fits(schema, field).map_err(|wrong| format!("{name}: {wrong}"))?;
        }
        Ok(())
    }
}

#[tokio::test]
async fn every_route_is_described_and_every_description_is_a_route() {
    let shop = Shop::open(&Backing::embedded()).await;
    let Description(description) = Description::of(&shop).await;
    let mut described = BTreeSet::from([("get".to_owned(), "/openapi.json".to_owned())]);
    for (path, methods) in description["paths"].as_object().unwrap() {
        described.extend(methods.as_object().unwrap().keys().map(|method| (method.clone(), path.clone())));
    }
    let routes = ROUTES.map(|(method, path)| (method.to_owned(), path.to_owned()));
    assert_eq!(described, BTreeSet::from(routes));

    for (method, path) in ROUTES {
        let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
        let answer = shop.send(shop.request(method.clone(), &path.replace("{id}", "1"))).await;
        assert_ne!(answer.status, 405, "{method} {path}");
        assert!(answer.status != 404 || answer.code() != "COMMON003", "{method} {path} is no route");
    }
    let mut names = BTreeSet::new();
    for operation in
        description["paths"].as_object().unwrap().values().flat_map(|path| path.as_object().unwrap().values())
    {
        assert!(names.insert(operation["operationId"].as_str().unwrap()), "two operations of one name");
    }
}

#[tokio::test]
async fn what_routes_answer_is_as_described() {
    let shop = Shop::open_with(&Backing::embedded(), &["--gateway-timeout", "200ms"]).await;
    let description = Description::of(&shop).await;
    let order = json!({ "userId": 1, "items": [{ "productId": 1, "quantity": 1 }], "idempotencyKey": "o" });
    let with_key = |key: &str| json!({ "userId": 1, "idempotencyKey": key });
    let charge = |amount: i64, key: &str| json!({ "amount": amount, "idempotencyKey": key });
    let item =
        |product: i64, quantity: i64| json!({ "userId": 5, "productId": product, "quantity": quantity });
    let nothing = || Value::Null;
    // Method, described path, path that is asked for, body, status.
    let asked = [
        ("get", "/api/users/{id}", "/api/users/1", nothing(), 200),
        ("get", "/api/users/{id}", "/api/users/x", nothing(), 400),
        ("get", "/api/users/{id}", "/api/users/999", nothing(), 404),
        ("get", "/api/users/{id}/balance", "/api/users/1/balance", nothing(), 200),
        ("post", "/api/users/{id}/balance/charge", "/api/users/1/balance/charge", charge(5, "a"), 200),
        ("post", "/api/users/{id}/balance/charge", "/api/users/1/balance/charge", charge(0, "a"), 400),
        ("post", "/api/users/{id}/balance/charge", "/api/users/1/balance/charge", charge(6, "a"), 422),
        ("post", "/api/users/{id}/balance/charge", "/api/users/999/balance/charge", charge(6, "b"), 404),
        ("get", "/api/products", "/api/products?sort=price_desc", nothing(), 200),
        ("get", "/api/products", "/api/products?sort=x", nothing(), 400),
        ("get", "/api/products/{id}", "/api/products/1", nothing(), 200),
        ("get", "/api/products/{id}", "/api/products/999", nothing(), 404),
        ("post", "/api/cart/items", "/api/cart/items", item(1, 2), 201),
        ("post", "/api/cart/items", "/api/cart/items", item(1, 0), 400),
        ("put", "/api/cart/items", "/api/cart/items", item(1, 3), 200),
        ("put", "/api/cart/items", "/api/cart/items", item(2, 3), 404),
        ("get", "/api/cart", "/api/cart?userId=5", nothing(), 200),
        ("delete", "/api/cart/items", "/api/cart/items", item(1, 1), 200),
        ("delete", "/api/cart/items", "/api/cart/items", item(1, 1), 404),
        ("post", "/api/coupons/{id}/issue", "/api/coupons/1/issue", json!({ "userId": 1 }), 200),
        ("post", "/api/coupons/{id}/issue", "/api/coupons/1/issue", json!({ "userId": 1 }), 400),
        ("post", "/api/coupons/{id}/issue", "/api/coupons/4/issue", json!({ "userId": 1 }), 409),
        ("get", "/api/users/{id}/coupons", "/api/users/1/coupons?status=AVAILABLE", nothing(), 200),
        ("post", "/api/orders", "/api/orders", order, 201),
        (
            "post",
            "/api/orders",
            "/api/orders",
            json!({ "userId": 1, "items": [], "idempotencyKey": "p" }),
            400,
        ),
        ("get", "/api/orders", "/api/orders?userId=1", nothing(), 200),
        ("post", "/api/orders/{id}/payment", "/api/orders/1/payment", with_key("FAIL"), 402),
        ("post", "/api/orders/{id}/payment", "/api/orders/1/payment", with_key("LOST"), 504),
        ("post", "/api/orders/{id}/payment", "/api/orders/1/payment", with_key("LOST"), 409),
        ("post", "/api/orders/{id}/payment", "/api/orders/9/payment", with_key("none"), 404),
        (
            "post",
            "/api/orders/complete",
            "/api/orders/complete",
            json!({ "userId": 2, "items": [{ "productId": 1, "quantity": 1 }] }),
            201,
        ),
        ("get", "/api/products/top", "/api/products/top", nothing(), 200),
    ];
    for (method, path, asked, body, status) in asked {
        let verb = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
        let mut request = shop.request(verb, asked);
        if !body.is_null() {
            request = request.json(&body);
        }
        let answer = shop.send(request).await;
        assert_eq!(answer.status, status, "{method} {asked}: {}", String::from_utf8_lossy(&answer.body));
        description.describes(method, path, &answer);
    }
}
