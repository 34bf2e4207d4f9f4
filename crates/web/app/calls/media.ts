// Microphone, camera and screen of one call, and the devices that the user chose for them.

import { local } from "../state/local.js";
import { signal } from "@preact/signals";

export type DeviceKind = "audioinput" | "videoinput" | "audiooutput";

const CHOICE = "rookery.devices";

/** The devices that were chosen, by kind. */
export const chosen = signal<Partial<Record<DeviceKind, string>>>(readChoice());

function readChoice(): Partial<Record<DeviceKind, string>> {
  try {
    return JSON.parse(local.get(CHOICE) ?? "{}") as Partial<Record<DeviceKind, string>>;
  } catch {
    return {};
  }
}

export function choose(kind: DeviceKind, deviceId: string) {
  chosen.value = { ...chosen.value, [kind]: deviceId };
  local.set(CHOICE, JSON.stringify(chosen.value));
}

/** The devices that there are. Their names are known once one of them was used. */
export const devices = async (): Promise<MediaDeviceInfo[]> => (await navigator.mediaDevices?.enumerateDevices()) ?? [];

const wanted = (kind: DeviceKind): MediaTrackConstraints | true => {
  const deviceId = chosen.value[kind];
  // A device that is gone must not prevent the call.
  return deviceId ? { deviceId: { ideal: deviceId } } : true;
};

export class Media {
  /** The media that this device sends: the camera or the screen, and the microphone. */
  readonly local = signal<MediaStream | null>(null);
  readonly isMuted = signal(false);
  readonly hasCamera = signal(false);
  readonly hasScreen = signal(false);
  #audio: MediaStreamTrack | null = null;
  #camera: MediaStreamTrack | null = null;
  #screen: MediaStreamTrack | null = null;
  #stream = new MediaStream();
  #pc: RTCPeerConnection | null = null;
  #videoSender: RTCRtpSender | null = null;

  /** @param changed called when the other device needs a new offer */
  constructor(
    readonly withVideo: boolean,
    readonly changed: () => void,
  ) {}

  async open() {
    if (this.#audio) return;
    const stream = await navigator.mediaDevices.getUserMedia({ audio: wanted("audioinput"), video: this.withVideo && wanted("videoinput") });
    this.#audio = stream.getAudioTracks()[0] ?? null;
    this.#camera = stream.getVideoTracks()[0] ?? null;
    this.hasCamera.value = this.#camera !== null;
    this.#show();
  }

  /** Sends the tracks over a connection. */
  attach(pc: RTCPeerConnection) {
    this.#pc = pc;
    if (this.#audio) pc.addTrack(this.#audio, this.#stream);
    const video = this.#screen ?? this.#camera;
    this.#videoSender = video ? pc.addTrack(video, this.#stream) : null;
  }

  #show() {
    for (const track of this.#stream.getTracks()) this.#stream.removeTrack(track);
    for (const track of [this.#audio, this.#screen ?? this.#camera]) if (track) this.#stream.addTrack(track);
    this.local.value = new MediaStream(this.#stream.getVideoTracks());
  }

  mute(isMuted: boolean) {
    this.isMuted.value = isMuted;
    if (this.#audio) this.#audio.enabled = !isMuted;
  }

  async setCamera(isOn: boolean) {
    this.#camera?.stop();
    this.#camera = isOn ? ((await navigator.mediaDevices.getUserMedia({ video: wanted("videoinput") })).getVideoTracks()[0] ?? null) : null;
    this.hasCamera.value = this.#camera !== null;
    await this.#sendVideo();
  }

  async setScreen(isOn: boolean) {
    this.#screen?.stop();
    this.#screen = isOn ? ((await navigator.mediaDevices.getDisplayMedia({ video: true })).getVideoTracks()[0] ?? null) : null;
    this.hasScreen.value = this.#screen !== null;
    // The browser has a button of its own that ends the sharing.
    if (this.#screen) this.#screen.onended = () => void this.setScreen(false);
    await this.#sendVideo();
  }

  async #sendVideo() {
    const video = this.#screen ?? this.#camera;
    this.#show();
    if (this.#videoSender) await this.#videoSender.replaceTrack(video);
    else if (video && this.#pc) {
      this.#videoSender = this.#pc.addTrack(video, this.#stream);
      this.changed();
    }
  }

  /** Uses another microphone or camera from now on. */
  async use(kind: "audioinput" | "videoinput", deviceId: string) {
    choose(kind, deviceId);
    if (kind === "videoinput") {
      if (this.#camera) await this.setCamera(true);
      return;
    }
    const before = this.#audio;
    if (!before) return;
    const stream = await navigator.mediaDevices.getUserMedia({ audio: wanted("audioinput") });
    this.#audio = stream.getAudioTracks()[0] ?? null;
    const sender = this.#pc?.getSenders().find((it) => it.track === before);
    await sender?.replaceTrack(this.#audio);
    before.stop();
    this.mute(this.isMuted.value);
    this.#show();
  }

  close() {
    for (const track of [this.#audio, this.#camera, this.#screen]) track?.stop();
    this.#audio = this.#camera = this.#screen = null;
    this.local.value = null;
  }
}
