"""How the statistics page looks: light or dark as the browser likes, tables that scroll by themselves on a phone."""

from __future__ import annotations

from typing import Final

STYLE: Final = """
:root{color-scheme:light dark;--line:#c8ccd4;--soft:#eef0f4;--ink:#1c2430;--paper:#fff;--up:#c9f0cf;--rise:#fff0a8;
--fall:#ffd79c;--down:#ffb3ad;--drain:#c9d8ff;--maint:#dcc8f5;--none:#e2e5ea;--spare:#bfe8ec}
@media (prefers-color-scheme:dark){:root{--line:#3a4250;--soft:#232a35;--ink:#e3e7ee;--paper:#161b22;--up:#1d4a2a;
--rise:#5a4f10;--fall:#6a4313;--down:#6e2420;--drain:#26386e;--maint:#46306a;--none:#30363f;--spare:#16474d}}
*{box-sizing:border-box}
body{margin:0;padding:.8rem;font:14px/1.45 system-ui,sans-serif;color:var(--ink);background:var(--paper)}
h1{font-size:1.3rem;margin:0}h2{font-size:1.05rem;margin:1.2rem 0 .4rem}
small{font-weight:400;opacity:.75}a{color:inherit}
.about{margin:.2rem 0}
.intro{display:flex;flex-wrap:wrap;gap:.8rem 2rem;margin:.8rem 0}
.intro dl{display:grid;grid-template-columns:repeat(auto-fit,minmax(15rem,1fr));gap:.2rem 1rem;margin:0;flex:2 1 20rem}
dl div{display:flex;gap:.5rem}dt{opacity:.75}dd{margin:0;font-variant-numeric:tabular-nums}
nav{flex:1 1 16rem}
nav ul,.legend{list-style:none;display:flex;flex-wrap:wrap;gap:.3rem .8rem;margin:0 0 .4rem;padding:0}
.legend li{padding:.1rem .5rem;border-radius:.3rem;font-size:.85rem}
.wide{overflow-x:auto;border:1px solid var(--line);border-radius:.4rem}
table{border-collapse:collapse;width:100%;font-size:.86rem;font-variant-numeric:tabular-nums}
th,td{padding:.25rem .5rem;text-align:right;white-space:nowrap;border-bottom:1px solid var(--line);vertical-align:top}
thead th{background:var(--soft);font-weight:600}
tbody th{position:sticky;left:0;text-align:left;background:inherit}
tbody tr{background:var(--paper)}
tr.frontend,tr.backend{font-weight:600}
details dl{font-weight:400;padding:.3rem 0;white-space:nowrap}summary{cursor:pointer}
.open{background:var(--soft)!important}
.up{background:var(--up)!important}.rising{background:var(--rise)!important}.falling{background:var(--fall)!important}
.down{background:var(--down)!important}.drain,.nolb{background:var(--drain)!important}
.maint{background:var(--maint)!important}.unchecked{background:var(--none)!important}
.backup.up,.backup.unchecked{background:var(--spare)!important}
.told{padding:.5rem .8rem;border-radius:.4rem;background:var(--down)}.told.good{background:var(--up)}
.act{display:flex;flex-wrap:wrap;gap:.5rem;align-items:center;margin:.5rem 0}
select,button,input{font:inherit}
@media (max-width:40rem){body{padding:.5rem}th,td{padding:.3rem .4rem}}
"""
