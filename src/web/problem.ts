/** What a refusal (RFC 9457) says, for people. */
export async function problemOf(answer: Response): Promise<string> {
  return problemText(await answer.text(), answer.status);
}

/** The same for the text of a body. */
export function problemText(body: string, status: number): string {
  try {
    const { detail, title }: { readonly detail?: unknown; readonly title?: unknown } = JSON.parse(body);
    if (typeof detail === 'string') return detail;
    if (typeof title === 'string') return title;
  } catch {
    // Not from the service itself: the number is all there is.
  }
  return `The service answered with status ${status}`;
}
