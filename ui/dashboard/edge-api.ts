/** What the management API answers, as the schemas of its routes say. */
import type { z } from 'zod';
import type * as schemas from '../../src/management/api-schemas.ts';

/** Figures of the edge. */
export type Stats = z.infer<typeof schemas.stats>;
/** One endpoint with its agents. */
export type Tunnel = z.infer<typeof schemas.tunnel>;
/** One session of an agent. */
export type Session = Tunnel['agents'][number];
/** One token, without its secret. */
export type Token = z.infer<typeof schemas.tokens>['tokens'][number];
/** A token that was made, with its secret. */
export type CreatedToken = z.infer<typeof schemas.createdToken>;

/** One live event; further fields are the type's own. */
export interface EdgeEvent {
  readonly event: string;
  readonly at: string;
  readonly [field: string]: unknown;
}
