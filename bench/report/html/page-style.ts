import type { Markup } from './html.ts';

/** Colours of targets, by slot; see palette.ts. Each can be read as text on its paper. */
const LIGHT = ['#0b62a8', '#bf3d0a', '#ab2f7c', '#00745a', '#8a5d00', '#1c7fa6', '#4b4a9c', '#667085'];
const DARK = ['#62b0f4', '#f58f52', '#ea93c8', '#3fcb9e', '#e5b548', '#86d3ee', '#b5b0fa', '#98a2b3'];

const slots = (colours: readonly string[]): string => colours.map((colour, i) => `--s${i}:${colour};`).join('');

const LIGHT_PAPER = `--paper:#fff;--card:#f5f7fa;--ink:#16202c;--soft:#566273;--hair:#dfe4ea;--grid:#e9edf2;--heat:#0b4f8a;--on-heat:#fff;--yes:#00704f;--no:#b32626;--event:#7a4b00;${slots(LIGHT)}`;
const DARK_PAPER = `--paper:#10151b;--card:#19212a;--ink:#e8edf3;--soft:#9aa7b6;--hair:#2d3844;--grid:#222b35;--heat:#4f9fe6;--on-heat:#08131d;--yes:#45cf9e;--no:#ff8a80;--event:#efc46a;${slots(DARK)}`;

const SLOT_RULES = LIGHT.map(
  (_, i) => `.mark.s${i},.bar.s${i},.area.s${i},.name.s${i}{fill:var(--s${i})}.line.s${i}{stroke:var(--s${i})}`,
).join('\n');

const CSS = `
:root{color-scheme:light dark;${LIGHT_PAPER}}
@media screen and (prefers-color-scheme:dark){:root{${DARK_PAPER}}}
*{box-sizing:border-box}
html{scroll-behavior:smooth;-webkit-text-size-adjust:100%}
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;font-variant-numeric:tabular-nums}
main{max-width:1320px;margin:0 auto;padding:48px 24px 96px}
h1{font-size:34px;line-height:1.15;letter-spacing:-.02em;margin:0 0 14px}
h2{font-size:24px;line-height:1.2;letter-spacing:-.015em;margin:0 0 8px}
h3{font-size:15px;margin:0 0 10px}
.kicker{margin:0 0 4px;color:var(--s0);font-weight:650;letter-spacing:.01em}
.answer{margin:0 0 10px;font-size:20px;line-height:1.4;max-width:75ch;text-wrap:pretty}.answer span{display:block}.machine.certainty{margin:0 0 14px}
.machine{margin:0;color:var(--soft);max-width:100ch}
.command{margin:14px 0 0}
code{font:13px/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;background:var(--card);padding:5px 9px;border-radius:5px;overflow-wrap:anywhere;box-decoration-break:clone;-webkit-box-decoration-break:clone}
.note{color:var(--soft);font-size:13.5px}
.cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(300px,1fr));gap:16px;margin:32px 0 0}
.card{background:var(--card);border-radius:10px;padding:20px 22px;break-inside:avoid}
.card .own{margin:0}.card .own b{font-size:28px;letter-spacing:-.02em;margin-right:8px;color:var(--s0)}
.card>.note{margin:0}
.card ul{list-style:none;margin:14px 0 0;padding:0;border-top:1px solid var(--hair)}
.card li{display:flex;gap:14px;padding:10px 0 0;line-height:1.35}
.card li>b{flex:none;width:3.7em;font-size:20px;letter-spacing:-.01em}
.ahead>b{color:var(--yes)}.behind>b{color:var(--no)}.even>b{color:var(--soft)}
nav{margin:32px 0 0;border-block:1px solid var(--hair)}
nav ul{display:flex;flex-wrap:wrap;gap:2px 20px;list-style:none;margin:0;padding:9px 0;font-size:14px}
a{color:inherit;text-decoration-color:var(--hair);text-underline-offset:3px}a:hover{text-decoration-color:currentColor}
section{margin:56px 0 0;scroll-margin-top:16px}
.lead{margin:0 0 20px;color:var(--soft);max-width:100ch}
.panels{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,340px),1fr));gap:24px 28px;align-items:start;margin:0 0 16px}
figure{margin:0 0 16px;break-inside:avoid}
figcaption{font-weight:600;font-size:15px;margin:0 0 8px}
.scroll{overflow-x:auto}
svg{display:block;width:100%;max-width:var(--w);min-width:min(var(--w),330px);height:auto;font:12px system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;font-variant-numeric:tabular-nums}
svg.wide{min-width:820px}
svg.defs{position:absolute;min-width:0}
svg text{fill:var(--ink)}
svg .axis text,svg text.note,svg tspan.note,svg text.point{fill:var(--soft);font-size:12px}
svg text.point{font-size:11px}
svg .axis .unit{fill:var(--soft)}
svg .head,svg .label,svg .name{font-size:13px;font-weight:600}
svg .head tspan.note{font-weight:400}
svg .group{font-size:15px;font-weight:650}
svg .figure{font-size:13px;font-weight:600}
svg .cell{font-size:19px;font-weight:650}svg .cell-note{font-size:12px}
svg .on-dark text{fill:var(--on-heat)}
.grid{stroke:var(--grid)}.rule{stroke:var(--hair)}
.line{fill:none;stroke-width:2.2;stroke-linejoin:round;stroke-linecap:round}.line.thin{stroke-width:1.2;opacity:.75}.line.dashed{stroke-dasharray:5 4}
.mark{stroke:var(--paper);stroke-width:1.2}
.leader{stroke:var(--hair);fill:none}
.area{opacity:.16}
.whisker{stroke:var(--ink);stroke-width:1.3;fill:none;opacity:.75}
.heat{fill:var(--heat)}
.cell-frame{fill:none;stroke-width:1.5;stroke:var(--ink);opacity:.8}.cell-frame.on-dark{stroke:var(--on-heat)}
.event{stroke:var(--event);stroke-dasharray:3 3}svg .event-name{fill:var(--event);font-weight:600}
.error{fill:var(--no)}svg .error-name{fill:var(--no)}
.hover{fill:transparent}.hover:hover{fill:var(--ink);fill-opacity:.06}
${SLOT_RULES}
table{border-collapse:collapse;font-size:13.5px;line-height:1.4;min-width:50%}
caption{text-align:left;color:var(--soft);padding:0 0 6px}caption:empty{display:none}
th{font-weight:600;color:var(--soft);vertical-align:bottom}
th,td{text-align:right;padding:5px 0 5px 20px;border-bottom:1px solid var(--hair);white-space:nowrap}
th.text,td.text{text-align:left}
th:first-child,td:first-child{padding-left:0}
.goals table{width:100%}.goals td{white-space:normal;vertical-align:top}.goals td:last-child{white-space:nowrap}
.verdict{font-weight:600}.verdict.yes{color:var(--yes)}.verdict.no{color:var(--no)}.verdict.open{color:var(--soft);font-weight:400}
details{margin:8px 0 0}summary{cursor:pointer;color:var(--soft);font-size:14px;padding:4px 0}details[open]>summary{margin-bottom:8px}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(200px,1fr));gap:16px;margin:0 0 32px}
.tiles>div{background:var(--card);border-radius:10px;padding:16px 18px;display:flex;flex-direction:column}
.tiles dd{margin:0;font-size:24px;font-weight:650;letter-spacing:-.02em}.tiles dt{color:var(--soft);font-size:13.5px;line-height:1.4}
@media print{
@page{size:A4 landscape;margin:12mm}
body{font-size:11pt;print-color-adjust:exact;-webkit-print-color-adjust:exact}
main{max-width:none;padding:0}nav{display:none}
section{margin-top:28px}.keep,.panels>*{break-inside:avoid}
.scroll{overflow:visible}table{font-size:8.5pt}th,td{padding-left:10px}tr{break-inside:avoid}
details::details-content{content-visibility:visible;display:block;height:auto}
}
`;

export const STYLE: Markup = { kind: 'markup', text: CSS };
