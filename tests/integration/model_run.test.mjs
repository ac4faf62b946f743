// `vsr model tokenize|embed|classify` on small models of random weights: what is printed, and what is refused.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { describe } from 'node:test';
import { fileURLToPath } from 'node:url';

import { program, test } from './lib/harness.mjs';

const fixtures = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../fixtures/nn');
const at = (name) => path.join(fixtures, name);
const multimodal = path.join(fixtures, '../multimodal');
const picture = (name) => path.join(fixtures, '../pictures', name);

function model(args, input = '') {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(VSR_|HF_|NO_COLOR)/.test(name)));
  const run = spawnSync(program, ['model', ...args], { env, input, encoding: 'utf8', maxBuffer: 1 << 28 });
  assert.equal(run.signal, null, run.stderr);
  return { code: run.status, out: run.stdout, err: run.stderr, json: () => JSON.parse(run.stdout) };
}

const dot = (a, b) => a.reduce((sum, x, i) => sum + x * b[i], 0);

describe('tokenize', () => {
  test('ids and places', () => {
    const run = model(['tokenize', '--json', at('bert-embed-mean'), 'ab é']);
    assert.equal(run.code, 0, run.err);
    const [{ tokens, dropped }] = run.json();
    assert.equal(dropped, 0);
    assert.deepEqual([tokens[0].start, tokens[0].end], [0, 0], 'the template comes from nowhere');
    assert.deepEqual(tokens.slice(1, -1).map(({ start, end }) => [start, end]), [[0, 2], [3, 5]]);
  });

  test('cut', () => {
    const [{ tokens, dropped }] = model(['tokenize', '--json', '--tokens-max', '4', at('bert-embed-mean'), 'a b c d e']).json();
    assert.deepEqual([tokens.length, dropped], [4, 3]);
  });
});

describe('embed', () => {
  for (const name of ['bert-embed-mean', 'modernbert-embed', 'qwen3-embed', 'gemma-embed', 'mpnet-embed', 'xlm-roberta-embed']) {
    for (const precision of ['f32', 'bf16', 'int8']) {
      test(`${name} in ${precision}`, () => {
        const run = model(['embed', '--json', '-p', precision, at(name), '-'], 'first text\nsecond, longer text\nfirst text\n');
        assert.equal(run.code, 0, run.err);
        const vectors = run.json().map(({ embedding }) => embedding);
        for (const vector of vectors) assert.ok(Math.abs(dot(vector, vector) - 1) < 1e-3);
        assert.deepEqual(vectors[0], vectors[2]);
      });
    }
  }

  test('pictures beside texts', () => {
    const run = model(['embed', '--json', '-p', 'f32', multimodal, 'bada', '--image', picture('rgb.png'), '-i', picture('alpha.png')]);
    assert.equal(run.code, 0, run.err);
    const [text, image, same] = run.json();
    assert.deepEqual([text.text, image.image, image.tokens], ['bada', picture('rgb.png'), 25]);
    for (const { embedding } of [text, image]) assert.ok(Math.abs(dot(embedding, embedding) - 1) < 1e-3);
    assert.deepEqual(image.embedding, same.embedding, 'transparency is dropped');
    assert.match(model(['embed', multimodal, '-i', picture('grey.png')]).out, /64 dimensions/);
    for (const [args, message] of [
      [[multimodal, '-i', picture('moving.png')], /PNG: the picture moves/],
      [[multimodal, '-i', picture('moving.gif')], /GIF: the picture moves/],
      [[multimodal, '-i', '/nowhere.png'], /nowhere\.png.*No such file/],
      [[multimodal], /there is no text/],
      [[at('bert-embed-mean'), '-i', picture('rgb.png')], /reads no pictures/],
    ]) {
      const wrong = model(['embed', ...args]);
      assert.equal(wrong.code, 1, wrong.err);
      assert.match(wrong.err, message);
    }
  });

  test('a directory of several models that is wrong', () => {
    const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'vsr-multimodal-'));
    try {
      fs.cpSync(multimodal, directory, { recursive: true });
      fs.writeFileSync(path.join(directory, 'config.json'), '{"embedding_dim": 64, "text_num_layers": 6}');
      for (const task of ['embedding', 'image-embedding']) {
        assert.equal(model(['verify', '--task', task, multimodal]).code, 0, task);
        assert.equal(model(['verify', '--task', task, at('bert-embed-mean')]).code, task === 'embedding' ? 0 : 1, task);
      }
      const run = model(['verify', '--task', 'image-embedding', at('bert-embed-mean')]);
      assert.match(run.out, /no part that reads pictures \(image_encoder/);
      assert.match(model(['verify', '--task', 'embedding', directory]).out, /key "text_num_layers": 6, the weights have 2/);
    } finally {
      fs.rmSync(directory, { recursive: true });
    }
  });

  test('cut vectors and fewer layers', () => {
    const run = model(['embed', '--json', '--dims', '8', '--layers', '2', at('modernbert-embed'), 'x']);
    assert.equal(run.code, 0, run.err);
    assert.equal(run.json()[0].embedding.length, 8);
  });

  test('more than there is', () => {
    const bare = model(['embed', '--json', at('bert-embed-mean'), 'x']);
    const run = model(['embed', '--json', '--dims', '5000', '--layers', '1', at('bert-embed-mean'), 'x']);
    assert.equal(run.code, 0, run.err);
    assert.equal(run.out, bare.out);
    assert.equal(bare.err, '');
    assert.match(run.err, /warning: the model has 40 dimensions.*\n.*warning: the model cannot be left early: all of its \d+ layers run\n$/);
  });

  test('a file that only says what is best', () => {
    const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'vsr-model-'));
    try {
      fs.cpSync(at('modernbert-embed'), directory, { recursive: true });
      fs.writeFileSync(path.join(directory, 'onnx/model_config.json'), '{"available_layers": "all"}');
      const run = model(['embed', '--json', '--layers', '2', directory, 'x']);
      assert.equal(run.code, 0, run.err);
      assert.match(run.err, /^[^\n]*warning: model [^\n]*: onnx\/model_config\.json: key "available_layers"[^\n]*are not known\n$/);
      assert.equal(run.out, model(['embed', '--json', '--layers', '2', at('modernbert-embed'), 'x']).out);
    } finally {
      fs.rmSync(directory, { recursive: true });
    }
  });

  test('a prompt by name or in other words, and white space around a text', () => {
    const prompts = JSON.parse(fs.readFileSync(at('bert-embed-dense/config_sentence_transformers.json'))).prompts;
    const vector = (...args) => model(['embed', '--json', at('bert-embed-dense'), ...args]).json()[0].embedding;
    const bare = vector('tido faki');
    const queried = vector('--prompt', 'query', 'tido faki');
    assert.notDeepEqual(queried, bare);
    assert.deepEqual(vector('--prompt-text', prompts.query, 'tido faki'), queried);
    assert.deepEqual(vector('--prompt-text', '', ' tido faki\n'), bare);
    assert.deepEqual(vector('--no-strip', 'tido faki'), bare);
  });

  test('what is refused', () => {
    for (const [args, want] of [
      [['embed', '--prompt', 'a', '--prompt-text', 'b', at('bert-embed-dense'), 'x'], /exclude each other/],
      [['embed', '--prompt', 'nonsense', at('bert-embed-dense'), 'x'], /no prompt "nonsense"; it has query/],
      [['embed', at('bert-sequence'), 'x'], /classifier: try `vsr model classify`/],
      [['embed', '--layers', '100', at('modernbert-embed'), 'x'], /layer 100, the model has \d+/],
      [['embed', '--prompt', 'nonsense', at('bert-embed-mean'), 'x'], /no prompt "nonsense"/],
      [['embed', at('nothing-here'), 'x'], /nothing-here/],
      [['embed', 'mom-embedding-light', 'x'], /vsr model pull/],
    ]) {
      const run = model(args);
      assert.equal(run.code, 1, args.join(' '));
      assert.match(run.err, want);
      assert.equal(run.out, '');
    }
  });
});

describe('classify', () => {
  test('probabilities', () => {
    const run = model(['classify', '--json', at('bert-sequence'), 'a question', 'another']);
    assert.equal(run.code, 0, run.err);
    assert.equal(run.json().length, 2);
    for (const { probabilities } of run.json()) {
      const sum = Object.values(probabilities).reduce((a, b) => a + b, 0);
      assert.ok(Math.abs(sum - 1) < 1e-4);
    }
  });

  test('the order of a pair counts', () => {
    const ask = (a, b) => model(['classify', '--json', '--pair', b, at('deberta-sequence'), a]).json()[0].probabilities;
    assert.notDeepEqual(ask('it rains today', 'wet'), ask('wet', 'it rains today'));
  });

  test('spans are parts of the text', () => {
    const text = 'Ann Cole of Köln called 555-1234 in the morning';
    const run = model(['classify', '--json', at('bert-token'), text]);
    assert.equal(run.code, 0, run.err);
    const bytes = Buffer.from(text);
    for (const { start, end, type } of run.json()[0].spans) {
      assert.ok(start < end && end <= bytes.length);
      assert.ok(type.length > 0);
      const part = bytes.subarray(start, end).toString();
      assert.equal(part, part.trim());
    }
  });

  test('an adapter needs its base', () => {
    const alone = model(['classify', at('bert-mlm-lora-intent'), 'x']);
    assert.equal(alone.code, 1);
    assert.match(alone.err, /fixtures\/bert-mlm/);
    const run = model(['classify', '--json', '--base', at('bert-mlm'), at('bert-mlm-lora-intent'), 'x']);
    assert.equal(run.code, 0, run.err);
    assert.ok(Object.keys(run.json()[0].probabilities).length > 1);
    assert.match(model(['classify', '--base', at('bert-mlm'), at('bert-sequence'), 'x']).err, /no adapter/);
  });

  test('several adapters in one pass say what each says folded into the base', () => {
    const base = at('modernbert-mlm'), texts = ['some text', 'another, longer text'];
    const names = ['intent', 'guard', 'pii'].map((name) => at(`modernbert-mlm-lora-${name}`));
    const run = model(['classify', '--json', '-p', 'f32', base, ...texts, ...names.flatMap((name) => ['--adapter', name])]);
    assert.equal(run.code, 0, run.err);
    assert.deepEqual(run.json().map(({ text }) => text), texts);
    for (const [i, { adapters }] of run.json().entries()) {
      assert.deepEqual(adapters.map(({ adapter }) => adapter), names);
      for (const { adapter, probabilities, spans } of adapters) {
        const [folded] = model(['classify', '--json', '-p', 'f32', '--base', base, adapter, texts[i]]).json();
        assert.equal(spans?.length, folded.spans?.length);
        for (const [label, p] of Object.entries(probabilities ?? {})) assert.ok(Math.abs(p - folded.probabilities[label]) < 2e-5, label);
      }
    }
    const plain = model(['classify', '-p', 'f32', base, '-a', names[0], '-a', names[1], 'x']);
    assert.match(plain.out, /^x\n .*-intent\n( {2}0\.\d+ {2}\w+\n){3} .*-guard\n( {2}0\.\d+ {2}\w+\n){2}$/);
  });

  test('what models share in memory', () => {
    const base = at('modernbert-mlm'), names = ['intent', 'guard'].map((name) => at(`modernbert-mlm-lora-${name}`));
    const alone = model(['show', '--memory', '--json', '-p', 'f32', base]).json();
    assert.deepEqual(alone.models.map(({ location }) => location), [base]);
    assert.deepEqual([alone.memory.precision, alone.memory.models.length, alone.memory.models[0].shared_bytes], ['f32', 1, 0]);
    assert.equal(alone.memory.spared_bytes, 0);
    const alike = ['domain', 'topic'].map((name) => at(`bert-embed-mean-lora-${name}`));
    const { models, memory } = model(['show', '--memory', '--json', '-p', 'f32', '-b', at('bert-embed-mean'), ...alike]).json();
    assert.equal(models.length, 2);
    assert.ok(memory.models.every(({ bytes, shared_bytes }) => shared_bytes > 0 && shared_bytes < bytes));
    assert.ok(memory.spared_bytes >= memory.models[0].shared_bytes / 2);
    assert.ok(memory.weight_bytes < memory.models[0].bytes + memory.models[1].bytes);
    const stacked = model(['classify', '--memory', '--json', '-p', 'f32', base, ...names.flatMap((name) => ['-a', name]), 'x']).json();
    assert.deepEqual(stacked.answers.map(({ text }) => text), ['x']);
    assert.deepEqual(stacked.memory.models.map(({ location }) => location), [base, ...names]);
    assert.ok(stacked.memory.models[1].bytes < stacked.memory.models[0].bytes, 'an adapter beside its base takes less');
    const text = model(['classify', '--memory', '-p', 'f32', base, '-a', names[0], 'x']).out;
    assert.match(text, /\nmemory, in f32\n +\d+\.\d MB, \d+\.\d MB of it shared {2}.*modernbert-mlm\n.*-intent\n +\d+\.\d MB of weights together, /);
    assert.match(model(['show', '--memory', '-p', 'f32', '-b', base, ...names]).out, /^.*-intent.*ready\n[^]*\n\n.*-guard.*ready\n[^]*\n\nmemory, in f32\n/);
  });

  test('a base is of the adapters among several models', () => {
    const base = at('bert-embed-mean'), adapter = at('bert-embed-mean-lora-domain'), other = at('bert-sequence');
    for (const names of [[base, adapter], [adapter, base]]) {
      const run = model(['show', '--memory', '--json', '-p', 'f32', '-b', base, ...names]);
      assert.equal(run.code, 0, run.err);
      assert.deepEqual(run.json().models.map(({ location }) => location), names);
    }
    const none = model(['show', '--memory', '-b', base, base, other]);
    assert.equal(none.code, 1);
    assert.match(none.err, /none of the 2 models is an adapter/);
    const alone = model(['show', '--memory', '-b', base, other]);
    assert.equal(alone.code, 1);
    assert.match(alone.err, /bert-sequence is no adapter/);
  });

  test('what cannot run beside a base', () => {
    for (const [args, want] of [
      [[at('modernbert-mlm'), '-a', at('modernbert-mlm-lora-dora')], /DoRA.*folded/],
      [[at('modernbert-mlm'), '-a', at('bert-mlm-lora-intent')], /no linear layer of the base/],
      [[at('modernbert-mlm'), '-a', at('modernbert-embed')], /no adapter/],
      [['--base', at('modernbert-mlm'), at('modernbert-mlm-lora-pii'), '-a', at('modernbert-mlm-lora-intent')], /an adapter itself/],
      [[at('bert-embed-mean'), '-a', at('bert-embed-mean-lora-domain')], /embedder, no classifier/],
    ]) {
      const run = model(['classify', ...args, 'x']);
      assert.equal(run.code, 1, args.join(' '));
      assert.match(run.err, want);
      assert.equal(run.out, '');
    }
  });
});

describe('long texts', () => {
  const letters = Array.from({ length: 200 }, (_, i) => String.fromCharCode(97 + ((i * i + 3 * i) % 26))).join(' ');
  const ask = (command, name, ...args) => {
    const run = model([command, '--json', '-p', 'f32', '--max-tokens', '40', ...args, at(name), letters]);
    assert.equal(run.code, 0, run.err);
    return run.json()[0];
  };

  test('a classifier', () => {
    const chunk = ask('classify', 'bert-sequence');
    assert.deepEqual([chunk.tokens, chunk.dropped], [202, 0], 'all of it, unless another way is asked for');
    const sample = ask('classify', 'bert-sequence', '--long-text', 'sample');
    assert.deepEqual([sample.tokens, sample.dropped], [40, 162]);
    const truncate = ask('classify', 'bert-sequence', '--long-text', 'truncate');
    assert.deepEqual([truncate.tokens, truncate.dropped], [40, 162]);
    const risk = ask('classify', 'bert-sequence', '--risk', 'jailbreak');
    assert.ok(risk.probabilities.jailbreak >= chunk.probabilities.jailbreak, 'the worst window against the mean');
    for (const { probabilities } of [chunk, sample, truncate, risk]) {
      const sum = Object.values(probabilities).reduce((a, b) => a + b, 0);
      assert.ok(Math.abs(sum - 1) < 1e-5);
    }
  });

  test('a tagger: places are those of the text, and no span ends at a window', () => {
    const { tokens, spans } = ask('classify', 'bert-token');
    assert.equal(tokens, 202);
    assert.ok(spans.length > 0 && spans.at(-1).end > 2 * 100, 'spans behind the first window');
    spans.forEach(({ start, end }, i) => {
      assert.ok(start < end && end <= letters.length && (i === 0 || start >= spans[i - 1].end), 'in order');
      assert.equal(start % 2, 0, 'spans begin at letters');
    });
  });

  test('an embedder', () => {
    const vectors = ['chunk', 'sample', 'truncate'].map((how) => ask('embed', 'bert-embed-mean', '--long-text', how).embedding);
    for (const vector of vectors) assert.ok(Math.abs(dot(vector, vector) - 1) < 1e-5);
    assert.notDeepEqual(vectors[0], vectors[1]);
    assert.notDeepEqual(vectors[0], vectors[2]);
  });

  test('what is refused', () => {
    for (const [args, code, want] of [
      [['classify', '--risk', 'nonsense', at('bert-sequence'), 'x'], 1, /no class "nonsense"/],
      [['classify', '--long-text', 'middle', at('bert-sequence'), 'x'], 2, /middle/],
      [['embed', '--max-tokens', '3', at('bert-embed-mean'), 'x'], 2, /max-tokens/],
    ]) {
      const run = model(args);
      assert.equal(run.code, code, args.join(' '));
      assert.match(run.err, want);
    }
  });
});

describe('bench', () => {
  test('a row for each length that the model takes, in each precision', () => {
    const run = model(['bench', '--json', '--seconds', '0', '--threads', '2', '-p', 'int8', '-p', 'f32', '-p', 'int8', at('bert-sequence')]);
    assert.equal(run.code, 0, run.err);
    assert.equal(run.err, '', 'no progress bar without a terminal');
    const { task, threads, precisions } = run.json();
    assert.deepEqual([task, threads], ['classify', 2]);
    assert.deepEqual(precisions.map(({ precision }) => precision), ['int8', 'f32']);
    for (const { lengths, model_bytes, peak_resident_bytes } of precisions) {
      assert.deepEqual(lengths.map(({ tokens }) => 2 ** Math.round(Math.log2(tokens))), [16, 32, 64, 128]);
      assert.ok(model_bytes > 0 && peak_resident_bytes > model_bytes);
      for (const { runs, p50_ms, p99_ms, tokens_per_second, batch_texts, batch_tokens_per_second } of lengths) {
        assert.ok(runs >= 3 && p50_ms > 0 && p99_ms >= p50_ms, 'percentiles');
        assert.ok(tokens_per_second > 0 && batch_tokens_per_second > 0 && batch_texts >= 16);
      }
    }
    assert.ok(precisions[0].model_bytes < precisions[1].model_bytes, 'int8 is smaller');
  });

  test('an embedder, shorter texts only, as a table', () => {
    const run = model(['bench', '--seconds', '0', '--tokens-max', '40', '-p', 'f32', at('qwen3-embed')]);
    assert.equal(run.code, 0, run.err);
    assert.match(run.out, /qwen3-embed, embed, \d+ threads\nf32: loaded in .*\n.*p50 ms.*\n +\d+ .*\n +\d+ .*\n$/);
  });

  test('what is refused', () => {
    for (const [args, code, want] of [
      [['bench'], 2, /vsr model bench/],
      [['bench', '-p', 'f64', at('bert-sequence')], 2, /f64/],
      [['bench', at('nothing-here')], 1, /nothing-here/],
    ]) {
      const run = model(args);
      assert.equal(run.code, code, args.join(' '));
      assert.match(run.err, want);
      assert.equal(run.out, '');
    }
  });
});
