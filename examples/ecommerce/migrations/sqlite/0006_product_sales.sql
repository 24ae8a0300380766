CREATE TABLE IF NOT EXISTS product_sales (
    product_id  INTEGER NOT NULL,
    sales_date  TEXT    NOT NULL,
    sales_count INTEGER NOT NULL DEFAULT 0,
    revenue     INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (sales_date, product_id)
) STRICT;
