/** The keys of the page. They are quiet while somebody writes, and while a dialog is open. */
import { useEffect, useRef } from 'preact/hooks';

/** What a key does, by its name. */
export type KeyActions = Readonly<Record<string, () => void>>;

/** Listens for as long as the page is there; the latest actions count. */
export function useKeys(actions: KeyActions): void {
  const latest = useRef(actions);
  latest.current = actions;
  useEffect(() => {
    const press = (event: KeyboardEvent): void => {
      if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector('dialog[open]') !== null) return;
      const isWriting = event.target instanceof HTMLElement && event.target.matches('input, textarea, select');
      if (isWriting && event.key !== 'Escape') return;
      const action = Object.hasOwn(latest.current, event.key) ? latest.current[event.key] : undefined;
      // Enter and the arrows belong to what has the focus, except in the list.
      if (action === undefined || (isOwnKey(event.key) && !isInList(event.target))) return;
      event.preventDefault();
      action();
    };
    document.addEventListener('keydown', press);
    return () => document.removeEventListener('keydown', press);
  }, []);
}

function isOwnKey(key: string): boolean {
  return key === 'Enter' || key === 'ArrowDown' || key === 'ArrowUp';
}

function isInList(target: EventTarget | null): boolean {
  return target === document.body || (target instanceof Element && target.closest('.exchanges') !== null);
}
