import{A as V,B as c,Ba as _,C as $,Ca as q,Da as z,G as F,L as W,Y as G,a as N,b as R,c as D,d as t,e as h,f as u,h as E,i as b,k as l,l as T,m as A,ma as w,n as o,o as v,oa as U,p as O,qa as I,s as B,sa as H,t as M,ta as j,u as d,ua as J,v as y,wa as Q,xa as X,y as L,z as P}from"./chat-shared.js";function K(){let e=c("home"),r=c("viewer");if(!e?.isLoaded)return t`<div class="screen-body" aria-busy="true"></div>`;let n=r?$(r):"";return e.rooms.length===0&&e.invites.length===0?t`<div class="screen-body"><div class="stack first-room">
      <h1>${o("first.title",{name:n})}</h1>
      <p class="soft">${o("first.lead")}</p>
      <${U} name=${o("first.roomName")} isOpen />
      <p>${o("first.or")} <a href="/rooms">${o("first.directory")}</a></p>
    </div></div>`:t`<div class="screen-body greeting">
    <div class="stack">
      <h1>${o("greeting.title",{name:n})}</h1>
      <p class="soft">${o("greeting.lead")}</p>
      <p class="row greeting-ways"><a class="button" href="/new">${o("home.new")}</a><a class="button" href="/rooms">${o("home.directory")}</a></p>
    </div>
  </div>`}var x=E(null),Y=null;function g(){return Y??=import("./chat-more.js").then(e=>{x.value=e},()=>{x.value="failed"}),Y}function p({screen:e,isSilent:r,...n}){let s=x.value;return s&&s!=="failed"?t`<${s[e]} ...${n} />`:r?null:s==="failed"?t`<div class="screen-body stack"><p role="alert">${o("app.notLoaded")}</p>
      <div><${y} onClick=${()=>location.reload()}>${o("app.retry")}<//></div></div>`:(g(),t`<p class="screen-body soft" aria-busy="true">${o("app.loading")}</p>`)}function Z(){let e=c("status"),r=ae(e?.phase==="offline"),n=ie(e,r),s=e?.phase??"connecting";return t`<p class=${`connection ${s}`} role="status" data-phase=${s} hidden=${!n}>
    ${n&&t`<span class="connection-dot"></span><span>${n}</span>`}
  </p>`}function ie(e,r){switch(e?.phase){case void 0:case"ended":return null;case"live":return e.unsent>0?o("status.unsent",{count:e.unsent}):null;case"connecting":return o("status.connecting");case"catchingUp":return o("status.catchingUp",{count:e.caughtUp});case"offline":{let n=e.retryAt===null?0:Math.ceil((e.retryAt-r)/1e3),s=n>1?o("status.offlineRetry",{count:n}):o("status.offline");return e.unsent>0?`${s} ${o("status.unsent",{count:e.unsent})}`:s}}}function ae(e){let[r,n]=h(Date.now());return u(()=>{if(!e)return;n(Date.now());let s=setInterval(()=>n(Date.now()),1e3);return()=>clearInterval(s)},[e]),r}function ee({invites:e}){return e.length===0?null:t`<section class="sidebar-part">
    <h2 class="sidebar-title">${o("home.invites")}</h2>
    <ul>${e.map(r=>t`<${me} key=${r.roomId} invite=${r} />`)}</ul>
  </section>`}function me({invite:e}){let r=V(),{roomId:n,displayName:s,inviterName:i,inviterId:a,reason:f}=e,k=async()=>{await w(r,F,{room:{roomId:n}})&&(T(b.room(n)),e.isDirect&&await w(r,G,{roomId:n,isDirect:!0}))},S=()=>{w(r,W,{roomId:n})};return t`<li class="invite">
    <${I} id=${n} name=${s} isRoom=${!e.isDirect} />
    <div class="grow stack-small">
      <span class="room-name one-line" dir="auto">${s}</span>
      <span class="soft small">${o("home.invitedBy",{name:$({displayName:i,userId:a})})}</span>
      ${f&&t`<span class="small" dir="auto">${f}</span>`}
      <span class="row">
        <${y} kind="main" onClick=${k} aria-label=${o("home.acceptIn",{name:s})}>${o("home.accept")}<//>
        <${y} onClick=${S} aria-label=${o("home.declineIn",{name:s})}>${o("home.decline")}<//>
      </span>
    </div>
  </li>`}function oe({room:e}){let r=l.value,n=r.page==="room"&&r.roomId===e.roomId,s=e.notifications==="NONE",i=e.notificationCount||(s?0:e.unreadCount);return t`<li>
    <a class=${`room-line ${n?"here":""} ${i>0?"unread":""}`} href=${b.room(e.roomId)} aria-current=${n?"page":void 0}>
      <${I} id=${e.roomId} name=${e.displayName} isRoom=${!e.isDirect} />
      <span class="room-line-text">
        <span class="row"><span class="room-name one-line grow" dir="auto">${e.displayName}</span><${le} room=${e} /></span>
        <span class="row"><span class="room-last one-line grow"><${ce} room=${e} /></span>
          ${s&&t`<span class="soft" title=${o("room.muted")}><${d} name="bellOff" /></span>`}
          ${e.hasCall&&t`<span class="in-call"><${d} name="phone" /><span class="unseen">${o("room.hasCall")}</span></span>`}
          ${e.highlightCount>0?t`<span class="count highlight"><span aria-hidden="true">@${v(e.highlightCount)}</span><span class="unseen">${o("home.highlights",{count:e.highlightCount})}</span></span>`:i>0&&t`<span class="count"><span aria-hidden="true">${v(i)}</span><span class="unseen">${o("home.unread",{count:i})}</span></span>`}
        </span>
      </span>
    </a>
  </li>`}function le({room:{lastMessage:e}}){if(!e)return null;let{sentAt:r}=e;return t`<time class="soft small" datetime=${r}>${O(r,X(r))}</time>`}function ce({room:{typing:e,lastMessage:r,isDirect:n}}){if(e.length>0)return t`<em>${o("home.typing")}</em>`;let s=r?Q(r):null;if(!s||!r)return null;let{senderName:i,senderId:a}=r;return t`${!n&&t`<span dir="auto">${$({displayName:i,userId:a})}</span>: `}<span dir="auto">${s}</span>`}var pe=40;function te(){let e=c("home"),[r,n]=h(""),s=e?.isLoaded??!1;u(()=>{s&&g()},[s]);let i=r.trim().toLocaleLowerCase(),a=(e?.rooms??[]).filter(m=>!i||m.displayName.toLocaleLowerCase().includes(i)),f=a.filter(m=>m.isFavourite),k=a.filter(m=>m.isDirect&&!m.isFavourite),S=a.filter(m=>!m.isDirect&&!m.isFavourite);return t`<nav class="sidebar" aria-label=${o("home.title")}>
    <header class="bar"><${J} /></header>
    <${Z} />
    <div class="sidebar-tools">
      <input class="search" type="search" value=${r} placeholder=${o("home.search")} aria-label=${o("home.search")} dir="auto"
        onInput=${m=>n(m.target.value)} />
      <a class="icon-button" href="/new" aria-label=${o("home.new")} title=${o("home.new")}><${d} name="add" /></a>
      <a class="icon-button" href="/rooms" aria-label=${o("home.directory")} title=${o("home.directory")}><${d} name="search" /></a>
    </div>
    <div class="sidebar-list" tabindex="-1">
      <${ee} invites=${e?.invites??[]} />
      <${C} title="home.favourites" rooms=${f} />
      <${C} title="home.rooms" rooms=${S} />
      <${C} title="home.people" rooms=${k} />
      ${e?.isLoaded&&a.length===0&&t`<p class="sidebar-empty soft">${i?o("home.nothingFound"):o("home.empty")}</p>`}
      ${e&&!e.isLoaded&&t`<p class="sidebar-empty soft" role="status">${o("app.loading")}</p>`}
    </div>
  </nav>`}function C({title:e,rooms:r}){let[n,s]=h(!1);if(r.length===0)return null;let i=n?r:r.slice(0,pe);return t`<section class="sidebar-part">
    <h2 class="sidebar-title">${o(e)}</h2>
    <ul>${i.map(a=>t`<${oe} key=${a.roomId} room=${a} />`)}</ul>
    ${i.length<r.length&&t`<button type="button" class="button link sidebar-more" onClick=${()=>s(!0)}>${o("home.showAll",{count:r.length})}</button>`}
  </section>`}function re(){let e=c("home")?.rooms??[],r=l.value,n=e.reduce((a,f)=>a+f.notificationCount,0),s=r.page==="room"?e.find(a=>a.roomId===r.roomId):void 0,i=s?`${s.displayName} · ${o("app.name")}`:o("app.name");return u(()=>{document.title=n>0?`(${v(n)}) ${i}`:i},[n,i]),null}function ne(){if(!P.value)return t`<${z} /><${L} />`;let{page:e}=l.value;return u(()=>{document.getElementById("screen")?.focus({preventScroll:!0})},[e]),t`
    <a class="skip" href="#screen" onClick=${ue}>${o("app.skip")}</a>
    <div class=${`shell ${e==="home"||e==="welcome"?"at-home":""}`}>
      <${te} />
      <main class="screen" id="screen" tabindex="-1"><${fe} /></main>
    </div>
    <${re} />
    <${p} screen="CallLayer" isSilent />
    <${L} />
  `}function ue(e){e.preventDefault(),document.getElementById("screen")?.focus()}function fe(){let e=l.value;switch(e.page){case"room":return t`<${p} screen="RoomScreen" key=${e.roomId} ...${e} />`;case"person":return t`<${p} screen="PersonScreen" key=${e.userId} userId=${e.userId} />`;case"directory":return t`<${p} key="directory" screen="Directory" />`;case"new":return t`<${p} key="new" screen="NewRoom" />`;case"settings":return t`<${p} key="settings" screen="Settings" />`;case"devices":return t`<${p} key="devices" screen="Devices" />`;case"operator":return t`<${p} key="operator" screen="Operator" />`;case"home":case"welcome":return t`<${K} />`;case"missing":return t`<div class="screen-body stack"><h1>${o("app.missing")}</h1><p><a href="/">${o("app.home")}</a></p></div>`}}async function se(){_(),j(),A(),q(),l.value.page==="room"&&H.value&&g(),await M(B()),D(t`<${ne} />`,document.getElementById("app"))}"SharedWorkerGlobalScope"in globalThis?R(globalThis,N):se();
