/** Settings that several commands share. */
import { optionalSetting, setting } from './setting.ts';
import { duration, oneOf, plainText } from './units.ts';

/** The configuration file itself. */
export const configFile = optionalSetting({
  flag: 'config',
  env: 'GIRAFFE_CONFIG',
  valueName: 'FILE',
  description: 'Configuration file (default giraffe.config.* or .girafferc* in the current folder, if there is one).',
  schema: plainText('the path of a file'),
});

/** Where state is kept. The default depends on the environment (XDG), so the host fills it in. */
export const stateDir = optionalSetting({
  flag: 'state-dir',
  env: 'GIRAFFE_STATE_DIR',
  valueName: 'DIR',
  description: 'Folder for tokens, certificates and known endpoints (default the XDG state folder).',
  isPath: true,
  schema: plainText('the path of a folder'),
});

/** Time to finish what is in flight. */
export const drainTimeout = setting({
  flag: 'drain-timeout',
  env: 'GIRAFFE_DRAIN_TIMEOUT',
  defaultText: '30s',
  valueName: 'DURATION',
  description: 'Time to finish what is in flight after SIGTERM or SIGINT; 0 closes at once.',
  reload: 'live',
  schema: duration(0),
});

/** Settings of the log. */
export const logSettings = {
  logFormat: optionalSetting({
    flag: 'log-format',
    env: 'GIRAFFE_LOG_FORMAT',
    valueName: 'FORMAT',
    description: 'Form of the log: pretty or json (default pretty on a terminal, else json).',
    schema: oneOf(['pretty', 'json']),
  }),
  logLevel: setting({
    flag: 'log-level',
    env: 'GIRAFFE_LOG_LEVEL',
    defaultText: 'info',
    valueName: 'LEVEL',
    description: 'Least level that is logged: debug, info, warn, error or silent.',
    reload: 'live',
    schema: oneOf(['debug', 'info', 'warn', 'error', 'silent']),
  }),
  logFile: optionalSetting({
    flag: 'log-file',
    env: 'GIRAFFE_LOG_FILE',
    valueName: 'FILE',
    description: 'File to which the log is appended (default stderr).',
    isPath: true,
    schema: plainText('the path of a file'),
  }),
};
