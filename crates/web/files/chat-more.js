import{$ as we,A as f,B as y,C as N,D as ee,Da as Me,E as te,F as oe,G as se,H as re,I as ne,J as ie,K as ae,L as me,M as Q,N as le,O as ce,P as pe,Q as ue,R as de,S as $e,T as fe,U as ve,V as he,W as ge,X as be,Y as ye,Z as K,_ as ke,aa as Se,ba as Ie,ca as Ne,d as s,da as Ce,e as d,ea as Re,f as R,fa as De,g as Y,ga as Pe,ha as xe,i as w,ia as D,j as V,ja as j,ka as M,l as x,la as b,ma as P,n as t,na as Te,o as L,oa as O,p as H,pa as I,q as U,qa as J,r as Z,u as E,ua as Ae,v as h,va as Le,w as B,x as k,xa as Oe,ya as Ee,za as Be}from"./chat-shared.js";function Fe({roomId:e}){return s`<span hidden data-room=${e}></span>`}function nt(){return null}function T({title:e,children:o}){return s`<header class="bar">
    <${F} />
    <h1 class="bar-title grow one-line">${e}</h1>
    ${o}
  </header>`}function F(){return s`<a class="icon-button only-narrow" href="/" aria-label=${t("app.back")} title=${t("app.back")}><span class="turns"><${E} name="back" /></span></a>`}function it(){let e=f(),[o,r]=d(null),[n,i]=d(!1),l=()=>e.query(we,{}).then(({viewer:a})=>r(a?.devices.nodes??[]),a=>k(P(a),"bad"));R(()=>{l()},[]);let[p,c]=[o?.filter(a=>a.isCurrent)??[],o?.filter(a=>!a.isCurrent)??[]];return s`<${T} title=${t("devices.title")} />
    <div class="screen-body"><div class="stack-large" aria-busy=${o===null}>
      <section class="stack">
        <h2>${t("devices.here")}</h2>
        <ul class="cards">${p.map(a=>s`<${je} key=${a.deviceId} device=${a} onChange=${l} />`)}</ul>
        <div><${h} onClick=${()=>i(!0)}>${t("viewer.logOut")}<//></div>
      </section>
      ${c.length>0&&s`<section class="stack">
        <h2>${t("devices.others")}</h2>
        <p class="soft">${t("devices.lead")}</p>
        <ul class="cards">${c.map(a=>s`<${je} key=${a.deviceId} device=${a} onChange=${l} />`)}</ul>
      </section>`}
    </div></div>
    ${n&&s`<${Ae} onClose=${()=>i(!1)} />`}`}function je({device:e,onChange:o}){let r=f(),[n,i]=d(!1),{deviceId:l,name:p,createdAt:c,lastSeenAt:a,isCurrent:$}=e,m=p??l,u=async()=>{await b(r,Ie,{deviceId:l})&&await o()};return s`<li class="card row">
    <span class="grow stack-tight">
      <strong class="one-line" dir="auto">${m}</strong>
      <span class="soft small">${$?t("devices.now"):t("devices.seen",{when:U(a)})}</span>
      <span class="soft small">${t("devices.since",{when:H(c,{dateStyle:"medium",timeStyle:"short"})})}</span>
    </span>
    <${B} icon="edit" label=${t("devices.rename",{name:m})} onClick=${()=>i(!0)} />
    ${!$&&s`<${h} onClick=${u} aria-label=${t("devices.removeOne",{name:m})}>${t("viewer.logOut")}<//>`}
    ${n&&s`<${at} device=${e} onClose=${()=>(i(!1),void o())} />`}
  </li>`}function at({device:e,onClose:o}){let r=f(),[n,i]=d(e.name??""),l=async p=>{p.preventDefault(),await b(r,Se,{deviceId:e.deviceId,name:n.trim()||null})&&o()};return s`<${O} title=${t("devices.renameTitle")} onClose=${o}>
    <form class="stack" onSubmit=${l}>
      <${D} label=${t("devices.name")} value=${n} onInput=${i} isPeoples maxlength="100" />
      <div class="dialog-ends"><${h} onClick=${o}>${t("app.cancel")}<//><${h} kind="main" type="submit">${t("app.save")}<//></div>
    </form>
  <//>`}var mt=200;function lt(){let e=f(),[o,r]=d(""),[n,i]=d(null),l=o.trim(),p=async a=>{let{publicRooms:$}=await e.query(ne,{search:l||null,after:a});return $};R(()=>{let a=!0,$=setTimeout(()=>p(null).then(m=>a&&i(m),m=>a&&k(P(m),"bad")),n?mt:0);return()=>{a=!1,clearTimeout($)}},[l]);let c=async()=>{let a=await p(n.pageInfo.endCursor);i({...a,nodes:[...n.nodes,...a.nodes]})};return s`<${T} title=${t("directory.title")} />
    <div class="screen-body"><div class="stack">
      <input class="search" type="search" dir="auto" value=${o} aria-label=${t("directory.search")} placeholder=${t("directory.search")}
        onInput=${a=>r(a.target.value)} />
      <p class="soft" role="status">${n?t("directory.count",{count:n.totalCount}):t("app.loading")}</p>
      <ul class="cards">${n?.nodes.map(a=>s`<${ct} key=${a.roomId} room=${a} />`)}</ul>
      ${n?.pageInfo.hasNextPage&&s`<div><${h} onClick=${c}>${t("directory.more")}<//></div>`}
    </div></div>`}function ct({room:e}){return s`<li>
    <a class="card row" href=${w.room(e.roomId)}>
      <${I} id=${e.roomId} name=${e.displayName} isRoom />
      <span class="grow stack-tight">
        <span class="row"><strong class="one-line" dir="auto">${e.displayName}</strong>
          ${e.canonicalAlias&&s`<span class="soft small one-line" dir="auto">${e.canonicalAlias}</span>`}</span>
        ${e.topic&&s`<span class="one-line" dir="auto">${e.topic}</span>`}
        <span class="soft small">${t("room.members",{count:e.memberCount??0})}${e.myMembership==="JOIN"&&s` · ${t("directory.joined")}`}</span>
      </span>
    </a>
  </li>`}var pt=200;function q({label:e,chosen:o,onChange:r}){let n=f(),[i,l]=d(""),[p,c]=d([]),a=Y(),$=i.trim();R(()=>{if(c([]),!$)return;let v=!0,C=setTimeout(async()=>{let{users:S}=await n.query(ie,{search:$});v&&c(S.nodes)},pt);return()=>{v=!1,clearTimeout(C)}},[$]);let m=v=>{o.includes(v)||r([...o,v]),l("")},g=/^@[^:\s]+:\S+$/.test($)&&!p.some(v=>v.userId===$)?[...p,{userId:$,displayName:null}]:p;return s`<div class="picker">
    <${D} label=${e} type="search" value=${i} onInput=${l} hint=${t("people.searchHint")} isPeoples autocomplete="off" />
    ${g.length>0&&s`<ul id=${a} class="picker-list" aria-label=${t("people.found")}>
      ${g.map(({userId:v,displayName:C})=>s`<li key=${v}>
          <button type="button" class="list-item" onClick=${()=>m(v)}>
            <${I} id=${v} name=${N({displayName:C,userId:v})} size="small" />
            <span class="one-line" dir="auto">${N({displayName:C,userId:v})}</span>
            <span class="soft small one-line" dir="auto">${v}</span>
          </button>
        </li>`)}
    </ul>`}
    ${o.length>0&&s`<ul class="chips" aria-label=${t("people.chosen")}>
      ${o.map(v=>s`<li key=${v} class="chip">
          <span class="one-line" dir="auto">${v}</span>
          <button type="button" aria-label=${t("people.remove",{name:v})} onClick=${()=>r(o.filter(C=>C!==v))}>
            <${E} name="close" />
          </button>
        </li>`)}
    </ul>`}
  </div>`}function ut(){let[e,o]=d(""),[r,n]=d(!1),[i,l]=d(!1),[p,c]=d([]),a={isListed:r&&i,invite:[...p],...e.trim()&&{topic:e.trim()}};return s`<${T} title=${t("new.title")} />
    <div class="screen-body">
      <${Te} more=${a} onOpen=${n}>
        <${M} checked=${r&&i} disabled=${!r} onChange=${l}>${t("new.listed")}<//>
        <${D} label=${t("new.topic")} value=${e} onInput=${o} isPeoples hint=${t("new.topicHint")} />
        <${q} label=${t("new.people")} chosen=${p} onChange=${c} />
      <//>
    </div>`}var[He,z]=[240,56];function Ue({status:e,samples:o}){return s`<section class="stack">
    <h2>${t("operator.now")}</h2>
    <div class="figures">
      <${W} name="operator.appends" values=${Ve(o,"appends")} isRate />
      <${W} name="operator.deliveries" values=${Ve(o,"deliveries")} isRate />
      <${W} name="operator.sockets" values=${o.map(r=>r.sockets)} />
      <${W} name="operator.streams" values=${o.map(r=>r.streams)} />
    </div>
    <dl class="facts">
      <div><dt>${t("operator.logPosition")}</dt><dd>${L(e.logPosition)}</dd></div>
      <div><dt>${t("operator.accounts")}</dt><dd>${L(e.accountCount)}</dd></div>
      <div><dt>${t("operator.rooms")}</dt><dd>${L(e.roomCount)}</dd></div>
    </dl>
  </section>`}function Ve(e,o){return e.slice(1).map((r,n)=>{let i=e[n];return Math.max(0,(r[o]-i[o])*1e3/(r.at-i.at))})}function W({name:e,values:o,isRate:r=!1}){let n=o.at(-1)??0,i=L(r?Math.round(n*10)/10:n);return s`<figure class="figure">
    <figcaption class="soft small">${t(e)}</figcaption>
    <p class="figure-now">${r?t("operator.perSecond",{rate:i}):i}</p>
    <svg viewBox=${`0 0 ${He} ${z}`} preserveAspectRatio="none" aria-hidden="true"><polyline points=${dt(o)} /></svg>
  </figure>`}function dt(e){let o=Math.max(1,...e),r=He/Math.max(1,e.length-1);return e.map((n,i)=>`${(i*r).toFixed(1)},${(z-2-n/o*(z-4)).toFixed(1)}`).join(" ")}var $t=250;function Qe(){let e=f();return s`<${Je} title="operator.accounts" search="operator.searchAccounts" load=${async(r,n)=>{let{admin:i}=await e.query(Re,{search:r||null,after:n});return i.accounts}} line=${r=>s`<${ft} key=${r.user.userId} account=${r} />`} />`}function Ke(){let e=f();return s`<${Je} title="operator.rooms" search="operator.searchRooms" load=${async(r,n)=>{let{admin:i}=await e.query(De,{search:r||null,after:n});return i.rooms}} line=${r=>s`<${vt} key=${r.roomId} room=${r} />`} />`}function Je({title:e,search:o,load:r,line:n}){let[i,l]=d(""),[p,c]=d(null),a=i.trim(),$=u=>k(P(u),"bad");R(()=>{let u=!0,g=setTimeout(()=>r(a,null).then(v=>u&&c(v),$),p?$t:0);return()=>{u=!1,clearTimeout(g)}},[a]);let m=()=>r(a,p.pageInfo.endCursor).then(u=>c({...u,nodes:[...p.nodes,...u.nodes]}),$);return s`<section class="stack">
    <h2>${t(e)}</h2>
    <input class="search" type="search" dir="auto" value=${i} aria-label=${t(o)} placeholder=${t(o)}
      onInput=${u=>l(u.target.value)} />
    <ul class="cards">${p?.nodes.map(n)}</ul>
    ${p?.pageInfo.hasNextPage&&s`<div><${h} onClick=${m}>${t("directory.more")}<//></div>`}
  </section>`}function ft({account:e}){let{user:o,createdAt:r,deactivatedAt:n,isAdmin:i,isImported:l,hasPassword:p}=e,c=[i&&t("operator.isAdmin"),n&&t("operator.isDeactivated"),l&&t("operator.isImported"),!p&&t("operator.noPassword")];return s`<li><a class="card row" href=${w.person(o.userId)}>
    <${I} id=${o.userId} name=${N(o)} />
    <span class="grow stack-tight"><strong class="one-line" dir="auto">${o.userId}</strong>
      <span class="soft small">${t("devices.since",{when:H(r,{dateStyle:"medium"})})}</span></span>
    ${c.filter(Boolean).map(a=>s`<span class="tag">${a}</span>`)}
  </a></li>`}function vt({room:e}){let o=e.name??e.canonicalAlias??e.roomId;return s`<li class="card row">
    <${I} id=${e.roomId} name=${o} isRoom />
    <span class="grow stack-tight"><strong class="one-line" dir="auto">${o}</strong>
      <span class="soft small one-line" dir="auto">${e.roomId}</span></span>
    <span class="soft small">${t("room.members",{count:e.memberCount})}</span>
    <span class="soft small">${t("operator.events",{count:e.eventCount})}</span>
    ${e.isListed&&s`<span class="tag">${t("operator.isListed")}</span>`}
  </li>`}function qe({status:e}){let o=f(),{rebuild:r,readModels:n,processes:i,parkedStreams:l}=e,[p,c]=d(!1),a=async()=>{await b(o,Pe,{})&&k(t("operator.rebuildBegun"))},$=async()=>{c(!0);let m=await b(o,xe,{});c(!1),m&&k(t("operator.retried",{count:m.applied}))};return s`<section class="stack">
    <div class="row"><h2 class="grow">${t("operator.models")}</h2>
      <${h} onClick=${a} disabled=${r!==null}>${t("operator.rebuild")}<//></div>
    ${r&&s`<${ht} rebuild=${r} />`}
    <div class="scrolls" tabindex="0" role="region" aria-label=${t("operator.models")}>
      <table class="table">
        <thead><tr><th scope="col">${t("operator.name")}</th><th scope="col" class="number">${t("operator.behind")}</th><th scope="col" class="number">${t("operator.parked")}</th></tr></thead>
        <tbody>
          ${n.map(m=>s`<tr key=${m.name}><th scope="row"><code dir="auto">${m.name}</code></th>
              <td class=${`number ${m.behind>0?"late":""}`}>${L(m.behind)}</td>
              <td class=${`number ${m.parkedCount>0?"late":""}`}>${L(m.parkedCount)}</td></tr>`)}
          ${i.map(m=>s`<tr key=${`process ${m.name}`}><th scope="row">${t("operator.process",{name:m.name})}
              ${m.trouble&&s`<p class="field-error" dir="auto">${m.trouble}</p>`}</th>
              <td class=${`number ${m.behind>0?"late":""}`}>${L(m.behind)}</td><td class="number">${L(m.skipped)}</td></tr>`)}
        </tbody>
      </table>
    </div>
    ${l.length>0&&s`<div class="row"><h3 class="grow">${t("operator.parkedTitle")}</h3><${h} onClick=${$} disabled=${p}>${t("operator.retry")}<//></div>
      <ul class="cards">
        ${l.map(({model:m,stream:u,position:g,reason:v})=>s`<li class="card" key=${`${m} ${u}`}>
            <strong dir="auto">${u}</strong>
            <p class="soft small">${t("operator.parkedAt",{model:m,position:g})}</p>
            <p dir="auto">${v}</p>
          </li>`)}
      </ul>`}
  </section>`}function ht({rebuild:e}){let{done:o,total:r,secondsLeft:n}=e,i=t("operator.rebuilding",{done:o,total:r,seconds:Math.ceil(n)});return s`<div class="stack-small">
    <progress class="progress" max=${Math.max(1,r)} value=${o} aria-label=${t("operator.rebuild")}></progress>
    <p class="soft small">${i}</p>
  </div>`}var gt=2e3,bt=60;function yt(){let e=y("viewer");return s`<${T} title=${t("operator.title")} />
    <div class="screen-body wide">
      ${e&&(e.isAdmin?s`<${kt} />`:s`<p class="notice">${t("operator.forbidden")}</p>`)}
    </div>`}function kt(){let e=f(),[o,r]=d(null),[n,i]=d([]),[l,p]=d(null);return R(()=>{let c,a=!0,$=async()=>{try{let{admin:m}=await e.query(Ce,{});if(!a||!m)return;r(m.status),p(null),i(u=>[...u.slice(1-bt),{at:performance.now(),...m.status.counters}])}catch(m){a&&p(P(m))}a&&(c=setTimeout($,gt))};return $(),()=>{a=!1,clearTimeout(c)}},[e]),s`<div class="stack-large" aria-busy=${o===null}>
    ${l&&s`<p class="notice bad" role="alert">${l}</p>`}
    ${o&&s`<${Ue} status=${o} samples=${n} /><${qe} status=${o} />`}
    <${Qe} />
    <${Ke} />
  </div>`}var wt={ALL:"room.notifyAll",MENTIONS:"room.notifyMentions",NONE:"room.notifyNone"};async function X(e){try{await navigator.clipboard.writeText(e),k(t("app.copied"))}catch{k(t("app.copyFailed",{text:e}),"bad")}}function We({room:e,panel:o}){let r=f(),[n,i]=d(!1),{roomId:l}=e,p=$=>{b(r,be,{roomId:l,...$})},c=($,m)=>x(o?.kind===$?w.room(l):m),a=[{text:e.isFavourite?t("room.unfavourite"):t("room.favourite"),icon:"star",onSelect:()=>p({isFavourite:!e.isFavourite})},...Object.entries(wt).map(([$,m])=>({text:t(m),isChecked:e.notifications===$,onSelect:()=>p({notifications:$})})),{text:t("room.settings"),icon:"gear",onSelect:()=>x(w.roomSettings(l))},{text:t("room.leave"),icon:"close",kind:"bad",onSelect:()=>i(!0)}];return s`
    <button type="button" class="button copy-link" title=${t("app.copy")} onClick=${()=>X(V(w.room(e.canonicalAlias??l)))}>
      <${E} name="link" /><span class="copy-link-text">${t("app.copy")}</span>
    </button>
    <${B} icon="people" label=${t("members.title")} pressed=${o?.kind==="members"} onClick=${()=>c("members",w.members(l))} />
    <${J} label=${t("room.menu")} items=${a} />
    ${n&&s`<${St} room=${e} onClose=${()=>i(!1)} />`}
  `}function St({room:e,onClose:o}){let r=f(),n=async()=>{o(),await b(r,ae,{roomId:e.roomId})&&x("/")};return s`<${O} title=${t("room.leaveTitle",{name:e.displayName})} onClose=${o}>
    <p>${e.joinRule==="PUBLIC"?t("room.leavePublic"):t("room.leavePrivate")}</p>
    <div class="dialog-ends">
      <${h} onClick=${o}>${t("app.cancel")}<//>
      <${h} kind="bad" onClick=${n}>${t("room.leave")}<//>
    </div>
  <//>`}var It={ONLINE:"presence.online",UNAVAILABLE:"presence.away",OFFLINE:"presence.offline"};function Nt({userId:e}){let o=f(),r=y("viewer"),n=y(`person:${e}`),i=y("home"),[l,p]=d(void 0);R(()=>{let C=!0;return o.query(Ne,{userId:e}).then(({user:S})=>C&&p(S),S=>C&&(p(null),k(P(S),"bad"))),()=>{C=!1}},[e]);let c=N({displayName:n?.displayName??l?.displayName??null,userId:e}),a=n?.presence??l?.presence?.presence,$=n?.statusMessage??l?.presence?.statusMessage,m=n?.lastActiveAt??l?.presence?.lastActiveAt,u=r?.ignored.includes(e)??!1,g=r&&r.userId!==e,v=async()=>{let C=i?.rooms.find(A=>A.isDirect&&A.memberCount<=2&&A.lastMessage?.senderId===e);if(C)return x(w.room(C.roomId));let S=await b(o,te,{isDirect:!0,invite:[e],preset:"PRIVATE"});S?.room&&x(w.room(S.room.roomId))};return s`<${T} title=${t("person.title")} />
    <div class="screen-body"><div class="door stack" aria-busy=${l===void 0}>
      <${I} id=${e} name=${c} size="large" presence=${a} />
      <h2 dir="auto">${c}</h2>
      <p class="soft" dir="auto">${e}</p>
      ${a&&s`<p>${t(It[a])}${m&&a!=="ONLINE"&&s` · ${U(m)}`}</p>`}
      ${$&&s`<p dir="auto">${$}</p>`}
      ${l===null&&s`<p class="soft">${t("reason.noUser")}</p>`}
      <div class="row">
        ${g&&l&&s`<${h} kind="main" onClick=${v}>${t("person.talk")}<//>`}
        ${g&&l&&s`<${h} onClick=${()=>b(o,K,{userId:e,isIgnored:!u})}>${u?t("person.unignore"):t("person.ignore")}<//>`}
        <${h} onClick=${()=>X(V(w.person(e)))}>${t("app.copy")}<//>
      </div>
      ${u&&s`<p class="soft">${t("person.ignoredLead")}</p>`}
    </div></div>`}function _e({roomId:e}){let o=f(),[r,n]=d("");return s`<form class="panel-body" onSubmit=${l=>{l.preventDefault(),r.trim()&&o.send(e,{body:r}),n("")}}>
    <input class="search" dir="auto" value=${r} aria-label=${t("room.message")} onInput=${l=>n(l.target.value)} />
  </form>`}function ze({roomId:e}){return s`<div class="grow" data-room=${e}></div>`}function Xe({roomId:e}){let r=y(`timeline:${e}`)?.segments.at(-1)?.rows??[];return s`<ol class="panel-body" tabindex="0">${r.map(n=>s`<li key=${n.eventId} dir="auto">${Le(n)}</li>`)}</ol>`}var Ct={KICKED:"door.kicked",BANNED:"door.banned",LEFT:"door.left",WITHDRAWN:"door.withdrawn"};function Ge({place:e,closed:o}){let r=f(),[n,i]=d(void 0),[l,p]=d(!1),c=e.startsWith("#")?{alias:e}:{roomId:e},a=async()=>{p(!0);let v=await b(r,oe,{room:c});p(!1),v?.room&&x(w.room(v.room.roomId),{replace:!0})},$=async()=>{await b(r,se,{room:c})&&k(t("door.knocked"))};R(()=>{let v=!0;return!o&&Oe()&&a(),r.query(re,{by:c}).then(({room:S})=>{v&&(S?.myMembership==="JOIN"&&S.roomId!==e&&x(w.room(S.roomId),{replace:!0}),i(S))},S=>{v&&(i(null),k(P(S),"bad"))}),()=>{v=!1}},[e,o]);let m=n?.displayName??e,u=o?Ct[o.reason]:void 0,g=n?.joinRule==="KNOCK"||n?.joinRule==="KNOCK_RESTRICTED";return s`<header class="bar"><${F} /><h1 class="bar-title grow one-line" dir="auto">${m}</h1></header>
    <div class="screen-body"><div class="door stack" aria-busy=${n===void 0}>
      <${I} id=${e} name=${m} size="large" isRoom />
      ${u&&s`<p class="notice warn" role="status">${o?.byId?t(u,{name:ee(o.byId)}):t("door.closed")}</p>`}
      ${n?.topic&&s`<p dir="auto">${n.topic}</p>`}
      ${n?.memberCount!=null&&s`<p class="soft">${t("room.members",{count:n.memberCount})}</p>`}
      ${n?.invite&&s`<p>${t("home.invitedBy",{name:N(n.invite.inviter)})}</p>`}
      ${n===null&&!u&&s`<p class="soft">${t("door.unknown")}</p>`}
      ${n!==void 0&&o?.reason!=="BANNED"&&s`<div class="row">
        ${g&&!n?.invite?s`<${h} kind="main" onClick=${$}>${t("door.knock")}<//>`:s`<${h} kind="main" disabled=${l} onClick=${a}>${t("door.join")}<//>`}
        <a class="button" href="/">${t("app.home")}</a>
      </div>`}
    </div></div>`}function _({title:e,roomId:o}){return s`<header class="bar">
    <h2 class="grow one-line">${e}</h2>
    <${B} icon="close" label=${t("app.close")} onClick=${()=>x(w.room(o))} />
  </header>`}function Ye({roomId:e,onClose:o}){let r=f(),[n,i]=d([]),l=async()=>{o();let c=(await Promise.all(n.map(a=>b(r,me,{roomId:e,userId:a})))).filter(Boolean).length;c>0&&k(t("members.invited",{count:c}))};return s`<${O} title=${t("members.inviteTitle")} onClose=${o}>
    <${q} label=${t("new.people")} chosen=${n} onChange=${i} />
    <div class="dialog-ends">
      <${h} onClick=${o}>${t("app.cancel")}<//>
      <${h} kind="main" disabled=${n.length===0} onClick=${l}>${t("members.invite")}<//>
    </div>
  <//>`}var Rt=[[0,"members.makeMember"],[50,"members.makeModerator"],[100,"members.makeAdmin"]];function Ze({roomId:e,member:o}){let r=f(),n=y("viewer"),i=y(`room:${e}`),[l,p]=d(null),{userId:c}=o,[a,$]=[i?.myPowerLevel??0,o.powerLevel??0],u=c!==n?.userId&&$<a,{can:g}=i??{},v=A=>{b(r,ge,{roomId:e,powerLevels:{users:[{userId:c,level:A}]}})},C=[{text:t("members.profile"),icon:"person",onSelect:()=>x(w.person(c))},...g?.setPowerLevels&&u?Rt.filter(([A])=>A<=a).map(([A,rt])=>({text:t(rt),isChecked:A===$,onSelect:()=>v(A)})):[],g?.kick&&u&&{text:t("members.kick"),icon:"close",kind:"bad",onSelect:()=>p("kick")},g?.ban&&u&&{text:t("members.ban"),icon:"trash",kind:"bad",onSelect:()=>p("ban")}],S=N(o);return s`<${J} label=${t("members.menu",{name:S})} items=${C} />
    ${l&&s`<${Dt} ...${{roomId:e,userId:c,name:S,removal:l}} onClose=${()=>p(null)} />`}`}function Dt({roomId:e,userId:o,name:r,removal:n,onClose:i}){let l=f(),[p,c]=d(""),a=n==="ban",$=async m=>{m.preventDefault();let u=p.trim(),g={roomId:e,userId:o,...u&&{reason:u}};i(),await(a?b(l,le,g):b(l,Q,g))};return s`<${O} title=${a?t("members.banTitle",{name:r}):t("members.kickTitle",{name:r})} onClose=${i}>
    <form class="stack" onSubmit=${$}>
      <p>${a?t("members.banLead"):t("members.kickLead")}</p>
      <${D} label=${t("members.reason")} value=${p} onInput=${c} isPeoples maxlength="500" />
      <div class="dialog-ends">
        <${h} onClick=${i}>${t("app.cancel")}<//>
        <${h} kind="bad" type="submit">${a?t("members.ban"):t("members.kick")}<//>
      </div>
    </form>
  <//>`}function G({roomId:e,membership:o}){let r=f(),n=y(`room:${e}`),i=y(`timeline:${e}`),[l,p]=d(null),c=i?.segments.at(-1)?.rows.findLast(g=>g.type==="m.room.member")?.eventId,a=()=>r.query(pe,{roomId:e,membership:o}).then(g=>p(g.room?.members??null),()=>{});if(R(()=>{a()},[e,c]),!l?.nodes.length)return null;let $=o==="BAN",m=async g=>{await($?b(r,ce,{roomId:e,userId:g}):b(r,Q,{roomId:e,userId:g})),await a()},u=$?n?.can?.ban:n?.can?.kick;return s`<section class="stack">
    <h3>${$?t("members.banned"):t("members.invitedOnes")}</h3>
    <ul class="members">
      ${l.nodes.map(({userId:g,displayName:v})=>s`<li key=${g} class="member">
          <${I} id=${g} name=${N({displayName:v,userId:g})} size="small" />
          <span class="grow one-line" dir="auto">${N({displayName:v,userId:g})}</span>
          ${u&&s`<${h} onClick=${()=>m(g)}>${$?t("members.unban"):t("members.withdraw")}<//>`}
        </li>`)}
    </ul>
  </section>`}var Pt=100,xt=50,et=200;function tt({roomId:e}){let o=f(),r=y(`members:${e}`),n=y(`room:${e}`),[i,l]=d(""),[p,c]=d(!1);R(()=>{o.loadMembers(e).catch(u=>k(P(u),"bad"))},[e]);let a=i.trim().toLocaleLowerCase(),$=u=>u.membership==="JOIN"&&(!a||`${u.displayName??""} ${u.userId}`.toLocaleLowerCase().includes(a)),m=(r?.members??[]).filter($);return m.sort((u,g)=>(g.powerLevel??0)-(u.powerLevel??0)||Z(N(u),N(g))),s`<${_} title=${t("members.title")} roomId=${e} />
    <div class="panel-body stack">
      <div class="row">
        <input class="search grow" type="search" dir="auto" value=${i} placeholder=${t("members.search")} aria-label=${t("members.search")}
          onInput=${u=>l(u.target.value)} />
        ${n?.can?.invite&&s`<${h} onClick=${()=>c(!0)}>${t("members.invite")}<//>`}
      </div>
      <p class="soft small" role="status">${r?t("room.members",{count:r.total}):t("app.loading")}</p>
      <ul class="members">
        ${m.slice(0,et).map(u=>s`<${Tt} key=${u.userId} roomId=${e} member=${u} />`)}
      </ul>
      ${m.length>et&&s`<p class="soft small">${t("members.searchMore")}</p>`}
      <${G} roomId=${e} membership="INVITE" />
      ${n?.can?.ban&&s`<${G} roomId=${e} membership="BAN" />`}
    </div>
    ${p&&s`<${Ye} roomId=${e} onClose=${()=>c(!1)} />`}`}function Tt({roomId:e,member:o}){let r=y(`person:${o.userId}`),n=o.powerLevel??0;return s`<li class="member">
    <a class="member-link row grow" href=${w.person(o.userId)}>
      <${I} id=${o.userId} name=${N(o)} presence=${r?.presence} />
      <span class="grow stack-tight">
        <span class="one-line" dir="auto">${N(o)}</span>
        ${r?.statusMessage?s`<span class="soft small one-line" dir="auto">${r.statusMessage}</span>`:s`<span class="soft small one-line" dir="auto">${o.userId}</span>`}
      </span>
      ${n>=xt&&s`<span class="tag">${n>=Pt?t("members.admin"):t("members.moderator")}</span>`}
    </a>
    <${Ze} roomId=${e} member=${o} />
  </li>`}var ot={INVITE:"settings.joinInvite",PUBLIC:"settings.joinPublic",KNOCK:"settings.joinKnock"},At={JOINED:"settings.historyJoined",INVITED:"settings.historyInvited",SHARED:"settings.historyShared",WORLD_READABLE:"settings.historyWorld"};function st({roomId:e}){let o=y(`room:${e}`);return o?s`<${_} title=${t("room.settings")} roomId=${e} />
    <div class="panel-body stack-large">
      <${Lt} key=${`${o.name}/${o.topic}/${o.canonicalAlias}`} room=${o} />
      <${Ot} room=${o} />
    </div>`:null}function Lt({room:e}){let o=f(),{roomId:r,can:n}=e,i=y("viewer")?.userId.split(":").slice(1).join(":")??"",[l,p]=d(e.name??""),[c,a]=d(e.topic??""),$=e.canonicalAlias?.slice(1).split(":")[0]??"",[m,u]=d($),g=async S=>{S.preventDefault(),[l!==(e.name??"")&&await b(o,ue,{roomId:r,name:l}),c!==(e.topic??"")&&await b(o,de,{roomId:r,topic:c}),m!==$&&await b(o,$e,{roomId:r,canonical:m?`#${m}:${i}`:null})].some(Boolean)&&k(t("settings.saved"))},v=l!==(e.name??"")||c!==(e.topic??"")||m!==$,C=n?.setName||n?.setTopic||n?.setAliases;return s`<form class="stack" onSubmit=${g}>
    <${D} label=${t("new.name")} value=${l} onInput=${p} isPeoples readonly=${!n?.setName} maxlength="255" />
    <${D} label=${t("new.topic")} value=${c} onInput=${a} isPeoples isLong readonly=${!n?.setTopic} />
    <${D} label=${t("settings.alias")} value=${m} onInput=${u} dir="ltr" readonly=${!n?.setAliases} hint=${m?void 0:t("settings.aliasHint")} />
    ${m&&s`<p class="soft small" dir="ltr"><span dir="auto">#${m}:${i}</span></p>`}
    ${C&&s`<div><${h} kind="main" type="submit" disabled=${!v}>${t("app.save")}<//></div>`}
  </form>`}function Ot({room:e}){let o=f(),{roomId:r,can:n}=e,i=m=>{b(o,fe,{roomId:r,joinRule:{kind:m}})},l=m=>{b(o,ve,{roomId:r,visibility:m})},p=m=>{b(o,he,{roomId:r,isListed:m})},c=Object.entries(ot).map(([m,u])=>[m,t(u)]),$=e.joinRule!==null&&!(e.joinRule in ot)?[...c,[e.joinRule,t("settings.joinRestricted")]]:c;return s`<section class="stack">
    <h3>${t("settings.access")}</h3>
    <${j} label=${t("settings.joinRule")} value=${e.joinRule??"INVITE"} options=${$} disabled=${!n?.setJoinRule} onChange=${i} />
    <${j} label=${t("settings.history")} value=${e.historyVisibility??"SHARED"} disabled=${!n?.setHistoryVisibility}
      options=${Object.entries(At).map(([m,u])=>[m,t(u)])} onChange=${l} />
    <${M} checked=${e.isListed} disabled=${!n?.setAliases} onChange=${p}>${t("new.listed")}<//>
    <p class="soft small">${t("settings.version",{version:e.version??""})}</p>
  </section>`}function Et({roomId:e,eventId:o,panel:r}){let n=y("home"),i=y(`room:${e}`),l=y(`timeline:${e}`);return i?s`<header class="bar">
      <${F} />
      <${I} id=${e} name=${i.displayName} isRoom=${!i.isDirect} />
      <div class="grow stack-tight">
        <h1 class="bar-title one-line" dir="auto">${i.displayName}</h1>
        <p class="soft small one-line">${i.topic?s`<span dir="auto">${i.topic}</span>`:t("room.members",{count:i.memberCount})}</p>
      </div>
      <${Fe} roomId=${e} />
      <${We} room=${i} panel=${r} />
    </header>
    <div class=${`room ${r?"with-panel":""}`}>
      <section class="conversation" aria-label=${t("room.conversation")}>
        <${Xe} roomId=${e} eventId=${o} />
        <${_e} roomId=${e} />
      </section>
      ${r&&s`<aside class="panel"><${Bt} roomId=${e} panel=${r} /></aside>`}
    </div>`:n?.isLoaded&&(i===null||n.isComplete&&!n.rooms.some(c=>c.roomId===e))?s`<${Ge} place=${e} closed=${l?.closed??null} />`:s`<header class="bar"><${F} /></header><div class="grow" aria-busy="true"></div>`}function Bt({roomId:e,panel:o}){switch(o.kind){case"members":return s`<${tt} roomId=${e} />`;case"settings":return s`<${st} roomId=${e} />`;case"thread":return s`<${ze} key=${o.eventId} roomId=${e} eventId=${o.eventId} />`}}var Mt={system:"settings.themeSystem",light:"settings.themeLight",dark:"settings.themeDark",contrast:"settings.themeContrast"};function Ft(){let e=y("viewer"),o=y(`person:${e?.userId??""}`);return s`<${T} title=${t("settings.title")} />
    <div class="screen-body"><div class="stack-large">
      ${e&&s`<${jt} key=${`${e.displayName}/${o?.statusMessage}`} viewer=${e} status=${o?.statusMessage??""} />`}
      <section class="stack">
        <h2>${t("settings.appearance")}</h2>
        <${j} label=${t("settings.theme")} value=${Ee.value} onChange=${r=>Be(r)}
          options=${Object.entries(Mt).map(([r,n])=>[r,t(n)])} />
        <div class="field"><span class="label">${t("settings.language")}</span><${Me} /></div>
      </section>
      <${Vt} />
      ${e&&e.ignored.length>0&&s`<${Ht} ignored=${e.ignored} />`}
      <p><a href="/about">${t("welcome.about")}</a></p>
    </div></div>`}function jt({viewer:e,status:o}){let r=f(),[n,i]=d(e.displayName??""),[l,p]=d(o),c=async $=>{if($.preventDefault(),!(n!==(e.displayName??"")&&!await b(r,ye,{displayName:n.trim()||null})))try{l!==o&&await r.setPresence("ONLINE",l.trim()),k(t("settings.saved"))}catch(m){k(P(m),"bad")}},a=n!==(e.displayName??"")||l!==o;return s`<form class="stack" onSubmit=${c}>
    <h2>${t("settings.profile")}</h2>
    <div class="row"><${I} id=${e.userId} name=${n||e.userId} size="large" /><span class="soft one-line" dir="auto">${e.userId}</span></div>
    <${D} label=${t("settings.displayName")} value=${n} onInput=${i} isPeoples maxlength="255" autocomplete="nickname" />
    <${D} label=${t("settings.status")} value=${l} onInput=${p} isPeoples maxlength="200" hint=${t("settings.statusHint")} />
    <div><${h} kind="main" type="submit" disabled=${!a}>${t("app.save")}<//></div>
  </form>`}function Vt(){let e=f(),[o,r]=d(""),[n,i]=d(""),[l,p]=d(!0);return s`<form class="stack" onSubmit=${async a=>{a.preventDefault(),await b(e,ke,{password:o,newPassword:n,logOutOthers:l})&&(r(""),i(""),k(t("settings.passwordChanged")))}}>
    <h2>${t("settings.password")}</h2>
    <${D} label=${t("settings.passwordNow")} type="password" value=${o} onInput=${r} autocomplete="current-password" dir="ltr" />
    <${D} label=${t("settings.passwordNew")} type="password" value=${n} onInput=${i} autocomplete="new-password" dir="ltr" hint=${t("welcome.passwordHint")} />
    <${M} checked=${l} onChange=${p}>${t("settings.logOutOthers")}<//>
    <div><${h} type="submit" disabled=${!o||!n}>${t("settings.passwordChange")}<//></div>
  </form>`}function Ht({ignored:e}){let o=f();return s`<section class="stack">
    <h2>${t("settings.ignored")}</h2>
    <ul class="members">
      ${e.map(r=>s`<li key=${r} class="member">
          <${I} id=${r} name=${r} size="small" />
          <span class="grow one-line" dir="auto">${r}</span>
          <${h} onClick=${()=>b(o,K,{userId:r,isIgnored:!1})}>${t("person.unignore")}<//>
        </li>`)}
    </ul>
  </section>`}export{nt as CallLayer,it as Devices,lt as Directory,ut as NewRoom,yt as Operator,Nt as PersonScreen,Et as RoomScreen,Ft as Settings};
