-- No PRIMARY KEY, UNIQUE, index or FOREIGN KEY on these two tables, on purpose: they grow without end, DuckDB rewrites
-- a table's whole index at every checkpoint (0.5 s at a million rows, during which nothing is read or written), and a
-- key that another table refers to makes an update of its row fail. One process writes them through one connection:
-- it makes the ids (UUIDv7, which sort by time, so that zone maps find a row without an index) and guards `revision`.
-- Times are UTC.

CREATE TABLE jobs (
  job_id          UUID      NOT NULL,
  status          VARCHAR   NOT NULL,
  pipeline_id     VARCHAR   NOT NULL,
  options         VARCHAR   NOT NULL,  -- JSON
  input_path      VARCHAR   NOT NULL,
  output_path     VARCHAR,             -- null until completed
  error_code      VARCHAR,             -- null unless failed
  error_message   VARCHAR,             -- null unless failed
  accepted_seq    BIGINT    NOT NULL,  -- order of acceptance, from 1
  revision        INTEGER   NOT NULL,  -- seq of the job's last transition
  attempt         INTEGER   NOT NULL,
  machine_version INTEGER   NOT NULL,
  snapshot        VARCHAR   NOT NULL,  -- JSON: the persisted snapshot of the job's machine
  created_at      TIMESTAMP NOT NULL,
  updated_at      TIMESTAMP NOT NULL
);

CREATE TABLE job_transitions (
  job_id      UUID      NOT NULL,
  seq         INTEGER   NOT NULL,  -- from 1, without gaps
  attempt     INTEGER   NOT NULL,
  from_state  VARCHAR,             -- null for the first
  event       VARCHAR   NOT NULL,
  to_state    VARCHAR   NOT NULL,
  context     VARCHAR   NOT NULL,  -- JSON: the machine's context after the transition
  occurred_at TIMESTAMP NOT NULL
);
