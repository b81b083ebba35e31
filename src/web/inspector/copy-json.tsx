import { useState } from 'preact/hooks';

/** Copies a value as JSON. */
export function CopyJson({ value }: { readonly value: unknown }) {
  const [note, setNote] = useState('Copy as JSON');
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(JSON.stringify(value, null, 2));
      setNote('Copied');
    } catch {
      // Only secure pages can write to the clipboard.
      setNote('This page may not copy');
    }
  };
  return (
    <button type="button" aria-live="polite" onClick={() => void copy()}>
      {note}
    </button>
  );
}
