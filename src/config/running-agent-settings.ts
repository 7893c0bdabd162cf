/** The settings of `giraffe tunnel list` and `giraffe tunnel stop`. */
import { agentSettings } from './agent-settings.ts';
import { configFile } from './common-settings.ts';
import { optionalSetting, setting } from './setting.ts';
import { duration, yesOrNo } from './units.ts';

/** Where the agents of this machine leave their records: where `giraffe tunnel` with the same settings does. */
export const runningAgentSettings = { configFile, stateDir: agentSettings.stateDir };

/** Settings of the end of agents. */
export const stopSettings = {
  all: setting({
    flag: 'all',
    defaultText: 'false',
    valueName: undefined,
    description: 'Stop every agent of the state folder.',
    schema: yesOrNo(),
  }),
  timeout: optionalSetting({
    flag: 'timeout',
    valueName: 'DURATION',
    description: 'Time for what is in flight, then it is cut off (default what each agent has as --drain-timeout).',
    schema: duration(0),
  }),
  ...runningAgentSettings,
};
