/** A routing strategy: the first healthy agent during office hours (UTC), and a fixed answer outside of them. */
import * as z from 'zod';

const hour = z.int().min(0).max(24);

/** @type {import('giraffe-tunnel/extension').Extension<'routing-strategy'>} */
export const officeHours = {
  apiVersion: 1,
  kind: 'routing-strategy',
  name: 'office-hours',
  summary: 'Serves from one hour of the day to another, and says so outside of them.',
  options: z.strictObject({
    from: hour.default(8).describe('First hour of service, UTC.'),
    to: hour.default(18).describe('Hour at which service ends, UTC.'),
  }),
  create: async ({ from, to }, { now }) => {
    const isOpen = () => {
      const current = new Date(now()).getUTCHours();
      return from <= current && current < to;
    };
    return {
      answer: () =>
        isOpen() ? undefined : { status: 503, fields: [['Content-Type', 'text/plain']], body: `Back at ${from}:00.\n` },
      select: (candidates) => ({ candidate: candidates.find(({ isHealthy }) => isHealthy) ?? candidates[0] }),
      explain: () => `service is from ${from} to ${to} o'clock UTC, which is ${isOpen() ? 'now' : 'not now'}`,
    };
  },
};
