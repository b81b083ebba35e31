/** The browser's facts about a chosen video before its upload. */
export interface FileFacts {
  readonly durationMs: number;
  /** Address of the file for a video element; must be revoked. */
  readonly address: string;
}

/** Null for a file that this browser cannot play; the service may still read it. */
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
