/** Settings of the request inspector of `giraffe tunnel`. */
import { setting } from './setting.ts';
import { byteSize, count, port, yesOrNo } from './units.ts';

const kibibyte = 1024;

/** Where the inspector is, and how much it keeps. */
export const inspectSettings = {
  inspectPort: setting({
    flag: 'inspect-port',
    env: 'GIRAFFE_INSPECT_PORT',
    defaultText: '4040',
    valueName: 'PORT',
    description:
      'Port of the request inspector and of the local API, which tells figures, on loopback. 0 picks a free one, the ' +
      'default the next one when it is taken.',
    schema: port(0),
  }),
  noInspect: setting({
    flag: 'no-inspect',
    env: 'GIRAFFE_NO_INSPECT',
    defaultText: 'false',
    valueName: undefined,
    description: 'Record no request: without request inspector. The local API still tells figures.',
    schema: yesOrNo(),
  }),
  inspectRequests: setting({
    flag: 'inspect-requests',
    env: 'GIRAFFE_INSPECT_REQUESTS',
    defaultText: '500',
    valueName: 'COUNT',
    description: 'Exchanges that the request inspector keeps.',
    schema: count(1, 10_000),
  }),
  inspectMemory: setting({
    flag: 'inspect-memory',
    env: 'GIRAFFE_INSPECT_MEMORY',
    defaultText: '32MiB',
    valueName: 'SIZE',
    description: 'Memory for all exchanges that the request inspector keeps; the oldest go first.',
    schema: byteSize(64 * kibibyte, kibibyte ** 3),
  }),
  inspectBody: setting({
    flag: 'inspect-body',
    env: 'GIRAFFE_INSPECT_BODY',
    defaultText: '256KiB',
    valueName: 'SIZE',
    description: 'How much of each body the request inspector keeps, and of all messages of a WebSocket; 0 keeps none.',
    schema: byteSize(0, 16 * kibibyte ** 2),
  }),
};
