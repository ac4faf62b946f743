// `vsr backend`, the stand-in that plays every provider: started on a free port, told what to do, asked what it saw.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';

import { program, within } from './harness.mjs';
import { get, request } from './http.mjs';

/** The header that tells the stand-in what to do to one request, as `told('thinking=5,cut=100')`. */
export const told = (behaviour) => ({ 'x-backend-behaviour': behaviour });

/**
 * Starts it; `addresses`, `ports` and `port` are where it listens. `t` (a test context) ends it; where there is none,
 * `stop()` does. It has to end with status 0.
 */
export async function startStandIn(t, args = [], { listen = '127.0.0.1:0' } = {}) {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('VSR_')));
  const child = spawn(program, ['backend', '--listen', listen, '--json', ...args], { env });
  let out = '';
  let err = '';
  child.stderr.on('data', (data) => (err += data));
  const ended = new Promise((resolve) => child.once('exit', (code, signal) => resolve({ code, signal })));
  const stop = async () => {
    child.kill('SIGTERM');
    const end = await within('the end of vsr backend', ended);
    assert.deepEqual(end, { code: 0, signal: null }, err);
  };
  t?.after(stop);
  const { listening } = await within(
    'vsr backend to listen',
    new Promise((resolve, reject) => {
      child.stdout.on('data', (data) => {
        out += data;
        if (out.includes('\n')) resolve(JSON.parse(out));
      });
      ended.then(() => reject(new Error(`vsr backend ended: ${err}`)));
    }),
  );
  const ports = listening.map((address) => Number(address.split(':').at(-1)));
  return {
    addresses: listening,
    ports,
    port: ports[0],
    url: `http://127.0.0.1:${ports[0]}`,
    pid: child.pid,
    stop,
    /** From now on, on that listener: a list as in told(); empty: as the options say. */
    behave: (behaviour, port = ports[0]) =>
      request(port, { method: 'PUT', path: '/_behaviour', body: behaviour }),
    /** What listener `n` has seen: requests, completed, cancelled. */
    stats: async (n = 0) => (await get(ports[0], '/_stats')).json().listeners[n],
    /** The last request of a model, with its body parsed and its headers as a map. */
    last: async () => {
      const last = (await get(ports[0], '/_last')).json();
      return { ...last, headers: new Map(last.headers), json: () => JSON.parse(last.body) };
    },
  };
}
