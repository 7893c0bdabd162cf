/** The section `log` of the configuration file: edge and agent alike. */
import * as z from 'zod';
import { logSettings } from '../common-settings.ts';

/** Schema of the section. */
export const logSection = z
  .strictObject({
    format: logSettings.logFormat.leaf,
    level: logSettings.logLevel.leaf,
    file: logSettings.logFile.leaf,
  })
  .describe('The log of the process. An agent logs from warn on unless it is told otherwise.');
