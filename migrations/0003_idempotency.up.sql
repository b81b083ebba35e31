-- One row for each Idempotency-Key that a submission came with, committed with its job. No PRIMARY KEY, as on the other
-- tables: the one process that writes lets submissions with one key pass one after another. Rows older than the stated
-- time are deleted. Times are UTC.
CREATE TABLE idempotency_keys (
  owner       VARCHAR   NOT NULL,  -- whose key it is: another owner's same key is another key
  key_sha256  VARCHAR   NOT NULL,  -- hex
  fingerprint VARCHAR   NOT NULL,  -- hex SHA-256 of the pipeline, the options and the video
  job_id      UUID      NOT NULL,
  created_at  TIMESTAMP NOT NULL
);
