/** The style of the report: light and dark, wide and narrow, on paper. */

/** Colours of series, in the order in which they are given out; `direct` is what others are compared with. */
export const seriesColours = ['c0', 'c1', 'c2', 'c3'] as const;

/** The style sheet. */
export const reportStyle = `
:root{color-scheme:light dark;--page:#f7f7f5;--card:#fff;--ink:#1c1c1a;--soft:#6b6a65;--edge:#e4e3de;--grid:#ecebe6;
--c0:#2f6fde;--c1:#d9730d;--c2:#16876a;--c3:#8a54c7;--direct:#8b8a84;--bad:#c9302c;--good:#16803c;
--badge-good:#e3f4e8;--badge-bad:#fbe6e5}
@media (prefers-color-scheme:dark){:root{--page:#161614;--card:#1f1f1c;--ink:#ecebe6;--soft:#a09f98;--edge:#32312d;--grid:#2a2926;
--c0:#6ea3ff;--c1:#f0a04b;--c2:#4cc29f;--c3:#b78df0;--direct:#8f8e87;--bad:#ff7b72;--good:#56d27d;
--badge-good:#17321f;--badge-bad:#3d1d1b}}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--ink);font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif;
-webkit-text-size-adjust:100%}
main{max-width:1040px;margin:0 auto;padding:32px 20px 48px}
header{margin-bottom:24px}
h1{font-size:26px;line-height:1.25;margin:2px 0 6px;letter-spacing:-.01em;overflow-wrap:anywhere}
h2{font-size:17px;margin:0 0 4px}
h3{font-size:14px;margin:0 0 12px;font-weight:600}
p{margin:0}
.brand{color:var(--soft);font-size:14px;font-weight:600}
.soft{color:var(--soft);font-size:14px}
section{background:var(--card);border:1px solid var(--edge);border-radius:12px;padding:20px;margin-top:16px}
section>.soft{margin-bottom:14px}
.tiles{display:grid;grid-template-columns:repeat(4,1fr);gap:16px;background:none;border:0;padding:0}
.tile{background:var(--card);border:1px solid var(--edge);border-radius:12px;padding:14px 16px}
.tile b{display:block;font-size:26px;line-height:1.3;font-weight:650;letter-spacing:-.02em;font-variant-numeric:tabular-nums}
.tile span{color:var(--soft);font-size:14px}
.tile .bad,td.bad{color:var(--bad)}
.pair{display:grid;grid-template-columns:1fr 1fr;gap:28px 40px}
svg{display:block;overflow:visible}
.label,.name,.value{font-size:12px;fill:var(--soft);font-variant-numeric:tabular-nums}
.name{font-size:14px;fill:var(--ink)}
.value{font-size:14px;font-weight:600;fill:var(--ink)}
.note{font-weight:400;fill:var(--soft)}
.grid{stroke:var(--grid)}
.tick{stroke:var(--soft)}
.rail{fill:var(--grid)}
.line{fill:none;stroke-width:2;vector-effect:non-scaling-stroke;stroke-linejoin:round;stroke-linecap:round}
.area{fill-opacity:.12}
.alarm{fill:var(--bad);fill-opacity:.75}
.hover{fill:transparent}
.hover:hover{fill:var(--ink);fill-opacity:.06}
.line.c0{stroke:var(--c0)}.line.c1{stroke:var(--c1)}.line.c2{stroke:var(--c2)}.line.c3{stroke:var(--c3)}.line.direct{stroke:var(--direct)}
.area.c0,.bar.c0{fill:var(--c0)}.bar.c1,.area.c1{fill:var(--c1)}.bar.c2,.area.c2{fill:var(--c2)}.bar.c3,.area.c3{fill:var(--c3)}
.bar.direct,.area.direct{fill:var(--direct)}
.legend{display:flex;flex-wrap:wrap;gap:4px 18px;list-style:none;margin:0 0 10px;padding:0;font-size:14px}
.swatch{display:inline-block;width:14px;height:4px;border-radius:2px;margin-right:7px;vertical-align:middle}
.swatch.c0{background:var(--c0)}.swatch.c1{background:var(--c1)}.swatch.c2{background:var(--c2)}.swatch.c3{background:var(--c3)}
.swatch.direct{background:var(--direct)}.swatch.fail{background:var(--bad)}
.chart{display:grid;grid-template-columns:56px 1fr}
section>h2+h3{margin-top:12px}
.chart+h3{margin-top:26px}
.scroll{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-size:14px;font-variant-numeric:tabular-nums}
th,td{text-align:right;padding:7px 0 7px 18px;border-bottom:1px solid var(--edge);white-space:nowrap}
th:first-child,td:first-child{text-align:left;padding-left:0}
tr:last-child td,tbody tr:last-child th{border-bottom:0}
thead th{color:var(--soft);font-weight:500}
tbody th{font-weight:600}
.verdicts{list-style:none;margin:8px 0 0;padding:0;font-size:14px}
.verdicts li{display:flex;flex-wrap:wrap;align-items:baseline;gap:4px 12px;padding:5px 0}
.badge{font-size:12px;font-weight:650;border-radius:6px;padding:1px 8px}
.badge.ok{background:var(--badge-good);color:var(--good)}
.badge.no{background:var(--badge-bad);color:var(--bad)}
code{font:13px/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;overflow-wrap:anywhere}
dl{display:grid;grid-template-columns:max-content 1fr;gap:5px 20px;margin:10px 0 0;font-size:14px}
dt{color:var(--soft)}
dd{margin:0;overflow-wrap:anywhere}
footer{margin-top:20px;color:var(--soft);font-size:13px}
@media (max-width:720px){main{padding:20px 14px 32px}h1{font-size:21px}.tiles{grid-template-columns:1fr 1fr;gap:10px}
.pair{grid-template-columns:1fr}section{padding:16px 14px}.tile{padding:12px 14px}.tile b{font-size:22px}
dl{grid-template-columns:1fr;gap:0}dd{margin-bottom:8px}}
@media print{:root{color-scheme:light;--page:#fff;--card:#fff;--ink:#000;--soft:#555;--edge:#ccc;--grid:#e6e6e6;
--c0:#2f6fde;--c1:#d9730d;--c2:#16876a;--c3:#8a54c7;--direct:#8b8a84;--bad:#c9302c;--good:#16803c}
body{font-size:12px}table{font-size:10px}th,td{padding-left:8px}main{max-width:none;padding:0}section,.tile{break-inside:avoid;border-radius:0}.tiles{break-inside:avoid}
*{print-color-adjust:exact;-webkit-print-color-adjust:exact}}
`;
