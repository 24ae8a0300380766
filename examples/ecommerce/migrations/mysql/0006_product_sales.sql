CREATE TABLE IF NOT EXISTS product_sales (
    product_id  BIGINT NOT NULL,
    sales_date  DATE   NOT NULL,
    sales_count BIGINT NOT NULL DEFAULT 0,
    revenue     BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (sales_date, product_id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;
