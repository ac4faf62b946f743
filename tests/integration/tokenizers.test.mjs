// vsr's tokenizers beside others: a plain reference (ids, byte ranges, types), npm's @huggingface/tokenizers (ids) and
// the SentencePiece library (ids, byte ranges), over small tokenizers of every kind and the published files of ../shared.
//
// What is compared with what, and where the others are known to be wrong: tests/tokenizers/README.md. A sample by
// default, 20,000 texts for each tokenizer under VSR_TEST_LONG=1. VSR_TOKENIZERS=pattern keeps only tokenizers whose name
// matches, VSR_TOKENIZER_SHARD=i/n every n-th one from the i-th on (1/4 to 4/4), VSR_TOKENIZER_TEXTS=n sets the number of
// texts.

import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { FEW, Npm } from '../tokenizers/npm.mjs';

const top = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
const here = path.join(top, 'tests/tokenizers');
const program = path.resolve(top, process.env.VSR_BUILD_DIR ?? 'build/debug', 'tokenize');
const shared = path.resolve(process.env.VSR_TEST_SHARED ?? path.join(top, '../shared'), 'data/tokenizers');
const isLong = process.env.VSR_TEST_LONG === '1';
const TEXTS = Number(process.env.VSR_TOKENIZER_TEXTS ?? (isLong ? 20000 : 200));
const SHOWN = 5; // differences of one test

// ---- the programs

const python = ['python3', '/usr/bin/python3'].find((name) => {
  try {
    execFileSync(name, ['-c', 'import sentencepiece'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
});
assert.ok(python, 'no python3 that has the module sentencepiece; `tools/deps test` installs python3-sentencepiece');

// One JSON object for each line given.
async function run(command, args, lines) {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'] });
  const out = [];
  const err = [];
  child.stdout.on('data', (data) => out.push(data));
  child.stderr.on('data', (data) => err.push(data));
  child.stdin.on('error', () => {}); // it may stop before the end; its exit status says so
  child.stdin.end(lines.map((line) => JSON.stringify(line) + '\n').join(''));
  const status = await new Promise((resolve) => child.on('close', (code, signal) => resolve(code ?? signal)));
  assert.equal(status, 0, `${path.basename(command)} ${args.join(' ')}: ${Buffer.concat(err).toString().slice(-2000)}`);
  const answers = Buffer.concat(out).toString().split('\n').filter(Boolean).map((line) => JSON.parse(line));
  assert.equal(answers.length, lines.length, `${path.basename(command)} ${args.join(' ')}: lines answered`);
  return answers;
}

const bare = ({ kind, ...line }) => line;
const tokenize = (entry, flags, lines) => run(program, [entry.path, ...flags], lines.map(bare));
const reference = (entry, lines) => run(python, [path.join(here, 'reference.py'), entry.json ?? entry.path], lines);

// ---- the texts

const directory = mkdtempSync(path.join(os.tmpdir(), 'vsr-tokenizers-'));
after(() => rmSync(directory, { recursive: true }));
execFileSync(python, [path.join(here, 'generate.py'), directory, shared]);
const only = new RegExp(process.env.VSR_TOKENIZERS ?? '');
const [shard, shards] = (process.env.VSR_TOKENIZER_SHARD ?? '1/1').split('/').map(Number);
const index = JSON.parse(readFileSync(path.join(directory, 'index.json'), 'utf8'))
  .filter(({ name }) => only.test(name)).filter((_, i) => i % shards === shard - 1);
const corpus = execFileSync(python, [path.join(here, 'corpus.py'), String(TEXTS)], { maxBuffer: 1 << 30 })
  .toString().split('\n').filter(Boolean).map((line) => JSON.parse(line));
const decode = (base64) => Buffer.from(base64, 'base64').toString('utf8');
const isPair = (line) => 'a_b64' in line;
const ofKind = (...kinds) => corpus.filter((line) => kinds.includes(line.kind));
const first = (lines, n) => lines.slice(0, isLong ? 15 * n : n);

// Flags of the program, and the same as options of the reference.
const MODES = [
  { name: 'as a user types', flags: [], options: {}, lines: corpus },
  { name: 'with special tokens', flags: ['--parse-special'], options: { parse_special: true }, lines: ofKind('special') },
  { name: 'bare', flags: ['--bare'], options: { bare: true }, lines: [...first(ofKind('plain'), 10), ...first(ofKind('pair'), 5)] },
  ...(isLong ? [1, 2, 3, 4, 9, 16] : [3, 9]).map((max) => ({ name: `${max} tokens`, flags: ['--max', `${max}`], options: { tokens_max: max },
    lines: [...first(ofKind('plain'), 6), ...first(ofKind('pair'), 8)] })),
  ...(isLong ? [6, 12, 24] : [12]).map((max) => ({ name: `${max} tokens, only the first gives way`, flags: ['--max', `${max}`, '--only-first'],
    options: { tokens_max: max, only_first: true }, lines: first(ofKind('pair'), 12) })),
  ...(isLong ? [6, 12, 24] : [12]).map((max) => ({ name: `${max} tokens, only the second gives way`,
    flags: ['--max', `${max}`, '--only-second'], options: { tokens_max: max, only_second: true }, lines: first(ofKind('pair'), 6) })),
];

// ---- comparing

const show = (line) => [line.text_b64, line.a_b64, line.b_b64].filter((s) => s !== undefined)
  .map((s) => JSON.stringify(decode(s))).join(' + ') + ` ${JSON.stringify(bare(line))}`;

class Differences {
  constructor() {
    this.seen = [];
    this.compared = 0;
  }

  compare(line, what, ours, theirs) {
    this.compared++;
    const a = JSON.stringify(ours), b = JSON.stringify(theirs);
    if (a !== b) this.seen.push(`${what} of ${show(line)}\n    vsr   ${a}\n    other ${b}`);
  }

  end() {
    if (this.seen.length === 0) return;
    this.seen.sort((a, b) => a.length - b.length);
    assert.fail(`${this.seen.length} of ${this.compared} differ:\n  ${this.seen.slice(0, SHOWN).join('\n  ')}`);
  }
}

// [ours, theirs] where npm's library is one to compare with.
function askNpm(npm, line, mode, ours) {
  const isTyped = line.kind === 'special' && !mode.options.parse_special; // a token for the library, text for vsr
  if (isTyped || line.kind === 'broken' || mode.options.tokens_max || !ours.ids) return null;
  const texts = (isPair(line) ? [line.a_b64, line.b_b64] : [line.text_b64]).map(decode);
  return npm.pair(ours.ids, texts, mode.options.bare ?? false);
}

function checkPlaces(line, ours) {
  const bytes = (isPair(line) ? ['a_b64', 'b_b64'] : ['text_b64']).map((key) => Buffer.from(line[key], 'base64').length);
  assert.equal(ours.ids.length, ours.offsets.length);
  assert.equal(ours.ids.length, ours.types.length);
  for (const [start, end] of ours.offsets)
    assert.ok(0 <= start && start <= end && end <= Math.max(...bytes), `a place outside of ${show(line)}`);
}

async function checkJson(entry) {
  const spec = JSON.parse(readFileSync(path.join(entry.json ?? entry.path, 'tokenizer.json'), 'utf8'));
  const npm = new Npm(spec, entry.npm);
  const asked = MODES.flatMap((mode) => mode.lines.map((line) => ({ ...bare(line), options: mode.options })));
  const expected = reference(entry, asked);
  const given = [];
  for (const mode of MODES) given.push(await tokenize(entry, mode.flags, mode.lines));
  const answers = await expected;
  const places = new Differences(), ids = new Differences();
  let at = 0;
  for (const [m, mode] of MODES.entries()) {
    for (const [i, line] of mode.lines.entries()) {
      const ours = given[m][i], theirs = answers[at++];
      const told = `${mode.name}: `;
      if (theirs.error) {
        places.compare(line, told + 'refusal', 'error' in ours, true);
        continue;
      }
      if (!ours.error) checkPlaces(line, ours);
      places.compare(line, told + 'ids', ours.ids ?? ours, theirs.ids);
      if (JSON.stringify(ours.ids) === JSON.stringify(theirs.ids)) {
        places.compare(line, told + 'places', ours.offsets, theirs.offsets);
        places.compare(line, told + 'types', ours.types, theirs.types);
        places.compare(line, told + 'dropped', ours.dropped, theirs.dropped);
      }
      const pair = askNpm(npm, line, mode, ours);
      if (pair) ids.compare(line, told + "npm's ids", ...pair);
    }
  }
  places.end();
  ids.end();
  if (!entry.npm.ways.some((way) => FEW.includes(way)))
    assert.ok(ids.compared > TEXTS / 4, `only ${ids.compared} texts were compared with npm's library`);
}

// SentencePiece gives the place of a character in bytes to its last byte piece, of a ▁ that it put in front to nothing,
// and of a run of spaces to the ▁ it became; vsr gives a character's to each of its bytes, its first character's to a ▁
// in front, and the last space to a run's.
function trimmed(text, [start, end]) {
  const isSpace = (i) => text[i] === 0x20;
  while (start < end && isSpace(start)) start++;
  while (end > start && isSpace(end - 1)) end--;
  return [start, end];
}

async function checkSentencePiece(entry) {
  const plain = ofKind('plain', 'special').filter((line) => !isPair(line));
  const lines = [...plain.map((line) => ({ ...line, options: { bare: true } })), ...first(plain, 10), ...first(ofKind('pair'), 10)];
  const expected = run(python, [path.join(here, 'sentencepiece_reference.py'), entry.path], lines.map(bare));
  const given = [...(await tokenize(entry, ['--bare'], plain)), ...(await tokenize(entry, [], lines.slice(plain.length)))];
  const found = new Differences();
  for (const [i, line] of lines.entries()) {
    const ours = given[i], theirs = (await expected)[i];
    found.compare(line, 'ids', ours.ids ?? ours, theirs.ids);
    if (JSON.stringify(ours.ids) !== JSON.stringify(theirs.ids)) continue;
    found.compare(line, 'types', ours.types, theirs.types);
    if (isPair(line)) continue;
    const text = Buffer.from(line.text_b64, 'base64');
    const places = ours.offsets.map((_, k) => k).filter((k) => theirs.offsets[k][0] < theirs.offsets[k][1]);
    found.compare(line, 'places', places.map((k) => [k, ...trimmed(text, ours.offsets[k])]),
      places.map((k) => [k, ...trimmed(text, theirs.offsets[k])]));
  }
  found.end();
}

describe('tokenizers', { concurrency: 2 }, () => {
  for (const entry of index)
    test(entry.name, () => (entry.sentencepiece ? checkSentencePiece(entry) : checkJson(entry)));
});

// ---- what does not load: a change to a good file, and what the message must name

const replace = (pattern) => ({ type: 'Replace', pattern, content: '' });
const REFUSED = [
  ['an unknown model', 'llama', (t) => { t.model.type = 'Trigram'; }, /Trigram/],
  ['no model', 'llama', (t) => { delete t.model; }, /model/],
  ['an unknown normaliser', 'llama', (t) => { t.normalizer = { type: 'Shout' }; }, /Shout/],
  ['an unknown normaliser inside', 'llama', (t) => { t.normalizer.normalizers.push({ type: 'Shout' }); }, /Shout/],
  ['an unknown pre-tokeniser', 'llama', (t) => { t.pre_tokenizer = { type: 'Sawmill' }; }, /Sawmill/],
  ['an unknown post-processor', 'llama', (t) => { t.post_processor = { type: 'Varnish' }; }, /Varnish/],
  ['an unknown split behaviour', 'gemma', (t) => { t.pre_tokenizer.behavior = 'Shattered'; }, /behavior/],
  ['an unknown prepend scheme', 'unigram-first', (t) => { t.pre_tokenizer.prepend_scheme = 'sometimes'; }, /prepend_scheme/],
  ['a regex to split by', 'gemma', (t) => { t.pre_tokenizer.pattern = { Regex: '(?<x>a+)b' }; }, /\(\?<x>a\+\)b/],
  ['a regex to replace', 'llama', (t) => { t.normalizer = replace({ Regex: '(a|b)*c' }); }, /\(a\|b\)\*c/],
  ['a merge of what is not there', 'llama', (t) => { t.model.merges.push('zzq qzz'); }, /zzq/],
  ['a merge into what is not there', 'llama', (t) => { t.model.merges.push('\u2581 \u2581the'); }, /\u2581/],
  ['no unknown token', 'bert-cased', (t) => { t.model.unk_token = '[NOTHING]'; }, /\[NOTHING\]/],
  ['an unknown token out of bounds', 'unigram-first', (t) => { t.model.unk_id = 1 << 30; }, /unk_id/],
  ['a template with an unknown name', 'bert-cased', (t) => { t.post_processor.single[0].SpecialToken.id = '[HUH]'; }, /\[HUH\]/],
  ['a broken character map', 'xlmr', (t) => { t.normalizer.precompiled_charsmap = '!!'; }, /charsmap/],
  ['a character map cut short', 'xlmr', (t) => { t.normalizer.precompiled_charsmap = '////fwAA'; }, /charsmap/],
];

// The same for what a tokenizer_config.json asks of a directory without a tokenizer.json.
const REFUSED_DIRECTORIES = [
  ['lower case of a SentencePiece model', 'dir-llama', { do_lower_case: true }, /do_lower_case/],
  ['ids of another kind of model', 'dir-xlmr', { tokenizer_class: 'CamembertTokenizer' }, /CamembertTokenizer/],
  ['words that are not split', 'vocab-alone', { do_basic_tokenize: false }, /do_basic_tokenize/],
  ['a configuration that is none', 'vocab-alone', [], /tokenizer_config\.json/],
];

async function checkRefused(file, expected) {
  const child = spawn(program, [file], { stdio: ['ignore', 'pipe', 'pipe'] });
  const said = [];
  child.stdout.on('data', (data) => said.push(data));
  child.stderr.on('data', (data) => said.push(data));
  const status = await new Promise((resolve) => child.on('close', resolve));
  assert.ok(status > 0 && status < 99, `exit status ${status}`);
  assert.match(Buffer.concat(said).toString(), expected);
}

describe('tokenizer files that are refused', () => {
  for (const [name, from, change, expected] of REFUSED) {
    test(name, async () => {
      const spec = JSON.parse(readFileSync(path.join(directory, from, 'tokenizer.json'), 'utf8'));
      change(spec);
      const file = path.join(directory, 'refused.json');
      writeFileSync(file, JSON.stringify(spec));
      await checkRefused(file, expected);
    });
  }
  for (const [name, from, config, expected] of REFUSED_DIRECTORIES) {
    test(name, async () => {
      const folder = path.join(directory, 'refused');
      cpSync(path.join(directory, from), folder, { recursive: true });
      writeFileSync(path.join(folder, 'tokenizer_config.json'), JSON.stringify(config));
      await checkRefused(folder, expected);
      rmSync(folder, { recursive: true });
    });
  }
});
