import { serviceErrorOf } from './child-errors.ts';
import { failureOf, questionSchema } from './protocol.ts';
import type {
  Answer,
  LookReply,
  LookRequest,
  OpenRequest,
  Question,
  Reply,
  StartReply,
  StartRequest,
  WarmRequest,
} from './protocol.ts';

/** The handler of requests in a child process. */
export interface ChildWork {
  start(request: StartRequest): Promise<StartReply>;
  warm(request: WarmRequest): Promise<void>;
  open(request: OpenRequest): Promise<void>;
  next(): Promise<Reply>;
  look(request: LookRequest): Promise<void>;
  nextPictures(): Promise<LookReply>;
}

/** Handles the requests of the service that forked this process. */
export function answerService(work: ChildWork): void {
  process.on('message', (message) => {
    void answerTo(work, message).then(say);
  });
  say({ kind: 'listening' });
}

async function answerTo(work: ChildWork, message: unknown): Promise<Answer> {
  try {
    return { kind: 'answer', value: await ask(work, questionSchema.parse(message)) };
  } catch (error) {
    return { kind: 'failure', failure: failureOf(serviceErrorOf(error)) };
  }
}

async function ask(work: ChildWork, question: Question): Promise<unknown> {
  if (question.kind === 'start') return work.start(question.request);
  if (question.kind === 'warm') return work.warm(question.request);
  if (question.kind === 'open') return work.open(question.request);
  if (question.kind === 'look') return work.look(question.request);
  return question.kind === 'next' ? work.next() : work.nextPictures();
}

function say(answer: Answer): void {
  process.send?.(answer);
}
