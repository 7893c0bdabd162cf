/** Candidates and requests for tests of routing strategies. */
import type { Candidate, RoutingRequest } from '../../src/extension/index.ts';

/** Returns a candidate; what is not given is of no interest. */
export function candidate(agentId: string, rest: Partial<Candidate> = {}): Candidate {
  return {
    sessionId: `session-of-${agentId}`,
    agentId,
    transport: 'grpc',
    inFlight: 0,
    isHealthy: true,
    labels: [],
    weight: 1,
    ...rest,
  };
}

/** Returns a request; what is not given is of no interest. */
export function routingRequest(rest: Partial<RoutingRequest> = {}): RoutingRequest {
  return {
    method: 'GET',
    host: 'app.test',
    path: '/',
    fields: [],
    isUpgrade: false,
    clientAddress: '192.0.2.1',
    ...rest,
  };
}
