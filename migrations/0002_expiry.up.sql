ALTER TABLE jobs ADD COLUMN expired_at TIMESTAMP;  -- when the job's files were deleted; null while they are kept
