const TEXT_INPUTS = new Set(['text', 'search', 'number', 'password', 'email', 'url']);

/** Returns true if a key belongs to a field, a list or a dialog, and not to the page. */
export function isTyping({ target }: Event): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target.closest('dialog') !== null || target instanceof HTMLSelectElement) return true;
  return target instanceof HTMLTextAreaElement || (target instanceof HTMLInputElement && TEXT_INPUTS.has(target.type));
}
