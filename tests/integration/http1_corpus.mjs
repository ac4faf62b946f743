// Raw HTTP/1.1 connections, good and evil, for any test that wants to see what a server makes of them.
//
//   name      unique
//   raw       the bytes, one per character (Latin-1)
//   status    the error vsr's parser reports, null when it accepts all of it
//   requests  complete requests before the error or the end
//   node      why Node's own HTTP server decides otherwise ("accepts: ..." or "rejects: ..."), absent when it agrees
//   cut       true when the bytes end within a message; then nobody can accept it and no status need be sent
//
// A case where vsr accepts what Node rejects must say why that is right; vsr may be stricter where it says why.

const HOST = 'Host: a\r\n';
const CHUNKED = `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n`;
const FOLLOW = `GET /next HTTP/1.1\r\n${HOST}\r\n`;

const get = (fields, target = '/') => `GET ${target} HTTP/1.1\r\n${HOST}${fields}\r\n`;
const post = (fields, body = '') => `POST / HTTP/1.1\r\n${HOST}${fields}\r\n${body}`;

const good = (name, raw, requests = 1, more = {}) => ({ name, raw, status: null, requests, ...more });
const evil = (name, raw, status = 400, more = {}) => ({ name, raw, status, requests: 0, ...more });
const cut = (name, raw, requests = 0) => ({ name, raw, status: 400, requests, cut: true });

const stricterTarget = { node: 'accepts: RFC 3986 does not allow the character, and readers differ on what it means' };
const firstHostCounts = { node: 'accepts: it keeps the first; RFC 9112 3.2 wants 400' };
const otherCoding = { node: 'accepts: it leaves other codings to the program; vsr knows none, RFC 9112 6.1 wants 501' };
const anyToken = { node: 'rejects: it knows a fixed list of methods; any token is a method, and the route decides' };

const requestLines = [
  good('GET', get('')),
  good('HTTP/1.0', 'GET / HTTP/1.0\r\n\r\n'),
  good('HTTP/1.0 with host', `GET / HTTP/1.0\r\n${HOST}\r\n`),
  good('HTTP/1.0 kept alive', 'GET /1 HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET /2 HTTP/1.0\r\n\r\n', 2),
  good('HTTP/1.2', `GET / HTTP/1.2\r\n${HOST}\r\n`, 1, {
    node: 'rejects: RFC 9110 2.5 wants a higher minor version read as the highest one known',
  }),
  evil('HTTP/0.9', 'GET /\r\n\r\n', 400, { node: 'accepts: it still serves 0.9, whose answers have no framing' }),
  evil('HTTP/0.9 by number', `GET / HTTP/0.9\r\n${HOST}\r\n`, 505, {
    node: 'accepts: it still serves 0.9, whose answers have no framing',
  }),
  evil('HTTP/2.0', `GET / HTTP/2.0\r\n${HOST}\r\n`, 505, {
    node: 'accepts: it reads a number that no HTTP/1 peer sends; RFC 9110 15.6.6 has 505',
  }),
  evil('HTTP/3.1', `GET / HTTP/3.1\r\n${HOST}\r\n`, 505),
  evil('HTTP/2 preface', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 505),
  evil('version with two minor digits', `GET / HTTP/1.10\r\n${HOST}\r\n`),
  evil('version with leading zero', `GET / HTTP/01.1\r\n${HOST}\r\n`),
  evil('version without minor', `GET / HTTP/1\r\n${HOST}\r\n`),
  evil('version in lower case', `GET / http/1.1\r\n${HOST}\r\n`),
  evil('version of another protocol', `GET / RTSP/1.1\r\n${HOST}\r\n`, 400, {
    node: 'accepts: its parser serves other protocols of that shape too',
  }),
  evil('version missing', `GET / \r\n${HOST}\r\n`),
  evil('two spaces before the target', `GET  / HTTP/1.1\r\n${HOST}\r\n`, 400, {
    node: 'accepts: it skips spaces; RFC 9112 3 has one',
  }),
  evil('two spaces before the version', `GET /  HTTP/1.1\r\n${HOST}\r\n`, 400, {
    node: 'accepts: it skips spaces; RFC 9112 3 has one',
  }),
  evil('space behind the version', `GET / HTTP/1.1 \r\n${HOST}\r\n`),
  evil('space at the start', ` GET / HTTP/1.1\r\n${HOST}\r\n`),
  evil('tab between the parts', `GET\t/\tHTTP/1.1\r\n${HOST}\r\n`),
  evil('vertical tab between the parts', `GET\x0b/ HTTP/1.1\r\n${HOST}\r\n`),
  evil('space in the target', `GET /a b HTTP/1.1\r\n${HOST}\r\n`),
  evil('no target', `GET HTTP/1.1\r\n${HOST}\r\n`),
  good('unknown method', `BREW / HTTP/1.1\r\n${HOST}\r\n`, 1, anyToken),
  good('method in lower case', `get / HTTP/1.1\r\n${HOST}\r\n`, 1, anyToken),
  good('method with every token character', `!#$%&'*+-.^_\`|~9aA / HTTP/1.1\r\n${HOST}\r\n`, 1, anyToken),
  good('DELETE', `DELETE /x HTTP/1.1\r\n${HOST}\r\n`),
  good('PUT without length', `PUT /x HTTP/1.1\r\n${HOST}\r\n`),
  evil('method that is no token', `GE(T / HTTP/1.1\r\n${HOST}\r\n`),
  evil('method with a colon', `GET: / HTTP/1.1\r\n${HOST}\r\n`),
  evil('method empty', `/ HTTP/1.1\r\n${HOST}\r\n`),
  evil('method too long', `${'M'.repeat(33)} / HTTP/1.1\r\n${HOST}\r\n`, 501),
  evil('method with NUL', `GE\0T / HTTP/1.1\r\n${HOST}\r\n`),
  evil('CONNECT', `CONNECT a:443 HTTP/1.1\r\n${HOST}\r\n`, 501, {
    node: 'accepts: it has no listener for it and closes without a word; vsr says that it is no tunnel',
  }),
  good('OPTIONS *', `OPTIONS * HTTP/1.1\r\n${HOST}\r\n`),
  evil('GET *', `GET * HTTP/1.1\r\n${HOST}\r\n`, 400, { node: 'accepts: RFC 9112 3.2.4 has * for OPTIONS only' }),
  good('one empty line in front', `\r\n${get('')}`),
  good('four empty lines in front', `\r\n\r\n\r\n\r\n${get('')}`),
  evil('five empty lines in front', `\r\n\r\n\r\n\r\n\r\n${get('')}`, 400, {
    node: 'accepts: it skips any number; four are plenty for a client that adds one behind a body',
  }),
  good('empty line between requests', `${get('', '/1')}\r\n${get('', '/2')}`, 2),
  good('empty lines alone', '\r\n\r\n', 0),
  good('nothing', '', 0),
  evil('bare LF in front', `\n${get('')}`, 400, { node: 'accepts: it skips any CR and LF; a bare LF is no line end' }),
  evil('bare CR in front', `\r${get('')}`, 400, { node: 'accepts: it skips any CR and LF; a bare CR is no line end' }),
  evil('not HTTP at all', 'hello world\r\n\r\n'),
  evil('TLS client hello', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'),
  evil('SSH banner', 'SSH-2.0-OpenSSH_9.2\r\n'),
  evil('response instead of a request', 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'),
];

const targets = [
  good('query', get('', '/a?b=c&d=%20')),
  good('target with characters that browsers leave', get('', "/a[]|{}^`'*;@:?x=[y]|{z}")),
  good('target of 8192 bytes', get('', `/${'a'.repeat(8191)}`)),
  evil('target of 8193 bytes', get('', `/${'a'.repeat(8192)}`), 414, {
    node: 'accepts: its limit is the 16 KiB of the whole head',
  }),
  evil('target of 30000 bytes', get('', `/${'a'.repeat(29999)}`), 414),
  evil('fragment', get('', '/a#b'), 400, stricterTarget),
  evil('backslash', get('', '/a\\b'), 400, stricterTarget),
  evil('quote', get('', '/a"b'), 400, stricterTarget),
  evil('angle brackets', get('', '/<b>'), 400, stricterTarget),
  evil('target past ASCII', get('', '/\xe9')),
  evil('target with DEL', get('', '/\x7f')),
  evil('target with NUL', get('', '/\0')),
  evil('target with a control character', get('', '/\x01')),
  evil('target without slash', get('', 'a')),
  evil('target with another scheme', get('', 'ftp://a/'), 400, { node: 'accepts: it takes any scheme' }),
  good('absolute form', get('', 'http://a/x?y')),
  good('absolute form with case', 'GET HTTPS://EXAMPLE.com:8443 HTTP/1.1\r\nHost: example.COM:8443\r\n\r\n'),
  good('absolute form, IPv6', 'GET http://[::1]:80/ HTTP/1.1\r\nHost: [::1]:80\r\n\r\n'),
  good('absolute form in 1.0', 'GET http://a/ HTTP/1.0\r\n\r\n'),
  evil('absolute form, other host', get('', 'http://b/'), 400, {
    node: 'accepts: it leaves the conflict to the program; whoever reads the other name routes elsewhere',
  }),
  evil('absolute form without host name', get('', 'http:///x'), 400, {
    node: 'accepts: it does not take the URL apart',
  }),
  evil('absolute form with user', 'GET http://u@a/ HTTP/1.1\r\nHost: u@a\r\n\r\n', 400, {
    node: 'accepts: RFC 9110 4.2.4 has a server treat userinfo as an error',
  }),
  evil('authority form', get('', 'a:80')),
];

const hosts = [
  evil('no host', 'GET / HTTP/1.1\r\n\r\n'),
  evil('no host but others', 'GET / HTTP/1.1\r\nX-Host: a\r\n\r\n'),
  good('host empty', 'GET / HTTP/1.1\r\nHost:\r\n\r\n'),
  good('host with port', 'GET / HTTP/1.1\r\nHost: a.example:8080\r\n\r\n'),
  evil('two hosts', get('Host: b\r\n'), 400, firstHostCounts),
  evil('two equal hosts', get(HOST), 400, firstHostCounts),
  evil('two hosts, other case', get('hOST: b\r\n'), 400, firstHostCounts),
  ...['a/b', 'a b', 'a@b', 'a?b', 'a#b', 'a,b:80x', '[::1', 'http://a'].map((host) =>
    evil(`host ${host}`, `GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`, 400, {
      node: 'accepts: it does not look at the value; RFC 9112 3.2 wants 400',
    })),
];

const fields = [
  good('value with spaces around', get('a: \t b c \t\r\n')),
  good('value empty', get('a:\r\n')),
  good('value past ASCII', get('a: \xe9\xff\x80\r\n')),
  good('value with a tab inside', get('a: b\tc\r\n')),
  good('value with colons', get('a: b:c::d\r\n')),
  good('name with every token character', get("!#$%&'*+-.^_`|~9aA: b\r\n")),
  good('same field twice', get('a: 1\r\nb: 2\r\nA: 3\r\n')),
  evil('space before the colon', get('a : b\r\n')),
  evil('tab before the colon', get('a\t: b\r\n')),
  evil('space before the colon of a framing field', post('Content-Length : 5\r\n', 'hello')),
  evil('space before the colon of transfer-encoding', post('Transfer-Encoding : chunked\r\n', '0\r\n\r\n')),
  evil('folded field', get('a: b\r\n c\r\n')),
  evil('folded field, tab', get('a: b\r\n\tc\r\n')),
  evil('folded framing field', post('Transfer-Encoding:\r\n chunked\r\n', '0\r\n\r\n')),
  evil('line of spaces', get('a: b\r\n \r\n')),
  evil('first field folded', `GET / HTTP/1.1\r\n ${HOST}\r\n`),
  evil('no colon', get('abc\r\n')),
  evil('no name', get(': b\r\n')),
  evil('name with a space', get('a b: c\r\n')),
  evil('name with a slash', get('a/b: c\r\n')),
  evil('name with brackets', get('a[b]: c\r\n')),
  evil('name past ASCII', get('\xe9: c\r\n')),
  evil('name with NUL', get('a\0b: c\r\n')),
  evil('name with a control character', get('a\x08b: c\r\n')),
  evil('value with NUL', get('a: b\0c\r\n')),
  evil('value with a control character', get('a: b\x01c\r\n')),
  evil('value with DEL', get('a: b\x7fc\r\n')),
  evil('value with vertical tab', post('Transfer-Encoding: \x0bchunked\r\n', '0\r\n\r\n')),
  evil('value with form feed', get('a: b\x0cc\r\n')),
  evil('bare LF behind the request line', `GET / HTTP/1.1\n${HOST}\r\n`),
  evil('bare LF behind a field', get('a: b\nc: d\r\n')),
  evil('bare LF ends the head', `GET / HTTP/1.1\r\n${HOST}\n`),
  evil('bare LF everywhere', 'GET / HTTP/1.1\nHost: a\n\n'),
  evil('bare LF hides a field', get('a: b\nContent-Length: 5\r\n')),
  evil('bare CR in a value', get('a: b\rc\r\n')),
  evil('bare CR hides a field', get('a: b\rContent-Length: 5\r\n')),
  evil('CR CR LF', get('a: b\r\r\n')),
  evil('bare CR ends the head', `GET / HTTP/1.1\r\n${HOST}\rX`),
  evil('LF CR', `GET / HTTP/1.1\n\r${HOST}\r\n`),
  good('128 fields', `GET / HTTP/1.1\r\n${HOST}${'a: b\r\n'.repeat(127)}\r\n`),
  evil('129 fields', `GET / HTTP/1.1\r\n${HOST}${'a: b\r\n'.repeat(128)}\r\n`, 431, {
    node: 'accepts: its limit is 2000, and beyond it fields vanish silently',
  }),
  good('head of 14 KiB', get(`a: ${'b'.repeat(14000)}\r\n`)),
  evil('head past 64 KiB', get(`a: ${'b'.repeat(66000)}\r\n`), 431),
];

const lengths = [
  good('length', post('Content-Length: 5\r\n', 'hello')),
  good('length 0', post('Content-Length: 0\r\n')),
  good('length with zeros in front', post('Content-Length: 0005\r\n', 'hello')),
  good('length with spaces around', post('Content-Length:  5 \r\n', 'hello')),
  ...['\t5', '5\t'].map((value, i) =>
    evil(`length with a tab ${i ? 'behind' : 'in front'}`, post(`Content-Length:${value}\r\n`, 'hello'), 400, {
      node: 'accepts: some versions trim tabs; whoever does not ends the message elsewhere',
    })),
  good('length on GET', get('Content-Length: 5\r\n') + 'hello'),
  good('length, then another request', post('Content-Length: 5\r\n', `hello${FOLLOW}`), 2),
  good('body that looks like a request', post(`Content-Length: ${FOLLOW.length}\r\n`, FOLLOW)),
  evil('two lengths', post('Content-Length: 5\r\nContent-Length: 6\r\n', 'hello!')),
  evil('two equal lengths', post('Content-Length: 5\r\nContent-Length: 5\r\n', 'hello')),
  evil('two lengths, other case', post('Content-Length: 0\r\ncontent-length: 5\r\n', 'hello')),
  ...['5, 5', '5,6', '+5', '-5', '5 5', '0x5', '5a', 'a5', '5.0', '5;', '"5"', '\xb5', '1e1'].map((value) =>
    evil(`length ${value}`, post(`Content-Length: ${value}\r\n`, 'hello'))),
  evil('length empty', post('Content-Length:\r\n', 'hello')),
  evil('length past 2^64', post('Content-Length: 18446744073709551621\r\n', 'hello')),
  evil('length past 2^64, many digits', post(`Content-Length: 1${'0'.repeat(60)}5\r\n`, 'hello')),
  evil('length 2^63', post('Content-Length: 9223372036854775808\r\n', 'hello'), 400),
];

const codings = [
  good('chunked', CHUNKED + '5\r\nhello\r\n0\r\n\r\n'),
  good('chunked, nothing', CHUNKED + '0\r\n\r\n'),
  good('chunked, then another request', `${CHUNKED}5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n${FOLLOW}`, 2),
  good('chunked without case', post('transfer-ENCODING: CHUNKED\r\n', '1\r\nx\r\n0\r\n\r\n')),
  good('chunked with spaces around', post('Transfer-Encoding:   chunked  \r\n', '1\r\nx\r\n0\r\n\r\n')),
  evil('chunked with a tab behind', post('Transfer-Encoding: chunked\t\r\n', '1\r\nx\r\n0\r\n\r\n')),
  evil('chunked with a tab in front', post('Transfer-Encoding:\tchunked\r\n', '1\r\nx\r\n0\r\n\r\n'), 400, {
    node: 'accepts: it minds only tabs behind; whoever does not trim them ends the message elsewhere',
  }),
  evil('length and chunked', post('Content-Length: 4\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\n')),
  evil('chunked and length', post('Transfer-Encoding: chunked\r\nContent-Length: 4\r\n', '0\r\n\r\n')),
  evil('chunked and length 0', post('Transfer-Encoding: chunked\r\nContent-Length: 0\r\n', '0\r\n\r\n')),
  evil('length and unknown coding', post('Content-Length: 5\r\nTransfer-Encoding: x\r\n', 'hello'), 501),
  evil('chunked twice', post('Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\n')),
  evil('chunked, chunked', post('Transfer-Encoding: chunked, chunked\r\n', '0\r\n\r\n'), 501),
  evil('gzip, chunked', post('Transfer-Encoding: gzip, chunked\r\n', '0\r\n\r\n'), 501, otherCoding),
  evil('identity, chunked', post('Transfer-Encoding: identity, chunked\r\n', '0\r\n\r\n'), 501, otherCoding),
  evil('identity, then chunked',
    post('Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\n'), 501, otherCoding),
  evil('chunked, identity', post('Transfer-Encoding: chunked, identity\r\n', '0\r\n\r\n'), 501),
  evil('chunked, then identity', post('Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n', '0\r\n\r\n')),
  ...['identity', 'gzip', 'xchunked', 'chunkedx', 'chunked;a=b', '"chunked"', 'chun ked', 'chunked,', '\xe9'].map(
    (value) => evil(`coding ${value}`, post(`Transfer-Encoding: ${value}\r\n`, '0\r\n\r\n'), 501)),
  evil('coding ,chunked', post('Transfer-Encoding: ,chunked\r\n', '0\r\n\r\n'), 501, {
    node: 'accepts: the list ends in chunked; an empty member is not to be sent',
  }),
  evil('coding empty', post('Transfer-Encoding:\r\n', '0\r\n\r\n')),
  evil('chunked in 1.0', 'POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n', 400, {
    node: 'accepts: RFC 9112 6.1 has it as faulty framing',
  }),
];

const chunks = [
  good('size in either case', CHUNKED + 'a\r\n0123456789\r\nA\r\nabcdefghij\r\n0\r\n\r\n'),
  good('size with zeros in front', CHUNKED + '0005\r\nhello\r\n000\r\n\r\n'),
  good('extension', CHUNKED + '5;a\r\nhello\r\n0;b=c\r\n\r\n'),
  good('extension quoted', CHUNKED + '5;a="b c;d"\r\nhello\r\n0\r\n\r\n'),
  good('extensions', CHUNKED + '5;a=b;c;d="e\\"f"\r\nhello\r\n0\r\n\r\n'),
  good('trailer', `${CHUNKED}5\r\nhello\r\n0\r\nA: b\r\nC:\r\n\r\n${FOLLOW}`, 2),
  evil('size empty', CHUNKED + '\r\nhello\r\n0\r\n\r\n'),
  evil('size with plus', CHUNKED + '+5\r\nhello\r\n0\r\n\r\n'),
  evil('size with minus', CHUNKED + '-5\r\nhello\r\n0\r\n\r\n'),
  evil('size with prefix', CHUNKED + '0x5\r\nhello\r\n0\r\n\r\n'),
  evil('size with underscore', CHUNKED + '1_0\r\n0123456789abcdef\r\n0\r\n\r\n'),
  evil('size with a letter', CHUNKED + '5g\r\nhello\r\n0\r\n\r\n'),
  evil('size with space in front', CHUNKED + ' 5\r\nhello\r\n0\r\n\r\n'),
  evil('size with space behind', CHUNKED + '5 \r\nhello\r\n0\r\n\r\n'),
  evil('size with tab behind', CHUNKED + '5\t\r\nhello\r\n0\r\n\r\n'),
  evil('last size with space behind', CHUNKED + '5\r\nhello\r\n0 \r\n\r\n'),
  evil('size of 2^64', CHUNKED + '10000000000000005\r\nhello\r\n0\r\n\r\n'),
  evil('size of 2^63', CHUNKED + '8000000000000000\r\nhello\r\n0\r\n\r\n'),
  evil('size past 2^64, many digits', CHUNKED + `${'f'.repeat(40)}5\r\nhello\r\n0\r\n\r\n`),
  evil('bare LF behind the size', CHUNKED + '5\nhello\r\n0\r\n\r\n'),
  evil('bare LF behind the last size', `${CHUNKED}0\n\r\n`),
  evil('bare CR behind the size', CHUNKED + '5\rXhello\r\n0\r\n\r\n'),
  evil('bare CR for a line end', CHUNKED + '5\rhello\r0\r\r'),
  evil('chunk longer than its size', CHUNKED + '5\r\nhello!\r\n0\r\n\r\n'),
  evil('chunk shorter than its size', CHUNKED + '6\r\nhello\r\n0\r\n\r\n'),
  evil('chunk with bare LF behind', CHUNKED + '5\r\nhello\n0\r\n\r\n'),
  evil('chunk with nothing behind', CHUNKED + '5\r\nhello0\r\n\r\n'),
  evil('chunk with two other bytes behind', CHUNKED + '5\r\nhelloXX0\r\n\r\n'),
  evil('bare LF ends the body', `${CHUNKED}0\r\n\n`),
  evil('bare CR ends the body', `${CHUNKED}0\r\n\rX`),
  evil('extension with bare LF', CHUNKED + '5;a\nhello\r\n0\r\n\r\n'),
  evil('extension with bare CR', CHUNKED + '5;a\rXhello\r\n0\r\n\r\n'),
  evil('extension with a control character', CHUNKED + '5;a\x01\r\nhello\r\n0\r\n\r\n'),
  evil('extension with NUL', CHUNKED + '5;a=\0\r\nhello\r\n0\r\n\r\n'),
  evil('extension quoted with CR LF', CHUNKED + '5;a="\r\n"\r\nhello\r\n0\r\n\r\n'),
  evil('extension without name', CHUNKED + '5;\r\nhello\r\n0\r\n\r\n'),
  evil('extension with space', CHUNKED + '5; a=b\r\nhello\r\n0\r\n\r\n'),
  evil('extension behind a space', CHUNKED + '5 ;a=b\r\nhello\r\n0\r\n\r\n'),
  evil('extension without value', CHUNKED + '5;a=\r\nhello\r\n0\r\n\r\n', 400, {
    node: 'accepts: RFC 9112 7.1.1 has a token or a quoted string behind the =',
  }),
  evil('extension of 2 KiB', CHUNKED + `5;${'a'.repeat(2048)}\r\nhello\r\n0\r\n\r\n`, 400, {
    node: 'accepts: its limit is 16 KiB for all; nobody sends them, and one line needs no more than 1 KiB',
  }),
  evil('extensions of 20 KiB in all', CHUNKED + `1;${'a'.repeat(1000)}\r\nx\r\n`.repeat(20) + '0\r\n\r\n', 400, {
    node: 'accepts: its limit is 16 KiB for each chunk',
  }),
  evil('trailer without colon', CHUNKED + '0\r\nabc\r\n\r\n'),
  evil('trailer folded', CHUNKED + '0\r\na: b\r\n c\r\n\r\n'),
  evil('trailer with space before the colon', CHUNKED + '0\r\na : b\r\n\r\n'),
  evil('trailer with bare LF', CHUNKED + '0\r\na: b\n\r\n'),
  evil('trailer with a control character', CHUNKED + '0\r\na: \x01\r\n\r\n'),
  evil('trailer past 8 KiB', CHUNKED + `0\r\na: ${'b'.repeat(9000)}\r\n\r\n`, 431, {
    node: 'accepts: its limit is that of a head; trailers are dropped, so they are only a cost',
  }),
];

const connections = [
  good('pipelined', get('', '/1') + get('', '/2') + post('Content-Length: 2\r\n', 'ab') + get('', '/4'), 4),
  good('twenty pipelined', Array.from({ length: 20 }, (_, i) => get('', `/${i}`)).join(''), 20),
  good('close', get('Connection: close\r\n')),
  good('close in a list', get('Connection: x, Close\r\n')),
  good('close, then bytes', get('Connection: close\r\n') + get('', '/2'), 1, {
    node: 'rejects: it reports bytes behind the last request as an error; RFC 9112 9.6 has them ignored, as vsr does',
  }),
  good('close, then a body', post('Connection: close\r\nContent-Length: 5\r\n', 'hello')),
  good('1.0, then bytes', 'GET /1 HTTP/1.0\r\n\r\nGET /2 HTTP/1.0\r\n\r\n', 1, {
    node: 'rejects: it reports bytes behind the last request as an error; RFC 9112 9.6 has them ignored, as vsr does',
  }),
  { ...evil('garbage behind a request', get('') + 'garbage\r\n\r\n'), requests: 1 },
  { ...evil('evil behind a request', get('') + get('a : b\r\n')), requests: 1 },
  good('upgrade that is not taken', get('Connection: Upgrade\r\nUpgrade: websocket\r\n')),
  good('h2c upgrade that is not taken',
    get('Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n')),
  good('expect', post('Content-Length: 5\r\nExpect: 100-continue\r\n', 'hello')),
  good('expect without case', post('Content-Length: 5\r\nExpect: 100-CONTINUE\r\n', 'hello')),
  good('expect without a body', get('Expect: 100-continue\r\n')),
  evil('expect something else', post('Content-Length: 5\r\nExpect: 200-ok\r\n', 'hello'), 417),
  cut('cut in the request line', 'GET / HT'),
  cut('cut in a field', `GET / HTTP/1.1\r\nHost: `),
  cut('cut before the last LF', `GET / HTTP/1.1\r\n${HOST}\r`),
  cut('cut in a body', post('Content-Length: 6\r\n', 'hello')),
  cut('cut before the last chunk', CHUNKED + '5\r\nhello\r\n'),
  cut('cut in the trailer', CHUNKED + '0\r\n'),
  cut('cut in a second request', get('') + 'GET /', 1),
];

export const corpus = [
  ...requestLines, ...targets, ...hosts, ...fields, ...lengths, ...codings, ...chunks, ...connections,
];
