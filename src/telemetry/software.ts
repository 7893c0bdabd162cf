/**
 * Name and release of this program, as told to the other end and in logs.
 */
import { readFileSync } from 'node:fs';

const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');

/** The release. */
export const softwareVersion = (JSON.parse(text) as { readonly version: string }).version;

/** `giraffe/` and the release. */
export const softwareName = `giraffe/${softwareVersion}`;
