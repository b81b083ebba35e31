/** Raised when the tables or the content derived from segments change; an index of another version is built again. */
export const INDEX_VERSION = 2;

/** Full-width forms of ASCII, and letters without a decomposition into letter and mark. */
const VARIANTS = `${String.fromCharCode(...Array.from({ length: 94 }, (_, at) => 0xff_01 + at))}łøđıħŧς`;
const PLAIN = `${String.fromCharCode(...Array.from({ length: 94 }, (_, at) => 0x21 + at))}lodihtσ`;

/** Scripts without spaces, in which each character counts as a word. */
const UNSPACED = String.raw`([\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}])`;
const BETWEEN_WORDS = String.raw`[^\p{L}\p{N}]+`;

/** Prefix of words that represent labels. No word of a text has it. */
export const LABEL_MARK = '#';

/**
 * Returns the words of a text with single spaces: lower case, without diacritics. Queries and segments use the same
 * macro. The same rules cost a fifth for ASCII, which needs no Unicode classes.
 */
export const FOLDED_MACRO = `CREATE OR REPLACE TEMP MACRO folded(text) AS trim(
  CASE WHEN strlen(text) = length(text) THEN regexp_replace(lower(text), '[^a-z0-9]+', ' ', 'g')
  ELSE regexp_replace(
    regexp_replace(strip_accents(translate(lower(text), '${VARIANTS.replaceAll("'", "''")}', '${PLAIN.replaceAll("'", "''")}')),
      '${UNSPACED}', ' \\1 ', 'g'),
    '${BETWEEN_WORDS}', ' ', 'g') END)`;

/**
 * - **videos**: the jobs in the index.
 * - **documents**: what is found: segments, and the name of each video (`kind = 'name'`, no `segment`).
 * - **words**: each distinct word once. **endings**: the same words reversed.
 * - **postings**: where each word is: in which document, and at which place among its words.
 *
 * Words, endings and the first `about.sorted` postings are sorted, so that zone maps find few row groups for a lookup;
 * later rows are in the order in which they came.
 */
export const TABLES: readonly string[] = [
  `CREATE TABLE about AS SELECT ${INDEX_VERSION}::INTEGER AS version, 0::BIGINT AS sorted`,
  `CREATE TABLE videos (video INTEGER NOT NULL, job_id UUID NOT NULL, pipeline_id VARCHAR NOT NULL, file_name VARCHAR,
    created_at TIMESTAMP NOT NULL)`,
  `CREATE TABLE documents (doc BIGINT NOT NULL, video INTEGER NOT NULL, kind VARCHAR NOT NULL, start_ms DOUBLE NOT NULL,
    end_ms DOUBLE NOT NULL, segment VARCHAR)`,
  'CREATE TABLE words (word_no INTEGER NOT NULL, word VARCHAR NOT NULL)',
  'CREATE TABLE endings (word_no INTEGER NOT NULL, ending VARCHAR NOT NULL)',
  'CREATE TABLE postings (word_no INTEGER NOT NULL, video INTEGER NOT NULL, doc BIGINT NOT NULL, place INTEGER NOT NULL)',
];
