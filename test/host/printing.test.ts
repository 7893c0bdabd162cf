import { Errors } from '@oclif/core';
import { describe, expect, it } from 'vitest';
import { editDistance, nearestFirst } from '../../src/config/nearest.ts';
import { GiraffeError } from '../../src/errors/giraffe-error.ts';
import { notFoundText } from '../../src/host/command-not-found.ts';
import { errorReport } from '../../src/host/error-report.ts';
import { jsonLine, prettyLine } from '../../src/host/log-line.ts';
import { printable, redacted } from '../../src/host/printable.ts';

const token = `grf_${'a'.repeat(43)}`;
const command = { name: 'giraffe tunnel', flags: ['token', 'port'], others: [] };

describe('printable()', () => {
  it('keeps every text on its line and harmless to a terminal', () => {
    expect(printable('a\r\nb\u001b[31m\u0000\u007f\u009b\u2028\u202e')).toBe(
      'a\\r\\nb\\u001b[31m\\0\\u007f\\u009b\\u2028\\u202e',
    );
  });

  it('leaves letters of any script alone', () => {
    expect(printable('/größe/日本?x=1 👍')).toBe('/größe/日本?x=1 👍');
  });
});

describe('redacted()', () => {
  it('hides agent tokens, admin tokens and parts of them', () => {
    expect(redacted(`${token} gra_${'b'.repeat(43)} x=grf_abcdefgh`)).toBe('[redacted] [redacted] x=[redacted]');
  });

  it('S7 hides JSON Web Tokens, values of Authorization and hashes of passwords, and no ordinary words', () => {
    const jwt = `eyJ${'h'.repeat(20)}.eyJ${'p'.repeat(20)}.${'s'.repeat(40)}`;
    expect(redacted(`token ${jwt}, then`)).toBe('token [redacted], then');
    expect(redacted('{"authorization":"Basic YW5uOnMzY3JldA=="}')).toBe('{"authorization":"[redacted]"}');
    expect(redacted("users.ann: '$scrypt$ln=15,r=8,p=1$abc$def'")).toBe("users.ann: '[redacted]'");
    const words = 'HTTP Basic authentication, and Bearer tokens of eyJury.example.com';
    expect(redacted(words)).toBe(words);
  });
});

describe('log lines', () => {
  const hostile = { level: 30, time: 0, path: 'a\u001b[2J\r\nFAKE\u009b', msg: 'exchange ended', status: 200 };

  it('are JSON in which no control character is left', () => {
    const line = jsonLine(`${JSON.stringify(hostile)}\n`);
    expect(line).toMatch(/^[^\u0000-\u0009\u000b-\u001f\u007f-\u009f]*\n$/);
    expect(JSON.parse(line)).toEqual(hostile);
  });

  it('read for people: time, level, message, fields', () => {
    expect(prettyLine(JSON.stringify({ level: 40, time: 0, msg: 'slow', path: '/x', count: 2, name: 'a b' }))).toBe(
      '00:00:00.000 WARN  slow path=/x count=2 name="a b"\n',
    );
  });

  it('for people hold no control character either', () => {
    expect(prettyLine(JSON.stringify(hostile))).toMatch(/^[^\u0000-\u0009\u000b-\u001f\u007f-\u009f]*\n$/);
  });

  it('tell the message and code of an error and hide a token', () => {
    const line = prettyLine(JSON.stringify({ level: 50, time: 0, msg: 'x', err: { code: 'E', message: token } }));
    expect(line).toBe('00:00:00.000 ERROR x error="E: [redacted]"\n');
  });
});

describe('errorReport()', () => {
  it('tells what happened, the code, the next step and the exit status of an expected failure', () => {
    expect(errorReport(new GiraffeError('GIR_ERR_LISTEN', 'port 1 is taken'), command)).toMatchObject({
      code: 'GIR_ERR_LISTEN',
      message: 'port 1 is taken',
      fix: expect.stringContaining('0 picks a free one'),
      exit: 5,
    });
  });

  it('sends a wrong usage to the help of its command', () => {
    expect(errorReport(new GiraffeError('GIR_ERR_USAGE', 'no'), command)).toMatchObject({
      fix: 'Run `giraffe tunnel --help`.',
      exit: 2,
    });
  });

  it('calls anything unexpected a bug', () => {
    expect(errorReport(new TypeError('x is not a function'), command)).toMatchObject({
      code: 'GIR_ERR_INTERNAL',
      message: 'this is a bug in giraffe: x is not a function',
      exit: 1,
    });
  });

  it('takes what was not even an error', () => {
    expect(errorReport(undefined, command)).toMatchObject({ exit: 1, message: 'this is a bug in giraffe: undefined' });
  });

  it('never repeats a token, not in the stack either', () => {
    const report = errorReport(new Error(`bad ${token}`), command);
    expect(JSON.stringify(report)).not.toContain(token);
  });

  it('takes the values out of what oclif says of a flag', () => {
    const error = new Errors.CLIError('Expected --token=swordfish to be something\nSee more help');
    expect(errorReport(error, command)).toMatchObject({ message: 'Expected --token to be something', exit: 2 });
  });

  it('O6 tells which command has a flag that this one has not, and else the nearest one', () => {
    class NonExistentFlagsError extends Errors.CLIError {
      readonly flags: readonly string[];
      constructor(flag: string) {
        super('Nonexistent flag');
        this.flags = [flag];
      }
    }
    const others = [
      { name: 'giraffe tunnel', flags: ['qr', 'port'] },
      { name: 'giraffe doctor', flags: ['port'] },
    ];
    const told = (flag: string) => {
      return errorReport(new NonExistentFlagsError(flag), { name: 'giraffe x', flags: ['ca'], others }).message;
    };
    expect(told('--qr')).toBe('there is no flag --qr here; it is one of `giraffe tunnel`');
    expect(told('--port=1')).toBe('there is no flag --port here; it is one of `giraffe tunnel`, `giraffe doctor`');
    expect(told('--cb')).toBe('there is no flag --cb; the nearest is --ca');
    expect([told('-p'), told('--xyz')]).toEqual(['there is no flag -p', 'there is no flag --xyz']);
  });

  it('O6 names an argument that is missing', () => {
    class RequiredArgsError extends Errors.CLIError {
      readonly args = [
        { name: 'token', description: 'Its id or name.' },
        { name: 'shell', description: 'The shell.', options: ['bash', 'zsh'] },
      ];
    }
    const { message } = errorReport(new RequiredArgsError('Missing 2 required args:'), command);
    expect(message).toBe('TOKEN is missing: its id or name; SHELL is missing: one of bash, zsh');
  });

  it('O6 sends to `--help` for what a setting is only where that tells it', () => {
    const bad = new GiraffeError('GIR_ERR_CONFIG', 'bad');
    const fixFor = (name: string, flags: readonly string[]) => errorReport(bad, { name, flags, others: [] }).fix;
    expect(fixFor('giraffe tunnel', ['json', 'server'])).toContain(
      '`giraffe tunnel --help` tells what each setting is',
    );
    expect(fixFor('giraffe config validate', ['json', 'config'])).toContain('`giraffe config schema`');
  });

  it('keeps its message on one line', () => {
    expect(errorReport(new GiraffeError('GIR_ERR_CONFIG', 'a\nb\u001b[1m'), command).message).toBe('a\\nb\\u001b[1m');
  });
});

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

describe('nearestFirst()', () => {
  it('orders by edit distance, and equals by name', () => {
    expect(nearestFirst('hybird', ['zzz', 'hybrid', 'aaa'])).toEqual(['hybrid', 'aaa', 'zzz']);
  });

  it.each([
    ['', '', 0],
    ['', 'abc', 3],
    ['kitten', 'sitting', 3],
    ['same', 'same', 0],
  ])('counts the edits between %j and %j', (a, b, edits) => {
    expect([editDistance(a, b), editDistance(b, a)]).toEqual([edits, edits]);
  });
});
