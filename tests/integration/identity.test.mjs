// Policies about callers: identity comes from headers that only a trusting listener believes.

import assert from 'node:assert/strict';
import { after, before, describe } from 'node:test';

import { assertError } from './lib/asserts.mjs';
import { Backend } from './lib/backend.mjs';
import { chat, post } from './lib/http.mjs';
import { policy, test, Vsr } from './lib/harness.mjs';

const rules = {
  signals: {
    role_bindings: [
      { name: 'paid', role: 'premium', subjects: [{ kind: 'Group', name: 'gold' }, { kind: 'User', name: 'alice' }] },
      { name: 'crew', role: 'staff, all', subjects: [{ kind: 'Group', name: 'crew' }] },
    ],
  },
  decisions: [
    {
      name: 'premium_lane',
      priority: 5,
      rules: { type: 'authz', name: 'premium' },
      modelRefs: [{ model: 'large' }],
    },
    { name: 'others', priority: 1, modelRefs: [{ model: 'small' }] },
  ],
};

describe('identity', () => {
  let backend, vsrs;
  const start = (more) =>
    Vsr.start(policy({ default_model: 'small', models: { small: backend, large: backend }, ...rules, ...more }));
  before(async () => {
    backend = await Backend.start();
    vsrs = {
      trusting: await start({ listener: { trust_identity_headers: true } }),
      strict: await start({}),
      open: await start({ global: { services: { authz: { fail_open: true } } } }),
      renamed: await start({
        listener: { trust_identity_headers: true },
        global: { services: { authz: { identity: { user_id_header: 'X-Me', user_groups_header: 'X-Mine' } } } },
      }),
    };
  });
  after(async () => {
    for (const vsr of Object.values(vsrs ?? {})) await vsr.stop();
    await backend?.close();
  });

  const ask = (which, headers, model = 'auto') =>
    post(vsrs[which].port, chat('hi', { model }), { 'x-vsr-debug': 'true', ...headers });
  const lane = async (which, headers) => {
    const answer = await ask(which, headers);
    assert.equal(answer.status, 200, answer.text());
    return answer.headers.get('x-vsr-selected-decision');
  };
  const refused = async (which, headers) =>
    assertError(await ask(which, headers), 403, { type: 'permission_error', code: 'identity_required' });

  test('a user or a group gets the lane of its role', async () => {
    assert.equal(await lane('trusting', { 'x-authz-user-id': 'alice' }), 'premium_lane');
    assert.equal(await lane('trusting', { 'x-authz-user-id': 'carol', 'x-authz-user-groups': 'crew, gold' }), 'premium_lane');
    assert.equal(await lane('trusting', { 'x-authz-user-id': 'carol' }), 'others');
  });

  test('matched roles are a debug header, percent-encoded', async () => {
    const answer = await ask('trusting', { 'x-authz-user-id': 'alice', 'x-authz-user-groups': 'crew' });
    assert.equal(answer.headers.get('x-vsr-matched-authz'), 'premium,staff%2C all');
  });

  test('identity does not go on to the backend when the listener does not trust it', async () => {
    backend.forget();
    assert.equal(await lane('open', { 'x-authz-user-id': 'alice', 'x-authz-user-groups': 'gold' }), 'others');
    assert.equal(backend.last.headers.get('x-authz-user-id'), undefined);
    assert.equal(backend.last.headers.get('x-authz-user-groups'), undefined);
  });

  test('without an identity the request is refused', async () => {
    await refused('trusting', {});
    await refused('trusting', { 'x-authz-user-id': ' ' });
    await refused('trusting', { 'x-authz-user-groups': 'gold' });
  });

  test('a client cannot say who it is', async () => {
    await refused('strict', { 'x-authz-user-id': 'alice', 'x-authz-user-groups': 'gold' });
  });

  test('two ids are none', async () => {
    await refused('trusting', { 'x-authz-user-id': ['alice', 'bob'] });
  });

  test('headers go by their configured names', async () => {
    assert.equal(await lane('renamed', { 'x-me': 'carol', 'x-mine': 'gold' }), 'premium_lane');
    await refused('renamed', { 'x-authz-user-id': 'alice' });
  });

  test('a model that is named directly asks nobody', async () => {
    assert.equal((await ask('strict', {}, 'small')).status, 200);
  });

  test('the refusal is counted and reaches no backend', async () => {
    backend.forget();
    await refused('strict', {});
    assert.equal(backend.last, undefined);
    assert.match(
      (await vsrs.strict.metrics()).text(),
      /llm_request_errors_total\{model="unknown",reason="forbidden"\} [1-9]/,
    );
  });
});
