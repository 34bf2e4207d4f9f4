import{Aa as Q,Ca as x,D as M,E as y,Ea as X,F as I,Fa as q,G as W,Ga as z,Ha as Y,I as j,J,K as S,L as c,La as Z,M as g,Ma as ee,Na as te,O as U,Qa as oe,R as H,Ra as re,W as _,a as L,b as r,c as h,e as $,ha as G,k as C,n as v,q as l,r as O,s as P,v as V,w as t,x as B,xa as N,y as b,ya as K,z as F,za as R}from"./chat-chunk-Y2SLG47J.js";import"./chat-chunk-DDZ7EL3F.js";function ne(){let e=c("home"),o=c("viewer");if(!e?.isLoaded)return r`<div class="screen-body" aria-busy="true"></div>`;let n=o?g(o):"";return e.rooms.length===0&&e.invites.length===0?r`<div class="screen-body"><div class="stack first-room">
      <h1>${t("first.title",{name:n})}</h1>
      <p class="soft">${t("first.lead")}</p>
      <${Q} name=${t("first.roomName")} isOpen />
      <p>${t("first.or")} <a href="/rooms">${t("first.directory")}</a></p>
    </div></div>`:r`<div class="screen-body greeting">
    <div class="stack">
      <h1>${t("greeting.title",{name:n})}</h1>
      <p class="soft">${t("greeting.lead")}</p>
      <p class="row greeting-ways"><a class="button" href="/new">${t("home.new")}</a><a class="button" href="/rooms">${t("home.directory")}</a></p>
    </div>
  </div>`}var E=C(null),se=null;function k(){return se??=Promise.all([import("./chat-more-O6AEAEZH.js"),ge()]).then(([e])=>{B(e.texts),E.value=e},()=>{E.value="failed"}),se}function ge(){return new Promise((e,o)=>{let n=document.createElement("link");n.rel="stylesheet",n.href=document.documentElement.dataset.later??"",n.onload=()=>e(),n.onerror=()=>o(new Error("the styles did not load")),document.head.append(n)})}function p({screen:e,isSilent:o,...n}){let s=E.value;return s&&s!=="failed"?r`<${s[e]} ...${n} />`:o?null:s==="failed"?r`<div class="screen-body stack"><p role="alert">${t("app.notLoaded")}</p>
      <div><${I} onClick=${()=>location.reload()}>${t("app.retry")}<//></div></div>`:(k(),r`<p class="screen-body soft" aria-busy="true">${t("app.loading")}</p>`)}function ie(){let e=c("status"),o=be(e?.phase==="offline"),n=we(e,o),s=e?.phase??"connecting";return r`<p class=${`connection ${s}`} role="status" data-phase=${s} hidden=${!n}>
    ${n&&r`<span class="connection-dot"></span><span>${n}</span>`}
  </p>`}function we(e,o){switch(e?.phase){case void 0:case"ended":return null;case"live":return e.unsent>0?t("status.unsent",{count:e.unsent}):null;case"connecting":return t("status.connecting");case"catchingUp":return t("status.catchingUp",{count:e.caughtUp});case"offline":{let n=e.retryAt===null?0:Math.ceil((e.retryAt-o)/1e3),s=n>1?t("status.offlineRetry",{count:n}):t("status.offline");return e.unsent>0?`${s} ${t("status.unsent",{count:e.unsent})}`:s}}}function be(e){let[o,n]=h(Date.now());return $(()=>{if(!e)return;n(Date.now());let s=setInterval(()=>n(Date.now()),1e3);return()=>clearInterval(s)},[e]),o}function ae({invites:e}){return e.length===0?null:r`<section class="sidebar-part">
    <h2 class="sidebar-title">${t("home.invites")}</h2>
    <ul>${e.map(o=>r`<${Ie} key=${o.roomId} invite=${o} />`)}</ul>
  </section>`}function Ie({invite:e}){let o=S(),{roomId:n,displayName:s,inviterName:a,inviterId:i,reason:u}=e,d=c("viewer"),f=te(n),m=f!==null&&f.refusal===null,[w,T]=h(!1),ve=async()=>{T(!0);let A=await N(o,H,{room:{roomId:n},via:ee(n)},R);T(!1),A&&(A.isPending||O(v.room(n)),e.isDirect&&await N(o,G,{roomId:n,isDirect:!0}))},ye=()=>{N(o,_,{roomId:n})};return r`<li class="invite">
    <${x} id=${n} name=${s} isRoom=${!e.isDirect} />
    <div class="grow stack-small">
      <span class="room-name one-line" dir="auto">${s}</span>
      <span class="soft small">${t("home.invitedBy",{name:g({displayName:a,userId:i})})}</span>
      ${U(i,d?.userId)&&r`<span class="soft small one-line" dir="ltr">${i}</span>`}
      ${u&&r`<span class="small" dir="auto">${u}</span>`}
      <span class="row">
        <${I} kind="main" disabled=${w||m} onClick=${ve} aria-label=${t("home.acceptIn",{name:s})}>${w||m?t("remote.joining"):t("home.accept")}<//>
        <${I} onClick=${ye} aria-label=${t("home.declineIn",{name:s})}>${t("home.decline")}<//>
      </span>
    </div>
  </li>`}function me({type:e,content:o}){if(e!=="m.room.message")return ke[e]?.()??null;let s=(o&&typeof o=="object"&&!Array.isArray(o)?o:{}).body;return typeof s!="string"?t("preview.redacted"):s.slice(0,200).replaceAll(/\s+/g," ")}var ke={"m.call.invite":()=>t("preview.call"),"m.call.hangup":()=>t("preview.callEnded"),"m.room.create":()=>t("preview.created"),"m.room.member":()=>t("preview.members"),"m.room.name":()=>t("preview.renamed")};function ce(e){let o=(Date.now()-new Date(e).getTime())/864e5;return new Date(e).toDateString()===new Date().toDateString()?{hour:"numeric",minute:"2-digit"}:o<6?{weekday:"short"}:o<300?{day:"numeric",month:"short"}:{year:"numeric",month:"short"}}var le={ONLINE:"presence.online",UNAVAILABLE:"presence.away"};function pe({room:e}){let o=l.value,n=o.page==="room"&&o.roomId===e.roomId,s=e.isDirect?e.peer?.presence??void 0:void 0,a=e.notifications==="NONE",i=e.notificationCount||(a?0:e.unreadCount);return r`<li>
    <a class=${`room-line ${n?"here":""} ${i>0?"unread":""}`} href=${v.room(e.roomId)} aria-current=${n?"page":void 0}>
      <${x} id=${e.roomId} name=${e.displayName} isRoom=${!e.isDirect} presence=${s} />
      <span class="room-line-text">
        <span class="row"><span class="room-name one-line grow" dir="auto">${e.displayName}</span>${s&&le[s]&&r`<span class="unseen">${t(le[s])}</span>`}<${Se} room=${e} /></span>
        <span class="row"><span class="room-last one-line grow"><${Ne} room=${e} /></span>
          ${a&&r`<span class="soft" title=${t("home.muted")}><${y} name="bellOff" /></span>`}
          ${e.hasCall&&r`<span class="in-call"><${y} name="phone" /><span class="unseen">${t("home.hasCall")}</span></span>`}
          ${e.highlightCount>0?r`<span class="count highlight"><span aria-hidden="true">@${b(e.highlightCount)}</span><span class="unseen">${t("home.highlights",{count:e.highlightCount})}</span></span>`:i>0&&r`<span class="count"><span aria-hidden="true">${b(i)}</span><span class="unseen">${t("home.unread",{count:i})}</span></span>`}
        </span>
      </span>
    </a>
  </li>`}function Se({room:{lastMessage:e}}){if(!e)return null;let{sentAt:o}=e;return r`<time class="soft small" datetime=${o}>${F(o,ce(o))}</time>`}function Ne({room:{typing:e,lastMessage:o,isDirect:n}}){if(e.length>0)return r`<em>${t("home.typing")}</em>`;let s=o?me(o):null;if(!s||!o)return null;let{senderName:a,senderId:i}=o;return r`${!n&&r`<span dir="auto">${g({displayName:a,userId:i})}</span>: `}<span dir="auto">${s}</span>`}var Re={JOIN:"remote.join",KNOCK:"remote.knock",INVITE:"remote.invite"};function ue(){let e=c("remoteActions")??[];return e.length===0?null:r`<section class="sidebar-part">
    <h2 class="sidebar-title">${t("remote.title")}</h2>
    <ul>${e.map(o=>r`<${xe} key=${o.id} action=${o} />`)}</ul>
  </section>`}function xe({action:e}){let o=S(),{id:n,kind:s,roomId:a,alias:i,userId:u,refusal:d}=e,f=i??a??"",m=u??Z(f)?.displayName??f,w=t(Re[s],{name:m});return r`<li class="waiting row">
    <div class="grow stack-tight">
      <a class="one-line" href=${v.room(a??f)} title=${m}>${w}</a>
      <span class="small ${d?"refused":"soft"}" role="status">${d?(s==="INVITE"?K:R)(d):t("remote.waiting")}</span>
    </div>
    ${d&&r`<${W} icon="close" label=${t("remote.dismiss",{what:w})} onClick=${()=>{o.dismissRemoteAction(n)}} />`}
  </li>`}var Ee=40;function de(){let e=c("home"),[o,n]=h(""),s=e?.isLoaded??!1;$(()=>{s&&k()},[s]);let a=o.trim().toLocaleLowerCase(),i=(e?.rooms??[]).filter(m=>!a||m.displayName.toLocaleLowerCase().includes(a)),u=i.filter(m=>m.isFavourite),d=i.filter(m=>m.isDirect&&!m.isFavourite),f=i.filter(m=>!m.isDirect&&!m.isFavourite);return r`<nav class="sidebar" aria-label=${t("home.title")}>
    <header class="bar"><${Y} /></header>
    <${ie} />
    <div class="sidebar-tools">
      <input class="search" type="search" value=${o} placeholder=${t("home.search")} aria-label=${t("home.search")} dir="auto"
        onInput=${m=>n(m.target.value)} />
      <a class="icon-button" href="/new" aria-label=${t("home.new")} title=${t("home.new")}><${y} name="add" /></a>
      <a class="icon-button" href="/rooms" aria-label=${t("home.directory")} title=${t("home.directory")}><${y} name="search" /></a>
    </div>
    <div class="sidebar-list" tabindex="-1">
      <${ue} />
      <${ae} invites=${e?.invites??[]} />
      <${D} title="home.favourites" rooms=${u} />
      <${D} title="home.rooms" rooms=${f} />
      <${D} title="home.people" rooms=${d} />
      ${e?.isLoaded&&i.length===0&&r`<p class="sidebar-empty soft">${a?t("home.nothingFound"):t("home.empty")}</p>`}
      ${e&&!e.isLoaded&&r`<p class="sidebar-empty soft" role="status">${t("app.loading")}</p>`}
    </div>
  </nav>`}function D({title:e,rooms:o}){let[n,s]=h(!1);if(o.length===0)return null;let a=n?o:o.slice(0,Ee);return r`<section class="sidebar-part">
    <h2 class="sidebar-title">${t(e)}</h2>
    <ul>${a.map(i=>r`<${pe} key=${i.roomId} room=${i} />`)}</ul>
    ${a.length<o.length&&r`<button type="button" class="button link sidebar-more" onClick=${()=>s(!0)}>${t("home.showAll",{count:o.length})}</button>`}
  </section>`}function fe(){let e=c("home")?.rooms??[],o=l.value,n=e.reduce((i,u)=>i+u.notificationCount,0),s=o.page==="room"?e.find(i=>i.roomId===o.roomId):void 0,a=s?`${s.displayName} · ${t("app.name")}`:t("app.name");return $(()=>{document.title=n>0?`(${b(n)}) ${a}`:a},[n,a]),null}function $e(){return r`<${J.value?De:re} /><${j} />`}function De(){let{page:e}=l.value;return $(()=>{document.getElementById("screen")?.focus({preventScroll:!0})},[e]),r`
    <a class="skip" href="#screen" onClick=${Te}>${t("app.skip")}</a>
    <div class=${`shell ${e==="home"||e==="welcome"?"at-home":""}`}>
      <${de} />
      <main class="screen" id="screen" tabindex="-1"><${Ae} /></main>
    </div>
    <${fe} />
    <${p} screen="CallLayer" isSilent />
  `}function Te(e){e.preventDefault(),document.getElementById("screen")?.focus()}function Ae(){let e=l.value;switch(e.page){case"room":return r`<${p} screen="RoomScreen" key=${e.roomId} ...${e} />`;case"person":return r`<${p} screen="PersonScreen" key=${e.userId} userId=${e.userId} />`;case"directory":return r`<${p} key="directory" screen="Directory" />`;case"new":return r`<${p} key="new" screen="NewRoom" />`;case"settings":return r`<${p} key="settings" screen="Settings" />`;case"devices":return r`<${p} key="devices" screen="Devices" />`;case"operator":return r`<${p} key="operator" screen="Operator" />`;case"home":case"welcome":return r`<${ne} />`;case"missing":return r`<div class="screen-body stack"><h1>${t("app.missing")}</h1><p><a href="/">${t("app.home")}</a></p></div>`}}async function he(){oe(),q(),P(),z(),l.value.page==="room"&&X.value&&k(),await M(V()),L(r`<${$e} />`,document.getElementById("app"))}he();
