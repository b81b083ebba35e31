/** What the service answers, to pages as to every client. */
export type * from '../client/answers.ts';
