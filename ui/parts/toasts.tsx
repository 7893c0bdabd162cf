/** Short messages at the edge of the page, which go by themselves and are read out. */
import { useCallback, useState } from 'preact/hooks';

const shownMs = 3500;

interface Toast {
  readonly id: number;
  readonly text: string;
}

/** Returns a function that shows a message, and the place where they are shown. */
export function useToasts() {
  const [toasts, setToasts] = useState<readonly Toast[]>([]);
  const show = useCallback((text: string) => {
    const id = performance.now();
    setToasts((before) => [...before.slice(-2), { id, text }]);
    setTimeout(() => setToasts((before) => before.filter((toast) => toast.id !== id)), shownMs);
  }, []);
  const place = (
    <div class="toasts" role="status" aria-live="polite">
      {toasts.map(({ id, text }) => (
        <div class="toast" key={id}>
          {text}
        </div>
      ))}
    </div>
  );
  return { show, place };
}
