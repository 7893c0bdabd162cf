import { describe, expect, it } from 'vitest';
import { EdgeFigures } from '../../src/edge/figures.ts';
import { Histogram } from '../../src/telemetry/histogram.ts';

const clock = () => 0;

describe('EdgeFigures', () => {
  it('O2 gives no line to an endpoint that came to be while a request for it was refused', () => {
    let isTunnel = false;
    const figures = new EdgeFigures(() => isTunnel, clock);
    const refused = figures.started('app.test');
    isTunnel = true;
    figures.started('app.test');
    const outcome = {
      status: 404,
      error: undefined,
      transport: undefined,
      session: undefined,
      durationMs: 1,
      requestBytes: 0,
      responseBytes: 0,
      isRelay: false,
    };
    figures.finished(refused, outcome, undefined);
    expect([...figures.endpoints([]).values()]).toMatchObject([{ requests: 1, responses: 0, inFlight: 1 }]);
    expect(figures.totals).toMatchObject({ requests: 2, inFlight: 1 });
  });

  it('O2 puts the endpoints that are served before those whose agents have left', () => {
    const figures = new EdgeFigures(() => true, clock);
    figures.started('left.test');
    figures.started('app.test');
    expect([...figures.endpoints(['idle.test', 'app.test']).keys()]).toEqual(['idle.test', 'app.test', 'left.test']);
  });

  it('O2 tells agents of different owners apart when they come back', () => {
    const figures = new EdgeFigures(() => true, clock);
    const agent = (owner: string) => ({ agentId: 'a', principal: { id: owner }, endpoints: ['app.test'] });
    figures.sessionOpened(agent('one'));
    figures.sessionOpened(agent('two'));
    figures.sessionOpened(agent('one'));
    expect(figures.totals).toMatchObject({ sessionsOpened: 3, sessionsReopened: 1 });
  });
});

describe('Histogram', () => {
  it('O2 puts a value on a bound into the bucket below it, and the rest beyond the last', () => {
    const histogram = new Histogram([1, 2]);
    for (const value of [0.5, 1, 1.5, 2, 3]) histogram.observe(value);
    expect(histogram.read()).toEqual({ counts: [2, 2, 1], sum: 8, count: 5 });
  });
});
