/** The settings of `giraffe stats`. */
import { configFile, stateDir } from './common-settings.ts';
import { edgeSettings } from './edge-settings.ts';
import { optionalSetting, setting } from './setting.ts';
import { duration, hostName, httpUrl, secretText, yesOrNo } from './units.ts';

/** Settings of the command. `apiPort` says where an edge on this machine answers; it has no use with `--api`. */
export const statsSettings = {
  domain: optionalSetting({
    flag: 'domain',
    valueName: 'DOMAIN',
    description: 'Only this endpoint.',
    schema: hostName(),
  }),
  watch: setting({
    flag: 'watch',
    defaultText: 'false',
    valueName: undefined,
    description: 'Show figures again and again, with rates, until Ctrl-C.',
    schema: yesOrNo(),
  }),
  interval: setting({
    flag: 'interval',
    defaultText: '2s',
    valueName: 'DURATION',
    description: 'Time between two looks with --watch, at least 250ms.',
    schema: duration(250),
  }),
  api: optionalSetting({
    flag: 'api',
    env: 'GIRAFFE_API',
    valueName: 'URL',
    description: 'Management API of the edge (default the one on this machine, else the agents that run here).',
    schema: httpUrl(),
  }),
  adminToken: optionalSetting({
    flag: 'admin-token',
    env: 'GIRAFFE_ADMIN_TOKEN',
    valueName: 'TOKEN',
    secret: true,
    description:
      'Admin token of that API (default the file admin-token of the state folder). Others on this machine can see the ' +
      'flag in the process list, not the variable.',
    schema: secretText('a token such as gra_…'),
  }),
  apiPort: edgeSettings.apiPort,
  configFile,
  stateDir,
};
