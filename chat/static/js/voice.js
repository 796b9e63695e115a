/** A voice message: recorded in place of the field, and sent as a file with its length. The browser asks for the microphone on the click alone. */

import { showNotice } from './banner.js';
import { durationWords } from './file-size.js';
import { gettext } from './i18n.js';
import { loadLaterStyles } from './later-styles.js';
import { newClientId } from './outbox.js';
import { find, fromTemplate, part, setText } from './page.js';

const TYPES = ['audio/webm;codecs=opus', 'audio/mp4', 'audio/ogg;codecs=opus']; // the first one that the browser writes
const BITS_PER_SECOND = 32_000; // speech; a quarter of an hour is 3.6 MB
const MAX_SECONDS = 15 * 60;
const MIN_SECONDS = 0.5; // less is a slip of the finger
const SHOW_MS = 100;

let isOpening = false; // the browser asks for the microphone

/** Records for the conversation of `composer`, until it is sent or cancelled. A second press begins nothing. */
export async function record(composer, button) {
  if (isOpening || composer.form.dataset.recording !== undefined) return;
  isOpening = true;
  await begin(composer, button).finally(() => { isOpening = false; });
}

async function begin(composer, button) {
  const stream = await navigator.mediaDevices.getUserMedia({ audio: true }).catch((error) => {
    showNotice(wordsOf(error));
    return null;
  });
  if (!stream) return;
  await loadLaterStyles();
  if (composer.signal.aborted) return stop(stream);
  new Recording(composer, button, stream);
}

function wordsOf({ name }) {
  if (name === 'NotAllowedError') return gettext('The browser does not allow the microphone. Allow it beside the address of this page.');
  if (name === 'NotFoundError') return gettext('This device has no microphone.');
  return gettext('The microphone could not be used.');
}

const stop = (stream) => stream.getTracks().forEach((track) => track.stop());

class Recording {
  #pieces = [];
  #ending = new AbortController();

  constructor(composer, button, stream) {
    Object.assign(this, { composer, button, stream });
    const mimeType = TYPES.find((type) => MediaRecorder.isTypeSupported(type));
    this.recorder = new MediaRecorder(stream, { ...(mimeType && { mimeType }), audioBitsPerSecond: BITS_PER_SECOND });
    this.recorder.addEventListener('dataavailable', ({ data }) => this.#pieces.push(data));
    this.bar = fromTemplate('recorder-template');
    const { signal } = this.#ending;
    find('[data-action="cancel"]', this.bar).addEventListener('click', () => this.#end(false));
    find('[data-action="send"]', this.bar).addEventListener('click', () => this.#end(true));
    this.bar.addEventListener('keydown', (event) => {
      if (event.key !== 'Escape') return;
      event.preventDefault();
      event.stopPropagation();
      this.#end(false);
    });
    composer.signal.addEventListener('abort', () => this.#end(false), { signal }); // another conversation was opened
    composer.form.append(this.bar);
    composer.form.dataset.recording = '';
    find('[data-action="send"]', this.bar).focus();
    this.startedAt = performance.now();
    this.stopped = new Promise((resolve) => this.recorder.addEventListener('stop', resolve));
    this.stopped.then(() => this.#microphoneGone());
    this.recorder.start();
    this.#watchLevel();
    this.timer = setInterval(() => this.#show(), SHOW_MS);
  }

  get #seconds() {
    return ((this.stoppedAt ?? performance.now()) - this.startedAt) / 1000;
  }

  #watchLevel() {
    this.audio = new AudioContext();
    this.analyser = this.audio.createAnalyser();
    this.samples = new Float32Array(this.analyser.fftSize);
    this.audio.createMediaStreamSource(this.stream).connect(this.analyser);
  }

  #show() {
    if (this.composer.form.hidden) return void this.#end(false); // the room was archived
    setText(part(this.bar, 'recorder-time'), durationWords(this.#seconds));
    this.analyser.getFloatTimeDomainData(this.samples);
    const loudest = this.samples.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0);
    part(this.bar, 'recorder-level').style.setProperty('--level', loudest.toFixed(2));
    if (this.#seconds > MAX_SECONDS) this.#end(true);
  }

  /** The recorder has stopped, and nobody has asked it to: what was recorded is still to be sent or discarded. */
  #microphoneGone() {
    if (this.#ending.signal.aborted) return;
    this.stoppedAt = performance.now();
    clearInterval(this.timer);
    showNotice(gettext('The microphone is gone. What was recorded so far can be sent.'));
  }

  /** Ends it, and sends it unless it was cancelled. */
  async #end(isSent) {
    if (this.#ending.signal.aborted) return;
    this.#ending.abort();
    const seconds = this.#seconds;
    clearInterval(this.timer);
    if (this.recorder.state !== 'inactive') this.recorder.stop();
    await this.stopped;
    stop(this.stream);
    this.audio.close();
    this.bar.remove();
    delete this.composer.form.dataset.recording;
    if (this.composer.signal.aborted) return;
    if (isSent && seconds >= MIN_SECONDS) this.#send(seconds);
    this.button.focus();
  }

  #send(seconds) {
    const type = this.recorder.mimeType.split(';')[0];
    const blob = new Blob(this.#pieces, { type });
    const ending = type.split('/')[1];
    const name = `${gettext('Voice message')}.${ending === 'mp4' ? 'm4a' : ending}`;
    this.composer.sendFiles([{ clientId: newClientId(), name, type, size: blob.size, duration: Math.round(seconds * 10) / 10, blob }]);
  }
}
