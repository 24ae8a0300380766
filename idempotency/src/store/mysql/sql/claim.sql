-- Claims a row.
-- In: what insert.sql takes, and {takeover}: whether a lease that is over may be taken over.
-- Reply: says nothing. Rows affected depend on the client's flags: read the row back, it is yours if `owner` is.
--
-- `VALUES(column)` because `AS new` is known to MySQL alone. Assignments run from left to right: `owner` decides, the
-- others follow it.
{insert}
ON DUPLICATE KEY UPDATE
    owner = IF(
        (status IN ('COMPLETED', 'FAILED') AND expires_at <= UTC_TIMESTAMP(3))
        OR (
            (fingerprint = VALUES(fingerprint) OR fingerprint_version <> VALUES(fingerprint_version))
            AND (status = 'FAILED' OR ({takeover} AND status = 'PROCESSING' AND locked_until <= UTC_TIMESTAMP(3)))
        ),
        VALUES(owner), owner
    ),
    epoch = IF(owner = VALUES(owner), epoch + 1, epoch),
    status = IF(owner = VALUES(owner), 'PROCESSING', status),
    fingerprint = IF(owner = VALUES(owner), VALUES(fingerprint), fingerprint),
    fingerprint_version = IF(owner = VALUES(owner), VALUES(fingerprint_version), fingerprint_version),
    locked_until = IF(owner = VALUES(owner), VALUES(locked_until), locked_until),
    expires_at = IF(owner = VALUES(owner), VALUES(expires_at), expires_at),
    updated_at = IF(owner = VALUES(owner), VALUES(updated_at), updated_at),
    response_kind = IF(owner = VALUES(owner), NULL, response_kind),
    response_payload = IF(owner = VALUES(owner), NULL, response_payload),
    error_message = IF(owner = VALUES(owner), NULL, error_message)
