/** What every module needs of the page: who reads it, its elements, its templates. */

export const me = { id: Number(document.body.dataset.userId) };

export const find = (selector, root = document) => root.querySelector(selector);
export const findAll = (selector, root = document) => [...root.querySelectorAll(selector)];
export const part = (root, name) => root.querySelector(`[data-part="${name}"]`);

export const parseHtml = (text) => new DOMParser().parseFromString(text, 'text/html');

/** A fresh copy of the first element in `<template id>`. */
export function fromTemplate(id) {
  return document.getElementById(id).content.firstElementChild.cloneNode(true);
}

/** The face of a person, `size` CSS pixels wide. */
export function faceOf(id, size) {
  const face = Object.assign(new Image(size, size), { className: 'avatar', alt: '', src: `/face/${id}` });
  face.dataset.tint = id % 8;
  return face;
}

/** Sets a text only where it differs: otherwise it would be laid out and read aloud again. */
export function setText(element, text) {
  if (element && element.textContent !== text) element.textContent = text;
}

export const onTouch = () => matchMedia('(pointer: coarse)').matches;

/** Whether somebody looks at this window now. */
export const isWatched = () => document.visibilityState === 'visible' && document.hasFocus();

const IME_KEY_CODE = 229; // some browsers say of the key that ends a composition that it does not belong to it

/** Whether a key belongs to an input method (IME), which composes a character with it. */
export const isComposing = (event) => event.isComposing || event.keyCode === IME_KEY_CODE;

export function debounce(delayMs, action) {
  let timer;
  return (...args) => {
    clearTimeout(timer);
    timer = setTimeout(action, delayMs, ...args);
  };
}

export const pathOf = (url) => url.pathname + url.search;

/** Whether a click is an ordinary one: with the middle button or a key it would open a tab, or save the link. */
export const isPlainClick = (event) => event.button === 0 && !(event.metaKey || event.ctrlKey || event.shiftKey || event.altKey);
