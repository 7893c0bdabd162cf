/** What this plugin adds: giraffe asks for it by the hook `giraffe:extensions`. */
import { lineCount } from './lib/line-count.js';
import { officeHours } from './lib/office-hours.js';
import { sharedSecret } from './lib/shared-secret.js';

export default async () => [officeHours, sharedSecret, lineCount];
