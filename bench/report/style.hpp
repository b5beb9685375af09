#pragma once

#include <string_view>

namespace daxrace {

/// The page's style sheet. The colours of protocols (--pN) and phases (--fN) are those of Okabe and Ito,
/// adapted to the contrast of either ground; dashes and a table go with every colour.
inline constexpr std::string_view kStyle = R"CSS(
:root{color-scheme:light dark;--ground:#fff;--ink:#1b1f24;--muted:#59636e;--line:#d5dae0;--soft:#f4f6f8;--grid:#e3e7eb;--link:#0a58ca;
--bad:#a4001d;--badbg:#fde7ea;--warn:#7a4b00;--warnbg:#fff3d9;--good:#0b5e34;--goodbg:#e4f5ea;--harm:#7a3e00;--harmbg:#ffe2b8;--idle:#6b7580;--idlebg:#eceff2;
--p0:#6e7781;--p1:#c05a00;--p2:#2b8fc7;--p3:#9a7b00;--p4:#00805c;--p5:#0b5fa5;--p6:#b4508c;--p7:#c33d2e;--p8:#5b4db2;--p9:#4d7a1f;
--f0:#0072b2;--f1:#d55e00;--f2:#e0a100;--f3:#cc79a7;--f4:#56b4e9;--f5:#009e73;--f6:#c3cad1}
@media (prefers-color-scheme:dark){:root{--ground:#111417;--ink:#e4e8ec;--muted:#9aa5b0;--line:#343b43;--soft:#1a1f24;--grid:#2a3037;--link:#7ab7ff;
--bad:#ff9aa8;--badbg:#4a1119;--warn:#ffcf7a;--warnbg:#3d2b06;--good:#7fdca4;--goodbg:#10351f;--harm:#ffc073;--harmbg:#4a2c05;--idle:#98a2ad;--idlebg:#20262c;
--p0:#a0a9b3;--p1:#f08a3c;--p2:#6cc0f0;--p3:#e3c93f;--p4:#2fc79b;--p5:#6aa5ff;--p6:#e59ac6;--p7:#ff8371;--p8:#ada0ff;--p9:#9ccb62;
--f0:#4da3e0;--f1:#f08a3c;--f2:#f0c040;--f3:#e59ac6;--f4:#8fd2ff;--f5:#2fc79b;--f6:#56606b}}
*{box-sizing:border-box}
html{scroll-padding-top:1rem}
body{margin:0 auto;padding:1.5rem clamp(.75rem,3vw,2rem) 4rem;max-width:76rem;background:var(--ground);color:var(--ink);
font:15px/1.5 system-ui,-apple-system,"Segoe UI","Noto Sans","DejaVu Sans",sans-serif;overflow-wrap:anywhere}
h1{font-size:1.55rem;line-height:1.2;margin:0 0 .5rem}
h2{font-size:1.2rem;margin:1.6rem 0 .5rem;padding-top:.6rem;border-top:2px solid var(--ink)}
.part>summary{width:auto}.part>summary h2{display:inline;border:0;padding:0;margin:0;color:var(--ink)}.part{border-top:1px solid var(--line);padding:.5rem 0;margin:0}
h3{font-size:1rem;margin:1.6rem 0 .3rem}
p{margin:.4rem 0;max-width:46rem}
a{color:var(--link)}
:focus-visible{outline:2px solid var(--link);outline-offset:2px}
.skip{position:absolute;left:-999rem}.skip:focus{left:.5rem;top:.5rem;background:var(--ground);padding:.4rem .7rem;z-index:2}
nav ul{display:flex;flex-wrap:wrap;gap:.2rem 1.1rem;padding:0;margin:.8rem 0 0;list-style:none}
.muted,caption,figcaption small{color:var(--muted)}
.warn{background:var(--warnbg);color:var(--warn);padding:.45rem .7rem;border-radius:4px;max-width:none}
.bad{background:var(--badbg);color:var(--bad);padding:.45rem .7rem;border-radius:4px;max-width:none}
.good{background:var(--goodbg);color:var(--good);padding:.45rem .7rem;border-radius:4px;max-width:none}
.facts{display:grid;grid-template-columns:fit-content(20rem) minmax(0,1fr);gap:.1rem 1rem;margin:.6rem 0}
.facts dt{color:var(--muted)}.facts dd{margin:0}
.scroll{overflow-x:auto;margin:.5rem 0;max-width:100%}
table{border-collapse:collapse;font-size:13px;line-height:1.35;font-variant-numeric:tabular-nums;overflow-wrap:normal}
caption{caption-side:top;text-align:left;padding:.15rem 0;font-size:12.5px}
th,td{padding:.22rem .65rem .22rem 0;text-align:left;vertical-align:top;border-bottom:1px solid var(--line);white-space:nowrap}
thead th{font-weight:600;color:var(--muted);vertical-align:bottom;border-bottom:1px solid var(--ink)}
tbody th{font-weight:500}
td.n,th.n,table.n td,table.n thead th+th{text-align:right}
td.wide{white-space:normal;min-width:18rem}
.v{display:block;font-weight:600}.v small{display:block;font-weight:400;color:inherit}
.broken,.error{background:var(--badbg);color:var(--bad)}.finding{background:var(--warnbg);color:var(--warn)}
.expected,.harm{background:var(--harmbg);color:var(--harm)}.kept{background:var(--goodbg);color:var(--good)}
.untested,.none,.unseen{background:var(--idlebg);color:var(--idle)}
th small{font-weight:400}th.load small,th.hazard small{display:block}th.load,th.hazard{white-space:normal}td.clear{font-weight:600}
td.set{white-space:normal;min-width:4.5rem}td.wrap{white-space:normal;padding-left:.4rem}
.cell{text-align:center;font-weight:700;border-left:2px solid var(--ground)}.cell abbr{text-decoration:none}th.hazard{text-align:center;padding:0 .2rem}
td.cell{padding:.3rem .2rem;min-width:2.6rem}.legend .cell{display:inline-block;min-width:1.5rem}
tbody th,thead th:first-child{position:sticky;left:0;background:var(--ground);z-index:1}
.answer{display:grid;grid-template-columns:minmax(0,1fr);gap:1rem 2rem;align-items:start}.answer figure{margin:0}
@media (min-width:64rem){.answer{grid-template-columns:minmax(0,36rem) minmax(0,1fr)}.beside .figures{grid-template-columns:minmax(0,1fr)}}
.legend{display:flex;flex-wrap:wrap;gap:.15rem 1rem;padding:0;margin:.5rem 0;list-style:none;font-size:13px}
.legend svg{width:26px;height:10px;margin-right:.35rem;vertical-align:middle}
.figures{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,21.5rem),1fr));gap:.6rem 1.6rem;align-items:start}
figure{margin:.4rem 0;min-width:0;break-inside:avoid}
figure .scroll th,figure .scroll td{white-space:normal;overflow-wrap:anywhere;padding-right:.35rem}
figcaption{font-size:13px;font-weight:600;margin-bottom:.15rem}
svg.plot{display:block;width:100%;max-width:30rem;height:auto;fill:none;color:var(--ink);stroke:currentColor}
svg.plot text{fill:var(--ink);stroke:none;font:11px sans-serif;text-anchor:middle}svg.plot .e{text-anchor:end}svg.plot .s{text-anchor:start}
.plot .g{stroke:var(--grid);stroke-width:.6}.plot .a{stroke:var(--ink);stroke-width:.8}.plot .ink{stroke:var(--ink)}.plot .w{stroke-width:1.6}
.plot .p0{stroke:var(--p0)}.plot .p1{stroke:var(--p1)}.plot .p2{stroke:var(--p2)}.plot .p3{stroke:var(--p3)}.plot .p4{stroke:var(--p4)}.plot .p5{stroke:var(--p5)}.plot .p6{stroke:var(--p6)}.plot .p7{stroke:var(--p7)}.plot .p8{stroke:var(--p8)}.plot .p9{stroke:var(--p9)}
.plot .q0{fill:var(--p0);stroke:none}.plot .q1{fill:var(--p1);stroke:none}.plot .q2{fill:var(--p2);stroke:none}.plot .q3{fill:var(--p3);stroke:none}.plot .q4{fill:var(--p4);stroke:none}.plot .q5{fill:var(--p5);stroke:none}.plot .q6{fill:var(--p6);stroke:none}.plot .q7{fill:var(--p7);stroke:none}.plot .q8{fill:var(--p8);stroke:none}.plot .q9{fill:var(--p9);stroke:none}
.plot .f0{fill:var(--f0);stroke:none}.plot .f1{fill:var(--f1);stroke:none}.plot .f2{fill:var(--f2);stroke:none}.plot .f3{fill:var(--f3);stroke:none}.plot .f4{fill:var(--f4);stroke:none}.plot .f5{fill:var(--f5);stroke:none}.plot .f6{fill:var(--f6);stroke:none}
details{margin:.25rem 0}summary{cursor:pointer;font-size:13px;color:var(--link);width:fit-content;max-width:100%}
details>details,.inner{margin-left:1rem}
.path>summary{font-size:14px;color:var(--ink);font-weight:600}.path>summary small{font-weight:400;color:var(--muted)}
pre{background:var(--soft);border:1px solid var(--line);border-radius:4px;padding:.55rem .7rem;overflow-x:auto;font:12px/1.45 ui-monospace,"DejaVu Sans Mono",monospace;margin:.4rem 0;overflow-wrap:normal}
.hit{color:var(--bad);font-weight:600}
code{font:12.5px ui-monospace,"DejaVu Sans Mono",monospace}
.option{white-space:nowrap}
@media (max-width:40rem){.facts{grid-template-columns:fit-content(8rem) minmax(0,1fr)}th.load{white-space:normal;min-width:7.5rem}th,td{padding-right:.5rem}}
@media print{@page{margin:12mm}:root{--ground:#fff;--ink:#000}body{max-width:none;padding:0;font-size:10.5pt}nav,.skip{display:none}h2,h3,caption{break-after:avoid}
.scroll,pre{overflow:visible}pre{white-space:pre-wrap;overflow-wrap:anywhere}table{font-size:7.5pt;max-width:100%}tr{break-inside:avoid}
th,td{white-space:normal;overflow-wrap:break-word;padding-right:.35rem}tbody th,thead th:first-child{position:static}td.wide{min-width:0}td.cell{min-width:0}
.figures,.beside .figures{grid-template-columns:1fr 1fr}.answer{grid-template-columns:minmax(0,1fr)}summary{list-style:none;color:var(--ink)}summary::-webkit-details-marker{display:none}
details::details-content{content-visibility:visible;display:block;block-size:auto}*{print-color-adjust:exact}}
)CSS";

}  // namespace daxrace
