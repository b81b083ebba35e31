/** Texts that are remembered: more than a video shows at once, so that the same few are not worked out for every frame. */
const MOST = 1_024;

/** Returns a function with the same results that remembers the latest of them. */
export function remembering(work: (text: string) => string): (text: string) => string {
  const known = new Map<string, string>();
  return (text) => {
    const found = known.get(text);
    if (found !== undefined) return found;
    const made = work(text);
    if (known.size >= MOST) known.clear();
    known.set(text, made);
    return made;
  };
}
