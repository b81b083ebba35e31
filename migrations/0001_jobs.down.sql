DROP TABLE job_transitions;
DROP TABLE jobs;
