/** The section `agent` of the configuration file: how the agent reaches the edge. What each setting is stands in agent-settings.ts. */
import * as z from 'zod';
import { agentSettings as agent } from '../agent-settings.ts';

/** Schema of the section. */
export const agentSection = z
  .strictObject({
    server: agent.server.leaf,
    tunnelPort: agent.tunnelPort.leaf,
    tokenFile: agent.tokenFile.leaf,
    token: agent.token.leaf,
    ca: agent.ca.leaf,
    clientCert: agent.clientCert.leaf,
    clientKey: agent.clientKey.leaf,
    insecure: agent.insecure.leaf,
    transport: agent.transport.leaf,
    hostHeader: agent.hostHeader.leaf,
    originCa: agent.originCa.leaf,
    originServerName: agent.originServerName.leaf,
    originInsecure: agent.originInsecure.leaf,
    labels: agent.labels.leaf,
    weight: agent.weight.leaf,
    inspectPort: agent.inspectPort.leaf,
    noInspect: agent.noInspect.leaf,
    inspectRequests: agent.inspectRequests.leaf,
    inspectMemory: agent.inspectMemory.leaf,
    inspectBody: agent.inspectBody.leaf,
    stateDir: agent.stateDir.leaf,
    drainTimeout: agent.drainTimeout.leaf,
  })
  .superRefine(({ token, tokenFile }, context) => {
    if (token === undefined || tokenFile === undefined) return;
    context.addIssue({ code: 'custom', path: ['tokenFile'], message: 'nothing where agent.token is set' });
  })
  .describe('The agent, `giraffe tunnel`.');
