use serde_json::{Value, json};

use crate::support::{Answer, Backing, Client, Shop};

async fn issue(shop: &Client, coupon: i64, user: i64) -> Answer {
    shop.post(&format!("/api/coupons/{coupon}/issue"), &json!({ "userId": user })).await
}

/// Issues at once, by two instances in turn; gives the statuses and codes.
async fn issue_at_once(
    shops: &[&Shop; 2],
    coupon: i64,
    users: impl Iterator<Item = i64>,
) -> Vec<(u16, Value)> {
    let requests = users.enumerate().map(|(n, user)| {
        let client = shops[n % 2].client().clone();
        tokio::spawn(async move {
            let answer = issue(&client, coupon, user).await;
            (answer.status.as_u16(), answer.json()["code"].clone())
        })
    });
    let mut answers = Vec::new();
    for request in requests.collect::<Vec<_>>() {
        answers.push(request.await.unwrap());
    }
    answers
}

fn count(answers: &[(u16, Value)], status: u16, code: &Value) -> usize {
    answers.iter().filter(|answer| **answer == (status, code.clone())).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn of_200_users_100_get_one_of_100_coupons() {
    for backing in Backing::both().await {
        // 200 users: the start data has 153.
        let shops = [&Shop::open(&backing).await, &Shop::open(&backing).await];
        backing
            .run(
                "INSERT INTO users (id, email, username, balance) \
             SELECT id + 1000, 'more' || id, username, 0 FROM users WHERE id <= 47",
            )
            .await;
        let users = (1..=153).chain(1001..=1047);
        let answers = issue_at_once(&shops, 1, users).await;
        assert_eq!(count(&answers, 200, &Value::Null), 100);
        assert_eq!(count(&answers, 409, &json!("C001")), 100);
        assert_eq!(backing.number("SELECT COUNT(*) FROM user_coupons WHERE coupon_id = 1").await, 100);
        assert_eq!(backing.number("SELECT issued_quantity FROM coupons WHERE id = 1").await, 100);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_user_who_asks_ten_times_gets_one_coupon() {
    for backing in Backing::both().await {
        let shops = [&Shop::open(&backing).await, &Shop::open(&backing).await];
        let answers = issue_at_once(&shops, 2, [9; 10].into_iter()).await;
        assert_eq!(count(&answers, 200, &Value::Null), 1);
        assert_eq!(count(&answers, 400, &json!("C004")), 9);
        assert_eq!(backing.number("SELECT issued_quantity FROM coupons WHERE id = 2").await, 1);
    }
}

#[tokio::test]
async fn a_coupon_is_issued_with_exactly_these_fields_and_then_listed() {
    for backing in Backing::both().await {
        let shop = Shop::open(&backing).await;
        let issued = issue(&shop, 3, 4).await.ok();
        assert_eq!(issued["couponId"], 3);
        assert_eq!(issued["couponName"], "Early bird, 15 % off");
        assert_eq!(issued["discountRate"], 15);
        assert_eq!(issued["status"], "AVAILABLE");
        assert_eq!(issued["expiresAt"], "2099-12-31T23:59:59.000Z");
        assert_eq!(issued["remainingQuantity"], 99);
        assert_eq!(issued.as_object().unwrap().len(), 8);

        let list = shop.get("/api/users/4/coupons").await.ok();
        assert_eq!((&list["userId"], &list["totalCount"]), (&json!(4), &json!(1)));
        for field in
            ["userCouponId", "couponId", "couponName", "discountRate", "status", "issuedAt", "expiresAt"]
        {
            assert_eq!(list["coupons"][0][field], issued[field], "{field}");
        }
        assert_eq!(shop.get("/api/users/4/coupons?status=AVAILABLE").await.ok()["totalCount"], 1);
        assert_eq!(shop.get("/api/users/4/coupons?status=USED").await.ok()["totalCount"], 0);
    }
}

#[tokio::test]
async fn a_coupon_that_cannot_be_issued_is_refused() {
    let shop = Shop::open(&Backing::embedded()).await;
    issue(&shop, 4, 1).await.is_refused(409, "C001");
    issue(&shop, 5, 1).await.is_refused(400, "C003");
    issue(&shop, 6, 1).await.is_refused(400, "C002");
    issue(&shop, 0, 1).await.is_refused(400, "C002");
    issue(&shop, 1, 154).await.is_refused(404, "U001");
    issue(&shop, 1, 1).await.ok();
    issue(&shop, 1, 1).await.is_refused(400, "C004");
    shop.post("/api/coupons/x/issue", &json!({ "userId": 1 })).await.is_refused(400, "COMMON002");
    shop.post("/api/coupons/1/issue", &json!({})).await.is_refused(400, "COMMON002");
    shop.post("/api/coupons/1/issue", &json!({ "userId": "1" })).await.is_refused(400, "COMMON002");
    shop.get("/api/users/154/coupons").await.is_refused(404, "U001");
    shop.get("/api/users/1/coupons?status=LOST").await.is_refused(400, "COMMON002");
}

#[tokio::test]
async fn a_coupon_whose_time_is_over_shows_as_expired() {
    let backing = Backing::embedded();
    let shop = Shop::open(&backing).await;
    issue(&shop, 1, 1).await.ok();
    backing.run("UPDATE user_coupons SET expires_at = '2020-01-01 00:00:00.0'").await;
    assert_eq!(shop.get("/api/users/1/coupons?status=AVAILABLE").await.ok()["totalCount"], 0);
    assert_eq!(shop.get("/api/users/1/coupons?status=EXPIRED").await.ok()["coupons"][0]["status"], "EXPIRED");
}
