import{A as O,Aa as _,B as f,Ba as j,C as v,Ca as G,F as P,G as B,H as V,Ha as W,I as l,Ia as Q,J as $,N as F,S as M,a as E,b as r,c as h,da as U,e as u,k as N,n as w,p as c,q as R,r as L,s as T,t as o,ta as b,u as C,v as y,va as H,w as A,xa as I,za as J}from"./chat-chunk-5MJHY6TD.js";import"./chat-chunk-UWKOPLHP.js";function X(){let e=l("home"),t=l("viewer");if(!e?.isLoaded)return r`<div class="screen-body" aria-busy="true"></div>`;let n=t?$(t):"";return e.rooms.length===0&&e.invites.length===0?r`<div class="screen-body"><div class="stack first-room">
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
  </div>`}var x=N(null),q=null;function g(){return q??=Promise.all([import("./chat-more-4H634AYW.js"),ie()]).then(([e])=>{C(e.texts),x.value=e},()=>{x.value="failed"}),q}function ie(){return new Promise((e,t)=>{let n=document.createElement("link");n.rel="stylesheet",n.href=document.documentElement.dataset.later??"",n.onload=()=>e(),n.onerror=()=>t(new Error("the styles did not load")),document.head.append(n)})}function p({screen:e,isSilent:t,...n}){let s=x.value;return s&&s!=="failed"?r`<${s[e]} ...${n} />`:t?null:s==="failed"?r`<div class="screen-body stack"><p role="alert">${o("app.notLoaded")}</p>
      <div><${v} onClick=${()=>location.reload()}>${o("app.retry")}<//></div></div>`:(g(),r`<p class="screen-body soft" aria-busy="true">${o("app.loading")}</p>`)}function z(){let e=l("status"),t=me(e?.phase==="offline"),n=ae(e,t),s=e?.phase??"connecting";return r`<p class=${`connection ${s}`} role="status" data-phase=${s} hidden=${!n}>
    ${n&&r`<span class="connection-dot"></span><span>${n}</span>`}
  </p>`}function ae(e,t){switch(e?.phase){case void 0:case"ended":return null;case"live":return e.unsent>0?o("status.unsent",{count:e.unsent}):null;case"connecting":return o("status.connecting");case"catchingUp":return o("status.catchingUp",{count:e.caughtUp});case"offline":{let n=e.retryAt===null?0:Math.ceil((e.retryAt-t)/1e3),s=n>1?o("status.offlineRetry",{count:n}):o("status.offline");return e.unsent>0?`${s} ${o("status.unsent",{count:e.unsent})}`:s}}}function me(e){let[t,n]=h(Date.now());return u(()=>{if(!e)return;n(Date.now());let s=setInterval(()=>n(Date.now()),1e3);return()=>clearInterval(s)},[e]),t}function K({invites:e}){return e.length===0?null:r`<section class="sidebar-part">
    <h2 class="sidebar-title">${o("home.invites")}</h2>
    <ul>${e.map(t=>r`<${ce} key=${t.roomId} invite=${t} />`)}</ul>
  </section>`}function ce({invite:e}){let t=V(),{roomId:n,displayName:s,inviterName:a,inviterId:i,reason:d}=e,k=async()=>{await b(t,F,{room:{roomId:n}})&&(R(w.room(n)),e.isDirect&&await b(t,U,{roomId:n,isDirect:!0}))},S=()=>{b(t,M,{roomId:n})};return r`<li class="invite">
    <${I} id=${n} name=${s} isRoom=${!e.isDirect} />
    <div class="grow stack-small">
      <span class="room-name one-line" dir="auto">${s}</span>
      <span class="soft small">${o("home.invitedBy",{name:$({displayName:a,userId:i})})}</span>
      ${d&&r`<span class="small" dir="auto">${d}</span>`}
      <span class="row">
        <${v} kind="main" onClick=${k} aria-label=${o("home.acceptIn",{name:s})}>${o("home.accept")}<//>
        <${v} onClick=${S} aria-label=${o("home.declineIn",{name:s})}>${o("home.decline")}<//>
      </span>
    </div>
  </li>`}function Y({type:e,content:t}){if(e!=="m.room.message")return le[e]?.()??null;let s=(t&&typeof t=="object"&&!Array.isArray(t)?t:{}).body;return typeof s!="string"?o("preview.redacted"):s.slice(0,200).replaceAll(/\s+/g," ")}var le={"m.call.invite":()=>o("preview.call"),"m.call.hangup":()=>o("preview.callEnded"),"m.room.create":()=>o("preview.created"),"m.room.member":()=>o("preview.members"),"m.room.name":()=>o("preview.renamed")};function Z(e){let t=(Date.now()-new Date(e).getTime())/864e5;return new Date(e).toDateString()===new Date().toDateString()?{hour:"numeric",minute:"2-digit"}:t<6?{weekday:"short"}:t<300?{day:"numeric",month:"short"}:{year:"numeric",month:"short"}}var ee={ONLINE:"presence.online",UNAVAILABLE:"presence.away"};function oe({room:e}){let t=c.value,n=t.page==="room"&&t.roomId===e.roomId,s=e.isDirect?e.peer?.presence??void 0:void 0,a=e.notifications==="NONE",i=e.notificationCount||(a?0:e.unreadCount);return r`<li>
    <a class=${`room-line ${n?"here":""} ${i>0?"unread":""}`} href=${w.room(e.roomId)} aria-current=${n?"page":void 0}>
      <${I} id=${e.roomId} name=${e.displayName} isRoom=${!e.isDirect} presence=${s} />
      <span class="room-line-text">
        <span class="row"><span class="room-name one-line grow" dir="auto">${e.displayName}</span>${s&&ee[s]&&r`<span class="unseen">${o(ee[s])}</span>`}<${pe} room=${e} /></span>
        <span class="row"><span class="room-last one-line grow"><${ue} room=${e} /></span>
          ${a&&r`<span class="soft" title=${o("home.muted")}><${f} name="bellOff" /></span>`}
          ${e.hasCall&&r`<span class="in-call"><${f} name="phone" /><span class="unseen">${o("home.hasCall")}</span></span>`}
          ${e.highlightCount>0?r`<span class="count highlight"><span aria-hidden="true">@${y(e.highlightCount)}</span><span class="unseen">${o("home.highlights",{count:e.highlightCount})}</span></span>`:i>0&&r`<span class="count"><span aria-hidden="true">${y(i)}</span><span class="unseen">${o("home.unread",{count:i})}</span></span>`}
        </span>
      </span>
    </a>
  </li>`}function pe({room:{lastMessage:e}}){if(!e)return null;let{sentAt:t}=e;return r`<time class="soft small" datetime=${t}>${A(t,Z(t))}</time>`}function ue({room:{typing:e,lastMessage:t,isDirect:n}}){if(e.length>0)return r`<em>${o("home.typing")}</em>`;let s=t?Y(t):null;if(!s||!t)return null;let{senderName:a,senderId:i}=t;return r`${!n&&r`<span dir="auto">${$({displayName:a,userId:i})}</span>: `}<span dir="auto">${s}</span>`}var de=40;function te(){let e=l("home"),[t,n]=h(""),s=e?.isLoaded??!1;u(()=>{s&&g()},[s]);let a=t.trim().toLocaleLowerCase(),i=(e?.rooms??[]).filter(m=>!a||m.displayName.toLocaleLowerCase().includes(a)),d=i.filter(m=>m.isFavourite),k=i.filter(m=>m.isDirect&&!m.isFavourite),S=i.filter(m=>!m.isDirect&&!m.isFavourite);return r`<nav class="sidebar" aria-label=${o("home.title")}>
    <header class="bar"><${G} /></header>
    <${z} />
    <div class="sidebar-tools">
      <input class="search" type="search" value=${t} placeholder=${o("home.search")} aria-label=${o("home.search")} dir="auto"
        onInput=${m=>n(m.target.value)} />
      <a class="icon-button" href="/new" aria-label=${o("home.new")} title=${o("home.new")}><${f} name="add" /></a>
      <a class="icon-button" href="/rooms" aria-label=${o("home.directory")} title=${o("home.directory")}><${f} name="search" /></a>
    </div>
    <div class="sidebar-list" tabindex="-1">
      <${K} invites=${e?.invites??[]} />
      <${D} title="home.favourites" rooms=${d} />
      <${D} title="home.rooms" rooms=${S} />
      <${D} title="home.people" rooms=${k} />
      ${e?.isLoaded&&i.length===0&&r`<p class="sidebar-empty soft">${a?o("home.nothingFound"):o("home.empty")}</p>`}
      ${e&&!e.isLoaded&&r`<p class="sidebar-empty soft" role="status">${o("app.loading")}</p>`}
    </div>
  </nav>`}function D({title:e,rooms:t}){let[n,s]=h(!1);if(t.length===0)return null;let a=n?t:t.slice(0,de);return r`<section class="sidebar-part">
    <h2 class="sidebar-title">${o(e)}</h2>
    <ul>${a.map(i=>r`<${oe} key=${i.roomId} room=${i} />`)}</ul>
    ${a.length<t.length&&r`<button type="button" class="button link sidebar-more" onClick=${()=>s(!0)}>${o("home.showAll",{count:t.length})}</button>`}
  </section>`}function re(){let e=l("home")?.rooms??[],t=c.value,n=e.reduce((i,d)=>i+d.notificationCount,0),s=t.page==="room"?e.find(i=>i.roomId===t.roomId):void 0,a=s?`${s.displayName} · ${o("app.name")}`:o("app.name");return u(()=>{document.title=n>0?`(${y(n)}) ${a}`:a},[n,a]),null}function ne(){return r`<${B.value?fe:Q} /><${P} />`}function fe(){let{page:e}=c.value;return u(()=>{document.getElementById("screen")?.focus({preventScroll:!0})},[e]),r`
    <a class="skip" href="#screen" onClick=${$e}>${o("app.skip")}</a>
    <div class=${`shell ${e==="home"||e==="welcome"?"at-home":""}`}>
      <${te} />
      <main class="screen" id="screen" tabindex="-1"><${he} /></main>
    </div>
    <${re} />
    <${p} screen="CallLayer" isSilent />
  `}function $e(e){e.preventDefault(),document.getElementById("screen")?.focus()}function he(){let e=c.value;switch(e.page){case"room":return r`<${p} screen="RoomScreen" key=${e.roomId} ...${e} />`;case"person":return r`<${p} screen="PersonScreen" key=${e.userId} userId=${e.userId} />`;case"directory":return r`<${p} key="directory" screen="Directory" />`;case"new":return r`<${p} key="new" screen="NewRoom" />`;case"settings":return r`<${p} key="settings" screen="Settings" />`;case"devices":return r`<${p} key="devices" screen="Devices" />`;case"operator":return r`<${p} key="operator" screen="Operator" />`;case"home":case"welcome":return r`<${X} />`;case"missing":return r`<div class="screen-body stack"><h1>${o("app.missing")}</h1><p><a href="/">${o("app.home")}</a></p></div>`}}async function se(){W(),_(),L(),j(),c.value.page==="room"&&J.value&&g(),await O(T()),E(r`<${ne} />`,document.getElementById("app"))}se();
