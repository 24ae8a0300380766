CREATE TABLE IF NOT EXISTS coupons (
    id              BIGINT       NOT NULL AUTO_INCREMENT PRIMARY KEY,
    coupon_code     VARCHAR(50)  NOT NULL UNIQUE,
    name            VARCHAR(255) NOT NULL,
    discount_rate   BIGINT       NOT NULL CHECK (discount_rate BETWEEN 0 AND 100),
    total_quantity  BIGINT       NOT NULL CHECK (total_quantity >= 0),
    issued_quantity BIGINT       NOT NULL DEFAULT 0,
    start_date      DATETIME(3)  NOT NULL,
    end_date        DATETIME(3)  NOT NULL,
    CHECK (issued_quantity BETWEEN 0 AND total_quantity)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;

-- No foreign key to coupons or users: inserting a row would take a shared lock on a parent row that every request
-- of the same kind updates, and two of them would then wait for each other.
CREATE TABLE IF NOT EXISTS user_coupons (
    id         BIGINT      NOT NULL AUTO_INCREMENT PRIMARY KEY,
    user_id    BIGINT      NOT NULL,
    coupon_id  BIGINT      NOT NULL,
    status     VARCHAR(20) NOT NULL CHECK (status IN ('AVAILABLE', 'USED', 'EXPIRED')),
    issued_at  DATETIME(3) NOT NULL,
    used_at    DATETIME(3) NULL,
    expires_at DATETIME(3) NOT NULL,
    UNIQUE KEY user_coupons_one_each (user_id, coupon_id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;
