import{A as P,Aa as U,B as d,Ba as _,C as y,Ca as j,F as B,G as F,H as M,Ha as Q,I as l,Ia as X,J as $,N as V,S as W,a as x,b as L,c as C,d as r,da as G,e as h,g as u,l as N,o as w,q as c,r as T,s as E,t as o,ta as b,u as v,v as A,va as H,xa as I,z as O,za as J}from"./chat-shared.js";function q(){let e=l("home"),t=l("viewer");if(!e?.isLoaded)return r`<div class="screen-body" aria-busy="true"></div>`;let n=t?$(t):"";return e.rooms.length===0&&e.invites.length===0?r`<div class="screen-body"><div class="stack first-room">
      <h1>${o("first.title",{name:n})}</h1>
      <p class="soft">${o("first.lead")}</p>
      <${H} name=${o("first.roomName")} isOpen />
      <p>${o("first.or")} <a href="/rooms">${o("first.directory")}</a></p>
    </div></div>`:r`<div class="screen-body greeting">
    <div class="stack">
      <h1>${o("greeting.title",{name:n})}</h1>
      <p class="soft">${o("greeting.lead")}</p>
      <p class="row greeting-ways"><a class="button" href="/new">${o("home.new")}</a><a class="button" href="/rooms">${o("home.directory")}</a></p>
    </div>
  </div>`}var D=N(null),z=null;function g(){return z??=import("./chat-more.js").then(e=>{D.value=e},()=>{D.value="failed"}),z}function p({screen:e,isSilent:t,...n}){let s=D.value;return s&&s!=="failed"?r`<${s[e]} ...${n} />`:t?null:s==="failed"?r`<div class="screen-body stack"><p role="alert">${o("app.notLoaded")}</p>
      <div><${y} onClick=${()=>location.reload()}>${o("app.retry")}<//></div></div>`:(g(),r`<p class="screen-body soft" aria-busy="true">${o("app.loading")}</p>`)}function K(){let e=l("status"),t=ae(e?.phase==="offline"),n=ie(e,t),s=e?.phase??"connecting";return r`<p class=${`connection ${s}`} role="status" data-phase=${s} hidden=${!n}>
    ${n&&r`<span class="connection-dot"></span><span>${n}</span>`}
  </p>`}function ie(e,t){switch(e?.phase){case void 0:case"ended":return null;case"live":return e.unsent>0?o("status.unsent",{count:e.unsent}):null;case"connecting":return o("status.connecting");case"catchingUp":return o("status.catchingUp",{count:e.caughtUp});case"offline":{let n=e.retryAt===null?0:Math.ceil((e.retryAt-t)/1e3),s=n>1?o("status.offlineRetry",{count:n}):o("status.offline");return e.unsent>0?`${s} ${o("status.unsent",{count:e.unsent})}`:s}}}function ae(e){let[t,n]=h(Date.now());return u(()=>{if(!e)return;n(Date.now());let s=setInterval(()=>n(Date.now()),1e3);return()=>clearInterval(s)},[e]),t}function Y({invites:e}){return e.length===0?null:r`<section class="sidebar-part">
    <h2 class="sidebar-title">${o("home.invites")}</h2>
    <ul>${e.map(t=>r`<${me} key=${t.roomId} invite=${t} />`)}</ul>
  </section>`}function me({invite:e}){let t=M(),{roomId:n,displayName:s,inviterName:i,inviterId:a,reason:f}=e,k=async()=>{await b(t,V,{room:{roomId:n}})&&(T(w.room(n)),e.isDirect&&await b(t,G,{roomId:n,isDirect:!0}))},S=()=>{b(t,W,{roomId:n})};return r`<li class="invite">
    <${I} id=${n} name=${s} isRoom=${!e.isDirect} />
    <div class="grow stack-small">
      <span class="room-name one-line" dir="auto">${s}</span>
      <span class="soft small">${o("home.invitedBy",{name:$({displayName:i,userId:a})})}</span>
      ${f&&r`<span class="small" dir="auto">${f}</span>`}
      <span class="row">
        <${y} kind="main" onClick=${k} aria-label=${o("home.acceptIn",{name:s})}>${o("home.accept")}<//>
        <${y} onClick=${S} aria-label=${o("home.declineIn",{name:s})}>${o("home.decline")}<//>
      </span>
    </div>
  </li>`}function Z({type:e,content:t}){if(e!=="m.room.message")return ce[e]?.()??null;let s=(t&&typeof t=="object"&&!Array.isArray(t)?t:{}).body;return typeof s!="string"?o("preview.redacted"):s.slice(0,200).replaceAll(/\s+/g," ")}var ce={"m.call.invite":()=>o("preview.call"),"m.call.hangup":()=>o("preview.callEnded"),"m.room.create":()=>o("preview.created"),"m.room.member":()=>o("preview.members"),"m.room.name":()=>o("preview.renamed")};function ee(e){let t=(Date.now()-new Date(e).getTime())/864e5;return new Date(e).toDateString()===new Date().toDateString()?{hour:"numeric",minute:"2-digit"}:t<6?{weekday:"short"}:t<300?{day:"numeric",month:"short"}:{year:"numeric",month:"short"}}function oe({room:e}){let t=c.value,n=t.page==="room"&&t.roomId===e.roomId,s=e.notifications==="NONE",i=e.notificationCount||(s?0:e.unreadCount);return r`<li>
    <a class=${`room-line ${n?"here":""} ${i>0?"unread":""}`} href=${w.room(e.roomId)} aria-current=${n?"page":void 0}>
      <${I} id=${e.roomId} name=${e.displayName} isRoom=${!e.isDirect} />
      <span class="room-line-text">
        <span class="row"><span class="room-name one-line grow" dir="auto">${e.displayName}</span><${le} room=${e} /></span>
        <span class="row"><span class="room-last one-line grow"><${pe} room=${e} /></span>
          ${s&&r`<span class="soft" title=${o("room.muted")}><${d} name="bellOff" /></span>`}
          ${e.hasCall&&r`<span class="in-call"><${d} name="phone" /><span class="unseen">${o("room.hasCall")}</span></span>`}
          ${e.highlightCount>0?r`<span class="count highlight"><span aria-hidden="true">@${v(e.highlightCount)}</span><span class="unseen">${o("home.highlights",{count:e.highlightCount})}</span></span>`:i>0&&r`<span class="count"><span aria-hidden="true">${v(i)}</span><span class="unseen">${o("home.unread",{count:i})}</span></span>`}
        </span>
      </span>
    </a>
  </li>`}function le({room:{lastMessage:e}}){if(!e)return null;let{sentAt:t}=e;return r`<time class="soft small" datetime=${t}>${A(t,ee(t))}</time>`}function pe({room:{typing:e,lastMessage:t,isDirect:n}}){if(e.length>0)return r`<em>${o("home.typing")}</em>`;let s=t?Z(t):null;if(!s||!t)return null;let{senderName:i,senderId:a}=t;return r`${!n&&r`<span dir="auto">${$({displayName:i,userId:a})}</span>: `}<span dir="auto">${s}</span>`}var ue=40;function te(){let e=l("home"),[t,n]=h(""),s=e?.isLoaded??!1;u(()=>{s&&g()},[s]);let i=t.trim().toLocaleLowerCase(),a=(e?.rooms??[]).filter(m=>!i||m.displayName.toLocaleLowerCase().includes(i)),f=a.filter(m=>m.isFavourite),k=a.filter(m=>m.isDirect&&!m.isFavourite),S=a.filter(m=>!m.isDirect&&!m.isFavourite);return r`<nav class="sidebar" aria-label=${o("home.title")}>
    <header class="bar"><${j} /></header>
    <${K} />
    <div class="sidebar-tools">
      <input class="search" type="search" value=${t} placeholder=${o("home.search")} aria-label=${o("home.search")} dir="auto"
        onInput=${m=>n(m.target.value)} />
      <a class="icon-button" href="/new" aria-label=${o("home.new")} title=${o("home.new")}><${d} name="add" /></a>
      <a class="icon-button" href="/rooms" aria-label=${o("home.directory")} title=${o("home.directory")}><${d} name="search" /></a>
    </div>
    <div class="sidebar-list" tabindex="-1">
      <${Y} invites=${e?.invites??[]} />
      <${R} title="home.favourites" rooms=${f} />
      <${R} title="home.rooms" rooms=${S} />
      <${R} title="home.people" rooms=${k} />
      ${e?.isLoaded&&a.length===0&&r`<p class="sidebar-empty soft">${i?o("home.nothingFound"):o("home.empty")}</p>`}
      ${e&&!e.isLoaded&&r`<p class="sidebar-empty soft" role="status">${o("app.loading")}</p>`}
    </div>
  </nav>`}function R({title:e,rooms:t}){let[n,s]=h(!1);if(t.length===0)return null;let i=n?t:t.slice(0,ue);return r`<section class="sidebar-part">
    <h2 class="sidebar-title">${o(e)}</h2>
    <ul>${i.map(a=>r`<${oe} key=${a.roomId} room=${a} />`)}</ul>
    ${i.length<t.length&&r`<button type="button" class="button link sidebar-more" onClick=${()=>s(!0)}>${o("home.showAll",{count:t.length})}</button>`}
  </section>`}function re(){let e=l("home")?.rooms??[],t=c.value,n=e.reduce((a,f)=>a+f.notificationCount,0),s=t.page==="room"?e.find(a=>a.roomId===t.roomId):void 0,i=s?`${s.displayName} · ${o("app.name")}`:o("app.name");return u(()=>{document.title=n>0?`(${v(n)}) ${i}`:i},[n,i]),null}function ne(){return r`<${F.value?fe:X} /><${B} />`}function fe(){let{page:e}=c.value;return u(()=>{document.getElementById("screen")?.focus({preventScroll:!0})},[e]),r`
    <a class="skip" href="#screen" onClick=${de}>${o("app.skip")}</a>
    <div class=${`shell ${e==="home"||e==="welcome"?"at-home":""}`}>
      <${te} />
      <main class="screen" id="screen" tabindex="-1"><${$e} /></main>
    </div>
    <${re} />
    <${p} screen="CallLayer" isSilent />
  `}function de(e){e.preventDefault(),document.getElementById("screen")?.focus()}function $e(){let e=c.value;switch(e.page){case"room":return r`<${p} screen="RoomScreen" key=${e.roomId} ...${e} />`;case"person":return r`<${p} screen="PersonScreen" key=${e.userId} userId=${e.userId} />`;case"directory":return r`<${p} key="directory" screen="Directory" />`;case"new":return r`<${p} key="new" screen="NewRoom" />`;case"settings":return r`<${p} key="settings" screen="Settings" />`;case"devices":return r`<${p} key="devices" screen="Devices" />`;case"operator":return r`<${p} key="operator" screen="Operator" />`;case"home":case"welcome":return r`<${q} />`;case"missing":return r`<div class="screen-body stack"><h1>${o("app.missing")}</h1><p><a href="/">${o("app.home")}</a></p></div>`}}async function se(){Q(),U(),E(),_(),c.value.page==="room"&&J.value&&g(),await P(O()),C(r`<${ne} />`,document.getElementById("app"))}"SharedWorkerGlobalScope"in globalThis?L(globalThis,x):se();
