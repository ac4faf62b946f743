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

  const matched = routes(envoy).map(({ match, route }) => [match.headers?.[0].string_match.exact, route?.cluster]);
  assert.deepEqual(matched, [
    ['one', 'model/one'],
    ['one-legal', 'model/one'],
    ['two', 'model/two'],
    [undefined, undefined],
  ]);
  assert.deepEqual(routes(envoy).at(-1).direct_response, { status: 404 });
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

test('what clients may not say is removed before any filter', () => {
  const { envoy } = print(
    policy({
      listener: { port: 8899 },
      models: { one: { backend_refs: [{ endpoint: '10.0.0.1:8000', weight: 1 }] } },
      default_model: 'one',
      global: {
        router: { skip_processing: { enabled: true } },
        services: { authz: { fail_open: true, identity: { user_id_header: 'x-who' } } },
      },
    }),
  );
  const [early] = manager(envoy).early_header_mutation_extensions;
  assert.equal(early.name, 'envoy.http.early_header_mutation.header_mutation');
  const removed = early.typed_config.mutations.map(({ remove }) => remove);
  for (const name of ['x-who', 'x-authz-user-groups', 'x-authz-tenant-id', 'x-user-openai-key', 'x-vsr-priority', 'x-selected-model'])
    assert.ok(removed.includes(name), name);
  assert.equal(new Set(removed).size, removed.length);
  assert.ok(manager(envoy).normalize_path && manager(envoy).merge_slashes);
  const skip = routes(envoy).at(-2);
  assert.deepEqual([skip.match.prefix, skip.match.headers[0].name, skip.route.cluster], ['/v1/', 'x-vsr-skip-processing', 'model/one']);
});

test('files are named by their whole path', () => {
  const tls = { cert_file: 'server.pem', key_file: '/etc/vsr/server.key', client_auth: 'require', client_ca_file: 'clients.pem' };
  const { envoy } = print(
    policy({
      listener: { port: 8899, tls },
      models: { one: { backend_refs: [{ endpoint: 'https://10.0.0.1:8000', tls: { ca_file: 'authority.pem' } }] } },
      default_model: 'one',
    }),
  );
  const names = [...JSON.stringify(envoy).matchAll(/"filename":"([^"]+)"/g)].map(([, name]) => name);
  assert.deepEqual(new Set(names.map((name) => path.basename(name))), new Set(['server.pem', 'server.key', 'clients.pem', 'authority.pem']));
  for (const name of names) assert.ok(path.isAbsolute(name), name);
  assert.ok(names.includes('/etc/vsr/server.key'));
});

test('what has to pass a proxy is not sent around it', () => {
  const dir = mkdtempSync(path.join(tmpdir(), 'vsr-envoy-'));
  const file = path.join(dir, 'policy.yaml');
  const proxied = (weight) => policy({
    listener: { port: 8899 },
    models: { one: { backend_refs: [
      { name: 'near', endpoint: '10.0.0.1:8000' },
      { name: 'beyond', endpoint: '10.0.0.2:8000', proxy: 'http://10.0.0.9:3128', weight },
    ] } },
    default_model: 'one',
  });
  const printed = (weight) => {
    writeFileSync(file, JSON.stringify(proxied(weight)));
    return spawnSync(program, ['config', 'envoy', file], { encoding: 'utf8' });
  };
  assert.equal(printed(0).status, 0);
  const refused = printed(1);
  rmSync(dir, { recursive: true, force: true });
  assert.equal(refused.status, 1);
  assert.equal(refused.stdout, '');
  assert.match(refused.stderr, /model "one", endpoint "beyond": Envoy would go around its proxy/);
});

test('an Envoy on the ports of its own vsr is warned of', () => {
  const document = policy({ listener: { port: 8899 }, models: { one: { backend_refs: [{ endpoint: '10.0.0.1:8000' }] } }, default_model: 'one' });
  const warned = (...args) => /so does `vsr serve` with this policy on this machine; --listen/.test(print(document, args).warnings);
  assert.equal(warned(), true);
  assert.equal(warned('--listen', '0.0.0.0:10000'), false);
  assert.equal(warned('--extproc', 'vsr:50051'), false);
});

test('endpoints of every kind', () => {
  const refs = (...backend_refs) => ({ backend_refs: backend_refs.map((ref) => ({ weight: 1, ...ref })) });
  const { envoy } = print(
    policy({
      listener: { port: 8899 },
      models: {
        local: refs({ endpoint: 'unix:/run/model.sock' }),
        address: refs({ base_url: 'https://10.0.0.5/v1' }),
        mixed: refs({ base_url: 'https://a.example.com/v1' }, { base_url: 'https://b.example.com/v1' }, { endpoint: '10.0.0.6:80' }),
        draws: refs({ endpoint: '10.0.0.7:80' }),
      },
      cards: { draws: { modality: 'diffusion' } },
      default_model: 'local',
    }),
  );
  const endpoints = (name) => cluster(envoy, name).load_assignment.endpoints[0].lb_endpoints;
  assert.deepEqual(endpoints('model/local')[0].endpoint.address, { pipe: { path: '/run/model.sock' } });
  assert.equal(cluster(envoy, 'model/local').type, 'STATIC');
  const tls = cluster(envoy, 'model/address').transport_socket.typed_config;
  assert.equal(tls.sni, undefined);
  assert.equal(tls.common_tls_context.validation_context.match_typed_subject_alt_names[0].san_type, 'IP_ADDRESS');
  const matches = cluster(envoy, 'model/mixed').transport_socket_matches;
  assert.deepEqual(
    matches.map((one) => [one.match.endpoint, one.transport_socket.typed_config.sni]),
    [
      ['1', 'a.example.com'],
      ['2', 'b.example.com'],
    ],
  );
  assert.deepEqual(
    endpoints('model/mixed').map((one) => one.metadata.filter_metadata['envoy.transport_socket_match'].endpoint),
    ['1', '2', '3'],
  );
  assert.equal(manager(envoy).http_filters[0].typed_config.message_timeout, '150s', 'pictures are made meanwhile');
});

test('addresses that are none', () => {
  for (const option of ['--extproc', '--listen', '--admin']) {
    const run = spawnSync(program, ['config', 'envoy', option, 'nowhere']);
    assert.equal(run.status, 2);
    assert.match(run.stderr.toString(), new RegExp(`${option}: expected`));
  }
});
