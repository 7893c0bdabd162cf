/** Looks at the figures of the edge again and again. */
import { useEffect, useState } from 'preact/hooks';
import { type Api, ApiError } from '../parts/api.ts';
import type { Stats, Tunnel } from './edge-api.ts';
import { type Point, withPoint } from './history.ts';

const lookMs = 2000;

/** What is known of the edge. */
export interface Figures {
  readonly stats: Stats | undefined;
  readonly tunnels: readonly Tunnel[];
  readonly points: readonly Point[];
  /** Whether the latest look was answered. */
  readonly isOpen: boolean | undefined;
}

const nothing: Figures = { stats: undefined, tunnels: [], points: [], isOpen: undefined };

/** Returns the figures and a function that looks at once. `onRefused` is called when the token is no longer good. */
export function useFigures(api: Api, onRefused: () => void): Figures & { readonly look: () => void } {
  const [figures, setFigures] = useState(nothing);
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    const end = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const look = async (): Promise<void> => {
      try {
        const [stats, { tunnels }] = await Promise.all([
          api.get<Stats>('/api/v1/stats', end.signal),
          api.get<{ tunnels: Tunnel[] }>('/api/v1/tunnels', end.signal),
        ]);
        setFigures((before) => ({
          stats,
          tunnels,
          points: withPoint(before.points, before.stats, stats),
          isOpen: true,
        }));
      } catch (error) {
        if (end.signal.aborted) return;
        if (error instanceof ApiError && error.status === 401) return onRefused();
        setFigures((before) => ({ ...before, isOpen: false }));
      }
      if (!end.signal.aborted) timer = setTimeout(() => void look(), lookMs);
    };
    void look();
    return () => {
      end.abort();
      clearTimeout(timer);
    };
  }, [api, turn]);
  return { ...figures, look: () => setTurn((before) => before + 1) };
}
