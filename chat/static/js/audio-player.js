/** The bar of a recording: one plays at a time. How long it is, its sender has told; most recordings do not say it themselves. */

import { durationWords } from './file-size.js';
import { gettext } from './i18n.js';
import { find, part, setText } from './page.js';

const players = new WeakSet(); // bars that are followed
let playing = null; // the <audio> that is heard

export async function toggleSound(bar) {
  const audio = find('audio', bar);
  if (!players.has(bar)) follow(bar, audio);
  if (!audio.paused) return audio.pause();
  playing?.pause();
  playing = audio;
  await audio.play().catch(() => setText(part(bar, 'audio-time'), gettext('Cannot be played')));
}

function follow(bar, audio) {
  players.add(bar);
  const [button, seek, time] = [find('[data-action="play"]', bar), find('.audio-seek', bar), part(bar, 'audio-time')];
  const length = () => (Number.isFinite(audio.duration) && audio.duration > 0 ? audio.duration : Number(bar.dataset.duration) || 0);
  const show = () => {
    seek.value = length() ? audio.currentTime / length() : 0;
    seek.ariaValueText = `${durationWords(audio.currentTime)} / ${durationWords(length())}`;
    setText(time, durationWords(audio.paused && !audio.currentTime ? length() : audio.currentTime));
  };
  const showState = () => {
    button.ariaPressed = String(!audio.paused);
    button.ariaLabel = audio.paused ? gettext('Play') : gettext('Pause');
    show();
  };
  for (const type of ['play', 'pause']) audio.addEventListener(type, showState);
  for (const type of ['timeupdate', 'durationchange', 'seeked']) audio.addEventListener(type, show);
  audio.addEventListener('ended', () => {
    audio.currentTime = 0;
    showState();
  });
  seek.addEventListener('input', () => {
    audio.currentTime = seek.value * length();
    show();
  });
  if (Number(seek.value)) audio.currentTime = seek.value * length(); // it was moved before anything was played
}
