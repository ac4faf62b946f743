// What x-vsr-debug adds to an answer: matches by family, the kind of answer, failures, the size of the request.

import assert from 'node:assert/strict';
import { after, before, describe } from 'node:test';

import { Backend } from './lib/backend.mjs';
import { chat, post } from './lib/http.mjs';
import { policy, test, Vsr } from './lib/harness.mjs';

const LONG = Array.from({ length: 300 }, (_, i) => `rule number ${i} of many, with a comma`);

describe('debug headers', () => {
  let backend, vsr;
  before(async () => {
    backend = await Backend.start();
    vsr = await Vsr.start(
      policy({
        default_model: 'm',
        models: { m: backend },
        signals: {
          keywords: [
            { name: 'plain', operator: 'OR', keywords: ['zebra'] },
            { name: 'a, b%Ü', operator: 'OR', keywords: ['zebra'] },
            ...LONG.map((name) => ({ name, operator: 'OR', keywords: ['everything'] })),
          ],
          modality: [{ name: 'AR' }, { name: 'DIFFUSION' }, { name: 'BOTH' }],
          domains: [{ name: 'law' }, { name: 'math' }],
          fact_check: [{ name: 'needs_fact_check' }],
          conversation: [
            { name: 'talk', feature: { type: 'exists', source: { type: 'message', role: 'user' } } },
          ],
          metadata: [{ name: 'gold', key: 'plan', predicate: { equals: 'gold' } }],
          context: [{ name: 'small', max_tokens: '1K' }, { name: 'large', min_tokens: '1K' }],
        },
        projections: {
          scores: [{ name: 's', method: 'weighted_sum', inputs: [{ type: 'keyword', name: 'plain', weight: 1 }] }],
          mappings: [{ name: 'b', source: 's', outputs: [{ name: 'low', lt: 0.5 }, { name: 'high', gte: 0.5 }] }],
        },
        global: {
          model_catalog: {
            modules: {
              classifier: { domain: { model_ref: '', model_id: 'builtin/absent' } },
              hallucination_mitigation: { fact_check: { model_ref: '', model_id: 'builtin/absent' } },
              modality_detector: { enabled: true, method: 'keyword', keywords: ['draw'], both_keywords: ['explain'] },
            },
          },
        },
        decisions: [{ name: 'all', modelRefs: [{ model: 'm' }] }],
      }),
    );
  });
  after(async () => {
    await vsr?.stop();
    await backend?.close();
  });

  const headersOf = async (prompt, { debug = ' True ', extra = {} } = {}) => {
    const answer = await post(vsr.port, chat(prompt, extra), { 'x-vsr-debug': debug });
    assert.equal(answer.status, 200, answer.text());
    return answer.headers;
  };

  // The first test: answers teach vsr how many bytes make a token.
  test('the size of the request', async () => {
    assert.equal((await headersOf('12345678')).get('x-vsr-context-token-count'), '7'); // 12 bytes with the role, framing 4
    const long = await headersOf('12345678', { extra: { max_tokens: 5000 } });
    assert.equal(long.get('x-vsr-context-token-count'), '5007');
    assert.equal(long.get('x-vsr-matched-context'), 'large');
  });

  test('only on request', async () => {
    for (const debug of ['', 'false', 'yes', '1']) {
      const headers = await headersOf('zebra', { debug });
      const shown = [...headers.keys()].filter((name) => /matched|context-token|signal-errors|modality/.test(name));
      assert.deepEqual(shown, [], debug);
    }
  });

  test('matches are listed by family, in the order of the rules', async () => {
    const headers = await headersOf('a zebra', { extra: { metadata: { plan: 'gold' } } });
    assert.equal(headers.get('x-vsr-matched-keywords'), 'plain,a%2C b%25%C3%9C');
    assert.equal(headers.get('x-vsr-matched-conversation'), 'talk');
    assert.equal(headers.get('x-vsr-matched-metadata'), 'gold');
    assert.equal(headers.get('x-vsr-matched-context'), 'small');
    assert.equal(headers.get('x-vsr-matched-modality'), 'AR');
    assert.equal(headers.get('x-vsr-matched-projections'), 'high');
  });

  test('what did not match has no header', async () => {
    const headers = await headersOf('nothing');
    for (const family of ['keywords', 'metadata', 'domains', 'fact-check']) {
      assert.equal(headers.get(`x-vsr-matched-${family}`), undefined, family);
    }
    assert.equal(headers.get('x-vsr-matched-projections'), 'low');
  });

  test('the kind of answer, and who said so', async () => {
    assert.equal((await headersOf('sum up')).get('x-vsr-selected-modality'), 'AR;keyword');
    assert.equal((await headersOf('draw it')).get('x-vsr-selected-modality'), 'DIFFUSION;keyword');
    assert.equal((await headersOf('draw and explain it')).get('x-vsr-selected-modality'), 'BOTH;keyword');
    assert.equal((await headersOf('drawers')).get('x-vsr-selected-modality'), 'AR;keyword');
  });

  test('what could not be asked: rules, and families of several', async () => {
    const headers = await headersOf('zebra');
    assert.equal(headers.get('x-vsr-signal-errors'), 'domain:*=unavailable,fact_check:needs_fact_check=unavailable');
  });

  test('a long list ends with a whole entry, below 4 KiB', async () => {
    const value = (await headersOf('everything')).get('x-vsr-matched-keywords');
    assert.ok(value.length <= 4096 && value.length > 3900, `${value.length}`);
    const names = value.split(',').map(decodeURIComponent);
    assert.deepEqual(names, LONG.slice(0, names.length));
  });
});
