import { Store } from '../shared/store.ts';

/** The files in the dialog; null while no dialog is open. */
export const adding = new Store<{ readonly files: readonly File[] | null }>({ files: null });

/** Opens the dialog, or adds files to it. */
export function addFiles(files: Iterable<File>): void {
  adding.set({ files: [...(adding.value.files ?? []), ...files] });
}
