/**
 * Name and release of this program, as told to the other end and in logs.
 */
import { readFileSync } from 'node:fs';

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

/** `giraffe/` and the release. */
export const softwareName = `giraffe/${version}`;
