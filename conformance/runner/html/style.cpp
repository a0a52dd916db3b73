// SPDX-License-Identifier: Apache-2.0
//
// Looks and conveniences of the HTML report: no font, picture or script from elsewhere. Text keeps a contrast of at
// least 4.5 to 1 on every colour, in the light and in the dark scheme.
#include "runner/html/parts.hpp"

namespace rayo::conform {

const char *const kPageStyle = R"css(
:root{color-scheme:light dark;--bg:#fbfbf9;--fg:#1b1f23;--soft:#57606a;--line:#d5d9dd;--card:#fff;--head:#f0f1ee;
--good:#1a6b37;--bad:#b3261e;--link:#0b57a4;--on:#fff;--crash:#6a1b9a;--hung:#6d4200;--dist:#37474f;
--q0:#eef5f1;--q1:#e3f0e6;--q2:#dcedd8;--q3:#e4edc6;--q4:#f0ecb4;--q5:#f7e4a0;--q6:#f9d68a;--q7:#f8c574;--q8:#f5b160;--q9:#ef9a4e}
@media (prefers-color-scheme:dark){:root{--bg:#14171a;--fg:#e8eaed;--soft:#a3abb3;--line:#363c43;--card:#1b1f23;--head:#22272c;
--good:#7bd29a;--bad:#ff9c93;--link:#8ab8f0;--on:#14171a;--crash:#d7a6ee;--hung:#f0c078;--dist:#b5c3cb;
--q0:#16241d;--q1:#1b2c20;--q2:#233522;--q3:#303c20;--q4:#40421f;--q5:#50451d;--q6:#60451b;--q7:#70431a;--q8:#82411a;--q9:#944019}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%;scroll-behavior:smooth}
body{margin:0 auto;padding:0 20px 64px;max-width:1180px;background:var(--bg);color:var(--fg);
font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Liberation Sans","DejaVu Sans",sans-serif}
code{font:13px/1.45 ui-monospace,SFMono-Regular,Menlo,Consolas,"Liberation Mono","DejaVu Sans Mono",monospace;overflow-wrap:anywhere}
h1{font-size:28px;line-height:1.2;margin:0 0 12px;font-weight:650;letter-spacing:-.01em}
h2{font-size:21px;margin:44px 0 8px;font-weight:650}h3{font-size:16px;margin:24px 0 8px}h4{font-size:14px;margin:16px 0 4px;color:var(--soft)}
p{margin:0 0 10px;max-width:76ch}a{color:var(--link)}
.top{padding:28px 0 4px;border-top:6px solid var(--good)}.top.bad{border-color:var(--bad)}
.kicker{margin:0 0 4px;color:var(--soft);font-size:13px;letter-spacing:.06em;text-transform:uppercase}
.facts{display:flex;flex-wrap:wrap;gap:8px 28px;margin:0}.facts div{min-width:0}.facts dt{font-size:12px;color:var(--soft)}.facts dd{margin:0;overflow-wrap:anywhere}
nav{position:sticky;top:0;z-index:5;display:flex;flex-wrap:wrap;gap:4px 18px;align-items:center;background:var(--bg);
border-bottom:1px solid var(--line);padding:9px 0;margin-top:18px;font-size:14px}
nav input{margin-left:auto;width:170px;max-width:100%;padding:5px 9px;font:inherit;color:inherit;background:var(--card);border:1px solid var(--soft);border-radius:5px}
section{scroll-margin-top:48px}
.cards{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,330px),1fr));gap:14px}
.card{background:var(--card);border:1px solid var(--line);border-left:5px solid var(--good);border-radius:6px;padding:12px 16px;min-width:0}
.card.bad{border-left-color:var(--bad)}.card h3{display:flex;justify-content:space-between;gap:8px;margin:0 0 6px;font-size:17px;overflow-wrap:anywhere}
.verdict{font-size:12px;letter-spacing:.05em;color:var(--on);background:var(--good);border-radius:4px;padding:2px 8px;align-self:center;white-space:nowrap}
.bad .verdict{background:var(--bad)}.why{color:var(--bad);overflow-wrap:anywhere}
.counts{list-style:none;margin:0 0 8px;padding:0;display:flex;flex-wrap:wrap;gap:2px 14px}
.counts .st-failed,.counts .st-crashed,.counts .st-hung,.counts .st-distrusted{color:var(--bad);font-weight:650}
.id{margin:0;font-size:12px;color:var(--soft);overflow-wrap:anywhere}.id code{font-size:11.5px}
.scale{display:flex;align-items:center;gap:0;font-size:12px;color:var(--soft)}.scale i{width:26px;height:14px}.scale span{margin:0 8px}.scale span:first-child{margin-left:0}
.scroll{overflow:auto;max-height:82vh;border:1px solid var(--line);border-radius:6px;background:var(--card);overscroll-behavior-x:contain}
table{border-collapse:separate;border-spacing:0;width:100%;font-size:13.5px;font-variant-numeric:tabular-nums}
th,td{padding:4px 8px;text-align:left;border-bottom:1px solid var(--line);vertical-align:top}
thead th{position:sticky;top:0;z-index:2;background:var(--head);font-weight:600}
tbody th{font-weight:500;position:sticky;left:0;z-index:1;background:var(--card)}
thead th:first-child{left:0;z-index:3}
.support td,.support thead th+th+th{text-align:center}.support td{white-space:nowrap}.support td.type{text-align:left;color:var(--soft);white-space:nowrap}
.support td,.heat td{border-left:1px solid var(--line)}.support .again th{color:transparent}
.family th{background:var(--head);font-size:12px;letter-spacing:.05em;text-transform:uppercase;color:var(--soft)}.family span{position:sticky;left:8px}
.heat{font-size:12px;width:auto;min-width:100%}.heat td{text-align:center;padding:3px 5px;min-width:44px}.heat thead th{vertical-align:bottom;text-align:center;padding:6px 4px}
.heat thead th:first-child{text-align:left}.heat thead span{writing-mode:vertical-rl;transform:rotate(180deg);white-space:nowrap}.heat th{padding:3px 8px}
.none{color:var(--soft)}.notrun{color:var(--soft);font-style:italic}.exact{color:var(--good)}
.defect{color:var(--on);font-weight:650;background:var(--bad)}td.st-crashed{background:var(--crash)}td.st-hung{background:var(--hung)}td.st-distrusted{background:var(--dist)}
td.st-expected_fail,.exp{text-decoration:underline dotted;font-size:12px}
.q0{background:var(--q0)}.q1{background:var(--q1)}.q2{background:var(--q2)}.q3{background:var(--q3)}.q4{background:var(--q4)}
.q5{background:var(--q5)}.q6{background:var(--q6)}.q7{background:var(--q7)}.q8{background:var(--q8)}.q9{background:var(--q9)}
.plain td,.plain th{overflow-wrap:break-word}.n{text-align:right!important}
.failures,.worst{list-style:none;margin:0;padding:0}.failures li,.worst li{padding:8px 0;border-bottom:1px solid var(--line)}
.failures p,.worst p{margin:0 0 4px;max-width:none;overflow-wrap:anywhere}
.tag{display:inline-block;font-size:12px;padding:0 7px;border-radius:4px;color:var(--on);background:var(--bad)}
.tag.st-crashed{background:var(--crash)}.tag.st-hung{background:var(--hung)}.tag.st-distrusted{background:var(--dist)}
.cmd{display:flex;gap:8px;align-items:flex-start;background:var(--head);border-radius:4px;padding:5px 8px}.cmd code{flex:1;min-width:0;user-select:all}
.copy{font:12px/1.4 inherit;color:var(--link);background:var(--card);border:1px solid var(--soft);border-radius:4px;padding:1px 8px;min-width:58px;cursor:pointer}
details{border-bottom:1px solid var(--line)}summary{cursor:pointer;padding:6px 0}summary:focus-visible,a:focus-visible,button:focus-visible,input:focus-visible{outline:2px solid var(--link);outline-offset:2px}
details[data-op]>summary{display:grid;grid-template-columns:170px 1fr 64px;gap:12px;align-items:center;list-style-position:inside}
details[data-op]>summary .op::before{content:"\25B8";display:inline-block;width:1.1em;color:var(--soft)}details[open]>summary .op::before{content:"\25BE"}
details[data-op]>summary::-webkit-details-marker{display:none}
.bar{background:var(--head);border-radius:3px;height:14px;overflow:hidden}.bar i{display:block;height:100%}.share{text-align:right;font-variant-numeric:tabular-nums}
.bar i{border-right:2px solid var(--fg)}.worst{padding:0 0 8px 1.1em}.who{color:var(--soft)}
footer{margin-top:48px;padding-top:12px;border-top:1px solid var(--line);font-size:13px;color:var(--soft)}
@media (min-width:900px){.scroll.fit{overflow:visible;max-height:none}.scroll.fit thead th{top:43px}}
@media (max-width:560px){body{padding:0 12px 48px}h1{font-size:22px}h2{font-size:19px;margin-top:34px}th,td{padding:4px 5px}table{font-size:12.5px}
nav{gap:2px 14px;font-size:13px}nav input{margin-left:0;width:100%}section{scroll-margin-top:96px}
details[data-op]>summary{grid-template-columns:minmax(0,1fr) 34% 50px;gap:8px}.support tbody th{max-width:96px}.support td{padding:4px}}
@media print{nav,.copy{display:none}.scroll{max-height:none;overflow:visible;border:0}body{max-width:none}td,i,.tag,.verdict{print-color-adjust:exact;-webkit-print-color-adjust:exact}}
)css";

const char *const kPageScript = R"js(
(function(){
var find=document.getElementById('find');
find.hidden=false;
find.addEventListener('input',function(){
  var words=find.value.toLowerCase().split(/[\s,]+/).filter(Boolean);
  document.querySelectorAll('[data-op]').forEach(function(e){
    var op=e.dataset.op.toLowerCase();
    e.hidden=words.length>0&&!words.some(function(w){return op.indexOf(w)>=0});
  });
  document.querySelectorAll('.support tbody').forEach(function(body){
    body.hidden=!body.querySelector('[data-op]:not([hidden])');
    var last='';
    body.querySelectorAll('[data-op]:not([hidden])').forEach(function(r){r.classList.toggle('again',r.dataset.op===last);last=r.dataset.op});
  });
});
function select(code){var r=document.createRange();r.selectNodeContents(code);var s=getSelection();s.removeAllRanges();s.addRange(r)}
document.querySelectorAll('.copy').forEach(function(b){
  b.hidden=false;
  b.addEventListener('click',function(){
    var code=b.parentNode.querySelector('code');
    function say(t){b.textContent=t;setTimeout(function(){b.textContent='copy'},1500)}
    function old(){select(code);say(document.execCommand('copy')?'copied':'selected')}
    if(navigator.clipboard)navigator.clipboard.writeText(code.textContent).then(function(){say('copied')},old);else old();
  });
});
})();
)js";

}  // namespace rayo::conform
