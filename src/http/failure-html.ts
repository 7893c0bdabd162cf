/**
 * The failure page for browsers: one self-contained document, light or dark, no script and nothing to load.
 */
import type { CodeEntry, Side } from '../errors/code-entry.ts';
import type { ErrorCode } from '../errors/codes.ts';

/** What the three forms show. */
export interface FailureFacts {
  readonly code: ErrorCode;
  readonly entry: CodeEntry;
  /** Reason phrase of the status. */
  readonly title: string;
  /** A sentence about the client's own request, or undefined. */
  readonly detail: string | undefined;
  readonly requestId: string;
}

/** Returns the page. Every text in it is escaped. */
export function failureHtml({ code, entry, title, detail, requestId }: FailureFacts): string {
  const more = detail === undefined ? '' : `\n<p class="detail">${escapeHtml(detail)}</p>`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>${entry.status} ${escapeHtml(title)}</title>
<style>${styles}</style>
</head>
<body>
<main>
<p class="status">${entry.status} <span>${escapeHtml(title)}</span></p>
<h1>${escapeHtml(entry.summary)}</h1>${more}
<ol class="path" aria-label="Where it happened">
${sides.map((side) => sideItem(side, entry.side)).join('\n')}
</ol>
<h2>Next step</h2>
<p>${withCode(escapeHtml(entry.fix))}</p>
<dl>
<dt>Code</dt><dd><code>${escapeHtml(code)}</code></dd>
<dt>Request id</dt><dd><code>${escapeHtml(requestId)}</code></dd>
</dl>
</main>
</body>
</html>
`;
}

// The way of a request, in order.
const sides: readonly Side[] = ['client', 'edge', 'tunnel', 'agent', 'origin'];

function sideItem(side: Side, failed: Side): string {
  return side === failed ? `<li class="failed" aria-current="step">${side}</li>` : `<li>${side}</li>`;
}

function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
}

/** Sets what stands between backticks as code. */
function withCode(escaped: string): string {
  return escaped.replaceAll(/`([^`]+)`/g, '<code>$1</code>');
}

const styles = `
:root{color-scheme:light dark;--ink:#2b2118;--soft:#75685a;--paper:#fdfaf4;--line:#e4d9c7;--mark:#a84300}
@media(prefers-color-scheme:dark){:root{--ink:#f3ece1;--soft:#b3a696;--paper:#1a1612;--line:#3d342a;--mark:#f0a04b}}
*{box-sizing:border-box}
body{margin:0;min-height:100vh;display:grid;place-items:center;padding:1.5rem;background:var(--paper);color:var(--ink);
font:1rem/1.6 system-ui,sans-serif}
main{width:100%;max-width:38rem}
.status{margin:0;font-size:3.5rem;line-height:1.1;font-weight:700;color:var(--mark)}
.status span{font-size:1rem;font-weight:400;color:var(--soft)}
h1{margin:.75rem 0 0;font-size:1.4rem;line-height:1.35}
h2{margin:0;font-size:.85rem;color:var(--soft);font-weight:600}
p{margin:.25rem 0 0;overflow-wrap:anywhere}
.detail{color:var(--soft)}
.path{display:flex;gap:min(.4rem,1vw);list-style:none;margin:1.75rem 0;padding:0}
.path li{flex:1 1 0;text-align:center;padding:.35rem 0;border:1px solid var(--line);border-radius:.5rem;
color:var(--soft);font-size:min(.9rem,3.6vw)}
.path .failed{border-color:var(--mark);color:var(--mark);font-weight:700}
dl{display:grid;grid-template-columns:auto 1fr;gap:.15rem 1rem;margin:1.75rem 0 0;padding-top:1rem;
border-top:1px solid var(--line);font-size:.9rem}
dt{color:var(--soft)}
dd{margin:0;overflow-wrap:anywhere}
code{font-family:ui-monospace,monospace}
`;
