import { EventEmitter } from 'node:events';
import { describe, expect, it } from 'vitest';
import { WrappedCommand } from '../../../../src/host/agent/wrapper/wrapped-command.ts';

const environment = { PATH: process.env['PATH'] };

describe('a wrapped command', () => {
  it('O6 gets a signal that comes while it is being started', async () => {
    const signals = new EventEmitter();
    const starting = WrappedCommand.start(['sleep', '1000'], environment, signals);
    signals.emit('SIGHUP');
    const command = await starting;
    expect(await command.ended).toBe(129);
    expect(signals.eventNames()).toEqual([]);
  });

  it('O6 that does not exist leaves nobody waiting for signals', async () => {
    const signals = new EventEmitter();
    await expect(WrappedCommand.start(['no-such-program'], environment, signals)).rejects.toMatchObject({
      code: 'GIR_ERR_COMMAND_UNKNOWN',
    });
    expect(signals.eventNames()).toEqual([]);
  });
});
