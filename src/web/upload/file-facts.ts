/** What the browser can tell of a video that the user chose, before it is sent. */
export interface FileFacts {
  readonly durationMs: number;
  /** Address of the file for a video element; to be revoked. */
  readonly address: string;
}

/** Null for a file that this browser cannot play; the service may read it all the same. */
export function readFileFacts(file: File): Promise<FileFacts | null> {
  const address = URL.createObjectURL(file);
  const video = document.createElement('video');
  return new Promise((resolve) => {
    const give = (facts: FileFacts | null): void => {
      if (facts === null) URL.revokeObjectURL(address);
      resolve(facts);
    };
    video.addEventListener('loadedmetadata', () => {
      const isPlayable = video.videoWidth > 0 && Number.isFinite(video.duration);
      give(isPlayable ? { durationMs: video.duration * 1_000, address } : null);
    });
    video.addEventListener('error', () => give(null));
    video.preload = 'metadata';
    video.muted = true;
    video.src = address;
  });
}
