// A real PostgreSQL, which refuses to be run by root: then it is the user postgres's.
//
//   const postgres = await Postgres.start(t);

import { execFileSync, spawnSync } from 'node:child_process';
import { chownSync, existsSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import { ServerProcess } from './server_process.mjs';

const root = process.getuid() === 0;
const versions = existsSync('/usr/lib/postgresql') ? readdirSync('/usr/lib/postgresql').filter((name) => /^\d+$/.test(name)) : [];
const bin = versions.length ? `/usr/lib/postgresql/${versions.sort((a, b) => b - a)[0]}/bin` : null;
const user = spawnSync('id', ['-u', 'postgres'], { encoding: 'utf8' });

/** Why there is none on this machine, or false: for `skip`. */
export const noPostgres = !bin
  ? 'PostgreSQL is not installed'
  : root && user.status !== 0
    ? 'we are root, and there is no user postgres'
    : false;

export class Postgres extends ServerProcess {
  static async start(t, { password = 'p@ss \'word' } = {}) {
    const postgres = await new Postgres().begin('postgres');
    postgres.password = password;
    t.after(() => postgres.end());
    const file = path.join(postgres.dir, 'password');
    writeFileSync(file, `${password}\n`);
    if (root) chownSync(postgres.dir, Number(user.stdout), -1);
    const args = ['-D', `${postgres.dir}/data`, '-U', 'vsr', '-A', 'scram-sha-256', `--pwfile=${file}`, '-E', 'UTF8'];
    const [program, ...rest] = postgres.as(`${bin}/initdb`, ...args, '--locale=C', '--no-sync');
    execFileSync(program, rest, { cwd: postgres.dir, stdio: ['ignore', 'ignore', 'inherit'] });
    return postgres.start();
  }

  /** setpriv and not runuser: no process stands between us and the server. */
  as(...command) {
    return root ? ['setpriv', '--reuid', 'postgres', '--regid', 'postgres', '--init-groups', ...command] : command;
  }

  command() {
    const args = ['-D', `${this.dir}/data`, '-k', this.dir, '-c', 'listen_addresses=127.0.0.1', '-p', `${this.port}`];
    return this.as(`${bin}/postgres`, ...args);
  }

  /** The block of the configuration. */
  get config() {
    return { host: '127.0.0.1', port: this.port, database: 'postgres', user: 'vsr', password: this.password };
  }

  /** One value. */
  ask(sql) {
    const env = { ...process.env, PGPASSWORD: this.password };
    const args = ['-h', '127.0.0.1', '-p', `${this.port}`, '-U', 'vsr', '-d', 'postgres', '-Atc', sql];
    return spawnSync(`${bin}/psql`, args, { encoding: 'utf8', env }).stdout.trim();
  }
}
