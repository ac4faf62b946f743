// A server of somebody else's making in a directory of its own on loopback: started, killed as a machine that loses
// power, started again on what it had written.

import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { eventually, freePort, within } from './harness.mjs';

const prefix = spawnSync('setpriv', ['--pdeathsig', 'KILL', 'true']).status === 0 ? ['setpriv', '--pdeathsig', 'KILL'] : [];

const running = new Set();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

const connects = (port) =>
  new Promise((resolve) => {
    const socket = net.connect({ port, host: '127.0.0.1' }, () => (socket.destroy(), resolve(true)));
    socket.once('error', () => resolve(false));
  });

export class ServerProcess {
  #child;
  #ended;
  log = '';

  /** `command()` is asked for program and arguments, once `dir` and `port` are set. */
  async begin(name) {
    this.name = name;
    this.port = await freePort();
    this.dir = mkdtempSync(path.join(tmpdir(), `vsr-${name}-`));
    return this;
  }

  #spawn() {
    const [file, ...args] = [...prefix, ...this.command()];
    const child = spawn(file, args, { cwd: this.dir, stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (this.log += text));
    running.add(child);
    this.#child = child;
    this.#ended = new Promise((resolve) => child.once('close', resolve)).then(() => {
      running.delete(child);
      if (this.#child === child) this.#child = null;
    });
  }

  /** Listens, whatever children of one that was killed are still about. */
  async start() {
    await eventually(
      () => `${this.name} to listen; it said:\n${this.log.slice(-2000)}`,
      async () => {
        if (!this.#child) this.#spawn();
        return connects(this.port);
      },
    );
    return this;
  }

  async kill() {
    if (!this.#child) return;
    assert.ok(this.#child.kill('SIGKILL'));
    await within(`${this.name} to end`, this.#ended);
  }

  async end() {
    await this.kill();
    rmSync(this.dir, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
  }
}
