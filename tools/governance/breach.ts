/** A breach of a rule, without its line. */
export interface Breach {
  /** Index in the text of the file. */
  readonly index: number;
  readonly rule: 'term' | 'phase' | 'package' | 'direction';
  /** The offending text. */
  readonly term: string;
  readonly reason: string;
}
