import { describe, expect, it } from 'vitest';
import { notFoundText } from '../../../src/host/oclif/command-not-found.ts';

const token = `grf_${'a'.repeat(43)}`;

describe('notFoundText()', () => {
  it('names the nearest command and not what was typed behind it', () => {
    const { message } = notFoundText(`tunel:${token}`, 'giraffe', ['tunnel', 'server:start']);
    expect(message).toBe('there is no command tunel; the nearest is tunnel');
  });

  it.each([
    ['serve:start', '; the nearest is server start'],
    ['serve', '; the nearest is server'],
    ['start', '; the nearest is server start'],
    ['tunel:list', '; the nearest is tunnel list'],
    ['tunel:3000', '; the nearest is tunnel'],
    ['nonsense', ''],
    ['nope', ''],
  ])('tells what was meant with %s, if anything', (id, hint) => {
    const { message } = notFoundText(id, 'giraffe', ['tunnel', 'tunnel:list', 'server:start', 'stats']);
    expect(message).toBe(`there is no command ${id.split(':')[0]}${hint}`);
  });

  it('names the nearest command of a topic', () => {
    expect(notFoundText('server:stop', 'giraffe', ['tunnel', 'server:start'])).toEqual({
      message: 'there is no such command of giraffe server; the nearest is server start',
      fix: 'Run `giraffe server --help`.',
    });
  });

  it('tells words behind a command from an unknown command', () => {
    expect(notFoundText(`server:start:${token}`, 'giraffe', ['tunnel', 'server:start'])).toEqual({
      message: 'giraffe server start takes no further argument',
      fix: 'Run `giraffe server start --help`.',
    });
  });
});
