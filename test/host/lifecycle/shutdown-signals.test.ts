import { EventEmitter } from 'node:events';
import { describe, expect, it } from 'vitest';
import { listenForSignals } from '../../../src/host/lifecycle/shutdown-signals.ts';

describe('listenForSignals()', () => {
  function source() {
    const exits: number[] = [];
    const emitter = new EventEmitter();
    return Object.assign(emitter, { exits, exit: (status: number) => exits.push(status) });
  }

  it('asks for a graceful end at the first signal and ends at once at the second', async () => {
    const signals = source();
    const { first } = listenForSignals(signals);
    signals.emit('SIGTERM');
    expect(await first).toBe('SIGTERM');
    expect(signals.exits).toEqual([]);
    signals.emit('SIGINT');
    expect(signals.exits).toEqual([130]);
  });

  it('reloads at each SIGHUP', () => {
    let reloads = 0;
    const signals = source();
    listenForSignals(signals, () => {
      reloads += 1;
    });
    signals.emit('SIGHUP');
    signals.emit('SIGHUP');
    expect(reloads).toBe(2);
  });

  it('leaves no listener behind', () => {
    const signals = source();
    listenForSignals(signals, () => undefined)[Symbol.dispose]();
    expect(signals.eventNames()).toEqual([]);
  });
});
