import{$ as zt,B as P,C as $,D as R,Da as mn,E as b,Ea as dn,Fa as pn,G as Nt,Ga as fn,H as k,I as w,J as B,Ja as hn,K as O,L as Z,M as Ot,N as Lt,O as Pt,P as _t,Q as Bt,R as jt,S as Ut,T as Ht,U as Ce,V as Kt,W as Vt,X as Ft,Y as Wt,Z as qt,_ as Jt,aa as Gt,ba as Qt,ca as Xt,d as a,da as Te,e as h,ea as Yt,f as Mt,fa as xe,g as y,ga as Zt,h as J,ha as en,i as L,ia as tn,j as Ee,ja as nn,k as At,ka as on,l as M,la as sn,m as _,ma as rn,n as X,na as an,o as I,oa as ln,p as ue,pa as cn,qa as U,r as N,ra as ne,sa as de,t as i,ta as S,u as z,ua as x,v as Y,va as un,w as Re,wa as K,x as me,xa as C,y as Dt,ya as Me}from"./chat-shared.js";var gn="rookery.devices",te=M(Ho());function Ho(){try{return JSON.parse(globalThis.localStorage?.getItem(gn)??"{}")}catch{return{}}}function ot(n,e){te.value={...te.value,[n]:e},localStorage.setItem(gn,JSON.stringify(te.value))}var $n=async()=>await navigator.mediaDevices?.enumerateDevices()??[],Ae=n=>{let e=te.value[n];return e?{deviceId:{ideal:e}}:!0},De=class{constructor(e,t){this.withVideo=e;this.changed=t}withVideo;changed;local=M(null);isMuted=M(!1);hasCamera=M(!1);hasScreen=M(!1);#e=null;#t=null;#n=null;#o=new MediaStream;#r=null;#s=null;async open(){if(this.#e)return;let e=await navigator.mediaDevices.getUserMedia({audio:Ae("audioinput"),video:this.withVideo&&Ae("videoinput")});this.#e=e.getAudioTracks()[0]??null,this.#t=e.getVideoTracks()[0]??null,this.hasCamera.value=this.#t!==null,this.#i()}attach(e){this.#r=e,this.#e&&e.addTrack(this.#e,this.#o);let t=this.#n??this.#t;this.#s=t?e.addTrack(t,this.#o):null}#i(){for(let e of this.#o.getTracks())this.#o.removeTrack(e);for(let e of[this.#e,this.#n??this.#t])e&&this.#o.addTrack(e);this.local.value=new MediaStream(this.#o.getVideoTracks())}mute(e){this.isMuted.value=e,this.#e&&(this.#e.enabled=!e)}async setCamera(e){this.#t?.stop(),this.#t=e?(await navigator.mediaDevices.getUserMedia({video:Ae("videoinput")})).getVideoTracks()[0]??null:null,this.hasCamera.value=this.#t!==null,await this.#a()}async setScreen(e){this.#n?.stop(),this.#n=e?(await navigator.mediaDevices.getDisplayMedia({video:!0})).getVideoTracks()[0]??null:null,this.hasScreen.value=this.#n!==null,this.#n&&(this.#n.onended=()=>{this.setScreen(!1)}),await this.#a()}async#a(){let e=this.#n??this.#t;this.#i(),this.#s?await this.#s.replaceTrack(e):e&&this.#r&&(this.#s=this.#r.addTrack(e,this.#o),this.changed())}async use(e,t){if(ot(e,t),e==="videoinput"){this.#t&&await this.setCamera(!0);return}let o=this.#e;if(!o)return;let s=await navigator.mediaDevices.getUserMedia({audio:Ae("audioinput")});this.#e=s.getAudioTracks()[0]??null,await this.#r?.getSenders().find(l=>l.track===o)?.replaceTrack(this.#e),o.stop(),this.mute(this.isMuted.value),this.#i()}close(){for(let e of[this.#e,this.#t,this.#n])e?.stop();this.#e=this.#t=this.#n=null,this.local.value=null}};var st={audioinput:"call.microphone",videoinput:"call.camera",audiooutput:"call.speaker"};function vn({media:n,onClose:e}){let t=_([]);y(()=>{let s=()=>{$n().then(r=>t.value=r)};return s(),navigator.mediaDevices.addEventListener("devicechange",s),()=>navigator.mediaDevices.removeEventListener("devicechange",s)},[]);let o=(s,r)=>{s==="audiooutput"?ot(s,r):n.use(s,r).catch(l=>b(x(l),"bad"))};return a`<${K} title=${i("call.devices")} onClose=${e}>
    ${Object.keys(st).map(s=>{let r=t.value.filter(l=>l.kind===s).map((l,u)=>[l.deviceId,l.label||`${i(st[s])} ${u+1}`]);return r.length===0?null:a`<${ne} key=${s} label=${i(st[s])} value=${te.value[s]??r[0][0]} options=${r}
        onChange=${l=>o(s,l)} />`})}
  <//>`}var Ko={connected:"call.connected",disconnected:"call.reconnecting",failed:"call.reconnecting"};function bn({phone:n}){let e=n.link.value,t=n.call.value,o=w("viewer")?.userId??null,s=_(!1),r=_(!1),{media:l}=e,u=t?t.callerId===o?t.calleeId:t.callerId:"",c=u===""?"":n.nameOf(u),m=t?.state==="RINGING"||t===null?"call.calling":Ko[e.state.value]??"call.connecting",p=v=>v.catch(T=>T.name!=="NotAllowedError"&&b(x(T),"bad")),f=(e.remote.value?.getVideoTracks().length??0)>0;return a`<section class=${`call-screen ${s.value?"large":""}`} aria-label=${i("call.label")}>
    <div class="call-pictures">
      <${yn} stream=${e.remote.value} kind="remote" isMuted=${!1} />
      ${!f&&a`<${C} id=${u} name=${c} size="large" />`}
      ${(l.hasCamera.value||l.hasScreen.value)&&a`<${yn} stream=${l.local.value} kind="local" isMuted />`}
    </div>
    <p class="call-state" role="status"><bdi dir="auto" class="name">${c}</bdi> <span class="soft small">${i(m)}</span></p>
    <div class="call-tools" role="toolbar" aria-label=${i("call.tools")}>
      <${R} icon=${l.isMuted.value?"micOff":"mic"} pressed=${l.isMuted.value} label=${i("call.mute")} onClick=${()=>l.mute(!l.isMuted.value)} />
      <${R} icon=${l.hasCamera.value?"camera":"cameraOff"} pressed=${l.hasCamera.value} label=${i("call.camera")} onClick=${()=>{p(l.setCamera(!l.hasCamera.value))}} />
      ${"getDisplayMedia"in navigator.mediaDevices&&a`<${R} icon="screen" pressed=${l.hasScreen.value} label=${i("call.screen")} onClick=${()=>{p(l.setScreen(!l.hasScreen.value))}} />`}
      <${R} icon="gear" label=${i("call.devices")} onClick=${()=>r.value=!0} />
      <${R} icon="expand" pressed=${s.value} label=${i("call.large")} onClick=${()=>s.value=!s.value} />
      <${R} icon="hangUp" class="hang-up" label=${i("call.hangUp")} onClick=${()=>{n.hangUp()}} />
    </div>
    ${r.value&&a`<${vn} media=${l} onClose=${()=>r.value=!1} />`}
  </section>`}function yn({stream:n,kind:e,isMuted:t}){let o=L(null),s=te.value.audiooutput;return y(()=>{let r=o.current;r.srcObject!==n&&(r.srcObject=n),r.muted=t,n&&r.play().catch(()=>{})},[n,t]),y(()=>{!t&&s&&o.current?.setSinkId&&o.current.setSinkId(s).catch(()=>{})},[s,t]),a`<video ref=${o} class=${`picture ${e}`} playsinline autoplay aria-label=${i(e==="local"?"call.own":"call.other")}></video>`}var Vo={placeCall:"mutation Place($input: PlaceCallInput!) { placeCall(input: $input) { call { callId } partyId refusal { code message } } }",answerCall:"mutation Answer($input: AnswerCallInput!) { answerCall(input: $input) { call { callId } partyId refusal { code message } } }",sendCallSignal:"mutation Signal($input: SendCallSignalInput!) { sendCallSignal(input: $input) { refusal { code message } } }",hangUpCall:"mutation HangUp($input: HangUpCallInput!) { hangUpCall(input: $input) { refusal { code message } } }",rejectCall:"mutation Reject($input: RejectCallInput!) { rejectCall(input: $input) { refusal { code message } } }"},Fo="query Ice { iceServers { urls username credential } }",ee=class extends Error{constructor(t,o){super(o);this.code=t}code};async function oe(n,e,t){let s=(await n.run(Vo[e],t))[e];if(s.refusal)throw new ee(s.refusal.code,s.refusal.message);return s}async function kn(n){return(await n.query(Fo,{})).iceServers.map(({urls:t,username:o,credential:s})=>o===null||s===null?{urls:t}:{urls:t,username:o,credential:s})}var wn=n=>/^o=\S+ (\S+)/m.exec(n?.sdp??"")?.[1],pe=class{media;remote=M(null);state=M("new");callId;isAnswered=!1;pc=null;#e;roomId;isCaller;#t=null;#n=0;#o=[];#r=[];#s=!1;#i=null;#a=Promise.resolve();#u=!1;constructor({store:e,roomId:t,callId:o=null,isCaller:s,withVideo:r}){this.#e=e,this.roomId=t,this.callId=o,this.isCaller=s,this.media=new De(r,()=>{this.#$()})}get#g(){return{roomId:this.roomId,callId:this.callId}}async#p(){let e=await kn(this.#e);if(await this.media.open(),this.pc?.close(),this.#r=[],this.#s=!1,this.#u)throw new ee("CALL_ENDED","the call has ended");let t=new RTCPeerConnection({iceServers:e});this.pc=t,this.media.attach(t),t.ontrack=({streams:o,track:s})=>{this.remote.value=o[0]??new MediaStream([s])},t.onicecandidate=({candidate:o})=>{this.#r.push(o?.toJSON()??{candidate:""}),this.#s&&this.#m()},t.onconnectionstatechange=()=>{this.state.value=t.connectionState,t.connectionState==="failed"&&this.isCaller&&this.restart()}}async place(e){await this.#p(),await this.pc.setLocalDescription();let t=this.media.withVideo?"VIDEO":"AUDIO",o={roomId:this.roomId,calleeId:e,media:t,offer:this.pc.localDescription.sdp},{call:s}=await oe(this.#e,"placeCall",o);this.callId=s?.callId??null,this.#m()}async answer(){if(await this.#a,!this.#t)throw new Error("the offer of the call has not arrived yet");await this.#p(),await this.#h(this.#t),await this.pc.setLocalDescription(),await oe(this.#e,"answerCall",{...this.#g,answer:this.pc.localDescription.sdp}),this.isAnswered=!0,this.#m()}async rejoin(){await this.#p(),this.isAnswered=!0,await this.#f()}restart(){!this.pc||!this.isAnswered||(this.pc.restartIce(),this.#$())}async offerAgain(){this.pc?.localDescription&&this.callId&&await this.#v({offer:this.pc.localDescription.sdp})}#$(){!this.pc||!this.isAnswered||this.#u||(this.#a=this.#a.then(()=>this.#f()).catch(rt))}async#f(){this.pc?.signalingState==="stable"&&(await this.pc.setLocalDescription(),await this.#v({offer:this.pc.localDescription.sdp}),this.#m())}take({number:e,kind:t,sdp:o,candidates:s}){return e<=this.#n?this.#a:(this.#n=e,this.#a=this.#a.then(()=>this.#c(t,o,s)).catch(rt),this.#a)}async#c(e,t,o){e==="CANDIDATES"?(this.#o.push(...o),this.pc?.remoteDescription&&await this.#l()):e==="ANSWER"?(this.pc?.signalingState==="have-local-offer"&&await this.#h({type:"answer",sdp:t??""}),this.isAnswered=!0):!this.isAnswered&&!this.isCaller?(this.#t={type:"offer",sdp:t??""},this.#o=[]):await this.#d({type:"offer",sdp:t??""})}async#d(e){this.pc?.signalingState==="have-local-offer"&&this.isCaller||(this.#o=[],(!this.pc||wn(this.pc.remoteDescription)!==wn(e))&&await this.#p(),await this.#h(e),await this.pc.setLocalDescription(),await this.#v({answer:this.pc.localDescription.sdp}),this.#m())}async#h(e){await this.pc.setRemoteDescription(e),await this.#l()}async#l(){for(let e of this.#o.splice(0))await this.pc?.addIceCandidate(e)}#m(){this.#s=!0,this.#i??=(async()=>{for(;this.#r.length>0;)await this.#v({candidates:this.#r.splice(0)})})().catch(rt).finally(()=>this.#i=null)}#v(e){return oe(this.#e,"sendCallSignal",{...this.#g,signal:e})}close(){this.#u=!0,this.pc?.close(),this.media.close(),this.remote.value=null}};function rt(n){n instanceof ee||console.warn(n)}var In=2600,Ne=class{constructor(e,t,o){this.callId=e;this.who=t;this.isCaller=o}callId;who;isCaller;#e=null;#t;#n=null;#o=null;#r=null;#s=!1;begin(){if(!this.isCaller){this.#n=document.title;let t=!1,o=()=>{t=!t,document.title=t?i("call.title",{who:this.who}):this.#n??""};o(),this.#t=setInterval(o,In/2)}let e=()=>this.#i();navigator.locks?navigator.locks.request(`rookery.ring:${this.callId}`,e).catch(()=>{}):e()}async#i(){this.#s||(this.#a(),!this.isCaller&&document.hidden&&globalThis.Notification?.permission==="granted"&&(this.#o=new Notification(i("call.title",{who:this.who}),{tag:`rookery.call:${this.callId}`,requireInteraction:!0}),this.#o.onclick=()=>window.focus()),await new Promise(e=>this.#r=e))}#a(){try{let e=this.#e=new AudioContext,t=this.isCaller?[440,480]:[660,880],o=()=>{let r=e.currentTime;for(let[l,u]of t.entries()){let[c,d]=[e.createOscillator(),e.createGain()];c.frequency.value=u;let m=r+(this.isCaller?0:l*.22);d.gain.setValueAtTime(0,m),d.gain.linearRampToValueAtTime(this.isCaller?.03:.12,m+.03),d.gain.linearRampToValueAtTime(0,m+(this.isCaller?.9:.35)),c.connect(d).connect(e.destination),c.start(m),c.stop(m+1)}};o();let s=setInterval(o,In);e.onstatechange=()=>e.state==="closed"&&clearInterval(s)}catch{}}end(){this.#s=!0,clearInterval(this.#t),this.#n!==null&&(document.title=this.#n),this.#e?.close(),this.#o?.close(),this.#r?.()}};var it="rookery.call",Wo=400,Oe=class{constructor(e,t){this.store=e;this.nameOf=t}store;nameOf;call=M(null);link=M(null);isBusy=M(!1);#e=null;#t=[];#n=[];#o=!1;begin(){this.#n.push(this.store.subscribe("call",()=>this.#u(this.store.get("call")??null))),this.#n.push(this.store.onSignal(s=>this.#i(s)));let e=this.store.get("status")?.phase==="live";this.#n.push(this.store.subscribe("status",()=>{let s=this.store.get("status")?.phase==="live";s&&!e&&this.#h(),e=s}));let t=()=>this.link.value?.restart(),o=navigator.connection;addEventListener("online",t),o?.addEventListener("change",t),this.#n.push(()=>{removeEventListener("online",t),o?.removeEventListener("change",t)}),this.#u(this.store.get("call")??null),this.#r()}#r(){let e=new BroadcastChannel("rookery.signals");e.onmessage=({data:t})=>{t.ask&&this.#t.length>0&&e.postMessage({signals:this.#t});for(let o of t.signals??[])this.#i(o)},e.postMessage({ask:!0}),this.#n.push(()=>e.close())}end(){for(let e of this.#n.splice(0))e();this.#c()}get#s(){return this.store.get("viewer")?.userId??null}#i(e){let t=this.link.value,o=this.#t.filter(s=>s.callId===e.callId);o.some(s=>s.number===e.number)||(this.#t=[...o,e].sort((s,r)=>s.number-r.number).slice(-Wo),t?.callId===e.callId&&t.take(e))}#a(e){for(let t of this.#t)t.callId===e.callId&&e.take(t)}#u(e){let t=this.call.value;if(this.call.value=e,e===null||e.state==="ENDED"){let o=this.link.value;if(o?o.callId!==(e??t)?.callId:t===null)return;t&&t.state!=="ENDED"&&this.#g(e?.callId===t.callId?e:null),this.#c();return}e.state==="RINGING"?this.#p(e):this.#$(e)}#g(e){if(!e||e.endReason==="USER_HANGUP")return;e.endReason==="INVITE_TIMEOUT"&&e.calleeId===this.#s?b(i("call.missed",{who:this.nameOf(e.callerId)})):e.endReason==="REJECTED"&&e.callerId===this.#s?b(i("call.rejected",{who:this.nameOf(e.calleeId)})):e.endReason!=="REJECTED"&&b(i("call.lost"))}#p(e){let t=e.callerId===this.#s;t&&!this.link.value||this.#e?.callId!==e.callId&&(this.#e?.end(),this.#e=new Ne(e.callId,this.nameOf(t?e.calleeId:e.callerId),t),this.#e.begin())}#$(e){this.#f();let t=this.link.value;if(t&&e.partyId!==null){t.isAnswered=!0;return}t&&t.callId===e.callId&&!this.isBusy.value&&this.#c(),!t&&e.partyId!==null&&sessionStorage.getItem(it)===e.callId&&this.rejoin()}#f(){this.#e?.end(),this.#e=null}#c(){this.#f(),this.#t=[],this.link.value?.close(),this.link.value=null,sessionStorage.removeItem(it)}#d(e,t){this.link.value=e,sessionStorage.setItem(it,t),this.#a(e)}place(e,t,o){return this.#l(async()=>{let s=new pe({store:this.store,roomId:e,isCaller:!0,withVideo:o});this.link.value=s;try{await s.place(t)}catch(l){throw this.#c(),l}let r=this.store.get("call")??null;this.#d(s,s.callId),r?.callId===s.callId&&this.#u(r)})}answer(e){let t=this.call.value;if(t)return this.#l(async()=>{let{roomId:o,callId:s}=t,r=new pe({store:this.store,roomId:o,callId:s,isCaller:!1,withVideo:e});this.#f(),this.#d(r,s);try{await r.answer()}catch(l){throw this.#c(),l}(this.call.value?.callId!==s||this.call.value.state==="ENDED")&&this.#c()})}rejoin(){let e=this.call.value;if(!(!e||this.#o))return this.#o=!0,this.#l(async()=>{let t=e.callerId===this.#s,o=new pe({store:this.store,roomId:e.roomId,callId:e.callId,isCaller:t,withVideo:e.media==="VIDEO"});this.#d(o,e.callId);try{await o.rejoin()}catch(s){throw this.#c(),s}}).finally(()=>this.#o=!1)}reject(){let e=this.call.value;if(e)return this.#f(),this.#l(()=>oe(this.store,"rejectCall",{roomId:e.roomId,callId:e.callId}))}hangUp(){let e=this.link.value??this.call.value;if(!e?.callId)return this.#c();let{roomId:t,callId:o}=e;return this.#c(),this.#l(async()=>{await oe(this.store,"hangUpCall",{roomId:t,callId:o}).catch(s=>{if(!(s instanceof ee&&s.code==="CALL_ENDED"))throw s})})}#h(){let e=this.link.value;!e||e.callId===null||e.isCaller&&this.call.value?.state==="RINGING"&&e.offerAgain().catch(()=>{})}async#l(e){if(!this.isBusy.value){this.isBusy.value=!0;try{await e()}catch(t){b(Jo(t),"bad")}finally{this.isBusy.value=!1}}}},qo={CALL_ANSWERED_ELSEWHERE:"call.elsewhere",CALL_IN_PROGRESS:"call.busy",CALL_ENDED:"call.over",NotAllowedError:"call.notAllowed",NotFoundError:"call.noDevice"};function Jo(n){let e=n instanceof ee?n.code:n instanceof Error?n.name:"",t=qo[e];return t?i(t):x(n)}function Sn({phone:n,call:e}){let t=L(null),o=n.nameOf(e.callerId),s=e.media==="VIDEO",r=n.isBusy.value;return y(()=>{let l=document.activeElement;(!l||l===document.body)&&t.current?.focus()},[]),a`<section ref=${t} class="call-card ringing" role="alertdialog" tabindex="-1" aria-label=${i("call.title",{who:o})}>
    <div class="row">
      <${C} id=${e.callerId} name=${o} />
      <div class="grow">
        <p class="name"><bdi dir="auto">${o}</bdi></p>
        <p class="small soft">${i(s?"call.rings.video":"call.rings.audio")}</p>
      </div>
    </div>
    <div class="call-ends">
      <${$} kind="bad" disabled=${r} onClick=${()=>{n.reject()}}><${P} name="hangUp" />${i("call.reject")}<//>
      ${s&&a`<${$} disabled=${r} onClick=${()=>{n.answer(!1)}}><${P} name="phone" />${i("call.answer.audio")}<//>`}
      <${$} kind="main" disabled=${r} onClick=${()=>{n.answer(s)}}>
        <${P} name=${s?"camera":"phone"} />${i("call.answer")}<//>
    </div>
  </section>`}var se=M(null);function zo(n){return e=>{let t=n.get(`person:${e}`);if(t)return t.displayName??O(e);let o=n.get("call")?.roomId;return(o===void 0?null:n.get(`members:${o}`)?.members.find(r=>r.userId===e))?.displayName??O(e)}}function Go(){let n=Nt.value;return y(()=>{if(!n)return;let e=new Oe(n,zo(n));return e.begin(),se.value=e,()=>{e.end(),se.value=null}},[n]),!n||!se.value||se.value.store!==n?null:a`<${Qo} phone=${se.value} />`}function Qo({phone:n}){let e=n.call.value,t=w("viewer")?.userId??null,o=n.link.value!==null;if(w(`person:${e?.callerId??""}`),w(`person:${e?.calleeId??""}`),o)return a`<${bn} phone=${n} />`;if(!e||e.state==="ENDED")return null;if(e.state==="RINGING"&&e.calleeId===t)return a`<${Sn} phone=${n} call=${e} />`;if(e.partyId===null)return null;let s=n.nameOf(e.callerId===t?e.calleeId:e.callerId);return a`<aside class="call-card" aria-label=${i("call.label")}>
    <p>${i("call.otherTab",{who:s})}</p>
    <div class="dialog-ends">
      ${e.state==="ANSWERED"&&a`<${$} onClick=${()=>{n.rejoin()}}>${i("call.takeHere")}<//>`}
      <${$} kind="bad" onClick=${()=>{n.hangUp()}}>${i("call.hangUp")}<//>
    </div>
  </aside>`}function En({roomId:n}){let e=k(),t=w(`members:${n}`),o=w("viewer")?.userId??null,s=w(`room:${n}`),r=_(null);if(!s||s.memberCount<2||!globalThis.RTCPeerConnection)return null;let l=(t?.members??[]).filter(m=>m.userId!==o&&m.membership==="JOIN"),u=(m,p)=>{r.value=null,globalThis.Notification?.permission==="default"&&Notification.requestPermission(),se.value?.place(n,m,p==="video")},c=async m=>{await e.loadMembers(n).catch(()=>{});let p=(e.get(`members:${n}`)?.members??l).filter(f=>f.userId!==o&&f.membership==="JOIN");p.length===1?u(p[0].userId,m):r.value=m},d=se.value?.link.value!=null;return a`
    <${R} icon="phone" label=${i("call.audio")} disabled=${d} onClick=${()=>{c("audio")}} />
    <${R} icon="camera" label=${i("call.video")} disabled=${d} onClick=${()=>{c("video")}} />
    ${r.value!==null&&a`<${K} title=${i("call.whom")} onClose=${()=>r.value=null}>
      <ul class="stack whom">
        ${l.slice(0,200).map(m=>a`<li key=${m.userId}>
          <${$} onClick=${()=>u(m.userId,r.value??"audio")}><bdi dir="auto">${m.displayName??O(m.userId)}</bdi><//>
        </li>`)}
      </ul>
    <//>`}
  `}function G({title:n,children:e}){return a`<header class="bar">
    <${fe} />
    <h1 class="bar-title grow one-line">${n}</h1>
    ${e}
  </header>`}function fe(){return a`<a class="icon-button only-narrow" href="/" aria-label=${i("app.back")} title=${i("app.back")}><span class="turns"><${P} name="back" /></span></a>`}function Xo(){let n=k(),[e,t]=h(null),[o,s]=h(!1),r=()=>n.query(en,{}).then(({viewer:c})=>t(c?.devices.nodes??[]),c=>b(x(c),"bad"));y(()=>{r()},[]);let[l,u]=[e?.filter(c=>c.isCurrent)??[],e?.filter(c=>!c.isCurrent)??[]];return a`<${G} title=${i("devices.title")} />
    <div class="screen-body"><div class="stack-large" aria-busy=${e===null}>
      <section class="stack">
        <h2>${i("devices.here")}</h2>
        <ul class="cards">${l.map(c=>a`<${Rn} key=${c.deviceId} device=${c} onChange=${r} />`)}</ul>
        <div><${$} onClick=${()=>s(!0)}>${i("viewer.logOut")}<//></div>
      </section>
      ${u.length>0&&a`<section class="stack">
        <h2>${i("devices.others")}</h2>
        <p class="soft">${i("devices.lead")}</p>
        <ul class="cards">${u.map(c=>a`<${Rn} key=${c.deviceId} device=${c} onChange=${r} />`)}</ul>
      </section>`}
    </div></div>
    ${o&&a`<${mn} onClose=${()=>s(!1)} />`}`}function Rn({device:n,onChange:e}){let t=k(),[o,s]=h(!1),{deviceId:r,name:l,createdAt:u,lastSeenAt:c,isCurrent:d}=n,m=l??r,p=async()=>{await S(t,nn,{deviceId:r})&&await e()};return a`<li class="card row">
    <span class="grow stack-tight">
      <strong class="one-line" dir="auto">${m}</strong>
      <span class="soft small">${d?i("devices.now"):i("devices.seen",{when:Re(c)})}</span>
      <span class="soft small">${i("devices.since",{when:Y(u,{dateStyle:"medium",timeStyle:"short"})})}</span>
    </span>
    <${R} icon="edit" label=${i("devices.rename",{name:m})} onClick=${()=>s(!0)} />
    ${!d&&a`<${$} onClick=${p} aria-label=${i("devices.removeOne",{name:m})}>${i("viewer.logOut")}<//>`}
    ${o&&a`<${Yo} device=${n} onClose=${()=>(s(!1),void e())} />`}
  </li>`}function Yo({device:n,onClose:e}){let t=k(),[o,s]=h(n.name??""),r=async l=>{l.preventDefault(),await S(t,tn,{deviceId:n.deviceId,name:o.trim()||null})&&e()};return a`<${K} title=${i("devices.renameTitle")} onClose=${e}>
    <form class="stack" onSubmit=${r}>
      <${U} label=${i("devices.name")} value=${o} onInput=${s} isPeoples maxlength="100" />
      <div class="dialog-ends"><${$} onClick=${e}>${i("app.cancel")}<//><${$} kind="main" type="submit">${i("app.save")}<//></div>
    </form>
  <//>`}var Zo=200;function es(){let n=k(),[e,t]=h(""),[o,s]=h(null),r=e.trim(),l=async c=>{let{publicRooms:d}=await n.query(Bt,{search:r||null,after:c});return d};y(()=>{let c=!0,d=setTimeout(()=>l(null).then(m=>c&&s(m),m=>c&&b(x(m),"bad")),o?Zo:0);return()=>{c=!1,clearTimeout(d)}},[r]);let u=async()=>{let c=await l(o.pageInfo.endCursor);s({...c,nodes:[...o.nodes,...c.nodes]})};return a`<${G} title=${i("directory.title")} />
    <div class="screen-body"><div class="stack">
      <input class="search" type="search" dir="auto" value=${e} aria-label=${i("directory.search")} placeholder=${i("directory.search")}
        onInput=${c=>t(c.target.value)} />
      <p class="soft" role="status">${o?i("directory.count",{count:o.totalCount}):i("app.loading")}</p>
      <ul class="cards">${o?.nodes.map(c=>a`<${ts} key=${c.roomId} room=${c} />`)}</ul>
      ${o?.pageInfo.hasNextPage&&a`<div><${$} onClick=${u}>${i("directory.more")}<//></div>`}
    </div></div>`}function ts({room:n}){return a`<li>
    <a class="card row" href=${I.room(n.roomId)}>
      <${C} id=${n.roomId} name=${n.displayName} isRoom />
      <span class="grow stack-tight">
        <span class="row"><strong class="one-line" dir="auto">${n.displayName}</strong>
          ${n.canonicalAlias&&a`<span class="soft small one-line" dir="auto">${n.canonicalAlias}</span>`}</span>
        ${n.topic&&a`<span class="one-line" dir="auto">${n.topic}</span>`}
        <span class="soft small">${i("room.members",{count:n.memberCount??0})}${n.myMembership==="JOIN"&&a` · ${i("directory.joined")}`}</span>
      </span>
    </a>
  </li>`}var ns=200;function Le({label:n,chosen:e,onChange:t}){let o=k(),[s,r]=h(""),[l,u]=h([]),c=At(),d=s.trim();y(()=>{if(u([]),!d)return;let v=!0,T=setTimeout(async()=>{let{users:E}=await o.query(jt,{search:d});v&&u(E.nodes)},ns);return()=>{v=!1,clearTimeout(T)}},[d]);let m=v=>{e.includes(v)||t([...e,v]),r("")},f=/^@[^:\s]+:\S+$/.test(d)&&!l.some(v=>v.userId===d)?[...l,{userId:d,displayName:null}]:l;return a`<div class="picker">
    <${U} label=${n} type="search" value=${s} onInput=${r} hint=${i("people.searchHint")} isPeoples autocomplete="off" />
    ${f.length>0&&a`<ul id=${c} class="picker-list" aria-label=${i("people.found")}>
      ${f.map(({userId:v,displayName:T})=>a`<li key=${v}>
          <button type="button" class="list-item" onClick=${()=>m(v)}>
            <${C} id=${v} name=${B({displayName:T,userId:v})} size="small" />
            <span class="one-line" dir="auto">${B({displayName:T,userId:v})}</span>
            <span class="soft small one-line" dir="auto">${v}</span>
          </button>
        </li>`)}
    </ul>`}
    ${e.length>0&&a`<ul class="chips" aria-label=${i("people.chosen")}>
      ${e.map(v=>a`<li key=${v} class="chip">
          <span class="one-line" dir="auto">${v}</span>
          <button type="button" aria-label=${i("people.remove",{name:v})} onClick=${()=>t(e.filter(T=>T!==v))}>
            <${P} name="close" />
          </button>
        </li>`)}
    </ul>`}
  </div>`}function os(){let[n,e]=h(""),[t,o]=h(!1),[s,r]=h(!1),[l,u]=h([]),c={isListed:t&&s,invite:[...l],...n.trim()&&{topic:n.trim()}};return a`<${G} title=${i("new.title")} />
    <div class="screen-body">
      <${un} more=${c} onOpen=${o}>
        <${de} checked=${t&&s} disabled=${!t} onChange=${r}>${i("new.listed")}<//>
        <${U} label=${i("new.topic")} value=${n} onInput=${e} isPeoples hint=${i("new.topicHint")} />
        <${Le} label=${i("new.people")} chosen=${l} onChange=${u} />
      <//>
    </div>`}var[Tn,at]=[240,56];function xn({status:n,samples:e}){return a`<section class="stack">
    <h2>${i("operator.now")}</h2>
    <div class="figures">
      <${Pe} name="operator.appends" values=${Cn(e,"appends")} isRate />
      <${Pe} name="operator.deliveries" values=${Cn(e,"deliveries")} isRate />
      <${Pe} name="operator.sockets" values=${e.map(t=>t.sockets)} />
      <${Pe} name="operator.streams" values=${e.map(t=>t.streams)} />
    </div>
    <dl class="facts">
      <div><dt>${i("operator.logPosition")}</dt><dd>${z(n.logPosition)}</dd></div>
      <div><dt>${i("operator.accounts")}</dt><dd>${z(n.accountCount)}</dd></div>
      <div><dt>${i("operator.rooms")}</dt><dd>${z(n.roomCount)}</dd></div>
    </dl>
  </section>`}function Cn(n,e){return n.slice(1).map((t,o)=>{let s=n[o];return Math.max(0,(t[e]-s[e])*1e3/(t.at-s.at))})}function Pe({name:n,values:e,isRate:t=!1}){let o=e.at(-1)??0,s=z(t?Math.round(o*10)/10:o);return a`<figure class="figure">
    <figcaption class="soft small">${i(n)}</figcaption>
    <p class="figure-now">${t?i("operator.perSecond",{rate:s}):s}</p>
    <svg viewBox=${`0 0 ${Tn} ${at}`} preserveAspectRatio="none" aria-hidden="true"><polyline points=${ss(e)} /></svg>
  </figure>`}function ss(n){let e=Math.max(1,...n),t=Tn/Math.max(1,n.length-1);return n.map((o,s)=>`${(s*t).toFixed(1)},${(at-2-o/e*(at-4)).toFixed(1)}`).join(" ")}var rs=250;function Mn(){let n=k();return a`<${Dn} title="operator.accounts" search="operator.searchAccounts" load=${async(t,o)=>{let{admin:s}=await n.query(rn,{search:t||null,after:o});return s.accounts}} line=${t=>a`<${is} key=${t.user.userId} account=${t} />`} />`}function An(){let n=k();return a`<${Dn} title="operator.rooms" search="operator.searchRooms" load=${async(t,o)=>{let{admin:s}=await n.query(an,{search:t||null,after:o});return s.rooms}} line=${t=>a`<${as} key=${t.roomId} room=${t} />`} />`}function Dn({title:n,search:e,load:t,line:o}){let[s,r]=h(""),[l,u]=h(null),c=s.trim(),d=p=>b(x(p),"bad");y(()=>{let p=!0,f=setTimeout(()=>t(c,null).then(v=>p&&u(v),d),l?rs:0);return()=>{p=!1,clearTimeout(f)}},[c]);let m=()=>t(c,l.pageInfo.endCursor).then(p=>u({...p,nodes:[...l.nodes,...p.nodes]}),d);return a`<section class="stack">
    <h2>${i(n)}</h2>
    <input class="search" type="search" dir="auto" value=${s} aria-label=${i(e)} placeholder=${i(e)}
      onInput=${p=>r(p.target.value)} />
    <ul class="cards">${l?.nodes.map(o)}</ul>
    ${l?.pageInfo.hasNextPage&&a`<div><${$} onClick=${m}>${i("directory.more")}<//></div>`}
  </section>`}function is({account:n}){let{user:e,createdAt:t,deactivatedAt:o,isAdmin:s,isImported:r,hasPassword:l}=n,u=[s&&i("operator.isAdmin"),o&&i("operator.isDeactivated"),r&&i("operator.isImported"),!l&&i("operator.noPassword")];return a`<li><a class="card row" href=${I.person(e.userId)}>
    <${C} id=${e.userId} name=${B(e)} />
    <span class="grow stack-tight"><strong class="one-line" dir="auto">${e.userId}</strong>
      <span class="soft small">${i("devices.since",{when:Y(t,{dateStyle:"medium"})})}</span></span>
    ${u.filter(Boolean).map(c=>a`<span class="tag">${c}</span>`)}
  </a></li>`}function as({room:n}){let e=n.name??n.canonicalAlias??n.roomId;return a`<li class="card row">
    <${C} id=${n.roomId} name=${e} isRoom />
    <span class="grow stack-tight"><strong class="one-line" dir="auto">${e}</strong>
      <span class="soft small one-line" dir="auto">${n.roomId}</span></span>
    <span class="soft small">${i("room.members",{count:n.memberCount})}</span>
    <span class="soft small">${i("operator.events",{count:n.eventCount})}</span>
    ${n.isListed&&a`<span class="tag">${i("operator.isListed")}</span>`}
  </li>`}function Nn({status:n}){let e=k(),{rebuild:t,readModels:o,processes:s,parkedStreams:r}=n,[l,u]=h(!1),c=async()=>{await S(e,ln,{})&&b(i("operator.rebuildBegun"))},d=async()=>{u(!0);let m=await S(e,cn,{});u(!1),m&&b(i("operator.retried",{count:m.applied}))};return a`<section class="stack">
    <div class="row"><h2 class="grow">${i("operator.models")}</h2>
      <${$} onClick=${c} disabled=${t!==null}>${i("operator.rebuild")}<//></div>
    ${t&&a`<${ls} rebuild=${t} />`}
    <div class="scrolls" tabindex="0" role="region" aria-label=${i("operator.models")}>
      <table class="table">
        <thead><tr><th scope="col">${i("operator.name")}</th><th scope="col" class="number">${i("operator.behind")}</th><th scope="col" class="number">${i("operator.parked")}</th></tr></thead>
        <tbody>
          ${o.map(m=>a`<tr key=${m.name}><th scope="row"><code dir="auto">${m.name}</code></th>
              <td class=${`number ${m.behind>0?"late":""}`}>${z(m.behind)}</td>
              <td class=${`number ${m.parkedCount>0?"late":""}`}>${z(m.parkedCount)}</td></tr>`)}
          ${s.map(m=>a`<tr key=${`process ${m.name}`}><th scope="row">${i("operator.process",{name:m.name})}
              ${m.trouble&&a`<p class="field-error" dir="auto">${m.trouble}</p>`}</th>
              <td class=${`number ${m.trouble?"late":""}`}>${z(m.behind)}</td><td class="number">${z(m.skipped)}</td></tr>`)}
        </tbody>
      </table>
    </div>
    ${r.length>0&&a`<div class="row"><h3 class="grow">${i("operator.parkedTitle")}</h3><${$} onClick=${d} disabled=${l}>${i("operator.retry")}<//></div>
      <ul class="cards">
        ${r.map(({model:m,stream:p,position:f,reason:v})=>a`<li class="card" key=${`${m} ${p}`}>
            <strong dir="auto">${p}</strong>
            <p class="soft small">${i("operator.parkedAt",{model:m,position:f})}</p>
            <p dir="auto">${v}</p>
          </li>`)}
      </ul>`}
  </section>`}function ls({rebuild:n}){let{done:e,total:t,secondsLeft:o}=n,s=i("operator.rebuilding",{done:e,total:t,seconds:Math.ceil(o)});return a`<div class="stack-small">
    <progress class="progress" max=${Math.max(1,t)} value=${e} aria-label=${i("operator.rebuild")}></progress>
    <p class="soft small">${s}</p>
  </div>`}var cs=2e3,us=60;function ms(){let n=w("viewer");return a`<${G} title=${i("operator.title")} />
    <div class="screen-body wide">
      ${n&&(n.isAdmin?a`<${ds} />`:a`<p class="notice">${i("operator.forbidden")}</p>`)}
    </div>`}function ds(){let n=k(),[e,t]=h(null),[o,s]=h([]),[r,l]=h(null);return y(()=>{let u,c=!0,d=async()=>{try{let{admin:m}=await n.query(sn,{});if(!c||!m)return;t(m.status),l(null),s(p=>[...p.slice(1-us),{at:performance.now(),...m.status.counters}])}catch(m){c&&l(x(m))}c&&(u=setTimeout(d,cs))};return d(),()=>{c=!1,clearTimeout(u)}},[n]),a`<div class="stack-large" aria-busy=${e===null}>
    ${r&&a`<p class="notice bad" role="alert">${r}</p>`}
    ${e&&a`<${xn} status=${e} samples=${o} /><${Nn} status=${e} />`}
    <${Mn} />
    <${An} />
  </div>`}var ps={ALL:"room.notifyAll",MENTIONS:"room.notifyMentions",NONE:"room.notifyNone"};async function lt(n){try{await navigator.clipboard.writeText(n),b(i("app.copied"))}catch{b(i("app.copyFailed",{text:n}),"bad")}}function On({room:n,panel:e}){let t=k(),[o,s]=h(!1),{roomId:r}=n,l=d=>{S(t,Te,{roomId:r,...d})},u=(d,m)=>N(e?.kind===d?I.room(r):m),c=[{text:n.isFavourite?i("room.unfavourite"):i("room.favourite"),icon:"star",onSelect:()=>l({isFavourite:!n.isFavourite})},...Object.entries(ps).map(([d,m])=>({text:i(m),isChecked:n.notifications===d,onSelect:()=>l({notifications:d})})),{text:i("room.settings"),icon:"gear",onSelect:()=>N(I.roomSettings(r))},{text:i("room.leave"),icon:"close",kind:"bad",onSelect:()=>s(!0)}];return a`
    <button type="button" class="button copy-link" title=${i("app.copy")} onClick=${()=>lt(ue(I.room(n.canonicalAlias??r)))}>
      <${P} name="link" /><span class="copy-link-text">${i("app.copy")}</span>
    </button>
    <${R} icon="people" label=${i("members.title")} pressed=${e?.kind==="members"} onClick=${()=>u("members",I.members(r))} />
    <${Me} label=${i("room.menu")} items=${c} />
    ${o&&a`<${fs} room=${n} onClose=${()=>s(!1)} />`}
  `}function fs({room:n,onClose:e}){let t=k(),o=async()=>{e(),await S(t,Ut,{roomId:n.roomId})&&N("/")};return a`<${K} title=${i("room.leaveTitle",{name:n.displayName})} onClose=${e}>
    <p>${n.joinRule==="PUBLIC"?i("room.leavePublic"):i("room.leavePrivate")}</p>
    <div class="dialog-ends">
      <${$} onClick=${e}>${i("app.cancel")}<//>
      <${$} kind="bad" onClick=${o}>${i("room.leave")}<//>
    </div>
  <//>`}var hs={ONLINE:"presence.online",UNAVAILABLE:"presence.away",OFFLINE:"presence.offline"};function gs({userId:n}){let e=k(),t=w("viewer"),o=w(`person:${n}`),s=w("home"),[r,l]=h(void 0);y(()=>{let T=!0;return e.query(on,{userId:n}).then(({user:E})=>T&&l(E),E=>T&&(l(null),b(x(E),"bad"))),()=>{T=!1}},[n]);let u=B({displayName:o?.displayName??r?.displayName??null,userId:n}),c=o?.presence??r?.presence?.presence,d=o?.statusMessage??r?.presence?.statusMessage,m=o?.lastActiveAt??r?.presence?.lastActiveAt,p=t?.ignored.includes(n)??!1,f=t&&t.userId!==n,v=async()=>{let T=s?.rooms.find(V=>V.isDirect&&V.memberCount<=2&&V.lastMessage?.senderId===n);if(T)return N(I.room(T.roomId));let E=await S(e,Ot,{isDirect:!0,invite:[n],preset:"PRIVATE"});if(!E?.room)return;let{roomId:H}=E.room;N(I.room(H)),await S(e,Te,{roomId:H,isDirect:!0})};return a`<${G} title=${i("person.title")} />
    <div class="screen-body"><div class="door stack" aria-busy=${r===void 0}>
      <${C} id=${n} name=${u} size="large" presence=${c} />
      <h2 dir="auto">${u}</h2>
      <p class="soft" dir="auto">${n}</p>
      ${c&&a`<p>${i(hs[c])}${m&&c!=="ONLINE"&&a` · ${Re(m)}`}</p>`}
      ${d&&a`<p dir="auto">${d}</p>`}
      ${r===null&&a`<p class="soft">${i("reason.noUser")}</p>`}
      <div class="row">
        ${f&&r&&a`<${$} kind="main" onClick=${v}>${i("person.talk")}<//>`}
        ${f&&r&&a`<${$} onClick=${()=>S(e,xe,{userId:n,isIgnored:!p})}>${p?i("person.unignore"):i("person.ignore")}<//>`}
        <${$} onClick=${()=>lt(ue(I.person(n)))}>${i("app.copy")}<//>
      </div>
      ${p&&a`<p class="soft">${i("person.ignoredLead")}</p>`}
    </div></div>`}var $s=new Set(["m.reaction","m.room.redaction","m.room.aliases","m.call.candidates","m.call.negotiate"]),vs=new Set(["m.room.message","m.sticker","m.room.encrypted"]),ys=new Set(["m.call.answer","m.call.reject","m.call.hangup","m.call.invite"]),he=n=>ys.has(n.type),ut=n=>he(n)?A(n.content,"call_id"):null;function _e(n,e){return $s.has(n.type)?!1:e!==null?n.eventId===e||n.threadRoot===e:n.threadRoot!==null?!1:n.stateKey!==null||he(n)?be(n)!==null:vs.has(n.type)||typeof Q(n.content,"body")=="string"||n.redaction!==null}var Be=n=>n.stateKey!==null||he(n);function Q(n,e){return typeof n=="object"&&n!==null&&!Array.isArray(n)&&Object.hasOwn(n,e)?n[e]:null}function A(n,e){let t=Q(n,e);return typeof t=="string"&&t!==""?t:null}var re=n=>n.senderName??O(n.senderId);function be(n){let e=re(n);if(he(n))return Is(n,e);switch(n.type){case"m.room.create":return{key:"line.created",values:{who:e}};case"m.room.member":return bs(n,e);case"m.room.name":return ct(n,"name","line.name",e);case"m.room.topic":return ct(n,"topic","line.topic",e);case"m.room.avatar":return{key:"line.avatar",values:{who:e}};case"m.room.canonical_alias":return ct(n,"alias","line.alias",e);case"m.room.join_rules":return Ln(n,"join_rule",["public","invite","knock"],"line.joinRule",e);case"m.room.history_visibility":return Ln(n,"history_visibility",["world_readable","shared","invited","joined"],"line.history",e);case"m.room.power_levels":return ws(n,e);case"m.room.tombstone":return{key:"line.replaced",values:{who:e}};default:return null}}function ct(n,e,t,o){let[s,r]=[A(n.previousContent,e),A(n.content,e)];return s===r?null:r===null?{key:`${t}.removed`,values:{who:o,before:s}}:s===null?{key:`${t}.set`,values:{who:o,now:r}}:{key:`${t}.changed`,values:{who:o,before:s,now:r}}}function Ln(n,e,t,o,s){let[r,l]=[A(n.previousContent,e),A(n.content,e)];return l===null||r===l?null:{key:`${o}.${t.includes(l)?l:"other"}`,values:{who:s}}}function bs(n,e){let t=n.stateKey??n.senderId,o=t===n.senderId,s=A(n.content,"displayname")??A(n.previousContent,"displayname")??O(t),r=A(n.content,"reason")??"",[l,u]=[A(n.previousContent,"membership"),A(n.content,"membership")],c=m=>({key:`line.member.${m}`,values:{who:e,whom:s,reason:r}}),d=r===""?"":".why";switch(u){case"join":return l==="join"?ks(n,s):c(l==="invite"?"accepted":"joined");case"invite":return c("invited");case"knock":return c(`knocked${d}`);case"ban":return c(`banned${d}`);case"leave":return c(l==="ban"?"unbanned":l==="invite"?o?"declined":"withdrawn":o?`left${d}`:`kicked${d}`);default:return null}}function ks(n,e){let[t,o]=[A(n.previousContent,"displayname"),A(n.content,"displayname")],s=n.stateKey??n.senderId;if(t!==o)return{key:"line.member.renamed",values:{who:t??O(s),now:o??O(s)}};let r=[A(n.previousContent,"avatar_url"),A(n.content,"avatar_url")];return r[0]===r[1]?null:{key:"line.member.picture",values:{who:e}}}function ws(n,e){let[t,o]=[Pn(n.previousContent),Pn(n.content)],s=[...new Set([...t.keys(),...o.keys()])].filter(l=>t.get(l)!==o.get(l));if(n.previousContent===null)return null;if(s.length!==1)return{key:"line.power",values:{who:e}};let r=o.get(s[0])??Q(n.content,"users_default")??0;return{key:"line.power.user",values:{who:e,whom:O(s[0]),level:String(r)}}}function Pn(n){let e=Q(n,"users");return new Map(typeof e=="object"&&e!==null&&!Array.isArray(e)?Object.entries(e):[])}function Is(n,e){let t={who:e},o=A(n.content,"reason")??"user_hangup";switch(n.type){case"m.call.invite":return{key:"line.call.placed",values:t};case"m.call.reject":return{key:"line.call.rejected",values:t};case"m.call.hangup":return o==="invite_timeout"?{key:"line.call.missed",values:t}:{key:o==="user_hangup"?"line.call.ended":"line.call.broken",values:t};default:return null}}var Ss=/\b(?:https?:\/\/|mailto:)[^\s<>"'`\u200b-\u200f\u202a-\u202e\u2060-\u2069]{2,2000}/giu,_n=/[.,;:!?'"”’»…]+$/u,Es=new Set(["http:","https:","mailto:"]);function mt(n){if(n===null)return null;try{let e=new URL(n);return Es.has(e.protocol)?e.href:null}catch{return null}}function Rs(n){let e=n.replace(_n,"");for(;/[)\]}]$/.test(e);){let t=e.at(-1),o={")":"(","]":"[","}":"{"}[t];if(e.split(o).length>=e.split(t).length)break;e=e.slice(0,-1).replace(_n,"")}return e}function Bn(n){let e=[],t=0;for(let o of n.matchAll(Ss)){let s=Rs(o[0]),r=mt(s);r!==null&&(o.index>t&&e.push({text:n.slice(t,o.index),href:null}),e.push({text:s,href:r}),t=o.index+s.length)}return(t<n.length||e.length===0)&&e.push({text:n.slice(t),href:null}),e}var Cs={elements:["p","br","hr","strong","b","em","i","u","s","del","sub","sup","code","pre","blockquote","ul","li","h1","h2","h3","h4","h5","h6","table","thead","tbody","tr","th","td","caption","details","summary",{name:"a",attributes:["href"]},{name:"ol",attributes:["start"]}],attributes:[],replaceWithChildrenElements:["span","font","div","center","section","article","main","header","footer","small","big","mark","ins","strike","tt","kbd","abbr","cite","q","bdi","bdo","dl","dt","dd","label","figure","figcaption"],comments:!1,dataAttributes:!1},Ts=60,xs=2e4,Ms=12,Un=()=>typeof document<"u"&&"setHTML"in Element.prototype;function Hn(n,e){if(e.length>xs)return!1;jn??=document.implementation.createHTMLDocument("");let t=jn.createElement("div");if(!t.setHTML||(t.setHTML(e.toWellFormed(),{sanitizer:Cs}),t.getElementsByTagName("*").length>Ts||t.textContent?.trim()===""||Kn(t)>Ms))return!1;for(let s of t.querySelectorAll("a"))As(s);for(let s of t.querySelectorAll("p, li, blockquote, h1, h2, h3, h4, h5, h6, td, th, summary"))s.setAttribute("dir","auto");return n.replaceChildren(...t.childNodes),!0}var jn;function As(n){let e=mt(n.getAttribute("href"));if(e===null){n.replaceWith(...n.childNodes);return}n.href=e,n.rel="noopener noreferrer nofollow ugc",n.target="_blank",n.title=e}function Kn(n){let e=0;for(let t of n.children)e=Math.max(e,1+Kn(t));return e}var Vn=1500,dt=18,Ds=20,Ns=/(\p{M}{4})\p{M}+/gu;function j(n){return n.toWellFormed().replaceAll(Ns,"$1")}function je(n){return j(A(n,"body")??"")}function ke(n,e=120){let t=je(n).slice(0,4*e).replaceAll(/\s+/gu," ").trim();return[...t].length>e?`${[...t].slice(0,e).join("")}…`:t}var Os=new RegExp("^(?:\\p{RGI_Emoji}\\s*){1,5}$","v"),Ls=n=>n.length<=60&&Os.test(n);function Ue({content:n,isEdited:e}){let[t,o]=h(!1),[s,r]=h(!1),l=L(null),u=je(n),c=A(n,"format")==="org.matrix.custom.html"?A(n,"formatted_body"):null,d=c!==null&&!s&&Un();J(()=>{d&&l.current&&!Hn(l.current,c)&&r(!0)},[c,d]);let m=u.length>Vn||Ps(u)>dt,p=m&&!t,f=e&&a`<span class="edited soft small"> ${i("message.edited")}</span>`;return a`
    ${d?a`<div key="formatted" ref=${l} class=${`body formatted ${p?"folded":""}`} dir="auto"></div>${f}`:a`<div key="plain" class=${`body plain ${p?"folded":""} ${Ls(u)?"big":""}`} dir="auto"><${Bs} text=${p?_s(u):u} />${f}</div>`}
    ${m&&a`<button type="button" class="button link small" aria-expanded=${t} onClick=${()=>o(!t)}>
      ${t?i("message.less"):i("message.more")}
    </button>`}
  `}function Ps(n){let e=1;for(let t=n.indexOf(`
`);t>=0&&e<=dt;t=n.indexOf(`
`,t+1))e+=1;return e}function _s(n){return n.split(`
`,dt).join(`
`).slice(0,Vn).toWellFormed()}function Bs({text:n}){let e=Bn(n);return e.length>2*Ds?n:e.map(({text:t,href:o})=>o===null?t:a`<a href=${o} rel="noopener noreferrer nofollow ugc" target="_blank">${t}</a>`)}function Fn({id:n,choices:e,at:t,kind:o,onChoose:s}){let r=L(null),l=Math.min(t,e.length-1);y(()=>r.current?.children[l]?.scrollIntoView({block:"nearest"}),[l]);let u=c=>c.preventDefault();return a`<ul id=${n} ref=${r} class="choices" role="listbox" aria-label=${i(o==="member"?"composer.members":"composer.emoji")} onPointerDown=${u}>
    ${e.map((c,d)=>a`<li key=${c.detail} id=${`${n}-${d}`} role="option" aria-selected=${d===l} class="choice" onClick=${()=>s(c)}>
        ${c.userId===null?a`<span class="emoji">${c.label}</span>`:a`<${C} id=${c.userId} name=${c.label} size="small" /><bdi dir="auto">${j(c.label)}</bdi>`}
        <span class="soft small one-line" dir="auto">${c.detail}</span>
      </li>`)}
  </ul>`}var js="smile 😄 grin 😁 joy 😂 rofl 🤣 slight_smile 🙂 wink 😉 blush 😊 innocent 😇 heart_eyes 😍 kissing 😗 yum 😋 tongue 😛 stuck_out_tongue_winking_eye 😜 sunglasses 😎 nerd 🤓 thinking 🤔 neutral 😐 expressionless 😑 smirk 😏 unamused 😒 roll_eyes 🙄 grimace 😬 relieved 😌 pensive 😔 sleepy 😪 sleeping 😴 mask 😷 exploding_head 🤯 partying 🥳 confused 😕 worried 😟 frown 🙁 open_mouth 😮 astonished 😲 flushed 😳 pleading 🥺 cry 😢 sob 😭 scream 😱 sweat 😓 sweat_smile 😅 tired 😫 yawn 🥱 angry 😠 rage 😡 skull 💀 poop 💩 clown 🤡 ghost 👻 alien 👽 robot 🤖 cat 🐱 dog 🐶 see_no_evil 🙈 hear_no_evil 🙉 speak_no_evil 🙊 heart ❤️ orange_heart 🧡 yellow_heart 💛 green_heart 💚 blue_heart 💙 purple_heart 💜 broken_heart 💔 sparkling_heart 💖 100 💯 boom 💥 dizzy 💫 zzz 💤 wave 👋 ok_hand 👌 v ✌️ crossed_fingers 🤞 point_left 👈 point_right 👉 point_up 👆 point_down 👇 +1 👍 -1 👎 thumbsup 👍 thumbsdown 👎 fist ✊ clap 👏 raised_hands 🙌 open_hands 👐 handshake 🤝 pray 🙏 muscle 💪 eyes 👀 brain 🧠 shrug 🤷 facepalm 🤦 run 🏃 dancer 💃 family 👪 bow 🙇 rose 🌹 sunflower 🌻 tree 🌳 seedling 🌱 four_leaf_clover 🍀 fire 🔥 rainbow 🌈 sun ☀️ cloud ☁️ rain 🌧️ snow ❄️ zap ⚡ umbrella ☔ star ⭐ moon 🌙 earth 🌍 apple 🍎 banana 🍌 bread 🍞 cheese 🧀 pizza 🍕 burger 🍔 sushi 🍣 cake 🍰 birthday 🎂 cookie 🍪 coffee ☕ tea 🍵 beer 🍺 beers 🍻 wine 🍷 tada 🎉 balloon 🎈 gift 🎁 trophy 🏆 medal 🏅 soccer ⚽ dart 🎯 game 🎮 music 🎵 guitar 🎸 art 🎨 movie 🎬 car 🚗 bike 🚲 train 🚆 plane ✈️ rocket 🚀 ship 🚢 house 🏠 office 🏢 watch ⌚ phone 📱 laptop 💻 keyboard ⌨️ battery 🔋 bulb 💡 book 📖 books 📚 pencil ✏️ memo 📝 calendar 📅 chart 📈 pin 📌 paperclip 📎 scissors ✂️ lock 🔒 unlock 🔓 key 🔑 hammer 🔨 wrench 🔧 gear ⚙️ link 🔗 bug 🐛 ant 🐜 bee 🐝 snail 🐌 bird 🐦 crow 🐦‍⬛ penguin 🐧 fish 🐟 whale 🐳 crab 🦀 bell 🔔 mute 🔇 speaker 🔊 mega 📣 mail 📧 inbox 📥 package 📦 bomb 💣 gem 💎 money 💰 hourglass ⏳ alarm ⏰ warning ⚠️ no_entry ⛔ check ✅ x ❌ question ❓ exclamation ❗ plus ➕ minus ➖ recycle ♻️ white_check_mark ✅ heavy_check ✔️ arrow_right ➡️ arrow_left ⬅️ arrow_up ⬆️ arrow_down ⬇️ ok 🆗 new 🆕 sos 🆘 red_circle 🔴 green_circle 🟢 blue_circle 🔵 flag 🚩 checkered_flag 🏁",Wn=js.split(" "),pt=new Map(Wn.flatMap((n,e)=>e%2===0?[[n,Wn[e+1]]]:[])),qn=["👍","❤️","😂","🎉","😮","😢","🙏","👀"];var Jn=8;function Qn(n,e){let t=/(?:^|[\s(])([@:])([\p{L}\p{N}_+.-]{0,40})$/u.exec(n.slice(0,e));if(!t)return null;let[,o,s]=t;return o===":"&&s.length<2?null:{kind:o==="@"?"member":"emoji",from:e-s.length-1,word:s}}var zn=n=>n.normalize("NFKD").replaceAll(/\p{M}/gu,"").toLowerCase();function Gn(n,e,t){let o=zn(e),s=l=>{let u=t(l).map(c=>zn(c).indexOf(o));return u.includes(0)?0:u.some(c=>c>0)?1:2};return n.map(l=>[s(l),l]).filter(([l])=>l<2).sort(([l],[u])=>l-u).map(([,l])=>l)}var Us=n=>`@${n.displayName??O(n.userId)}`;function Xn(n,e,t){if(n.kind==="emoji"){let r=Gn([...pt],n.word,([u])=>[u]),l=([u,c])=>({label:c,detail:`:${u}:`,text:`${c} `,userId:null});return r.slice(0,Jn).map(l)}let o=e.filter(r=>r.userId!==t&&r.membership==="JOIN");return Gn(o,n.word,r=>[r.displayName??"",O(r.userId)]).slice(0,Jn).map(r=>({label:r.displayName??O(r.userId),detail:r.userId,text:`${Us(r)} `,userId:r.userId}))}function Yn(n,e,t,o){let s=n.slice(0,t.from)+o.text;return{text:s+n.slice(e),caret:s.length}}function Zn(n){return n.replaceAll(/(?<![\p{L}\p{N}:]):([a-z0-9_+-]+):(?![\p{L}\p{N}])/gu,(e,t)=>pt.get(t)??e)}function eo(n,e){return[...e].filter(([,t])=>n.includes(t)).map(([t])=>t)}var to=new Map;function ie(n,e){let t=`${n}/${e??""}`,o=to.get(t);return o||to.set(t,o=M(null)),o}var Hs=300,Ks=100,He=new Map;function no(n,e,t,o){let s=_(t===null?o??"":He.get(t)??""),r=_(o!==void 0);return y(()=>{o===void 0||r.value||t!==null||(r.value=!0,s.value===""&&(s.value=o))},[o]),y(()=>{let l,u=null,c=()=>{clearTimeout(l),l=void 0,!(u===null||ie(e,t).peek()?.kind==="edit")&&(t===null?n.setDraft(e,u).catch(()=>{}):(He.size>=Ks&&He.clear(),He.set(t,u)),u=null)},d=!0,m=s.subscribe(p=>{if(d)return void(d=!1);u=p,p===""?c():l??=setTimeout(c,Hs)});return addEventListener("pagehide",c),()=>{m(),removeEventListener("pagehide",c),c()}},[n,e,t]),s}var Vs=/(`+)(?<code>[^`\n]+)\1|\*\*(?<strong>[^*\n]+)\*\*|(?<![\w*])\*(?<star>[^*\s][^*\n]*?)\*(?![\w*])|(?<!\w)_(?<em>[^_\s][^_\n]*?)_(?!\w)|~~(?<del>[^~\n]+)~~|\[(?<text>[^\]\n]+)\]\((?<href>https?:\/\/[^\s)]+)\)/u;function ge(n){return n.replaceAll("&","&amp;").replaceAll("<","&lt;").replaceAll(">","&gt;").replaceAll('"',"&quot;")}function ae(n){let e=Vs.exec(n);if(!e)return ge(n);let{code:t,strong:o,star:s,em:r,del:l,text:u,href:c}=e.groups,d=ge(n.slice(0,e.index)),m=ae(n.slice(e.index+e[0].length)),p=(f,v)=>`${d}<${f}>${v}</${f}>${m}`;return t!==void 0?p("code",ge(t)):o!==void 0?p("strong",ae(o)):s!==void 0||r!==void 0?p("em",ae(s??r)):l!==void 0?p("del",ae(l)):`${d}<a href="${ge(c)}">${ge(u)}</a>${m}`}function oo(n,e,t){let o=[],s=e;for(;s<n.length&&t.test(n[s]);s+=1)o.push(n[s].replace(t,""));return[o,s]}var Fs=/^```\s*[\w+-]*\s*$/,so=/^>\s?/,ro=/^\s{0,3}[-*+]\s+/,Ke=/^\s{0,3}\d{1,9}[.)]\s+/;function Ws(n){let e=n.split(`
`),t=[],o=[],s=()=>{o.length>0&&t.push(`<p>${o.join("<br>")}</p>`),o=[]};for(let r=0;r<e.length;){let l=e[r],u=Fs.test(l)?e.findIndex((d,m)=>m>r&&/^```\s*$/.test(d)):-1,c=ro.test(l)?ro:Ke.test(l)?Ke:null;if(u>0)s(),t.push(`<pre><code>${ge(e.slice(r+1,u).join(`
`))}</code></pre>`),r=u+1;else if(so.test(l)){s();let[d,m]=oo(e,r,so);t.push(`<blockquote>${d.map(ae).join("<br>")}</blockquote>`),r=m}else if(c){s();let[d,m]=oo(e,r,c),p=c===Ke?` start="${parseInt(l.trim(),10)}"`:"",f=c===Ke?"ol":"ul";t.push(`<${f}${p}>${d.map(v=>`<li>${ae(v)}</li>`).join("")}</${f}>`),r=m}else l.trim()===""?s():o.push(ae(l)),r+=1}return s(),t.length===1&&t[0].startsWith("<p>")?t[0].slice(3,-4):t.join("")}function io(n){let e=n.startsWith("/me ")?"EMOTE":"TEXT",t=(e==="EMOTE"?n.slice(4):n).trim().toWellFormed(),o=Ws(t);return!/<(?!br>|p>|\/p>)/.test(o)?{body:t,kind:e}:{body:t,formattedBody:o,kind:e}}var qs=`query Quoted($eventId: EventID!) {
  event(eventId: $eventId) { text isRedacted sender { userId displayName } }
}`,we=new Map,Js=500;function zs({store:n},e){let t=we.get(e);return t||(we.size>=Js&&we.clear(),t=n.query(qs,{eventId:e}).then(({event:o})=>o&&{name:B(o.sender),text:ke({body:o.text??""})}).catch(()=>(we.delete(e),null)),we.set(e,t),t)}function ft(n){return{name:re(n),text:n.redaction?i("message.redacted"):ke(n.content)}}function ao({eventId:n,conversation:e}){let t=e.rowOf(n),[o,s]=h(null);y(()=>{let u=!0;return t||zs(e,n).then(c=>u&&s(c)),()=>{u=!1}},[n,t===void 0]);let r=t?ft(t):o,l=i("message.replyTo",{who:r?j(r.name):"…"});return a`<button type="button" class="quote" aria-label=${l} title=${l} onClick=${()=>e.goTo(n)}>
    <${P} name="reply" />
    ${r?a`<bdi dir="auto" class="name">${j(r.name).slice(0,60)}</bdi><span class="one-line" dir="auto">${r.text}</span>`:a`<span class="one-line">…</span>`}
  </button>`}function lo({target:n,onLeave:e}){let{name:t,text:o}=ft(n.row);return a`<div class="target-bar">
    <${P} name=${n.kind==="edit"?"edit":"reply"} />
    <span class="small">${n.kind==="edit"?i("composer.editing"):i("composer.replying",{who:j(t).slice(0,60)})}</span>
    <span class="grow one-line small soft" dir="auto">${o}</span>
    <${R} icon="close" label=${i("app.cancel")} onClick=${e} />
  </div>`}var Gs=15e3,Qs=6e3;function co(n,e){let t=Ee(()=>new ht(n,e),[n,e]);return y(()=>()=>t.typed(!1),[t]),t}var ht=class{constructor(e,t){this.store=e;this.roomId=t}store;roomId;#e=null;#t;typed(e){clearTimeout(this.#t),e&&(this.#t=setTimeout(()=>this.typed(!1),Qs));let t=this.#e!==null&&(!e||performance.now()-this.#e<Gs);e===t&&e||!e&&this.#e===null||(this.#e=e?performance.now():null,this.store.setTyping(this.roomId,e).catch(()=>{}))}};function Ve({roomId:n,thread:e=null}){let t=k(),o=w(`room:${n}`),s=w(`members:${n}`),r=w("viewer")?.userId??null,l=ie(n,e),u=L(null),c=L(new Map),d=no(t,n,e,o?.draft),m=_(0),p=_(0),f=_(!1),v=co(t,n),T=f.value?null:Qn(d.value,m.value),E=T?Xn(T,s?.members??[],r):[],H=T?.kind==="member";y(()=>{H&&t.loadMembers(n).catch(()=>{})},[H,n]),J(()=>{let g=l.value;g?.kind==="edit"&&ce(g.row),g&&u.current?.focus()},[l.value]),J(()=>{let g=u.current;CSS.supports("field-sizing","content")||(g.style.height="auto",g.style.height=`${g.scrollHeight}px`)},[d.value]);let V=(g,D=g.length)=>{d.value=g,m.value=D,queueMicrotask(()=>u.current?.setSelectionRange(D,D))},ce=({content:g})=>{for(let D of Xs(g)){let q=s?.members.find(nt=>nt.userId===D);c.current.set(D,`@${B(q??{userId:D})}`)}V(`${A(g,"msgtype")==="m.emote"?"/me ":""}${je(g)}`)},Ze=()=>{let g=u.current;[d.value,m.value]=[g.value,g.selectionStart],[p.value,f.value]=[0,!1],v.typed(g.value!==""&&l.value?.kind!=="edit")},Ie=g=>{g.userId!==null&&c.current.set(g.userId,g.text.trim());let D=Yn(d.value,m.value,T,g);V(D.text,D.caret),u.current?.focus()},Se=()=>{let g=l.value?.kind==="edit";l.value=null,g&&V("")},ve=async()=>{let g=Zn(d.value);if(g.trim()==="")return;let D={...io(g),...et(g)},q=l.value;q?.kind!=="edit"&&e!==null&&(D.threadRoot=e),q?.kind==="reply"&&(D.replyTo=q.row.eventId);let nt=d.value;l.value=null,V(""),v.typed(!1);try{q?.kind==="edit"?await t.edit(n,q.row.eventId,D):await t.send(n,D),c.current.clear()}catch(Uo){d.value===""&&V(nt),b(x(Uo),"bad")}},et=g=>{let D=eo(g,c.current),q=/(?:^|\s)@room(?!\p{L})/u.test(g);return{...D.length>0&&{mentions:D},...q&&{mentionsRoom:!0}}},F=g=>{if(g.isComposing)return;if(E.length>0&&ye(g))return g.preventDefault();let D=!g.shiftKey&&!g.ctrlKey&&!g.altKey&&!g.metaKey;if(g.key==="Enter"&&!g.shiftKey&&!g.altKey)ve();else if(g.key==="Escape"&&l.value)Se();else if(g.key==="ArrowUp"&&D&&d.value===""&&!l.value){let q=Ys(t.get(e===null?`timeline:${n}`:`thread:${n}/${e}`)?.segments.at(-1)?.rows??[],r,e);if(!q)return;l.value={kind:"edit",row:q}}else return;g.preventDefault(),g.stopPropagation()},ye=g=>{let D=E.length;if(g.key==="ArrowDown")p.value=(p.value+1)%D;else if(g.key==="ArrowUp")p.value=(p.value-1+D)%D;else if(g.key==="Enter"&&!g.shiftKey||g.key==="Tab")Ie(E[Math.min(p.value,D-1)]);else if(g.key==="Escape")f.value=!0;else return!1;return g.stopPropagation(),!0};if(o?.can&&!o.can.sendMessages)return a`<p class="composer-closed soft">${i("composer.readOnly")}</p>`;let tt=`choices-${e??n}`,Tt=l.value?.kind==="edit",xt=Tt?i("composer.edit"):e!==null?i("composer.thread"):i("composer.label",{room:o?.displayName??""});return a`<form class="composer" onSubmit=${g=>(g.preventDefault(),void ve())}>
    ${l.value&&a`<${lo} target=${l.value} onLeave=${Se} />`}
    ${E.length>0&&a`<${Fn} id=${tt} choices=${E} at=${p.value} onChoose=${Ie} kind=${T.kind} />`}
    <div class="composer-row">
      <textarea ref=${u} rows="1" dir="auto" class="composer-field" aria-label=${xt} placeholder=${xt} value=${d.value}
        aria-autocomplete="list" aria-haspopup="listbox" aria-controls=${E.length>0?tt:void 0}
        aria-activedescendant=${E.length>0?`${tt}-${Math.min(p.value,E.length-1)}`:void 0}
        onInput=${Ze} onKeyDown=${F} onSelect=${()=>m.value=u.current.selectionStart} onBlur=${()=>v.typed(!1)}
        enterkeyhint="send" autocomplete="off" spellcheck="true"></textarea>
      <${R} icon="send" class="send" label=${Tt?i("app.save"):i("composer.send")} disabled=${d.value.trim()===""} onClick=${()=>{ve()}} />
    </div>
  </form>`}function Xs(n){let e=Q(Q(n,"m.mentions"),"user_ids");return Array.isArray(e)?e.filter(t=>typeof t=="string"):[]}function Ys(n,e,t){let o=s=>s.senderId===e&&s.type==="m.room.message"&&!s.redaction&&A(s.content,"body")!==null&&s.threadRoot===t;return n.findLast(o)??null}var Zs=4,er=6;function uo({timeline:n,viewerId:e,thread:t}){let[o,s]=h([]),r=L(null);return y(()=>{let l=n?.segments.find(f=>f.isLive)?.rows??[],u=l.at(-1);if(!u)return;let c=r.current;if(r.current=Math.max(c??0,...l.slice(-100).map(f=>f.sequence)),c===null)return;let d=l.slice(-100).filter(f=>f.sequence>c&&!f.isLate&&f.senderId!==e&&_e(f,t));if(d.length===0)return;let m=d.map(f=>({key:f.eventId,text:tr(f)})).filter(({text:f})=>f!==""),p=m.length>Zs?[{key:`${u.eventId}:count`,text:i("timeline.newCount",{count:m.length})}]:m;s(f=>[...f,...p].slice(-er))},[n]),a`<div class="unseen" role="log" aria-live="polite" aria-relevant="additions" aria-label=${i("timeline.news")}>
    ${o.map(({key:l,text:u})=>a`<p key=${l}>${u}</p>`)}
  </div>`}function tr(n){if(Be(n)){let e=be(n);return e===null?"":i(e.key,e.values)}return i("timeline.said",{who:j(re(n)).slice(0,60),text:n.redaction?i("message.redacted"):ke(n.content,300)})}function mo({rows:n,detail:e,visible:t,isThread:o}){let s=_(!1),[r,l]=t.value,u=n.readUpTo,c=n.scroll.indexOf("unread"),d=c!==void 0&&c>=r&&c<=l;return y(()=>{d&&(s.value=!0)},[d]),o||s.value||!u||!e||c!==void 0&&c>=r?null:a`<div class="jump-bar">
    <button type="button" class="jump-text" onClick=${()=>{s.value=!0,n.goTo(u,{place:.2,hasFocus:!0})}}><${P} name="back" />${i("jump.unread")}</button>
    <${R} icon="close" label=${i("app.close")} onClick=${()=>s.value=!0} />
  </div>`}function po({rows:n,atEnd:e,unread:t}){if(e.value)return null;let o=()=>n.scroll.toEnd();return a`<button type="button" class="to-end" title=${i("jump.newest")} onClick=${o}>
    <${P} name="down" /><span class="unseen">${i("jump.newest")}</span>${t>0&&a`<span class="count highlight">${t>99?"99+":t}</span>`}
  </button>`}function fo({rows:n,onClose:e}){let t=_(""),o=s=>{s.preventDefault(),t.value!==""&&(e(),n.goToDate(new Date(`${t.value}T00:00`).toISOString()).catch(r=>b(x(r),"bad")))};return a`<${K} title=${i("jump.date")} onClose=${e}>
    <form class="stack" onSubmit=${o}>
      <div class="field">
        <label for="jump-day">${i("jump.day")}</label>
        <input id="jump-day" type="date" required value=${t.value} onInput=${s=>t.value=s.target.value} />
      </div>
      <div class="dialog-ends">
        <${$} onClick=${e}>${i("app.cancel")}<//>
        <${$} kind="main" type="submit">${i("jump.go")}<//>
      </div>
    </form>
  <//>`}var gt=12,nr=8,or=24;function $t({store:n,roomId:e},t,o){(t.reactions.some(l=>l.key===o&&l.isMine)?n.unreact(e,t.eventId,o):n.react(e,t.eventId,o)).catch(l=>b(x(l),"bad"))}function ho({row:n,conversation:e}){return a`<ul class="reactions" aria-label=${i("message.reactions")}>
    ${n.reactions.slice(0,gt).map(({key:t,count:o,isMine:s,userIds:r})=>{let l=j([...t].slice(0,or).join("")),u=r.slice(0,nr).map(d=>e.nameOf(d));o>u.length&&u.length>0&&u.push(i("message.others",{count:o-u.length}));let c=i("message.reaction",{key:l,who:me(u),count:o});return a`<li key=${t}>
        <button type="button" class="reaction" aria-pressed=${s} aria-label=${c} title=${c} onClick=${()=>$t(e,n,t)}>
          <bdi dir="auto">${l}</bdi> <span class="number">${z(o)}</span>
        </button>
      </li>`})}
    ${n.reactions.length>gt&&a`<li class="soft small">${i("message.others",{count:n.reactions.length-gt})}</li>`}
  </ul>`}function vt({store:n,roomId:e,viewerId:t},o){let s=n.get(`room:${e}`)?.can,r=o.senderId===t;return{react:s?.addReactions??!0,reply:s?.sendMessages??!0,edit:r&&o.type==="m.room.message"&&(s?.sendMessages??!0),redact:r||(s?.redactOthers??!1)}}function yt({roomId:n,thread:e},t){ie(n,e).value={kind:"reply",row:t}}function bt({roomId:n,thread:e},t){ie(n,e).value={kind:"edit",row:t}}async function sr({roomId:n},e){await navigator.clipboard.writeText(ue(I.room(n,e.eventId))).catch(()=>{}),b(i("app.copied"))}function go({row:n,itemKey:e,conversation:t}){let{roomId:o,thread:s,picking:r}=t,l=vt(t,n),u=_(!1),c=r.value===e,d=L(null);J(()=>{c&&d.current?.querySelector(".emoji")?.focus({preventScroll:!0})},[c]);let m=f=>{d.current?.closest(".line")?.focus({preventScroll:!0}),r.value=null,$t(t,n,f)},p=()=>r.value=c?null:e;return a`<div class="tools" ref=${d} role="group" aria-label=${i("message.tools")}>
    ${l.react&&a`<${R} icon="face" label=${i("message.react")} aria-expanded=${c} onClick=${p} />`}
    ${c?qn.map(f=>a`<button type="button" key=${f} class="icon-button emoji" aria-label=${i("message.reactWith",{key:f})} onClick=${()=>m(f)}>${f}</button>`):a`
          ${l.reply&&a`<${R} icon="reply" label=${i("message.reply")} onClick=${()=>yt(t,n)} />`}
          ${s===null&&l.reply&&a`<${R} icon="thread" label=${i("message.openThread")} onClick=${()=>N(I.thread(o,n.eventId))} />`}
          ${l.edit&&a`<${R} icon="edit" label=${i("message.edit")} onClick=${()=>bt(t,n)} />`}
          <${R} icon="copy" label=${i("app.copy")} onClick=${()=>{sr(t,n)}} />
          ${l.redact&&a`<${R} icon="trash" label=${i("message.redact")} onClick=${()=>u.value=!0} />`}
        `}
    ${u.value&&a`<${rr} row=${n} conversation=${t} onClose=${()=>u.value=!1} />`}
  </div>`}function rr({row:n,conversation:e,onClose:t}){let o=_(""),s=r=>{r.preventDefault(),t(),e.store.redact(e.roomId,n.eventId,o.value.trim()||void 0).catch(u=>b(x(u),"bad"))};return a`<${K} title=${i("message.redact.title")} onClose=${t}>
    <form class="stack" onSubmit=${s}>
      <p>${i("message.redact.about")}</p>
      <${U} label=${i("message.redact.reason")} value=${o.value} onInput=${r=>o.value=r} isPeoples />
      <div class="dialog-ends">
        <${$} onClick=${t}>${i("app.cancel")}<//>
        <${$} kind="bad" type="submit">${i("message.redact")}<//>
      </div>
    </form>
  <//>`}var W="data-key",ir="data-loose",Fe=class{constructor(e,t){this.scroller=e;this.list=t}scroller;list;first=null;last=null;isAtEnd=!0;space=0;#e=null;#t=null;#n=0;#o=0;look(e){let{scrollTop:t,clientHeight:o}=this.scroller,s=t<this.#n-1;this.isAtEnd=e&&(this.#s||this.isAtEnd&&!s),this.#n=t;let r=this.list.children,l=this.scroller.getBoundingClientRect().top,u=$o(r,d=>d.getBoundingClientRect().bottom>=l+1),c=$o(r,d=>d.getBoundingClientRect().top>l+o-1);this.first=r[Math.min(u,r.length-1)]?.getAttribute(W)??null,this.last=r[Math.max(0,c-1)]?.getAttribute(W)??null,this.#i(this.#r(r,u,c,l))}#r(e,t,o,s){let r=null;for(let l=t;l<e.length&&(l<o||r===null);l+=1){let u=e[l];if(!u.hasAttribute(ir)&&(r??=u,u.getBoundingClientRect().top>=s-1))return l<o?u:r}return r}get anchorKey(){return this.#t}get#s(){let{scrollTop:e,clientHeight:t,scrollHeight:o}=this.scroller;return e+t>=o-8}#i(e){this.#e=e,this.#t=e?.getAttribute(W)??null,e&&(this.#o=this.#a(e))}#a(e){return e.getBoundingClientRect().top-this.scroller.getBoundingClientRect().top+this.scroller.scrollTop}hold({isExact:e,isWhole:t,find:o}){if(this.isAtEnd&&this.scroller.scrollTop<this.#n-1&&!this.#s&&this.look(t),this.isAtEnd&&t){e&&this.#u(0),this.scrollTo(this.scroller.scrollHeight),this.look(t),this.isAtEnd=!0;return}let s=this.#e;if((!s?.isConnected||s.getAttribute(W)!==this.#t)&&(s=this.#t===null?null:o?.(this.#t)??null,!s))return this.look(t);let r=this.#a(s)-this.#o;this.#e=s;let l=e?0:Math.max(0,this.space-r),u=r+l-this.space,c=Math.abs(u)<.01?0:Math.ceil(u);this.#u(l+c-u),c!==0&&(this.scrollTo(this.scroller.scrollTop+c),this.#o+=c)}settle(e){let t=Math.round(e-this.space);if(t===0)return;let o=this.scroller.scrollTop+t;this.#u(this.space+t),this.scrollTo(o),this.#o+=t}show(e,t){let{clientHeight:o}=this.scroller,s=e.getBoundingClientRect().height;this.isAtEnd=!1,this.scrollTo(this.#a(e)-Math.max(0,(o-Math.min(s,o))*t))}toEnd(e){this.scrollTo(this.scroller.scrollHeight),this.look(e)}scrollTo(e){this.scroller.scrollTop=e}#u(e){e!==this.space&&(this.space=e,this.list.style.paddingTop=`${e}px`)}setSpace(e){this.#u(Math.max(0,e))}};function $o(n,e){let[t,o]=[0,n.length];for(;t<o;){let s=t+o>>1;e(n[s])?o=s:t=s+1}return t}function vo(n,e){let t=n.target.closest(`[${W}]`),o=e.scroll.indexOf(t?.getAttribute(W)??e.stop.value);if(o===void 0||n.ctrlKey||n.metaKey||n.altKey||ar(n.target))return;let s=n.target===t||t===null;(n.key==="Escape"&&!s?lr(t,e):s?cr(n,o,e):ur(n))&&(n.preventDefault(),n.stopPropagation())}var ar=n=>n.closest("input, textarea, select, dialog, [contenteditable]")!==null;function lr(n,{conversation:e}){return e.picking.value!==null&&(e.picking.value=null),n?.focus({preventScroll:!0}),!0}function cr(n,e,t){let{scroll:o,conversation:s}=t,r=Math.max(1,o.visible.last-o.visible.first),u={ArrowUp:-1,ArrowDown:1,PageUp:-r,PageDown:r,Home:-o.count,End:o.count}[n.key];if(u!==void 0)return mr(Math.max(0,Math.min(o.count-1,e+u)),t);let c=o.items[e];if(n.key==="Enter"||n.key===" "){let m=o.rowAt(e);return(m?.querySelector(".tools button")??m?.querySelector("button, a[href]"))?.focus(),!0}if(c?.kind!=="message"||c.row.redaction||n.shiftKey)return!1;let d=vt(s,c.row);if(n.key==="r"&&d.reply)yt(s,c.row);else if(n.key==="e"&&d.edit)bt(s,c.row);else if(n.key==="t"&&s.thread===null)N(I.thread(t.roomId,c.row.eventId));else return!1;return!0}function ur(n){let e=n.target.closest(".tools, .reactions"),t={ArrowRight:1,ArrowLeft:-1}[n.key];if(!e||t===void 0)return!1;let o=[...e.querySelectorAll("button")],s=getComputedStyle(e).direction==="rtl",r=o.indexOf(n.target)+(s?-t:t);return o[(r+o.length)%o.length]?.focus(),!0}function mr(n,{scroll:e}){let t=e.rowAt(n);if(!t)return e.jump({key:e.items[n]?.key??"",place:.5,hasFocus:!0}),!0;t.focus({preventScroll:!0});let o=e.viewport.scroller.getBoundingClientRect(),{top:s,bottom:r}=t.getBoundingClientRect();return s<o.top?e.viewport.scroller.scrollTop+=s-o.top-8:r>o.bottom&&(e.viewport.scroller.scrollTop+=Math.min(s-o.top-8,r-o.bottom+8)),e.scrolled(),!0}var dr={queued:"echo.queued",sending:"echo.sending",refused:"echo.refused"};function yo({echo:n,conversation:e}){let{store:t,viewerId:o}=e,r=t.get("viewer")?.displayName??O(o??"");return a`<article class=${`message own echo-message ${n.state}`}>
    <div class="gutter"><${C} id=${o??""} name=${r} /></div>
    <div class="content">
      <header class="head"><bdi dir="auto" class="name">${r}</bdi> <span class="soft small">${n.state==="sending"?"":i(dr[n.state])}</span></header>
      <${Ue} content=${n.content} isEdited=${!1} />
      ${n.state==="refused"&&a`<div class="refusal" role="alert">
        <span class="field-error">${n.refusal?.message??i("echo.refused")}</span>
        <${$} onClick=${()=>{t.retry(n.echoId)}}>${i("app.retry")}<//>
        <${$} onClick=${()=>{t.discard(n.echoId)}}>${i("echo.discard")}<//>
      </div>`}
      ${n.state==="queued"&&a`<span class="unseen"><${P} name="send" />${i("echo.queued")}</span>`}
    </div>
  </article>`}var pr={hour:"numeric",minute:"2-digit"},fr={dateStyle:"full",timeStyle:"medium"};function We({at:n,href:e}){let t=a`<time datetime=${n} title=${Y(n,fr)}>${Y(n,pr)}</time>`;return e===void 0?t:a`<a class="when" href=${e} tabindex="-1">${t}</a>`}function hr(n,e){let t=Q(n,"m.mentions"),o=Q(t,"user_ids");return Q(t,"room")===!0||e!==null&&Array.isArray(o)&&o.includes(e)}function bo({item:n,conversation:e}){let{row:t,isContinued:o}=n,{roomId:s,thread:r,viewerId:l,active:u}=e,c=X(()=>u.value===n.key).value,d=A(t.content,"msgtype")==="m.emote",m=j(re(t)).slice(0,100),p=["message",o?"continued":"",t.senderId===l?"own":"",hr(t.content,l)&&t.senderId!==l?"for-me":"",A(t.content,"msgtype")==="m.notice"?"notice-message":""].join(" "),f=a`<${Ue} key=${t.isEdited?JSON.stringify(t.content):""} content=${t.content} isEdited=${t.isEdited} />`,v=r===t.eventId;return a`<article class=${p}>
    <div class="gutter">
      ${o?a`<${We} at=${t.sentAt} href=${I.room(s,t.eventId)} />`:a`<${C} id=${t.senderId} name=${m} />`}
    </div>
    <div class="content">
      <header class=${o?"unseen":"head"}>
        <bdi dir="auto" class="name" title=${i("message.from",{who:t.senderId})}>${m}</bdi>
        ${!o&&a` <${We} at=${t.sentAt} href=${I.room(s,t.eventId)} />`}
        ${t.isLate&&a` <span class="late soft small">${i("message.late")}</span>`}
      </header>
      ${t.replyTo!==null&&a`<${ao} eventId=${t.replyTo} conversation=${e} />`}
      ${t.redaction?a`<p class="redacted soft"><${P} name="trash" /> ${gr(t,e)}</p>`:d?a`<div class="emote-row"><bdi dir="auto" class="name">${m}</bdi><div>${f}</div></div>`:f}
      ${t.reactions.length>0&&a`<${ho} row=${t} conversation=${e} />`}
      ${t.thread!==null&&t.thread.count>0&&!v&&a`<${$r} row=${t} roomId=${s} />`}
      <${vr} eventId=${t.eventId} conversation=${e} />
    </div>
    ${c&&!t.redaction&&a`<${go} row=${t} itemKey=${n.key} conversation=${e} />`}
  </article>`}function gr(n,{nameOf:e}){let{byId:t,reason:o}=n.redaction,s=t===null||t===n.senderId?null:e(t),r=j(o??"").slice(0,200);return s===null?r===""?i("message.redacted"):i("message.redacted.why",{why:r}):r===""?i("message.redacted.by",{who:s}):i("message.redacted.by.why",{who:s,why:r})}function $r({row:n,roomId:e}){let{count:t,isParticipant:o}=n.thread;return a`<button type="button" class=${`thread-link ${o?"with-me":""}`} onClick=${()=>N(I.thread(e,n.eventId))}>
    <${P} name="thread" />${i("message.thread",{count:t})}
  </button>`}var kt=5;function vr({eventId:n,conversation:e}){let t=X(()=>e.receipts.value.get(n)??"").value;if(t==="")return null;let o=t.split(" "),s=o.map(l=>e.nameOf(l)),r=i("message.readBy",{who:s.slice(0,10).join(", "),count:o.length});return a`<span class="readers" role="img" aria-label=${r} title=${r}>
    ${o.slice(0,kt).map((l,u)=>a`<${C} key=${l} id=${l} name=${s[u]??O(l)} size="small" />`)}
    ${o.length>kt&&a`<span class="small soft">+${o.length-kt}</span>`}
  </span>`}var yr=new Set(["older","gap","day","start","echo"]);function ko({item:n,conversation:e,loader:t,stop:o}){let s=X(()=>o.value===n.key).value,r=X(()=>n.kind==="message"&&e.marked.value===n.row.eventId).value;return a`<li data-key=${n.key} data-loose=${yr.has(n.kind)?"":void 0} data-event=${"row"in n?n.row.eventId:void 0}
    class=${`line is-${n.kind} ${r?"marked":""}`} tabindex=${s?0:-1}>
    ${br(n,e,t)}
  </li>`}function br(n,e,t){switch(n.kind){case"message":return a`<${bo} item=${n} conversation=${e} />`;case"echo":return a`<${yo} echo=${n.echo} conversation=${e} />`;case"change":return a`<${wo} item=${n} />`;case"group":return a`<${kr} item=${n} />`;case"day":return a`<h2 class="day-name"><button type="button" title=${i("jump.date")} tabindex="-1" onClick=${()=>e.isAskingDate.value=!0}>
        <time datetime=${n.at}>${Y(n.at,{dateStyle:"full"})}</time></button></h2>`;case"unread":return a`<span class="unread-name">${i("timeline.unread")}</span>`;case"start":return a`<p class="soft small">${i("timeline.start")}</p>`;default:return a`<${wr} item=${n} loader=${t} />`}}function wo({item:n}){let{row:e,isMissed:t}=n,o=be(e);if(o===null)return null;let s=t?"line.call.missed":o.key,r=Object.fromEntries(Object.entries(o.values).map(([l,u])=>[l,j(u).slice(0,300)]));return a`<p class=${`change-text ${s==="line.call.missed"?"missed":""}`}>
    ${he(e)&&a`<${P} name=${s==="line.call.placed"?"phone":"hangUp"} />`}
    <span>${i(s,r)}</span> <${We} at=${e.sentAt} />
  </p>`}function kr({item:n}){let[e,t]=h(!1),o=[...new Set(n.rows.map(r=>j(A(r.content,"displayname")??O(r.stateKey??r.senderId)).slice(0,60)))],s=o.length>4?[...o.slice(0,3),i("message.others",{count:o.length-3})]:o;return a`<div class="group-text">
    <button type="button" class="button link small" aria-expanded=${e} onClick=${()=>t(!e)}>
      ${i("timeline.changes",{count:n.rows.length,who:me(s)})}
    </button>
    ${e&&a`<ul>
      ${n.rows.slice(0,100).map(r=>a`<li key=${r.eventId}><${wo} item=${{kind:"change",key:r.eventId,row:r,isMissed:!1}} /></li>`)}
    </ul>`}
  </div>`}function wr({item:n,loader:e}){let t=X(()=>e.failed.value.has(n.key)).value,o=X(()=>e.running.value.has(n.key)).value||n.isLoading,s=o?i("app.loading"):i(n.kind==="gap"?"timeline.gap":"timeline.older");return a`<div class="missing-text" aria-busy=${o}>
    <span>${t?i("timeline.failed"):s}</span>
    ${!o&&a`<button type="button" class="button" onClick=${()=>{e.load(n,!1,!0)}}>${t?i("app.retry"):i("timeline.load")}</button>`}
  </div>`}var Ir=400;function Io({rows:n,detail:e,visible:t,isThread:o}){let s=L(void 0),r=L(null),l=L(e);l.current=e,y(()=>{if(o)return;let u=()=>{s.current??=setTimeout(()=>{s.current=void 0,c()},Ir)},c=()=>{if(!l.current||document.visibilityState!=="visible"||!document.hasFocus())return;let m=Sr(n,t.peek()[1]);m===null||m===r.current||!Er(n,m,l.current.readUpTo)||(r.current=m,n.store.markRead(n.roomId,m).catch(()=>r.current=null))},d=t.subscribe(u);return document.addEventListener("visibilitychange",u),addEventListener("focus",u),()=>{d(),clearTimeout(s.current),s.current=void 0,document.removeEventListener("visibilitychange",u),removeEventListener("focus",u)}},[n,o])}function Sr({scroll:n,liveFrom:e},t){for(let o=t;o>=Math.max(e,t-20);o-=1){let s=n.items[o];if(s?.kind==="message"||s?.kind==="change")return s.row.eventId;if(s?.kind==="group")return s.rows.at(-1).eventId}return null}function Er({scroll:n},e,t){let o=t===null?void 0:n.indexOfEvent(t);return o===void 0||o<n.indexOfEvent(e)}function So(n,e,t){return o=>{let s=n.get(`members:${e}`)?.members.find(r=>r.userId===o);if(s)return s.displayName??O(o);for(let r of t())if(r.senderId===o&&r.senderName!==null)return r.senderName;return O(o)}}function Eo(n,e){let t=new Map;for(let[o,s]of Object.entries(n)){if(o===e)continue;let r=t.get(s);t.set(s,r===void 0?o:`${r} ${o}`)}return t}var Rr=5*6e4,Cr=4,qe=class{#e={items:[],index:new Map};build(e,t={}){let o=new wt(this.#e,t);e.segments.forEach((s,r)=>o.segment(s,e.segments[r+1]??null,r===0));for(let s of e.echoes)o.echo(s);return this.#e={items:o.items,index:o.index},this.#e}},Ro=new WeakMap;function Co(n){let e=Ro.get(n);return e||Ro.set(n,e={at:Date.parse(n.sentAt),day:xr(n.sentAt)}),e}var wt=class{items=[];index=new Map;#e;#t;#n="";#o=null;#r=0;#s=[];#i=new Map;#a=!1;#u=!1;constructor(e,t){this.#e=e,this.#t=t}segment(e,t,o){let{thread:s}=this.#t,r=s!=null&&e.rows[0]?.eventId===s,l=r?e.rows.slice(1):e.rows,[u,c]=[l[0],l.at(-1)];r&&this.#g(e.rows[0]),o&&u!==void 0&&(e.isStart?s||this.#l({kind:"start",key:"start"}):this.#l({kind:"older",key:"older",eventId:u.eventId,isLoading:e.isLoadingBefore}));for(let f of l)this.#g(f);this.#c();let d=t===null&&e.isLive;if(c===void 0||d||s)return;let m=t?.rows[0]?.eventId??null,p=e.isLoadingAfter||t?.isLoadingBefore===!0;this.#l({kind:"gap",key:`gap:${m??"end"}`,above:c.eventId,below:m,isLoading:p}),this.#o=null}echo(e){this.#l({kind:"echo",key:e.echoId,echo:e})}#g(e){let t=ut(e);t!==null&&e.type==="m.call.invite"&&this.#i.set(t,!1),t!==null&&e.type==="m.call.answer"&&this.#i.set(t,!0),_e(e,this.#t.thread??null)&&(this.#p(e),Be(e)?this.#f(e):this.#$(e)),this.index.set(e.eventId,Math.max(0,this.items.length-1+(this.#s.length>0?1:0))),e.eventId===this.#t.readUpTo&&(this.#a=!0)}#p(e){let{day:t}=Co(e);t!==this.#n&&(this.#c(),this.#n=t,this.#l({kind:"day",key:this.#d(`day:${t}`),at:e.sentAt}),this.#o=null),this.#a&&!this.#u&&e.senderId!==this.#t.viewerId&&(this.#c(),this.#u=!0,this.#l({kind:"unread",key:"unread"}),this.#o=null)}#$(e){this.#c();let{at:t}=Co(e),o=this.#o===e.senderId&&Math.abs(t-this.#r)<Rr&&e.replyTo===null,s=this.#h(e.eventId),r=o&&!(s?.kind==="message"&&!s.isContinued);this.#o=e.senderId,this.#r=t,s?.kind==="message"&&s.row===e&&s.isContinued===r?this.#m(s):this.#m({kind:"message",key:e.eventId,row:e,isContinued:r})}#f(e){if(this.#o=null,e.type!=="m.room.member"){this.#c();let t=e.type==="m.call.hangup"&&this.#i.get(ut(e)??"")===!1;this.#l({kind:"change",key:e.eventId,row:e,isMissed:t})}else this.#s.push(e)}#c(){let e=this.#s;if(e.length!==0){if(this.#s=[],e.length<Cr){for(let t of e)this.#l({kind:"change",key:t.eventId,row:t,isMissed:!1}),this.index.set(t.eventId,this.items.length-1);return}this.#l({kind:"group",key:`group:${e.at(-1).eventId}`,rows:e});for(let t of e)this.index.set(t.eventId,this.items.length-1)}}#d(e){let t=e;for(let o=2;this.index.has(t);o+=1)t=`${e}:${o}`;return t}#h(e){let t=this.#e.items[this.#e.index.get(e)??-1];return t?.key===e?t:void 0}#l(e){let t=this.#h(e.key);this.#m(t!==void 0&&Tr(t,e)?t:e)}#m(e){this.index.set(e.key,this.items.length),this.items.push(e)}};function Tr(n,e){for(let[t,o]of Object.entries(e)){let s=n[t];if(s!==o&&(!Array.isArray(o)||!Array.isArray(s)||o.length!==s.length||o.some((r,l)=>r!==s[l])))return!1}return!0}function xr(n){let e=new Date(n);return`${e.getFullYear()}-${e.getMonth()+1}-${e.getDate()}`}var To=50,It=60,Je=class{constructor(e,t,o){this.store=e;this.roomId=t;this.thread=o}store;roomId;thread;failed=M(new Set);running=M(new Set);loaded=()=>{};#e=new Set;near(e,t,o){for(let s=Math.max(0,t-To);s<=Math.min(e.length-1,o+To);s+=1){let r=e[s];(r.kind==="older"||r.kind==="gap")&&this.load(r,s<t)}}async load(e,t,o=!1){let s=e.kind==="older"?`older:${e.eventId}`:`gap:${t?e.below:e.above}`;if(!(this.running.value.has(e.key)||!o&&this.#e.has(s))){this.#e.add(s),this.running.value=new Set(this.running.value).add(e.key),this.#n(e.key,!1);try{await this.#t(e,t)}catch{this.#n(e.key,!0)}finally{let r=new Set(this.running.value);r.delete(e.key),this.running.value=r,this.loaded()}}}#t(e,t){let{store:o,roomId:s}=this;return this.thread!==null?o.loadThread(s,this.thread):e.kind==="older"?o.loadBefore(s,e.eventId,It):t&&e.below!==null?o.loadBefore(s,e.below,It):o.loadAfter(s,e.above,It)}#n(e,t){if(this.failed.value.has(e)===t)return;let o=new Set(this.failed.value);t?o.add(e):o.delete(e),this.failed.value=o}reconnected(){this.#e.clear(),this.failed.value=new Set}};function le(n,e){let t=Math.max(0,Math.min(n-Math.floor(60),e-120));return{from:t,to:Math.min(e,t+120)}}function St(n,e,t,o){let{from:s,to:r}=n;if(s>e||r>e||t<s||o>=r)return Mr(le(t,e),e,o);let l=s>0&&t-s<30,u=r<e&&r-1-o<30;if(!l&&!u)return n;let c=Math.max(120,o-t+1+72);return l?(s=Math.max(0,t-30-6),r=Math.min(e,Math.max(o+1,Math.min(r,s+c)))):(r=Math.min(e,o+1+30+6),s=Math.max(0,Math.min(t,Math.max(s,r-c)))),{from:s,to:r}}function Mr(n,e,t){return t<n.to?n:{from:n.from,to:Math.min(e,t+1+30)}}var ze=class{#e=new Set;#t=0;has(e){return this.#e.has(e)}add(e,t){this.#e.add(e),this.#t+=t}get mean(){return this.#e.size===0?32:this.#t/this.#e.size}of(e){return Math.max(0,e)*this.mean}at(e,t){return Math.max(0,Math.min(t-1,Math.floor(e/this.mean)))}};var Ar={items:[],index:new Map},Et=4e3,Dr=3e3,Nr=250,xo=16,Ge=class{constructor(e){this.render=e}render;viewport=null;range={from:0,to:0};#e=Ar;#t=new ze;#n=null;isScrolling=!1;rested=()=>{};#o;#r=0;#s=!1;#i=null;get items(){return this.#e.items}indexOf(e){let t=e===null?void 0:this.#e.index.get(e);return t!==void 0&&this.items[t]?.key===e?t:void 0}indexOfEvent(e){return this.#e.index.get(e)}get count(){return this.items.length}get isAtEnd(){return this.viewport?.isAtEnd??!0}get visible(){let e=this.indexOf(this.viewport?.first??null)??this.range.from;return{first:e,last:Math.max(e,this.indexOf(this.viewport?.last??null)??e)}}attach(e,t){this.viewport=new Fe(e,t),this.#i=new ResizeObserver(()=>this.#l()),this.#i.observe(t),this.#i.observe(e)}detach(){clearTimeout(this.#o),this.#i?.disconnect(),this.viewport=null}take(e,t){if(this.#s=t,e===this.#e)return;let o=this.#e.items,{from:s,to:r}=this.range,l=o.slice(s,r).filter(({kind:f})=>f!=="older"&&f!=="gap"),[u,c]=[l[0]?.key??null,l.at(-1)?.key??null],d=this.viewport?.anchorKey??null,m=this.indexOf(d);this.#e=e;let p=e.items.length;o.length===0?this.range=le(p-1,p):this.isAtEnd&&t?this.range=this.#a(this.indexOf(u)):this.range=this.#u(u,c,d,(m??s)-s),this.#$()}#a(e){let{count:t}=this;return e!==void 0&&t-e<=120+xo&&t-e>=Math.min(t,120)?{from:e,to:t}:{from:Math.max(0,t-120),to:t}}#u(e,t,o,s){let{count:r}=this,l=this.indexOf(o)??this.#g(o),u=this.indexOf(e)??(l===void 0?void 0:Math.max(0,l-s));if(u===void 0)return le(Math.min(this.range.from+120/2,r-1),r);let c=Math.min(r,Math.max(u+1,(this.indexOf(t)??u+120-1)+1));if(c-u>120+2*xo)return le(l??u,r);let d={from:u,to:c},m=this.indexOf(this.viewport?.first??null),p=this.indexOf(this.viewport?.last??null);return m===void 0||p===void 0?d:St(d,r,m,p)}#g(e){return e===null?void 0:this.#e.index.get(e.replace(/^group:/,""))}jump(e){this.#n=e,this.#$()&&this.render()}get isJumping(){return this.#n!==null}toEnd(){this.#n=null,this.range=le(this.count-1,this.count),this.viewport&&(this.viewport.isAtEnd=!0),this.render()}#p(){if(!this.#n)return;let{key:e,eventId:t}=this.#n;return e===void 0?this.#e.index.get(t):this.indexOf(e)}#$(){let e=this.#p();if(e===void 0)return!1;this.viewport&&(this.viewport.isAtEnd=!1);let{from:t,to:o}=this.range;return e>=t+Math.min(t,20)&&e<o-Math.min(this.count-o,20)||(this.range=le(e,this.count)),!0}painted(){let{viewport:e}=this;if(!e)return;let t=this.#t.of(this.count-this.range.to);(Math.abs(t-this.#r)>Dr||t===0!=(this.#r===0))&&(this.#r=t,e.list.style.paddingBottom=`${t}px`);for(let u of e.list.children){let c=u.getAttribute(W);c!==null&&!this.#t.has(c)&&this.#t.add(c,u.getBoundingClientRect().height)}let o=this.#p(),s=o===void 0?null:this.rowAt(o);s?this.#f(s):this.#l();let{first:r,last:l}=e;(s||this.indexOf(r)===void 0||this.indexOf(l)===void 0)&&this.#m()}#f(e){let{place:t,hasFocus:o}=this.#n;this.#n=null,this.viewport.setSpace(this.#h()),this.viewport.show(e,t),o&&e.focus({preventScroll:!0})}rowAt(e){let t=this.items[e]?.key;if(t===void 0||!this.viewport)return null;let o=this.viewport.list.children[e-this.range.from];return o?.getAttribute(W)===t?o:this.viewport.list.querySelector(`[${W}="${CSS.escape(t)}"]`)}get#c(){return this.#s&&this.range.to===this.count}get#d(){return this.items.slice(0,3).some(({kind:e})=>e==="older")}#h(){return this.range.from===0?this.#d?Et:0:this.#t.of(this.range.from)+(this.#d?Et:0)}#l(){let e=this.range.from===0&&!this.#d,t=o=>{let s=this.indexOf(o)??this.#g(o);return s===void 0?null:this.rowAt(s)};this.viewport?.hold({isExact:e,isWhole:this.#c,find:t})}#m(){this.viewport.look(this.#c)}scrolled(){let{viewport:e}=this;if(!e||this.#n||(this.#y(),e.isAtEnd||this.#l(),this.#m(),this.#v(e)))return;let{first:t,last:o}=this.visible,s=St(this.range,this.count,t,o);s!==this.range&&(this.range=s,this.render())}#v(e){let{scroller:t,list:o,space:s}=e,{scrollTop:r,clientHeight:l}=t,u=r+l<s,c=o.getBoundingClientRect().height-this.#r;if(!u&&r<=c)return!1;if(u&&this.range.from===0)return e.scrollTo(s),this.#m(),!0;let d=u?r-(this.#d?Et:0):r-c,m=u?0:this.range.to,p=m+this.#t.at(d,this.count-m);return this.jump({key:this.items[p]?.key??"",place:0}),!0}#y(){clearTimeout(this.#o),this.isScrolling=!0,this.#o=setTimeout(()=>{this.isScrolling=!1,this.rested(),this.#n||this.viewport?.settle(this.#h())},Nr)}};var Rt=n=>n?.closest?.(`[${W}]`)?.getAttribute(W)??null,Qe=class{constructor(e,t,o,s){this.store=e;this.roomId=t;this.thread=o;this.scroll=new Ge(s),this.scroll.rested=()=>this.#a(this.#i&&document.elementFromPoint(...this.#i)),this.loader=new Je(e,t,o),this.conversation={store:e,roomId:t,thread:o,viewerId:null,active:M(null),picking:M(null),isAskingDate:M(!1),marked:M(null),receipts:this.#n,rowOf:r=>this.byId.get(r),nameOf:So(e,t,()=>this.byId.values()),goTo:r=>{this.goTo(r,{isMarked:!0})}}}store;roomId;thread;scroll;loader;conversation;stop=M(null);byId=new Map;readUpTo=void 0;liveFrom=0;#e=new qe;#t=new WeakMap;#n=M(new Map);#o=[void 0,void 0,null];#r=null;#s=null;#i=null;take(e,t,o){this.conversation.viewerId=o,this.readUpTo===void 0&&t&&(this.readUpTo=t.unreadCount>0?t.readUpTo:null),t&&t.receipts!==this.#r&&(this.#r=t.receipts,this.#n.value=Eo(t.receipts,o));let[s,r,l]=this.#o;if(!e||e===s&&r===this.readUpTo&&l===o)return;this.#o=[e,this.readUpTo,o],this.byId.clear();for(let{rows:d}of e.segments)for(let m of d)this.byId.set(m.eventId,m);let u=this.#e.build(e,{readUpTo:this.readUpTo??null,viewerId:o,thread:this.thread}),c=e.segments.at(-1);this.liveFrom=c?.isLive&&c.rows[0]?u.index.get(c.rows[0].eventId)??0:u.items.length,this.scroll.take(u,this.thread!==null||c===void 0||c.isLive)}line(e,t){let o=this.#t.get(e);return o||this.#t.set(e,o=t(e)),o}async goTo(e,{isMarked:t=!1,place:o=.3,hasFocus:s=!1}={}){let{scroll:r,store:l,roomId:u,conversation:c}=this;t&&(c.marked.value=e);let d=e;if(r.indexOfEvent(e)===void 0){if(this.thread!==null)return N(I.room(u,e));let p=await l.loadAround(u,{eventId:e}).catch(()=>null);if(p===null)return;d=p}let m=this.byId.get(d);if(m?.threadRoot&&this.thread===null)return N(I.thread(u,m.threadRoot),{replace:!0});r.jump({eventId:d,place:o,hasFocus:s})}async goToDate(e){let t=await this.store.loadAround(this.roomId,{at:e});t!==null&&await this.goTo(t,{place:0})}keepStop(e,t){let{scroll:o,stop:s}=this,r=o.indexOf(s.value);r!==void 0&&r>=o.range.from&&r<o.range.to||(this.#s!==null&&this.#s===s.value&&o.viewport?.list?.focus({preventScroll:!0}),s.value=o.items[o.isAtEnd?o.count-1:Math.floor((e+t)/2)]?.key??null)}focused=e=>{let t=Rt(e.target);t!==null&&(this.#s=this.stop.value=this.conversation.active.value=t)};blurred=e=>{Rt(e.relatedTarget)===null&&(this.#s=null,this.conversation.active.value=this.conversation.picking.value=null)};pointed=e=>{e.pointerType!=="touch"&&(this.#i=[e.clientX,e.clientY],this.scroll.isScrolling||this.#a(e.target))};#a(e){let t=Rt(e);t!==null&&this.scroll.indexOf(t)!==void 0&&(this.conversation.active.value=t)}left=()=>{this.#i=null,this.conversation.active.value=this.#s}};var Mo=3;function Ao({typing:n,nameOf:e}){let t=n.slice(0,Mo).map(s=>j(e(s)).slice(0,40)),o=n.length>Mo?i("typing.many",{count:n.length}):i("typing.some",{who:me(t),count:t.length});return a`<p class="typing small soft one-line" aria-live="off">${n.length>0&&a`<span class="dots" aria-hidden="true"></span>${o}`}</p>`}function Xe({roomId:n,eventId:e=null,thread:t=null}){let o=k(),s=w(t===null?`timeline:${n}`:`thread:${n}/${t}`),r=w(`room:${n}`),l=w("viewer"),u=w("status"),[,c]=Mt(F=>F+1,0),d=Ee(()=>new Qe(o,n,t,()=>c(void 0)),[o,n,t]);d.take(s,r??null,l?.userId??null);let{scroll:m,loader:p,conversation:f,stop:v}=d,T=L(null),E=L(null),H=_(!0),V=_([0,0]);J(()=>(m.attach(T.current,E.current),()=>m.detach()),[m]);let ce=()=>{let{first:F,last:ye}=m.visible;H.value=m.isAtEnd,V.value=[F,ye],m.count>0&&!m.isJumping&&p.near(m.items,F,ye),d.keepStop(F,ye)};p.loaded=ce,J(()=>{m.painted(),ce()}),y(()=>{e!==null&&d.goTo(e,{isMarked:!0})},[e,d]),y(()=>{t!==null&&o.loadThread(n,t).catch(()=>{})},[o,n,t]),y(()=>{u?.phase==="live"&&(p.reconnected(),ce())},[u?.phase]),Io({rows:d,detail:r??null,visible:V,isThread:t!==null});let Ze=()=>{m.scrolled(),ce()},Ie=X(()=>p.running.value.size>0),{from:Se,to:ve}=m.range;return a`<div class="timeline">
    <${mo} rows=${d} detail=${r??null} visible=${V} isThread=${t!==null} />
    <div class="scroller" ref=${T} onScroll=${Ze}>
      <ol class="rows" ref=${E} role="list" tabindex="-1" aria-label=${i(t===null?"timeline.label":"thread.label")} aria-busy=${Ie}
        onKeyDown=${F=>vo(F,d)} onFocusIn=${d.focused} onFocusOut=${d.blurred}
        onPointerOver=${d.pointed} onPointerMove=${d.pointed} onPointerLeave=${d.left}>
        ${m.items.slice(Se,ve).map(F=>d.line(F,et))}
      </ol>
      ${s!==void 0&&m.count===0&&a`<p class="empty soft">${i("timeline.empty")}</p>`}
    </div>
    <${po} rows=${d} atEnd=${H} unread=${r?.unreadCount??0} />
    ${t===null&&a`<${Ao} typing=${r?.typing??[]} nameOf=${f.nameOf} />`}
    ${f.isAskingDate.value&&a`<${fo} rows=${d} onClose=${()=>f.isAskingDate.value=!1} />`}
    <${uo} timeline=${s} viewerId=${l?.userId??null} thread=${t} />
  </div>`;function et(F){return a`<${ko} key=${F.key} item=${F} conversation=${f} loader=${p} stop=${v} />`}}function Do({roomId:n,eventId:e}){let t=L(null);J(()=>(t.current?.querySelector("textarea")?.focus({preventScroll:!0}),()=>{let r=[...document.querySelectorAll("[data-event]")].find(l=>l.dataset.event===e&&!t.current?.contains(l));(document.activeElement===document.body||t.current?.contains(document.activeElement))&&r?.focus({preventScroll:!0})}),[e]);let o=()=>N(I.room(n)),s=r=>{r.key==="Escape"&&!r.defaultPrevented&&o()};return a`<section ref=${t} class="conversation thread" aria-label=${i("thread.title")} onKeyDown=${s}>
    <header class="bar">
      <h2 class="grow one-line">${i("thread.title")}</h2>
      <${R} icon="close" label=${i("app.close")} onClick=${o} />
    </header>
    <${Xe} key=${e} roomId=${n} thread=${e} />
    <${Ve} key=${`composer:${e}`} roomId=${n} thread=${e} />
  </section>`}var Or={KICKED:"door.kicked",BANNED:"door.banned",LEFT:"door.left",WITHDRAWN:"door.withdrawn"};function No({place:n,closed:e}){let t=k(),[o,s]=h(void 0),[r,l]=h(!1),u=n.startsWith("#")?{alias:n}:{roomId:n},c=async()=>{l(!0);let v=await S(t,Lt,{room:u});l(!1),v?.room&&N(I.room(v.room.roomId),{replace:!0})},d=async()=>{await S(t,Pt,{room:u})&&b(i("door.knocked"))};y(()=>{let v=!0;return!e&&dn()&&c(),t.query(_t,{by:u}).then(({room:E})=>{v&&(E?.myMembership==="JOIN"&&E.roomId!==n&&N(I.room(E.roomId),{replace:!0}),s(E))},E=>{v&&(s(null),b(x(E),"bad"))}),()=>{v=!1}},[n,e]);let m=o?.displayName??n,p=e?Or[e.reason]:void 0,f=o?.joinRule==="KNOCK"||o?.joinRule==="KNOCK_RESTRICTED";return a`<header class="bar"><${fe} /><h1 class="bar-title grow one-line" dir="auto">${m}</h1></header>
    <div class="screen-body"><div class="door stack" aria-busy=${o===void 0}>
      <${C} id=${n} name=${m} size="large" isRoom />
      ${p&&a`<p class="notice warn" role="status">${e?.byId?i(p,{name:O(e.byId)}):i("door.closed")}</p>`}
      ${o?.topic&&a`<p dir="auto">${o.topic}</p>`}
      ${o?.memberCount!=null&&a`<p class="soft">${i("room.members",{count:o.memberCount})}</p>`}
      ${o?.invite&&a`<p>${i("home.invitedBy",{name:B(o.invite.inviter)})}</p>`}
      ${o===null&&!p&&a`<p class="soft">${i("door.unknown")}</p>`}
      ${o!==void 0&&e?.reason!=="BANNED"&&a`<div class="row">
        ${f&&!o?.invite?a`<${$} kind="main" onClick=${d}>${i("door.knock")}<//>`:a`<${$} kind="main" disabled=${r} onClick=${c}>${i("door.join")}<//>`}
        <a class="button" href="/">${i("app.home")}</a>
      </div>`}
    </div></div>`}function Ye({title:n,roomId:e}){return a`<header class="bar">
    <h2 class="grow one-line">${n}</h2>
    <${R} icon="close" label=${i("app.close")} onClick=${()=>N(I.room(e))} />
  </header>`}function Oo({roomId:n,onClose:e}){let t=k(),[o,s]=h([]),r=async()=>{e();let u=(await Promise.all(o.map(c=>S(t,Ht,{roomId:n,userId:c})))).filter(Boolean).length;u>0&&b(i("members.invited",{count:u}))};return a`<${K} title=${i("members.inviteTitle")} onClose=${e}>
    <${Le} label=${i("new.people")} chosen=${o} onChange=${s} />
    <div class="dialog-ends">
      <${$} onClick=${e}>${i("app.cancel")}<//>
      <${$} kind="main" disabled=${o.length===0} onClick=${r}>${i("members.invite")}<//>
    </div>
  <//>`}var Lr=[[0,"members.makeMember"],[50,"members.makeModerator"],[100,"members.makeAdmin"]];function Lo({roomId:n,member:e}){let t=k(),o=w("viewer"),s=w(`room:${n}`),[r,l]=h(null),{userId:u}=e,[c,d]=[Z(s?.myPowerLevel),Z(e.powerLevel)],p=u!==o?.userId&&d<c,{can:f}=s??{},v=H=>{S(t,Xt,{roomId:n,powerLevels:{users:[{userId:u,level:H}]}})},T=[{text:i("members.profile"),icon:"person",onSelect:()=>N(I.person(u))},...f?.setPowerLevels&&p?Lr.filter(([H])=>H<=c).map(([H,V])=>({text:i(V),isChecked:H===d,onSelect:()=>v(H)})):[],f?.kick&&p&&{text:i("members.kick"),icon:"close",kind:"bad",onSelect:()=>l("kick")},f?.ban&&p&&{text:i("members.ban"),icon:"trash",kind:"bad",onSelect:()=>l("ban")}],E=B(e);return a`<${Me} label=${i("members.menu",{name:E})} items=${T} />
    ${r&&a`<${Pr} ...${{roomId:n,userId:u,name:E,removal:r}} onClose=${()=>l(null)} />`}`}function Pr({roomId:n,userId:e,name:t,removal:o,onClose:s}){let r=k(),[l,u]=h(""),c=o==="ban",d=async m=>{m.preventDefault();let p=l.trim(),f={roomId:n,userId:e,...p&&{reason:p}};s(),await(c?S(r,Kt,f):S(r,Ce,f))};return a`<${K} title=${c?i("members.banTitle",{name:t}):i("members.kickTitle",{name:t})} onClose=${s}>
    <form class="stack" onSubmit=${d}>
      <p>${c?i("members.banLead"):i("members.kickLead")}</p>
      <${U} label=${i("members.reason")} value=${l} onInput=${u} isPeoples maxlength="500" />
      <div class="dialog-ends">
        <${$} onClick=${s}>${i("app.cancel")}<//>
        <${$} kind="bad" type="submit">${c?i("members.ban"):i("members.kick")}<//>
      </div>
    </form>
  <//>`}function Ct({roomId:n,membership:e}){let t=k(),o=w(`room:${n}`),s=w(`timeline:${n}`),[r,l]=h(null),u=s?.segments.at(-1)?.rows.findLast(f=>f.type==="m.room.member")?.eventId,c=()=>t.query(Ft,{roomId:n,membership:e}).then(f=>l(f.room?.members??null),()=>{});if(y(()=>{c()},[n,u]),!r?.nodes.length)return null;let d=e==="BAN",m=async f=>{await(d?S(t,Vt,{roomId:n,userId:f}):S(t,Ce,{roomId:n,userId:f})),await c()},p=d?o?.can?.ban:o?.can?.kick;return a`<section class="stack">
    <h3>${d?i("members.banned"):i("members.invitedOnes")}</h3>
    <ul class="members">
      ${r.nodes.map(({userId:f,displayName:v})=>a`<li key=${f} class="member">
          <${C} id=${f} name=${B({displayName:v,userId:f})} size="small" />
          <span class="grow one-line" dir="auto">${B({displayName:v,userId:f})}</span>
          ${p&&a`<${$} onClick=${()=>m(f)}>${d?i("members.unban"):i("members.withdraw")}<//>`}
        </li>`)}
    </ul>
  </section>`}var _r=100,Br=50,Po=200,jr=(n,e)=>+(Z(n.powerLevel)>Z(e.powerLevel))-+(Z(n.powerLevel)<Z(e.powerLevel));function _o({roomId:n}){let e=k(),t=w(`members:${n}`),o=w(`room:${n}`),[s,r]=h(""),[l,u]=h(!1);y(()=>{e.loadMembers(n).catch(p=>b(x(p),"bad"))},[n]);let c=s.trim().toLocaleLowerCase(),d=p=>p.membership==="JOIN"&&(!c||`${p.displayName??""} ${p.userId}`.toLocaleLowerCase().includes(c)),m=(t?.members??[]).filter(d);return m.sort((p,f)=>jr(f,p)||Dt(B(p),B(f))),a`<${Ye} title=${i("members.title")} roomId=${n} />
    <div class="panel-body stack">
      <div class="row">
        <input class="search grow" type="search" dir="auto" value=${s} placeholder=${i("members.search")} aria-label=${i("members.search")}
          onInput=${p=>r(p.target.value)} />
        ${o?.can?.invite&&a`<${$} onClick=${()=>u(!0)}>${i("members.invite")}<//>`}
      </div>
      <p class="soft small" role="status">${t?i("room.members",{count:t.total}):i("app.loading")}</p>
      <ul class="members">
        ${m.slice(0,Po).map(p=>a`<${Ur} key=${p.userId} roomId=${n} member=${p} />`)}
      </ul>
      ${m.length>Po&&a`<p class="soft small">${i("members.searchMore")}</p>`}
      <${Ct} roomId=${n} membership="INVITE" />
      ${o?.can?.ban&&a`<${Ct} roomId=${n} membership="BAN" />`}
    </div>
    ${l&&a`<${Oo} roomId=${n} onClose=${()=>u(!1)} />`}`}function Ur({roomId:n,member:e}){let t=w(`person:${e.userId}`),o=Z(e.powerLevel);return a`<li class="member">
    <a class="member-link row grow" href=${I.person(e.userId)}>
      <${C} id=${e.userId} name=${B(e)} presence=${t?.presence} />
      <span class="grow stack-tight">
        <span class="one-line" dir="auto">${B(e)}</span>
        ${t?.statusMessage?a`<span class="soft small one-line" dir="auto">${t.statusMessage}</span>`:a`<span class="soft small one-line" dir="auto">${e.userId}</span>`}
      </span>
      ${o>=Br&&a`<span class="tag">${o>=_r?i("members.admin"):i("members.moderator")}</span>`}
    </a>
    <${Lo} roomId=${n} member=${e} />
  </li>`}var Bo={INVITE:"settings.joinInvite",PUBLIC:"settings.joinPublic",KNOCK:"settings.joinKnock"},Hr={JOINED:"settings.historyJoined",INVITED:"settings.historyInvited",SHARED:"settings.historyShared",WORLD_READABLE:"settings.historyWorld"};function jo({roomId:n}){let e=w(`room:${n}`);return e?a`<${Ye} title=${i("room.settings")} roomId=${n} />
    <div class="panel-body stack-large">
      <${Kr} key=${`${e.name}/${e.topic}/${e.canonicalAlias}`} room=${e} />
      <${Vr} room=${e} />
    </div>`:null}function Kr({room:n}){let e=k(),{roomId:t,can:o}=n,s=w("viewer")?.userId.split(":").slice(1).join(":")??"",[r,l]=h(n.name??""),[u,c]=h(n.topic??""),d=n.canonicalAlias?.slice(1).split(":")[0]??"",[m,p]=h(d),f=async E=>{E.preventDefault(),[r!==(n.name??"")&&await S(e,Wt,{roomId:t,name:r}),u!==(n.topic??"")&&await S(e,qt,{roomId:t,topic:u}),m!==d&&await S(e,Jt,{roomId:t,canonical:m?`#${m}:${s}`:null})].some(Boolean)&&b(i("settings.saved"))},v=r!==(n.name??"")||u!==(n.topic??"")||m!==d,T=o?.setName||o?.setTopic||o?.setAliases;return a`<form class="stack" onSubmit=${f}>
    <${U} label=${i("new.name")} value=${r} onInput=${l} isPeoples readonly=${!o?.setName} maxlength="255" />
    <${U} label=${i("new.topic")} value=${u} onInput=${c} isPeoples isLong readonly=${!o?.setTopic} />
    <${U} label=${i("settings.alias")} value=${m} onInput=${p} dir="ltr" readonly=${!o?.setAliases} hint=${m?void 0:i("settings.aliasHint")} />
    ${m&&a`<p class="soft small" dir="ltr"><span dir="auto">#${m}:${s}</span></p>`}
    ${T&&a`<div><${$} kind="main" type="submit" disabled=${!v}>${i("app.save")}<//></div>`}
  </form>`}function Vr({room:n}){let e=k(),{roomId:t,can:o}=n,s=m=>{S(e,zt,{roomId:t,joinRule:{kind:m}})},r=m=>{S(e,Gt,{roomId:t,visibility:m})},l=m=>{S(e,Qt,{roomId:t,isListed:m})},u=Object.entries(Bo).map(([m,p])=>[m,i(p)]),d=n.joinRule!==null&&!(n.joinRule in Bo)?[...u,[n.joinRule,i("settings.joinRestricted")]]:u;return a`<section class="stack">
    <h3>${i("settings.access")}</h3>
    <${ne} label=${i("settings.joinRule")} value=${n.joinRule??"INVITE"} options=${d} disabled=${!o?.setJoinRule} onChange=${s} />
    <${ne} label=${i("settings.history")} value=${n.historyVisibility??"SHARED"} disabled=${!o?.setHistoryVisibility}
      options=${Object.entries(Hr).map(([m,p])=>[m,i(p)])} onChange=${r} />
    <${de} checked=${n.isListed} disabled=${!o?.setAliases} onChange=${l}>${i("new.listed")}<//>
    <p class="soft small">${i("settings.version",{version:n.version??""})}</p>
  </section>`}function Fr({roomId:n,eventId:e,panel:t}){let o=w("home"),s=w(`room:${n}`),r=w(`timeline:${n}`);return s?a`<header class="bar">
      <${fe} />
      <${C} id=${n} name=${s.displayName} isRoom=${!s.isDirect} />
      <div class="grow stack-tight">
        <h1 class="bar-title one-line" dir="auto">${s.displayName}</h1>
        <p class="soft small one-line">${s.topic?a`<span dir="auto">${s.topic}</span>`:i("room.members",{count:s.memberCount})}</p>
      </div>
      <${En} roomId=${n} />
      <${On} room=${s} panel=${t} />
    </header>
    <div class=${`room ${t?"with-panel":""}`}>
      <section class="conversation" aria-label=${i("room.conversation")}>
        <${Xe} roomId=${n} eventId=${e} />
        <${Ve} roomId=${n} />
      </section>
      ${t&&a`<aside class="panel"><${Wr} roomId=${n} panel=${t} /></aside>`}
    </div>`:o?.isLoaded&&(s===null||o.isComplete&&!o.rooms.some(u=>u.roomId===n))?a`<${No} place=${n} closed=${r?.closed??null} />`:a`<header class="bar"><${fe} /></header><div class="grow" aria-busy="true"></div>`}function Wr({roomId:n,panel:e}){switch(e.kind){case"members":return a`<${_o} roomId=${n} />`;case"settings":return a`<${jo} roomId=${n} />`;case"thread":return a`<${Do} key=${e.eventId} roomId=${n} eventId=${e.eventId} />`}}var qr={system:"settings.themeSystem",light:"settings.themeLight",dark:"settings.themeDark",contrast:"settings.themeContrast"};function Jr(){let n=w("viewer"),e=w(`person:${n?.userId??""}`);return a`<${G} title=${i("settings.title")} />
    <div class="screen-body"><div class="stack-large">
      ${n&&a`<${zr} key=${`${n.displayName}/${e?.statusMessage}`} viewer=${n} status=${e?.statusMessage??""} />`}
      <section class="stack">
        <h2>${i("settings.appearance")}</h2>
        <${ne} label=${i("settings.theme")} value=${pn.value} onChange=${t=>fn(t)}
          options=${Object.entries(qr).map(([t,o])=>[t,i(o)])} />
        <div class="field"><span class="label">${i("settings.language")}</span><${hn} /></div>
      </section>
      <${Gr} />
      ${n&&n.ignored.length>0&&a`<${Qr} ignored=${n.ignored} />`}
      <p><a href="/about">${i("welcome.about")}</a></p>
    </div></div>`}function zr({viewer:n,status:e}){let t=k(),[o,s]=h(n.displayName??""),[r,l]=h(e),u=async d=>{if(d.preventDefault(),!(o!==(n.displayName??"")&&!await S(t,Yt,{displayName:o.trim()||null})))try{r!==e&&await t.setPresence("ONLINE",r.trim()),b(i("settings.saved"))}catch(m){b(x(m),"bad")}},c=o!==(n.displayName??"")||r!==e;return a`<form class="stack" onSubmit=${u}>
    <h2>${i("settings.profile")}</h2>
    <div class="row"><${C} id=${n.userId} name=${o||n.userId} size="large" /><span class="soft one-line" dir="auto">${n.userId}</span></div>
    <${U} label=${i("settings.displayName")} value=${o} onInput=${s} isPeoples maxlength="255" autocomplete="nickname" />
    <${U} label=${i("settings.status")} value=${r} onInput=${l} isPeoples maxlength="200" hint=${i("settings.statusHint")} />
    <div><${$} kind="main" type="submit" disabled=${!c}>${i("app.save")}<//></div>
  </form>`}function Gr(){let n=k(),[e,t]=h(""),[o,s]=h(""),[r,l]=h(!0);return a`<form class="stack" onSubmit=${async c=>{c.preventDefault(),await S(n,Zt,{password:e,newPassword:o,logOutOthers:r})&&(t(""),s(""),b(i("settings.passwordChanged")))}}>
    <h2>${i("settings.password")}</h2>
    <${U} label=${i("settings.passwordNow")} type="password" value=${e} onInput=${t} autocomplete="current-password" dir="ltr" />
    <${U} label=${i("settings.passwordNew")} type="password" value=${o} onInput=${s} autocomplete="new-password" dir="ltr" hint=${i("welcome.passwordHint")} />
    <${de} checked=${r} onChange=${l}>${i("settings.logOutOthers")}<//>
    <div><${$} type="submit" disabled=${!e||!o}>${i("settings.passwordChange")}<//></div>
  </form>`}function Qr({ignored:n}){let e=k();return a`<section class="stack">
    <h2>${i("settings.ignored")}</h2>
    <ul class="members">
      ${n.map(t=>a`<li key=${t} class="member">
          <${C} id=${t} name=${t} size="small" />
          <span class="grow one-line" dir="auto">${t}</span>
          <${$} onClick=${()=>S(e,xe,{userId:t,isIgnored:!1})}>${i("person.unignore")}<//>
        </li>`)}
    </ul>
  </section>`}export{Go as CallLayer,Xo as Devices,es as Directory,os as NewRoom,ms as Operator,gs as PersonScreen,Fr as RoomScreen,Jr as Settings};
