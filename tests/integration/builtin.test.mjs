// Built-in models, and published ones in their place: each by one line of a policy, and `vsr model verify --task` about
// directories that cannot take it. The stand-ins are fixtures of random weights with the files of published models,
// their last layer and their labels made for the task.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, describe } from 'node:test';
import { fileURLToPath } from 'node:url';

import { program, test } from './lib/harness.mjs';

const fixtures = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../fixtures/nn');
const scratch = fs.mkdtempSync(path.join(os.tmpdir(), 'vsr-builtin-'));
after(() => fs.rmSync(scratch, { recursive: true, force: true }));

function vsr(...args) {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(VSR_|HF_|NO_COLOR)/.test(name)));
  const run = spawnSync(program, args, { env: { ...env, XDG_STATE_HOME: scratch }, encoding: 'utf8', maxBuffer: 1 << 28 });
  assert.equal(run.signal, null, run.stderr);
  return { code: run.status, out: run.stdout, err: run.stderr };
}

const PII = ['AGE', 'EMAIL_ADDRESS', 'PERSON', 'PHONE_NUMBER'];
const LABELS = {
  domain: ['biology', 'business', 'chemistry', 'computer science', 'economics', 'engineering', 'health', 'history', 'law', 'math',
    'other', 'philosophy', 'physics', 'psychology'],
  jailbreak: ['benign', 'jailbreak'],
  'fact-check': ['NO_FACT_CHECK_NEEDED', 'FACT_CHECK_NEEDED'],
  feedback: ['SAT', 'NEED_CLARIFICATION', 'WRONG_ANSWER', 'WANT_DIFFERENT'],
  modality: ['AR', 'DIFFUSION', 'BOTH'],
  pii: ['O', ...PII.flatMap((type) => [`B-${type}`, `I-${type}`])],
};

function readTensors(file) {
  const bytes = fs.readFileSync(file);
  const length = Number(bytes.readBigUInt64LE(0));
  const { __metadata__: metadata, ...header } = JSON.parse(bytes.subarray(8, 8 + length).toString());
  const data = bytes.subarray(8 + length);
  return { metadata, tensors: Object.entries(header).map(([name, { dtype, shape, data_offsets: [from, to] }]) =>
    ({ name, dtype, shape, data: data.subarray(from, to) })) };
}

function writeTensors(file, { metadata, tensors }) {
  const header = metadata ? { __metadata__: metadata } : {};
  let at = 0;
  for (const { name, dtype, shape, data } of tensors) {
    header[name] = { dtype, shape, data_offsets: [at, at + data.length] };
    at += data.length;
  }
  const text = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  fs.writeFileSync(file, Buffer.concat([length, text, ...tensors.map(({ data }) => data)]));
}

/* A copy of a fixture whose classifier has these labels: rows are added or left out, numbers repeat. */
function standIn(name, fixture, labels) {
  const directory = path.join(scratch, name);
  fs.cpSync(path.join(fixtures, fixture), directory, { recursive: true });
  if (!labels) return directory;
  fs.rmSync(path.join(directory, 'jailbreak_type_mapping.json'), { force: true });
  const weights = path.join(directory, 'model.safetensors');
  const all = readTensors(weights);
  for (const tensor of all.tensors) {
    if (!/(^|\.)classifier\.(out_proj\.)?(weight|bias)$/.test(tensor.name)) continue;
    const row = tensor.data.length / tensor.shape[0], rows = tensor.shape[0];
    tensor.data = Buffer.concat(labels.map((_, i) => tensor.data.subarray((i % rows) * row, (i % rows + 1) * row)));
    tensor.shape = [labels.length, ...tensor.shape.slice(1)];
  }
  writeTensors(weights, all);
  const config = JSON.parse(fs.readFileSync(path.join(directory, 'config.json')));
  config.id2label = Object.fromEntries(labels.map((label, i) => [i, label]));
  config.label2id = Object.fromEntries(labels.map((label, i) => [label, i]));
  delete config.num_labels;
  fs.writeFileSync(path.join(directory, 'config.json'), JSON.stringify(config));
  return directory;
}

// Families take turns.
const FIXTURES = { pii: 'roberta-token', domain: 'modernbert-sequence-cls', modality: 'roberta-sequence' };
const classifier = (task) => standIn(`for-${task}`, FIXTURES[task] ?? 'bert-sequence', LABELS[task]);

/* `family` is how a trace calls it, `rule` a rule of it, `line` the one line of a policy that names its model. */
const TASKS = [
  { task: 'domain', family: 'domain', signals: 'domains: [{name: math}]', rule: '{type: domain, name: math}',
    line: (at) => `system: {domain_classifier: ${at}}` },
  { task: 'jailbreak', family: 'jailbreak', signals: 'jailbreak: [{name: j, threshold: 0.5}]', rule: '{type: jailbreak, name: j}',
    line: (at) => `system: {prompt_guard: ${at}}` },
  { task: 'pii', family: 'pii', signals: 'pii: [{name: p, threshold: 0.5}]', rule: '{type: pii, name: p}',
    line: (at) => `system: {pii_classifier: ${at}}` },
  { task: 'fact-check', family: 'fact_check', signals: 'fact_check: [{name: needs_fact_check}]',
    rule: '{type: fact_check, name: needs_fact_check}', line: (at) => `system: {fact_check_classifier: ${at}}` },
  { task: 'feedback', family: 'user_feedback', signals: 'user_feedbacks: [{name: wrong_answer}]',
    rule: '{type: user_feedback, name: wrong_answer}', line: (at) => `system: {feedback_detector: ${at}}` },
  { task: 'modality', family: 'modality', signals: 'modality: [{name: DIFFUSION}]', rule: '{type: modality, name: DIFFUSION}',
    line: (at) => `modules: {modality_detector: {enabled: true, method: classifier, confidence_threshold: 0.4${at ? `, classifier: {model_path: ${at}}` : ''}}}` },
  { task: 'embedding', family: 'embedding', signals: 'embeddings: [{name: e, threshold: 0.5, candidates: [a cat, a dog]}]',
    rule: '{type: embedding, name: e}', line: (at) => `embeddings: {semantic: {mmbert_model_path: ${at}}}` },
];

function policy({ task, signals, rule, line }, at) {
  const file = path.join(scratch, `${task}-${at ? 'own' : 'none'}.yaml`);
  const catalog = at || task === 'modality' ? `global: {model_catalog: {${line(at)}}}\n` : '';
  fs.writeFileSync(file, `version: v0.3
listeners: [{name: main, address: 127.0.0.1, port: 8801}]
providers:
  defaults: {default_model: m}
  models: [{name: m, backend_refs: [{endpoint: "127.0.0.1:9"}]}]
routing:
  modelCards: [{name: m}]
  signals: {${signals}}
  decisions: [{name: d, rules: {operator: AND, conditions: [${rule}]}, modelRefs: [{model: m}]}]
${catalog}`);
  return file;
}

const MESSAGES = JSON.stringify([
  { role: 'user', content: 'What is a derivative?' },
  { role: 'assistant', content: 'A kind of soup.' },
  { role: 'user', content: 'That is wrong. Write to ann@example.com and tell me again.' },
]);

/* The line of a trace that says who was asked. */
function asked(file, family) {
  const messages = path.join(scratch, 'messages.json');
  fs.writeFileSync(messages, MESSAGES);
  const run = vsr('route', '-c', file, '--messages', messages);
  assert.equal(run.code, 0, run.err);
  const line = run.out.split('\n').find((text) => text.startsWith(`  ${family}: `));
  assert.ok(line, run.out);
  return line;
}

describe('a policy that names no model', () => {
  for (const t of TASKS)
    test(`asks the built-in one: ${t.task}`, () => {
      assert.match(asked(policy(t), t.family), new RegExp(`builtin/${t.task}, version [0-9a-f]{12}\\b`));
    });
});

describe('a published model', () => {
  for (const t of TASKS) {
    const make = () => (t.task === 'embedding' ? standIn('for-embedding', 'modernbert-embed') : classifier(t.task));
    test(`takes the place of the built-in one by one line: ${t.task}`, () => {
      const directory = make();
      const verified = vsr('model', 'verify', directory, '--task', t.task);
      assert.equal(verified.code, 0, verified.out + verified.err);
      const line = asked(policy(t, directory), t.family);
      assert.ok(line.includes(directory), line);
      assert.match(line, /version [0-9a-f]{16}\b/);
    });
  }

  test('that is not there is never replaced', () => {
    const run = vsr('route', '-c', policy(TASKS[0], path.join(scratch, 'nowhere')), 'text');
    assert.match(run.out + run.err, /nowhere/);
    assert.doesNotMatch(run.out, /builtin\/domain/);
  });
});

describe('verify --task', () => {
  const cases = [
    ['too few classes', () => standIn('few', 'bert-sequence', LABELS.domain.slice(0, 13)), 'domain', /13 classes, expected 14/],
    ['other labels', () => standIn('other', 'bert-sequence', LABELS.domain.map((_, i) => `subject ${i}`)), 'domain',
      /expected a class "biology", .* and 8 more; it has "subject 0"/],
    ['labels without a name', () => standIn('bare', 'bert-sequence', ['LABEL_0', 'LABEL_1']), 'jailbreak', /expected a class "jailbreak"/],
    ['no class for the risk', () => standIn('guard', 'bert-sequence', ['safe', 'attack']), 'jailbreak', /expected a class "jailbreak"/],
    ['a tagger for a classifier', () => standIn('tagger', 'roberta-token', LABELS['fact-check']), 'fact-check',
      /a tagger of tokens, expected a classifier of texts/],
    ['a classifier for a tagger', () => standIn('texts', 'bert-sequence', LABELS.pii), 'pii',
      /a classifier of texts, expected a tagger of tokens/],
    ['a classifier for an embedder', () => standIn('vectors', 'bert-sequence', LABELS.modality), 'embedding', /expected an embedder/],
    ['tags of other types', () => standIn('types', 'roberta-token', ['O', 'B-ROCK', 'I-ROCK']), 'pii', /expected one of "AGE"/],
    ['no tag for nothing', () => standIn('spans', 'roberta-token', ['B-PERSON', 'I-PERSON']), 'pii', /no label "O"/],
    ['labels that the weights have not', () => {
      const directory = standIn('rows', 'bert-sequence', LABELS.modality);
      const config = path.join(directory, 'config.json');
      const value = JSON.parse(fs.readFileSync(config));
      value.id2label[3] = 'MORE';
      value.label2id.MORE = 3;
      fs.writeFileSync(config, JSON.stringify(value));
      return directory;
    }, 'modality', /4 labels, the classifier has 3 rows/],
    ['no tokenizer', () => {
      const directory = standIn('mute', 'bert-sequence', LABELS.feedback);
      fs.rmSync(path.join(directory, 'tokenizer.json'));
      return directory;
    }, 'feedback', /tokenizer/],
    ['weights that are cut off', () => {
      const directory = standIn('cut', 'bert-sequence', LABELS.feedback);
      const file = path.join(directory, 'model.safetensors');
      fs.truncateSync(file, fs.statSync(file).size - 100);
      return directory;
    }, 'feedback', /cut off|has \d+ bytes/],
    ['a built-in model of another task', () => 'builtin/domain', 'feedback', /14 classes, expected 4/],
    ['a built-in model of pairs', () => 'builtin/nli', 'domain', /reads a pair of texts/],
    ['no model at all', () => path.join(scratch, 'nowhere'), 'domain', /nowhere/],
  ];
  for (const [name, make, task, says] of cases)
    test(name, () => {
      const run = vsr('model', 'verify', make(), '--task', task);
      assert.equal(run.code, 1, run.out);
      assert.match(run.out, says);
    });

  test('every built-in model serves its own task', () => {
    for (const task of ['embedding', 'domain', 'jailbreak', 'pii', 'fact-check', 'feedback', 'modality', 'hallucination', 'nli'])
      assert.equal(vsr('model', 'verify', `builtin/${task}`, '--task', task).code, 0, task);
  });

  test('in JSON', () => {
    const run = vsr('model', 'verify', standIn('json', 'bert-sequence', ['a', 'b']), '--task', 'feedback', '--json');
    assert.equal(run.code, 1);
    const [{ problems }] = JSON.parse(run.out);
    assert.ok(problems.some(({ file }) => file === 'weights') && problems.some(({ file }) => file === 'labels'), run.out);
  });

  test('needs a model and a task that exist', () => {
    assert.equal(vsr('model', 'verify', '--task', 'domain').code, 2);
    assert.equal(vsr('model', 'verify', 'builtin/domain', '--task', 'soup').code, 2);
  });
});

describe('vsr model', () => {
  test('lists them', () => {
    const run = vsr('model', 'list', '--json', '--installed', '-d', scratch);
    const builtin = JSON.parse(run.out).models.filter(({ name }) => name.startsWith('builtin/'));
    assert.equal(builtin.length, 10);
    for (const { state, layout, problems } of builtin) {
      assert.deepEqual([state, layout], ['ready', 'built-in']);
      assert.deepEqual(problems, []);
    }
  });

  test('shows one, with its version and labels', () => {
    const { out } = vsr('model', 'show', 'builtin/modality');
    assert.match(out, /^location +part of the program$/m);
    assert.match(out, /^version +[0-9a-f]{12}$/m);
    assert.match(out, /^ +DIFFUSION$/m);
  });

  test('runs them', () => {
    const [domain] = JSON.parse(vsr('model', 'classify', '--json', 'builtin/domain', 'What is a derivative?').out);
    assert.equal(Object.keys(domain.probabilities).length, 14);
    const [invented] = JSON.parse(vsr('model', 'classify', '--json', 'builtin/hallucination', 'It rains.', '--pair', 'It snows.').out);
    assert.ok(Array.isArray(invented.spans));
    const [vector] = JSON.parse(vsr('model', 'embed', '--json', '--dims', '8', 'builtin/embedding', 'a cat').out);
    assert.equal(vector.embedding.length, 8);
    assert.ok(Math.abs(vector.embedding.reduce((sum, x) => sum + x * x, 0) - 1) < 1e-4);
    assert.equal(vsr('model', 'tokenize', 'builtin/embedding', 'a cat').code, 0);
  });

  test('says what one takes', () => {
    assert.match(vsr('model', 'classify', 'builtin/nli', 'alone').err, /takes a pair of texts/);
    assert.match(vsr('model', 'classify', 'builtin/domain', 'one', '--pair', 'two').err, /takes one text/);
    assert.match(vsr('model', 'show', 'builtin/soup').err, /expected one of builtin\/embedding/);
    assert.match(vsr('model', 'pull', 'builtin/domain').err, /part of the program/);
  });

  test('long texts are run in windows', () => {
    const text = 'the gateway reads a request and answers it. '.repeat(2000);
    const file = path.join(scratch, 'long.txt');
    fs.writeFileSync(file, text);
    const run = spawnSync(program, ['model', 'classify', '--json', 'builtin/domain', '-'], { input: text, encoding: 'utf8' });
    assert.equal(run.status, 0, run.stderr);
    const [{ tokens, dropped }] = JSON.parse(run.stdout);
    assert.ok(tokens > 2048 && dropped === 0);
  });
});
