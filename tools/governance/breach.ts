/** One breach of a rule, before it is known on which line it lies. */
export interface Breach {
  /** Where in the text of its file. */
  readonly index: number;
  readonly rule: 'term' | 'phase' | 'package' | 'direction';
  /** What was found. */
  readonly term: string;
  readonly reason: string;
}
