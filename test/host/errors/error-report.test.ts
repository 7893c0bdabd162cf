import { Errors } from '@oclif/core';
import { describe, expect, it } from 'vitest';
import { GiraffeError } from '../../../src/errors/giraffe-error.ts';
import { errorReport, writeError } from '../../../src/host/errors/error-report.ts';

const token = `grf_${'a'.repeat(43)}`;

const command = { name: 'giraffe tunnel', flags: ['token', 'port'], others: [] };

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

describe('writeError()', () => {
  const report = {
    code: 'GIR_ERR_CONFIG',
    message: '2 things are wrong',
    problems: ['server.ports.proxy is 99999; accepted is a port', 'short'],
    fix: 'Set it right and try again.',
  };

  function written(width: number | undefined): string[] {
    const lines: string[] = [];
    const output = { out: () => {}, err: (line: string) => void lines.push(line), isInteractive: false, width };
    writeError({ output, json: false }, report);
    return lines;
  }

  it('breaks lines at words where there is a terminal', () => {
    expect(written(40)).toEqual([
      'Error: 2 things are wrong',
      '       (GIR_ERR_CONFIG)',
      '  - server.ports.proxy is 99999;',
      '    accepted is a port',
      '  - short',
      'Next:  Set it right and try again.',
    ]);
  });

  it('leaves them whole for whoever reads them elsewhere', () => {
    expect(written(undefined)).toContain('  - server.ports.proxy is 99999; accepted is a port');
  });
});
