// A model hub on a free port of the loopback address, with a storage server on another one, as large files have it.
// It can cut connections, lie about sizes and hashes, refuse, redirect and stall: see the fields of Hub.
//
//   const hub = await Hub.start(t);
//   hub.add('me/own', {'config.json': '{...}', 'model.safetensors': bytes});
//   ... --endpoint hub.url ...
//   hub.requests                                     // [{server, method, path, headers}]

import { createHash } from 'node:crypto';
import http from 'node:http';

export const commitOf = (n) => String(n).padStart(40, 'c');

const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');
const gitBlob = (bytes) => createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex');

export class Hub {
  requests = [];
  repos = new Map(); // id -> {commit, files: Map of path to {bytes, lfs}, gated}
  listing = (body) => body; // what becomes of the answer about a revision
  blobs = true; // whether it says sizes and hashes
  ranges = true; // whether storage resumes
  cut = () => Infinity; // (path, nth request for it) -> bytes of the body until the connection is cut
  corrupt = (path, bytes) => bytes; // what storage sends in place of the file
  endless = () => false; // (path) -> whether its body has neither a length nor an end
  status = () => 0; // (path, nth) -> an HTTP status to answer with instead
  headers = {}; // of such an answer
  redirect = null; // (url) -> where to instead of storage
  hold = null; // a promise that bodies wait for
  running = 0; // bodies on their way
  mostRunning = 0;
  #seen = new Map();
  #servers = [];

  static async start(t) {
    const hub = new Hub();
    hub.url = await hub.#listen('hub', (req, res) => hub.#hub(req, res));
    hub.storage = await hub.#listen('storage', (req, res) => hub.#storage(req, res));
    t?.after(() => hub.close());
    return hub;
  }

  async close() {
    for (const server of this.#servers) {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  }

  /** Files of LFS size (here: safetensors) come from storage, the others from the hub itself. */
  add(id, files, { commit = commitOf(1), gated = false } = {}) {
    const made = new Map();
    for (const [path, content] of Object.entries(files)) {
      const bytes = Buffer.from(content);
      made.set(path, { bytes, lfs: path.endsWith('.safetensors') });
    }
    this.repos.set(id, { commit, files: made, gated });
  }

  /** Requests for a path that holds `text`. */
  asked(text) {
    return this.requests.filter((request) => request.path.includes(text));
  }

  async #listen(name, handler) {
    const server = http.createServer((req, res) => {
      this.requests.push({ server: name, method: req.method, path: req.url, headers: req.headers });
      handler(req, res);
    });
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
    this.#servers.push(server);
    return `http://127.0.0.1:${server.address().port}`;
  }

  #nth(path) {
    const n = (this.#seen.get(path) ?? 0) + 1;
    this.#seen.set(path, n);
    return n;
  }

  #refuse(res, status, code = '') {
    res.writeHead(status, { ...(code ? { 'x-error-code': code } : {}), ...this.headers });
    res.end('no');
  }

  #hub(req, res) {
    const url = new URL(req.url, this.url);
    const status = this.status(url.pathname, this.#nth(url.pathname));
    if (status) return this.#refuse(res, status);
    let match = /^\/api\/models\/([^/]+\/[^/]+)\/revision\/([^/]+)$/.exec(url.pathname);
    if (match) return this.#revision(req, res, match[1], decodeURIComponent(match[2]));
    match = /^\/([^/]+\/[^/]+)\/resolve\/([^/]+)\/(.+)$/.exec(url.pathname);
    if (match) return this.#resolve(req, res, match[1], match[2], decodeURIComponent(match[3]));
    return this.#refuse(res, 404);
  }

  #revision(req, res, id, revision) {
    const repo = this.repos.get(id);
    if (!repo) return this.#refuse(res, 401, 'RepoNotFound');
    if (revision !== 'main' && revision !== repo.commit) return this.#refuse(res, 404, 'RevisionNotFound');
    const siblings = [...repo.files].map(([rfilename, { bytes, lfs }]) => {
      if (!this.blobs) return { rfilename };
      const entry = { rfilename, size: bytes.length, blobId: gitBlob(bytes) };
      return lfs ? { ...entry, lfs: { sha256: sha256(bytes), size: bytes.length, pointerSize: 130 } } : entry;
    });
    const body = this.listing({ id, sha: repo.commit, gated: repo.gated ? 'manual' : false, siblings });
    res.writeHead(200, { 'content-type': 'application/json' });
    res.end(typeof body === 'string' ? body : JSON.stringify(body));
  }

  #resolve(req, res, id, commit, path) {
    const repo = this.repos.get(id);
    const file = repo?.files.get(path);
    if (repo?.gated && req.headers.authorization !== 'Bearer good') {
      return this.#refuse(res, req.headers.authorization ? 403 : 401, 'GatedRepo');
    }
    if (!file || commit !== repo.commit) return this.#refuse(res, 404, 'EntryNotFound');
    if (!file.lfs) return this.#send(req, res, path, file.bytes, { etag: `"${gitBlob(file.bytes)}"` });
    const target = `${this.storage}/${id}/${path}`;
    res.writeHead(302, {
      location: this.redirect ? this.redirect(target) : target,
      'x-linked-size': file.bytes.length,
      'x-linked-etag': `"${sha256(file.bytes)}"`,
      'x-repo-commit': commit,
    });
    return res.end();
  }

  #storage(req, res) {
    const match = /^\/([^/]+\/[^/]+)\/(.+)$/.exec(new URL(req.url, this.storage).pathname);
    const file = match && this.repos.get(match[1])?.files.get(match[2]);
    if (!file) return this.#refuse(res, 404);
    return this.#send(req, res, match[2], file.bytes, { etag: '"of-the-storage"' });
  }

  #sendForEver(res) {
    const block = Buffer.alloc(1 << 20, 'x');
    const more = () => {
      while (!res.destroyed && res.write(block));
    };
    res.writeHead(200);
    res.on('drain', more);
    more();
  }

  async #send(req, res, path, content, headers) {
    if (this.endless(path)) return this.#sendForEver(res);
    const bytes = this.corrupt(path, content);
    const range = this.ranges && /^bytes=(\d+)-$/.exec(req.headers.range ?? '');
    const from = range ? Number(range[1]) : 0;
    const end = Math.min(this.cut(path, this.#nth(`body ${path}`)), bytes.length);
    if (from > 0 && from >= bytes.length) return this.#refuse(res, 416);
    this.running += 1;
    this.mostRunning = Math.max(this.mostRunning, this.running);
    res.writeHead(range ? 206 : 200, {
      ...headers,
      'content-length': bytes.length - from,
      ...(range ? { 'content-range': `bytes ${from}-${bytes.length - 1}/${bytes.length}` } : {}),
    });
    res.flushHeaders();
    if (this.hold) await this.hold;
    this.running -= 1;
    if (end >= bytes.length) return res.end(bytes.subarray(from));
    return res.write(bytes.subarray(from, Math.max(from, end)), () => setTimeout(() => res.destroy(), 20));
  }
}
