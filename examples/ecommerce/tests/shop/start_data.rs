use crate::support::{Backing, Shop};

async fn start_data_is_as_documented(backing: &Backing) {
    let shop = Shop::open(backing).await;
    let facts = [
        ("SELECT COUNT(*) FROM users", 153),
        ("SELECT COUNT(*) FROM users WHERE balance = 100000000 AND id NOT IN (2, 3)", 151),
        ("SELECT balance FROM users WHERE id = 2", 500_000),
        ("SELECT balance FROM users WHERE id = 3", 100_000),
        ("SELECT MAX(id) FROM users", 153),
        ("SELECT COUNT(*) FROM products", 21),
        ("SELECT COUNT(*) FROM products WHERE stock = 10000", 18),
        ("SELECT stock FROM products WHERE product_code = 'P013'", 0),
        ("SELECT stock FROM products WHERE product_code = 'P014'", 2),
        ("SELECT stock FROM products WHERE product_code = 'P021' AND price = 15000000", 100),
        ("SELECT COUNT(*) FROM coupons WHERE issued_quantity = 0", 4),
        (
            "SELECT total_quantity FROM coupons WHERE id = 1 AND coupon_code = 'WELCOME10' AND discount_rate = 10",
            100,
        ),
        (
            "SELECT total_quantity FROM coupons WHERE id = 2 AND coupon_code = 'VIP20' AND discount_rate = 20",
            50,
        ),
        (
            "SELECT total_quantity FROM coupons WHERE id = 3 AND coupon_code = 'EARLYBIRD15' AND discount_rate = 15",
            100,
        ),
        ("SELECT total_quantity - issued_quantity FROM coupons WHERE id = 4 AND coupon_code = 'SOLDOUT'", 0),
        ("SELECT discount_rate FROM coupons WHERE id = 5 AND coupon_code = 'EXPIRED30'", 30),
    ];
    for (sql, expected) in facts {
        assert_eq!(backing.number(sql).await, expected, "{sql}");
    }

    // Started again, beside the first: nothing comes back that was changed meanwhile.
    shop.charge(2, 700, "start-data").await.ok();
    let second = Shop::open(backing).await;
    assert_eq!(second.balance(2).await, 500_700);
    assert_eq!(backing.number("SELECT COUNT(*) FROM users").await, 153);
}

#[tokio::test]
async fn start_data_is_loaded_once_on_sqlite() {
    start_data_is_as_documented(&Backing::embedded()).await;
}

#[tokio::test]
async fn start_data_is_loaded_once_on_mariadb() {
    start_data_is_as_documented(&Backing::servers().await).await;
}

#[tokio::test]
async fn shops_that_start_together_on_a_new_database_agree() {
    for backing in [Backing::embedded(), Backing::servers().await] {
        let (first, second, third) =
            tokio::join!(Shop::open(&backing), Shop::open(&backing), Shop::open(&backing));
        for shop in [first, second, third] {
            assert_eq!(shop.balance(1).await, 100_000_000);
        }
    }
}
