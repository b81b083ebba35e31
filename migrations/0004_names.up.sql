ALTER TABLE jobs ADD COLUMN file_name VARCHAR;  -- name of the uploaded file; null if not given or not kept
ALTER TABLE jobs ADD COLUMN tag VARCHAR;  -- label given by the client; null if none
ALTER TABLE jobs ADD COLUMN media VARCHAR;  -- JSON: facts about the video; null until completed
