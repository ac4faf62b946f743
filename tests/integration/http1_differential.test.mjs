// vsr's HTTP/1.1 parser beside Node's HTTP server, over the corpus of good and evil connections.
//
// vsr never accepts what Node rejects, and is never stricter, unless the corpus says why; and where both accept, they
// agree on how many requests there are, on their heads, and on where each body ends. Our side is build/.../http1_dump.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { corpus } from './http1_corpus.mjs';

const top = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
const dumpPath = path.resolve(top, process.env.VSR_BUILD_DIR ?? 'build/debug', 'http1_dump');

const ANSWER_STATUS = 299; // told apart from whatever Node answers by itself

// ---- vsr

async function runDump(raw, cut) {
  const child = spawn(dumpPath, cut ? [`--cut=${cut}`] : [], { stdio: ['pipe', 'pipe', 'inherit'] });
  const out = [];
  child.stdout.on('data', (data) => out.push(data));
  child.stdin.on('error', () => {}); // it may stop reading at an error
  child.stdin.end(Buffer.from(raw, 'latin1'));
  const code = await new Promise((resolve) => child.on('close', resolve));
  assert.equal(code, 0, 'http1_dump failed');
  return Buffer.concat(out).toString('latin1').split('\n').filter(Boolean).map((line) => JSON.parse(line));
}

// { requests: [{ method, target, fields, body }], status: null | number, rejected }
async function askVsr(raw, cut) {
  const requests = [];
  let open = null, status = null, clean = true;
  for (const event of await runDump(raw, cut)) {
    if (event.event === 'head') open = { method: event.method, target: event.target, fields: event.fields, body: '' };
    else if (event.event === 'body') open.body += event.bytes;
    else if (event.event === 'end') requests.push(open);
    else if (event.event === 'error') status = event.status;
    else clean = event.clean;
  }
  return { requests, status, rejected: status !== null || !clean };
}

// ---- Node

const pairs = (flat) => Array.from({ length: flat.length / 2 }, (_, i) => [flat[2 * i], flat[2 * i + 1]]);

class NodeServer {
  async start() {
    const options = { insecureHTTPParser: false, keepAliveTimeout: 0 };
    this.server = http.createServer(options, (req, res) => this.serve(req, res));
    this.server.httpAllowHalfOpen = true; // the client's end of writing must not cut what it has sent
    this.server.on('clientError', (err, socket) => {
      this.seen.get(socket.remotePort).error = err.code ?? String(err);
      setImmediate(() => socket.destroy()); // lets a complete request before the bad one come to its end
    });
    await new Promise((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    this.seen = new Map();
  }

  stop() {
    this.server.closeAllConnections();
    this.server.close();
  }

  serve(req, res) {
    const entry = { method: req.method, target: req.url, fields: pairs(req.rawHeaders), body: '', complete: false };
    this.seen.get(req.socket.remotePort).requests.push(entry);
    req.on('data', (data) => { entry.body += data.toString('latin1'); });
    req.on('end', () => {
      entry.complete = req.complete;
      res.writeHead(ANSWER_STATUS, { 'content-length': 0 });
      res.end();
    });
    req.on('error', () => {});
  }

  async ask(raw) {
    const socket = net.connect(this.server.address().port, '127.0.0.1');
    const answer = [];
    socket.on('data', (data) => answer.push(data));
    socket.on('error', () => {});
    const closed = new Promise((resolve) => socket.on('close', resolve));
    await new Promise((resolve) => socket.on('connect', resolve));
    const record = { requests: [], error: null };
    this.seen.set(socket.localPort, record);
    socket.end(Buffer.from(raw, 'latin1'));
    await closed;
    this.seen.delete(socket.localPort);
    const lines = Buffer.concat(answer).toString('latin1').matchAll(/^HTTP\/1\.1 (\d{3}) /gm);
    const statuses = [...lines].map((match) => Number(match[1]));
    const refused = statuses.find((status) => status >= 400) ?? null;
    const requests = record.requests.filter((entry) => entry.complete).map(({ complete, ...entry }) => entry);
    const cut = requests.length < record.requests.length;
    return { requests, why: record.error ?? refused, rejected: record.error !== null || refused !== null || cut };
  }
}

// ---- the comparison

function checkVerdicts(entry, ours, theirs) {
  const told = `vsr: ${ours.rejected ? `rejects, ${ours.status ?? 'cut'}` : 'accepts'}; ` +
    `Node: ${theirs.rejected ? `rejects, ${theirs.why}` : 'accepts'}`;
  if (!ours.rejected && theirs.rejected)
    assert.match(entry.node ?? '', /^rejects: ./, `vsr accepts what Node rejects and nobody says why (${told})`);
  if (ours.rejected && !theirs.rejected)
    assert.match(entry.node ?? '', /^accepts: ./, `vsr is stricter than Node and nobody says why (${told})`);
}

// Trailers apart, which neither side reports here, the two must have read the same requests.
function checkRequests(ours, theirs) {
  const shared = Math.min(ours.requests.length, theirs.requests.length);
  assert.deepEqual(ours.requests.slice(0, shared), theirs.requests.slice(0, shared));
  if (!ours.rejected && !theirs.rejected)
    assert.equal(ours.requests.length, theirs.requests.length, 'number of requests');
}

describe('http1 beside Node', () => {
  const node = new NodeServer();
  before(() => {
    assert.ok(existsSync(dumpPath), `${dumpPath} is not built`);
    return node.start();
  });
  after(() => node.stop());

  test('the corpus is well-formed', () => {
    assert.equal(new Set(corpus.map((entry) => entry.name)).size, corpus.length, 'names are unique');
    for (const entry of corpus) assert.match(entry.raw, /^[\x00-\xff]*$/, entry.name);
    assert.ok(corpus.length >= 150);
  });

  for (const entry of corpus) {
    test(entry.name, async () => {
      const asked = [askVsr(entry.raw), askVsr(entry.raw, 1), node.ask(entry.raw)];
      const [ours, bytewise, theirs] = await Promise.all(asked);
      assert.deepEqual(bytewise, ours, 'cut into bytes');
      assert.equal(ours.status, entry.cut ? null : entry.status, 'status');
      assert.equal(ours.rejected, entry.status !== null, 'verdict');
      assert.equal(ours.requests.length, entry.requests, 'complete requests');
      checkVerdicts(entry, ours, theirs);
      checkRequests(ours, theirs);
    });
  }
});
