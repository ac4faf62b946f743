// Throwaway certificates, made by the openssl command: an authority, and whatever it signs.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

const EC = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];

const openssl = (cwd, ...args) => execFileSync('openssl', args, { cwd, stdio: ['ignore', 'pipe', 'ignore'] });

/** An authority with its folder, which goes at the end of `t`. */
export class Authority {
  constructor(t, name = 'authority') {
    this.dir = mkdtempSync(path.join(tmpdir(), 'vsr-tls-'));
    t.after(() => rmSync(this.dir, { recursive: true, force: true }));
    openssl(this.dir, 'req', '-x509', ...EC, '-days', '2', '-subj', `/CN=${name}`, '-keyout', 'ca.key', '-out', 'ca.pem');
    this.ca = readFileSync(this.file('ca.pem'));
    this.n = 0;
  }

  file(name) {
    return path.join(this.dir, name);
  }

  /** Signs a certificate for localhost and 127.0.0.1; files `<name>.pem` and `<name>.key`, which may have been there. */
  sign(name, { cn = name, days = '2' } = {}) {
    const made = `made${++this.n}`;
    writeFileSync(this.file('ext'), 'subjectAltName=DNS:localhost,IP:127.0.0.1\n');
    openssl(this.dir, 'req', ...EC, '-subj', `/CN=${cn}`, '-keyout', `${made}.key`, '-out', `${made}.csr`);
    const sign = ['x509', '-req', '-in', `${made}.csr`, '-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial'];
    openssl(this.dir, ...sign, '-days', days, '-extfile', 'ext', '-out', `${made}.pem`);
    for (const end of ['key', 'pem']) renameSync(this.file(`${made}.${end}`), this.file(`${name}.${end}`));
    return { cert_file: this.file(`${name}.pem`), key_file: this.file(`${name}.key`) };
  }

  /** What a client shows. */
  identity(name) {
    return { cert: readFileSync(this.file(`${name}.pem`)), key: readFileSync(this.file(`${name}.key`)) };
  }
}
