import{A as F,Aa as X,B as c,Ba as _,C as $,Ca as q,F as P,K as W,a as N,b as R,c as D,d as t,e as h,f as u,h as E,i as b,k as l,l as T,la as L,m as A,n as o,na as G,o as v,p as O,pa as w,ra as U,s as B,sa as H,t as M,ta as j,u as d,v as y,va as J,wa as Q,y as S,z as V}from"./chat-shared.js";function z(){let e=c("home"),r=c("viewer");if(!e?.isLoaded)return t`<div class="screen-body" aria-busy="true"></div>`;let n=r?$(r):"";return e.rooms.length===0&&e.invites.length===0?t`<div class="screen-body"><div class="stack first-room">
      <h1>${o("first.title",{name:n})}</h1>
      <p class="soft">${o("first.lead")}</p>
      <${G} name=${o("first.roomName")} isOpen />
      <p>${o("first.or")} <a href="/rooms">${o("first.directory")}</a></p>
    </div></div>`:t`<div class="screen-body greeting">
    <div class="stack">
      <h1>${o("greeting.title",{name:n})}</h1>
      <p class="soft">${o("greeting.lead")}</p>
      <p class="row greeting-ways"><a class="button" href="/new">${o("home.new")}</a><a class="button" href="/rooms">${o("home.directory")}</a></p>
    </div>
  </div>`}var x=E(null),K=null;function g(){return K??=import("./chat-more.js").then(e=>{x.value=e},()=>{x.value="failed"}),K}function p({screen:e,isSilent:r,...n}){let s=x.value;return s&&s!=="failed"?t`<${s[e]} ...${n} />`:r?null:s==="failed"?t`<div class="screen-body stack"><p role="alert">${o("app.notLoaded")}</p>
      <div><${y} onClick=${()=>location.reload()}>${o("app.retry")}<//></div></div>`:(g(),t`<p class="screen-body soft" aria-busy="true">${o("app.loading")}</p>`)}function Y(){let e=c("status"),r=ie(e?.phase==="offline"),n=se(e,r),s=e?.phase??"connecting";return t`<p class=${`connection ${s}`} role="status" data-phase=${s} hidden=${!n}>
    ${n&&t`<span class="connection-dot"></span><span>${n}</span>`}
  </p>`}function se(e,r){switch(e?.phase){case void 0:case"ended":return null;case"live":return e.unsent>0?o("status.unsent",{count:e.unsent}):null;case"connecting":return o("status.connecting");case"catchingUp":return o("status.catchingUp",{count:e.caughtUp});case"offline":{let n=e.retryAt===null?0:Math.ceil((e.retryAt-r)/1e3),s=n>1?o("status.offlineRetry",{count:n}):o("status.offline");return e.unsent>0?`${s} ${o("status.unsent",{count:e.unsent})}`:s}}}function ie(e){let[r,n]=h(Date.now());return u(()=>{if(!e)return;n(Date.now());let s=setInterval(()=>n(Date.now()),1e3);return()=>clearInterval(s)},[e]),r}function Z({invites:e}){return e.length===0?null:t`<section class="sidebar-part">
    <h2 class="sidebar-title">${o("home.invites")}</h2>
    <ul>${e.map(r=>t`<${ae} key=${r.roomId} invite=${r} />`)}</ul>
  </section>`}function ae({invite:e}){let r=F(),{roomId:n,displayName:s,inviterName:i,inviterId:a,reason:f}=e,I=async()=>{await L(r,P,{room:{roomId:n}})&&T(b.room(n))},k=()=>{L(r,W,{roomId:n})};return t`<li class="invite">
    <${w} id=${n} name=${s} isRoom=${!e.isDirect} />
    <div class="grow stack-small">
      <span class="room-name one-line" dir="auto">${s}</span>
      <span class="soft small">${o("home.invitedBy",{name:$({displayName:i,userId:a})})}</span>
      ${f&&t`<span class="small" dir="auto">${f}</span>`}
      <span class="row">
        <${y} kind="main" onClick=${I} aria-label=${o("home.acceptIn",{name:s})}>${o("home.accept")}<//>
        <${y} onClick=${k} aria-label=${o("home.declineIn",{name:s})}>${o("home.decline")}<//>
      </span>
    </div>
  </li>`}function ee({room:e}){let r=l.value,n=r.page==="room"&&r.roomId===e.roomId,s=e.notifications==="NONE",i=e.notificationCount||(s?0:e.unreadCount);return t`<li>
    <a class=${`room-line ${n?"here":""} ${i>0?"unread":""}`} href=${b.room(e.roomId)} aria-current=${n?"page":void 0}>
      <${w} id=${e.roomId} name=${e.displayName} isRoom=${!e.isDirect} />
      <span class="room-line-text">
        <span class="row"><span class="room-name one-line grow" dir="auto">${e.displayName}</span><${me} room=${e} /></span>
        <span class="row"><span class="room-last one-line grow"><${le} room=${e} /></span>
          ${s&&t`<span class="soft" title=${o("room.muted")}><${d} name="bellOff" /></span>`}
          ${e.hasCall&&t`<span class="in-call"><${d} name="phone" /><span class="unseen">${o("room.hasCall")}</span></span>`}
          ${e.highlightCount>0?t`<span class="count highlight"><span aria-hidden="true">@${v(e.highlightCount)}</span><span class="unseen">${o("home.highlights",{count:e.highlightCount})}</span></span>`:i>0&&t`<span class="count"><span aria-hidden="true">${v(i)}</span><span class="unseen">${o("home.unread",{count:i})}</span></span>`}
        </span>
      </span>
    </a>
  </li>`}function me({room:{lastMessage:e}}){if(!e)return null;let{sentAt:r}=e;return t`<time class="soft small" datetime=${r}>${O(r,Q(r))}</time>`}function le({room:{typing:e,lastMessage:r,isDirect:n}}){if(e.length>0)return t`<em>${o("home.typing")}</em>`;let s=r?J(r):null;if(!s||!r)return null;let{senderName:i,senderId:a}=r;return t`${!n&&t`<span dir="auto">${$({displayName:i,userId:a})}</span>: `}<span dir="auto">${s}</span>`}var ce=40;function oe(){let e=c("home"),[r,n]=h(""),s=e?.isLoaded??!1;u(()=>{s&&g()},[s]);let i=r.trim().toLocaleLowerCase(),a=(e?.rooms??[]).filter(m=>!i||m.displayName.toLocaleLowerCase().includes(i)),f=a.filter(m=>m.isFavourite),I=a.filter(m=>m.isDirect&&!m.isFavourite),k=a.filter(m=>!m.isDirect&&!m.isFavourite);return t`<nav class="sidebar" aria-label=${o("home.title")}>
    <header class="bar"><${j} /></header>
    <${Y} />
    <div class="sidebar-tools">
      <input class="search" type="search" value=${r} placeholder=${o("home.search")} aria-label=${o("home.search")} dir="auto"
        onInput=${m=>n(m.target.value)} />
      <a class="icon-button" href="/new" aria-label=${o("home.new")} title=${o("home.new")}><${d} name="add" /></a>
      <a class="icon-button" href="/rooms" aria-label=${o("home.directory")} title=${o("home.directory")}><${d} name="search" /></a>
    </div>
    <div class="sidebar-list" tabindex="-1">
      <${Z} invites=${e?.invites??[]} />
      <${C} title="home.favourites" rooms=${f} />
      <${C} title="home.rooms" rooms=${k} />
      <${C} title="home.people" rooms=${I} />
      ${e?.isLoaded&&a.length===0&&t`<p class="sidebar-empty soft">${i?o("home.nothingFound"):o("home.empty")}</p>`}
      ${e&&!e.isLoaded&&t`<p class="sidebar-empty soft" role="status">${o("app.loading")}</p>`}
    </div>
  </nav>`}function C({title:e,rooms:r}){let[n,s]=h(!1);if(r.length===0)return null;let i=n?r:r.slice(0,ce);return t`<section class="sidebar-part">
    <h2 class="sidebar-title">${o(e)}</h2>
    <ul>${i.map(a=>t`<${ee} key=${a.roomId} room=${a} />`)}</ul>
    ${i.length<r.length&&t`<button type="button" class="button link sidebar-more" onClick=${()=>s(!0)}>${o("home.showAll",{count:r.length})}</button>`}
  </section>`}function te(){let e=c("home")?.rooms??[],r=l.value,n=e.reduce((a,f)=>a+f.notificationCount,0),s=r.page==="room"?e.find(a=>a.roomId===r.roomId):void 0,i=s?`${s.displayName} · ${o("app.name")}`:o("app.name");return u(()=>{document.title=n>0?`(${v(n)}) ${i}`:i},[n,i]),null}function re(){if(!V.value)return t`<${q} /><${S} />`;let{page:e}=l.value;return u(()=>{document.getElementById("screen")?.focus({preventScroll:!0})},[e]),t`
    <a class="skip" href="#screen" onClick=${pe}>${o("app.skip")}</a>
    <div class=${`shell ${e==="home"||e==="welcome"?"at-home":""}`}>
      <${oe} />
      <main class="screen" id="screen" tabindex="-1"><${ue} /></main>
    </div>
    <${te} />
    <${p} screen="CallLayer" isSilent />
    <${S} />
  `}function pe(e){e.preventDefault(),document.getElementById("screen")?.focus()}function ue(){let e=l.value;switch(e.page){case"room":return t`<${p} screen="RoomScreen" key=${e.roomId} ...${e} />`;case"person":return t`<${p} screen="PersonScreen" key=${e.userId} userId=${e.userId} />`;case"directory":return t`<${p} key="directory" screen="Directory" />`;case"new":return t`<${p} key="new" screen="NewRoom" />`;case"settings":return t`<${p} key="settings" screen="Settings" />`;case"devices":return t`<${p} key="devices" screen="Devices" />`;case"operator":return t`<${p} key="operator" screen="Operator" />`;case"home":case"welcome":return t`<${z} />`;case"missing":return t`<div class="screen-body stack"><h1>${o("app.missing")}</h1><p><a href="/">${o("app.home")}</a></p></div>`}}async function ne(){X(),H(),A(),_(),l.value.page==="room"&&U.value&&g(),await M(B()),D(t`<${re} />`,document.getElementById("app"))}"SharedWorkerGlobalScope"in globalThis?R(globalThis,N):ne();
