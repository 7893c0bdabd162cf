/** The settings of `giraffe token`. */
import { configFile, stateDir } from './common-settings.ts';
import { optionalSetting, setting } from './setting.ts';
import { lifetime, list, plainText } from './units.ts';

/** Settings of all token commands: where the edge keeps its state. */
export const tokenFolderSettings = { configFile, stateDir };

/** Settings of a new token. */
export const newTokenSettings = {
  name: setting({
    flag: 'name',
    defaultText: 'agent',
    valueName: 'NAME',
    description: 'What people call it; need not be unique.',
    schema: plainText('a name of 1 to 100 characters'),
  }),
  endpoints: setting({
    flag: 'endpoint',
    defaultText: '*',
    valueName: 'PATTERN',
    multiple: true,
    description: 'Endpoint it may serve: app.example.com, *.example.com (one label), or * for all. May be repeated.',
    schema: list(plainText('a host, *.host or *')),
  }),
  expires: optionalSetting({
    flag: 'expires',
    valueName: 'TIME',
    description: 'Time after which it ends, such as 90m, 12h, 30d or 52w (default never).',
    schema: lifetime(),
  }),
  ...tokenFolderSettings,
};
