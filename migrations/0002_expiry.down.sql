ALTER TABLE jobs DROP COLUMN expired_at;
