/** Shows an agent's events to programs: a line of JSON each, on stdout. The fields are listed in docs/reference/events.md. */
import type { AgentEvent } from '../../../agent/agent-options.ts';
import { type Output, writeEvent } from '../../terminal/output.ts';
import { redacted } from '../../terminal/printable.ts';
import type { LocalApiUrls } from '../local-api.ts';
import type { AgentPresenter } from './agent-presenter.ts';

/** Returns a presenter that writes NDJSON. */
export function createJsonPresenter(output: Output): AgentPresenter {
  let localApi: LocalApiUrls | undefined;
  return {
    show: (event) => {
      const fields = fieldsOf(event);
      if (fields === undefined) return;
      writeEvent(output, event.type, event.type === 'ready' ? { ...fields, ...localApi } : fields);
    },
    showLocalApi: (urls) => {
      localApi = urls;
    },
    showOrigin: (target, reason) => writeEvent(output, 'origin', { target, reachable: reason === undefined, reason }),
    showDraining: (deadlineMs) => writeEvent(output, 'draining', { deadlineMs }),
    showLifetimeOver: (lifetimeMs) => writeEvent(output, 'lifetime-over', { lifetimeMs }),
    showUnresolved: (name) => writeEvent(output, 'unresolved', { domain: name }),
    settled: () => Promise.resolve(),
  };
}

/** Returns what is told of a tunnel that is ready. Pure. */
export function readyFields({ mode, reason, tunnels }: Extract<AgentEvent, { type: 'ready' }>): object {
  return { url: tunnels[0]?.url, domain: tunnels[0]?.domain, mode, reason, tunnels };
}

/** Returns what is told of an event; undefined for one that is told in another way. Pure. */
function fieldsOf(event: AgentEvent): object | undefined {
  switch (event.type) {
    case 'connecting':
      return { attempt: event.attempt };
    case 'ready':
      return readyFields(event);
    case 'mode':
      return { mode: event.mode, reason: event.reason };
    case 'reconnecting':
      return { ...problem(event.error), delayMs: Math.round(event.delayMs) };
    case 'request': {
      // By name: this is told of each request, and to copy what is left of an object costs more than the rest of it.
      const { method, path, domain, status, code, detail, durationMs, carrier } = event;
      return { method, path, domain, status, code, detail, durationMs: Math.round(durationMs), carrier };
    }
    case 'health': {
      const { domain, target, error } = event;
      return { domain, target, healthy: error === undefined, ...(error === undefined ? {} : problem(error)) };
    }
    case 'withdrawn': {
      const { name, domain, url, target, error } = event;
      return { name, domain, url, target, ...problem(error) };
    }
    case 'closed':
      return event.error === undefined ? {} : problem(event.error);
    case 'carrier':
    case 'origin':
      return undefined;
  }
}

function problem({ code, message }: { readonly code: string; readonly message: string }): object {
  return { code, message: redacted(message) };
}
