// An HTTP proxy: passes on requests in absolute form, and opens the way for CONNECT. Counts both.

import http from 'node:http';
import net from 'node:net';

/**
 * Starts one; `password` (as `user:password`) is asked for when given. `refuse` is a status that CONNECT is answered
 * with instead.
 */
export async function startProxy(t, { password, refuse } = {}) {
  const seen = { passed: [], connects: [], unknown: 0 };
  const welcome = (request) =>
    password === undefined ||
    request.headers['proxy-authorization'] === `Basic ${Buffer.from(password).toString('base64')}`;
  const sockets = new Set();
  const server = http.createServer((request, response) => {
    if (!welcome(request)) {
      seen.unknown += 1;
      response.writeHead(407, { 'Proxy-Authenticate': 'Basic' }).end('who are you?');
      return;
    }
    const url = new URL(request.url); // throws for a path: only absolute forms come to a proxy
    seen.passed.push(request.url);
    const headers = { ...request.headers };
    delete headers['proxy-authorization'];
    const onward = http.request({ host: url.hostname, port: url.port, path: url.pathname + url.search, method: request.method, headers }, (answer) => {
      response.writeHead(answer.statusCode, answer.headers);
      answer.pipe(response);
    });
    onward.once('error', () => response.writeHead(502).end());
    request.pipe(onward);
  });
  server.on('connect', (request, socket) => {
    socket.on('error', () => socket.destroy());
    if (!welcome(request) || refuse) {
      seen.unknown += 1;
      socket.end(`HTTP/1.1 ${refuse ?? 407} No\r\nContent-Length: 0\r\n\r\n`);
      return;
    }
    seen.connects.push(request.url);
    const [host, port] = request.url.split(':');
    const onward = net.connect(Number(port), host, () => {
      socket.write('HTTP/1.1 200 Connection established\r\nProxy-Agent: test\r\n\r\n');
      socket.pipe(onward).pipe(socket);
    });
    onward.on('error', () => socket.destroy());
    socket.once('close', () => onward.destroy());
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const stop = () => {
    for (const socket of sockets) socket.destroy();
    return new Promise((resolve) => server.close(resolve));
  };
  t.after(stop);
  return { ...seen, seen, port: server.address().port, address: `127.0.0.1:${server.address().port}`, stop };
}
