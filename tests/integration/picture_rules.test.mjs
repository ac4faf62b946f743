// Rules about pictures: a request's picture is compared with pictures and texts of the configuration by a small multi-modal
// model of random weights, in which a picture is like itself and little else.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import { Backend } from './lib/backend.mjs';
import { eventually, freePort, lane, otherwise, policy, program, startVsr, test } from './lib/harness.mjs';
import { post, request } from './lib/http.mjs';

const fixtures = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../fixtures');
const picture = (name) => readFileSync(path.join(fixtures, 'pictures', name));
const uri = (name, type = 'png') => `data:image/${type};base64,${picture(name).toString('base64')}`;

const image = (name, candidates) => ({ name, threshold: 0.999, query_modality: 'image', aggregation_method: 'best', candidates });

const multimodal = (more = {}) => ({
  model_catalog: {
    embeddings: {
      semantic: {
        multimodal_model_path: path.join(fixtures, 'multimodal'),
        embedding_config: { model_type: 'multimodal', enable_soft_matching: false, ...more },
      },
    },
  },
});

const document = ({ backend = { endpoint: '127.0.0.1:1' }, rules, decisions = [], signals = {}, global = multimodal() } = {}) =>
  policy({
    default_model: 'small',
    models: { small: backend, waves: backend, greys: backend, both: backend },
    signals: {
      embeddings: rules ?? [
        image('waves', ['./seen/waves.png', 'baba duke fori']), // beside the configuration, and a text
        image('greys', [uri('grey.png')]),
        { name: 'words', threshold: 0.999, aggregation_method: 'best', candidates: ['sabu tuka bure'] },
      ],
      ...signals,
    },
    decisions: [
      ...decisions,
      ...(rules ? [] : [
        lane('waving', 'embedding', 'waves', 'waves'),
        lane('greying', 'embedding', 'greys', 'greys'),
        lane('saying', 'embedding', 'words', 'both'),
      ]),
      otherwise('small'),
    ],
    global,
  });

const ask = (text, ...urls) =>
  JSON.stringify({
    model: 'auto',
    messages: [{
      role: 'user',
      content: [...(text ? [{ type: 'text', text }] : []), ...urls.map((url) => ({ type: 'image_url', image_url: { url } }))],
    }],
  });

async function start(t, doc, options = {}) {
  const port = await freePort();
  const vsr = await startVsr(t, doc, {
    beside: { 'seen/waves.png': picture('rgb.png') },
    ...options,
    args: ['--management-listen', `127.0.0.1:${port}`],
  });
  const ready = async () => JSON.parse((await request(port, { method: 'GET', path: '/ready' })).text()).examples;
  const modelOf = async (body) => {
    const answer = await post(vsr.port, body);
    assert.equal(answer.status, 200, answer.text());
    return JSON.parse(answer.text()).model;
  };
  const evaluate = async (body) => {
    const answer = await request(port, { path: '/api/v1/eval', body: JSON.stringify(JSON.parse(body)) });
    return { status: answer.status, text: answer.text() };
  };
  return { vsr, ready, modelOf, evaluate };
}

const metric = async (vsr, name) => {
  const line = (await vsr.metrics()).text().split('\n').find((text) => text.startsWith(`${name} `));
  return Number(line?.slice(name.length + 1) ?? NaN);
};

test('a picture routes by pictures', async (t) => {
  const backend = await Backend.start(t);
  const { vsr, ready, modelOf } = await start(t, document({ backend }));
  await eventually('examples', async () => (await ready()).ready === 3);
  assert.equal(await modelOf(ask('look', uri('rgb.png'))), 'waves');
  assert.equal(await modelOf(ask('', uri('alpha.png'))), 'waves', 'the same under its transparency, and no text');
  assert.equal(await modelOf(ask('look', uri('grey.png'))), 'greys');
  assert.equal(await modelOf(ask('look', uri('lossless.webp', 'webp'))), 'small', 'another');
  assert.equal(await modelOf(ask('sabu tuka bure', uri('lossless.webp', 'webp'))), 'both', 'by its text');
  assert.equal(await modelOf(ask('look', uri('grey.png'), uri('rgb.png'))), 'greys', 'the first counts');
  assert.equal(await modelOf(ask('look')), 'small', 'no picture: the rules do not apply');
  // Of each request its text, and its picture, once for all rules. Run are four examples, a text and two pictures more.
  assert.equal(await metric(vsr, 'vsr_evidence_asks_total{source="model",outcome="answered"}'), 4 + 1 + 2);
  assert.equal(await metric(vsr, 'vsr_evidence_asks_total{source="model",outcome="remembered"}'), 5 + 4);
});

test('pictures of every protocol', async (t) => {
  const backend = await Backend.start(t);
  const { vsr, ready } = await start(t, document({ backend }));
  await eventually('examples', async () => (await ready()).ready === 3);
  const data = picture('grey.png').toString('base64');
  const bodies = {
    '/v1/messages': {
      max_tokens: 9,
      messages: [{ role: 'user', content: [{ type: 'image', source: { type: 'base64', media_type: 'image/png', data } }] }],
    },
    '/v1/responses': { store: false, input: [{ role: 'user', content: [{ type: 'input_image', image_url: uri('grey.png') }] }] },
  };
  for (const [target, body] of Object.entries(bodies)) {
    const answer = await request(vsr.port, { path: target, body: JSON.stringify({ model: 'auto', ...body }) });
    assert.equal(answer.status, 200, answer.text());
    assert.equal(backend.last.json().model, 'greys', target);
  }
});

test('what cannot be read leaves the rules of pictures open, and everything else goes on', async (t) => {
  const backend = await Backend.start(t);
  const { vsr, ready, modelOf, evaluate } = await start(t, document({ backend }));
  await eventually('examples', async () => (await ready()).ready === 3);
  const half = `data:image/png;base64,${picture('rgb.png').subarray(0, 2000).toString('base64')}`;
  const wrong = { half, moving: uri('moving.webp', 'webp'), vast: uri('vast.png'), gif: uri('moving.gif', 'gif'), text: 'data:image/png;base64,!!' };
  for (const [name, url] of Object.entries(wrong)) {
    assert.equal(await modelOf(ask('look', url)), 'small', name);
    assert.equal(await modelOf(ask('sabu tuka bure', url)), 'both', name);
  }
  assert.match((await evaluate(ask('look', half))).text, /PNG: the file is damaged or cut/);
  // Never fetched, never opened: nothing to look at.
  const asked = await metric(vsr, 'vsr_evidence_asks_total{source="model",outcome="failed"}');
  for (const url of [`http://127.0.0.1:${backend.port}/rgb.png`, path.join(vsr.dir, 'seen/waves.png'), './seen/waves.png', `file://${vsr.dir}/seen/waves.png`])
    assert.equal(await modelOf(ask('look', url)), 'small', url);
  assert.equal(await metric(vsr, 'vsr_evidence_asks_total{source="model",outcome="failed"}'), asked);
  assert.ok(backend.requests.every(({ target }) => target !== '/rgb.png'));
});

test('examples outlive the process, by what their files hold', async (t) => {
  const backend = await Backend.start(t);
  const state = mkdtempSync(path.join(tmpdir(), 'vsr-pictures-'));
  t.after(() => rmSync(state, { recursive: true, force: true }));
  const asks = 'vsr_evidence_asks_total{source="model",outcome="answered"}';
  for (const [name, asked] of [['rgb.png', 4], ['rgb.png', 0], ['deep.png', 1]]) {
    const options = { env: { VSR_STATE_DIR: state }, beside: { 'seen/waves.png': picture(name) } };
    const { vsr, ready, modelOf } = await start(t, document({ backend }), options);
    await eventually('examples', async () => (await ready()).ready === 3);
    assert.equal((await metric(vsr, asks)) || 0, asked, name);
    assert.equal(await modelOf(ask('', uri(name))), 'waves');
    await vsr.stop();
  }
  assert.equal(readdirSync(path.join(state, 'vectors')).length, 1, 'one embedder, whatever is embedded');
});

test('a file that is not there is told, and the other examples count', async (t) => {
  const backend = await Backend.start(t);
  const doc = document({
    backend,
    rules: [image('waves', ['./nowhere.png', uri('rgb.png')]), image('greys', ['./nowhere.png'])],
    decisions: [lane('waving', 'embedding', 'waves', 'waves'), lane('greying', 'embedding', 'greys', 'greys')],
  });
  const { vsr, modelOf } = await start(t, doc);
  await vsr.says(/not all examples have vectors.*nowhere\.png/);
  await eventually('examples', async () => (await modelOf(ask('', uri('rgb.png')))) === 'waves');
});

test('how hard a task is, by pictures', async (t) => {
  const backend = await Backend.start(t);
  const side = (text, url) => ({ candidates: [text], image_candidates: [url] });
  const doc = document({
    backend,
    rules: [],
    signals: {
      complexity: [{ name: 'task', threshold: 0.1, hard: side('baba', uri('rgb.png')), easy: side('baba', uri('grey.png')) }],
    },
    decisions: [lane('hard', 'complexity', 'task:hard', 'waves'), lane('easy', 'complexity', 'task:easy', 'greys')],
  });
  const { ready, modelOf } = await start(t, doc);
  await eventually('examples', async () => (await ready()).ready >= 3);
  assert.equal(await modelOf(ask('baba', uri('interlaced.png'))), 'waves');
  assert.equal(await modelOf(ask('baba', uri('grey.png'))), 'greys');
});

test('what no model could embed is refused when it is loaded', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'vsr-pictures-'));
  const file = path.join(folder, 'config.yaml');
  const validate = (doc) => {
    writeFileSync(file, JSON.stringify({ ...doc, listeners: doc.listeners.map((one) => ({ ...one, port: 8080 })) }));
    const run = spawnSync(program, ['validate', '-c', file], { encoding: 'utf8' });
    return { status: run.status, text: run.stdout + run.stderr };
  };
  try {
    assert.equal(validate(document()).status, 0);
    for (const [candidate, message] of [
      ['https://example.com/cat.png', /pictures are not fetched/],
      ['data:image/png,raw', /data:image\/png;base64/],
      ['data:image/png;base64,???', /not base64/],
    ]) {
      const { status, text } = validate(document({ rules: [image('waves', [uri('rgb.png'), candidate])] }));
      assert.notEqual(status, 0);
      assert.match(text, message);
      assert.match(text, /embeddings\[waves\]\.candidates\[1\]/);
    }
    const { text } = validate(document({ global: multimodal({ model_type: 'bert' }) }));
    assert.match(text, /query_modality "image" needs an embedding model of type multimodal/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
