// A real Redis. What it acknowledged is on the disk.
//
//   const redis = await Redis.start(t, { password: 'x', tls: authority });

import { spawnSync } from 'node:child_process';

import { ServerProcess } from './server_process.mjs';

/** Why there is none on this machine, or false: for `skip`. */
export const noRedis = spawnSync('redis-server', ['--version']).status === 0 ? false : 'redis-server is not installed';

export class Redis extends ServerProcess {
  static async start(t, { password, tls } = {}) {
    const redis = await new Redis().begin('redis');
    Object.assign(redis, { password, tls });
    t.after(() => redis.end());
    return redis.start();
  }

  command() {
    const command = ['redis-server', '--bind', '127.0.0.1', '--save', '', '--appendonly', 'yes', '--appendfsync', 'always'];
    command.push('--dir', this.dir, '--port', this.tls ? '0' : `${this.port}`);
    if (this.password) command.push('--requirepass', this.password);
    if (this.tls) {
      const { cert_file, key_file } = this.tls.sign('redis');
      command.push('--tls-port', `${this.port}`, '--tls-cert-file', cert_file, '--tls-key-file', key_file);
      command.push('--tls-ca-cert-file', this.tls.file('ca.pem'), '--tls-auth-clients', 'yes');
    }
    return command;
  }

  /** The block of the configuration. */
  get config() {
    const config = { address: `127.0.0.1:${this.port}` };
    if (this.password) config.password = this.password;
    if (this.tls) {
      const { cert_file, key_file } = this.tls.sign('vsr');
      Object.assign(config, { tls_enabled: true, tls_cert_path: cert_file, tls_key_path: key_file });
      config.tls_ca_path = this.tls.file('ca.pem');
    }
    return config;
  }

  /** What redis-cli prints. */
  ask(...args) {
    return spawnSync('redis-cli', ['-p', `${this.port}`, ...args], { encoding: 'utf8' }).stdout.trim();
  }
}
