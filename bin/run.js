#!/usr/bin/env node
// The program `giraffe`. Sets up the process and hands over to oclif; everything else is in dist/.
import module from 'node:module';
import v8 from 'node:v8';

// How much the old generation may grow between two collections, in percent of what is alive. V8 counts the buffers of a bulk
// transfer towards it and, left to itself, marks all of the heap up to ten times per second (docs/adr/0019).
v8.setFlagsFromString('--heap-growing-percent=200');
// The young generation is collected by the thread that has its objects in its cache: little of it is alive, and waking others
// for that costs 3 % of a small request.
v8.setFlagsFromString('--no-parallel-scavenge');

if ('enableCompileCache' in module) module.enableCompileCache();

// What NO_COLOR (https://no-color.org) and a stream that is no terminal mean, said before the import of those who look:
// chalk and oclif at FORCE_COLOR=0, listr2 at NO_COLOR.
const isPlain = !process.stdout.isTTY || !process.stderr.isTTY;
if (process.env.NO_COLOR || (isPlain && process.env.FORCE_COLOR === undefined)) {
  process.env.NO_COLOR = '1';
  process.env.FORCE_COLOR = '0';
}

// A reader that has gone away (`giraffe … | head -1`) is no failure of ours.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error) => {
    if (error.code !== 'EPIPE') throw error;
  });
}

const { execute, settings } = await import('@oclif/core');
// Plugins run as they are built, linked ones as well; otherwise oclif warns of each linked one with every command.
settings.enableAutoTranspile = false;
await execute({ dir: import.meta.url });
