import { useEffect, useState } from 'preact/hooks';
import type { Answers, QuestionOf, ResultsReader } from './results-reader.ts';

/** The last known response to a changing request; null before the first. */
export function useAnswer<Ask extends keyof Answers>(
  reader: ResultsReader,
  question: QuestionOf<Ask>,
): Answers[Ask] | null {
  const [answer, setAnswer] = useState<Answers[Ask] | null>(null);
  const text = JSON.stringify(question);
  useEffect(() => {
    let isStale = false;
    const read = async (): Promise<void> => {
      const found = await reader.ask(question);
      if (!isStale) setAnswer(found);
    };
    void read();
    return () => {
      isStale = true;
    };
  }, [reader, text]);
  return answer;
}
