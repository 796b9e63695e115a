/** The colours of code, by highlight.js with the ten languages of the chat: as tokens, never as HTML. */

import hljs from '@highlightjs/cdn-assets/es/core.min.js';
// Each language is a file of its own, with those that may stand in it.
const LANGUAGES = {
  c: () => import('@highlightjs/cdn-assets/es/languages/c.min.js'),
  css: () => import('@highlightjs/cdn-assets/es/languages/css.min.js'),
  html: () => import('@highlightjs/cdn-assets/es/languages/xml.min.js'),
  java: () => import('@highlightjs/cdn-assets/es/languages/java.min.js'),
  javascript: () => import('@highlightjs/cdn-assets/es/languages/javascript.min.js'),
  json: () => import('@highlightjs/cdn-assets/es/languages/json.min.js'),
  php: () => import('@highlightjs/cdn-assets/es/languages/php.min.js'),
  python: () => import('@highlightjs/cdn-assets/es/languages/python.min.js'),
  shell: () => import('@highlightjs/cdn-assets/es/languages/bash.min.js'),
  sql: () => import('@highlightjs/cdn-assets/es/languages/sql.min.js'),
};
// Words of MySQL and SQLite that the grammar, of the standard, does not know.
const SQL_WORDS = ['auto_increment', 'autoincrement', 'change', 'charset', 'engine', 'explain', 'if', 'index', 'key', 'limit', 'modify', 'pragma', 'replace',
  'schema', 'show', 'tables', 'text', 'use'];
const WITHIN = { html: ['css', 'javascript'], php: ['html'] };

// What is coloured, in the five colours of the style sheet. A scope such as "title.function" is looked up by its first word.
const KINDS = {
  keyword: 'key', built_in: 'fn', type: 'key', literal: 'num', number: 'num', symbol: 'num', string: 'str', regexp: 'str', char: 'str', link: 'str',
  comment: 'rem', doctag: 'rem', quote: 'rem', meta: 'rem', title: 'fn', function: 'fn', attr: 'fn', attribute: 'fn', property: 'fn', name: 'key',
  tag: '', section: 'key', 'selector-tag': 'key', 'selector-class': 'fn', 'selector-id': 'fn', 'selector-attr': 'fn', 'selector-pseudo': 'fn',
  'template-variable': 'num', 'template-tag': 'key', bullet: 'num', addition: 'str', deletion: 'key',
};

/** What highlight.js calls while it reads: it keeps the tokens. The library's own class of this kind writes HTML. */
export class Tokens {
  list = [];
  #kinds = []; // of the open scopes; one that says nothing has the kind of the one around it

  openNode(scope) {
    this.#kinds.push(KINDS[scope.split('.', 1)[0]] ?? this.#kind);
  }

  closeNode() {
    this.#kinds.pop();
  }

  get #kind() {
    return this.#kinds.at(-1) ?? '';
  }

  startScope(scope) {
    this.openNode(scope);
  }

  endScope() {
    this.closeNode();
  }

  addText(text) {
    if (text) this.#add(text, this.#kind);
  }

  #add(text, kind) {
    const last = this.list.at(-1);
    if (last?.kind === kind) last.text += text;
    else this.list.push({ text, kind });
  }

  /** A language within another: the script in a page. */
  __addSublanguage(emitter, name) {
    if (name) this.openNode(`language:${name}`);
    for (const { text, kind } of emitter.list) this.#add(text, kind);
    if (name) this.closeNode();
  }

  toHTML() {
    return '';
  }

  finalize() {}
}

const highlighter = hljs.newInstance();
highlighter.configure({ __emitter: Tokens, classPrefix: '' });
const loading = new Map(); // language → a promise

function load(language) {
  if (!loading.has(language)) loading.set(language, register(language).catch((error) => {
    loading.delete(language); // the next block asks for it again
    throw error;
  }));
  return loading.get(language);
}

async function register(language) {
  const [{ default: grammar }] = await Promise.all([LANGUAGES[language](), ...(WITHIN[language] ?? []).map(load)]);
  highlighter.registerLanguage(language, language === 'sql' ? withWords(grammar, SQL_WORDS) : grammar);
  if (language === 'html') highlighter.registerAliases(['xml'], { languageName: 'html' }); // by which the languages name it
}

/** A grammar with more keywords. */
const withWords = (grammar, words) => (library) => {
  const rules = grammar(library);
  rules.keywords.keyword = [...rules.keywords.keyword, ...words];
  return rules;
};

/** Resolves to a code in one of these languages as `[{text, kind}]`: kinds are key, str, num, fn, rem, or an empty text. */
export async function tokensOf(code, language) {
  await load(language);
  const { list } = highlighter.highlight(code, { language, ignoreIllegals: true })._emitter;
  return list.map(({ text }) => text).join('') === code ? list : [{ text: code, kind: '' }];
}
