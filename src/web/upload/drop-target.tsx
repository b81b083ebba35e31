import { useEffect, useState } from 'preact/hooks';
import { Icon } from '../shared/icon.tsx';
import { addFiles } from './adding.ts';

/** The whole page accepts drops, because a browser leaves the page for a file dropped elsewhere. */
export function DropTarget() {
  const [isOver, setOver] = useState(false);
  useEffect(() => {
    const ending = new AbortController();
    const { signal } = ending;
    const hasFiles = ({ dataTransfer }: DragEvent): boolean => dataTransfer?.types.includes('Files') ?? false;
    addEventListener(
      'dragover',
      (event) => {
        if (!hasFiles(event)) return;
        event.preventDefault();
        setOver(true);
      },
      { signal },
    );
    addEventListener('dragleave', ({ relatedTarget }) => relatedTarget === null && setOver(false), { signal });
    addEventListener(
      'drop',
      (event) => {
        if (!hasFiles(event)) return;
        event.preventDefault();
        setOver(false);
        addFiles(event.dataTransfer?.files ?? []);
      },
      { signal },
    );
    return () => ending.abort();
  }, []);
  if (!isOver) return null;
  return (
    <div class="drop-cover">
      <p>
        <Icon name="upload" /> Drop the videos anywhere
      </p>
    </div>
  );
}
