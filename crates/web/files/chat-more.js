import{$ as Se,A as f,Aa as Fe,B as y,C as N,D as se,E as O,Ea as je,F as re,G as ne,H as ie,I as ae,J as me,K as le,L as ce,M as pe,N as J,O as ue,P as de,Q as $e,R as fe,S as ve,T as ge,U as he,V as be,W as ye,X as ke,Y as q,Z as we,_ as W,aa as Ie,ba as Ne,ca as Ce,d as s,da as De,e as d,ea as Re,f as D,fa as Pe,g as te,ga as xe,ha as Te,i as w,ia as Ae,j as U,ja as R,ka as H,l as x,la as F,ma as b,n as t,na as P,o as L,oa as Le,p as Q,pa as E,q as K,qa as I,r as oe,ra as _,u as M,v as g,va as Oe,w as B,wa as Ee,x as k,ya as Me,za as Be}from"./chat-shared.js";function Ve({roomId:e}){return s`<span hidden data-room=${e}></span>`}function it(){return null}function T({title:e,children:o}){return s`<header class="bar">
    <${j} />
    <h1 class="bar-title grow one-line">${e}</h1>
    ${o}
  </header>`}function j(){return s`<a class="icon-button only-narrow" href="/" aria-label=${t("app.back")} title=${t("app.back")}><span class="turns"><${M} name="back" /></span></a>`}function at(){let e=f(),[o,r]=d(null),[n,i]=d(!1),l=()=>e.query(Ie,{}).then(({viewer:a})=>r(a?.devices.nodes??[]),a=>k(P(a),"bad"));D(()=>{l()},[]);let[p,c]=[o?.filter(a=>a.isCurrent)??[],o?.filter(a=>!a.isCurrent)??[]];return s`<${T} title=${t("devices.title")} />
    <div class="screen-body"><div class="stack-large" aria-busy=${o===null}>
      <section class="stack">
        <h2>${t("devices.here")}</h2>
        <ul class="cards">${p.map(a=>s`<${He} key=${a.deviceId} device=${a} onChange=${l} />`)}</ul>
        <div><${g} onClick=${()=>i(!0)}>${t("viewer.logOut")}<//></div>
      </section>
      ${c.length>0&&s`<section class="stack">
        <h2>${t("devices.others")}</h2>
        <p class="soft">${t("devices.lead")}</p>
        <ul class="cards">${c.map(a=>s`<${He} key=${a.deviceId} device=${a} onChange=${l} />`)}</ul>
      </section>`}
    </div></div>
    ${n&&s`<${Oe} onClose=${()=>i(!1)} />`}`}function He({device:e,onChange:o}){let r=f(),[n,i]=d(!1),{deviceId:l,name:p,createdAt:c,lastSeenAt:a,isCurrent:$}=e,m=p??l,u=async()=>{await b(r,Ce,{deviceId:l})&&await o()};return s`<li class="card row">
    <span class="grow stack-tight">
      <strong class="one-line" dir="auto">${m}</strong>
      <span class="soft small">${$?t("devices.now"):t("devices.seen",{when:K(a)})}</span>
      <span class="soft small">${t("devices.since",{when:Q(c,{dateStyle:"medium",timeStyle:"short"})})}</span>
    </span>
    <${B} icon="edit" label=${t("devices.rename",{name:m})} onClick=${()=>i(!0)} />
    ${!$&&s`<${g} onClick=${u} aria-label=${t("devices.removeOne",{name:m})}>${t("viewer.logOut")}<//>`}
    ${n&&s`<${mt} device=${e} onClose=${()=>(i(!1),void o())} />`}
  </li>`}function mt({device:e,onClose:o}){let r=f(),[n,i]=d(e.name??""),l=async p=>{p.preventDefault(),await b(r,Ne,{deviceId:e.deviceId,name:n.trim()||null})&&o()};return s`<${E} title=${t("devices.renameTitle")} onClose=${o}>
    <form class="stack" onSubmit=${l}>
      <${R} label=${t("devices.name")} value=${n} onInput=${i} isPeoples maxlength="100" />
      <div class="dialog-ends"><${g} onClick=${o}>${t("app.cancel")}<//><${g} kind="main" type="submit">${t("app.save")}<//></div>
    </form>
  <//>`}var lt=200;function ct(){let e=f(),[o,r]=d(""),[n,i]=d(null),l=o.trim(),p=async a=>{let{publicRooms:$}=await e.query(me,{search:l||null,after:a});return $};D(()=>{let a=!0,$=setTimeout(()=>p(null).then(m=>a&&i(m),m=>a&&k(P(m),"bad")),n?lt:0);return()=>{a=!1,clearTimeout($)}},[l]);let c=async()=>{let a=await p(n.pageInfo.endCursor);i({...a,nodes:[...n.nodes,...a.nodes]})};return s`<${T} title=${t("directory.title")} />
    <div class="screen-body"><div class="stack">
      <input class="search" type="search" dir="auto" value=${o} aria-label=${t("directory.search")} placeholder=${t("directory.search")}
        onInput=${a=>r(a.target.value)} />
      <p class="soft" role="status">${n?t("directory.count",{count:n.totalCount}):t("app.loading")}</p>
      <ul class="cards">${n?.nodes.map(a=>s`<${pt} key=${a.roomId} room=${a} />`)}</ul>
      ${n?.pageInfo.hasNextPage&&s`<div><${g} onClick=${c}>${t("directory.more")}<//></div>`}
    </div></div>`}function pt({room:e}){return s`<li>
    <a class="card row" href=${w.room(e.roomId)}>
      <${I} id=${e.roomId} name=${e.displayName} isRoom />
      <span class="grow stack-tight">
        <span class="row"><strong class="one-line" dir="auto">${e.displayName}</strong>
          ${e.canonicalAlias&&s`<span class="soft small one-line" dir="auto">${e.canonicalAlias}</span>`}</span>
        ${e.topic&&s`<span class="one-line" dir="auto">${e.topic}</span>`}
        <span class="soft small">${t("room.members",{count:e.memberCount??0})}${e.myMembership==="JOIN"&&s` · ${t("directory.joined")}`}</span>
      </span>
    </a>
  </li>`}var ut=200;function z({label:e,chosen:o,onChange:r}){let n=f(),[i,l]=d(""),[p,c]=d([]),a=te(),$=i.trim();D(()=>{if(c([]),!$)return;let v=!0,C=setTimeout(async()=>{let{users:S}=await n.query(le,{search:$});v&&c(S.nodes)},ut);return()=>{v=!1,clearTimeout(C)}},[$]);let m=v=>{o.includes(v)||r([...o,v]),l("")},h=/^@[^:\s]+:\S+$/.test($)&&!p.some(v=>v.userId===$)?[...p,{userId:$,displayName:null}]:p;return s`<div class="picker">
    <${R} label=${e} type="search" value=${i} onInput=${l} hint=${t("people.searchHint")} isPeoples autocomplete="off" />
    ${h.length>0&&s`<ul id=${a} class="picker-list" aria-label=${t("people.found")}>
      ${h.map(({userId:v,displayName:C})=>s`<li key=${v}>
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
            <${M} name="close" />
          </button>
        </li>`)}
    </ul>`}
  </div>`}function dt(){let[e,o]=d(""),[r,n]=d(!1),[i,l]=d(!1),[p,c]=d([]),a={isListed:r&&i,invite:[...p],...e.trim()&&{topic:e.trim()}};return s`<${T} title=${t("new.title")} />
    <div class="screen-body">
      <${Le} more=${a} onOpen=${n}>
        <${F} checked=${r&&i} disabled=${!r} onChange=${l}>${t("new.listed")}<//>
        <${R} label=${t("new.topic")} value=${e} onInput=${o} isPeoples hint=${t("new.topicHint")} />
        <${z} label=${t("new.people")} chosen=${p} onChange=${c} />
      <//>
    </div>`}var[Qe,Y]=[240,56];function Ke({status:e,samples:o}){return s`<section class="stack">
    <h2>${t("operator.now")}</h2>
    <div class="figures">
      <${X} name="operator.appends" values=${Ue(o,"appends")} isRate />
      <${X} name="operator.deliveries" values=${Ue(o,"deliveries")} isRate />
      <${X} name="operator.sockets" values=${o.map(r=>r.sockets)} />
      <${X} name="operator.streams" values=${o.map(r=>r.streams)} />
    </div>
    <dl class="facts">
      <div><dt>${t("operator.logPosition")}</dt><dd>${L(e.logPosition)}</dd></div>
      <div><dt>${t("operator.accounts")}</dt><dd>${L(e.accountCount)}</dd></div>
      <div><dt>${t("operator.rooms")}</dt><dd>${L(e.roomCount)}</dd></div>
    </dl>
  </section>`}function Ue(e,o){return e.slice(1).map((r,n)=>{let i=e[n];return Math.max(0,(r[o]-i[o])*1e3/(r.at-i.at))})}function X({name:e,values:o,isRate:r=!1}){let n=o.at(-1)??0,i=L(r?Math.round(n*10)/10:n);return s`<figure class="figure">
    <figcaption class="soft small">${t(e)}</figcaption>
    <p class="figure-now">${r?t("operator.perSecond",{rate:i}):i}</p>
    <svg viewBox=${`0 0 ${Qe} ${Y}`} preserveAspectRatio="none" aria-hidden="true"><polyline points=${$t(o)} /></svg>
  </figure>`}function $t(e){let o=Math.max(1,...e),r=Qe/Math.max(1,e.length-1);return e.map((n,i)=>`${(i*r).toFixed(1)},${(Y-2-n/o*(Y-4)).toFixed(1)}`).join(" ")}var ft=250;function Je(){let e=f();return s`<${We} title="operator.accounts" search="operator.searchAccounts" load=${async(r,n)=>{let{admin:i}=await e.query(Pe,{search:r||null,after:n});return i.accounts}} line=${r=>s`<${vt} key=${r.user.userId} account=${r} />`} />`}function qe(){let e=f();return s`<${We} title="operator.rooms" search="operator.searchRooms" load=${async(r,n)=>{let{admin:i}=await e.query(xe,{search:r||null,after:n});return i.rooms}} line=${r=>s`<${gt} key=${r.roomId} room=${r} />`} />`}function We({title:e,search:o,load:r,line:n}){let[i,l]=d(""),[p,c]=d(null),a=i.trim(),$=u=>k(P(u),"bad");D(()=>{let u=!0,h=setTimeout(()=>r(a,null).then(v=>u&&c(v),$),p?ft:0);return()=>{u=!1,clearTimeout(h)}},[a]);let m=()=>r(a,p.pageInfo.endCursor).then(u=>c({...u,nodes:[...p.nodes,...u.nodes]}),$);return s`<section class="stack">
    <h2>${t(e)}</h2>
    <input class="search" type="search" dir="auto" value=${i} aria-label=${t(o)} placeholder=${t(o)}
      onInput=${u=>l(u.target.value)} />
    <ul class="cards">${p?.nodes.map(n)}</ul>
    ${p?.pageInfo.hasNextPage&&s`<div><${g} onClick=${m}>${t("directory.more")}<//></div>`}
  </section>`}function vt({account:e}){let{user:o,createdAt:r,deactivatedAt:n,isAdmin:i,isImported:l,hasPassword:p}=e,c=[i&&t("operator.isAdmin"),n&&t("operator.isDeactivated"),l&&t("operator.isImported"),!p&&t("operator.noPassword")];return s`<li><a class="card row" href=${w.person(o.userId)}>
    <${I} id=${o.userId} name=${N(o)} />
    <span class="grow stack-tight"><strong class="one-line" dir="auto">${o.userId}</strong>
      <span class="soft small">${t("devices.since",{when:Q(r,{dateStyle:"medium"})})}</span></span>
    ${c.filter(Boolean).map(a=>s`<span class="tag">${a}</span>`)}
  </a></li>`}function gt({room:e}){let o=e.name??e.canonicalAlias??e.roomId;return s`<li class="card row">
    <${I} id=${e.roomId} name=${o} isRoom />
    <span class="grow stack-tight"><strong class="one-line" dir="auto">${o}</strong>
      <span class="soft small one-line" dir="auto">${e.roomId}</span></span>
    <span class="soft small">${t("room.members",{count:e.memberCount})}</span>
    <span class="soft small">${t("operator.events",{count:e.eventCount})}</span>
    ${e.isListed&&s`<span class="tag">${t("operator.isListed")}</span>`}
  </li>`}function _e({status:e}){let o=f(),{rebuild:r,readModels:n,processes:i,parkedStreams:l}=e,[p,c]=d(!1),a=async()=>{await b(o,Te,{})&&k(t("operator.rebuildBegun"))},$=async()=>{c(!0);let m=await b(o,Ae,{});c(!1),m&&k(t("operator.retried",{count:m.applied}))};return s`<section class="stack">
    <div class="row"><h2 class="grow">${t("operator.models")}</h2>
      <${g} onClick=${a} disabled=${r!==null}>${t("operator.rebuild")}<//></div>
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
              <td class=${`number ${m.trouble?"late":""}`}>${L(m.behind)}</td><td class="number">${L(m.skipped)}</td></tr>`)}
        </tbody>
      </table>
    </div>
    ${l.length>0&&s`<div class="row"><h3 class="grow">${t("operator.parkedTitle")}</h3><${g} onClick=${$} disabled=${p}>${t("operator.retry")}<//></div>
      <ul class="cards">
        ${l.map(({model:m,stream:u,position:h,reason:v})=>s`<li class="card" key=${`${m} ${u}`}>
            <strong dir="auto">${u}</strong>
            <p class="soft small">${t("operator.parkedAt",{model:m,position:h})}</p>
            <p dir="auto">${v}</p>
          </li>`)}
      </ul>`}
  </section>`}function ht({rebuild:e}){let{done:o,total:r,secondsLeft:n}=e,i=t("operator.rebuilding",{done:o,total:r,seconds:Math.ceil(n)});return s`<div class="stack-small">
    <progress class="progress" max=${Math.max(1,r)} value=${o} aria-label=${t("operator.rebuild")}></progress>
    <p class="soft small">${i}</p>
  </div>`}var bt=2e3,yt=60;function kt(){let e=y("viewer");return s`<${T} title=${t("operator.title")} />
    <div class="screen-body wide">
      ${e&&(e.isAdmin?s`<${wt} />`:s`<p class="notice">${t("operator.forbidden")}</p>`)}
    </div>`}function wt(){let e=f(),[o,r]=d(null),[n,i]=d([]),[l,p]=d(null);return D(()=>{let c,a=!0,$=async()=>{try{let{admin:m}=await e.query(Re,{});if(!a||!m)return;r(m.status),p(null),i(u=>[...u.slice(1-yt),{at:performance.now(),...m.status.counters}])}catch(m){a&&p(P(m))}a&&(c=setTimeout($,bt))};return $(),()=>{a=!1,clearTimeout(c)}},[e]),s`<div class="stack-large" aria-busy=${o===null}>
    ${l&&s`<p class="notice bad" role="alert">${l}</p>`}
    ${o&&s`<${Ke} status=${o} samples=${n} /><${_e} status=${o} />`}
    <${Je} />
    <${qe} />
  </div>`}var St={ALL:"room.notifyAll",MENTIONS:"room.notifyMentions",NONE:"room.notifyNone"};async function Z(e){try{await navigator.clipboard.writeText(e),k(t("app.copied"))}catch{k(t("app.copyFailed",{text:e}),"bad")}}function ze({room:e,panel:o}){let r=f(),[n,i]=d(!1),{roomId:l}=e,p=$=>{b(r,q,{roomId:l,...$})},c=($,m)=>x(o?.kind===$?w.room(l):m),a=[{text:e.isFavourite?t("room.unfavourite"):t("room.favourite"),icon:"star",onSelect:()=>p({isFavourite:!e.isFavourite})},...Object.entries(St).map(([$,m])=>({text:t(m),isChecked:e.notifications===$,onSelect:()=>p({notifications:$})})),{text:t("room.settings"),icon:"gear",onSelect:()=>x(w.roomSettings(l))},{text:t("room.leave"),icon:"close",kind:"bad",onSelect:()=>i(!0)}];return s`
    <button type="button" class="button copy-link" title=${t("app.copy")} onClick=${()=>Z(U(w.room(e.canonicalAlias??l)))}>
      <${M} name="link" /><span class="copy-link-text">${t("app.copy")}</span>
    </button>
    <${B} icon="people" label=${t("members.title")} pressed=${o?.kind==="members"} onClick=${()=>c("members",w.members(l))} />
    <${_} label=${t("room.menu")} items=${a} />
    ${n&&s`<${It} room=${e} onClose=${()=>i(!1)} />`}
  `}function It({room:e,onClose:o}){let r=f(),n=async()=>{o(),await b(r,ce,{roomId:e.roomId})&&x("/")};return s`<${E} title=${t("room.leaveTitle",{name:e.displayName})} onClose=${o}>
    <p>${e.joinRule==="PUBLIC"?t("room.leavePublic"):t("room.leavePrivate")}</p>
    <div class="dialog-ends">
      <${g} onClick=${o}>${t("app.cancel")}<//>
      <${g} kind="bad" onClick=${n}>${t("room.leave")}<//>
    </div>
  <//>`}var Nt={ONLINE:"presence.online",UNAVAILABLE:"presence.away",OFFLINE:"presence.offline"};function Ct({userId:e}){let o=f(),r=y("viewer"),n=y(`person:${e}`),i=y("home"),[l,p]=d(void 0);D(()=>{let C=!0;return o.query(De,{userId:e}).then(({user:S})=>C&&p(S),S=>C&&(p(null),k(P(S),"bad"))),()=>{C=!1}},[e]);let c=N({displayName:n?.displayName??l?.displayName??null,userId:e}),a=n?.presence??l?.presence?.presence,$=n?.statusMessage??l?.presence?.statusMessage,m=n?.lastActiveAt??l?.presence?.lastActiveAt,u=r?.ignored.includes(e)??!1,h=r&&r.userId!==e,v=async()=>{let C=i?.rooms.find(V=>V.isDirect&&V.memberCount<=2&&V.lastMessage?.senderId===e);if(C)return x(w.room(C.roomId));let S=await b(o,re,{isDirect:!0,invite:[e],preset:"PRIVATE"});if(!S?.room)return;let{roomId:A}=S.room;x(w.room(A)),await b(o,q,{roomId:A,isDirect:!0})};return s`<${T} title=${t("person.title")} />
    <div class="screen-body"><div class="door stack" aria-busy=${l===void 0}>
      <${I} id=${e} name=${c} size="large" presence=${a} />
      <h2 dir="auto">${c}</h2>
      <p class="soft" dir="auto">${e}</p>
      ${a&&s`<p>${t(Nt[a])}${m&&a!=="ONLINE"&&s` · ${K(m)}`}</p>`}
      ${$&&s`<p dir="auto">${$}</p>`}
      ${l===null&&s`<p class="soft">${t("reason.noUser")}</p>`}
      <div class="row">
        ${h&&l&&s`<${g} kind="main" onClick=${v}>${t("person.talk")}<//>`}
        ${h&&l&&s`<${g} onClick=${()=>b(o,W,{userId:e,isIgnored:!u})}>${u?t("person.unignore"):t("person.ignore")}<//>`}
        <${g} onClick=${()=>Z(U(w.person(e)))}>${t("app.copy")}<//>
      </div>
      ${u&&s`<p class="soft">${t("person.ignoredLead")}</p>`}
    </div></div>`}function Xe({roomId:e}){let o=f(),[r,n]=d("");return s`<form class="panel-body" onSubmit=${l=>{l.preventDefault(),r.trim()&&o.send(e,{body:r}),n("")}}>
    <input class="search" dir="auto" value=${r} aria-label=${t("room.message")} onInput=${l=>n(l.target.value)} />
  </form>`}function Ge({roomId:e}){return s`<div class="grow" data-room=${e}></div>`}function Ye({roomId:e}){let r=y(`timeline:${e}`)?.segments.at(-1)?.rows??[];return s`<ol class="panel-body" tabindex="0">${r.map(n=>s`<li key=${n.eventId} dir="auto">${Ee(n)}</li>`)}</ol>`}var Dt={KICKED:"door.kicked",BANNED:"door.banned",LEFT:"door.left",WITHDRAWN:"door.withdrawn"};function Ze({place:e,closed:o}){let r=f(),[n,i]=d(void 0),[l,p]=d(!1),c=e.startsWith("#")?{alias:e}:{roomId:e},a=async()=>{p(!0);let v=await b(r,ne,{room:c});p(!1),v?.room&&x(w.room(v.room.roomId),{replace:!0})},$=async()=>{await b(r,ie,{room:c})&&k(t("door.knocked"))};D(()=>{let v=!0;return!o&&Me()&&a(),r.query(ae,{by:c}).then(({room:S})=>{v&&(S?.myMembership==="JOIN"&&S.roomId!==e&&x(w.room(S.roomId),{replace:!0}),i(S))},S=>{v&&(i(null),k(P(S),"bad"))}),()=>{v=!1}},[e,o]);let m=n?.displayName??e,u=o?Dt[o.reason]:void 0,h=n?.joinRule==="KNOCK"||n?.joinRule==="KNOCK_RESTRICTED";return s`<header class="bar"><${j} /><h1 class="bar-title grow one-line" dir="auto">${m}</h1></header>
    <div class="screen-body"><div class="door stack" aria-busy=${n===void 0}>
      <${I} id=${e} name=${m} size="large" isRoom />
      ${u&&s`<p class="notice warn" role="status">${o?.byId?t(u,{name:se(o.byId)}):t("door.closed")}</p>`}
      ${n?.topic&&s`<p dir="auto">${n.topic}</p>`}
      ${n?.memberCount!=null&&s`<p class="soft">${t("room.members",{count:n.memberCount})}</p>`}
      ${n?.invite&&s`<p>${t("home.invitedBy",{name:N(n.invite.inviter)})}</p>`}
      ${n===null&&!u&&s`<p class="soft">${t("door.unknown")}</p>`}
      ${n!==void 0&&o?.reason!=="BANNED"&&s`<div class="row">
        ${h&&!n?.invite?s`<${g} kind="main" onClick=${$}>${t("door.knock")}<//>`:s`<${g} kind="main" disabled=${l} onClick=${a}>${t("door.join")}<//>`}
        <a class="button" href="/">${t("app.home")}</a>
      </div>`}
    </div></div>`}function G({title:e,roomId:o}){return s`<header class="bar">
    <h2 class="grow one-line">${e}</h2>
    <${B} icon="close" label=${t("app.close")} onClick=${()=>x(w.room(o))} />
  </header>`}function et({roomId:e,onClose:o}){let r=f(),[n,i]=d([]),l=async()=>{o();let c=(await Promise.all(n.map(a=>b(r,pe,{roomId:e,userId:a})))).filter(Boolean).length;c>0&&k(t("members.invited",{count:c}))};return s`<${E} title=${t("members.inviteTitle")} onClose=${o}>
    <${z} label=${t("new.people")} chosen=${n} onChange=${i} />
    <div class="dialog-ends">
      <${g} onClick=${o}>${t("app.cancel")}<//>
      <${g} kind="main" disabled=${n.length===0} onClick=${l}>${t("members.invite")}<//>
    </div>
  <//>`}var Rt=[[0,"members.makeMember"],[50,"members.makeModerator"],[100,"members.makeAdmin"]];function tt({roomId:e,member:o}){let r=f(),n=y("viewer"),i=y(`room:${e}`),[l,p]=d(null),{userId:c}=o,[a,$]=[O(i?.myPowerLevel),O(o.powerLevel)],u=c!==n?.userId&&$<a,{can:h}=i??{},v=A=>{b(r,ke,{roomId:e,powerLevels:{users:[{userId:c,level:A}]}})},C=[{text:t("members.profile"),icon:"person",onSelect:()=>x(w.person(c))},...h?.setPowerLevels&&u?Rt.filter(([A])=>A<=a).map(([A,V])=>({text:t(V),isChecked:A===$,onSelect:()=>v(A)})):[],h?.kick&&u&&{text:t("members.kick"),icon:"close",kind:"bad",onSelect:()=>p("kick")},h?.ban&&u&&{text:t("members.ban"),icon:"trash",kind:"bad",onSelect:()=>p("ban")}],S=N(o);return s`<${_} label=${t("members.menu",{name:S})} items=${C} />
    ${l&&s`<${Pt} ...${{roomId:e,userId:c,name:S,removal:l}} onClose=${()=>p(null)} />`}`}function Pt({roomId:e,userId:o,name:r,removal:n,onClose:i}){let l=f(),[p,c]=d(""),a=n==="ban",$=async m=>{m.preventDefault();let u=p.trim(),h={roomId:e,userId:o,...u&&{reason:u}};i(),await(a?b(l,ue,h):b(l,J,h))};return s`<${E} title=${a?t("members.banTitle",{name:r}):t("members.kickTitle",{name:r})} onClose=${i}>
    <form class="stack" onSubmit=${$}>
      <p>${a?t("members.banLead"):t("members.kickLead")}</p>
      <${R} label=${t("members.reason")} value=${p} onInput=${c} isPeoples maxlength="500" />
      <div class="dialog-ends">
        <${g} onClick=${i}>${t("app.cancel")}<//>
        <${g} kind="bad" type="submit">${a?t("members.ban"):t("members.kick")}<//>
      </div>
    </form>
  <//>`}function ee({roomId:e,membership:o}){let r=f(),n=y(`room:${e}`),i=y(`timeline:${e}`),[l,p]=d(null),c=i?.segments.at(-1)?.rows.findLast(h=>h.type==="m.room.member")?.eventId,a=()=>r.query($e,{roomId:e,membership:o}).then(h=>p(h.room?.members??null),()=>{});if(D(()=>{a()},[e,c]),!l?.nodes.length)return null;let $=o==="BAN",m=async h=>{await($?b(r,de,{roomId:e,userId:h}):b(r,J,{roomId:e,userId:h})),await a()},u=$?n?.can?.ban:n?.can?.kick;return s`<section class="stack">
    <h3>${$?t("members.banned"):t("members.invitedOnes")}</h3>
    <ul class="members">
      ${l.nodes.map(({userId:h,displayName:v})=>s`<li key=${h} class="member">
          <${I} id=${h} name=${N({displayName:v,userId:h})} size="small" />
          <span class="grow one-line" dir="auto">${N({displayName:v,userId:h})}</span>
          ${u&&s`<${g} onClick=${()=>m(h)}>${$?t("members.unban"):t("members.withdraw")}<//>`}
        </li>`)}
    </ul>
  </section>`}var xt=100,Tt=50,ot=200,At=(e,o)=>+(O(e.powerLevel)>O(o.powerLevel))-+(O(e.powerLevel)<O(o.powerLevel));function st({roomId:e}){let o=f(),r=y(`members:${e}`),n=y(`room:${e}`),[i,l]=d(""),[p,c]=d(!1);D(()=>{o.loadMembers(e).catch(u=>k(P(u),"bad"))},[e]);let a=i.trim().toLocaleLowerCase(),$=u=>u.membership==="JOIN"&&(!a||`${u.displayName??""} ${u.userId}`.toLocaleLowerCase().includes(a)),m=(r?.members??[]).filter($);return m.sort((u,h)=>At(h,u)||oe(N(u),N(h))),s`<${G} title=${t("members.title")} roomId=${e} />
    <div class="panel-body stack">
      <div class="row">
        <input class="search grow" type="search" dir="auto" value=${i} placeholder=${t("members.search")} aria-label=${t("members.search")}
          onInput=${u=>l(u.target.value)} />
        ${n?.can?.invite&&s`<${g} onClick=${()=>c(!0)}>${t("members.invite")}<//>`}
      </div>
      <p class="soft small" role="status">${r?t("room.members",{count:r.total}):t("app.loading")}</p>
      <ul class="members">
        ${m.slice(0,ot).map(u=>s`<${Lt} key=${u.userId} roomId=${e} member=${u} />`)}
      </ul>
      ${m.length>ot&&s`<p class="soft small">${t("members.searchMore")}</p>`}
      <${ee} roomId=${e} membership="INVITE" />
      ${n?.can?.ban&&s`<${ee} roomId=${e} membership="BAN" />`}
    </div>
    ${p&&s`<${et} roomId=${e} onClose=${()=>c(!1)} />`}`}function Lt({roomId:e,member:o}){let r=y(`person:${o.userId}`),n=O(o.powerLevel);return s`<li class="member">
    <a class="member-link row grow" href=${w.person(o.userId)}>
      <${I} id=${o.userId} name=${N(o)} presence=${r?.presence} />
      <span class="grow stack-tight">
        <span class="one-line" dir="auto">${N(o)}</span>
        ${r?.statusMessage?s`<span class="soft small one-line" dir="auto">${r.statusMessage}</span>`:s`<span class="soft small one-line" dir="auto">${o.userId}</span>`}
      </span>
      ${n>=Tt&&s`<span class="tag">${n>=xt?t("members.admin"):t("members.moderator")}</span>`}
    </a>
    <${tt} roomId=${e} member=${o} />
  </li>`}var rt={INVITE:"settings.joinInvite",PUBLIC:"settings.joinPublic",KNOCK:"settings.joinKnock"},Ot={JOINED:"settings.historyJoined",INVITED:"settings.historyInvited",SHARED:"settings.historyShared",WORLD_READABLE:"settings.historyWorld"};function nt({roomId:e}){let o=y(`room:${e}`);return o?s`<${G} title=${t("room.settings")} roomId=${e} />
    <div class="panel-body stack-large">
      <${Et} key=${`${o.name}/${o.topic}/${o.canonicalAlias}`} room=${o} />
      <${Mt} room=${o} />
    </div>`:null}function Et({room:e}){let o=f(),{roomId:r,can:n}=e,i=y("viewer")?.userId.split(":").slice(1).join(":")??"",[l,p]=d(e.name??""),[c,a]=d(e.topic??""),$=e.canonicalAlias?.slice(1).split(":")[0]??"",[m,u]=d($),h=async S=>{S.preventDefault(),[l!==(e.name??"")&&await b(o,fe,{roomId:r,name:l}),c!==(e.topic??"")&&await b(o,ve,{roomId:r,topic:c}),m!==$&&await b(o,ge,{roomId:r,canonical:m?`#${m}:${i}`:null})].some(Boolean)&&k(t("settings.saved"))},v=l!==(e.name??"")||c!==(e.topic??"")||m!==$,C=n?.setName||n?.setTopic||n?.setAliases;return s`<form class="stack" onSubmit=${h}>
    <${R} label=${t("new.name")} value=${l} onInput=${p} isPeoples readonly=${!n?.setName} maxlength="255" />
    <${R} label=${t("new.topic")} value=${c} onInput=${a} isPeoples isLong readonly=${!n?.setTopic} />
    <${R} label=${t("settings.alias")} value=${m} onInput=${u} dir="ltr" readonly=${!n?.setAliases} hint=${m?void 0:t("settings.aliasHint")} />
    ${m&&s`<p class="soft small" dir="ltr"><span dir="auto">#${m}:${i}</span></p>`}
    ${C&&s`<div><${g} kind="main" type="submit" disabled=${!v}>${t("app.save")}<//></div>`}
  </form>`}function Mt({room:e}){let o=f(),{roomId:r,can:n}=e,i=m=>{b(o,he,{roomId:r,joinRule:{kind:m}})},l=m=>{b(o,be,{roomId:r,visibility:m})},p=m=>{b(o,ye,{roomId:r,isListed:m})},c=Object.entries(rt).map(([m,u])=>[m,t(u)]),$=e.joinRule!==null&&!(e.joinRule in rt)?[...c,[e.joinRule,t("settings.joinRestricted")]]:c;return s`<section class="stack">
    <h3>${t("settings.access")}</h3>
    <${H} label=${t("settings.joinRule")} value=${e.joinRule??"INVITE"} options=${$} disabled=${!n?.setJoinRule} onChange=${i} />
    <${H} label=${t("settings.history")} value=${e.historyVisibility??"SHARED"} disabled=${!n?.setHistoryVisibility}
      options=${Object.entries(Ot).map(([m,u])=>[m,t(u)])} onChange=${l} />
    <${F} checked=${e.isListed} disabled=${!n?.setAliases} onChange=${p}>${t("new.listed")}<//>
    <p class="soft small">${t("settings.version",{version:e.version??""})}</p>
  </section>`}function Bt({roomId:e,eventId:o,panel:r}){let n=y("home"),i=y(`room:${e}`),l=y(`timeline:${e}`);return i?s`<header class="bar">
      <${j} />
      <${I} id=${e} name=${i.displayName} isRoom=${!i.isDirect} />
      <div class="grow stack-tight">
        <h1 class="bar-title one-line" dir="auto">${i.displayName}</h1>
        <p class="soft small one-line">${i.topic?s`<span dir="auto">${i.topic}</span>`:t("room.members",{count:i.memberCount})}</p>
      </div>
      <${Ve} roomId=${e} />
      <${ze} room=${i} panel=${r} />
    </header>
    <div class=${`room ${r?"with-panel":""}`}>
      <section class="conversation" aria-label=${t("room.conversation")}>
        <${Ye} roomId=${e} eventId=${o} />
        <${Xe} roomId=${e} />
      </section>
      ${r&&s`<aside class="panel"><${Ft} roomId=${e} panel=${r} /></aside>`}
    </div>`:n?.isLoaded&&(i===null||n.isComplete&&!n.rooms.some(c=>c.roomId===e))?s`<${Ze} place=${e} closed=${l?.closed??null} />`:s`<header class="bar"><${j} /></header><div class="grow" aria-busy="true"></div>`}function Ft({roomId:e,panel:o}){switch(o.kind){case"members":return s`<${st} roomId=${e} />`;case"settings":return s`<${nt} roomId=${e} />`;case"thread":return s`<${Ge} key=${o.eventId} roomId=${e} eventId=${o.eventId} />`}}var jt={system:"settings.themeSystem",light:"settings.themeLight",dark:"settings.themeDark",contrast:"settings.themeContrast"};function Vt(){let e=y("viewer"),o=y(`person:${e?.userId??""}`);return s`<${T} title=${t("settings.title")} />
    <div class="screen-body"><div class="stack-large">
      ${e&&s`<${Ht} key=${`${e.displayName}/${o?.statusMessage}`} viewer=${e} status=${o?.statusMessage??""} />`}
      <section class="stack">
        <h2>${t("settings.appearance")}</h2>
        <${H} label=${t("settings.theme")} value=${Be.value} onChange=${r=>Fe(r)}
          options=${Object.entries(jt).map(([r,n])=>[r,t(n)])} />
        <div class="field"><span class="label">${t("settings.language")}</span><${je} /></div>
      </section>
      <${Ut} />
      ${e&&e.ignored.length>0&&s`<${Qt} ignored=${e.ignored} />`}
      <p><a href="/about">${t("welcome.about")}</a></p>
    </div></div>`}function Ht({viewer:e,status:o}){let r=f(),[n,i]=d(e.displayName??""),[l,p]=d(o),c=async $=>{if($.preventDefault(),!(n!==(e.displayName??"")&&!await b(r,we,{displayName:n.trim()||null})))try{l!==o&&await r.setPresence("ONLINE",l.trim()),k(t("settings.saved"))}catch(m){k(P(m),"bad")}},a=n!==(e.displayName??"")||l!==o;return s`<form class="stack" onSubmit=${c}>
    <h2>${t("settings.profile")}</h2>
    <div class="row"><${I} id=${e.userId} name=${n||e.userId} size="large" /><span class="soft one-line" dir="auto">${e.userId}</span></div>
    <${R} label=${t("settings.displayName")} value=${n} onInput=${i} isPeoples maxlength="255" autocomplete="nickname" />
    <${R} label=${t("settings.status")} value=${l} onInput=${p} isPeoples maxlength="200" hint=${t("settings.statusHint")} />
    <div><${g} kind="main" type="submit" disabled=${!a}>${t("app.save")}<//></div>
  </form>`}function Ut(){let e=f(),[o,r]=d(""),[n,i]=d(""),[l,p]=d(!0);return s`<form class="stack" onSubmit=${async a=>{a.preventDefault(),await b(e,Se,{password:o,newPassword:n,logOutOthers:l})&&(r(""),i(""),k(t("settings.passwordChanged")))}}>
    <h2>${t("settings.password")}</h2>
    <${R} label=${t("settings.passwordNow")} type="password" value=${o} onInput=${r} autocomplete="current-password" dir="ltr" />
    <${R} label=${t("settings.passwordNew")} type="password" value=${n} onInput=${i} autocomplete="new-password" dir="ltr" hint=${t("welcome.passwordHint")} />
    <${F} checked=${l} onChange=${p}>${t("settings.logOutOthers")}<//>
    <div><${g} type="submit" disabled=${!o||!n}>${t("settings.passwordChange")}<//></div>
  </form>`}function Qt({ignored:e}){let o=f();return s`<section class="stack">
    <h2>${t("settings.ignored")}</h2>
    <ul class="members">
      ${e.map(r=>s`<li key=${r} class="member">
          <${I} id=${r} name=${r} size="small" />
          <span class="grow one-line" dir="auto">${r}</span>
          <${g} onClick=${()=>b(o,W,{userId:r,isIgnored:!1})}>${t("person.unignore")}<//>
        </li>`)}
    </ul>
  </section>`}export{it as CallLayer,at as Devices,ct as Directory,dt as NewRoom,kt as Operator,Ct as PersonScreen,Bt as RoomScreen,Vt as Settings};
