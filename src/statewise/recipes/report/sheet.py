"""The report's style sheet: one column, light or dark like the reader's system, and for print."""

SHEET = """
:root {
  color-scheme: light dark;
  --paper: #fdfcfa; --panel: #f4f2ee; --rule: #d9d5cd; --shade: #00000030;
  --ink: #1f2328; --quiet: #5b6069; --link: #0b5394;
  --run: #2f6fa8; --mark: #b3470b; --good: #1d6b3a; --bad: #a32a1c;
}
@media screen and (prefers-color-scheme: dark) {
  :root {
    --paper: #16181c; --panel: #1f2228; --rule: #3a3f48; --shade: #000000b0;
    --ink: #e4e3df; --quiet: #a3a8b0; --link: #8cbdf0;
    --run: #7db4e6; --mark: #f0a25e; --good: #7fce9b; --bad: #f39a8c;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }
body {
  max-width: 74rem; margin: 0 auto; padding: 2.5rem 1.25rem 5rem;
  background: var(--paper); color: var(--ink);
  font: 1.0625rem/1.55 Charter, "Bitstream Charter", "Sitka Text", Cambria, Georgia, serif;
  overflow-wrap: break-word;
}
h1, h2, h3, table, figure, dt, .told, .notice, .notes, .warnings, summary { font-family: system-ui, sans-serif; }
h1 { font-size: 1.9rem; line-height: 1.2; margin: 0 0 .5rem; letter-spacing: -.01em; }
h2 { font-size: 1.4rem; line-height: 1.25; margin: 0 0 .25rem; }
h3 { font-size: .95rem; margin: 2rem 0 .5rem; }
main > section { margin-top: 3.5rem; padding-top: 1.5rem; border-top: 1px solid var(--rule); }
p, dl, ul { margin: .5rem 0; }
p, .text dd { max-width: 42rem; }
a { color: var(--link); text-underline-offset: .15em; }
h2 .name {
  font: .85rem ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace; white-space: nowrap;
  color: var(--quiet); text-decoration: none;
}
h2 .name:hover { text-decoration: underline; }
small, .told { font-size: .85rem; color: var(--quiet); }
code, pre, .said { font-family: ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace; font-size: .85em; }
:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; }
.notice { border-left: 4px solid var(--mark); background: var(--panel); padding: .6rem .9rem; font-size: .95rem; }

.text { display: grid; grid-template-columns: 6.5rem minmax(0, 1fr); gap: .6rem 1rem; margin: 1.25rem 0; }
.text dt, .reading dt { font-weight: 600; font-size: .9rem; }
.text dt { padding-top: .12rem; color: var(--quiet); }
.text dd, .reading dd { margin: 0; overflow-wrap: anywhere; }
.reading {
  display: grid; grid-template-columns: repeat(auto-fit, minmax(17rem, 1fr)); gap: 1rem 2rem; font-size: .95rem;
}

.wide { /* a shadow on the right while something is hidden there */
  overflow-x: auto; margin: .5rem 0;
  background:
    linear-gradient(to left, var(--paper) 40%, transparent) right / 2rem 100% no-repeat local,
    linear-gradient(to left, var(--shade), transparent) right / .7rem 100% no-repeat scroll;
}
table { border-collapse: collapse; font-size: .85rem; line-height: 1.35; font-variant-numeric: tabular-nums; }
caption { text-align: left; color: var(--quiet); padding: .25rem 0 .4rem; }
th, td { padding: .4rem .55rem; text-align: right; vertical-align: baseline; white-space: nowrap; }
tr > th:first-child { padding-left: 0; }
thead th { white-space: normal; font-weight: 600; color: var(--quiet); }
thead th { border-bottom: 1px solid var(--ink); vertical-align: bottom; }
tbody th { font-weight: 500; }
tbody tr { border-bottom: 1px solid var(--rule); }
.words, .verdict { text-align: left; }
td .yes { color: var(--good); }
td .no { color: var(--bad); font-weight: 600; }
li small { white-space: nowrap; }
td small, th small { display: block; white-space: nowrap; font-weight: 400; font-size: .75rem; }
.summary { width: 100%; font-size: .8rem; }
.summary th:first-child { position: sticky; left: 0; background: var(--paper); }
.figures tbody th { white-space: normal; min-width: 9rem; }
.unseen {
  display: inline-block; border: 1px solid var(--mark); color: var(--mark); border-radius: .6rem;
  padding: 0 .45rem; font-size: .72rem; line-height: 1.35; white-space: nowrap;
}
.notes, .warnings { padding-left: 1.1rem; font-size: .85rem; color: var(--quiet); overflow-wrap: anywhere; }
.warnings { color: var(--ink); }
.answers { width: 100%; }
.answers th[scope="rowgroup"] { font-weight: 600; padding-top: .8rem; }
.answers th[scope="row"] { width: 6rem; min-width: 6rem; color: var(--quiet); font-weight: 400; }
.answers .said { text-align: left; white-space: pre-wrap; overflow-wrap: anywhere; }

figure { margin: .75rem 0; }
figcaption { font-size: .85rem; color: var(--quiet); }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 24rem), 1fr)); gap: 1rem 2rem; }
.charts figcaption { color: var(--ink); font-weight: 600; margin-bottom: .4rem; }
.charts .unseen { font-weight: 400; }
figcaption code { white-space: pre-wrap; }
.charts svg { display: block; width: 100%; max-width: 27rem; height: auto; }
svg { font: 12px system-ui, sans-serif; font-variant-numeric: tabular-nums; }
svg text { fill: var(--ink); }
svg .name, svg .tick { fill: var(--quiet); }
svg path { fill: none; stroke: var(--quiet); stroke-width: 1; }
svg .grid { stroke: var(--rule); }
.strip circle { fill: var(--run); fill-opacity: .75; }
.strip .mean { fill: var(--ink); fill-opacity: 1; }
.strip .interval { stroke: var(--ink); stroke-width: 2; }
.strip .published { stroke: var(--mark); stroke-width: 1.5; stroke-dasharray: 4 2; }
.strip .span { fill: var(--mark); fill-opacity: .14; }
.strip .mark { fill: var(--mark); }
.curves .run, .curves .median { stroke-linecap: round; stroke-linejoin: round; vector-effect: non-scaling-stroke; }
.curves .run { stroke: var(--run); stroke-opacity: .35; }
.few .run { stroke-opacity: .9; }
.curves .median { stroke: var(--ink); stroke-width: 1.75; }
.picture { display: block; font: 12px ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace; }
.picture .name { font-family: system-ui, sans-serif; }
.picture rect { fill: var(--panel); stroke: var(--quiet); }
.picture .skipped { fill: none; stroke: var(--rule); stroke-dasharray: 3 2; }
.picture .skips { fill: var(--quiet); }
.picture .fresh { fill: var(--paper); stroke: var(--run); stroke-width: 1.5; }
.picture .state { stroke: var(--run); stroke-width: 1.25; }
.picture .answer { stroke: var(--mark); stroke-width: 1.25; }
.picture .answers { fill: var(--mark); font-weight: 600; }

details { margin-top: 2rem; }
summary { cursor: pointer; font-size: .9rem; color: var(--link); }
pre { overflow-x: auto; padding: 1rem; background: var(--panel); line-height: 1.45; tab-size: 4; }
@media (max-width: 40rem) {
  body { padding: 1.25rem 1rem 3rem; font-size: 1rem; }
  .text { grid-template-columns: minmax(0, 1fr); gap: 0; }
  .text dd { margin-bottom: .7rem; }
  .summary th:first-child { max-width: 9rem; white-space: normal; }
}
@media print {
  body { max-width: none; padding: 0; font-size: 10pt; }
  table { font-size: 7.5pt; }
  th, td { padding: .25rem .4rem; }
  .wide { overflow: visible; background: none; }
  .wide > svg { max-width: 100%; height: auto; }
  .summary th:first-child { position: static; }
  h2, h3, figcaption { break-after: avoid; }
  tr, figure { break-inside: avoid; }
  details { display: none; }
}
"""
