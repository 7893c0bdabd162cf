/** The built-in extensions, offered through the same hook as everybody else's. */

import { basic } from './auth/basic.ts';
import { jwt } from './auth/jwt.ts';
import { mtls } from './auth/mtls.ts';
import { tokens } from './auth/tokens.ts';
import { acme } from './certificates/acme.ts';
import { log } from './metrics/log.ts';
import { otlp } from './metrics/otlp.ts';
import { prometheus } from './metrics/prometheus.ts';
import { statsd } from './metrics/statsd.ts';
import { hybrid } from './routing/hybrid.ts';
import { leastInflight } from './routing/least-inflight.ts';
import { roundRobin } from './routing/round-robin.ts';
import { rules } from './routing/rules.ts';
import { sticky } from './routing/sticky.ts';
import { weighted } from './routing/weighted.ts';

const extensions = async () => [
  hybrid,
  roundRobin,
  leastInflight,
  weighted,
  sticky,
  rules,
  tokens,
  jwt,
  mtls,
  basic,
  log,
  prometheus,
  otlp,
  statsd,
  acme,
];

export default extensions;
