// The places where responses are stored, for tests that run over all of them: each begins with a real server of its own.
//
//   for (const [name, place] of Object.entries(places))
//     test(name, { skip: place.skip }, async (t) => { const { response_api } = await place.begin(t); ... });

import assert from 'node:assert/strict';

import { noPostgres, Postgres } from './postgres.mjs';
import { noRedis, Redis } from './redis.mjs';

/** What the configuration says of each; its server, how many records that holds, and how it loses one. */
export const places = {
  memory: { skip: false, begin: async () => ({ response_api: { store_backend: 'memory' } }) },
  sqlite: { skip: false, begin: async () => ({ response_api: { store_backend: 'sqlite' } }) },
  redis: {
    skip: noRedis,
    begin: async (t) => {
      const server = await Redis.start(t);
      const count = () => server.ask('--scan', '--pattern', 'sr:response:*').split('\n').filter(Boolean).length;
      const lose = (id) => assert.equal(server.ask('DEL', `sr:response:${id}`).trim(), '1');
      return { server, count, lose, response_api: { store_backend: 'redis', redis: server.config } };
    },
  },
  postgres: {
    skip: noPostgres,
    begin: async (t) => {
      const server = await Postgres.start(t);
      const count = () => Number(server.ask('SELECT count(*) FROM vsr_responses WHERE status <> \'deleted\''));
      const lose = (id) => server.ask(`DELETE FROM vsr_responses WHERE id = '${id}'`);
      return { server, count, lose, response_api: { store_backend: 'postgres', postgres: server.config } };
    },
  },
};
