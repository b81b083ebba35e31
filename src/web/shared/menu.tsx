import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';

export interface MenuProps {
  /** Content of the button. */
  readonly button: ComponentChildren;
  /** Name of a button without words. */
  readonly label?: string;
  readonly class?: string;
  /** False: a choice leaves it open. Default true. */
  readonly closesOnChoice?: boolean;
  readonly children: ComponentChildren;
}

/** A button that opens a panel. Escape and a click elsewhere close it. */
export function Menu({ button, label, class: name = '', closesOnChoice = true, children }: MenuProps) {
  const place = useRef<HTMLDetailsElement>(null);
  useEffect(() => {
    const element = place.current;
    if (element === null) return undefined;
    const ending = new AbortController();
    const { signal } = ending;
    const close = (): void => {
      element.open = false;
    };
    addEventListener('click', ({ target }) => target instanceof Node && !element.contains(target) && close(), {
      signal,
    });
    element.addEventListener(
      'keydown',
      (event) => {
        if (event.key !== 'Escape' || !element.open) return;
        event.stopPropagation();
        close();
        element.querySelector('summary')?.focus();
      },
      { signal },
    );
    return () => ending.abort();
  }, []);
  return (
    <details ref={place} class={`menu ${name}`}>
      <summary class="button" aria-label={label} title={label}>
        {button}
      </summary>
      <div
        class="menu-panel"
        onClick={({ target }) => {
          const isChoice = target instanceof Element && target.closest('a, button') !== null;
          if (closesOnChoice && isChoice && place.current !== null) place.current.open = false;
        }}
      >
        {children}
      </div>
    </details>
  );
}
