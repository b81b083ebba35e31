/** A row as text, a column each; null for NULL. */
export type TextRow = readonly (string | null)[];
