/** A row as text, one element per column; null for NULL. */
export type TextRow = readonly (string | null)[];
