// `vsr config envoy`, and the example that is made of it.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import { parse } from 'yaml';

import { policy, program, test } from './lib/harness.mjs';

const deploy = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../deploy/envoy');

function print(document, args = []) {
  const dir = mkdtempSync(path.join(tmpdir(), 'vsr-envoy-'));
  const file = path.join(dir, 'policy.yaml');
  writeFileSync(file, typeof document === 'string' ? document : JSON.stringify(document));
  const run = spawnSync(program, ['config', 'envoy', ...args, file]);
  rmSync(dir, { recursive: true, force: true });
  assert.equal(run.status, 0, run.stderr.toString());
  return { envoy: JSON.parse(run.stdout), warnings: run.stderr.toString() };
}

const manager = (envoy) => envoy.static_resources.listeners[0].filter_chains[0].filters[0].typed_config;
const routes = (envoy) => manager(envoy).route_config.virtual_hosts[0].routes;
const cluster = (envoy, name) => envoy.static_resources.clusters.find((one) => one.name === name);

test('the example is what the command prints', () => {
  const { envoy } = print(readFileSync(path.join(deploy, 'policy.yaml'), 'utf8'), ['--listen', '0.0.0.0:10000']);
  assert.deepEqual(parse(readFileSync(path.join(deploy, 'envoy.yaml'), 'utf8')), envoy);
});

test('a route and a cluster for each model', () => {
  const document = policy({
    listener: { port: 8899, timeout: '90s', api_keys: ['secret-key'] },
    models: {
      one: {
        backend_refs: [
          { endpoint: '10.0.0.1:8000', weight: 3 },
          { endpoint: 'model.internal:9000', weight: 1 },
          { endpoint: '10.0.0.3:8000', weight: 0 },
        ],
        reliability: {
          lb_policy: 'least_request',
          retry_count: 3,
          retry_on: 'connect-failure,503',
          consecutive_5xx: 4,
          base_ejection_time: '15s',
          health_check_path: '/health',
          circuit: { max_requests: 7 },
        },
      },
      two: {
        api_format: 'anthropic',
        backend_refs: [{ base_url: 'https://api.example.com/v1', provider: 'anthropic', api_key: 'sk-very-secret' }],
      },
    },
    cards: { one: { loras: [{ name: 'one-legal' }] } },
    default_model: 'two',
  });
  const { envoy, warnings } = print(document, ['--extproc', 'vsr.local:50052', '--admin', 'off']);
  assert.doesNotMatch(JSON.stringify(envoy), /secret-key|very-secret/, 'no key is printed');
  assert.match(warnings, /API keys, which vsr checks only on its own listeners/);
  assert.equal(envoy.admin, undefined);

  const matched = routes(envoy).map(({ match, route }) => [match.headers?.[0].string_match.exact, route.cluster]);
  assert.deepEqual(matched, [
    ['one', 'model/one'],
    ['one-legal', 'model/one'],
    ['two', 'model/two'],
    [undefined, 'model/two'],
  ]);
  const [one, , two] = routes(envoy).map(({ route }) => route);
  assert.equal(one.auto_host_rewrite, true, 'hosts that differ');
  assert.deepEqual(one.retry_policy, {
    retry_on: 'connect-failure,refused-stream,retriable-status-codes',
    num_retries: 3,
    retriable_status_codes: [503],
  });
  assert.equal(two.host_rewrite_literal, 'api.example.com');
  assert.equal(two.idle_timeout, '90s');

  const first = cluster(envoy, 'model/one');
  assert.equal(first.lb_policy, 'LEAST_REQUEST');
  assert.deepEqual(
    first.load_assignment.endpoints[0].lb_endpoints.map((one) => [
      one.endpoint.address.socket_address.address,
      one.endpoint.address.socket_address.port_value,
      one.load_balancing_weight,
    ]),
    [
      ['10.0.0.1', 8000, 3],
      ['model.internal', 9000, 1],
    ],
    'what is drained is left out',
  );
  assert.equal(first.outlier_detection.consecutive_5xx, 4);
  assert.equal(first.outlier_detection.base_ejection_time, '15s');
  assert.equal(first.circuit_breakers.thresholds[0].max_requests, 7);
  assert.equal(first.health_checks[0].http_health_check.path, '/health');
  const second = cluster(envoy, 'model/two').transport_socket.typed_config;
  assert.equal(second.sni, 'api.example.com');
  assert.equal(cluster(envoy, 'vsr').load_assignment.endpoints[0].lb_endpoints[0].endpoint.address.socket_address.port_value, 50052);

  const filter = manager(envoy).http_filters[0].typed_config;
  assert.equal(filter.allow_mode_override, true);
  assert.equal(filter.failure_mode_allow, false);
  assert.equal(filter.processing_mode.request_body_mode, 'BUFFERED');
  assert.equal(manager(envoy).http_filters.at(-1).name, 'envoy.filters.http.router');
});

test('addresses that are none', () => {
  for (const option of ['--extproc', '--listen', '--admin']) {
    const run = spawnSync(program, ['config', 'envoy', option, 'nowhere']);
    assert.equal(run.status, 2);
    assert.match(run.stderr.toString(), new RegExp(`${option}: expected`));
  }
});
