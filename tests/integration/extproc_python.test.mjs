// The core of external processing again with Debian's grpcio, whose HTTP/2 and protobuf are another implementation's.

import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import { Backend, completion } from './lib/backend.mjs';
import { eventually, freePort, policy, startVsr, test } from './lib/harness.mjs';
import { chat } from './lib/http.mjs';

const python = '/usr/bin/python3'; // Debian's, where Debian's packages are
const lib = path.join(path.dirname(fileURLToPath(import.meta.url)), 'lib');
const missing =
  existsSync(python) && spawnSync(python, ['-c', 'import grpc, google.protobuf']).status === 0
    ? false
    : 'python3-grpcio is not installed';

/** The client, as a function from a sequence to its result. */
function startClient(t, port) {
  const dir = mkdtempSync(path.join(tmpdir(), 'vsr-grpc-'));
  const descriptors = path.join(dir, 'all.desc');
  const made = spawnSync('protoc-c', ['-I', lib, `--descriptor_set_out=${descriptors}`, 'envoy.proto', 'health.proto']);
  assert.equal(made.status, 0, made.stderr?.toString());
  const child = spawn(python, [path.join(lib, 'extproc_client.py'), String(port), descriptors], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  t.after(async () => {
    child.stdin.end();
    await new Promise((resolve) => child.once('exit', resolve));
    rmSync(dir, { recursive: true, force: true });
  });
  return async (sequence) => {
    child.stdin.write(`${JSON.stringify(sequence)}\n`);
    const { value, done } = await lines.next();
    assert.ok(!done, 'the client lives');
    return JSON.parse(value);
  };
}

const text = (base64) => Buffer.from(base64 ?? '', 'base64').toString();
const setHeaders = (mutation) =>
  Object.fromEntries((mutation?.set_headers ?? []).map(({ header }) => [header.key, text(header.raw_value)]));

const HEADERS = { ':method': 'POST', ':path': '/v1/chat/completions', ':authority': 'a', 'content-type': 'application/json' };
const ANSWER = JSON.stringify(completion('small-v2', 'hello'));

test('grpcio', { skip: missing }, async (t) => {
  const backend = await Backend.start(t);
  const port = await freePort();
  const models = { small: { provider_model_id: 'small-v2', backend_refs: [{ endpoint: backend.address, weight: 1 }] } };
  const vsr = await startVsr(t, policy({ models, default_model: 'small' }), {
    args: ['--extproc-listen', `127.0.0.1:${port}`],
  });
  const ask = startClient(t, port);
  const body = JSON.stringify(chat('hi ä🌍'));

  assert.deepEqual(await ask({ health: true }), { health: 1 });

  const buffered = await ask({
    messages: [
      { kind: 'request_headers', headers: HEADERS, config: { request_body_mode: 2, response_body_mode: 2 } },
      { kind: 'request_body', body, end: true },
      { kind: 'response_headers', headers: { ':status': '200', 'content-type': 'application/json' } },
      { kind: 'response_body', body: ANSWER, end: true },
    ],
  });
  assert.equal(buffered.status, 'OK');
  assert.deepEqual(buffered.answers.map((answer) => Object.keys(answer)[0]), [
    'request_headers',
    'request_body',
    'response_headers',
    'response_body',
  ]);
  const request = buffered.answers[1].request_body.response;
  assert.equal(JSON.parse(text(request.body_mutation.body)).model, 'small-v2');
  assert.equal(setHeaders(request.header_mutation)['x-selected-model'], 'small');
  assert.equal(Number(setHeaders(request.header_mutation)['content-length']), Buffer.from(request.body_mutation.body, 'base64').length);
  assert.ok(request.clear_route_cache);
  assert.equal(setHeaders(buffered.answers[2].response_headers.response.header_mutation)['x-vsr-selected-model'], 'small');

  for (const at of [1, 2, 17, Buffer.byteLength(body) - 4]) {
    const duplex = await ask({
      messages: [
        { kind: 'request_headers', headers: HEADERS, config: { request_body_mode: 4, response_body_mode: 4 }, answers: 0 },
        { kind: 'request_body', body: body.slice(0, at), answers: 0 },
        { kind: 'request_body', body: body.slice(at), end: true, answers: -1 },
        { kind: 'response_headers', headers: { ':status': '200', 'content-type': 'application/json' } },
        { kind: 'response_body', body: ANSWER.slice(0, at), answers: 0 },
        { kind: 'response_body', body: ANSWER.slice(at), end: true, answers: -1 },
      ],
    });
    const streamed = (kind) =>
      duplex.answers
        .filter((answer) => answer[kind])
        .map((answer) => text(answer[kind].response.body_mutation.streamed_response.body))
        .join('');
    assert.equal(JSON.parse(streamed('request_body')).model, 'small-v2', `at ${at}`);
    assert.equal(streamed('response_body'), ANSWER, `at ${at}`);
    assert.equal(duplex.status, 'OK');
  }

  const refused = await ask({ messages: [{ kind: 'request_headers', headers: { ...HEADERS, ':path': '/v1/nothing' } }] });
  assert.equal(refused.answers[0].immediate_response.status.code, 404);
  const cancelled = await ask({ messages: [{ kind: 'request_headers', headers: HEADERS }], cancel: true });
  assert.equal(cancelled.status, 'CANCELLED');
  const wrong = await ask({ messages: [{ kind: 'request_body', body: 'x', answers: 0 }] });
  assert.equal(wrong.status, 'INVALID_ARGUMENT');
  await eventually('nothing under way', async () => /^vsr_requests_active 0$/m.test((await vsr.metrics()).text()));
});
