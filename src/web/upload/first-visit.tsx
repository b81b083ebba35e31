import { useState } from 'preact/hooks';
import { Icon } from '../shared/icon.tsx';
import { messageOf, request } from '../shared/request.ts';
import { useSession } from '../shared/session.ts';
import { adding, addFiles } from './adding.ts';

/** Shown in the library before the first video, and always to a key that only submits. */
export function FirstVisit() {
  const { maySubmit, mayRead } = useSession();
  const [problem, setProblem] = useState<string | null>(null);
  const addSample = async (): Promise<void> => {
    try {
      const answer = await request('web/sample/sample.mp4');
      addFiles([new File([await answer.blob()], 'sample-lecture.mp4', { type: 'video/mp4' })]);
    } catch (error) {
      setProblem(messageOf(error));
    }
  };
  return (
    <div class="first-visit">
      <Icon name="film" />
      <h1>{mayRead ? 'See what is in a video' : 'Add videos'}</h1>
      <p>
        {mayRead
          ? 'What is written and seen in it becomes a transcript that you can search, play from and download.'
          : 'Your key adds videos. To see what was found, sign in with a key that reads.'}
      </p>
      {maySubmit ? (
        <div class="first-actions">
          <button type="button" class="primary" onClick={() => adding.set({ files: [] })}>
            <Icon name="add" /> Add videos
          </button>
          <button type="button" onClick={() => void addSample()}>
            <Icon name="play" /> Try it with a sample
          </button>
        </div>
      ) : (
        <p class="note">Your key can only read videos, and there are none yet.</p>
      )}
      {problem !== null && (
        <p class="problem" role="alert">
          {problem}
        </p>
      )}
      {maySubmit && (
        <p class="hint">Or drop MP4 files anywhere on this page. They stay on the machine of this service.</p>
      )}
    </div>
  );
}
