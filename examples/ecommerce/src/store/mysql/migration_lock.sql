-- Reply: 1 when the lock is ours, 0 when it was not to be had within a minute.
SELECT GET_LOCK(LEFT(CONCAT('ecommerce migrations ', DATABASE()), 64), 60)
