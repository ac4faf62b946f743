// Envoy's external processing: what the backend and the client get through Envoy is what they get from a listener.

import assert from 'node:assert/strict';

import { Backend, openaiAnswer } from './lib/backend.mjs';
import { Envoy, pieces } from './lib/envoy.mjs';
import { freePort, lane, otherwise, policy, startVsr, test } from './lib/harness.mjs';
import { chat, request } from './lib/http.mjs';

async function start(t, document, { args = [], ...options } = {}) {
  const port = await freePort();
  const vsr = await startVsr(t, document, { args: ['--extproc-listen', `127.0.0.1:${port}`, ...args], ...options });
  vsr.extprocPort = port;
  return vsr;
}

test('smoke', async (t) => {
  const backend = await Backend.start(t);
  const vsr = await start(t, policy({ models: { small: backend }, default_model: 'small' }));
  const envoy = new Envoy(t, vsr.extprocPort);
  const body = JSON.stringify(chat('hi', { model: 'auto' }));
  const answer = await envoy.exchange(
    { path: '/v1/chat/completions', headers: { 'content-type': 'application/json', 'content-length': body.length }, chunks: [body] },
    { route: () => backend.port },
  );
  assert.equal(answer.status, 200);
});
