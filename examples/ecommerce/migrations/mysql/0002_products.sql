CREATE TABLE IF NOT EXISTS products (
    id           BIGINT       NOT NULL AUTO_INCREMENT PRIMARY KEY,
    product_code VARCHAR(50)  NOT NULL UNIQUE,
    name         VARCHAR(255) NOT NULL,
    description  TEXT         NOT NULL,
    price        BIGINT       NOT NULL CHECK (price >= 0),
    category     VARCHAR(50)  NOT NULL,
    stock        BIGINT       NOT NULL CHECK (stock >= 0),
    version      BIGINT       NOT NULL DEFAULT 0,
    created_at   DATETIME(3)  NOT NULL,
    KEY products_by_category (category)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;
