/** What scripts ask of `giraffe tunnel`: when it is ready, where it leaves its URL, when it ends. */
import { optionalSetting, setting } from './setting.ts';
import { duration, oneOf, plainText, yesOrNo } from './units.ts';

/** Settings for scripts. None of them has a place in the configuration file: they belong to one call. */
export const scriptSettings = {
  timeout: optionalSetting({
    flag: 'timeout',
    env: 'GIRAFFE_TIMEOUT',
    valueName: 'DURATION',
    description: 'Time to become ready, then exit 6 (default no limit; 30s with a command or --detach).',
    schema: duration(1),
  }),
  waitReady: setting({
    flag: 'wait-ready',
    env: 'GIRAFFE_WAIT_READY',
    defaultText: 'registered',
    valueName: 'LEVEL',
    description:
      'What being ready takes: registered (the edge serves it), reachable (a request to the public URL comes through), or origin (the service answers it, too).',
    schema: oneOf(['registered', 'reachable', 'origin']),
  }),
  urlFile: optionalSetting({
    flag: 'url-file',
    valueName: 'FILE',
    description: 'File for the public URL, written once it is ready; an older one is removed at the start.',
    isPath: true,
    schema: plainText('the path of a file'),
  }),
  // Not --env-file: Node 20 takes that for its own, wherever it stands on the command line.
  dotenvFile: optionalSetting({
    flag: 'dotenv-file',
    valueName: 'FILE',
    description: 'File in which GIRAFFE_URL and GIRAFFE_DOMAIN are set once it is ready; its other lines stay.',
    isPath: true,
    schema: plainText('the path of a file'),
  }),
  github: setting({
    flag: 'github',
    defaultText: 'false',
    valueName: undefined,
    description: 'Append url and domain to the outputs of a step of GitHub Actions, $GITHUB_OUTPUT.',
    schema: yesOrNo(),
  }),
  detach: setting({
    flag: 'detach',
    defaultText: 'false',
    valueName: undefined,
    description: 'Return once it is ready and leave the agent running; `giraffe tunnel stop` ends it.',
    schema: yesOrNo(),
  }),
  maxLifetime: optionalSetting({
    flag: 'max-lifetime',
    env: 'GIRAFFE_MAX_LIFETIME',
    valueName: 'DURATION',
    description: 'Time after which the tunnel ends by itself, once it was ready (default no limit).',
    schema: duration(1),
  }),
  qr: setting({
    flag: 'qr',
    defaultText: 'false',
    valueName: undefined,
    description: 'Show the public URL as a QR code, on stderr.',
    schema: yesOrNo(),
  }),
};
