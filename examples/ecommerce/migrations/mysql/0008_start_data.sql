-- Loaded once; rows that exist already are left as they are.
INSERT IGNORE INTO users (id, email, username, balance)
WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 153)
SELECT n, CONCAT('user', n, '@example.com'), CONCAT('user', n), CASE n WHEN 2 THEN 500000 WHEN 3 THEN 100000 ELSE 100000000 END FROM numbers;

INSERT IGNORE INTO products (id, product_code, name, description, price, category, stock, created_at) VALUES
    (1, 'P001', 'Wireless Mouse', 'Silent clicks, two years on one battery', 29000, 'ELECTRONICS', 10000, '2025-01-01 09:00:00.000'),
    (2, 'P002', 'Mechanical Keyboard', 'Hot-swappable switches, white backlight', 129000, 'ELECTRONICS', 10000, '2025-01-02 09:00:00.000'),
    (3, 'P003', '27-inch Monitor', 'QHD panel with height adjustment', 349000, 'ELECTRONICS', 10000, '2025-01-03 09:00:00.000'),
    (4, 'P004', 'USB-C Hub', 'Seven ports in an aluminium case', 59000, 'ELECTRONICS', 10000, '2025-01-04 09:00:00.000'),
    (5, 'P005', 'Noise-Cancelling Headphones', 'Thirty hours of playback', 259000, 'ELECTRONICS', 10000, '2025-01-05 09:00:00.000'),
    (6, 'P006', 'Cotton T-Shirt', 'Heavyweight organic cotton', 19000, 'FASHION', 10000, '2025-01-06 09:00:00.000'),
    (7, 'P007', 'Denim Jacket', 'Classic cut, stone washed', 89000, 'FASHION', 10000, '2025-01-07 09:00:00.000'),
    (8, 'P008', 'Running Shoes', 'Light daily trainer', 119000, 'FASHION', 10000, '2025-01-08 09:00:00.000'),
    (9, 'P009', 'Wool Scarf', 'Merino wool, 180 cm', 39000, 'FASHION', 10000, '2025-01-09 09:00:00.000'),
    (10, 'P010', 'Leather Belt', 'Full-grain leather, brass buckle', 45000, 'FASHION', 10000, '2025-01-10 09:00:00.000'),
    (11, 'P011', 'Ground Coffee 1 kg', 'Medium roast, single origin', 24000, 'FOOD', 10000, '2025-01-11 09:00:00.000'),
    (12, 'P012', 'Green Tea Set', 'Forty bags in a tin', 18000, 'FOOD', 10000, '2025-01-12 09:00:00.000'),
    (13, 'P013', 'Truffle Chocolate Box', 'Seasonal, sold out', 32000, 'FOOD', 0, '2025-01-13 09:00:00.000'),
    (14, 'P014', 'Vintage Olive Oil', 'The last two bottles of the harvest', 54000, 'FOOD', 2, '2025-01-14 09:00:00.000'),
    (15, 'P015', 'Rust in Practice', 'A book on writing services that last', 38000, 'BOOKS', 10000, '2025-01-15 09:00:00.000'),
    (16, 'P016', 'Designing Databases', 'A book on keeping data right', 42000, 'BOOKS', 10000, '2025-01-16 09:00:00.000'),
    (17, 'P017', 'Notebook A5', 'Dotted, 192 pages', 9000, 'BOOKS', 10000, '2025-01-17 09:00:00.000'),
    (18, 'P018', 'Desk Lamp', 'Warm to cold light, dimmable', 49000, 'HOME', 10000, '2025-01-18 09:00:00.000'),
    (19, 'P019', 'Office Chair', 'Mesh back, adjustable arms', 279000, 'HOME', 10000, '2025-01-19 09:00:00.000'),
    (20, 'P020', 'Cast-Iron Pan', '26 cm, pre-seasoned', 69000, 'HOME', 10000, '2025-01-20 09:00:00.000'),
    (21, 'P021', 'Limited Edition Watch', 'One hundred pieces, numbered', 15000000, 'LUXURY', 100, '2025-01-21 09:00:00.000');

INSERT IGNORE INTO coupons (id, coupon_code, name, discount_rate, total_quantity, issued_quantity, start_date, end_date) VALUES
    (1, 'WELCOME10', 'Welcome, 10 % off', 10, 100, 0, '2025-01-01 00:00:00.000', '2099-12-31 23:59:59.000'),
    (2, 'VIP20', 'VIP, 20 % off', 20, 50, 0, '2025-01-01 00:00:00.000', '2099-12-31 23:59:59.000'),
    (3, 'EARLYBIRD15', 'Early bird, 15 % off', 15, 100, 0, '2025-01-01 00:00:00.000', '2099-12-31 23:59:59.000'),
    (4, 'SOLDOUT', 'Used up, 50 % off', 50, 1, 1, '2025-01-01 00:00:00.000', '2099-12-31 23:59:59.000'),
    (5, 'EXPIRED30', 'Over, 30 % off', 30, 100, 0, '2024-01-01 00:00:00.000', '2024-12-31 23:59:59.000');
