#include "net/http1.h"

#include "http1_trace.h"
#include "net/http1_chars.h"
#include "test.h"

enum { TRACE_LEN_MAX = 1 << 20 };

struct parse_case {
    const char *name, *input, *want; /* `want`: the trace, or a part of it where the table says so */
};

#define HOST "Host: a\r\n"

static const struct parse_case good_requests[] = {
    { "nothing", "", "eof more\n" },
    { "least 1.1", "GET / HTTP/1.1\r\n" HOST "\r\n", "GET / 1.1 keep [Host=a] {}\neof more\n" },
    { "least 1.0", "GET / HTTP/1.0\r\n\r\n", "GET / 1.0 close [] {}\n" },
    { "1.0 kept", "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n",
      "GET / 1.0 keep [Connection=Keep-Alive] {}\neof more\n" },
    { "1.0 with host", "GET / HTTP/1.0\r\n" HOST "\r\n", "GET / 1.0 close [Host=a] {}\n" },
    { "1.2 is read as 1.1", "GET / HTTP/1.2\r\n" HOST "\r\n", "GET / 1.1 keep [Host=a] {}\neof more\n" },
    { "closed", "GET / HTTP/1.1\r\n" HOST "Connection: x, CLOSE ,y\r\n\r\n",
      "GET / 1.1 close [Host=a|Connection=x, CLOSE ,y] {}\n" },
    { "close beats keep-alive", "GET / HTTP/1.0\r\nConnection: keep-alive\r\nConnection: close\r\n\r\n",
      "GET / 1.0 close [Connection=keep-alive|Connection=close] {}\n" },
    { "length", "POST /x HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nhello",
      "POST /x 1.1 keep [Host=a|Content-Length=5] length=5 {hello}\neof more\n" },
    { "length 0", "POST /x HTTP/1.1\r\n" HOST "content-length: 0\r\n\r\n",
      "POST /x 1.1 keep [Host=a|content-length=0] length=0 {}\neof more\n" },
    { "length with zeros in front", "POST /x HTTP/1.1\r\n" HOST "CONTENT-LENGTH: 0002\r\n\r\nab",
      "POST /x 1.1 keep [Host=a|CONTENT-LENGTH=0002] length=2 {ab}\neof more\n" },
    { "GET with a body", "GET / HTTP/1.1\r\n" HOST "Content-Length: 1\r\n\r\nz",
      "GET / 1.1 keep [Host=a|Content-Length=1] length=1 {z}\neof more\n" },
    { "pipelined",
      "GET /1 HTTP/1.1\r\n" HOST "\r\nPOST /2 HTTP/1.1\r\n" HOST
      "Content-Length: 2\r\n\r\nabGET /3 HTTP/1.0\r\n\r\nGET",
      "GET /1 1.1 keep [Host=a] {}\nPOST /2 1.1 keep [Host=a|Content-Length=2] length=2 {ab}\nGET /3 1.0 close [] "
      "{}\n" },
    { "chunked", "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n",
      "POST / 1.1 keep [Host=a|Transfer-Encoding=chunked] chunked {hello!}\neof more\n" },
    { "chunked without case", "POST / HTTP/1.1\r\n" HOST "tRANSFER-eNCODING:  ChunKed \r\n\r\n0\r\n\r\n",
      "POST / 1.1 keep [Host=a|tRANSFER-eNCODING=ChunKed] chunked {}\neof more\n" },
    { "chunk size in either case, zeros in front",
      "POST / HTTP/1.1\r\n" HOST
      "Transfer-Encoding: chunked\r\n\r\n0a\r\n0123456789\r\n000A\r\nabcdefghij\r\n000\r\n\r\n",
      "POST / 1.1 keep [Host=a|Transfer-Encoding=chunked] chunked {0123456789abcdefghij}\neof more\n" },
    { "chunk extensions",
      "POST / HTTP/1.1\r\n" HOST
      "Transfer-Encoding: chunked\r\n\r\n1;a\r\nx\r\n1;a=b;c=\"d e\\\"\\\\;\xff\";f\r\ny\r\n0;g=\"\"\r\n\r\n",
      "POST / 1.1 keep [Host=a|Transfer-Encoding=chunked] chunked {xy}\neof more\n" },
    { "trailer is dropped",
      "POST / HTTP/1.1\r\n" HOST
      "Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nA: b\r\nContent-Length:7\r\nC:\r\n\r\nGET / HTTP/1.0\r\n\r\n",
      "POST / 1.1 keep [Host=a|Transfer-Encoding=chunked] chunked {x}\nGET / 1.0 close [] {}\n" },
    { "body that looks like a request", "POST / HTTP/1.1\r\n" HOST "Content-Length: 18\r\n\r\nGET / HTTP/1.1\r\n\r\n",
      "POST / 1.1 keep [Host=a|Content-Length=18] length=18 {GET / HTTP/1.1\r\n\r\n}\neof more\n" },
    { "empty lines in front", "\r\n\r\n\r\n\r\nGET / HTTP/1.0\r\n\r\n", "GET / 1.0 close [] {}\n" },
    { "empty lines alone", "\r\n\r\n", "eof more\n" },
    { "empty line between", "GET /1 HTTP/1.1\r\n" HOST "\r\n\r\nGET /2 HTTP/1.1\r\n" HOST "\r\n",
      "GET /1 1.1 keep [Host=a] {}\nGET /2 1.1 keep [Host=a] {}\neof more\n" },
    { "values are trimmed, not their inside", "GET / HTTP/1.0\r\na: \t b \tc\t \r\nd:\r\ne: \r\nf:g\r\n\r\n",
      "GET / 1.0 close [a=b \tc|d=|e=|f=g] {}\n" },
    { "bytes past ASCII in a value", "GET / HTTP/1.0\r\na: \x80\xff\xc3\xa9\r\n\r\n",
      "GET / 1.0 close [a=\x80\xff\xc3\xa9] {}\n" },
    { "every token character", "!#$%&'*+-.^_`|~09azAZ / HTTP/1.0\r\n!#$%&'*+-.^_`|~09azAZ: x\r\n\r\n",
      "!#$%&'*+-.^_`|~09azAZ / 1.0 close [!#$%&'*+-.^_`|~09azAZ=x] {}\n" },
    { "odd characters in a target", "GET /%20?a[]=b|c&{d}=^e`'*;@: HTTP/1.0\r\n\r\n",
      "GET /%20?a[]=b|c&{d}=^e`'*;@: 1.0 close [] {}\n" },
    { "absolute form", "GET http://a:80/x?y HTTP/1.1\r\nHost: A:80\r\n\r\n",
      "GET http://a:80/x?y 1.1 keep [Host=A:80] {}\neof more\n" },
    { "absolute form without path", "GET HTTPS://[::1] HTTP/1.1\r\nHost: [::1]\r\n\r\n",
      "GET HTTPS://[::1] 1.1 keep [Host=[::1]] {}\neof more\n" },
    { "absolute form with query alone", "GET http://a?b HTTP/1.1\r\n" HOST "\r\n",
      "GET http://a?b 1.1 keep [Host=a] {}\neof more\n" },
    { "absolute form in 1.0", "GET http://a/ HTTP/1.0\r\n\r\n", "GET http://a/ 1.0 close [] {}\n" },
    { "asterisk", "OPTIONS * HTTP/1.1\r\n" HOST "\r\n", "OPTIONS * 1.1 keep [Host=a] {}\neof more\n" },
    { "empty host", "GET / HTTP/1.1\r\nHost:\r\n\r\n", "GET / 1.1 keep [Host=] {}\neof more\n" },
    { "expect with a length", "POST / HTTP/1.1\r\n" HOST "Content-Length: 1\r\nExpect: 100-Continue\r\n\r\nx",
      "POST / 1.1 keep [Host=a|Content-Length=1|Expect=100-Continue] length=1 expect {x}\neof more\n" },
    { "expect with chunks",
      "POST / HTTP/1.1\r\n" HOST "Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      "POST / 1.1 keep [Host=a|Expect=100-continue|Transfer-Encoding=chunked] chunked expect {}\neof more\n" },
    { "expect without a body", "GET / HTTP/1.1\r\n" HOST "Expect: 100-continue\r\n\r\n",
      "GET / 1.1 keep [Host=a|Expect=100-continue] {}\neof more\n" },
    { "expect in 1.0", "POST / HTTP/1.0\r\nContent-Length: 1\r\nExpect: 100-continue\r\n\r\nx",
      "POST / 1.0 close [Content-Length=1|Expect=100-continue] length=1 {x}\n" },
    { "upgrade is ignored", "GET / HTTP/1.1\r\n" HOST "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n\r\n",
      "GET / 1.1 keep [Host=a|Connection=Upgrade, HTTP2-Settings|Upgrade=h2c] {}\neof more\n" },
    { "cut in the request line", "GET / HT", "eof error 400\n" },
    { "cut before the last LF", "GET / HTTP/1.0\r\n\r", "eof error 400\n" },
    { "cut in an empty line", "\r", "eof error 400\n" },
    { "cut in the body", "POST / HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nab",
      "POST / 1.1 keep [Host=a|Content-Length=3] length=3 {ab...}\neof error 400\n" },
    { "cut before the last chunk", "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n",
      "POST / 1.1 keep [Host=a|Transfer-Encoding=chunked] chunked {x...}\neof error 400\n" },
    { "cut in the trailer", "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n0\r\n",
      "POST / 1.1 keep [Host=a|Transfer-Encoding=chunked] chunked {...}\neof error 400\n" },
};

#define CHUNKS "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"

/* `want` is the end of the trace. */
static const struct parse_case bad_requests[] = {
    { "no target", "GET HTTP/1.1\r\n\r\n", "error 400: the request line has no version\n" },
    { "no version", "GET /\r\n\r\n", "error 400: the request line has no version\n" },
    { "method alone", "GET\r\n\r\n", "error 400: the method is not a token followed by a space\n" },
    { "two spaces", "GET  / HTTP/1.1\r\n",
      "error 400: the target is empty or holds a character that must be escaped\n" },
    { "space at the start", " GET / HTTP/1.1\r\n", "error 400: the method is not a token followed by a space\n" },
    { "space in the target", "GET /a b HTTP/1.1\r\n", "error 400: the version is not HTTP/ digit . digit\n" },
    { "space behind the version", "GET / HTTP/1.1 \r\n", "error 400: the version is not HTTP/ digit . digit\n" },
    { "tab for a space", "GET\t/ HTTP/1.1\r\n", "error 400: the method is not a token followed by a space\n" },
    { "lower case version", "GET / http/1.1\r\n", "error 400: the version is not HTTP/ digit . digit\n" },
    { "version 1", "GET / HTTP/1\r\n", "error 400: the version is not HTTP/ digit . digit\n" },
    { "version 1.10", "GET / HTTP/1.10\r\n", "error 400: the version is not HTTP/ digit . digit\n" },
    { "version 0.9", "GET / HTTP/0.9\r\n", "error 505: the version is not HTTP/1.x\n" },
    { "HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "error 505: the version is not HTTP/1.x\n" },
    { "version 2", "GET / HTTP/2.0\r\n", "error 505: the version is not HTTP/1.x\n" },
    { "method is no token", "GE(T / HTTP/1.1\r\n", "error 400: the method is not a token followed by a space\n" },
    { "CONNECT", "CONNECT a:443 HTTP/1.1\r\n",
      "error 501: CONNECT is not supported: this is a gateway, not a tunnel\n" },
    { "target # ", "GET /# HTTP/1.1\r\n",
      "error 400: the target is empty or holds a character that must be escaped\n" },
    { "target backslash", "GET /\\ HTTP/1.1\r\n",
      "error 400: the target is empty or holds a character that must be escaped\n" },
    { "target 0x80", "GET /\x80 HTTP/1.1\r\n",
      "error 400: the target is empty or holds a character that must be escaped\n" },
    { "target without slash", "GET a HTTP/1.1\r\n",
      "error 400: the target is neither a path nor an http or https URL\n" },
    { "target of another scheme", "GET ftp://a/ HTTP/1.1\r\n",
      "error 400: the target is neither a path nor an http or https URL\n" },
    { "target with empty authority", "GET http:///x HTTP/1.1\r\n", "error 400: the target's host is malformed\n" },
    { "target with user", "GET http://u@a/ HTTP/1.1\r\n", "error 400: the target's host is malformed\n" },
    { "target is not the host", "GET http://b/ HTTP/1.1\r\n" HOST "\r\n",
      "error 400: the host is not that of the target\n" },
    { "asterisk for GET", "GET * HTTP/1.1\r\n", "error 400: the target * is for OPTIONS only\n" },
    { "too many empty lines", "\r\n\r\n\r\n\r\n\r\nGET / HTTP/1.0\r\n\r\n",
      "error 400: too many empty lines before the request\n" },
    { "no host", "GET / HTTP/1.1\r\n\r\n", "error 400: no host field\n" },
    { "two hosts", "GET / HTTP/1.1\r\n" HOST HOST "\r\n", "error 400: a second host\n" },
    { "two hosts in 1.0", "GET / HTTP/1.0\r\n" HOST HOST "\r\n", "error 400: a second host\n" },
    { "bad host", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", "error 400: the host is malformed\n" },
    { "bare LF ends the request line", "GET / HTTP/1.1\nHost: a\r\n\r\n", "error 400: a LF without CR\n" },
    { "bare LF ends a field", "GET / HTTP/1.1\r\nHost: a\nx: y\r\n\r\n", "error 400: a LF without CR\n" },
    { "bare LF ends the head", "GET / HTTP/1.1\r\n" HOST "\n", "error 400: a LF without CR\n" },
    { "bare LF in front", "\nGET / HTTP/1.1\r\n" HOST "\r\n", "error 400: a LF without CR\n" },
    { "bare CR in a value", "GET / HTTP/1.1\r\nHost: a\rb\r\n\r\n", "error 400: a CR without LF\n" },
    { "CR CR LF", "GET / HTTP/1.1\r\nHost: a\r\r\n\r\n", "error 400: a CR without LF\n" },
    { "bare CR in the request line", "GET /\r HTTP/1.1\r\n", "error 400: a CR without LF\n" },
    { "folded field", "GET / HTTP/1.1\r\n" HOST " b\r\n\r\n", "error 400: a folded field line\n" },
    { "folded with a tab", "GET / HTTP/1.1\r\n" HOST "\tb\r\n\r\n", "error 400: a folded field line\n" },
    { "folded first field", "GET / HTTP/1.1\r\n Host: a\r\n\r\n", "error 400: a folded field line\n" },
    { "folded with spaces alone", "GET / HTTP/1.1\r\n" HOST " \r\n\r\n", "error 400: a folded field line\n" },
    { "space before the colon", "GET / HTTP/1.1\r\nHost : a\r\n\r\n",
      "error 400: white space before a field's colon\n" },
    { "tab before the colon", "GET / HTTP/1.1\r\nHost\t: a\r\n\r\n",
      "error 400: white space before a field's colon\n" },
    { "no colon", "GET / HTTP/1.1\r\nHost\r\n\r\n", "error 400: a field does not start with a token and a colon\n" },
    { "no name", "GET / HTTP/1.1\r\n: a\r\n\r\n", "error 400: a field does not start with a token and a colon\n" },
    { "name is no token", "GET / HTTP/1.1\r\nHo(st: a\r\n\r\n",
      "error 400: a field does not start with a token and a colon\n" },
    { "name past ASCII", "GET / HTTP/1.1\r\nH\xc3\xb6st: a\r\n\r\n",
      "error 400: a field does not start with a token and a colon\n" },
    { "control character in a value", "GET / HTTP/1.1\r\nx: a\x01\r\n\r\n", "error 400: a control character\n" },
    { "DEL in a value", "GET / HTTP/1.1\r\nx: a\x7f\r\n\r\n", "error 400: a control character\n" },
    { "control character in the method", "G\x02T / HTTP/1.1\r\n", "error 400: a control character\n" },
    { "TLS client hello", "\x16\x03\x01\x02", "error 400: a control character\n" },
    { "length and chunked",
      "POST / HTTP/1.1\r\n" HOST "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      "error 400: transfer-encoding beside content-length\n" },
    { "chunked and length",
      "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n0\r\n\r\n",
      "error 400: transfer-encoding beside content-length\n" },
    { "chunked in 1.0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      "error 400: transfer-encoding in HTTP/1.0\n" },
    { "gzip, chunked", "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: gzip, chunked\r\n\r\n",
      "error 501: the transfer-encoding is not chunked alone\n" },
    { "chunked, identity", "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked, identity\r\n\r\n",
      "error 501: the transfer-encoding is not chunked alone\n" },
    { "xchunked", "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: xchunked\r\n\r\n",
      "error 501: the transfer-encoding is not chunked alone\n" },
    { "chunked with parameter", "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked;a=b\r\n\r\n",
      "error 501: the transfer-encoding is not chunked alone\n" },
    { "empty coding", "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding:\r\n\r\n",
      "error 400: an empty transfer-encoding\n" },
    { "tab before the coding", "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: \t chunked\r\n\r\n",
      "error 400: a tab around the transfer-encoding\n" },
    { "tab behind the coding", "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked \t \r\n\r\n",
      "error 400: a tab around the transfer-encoding\n" },
    { "tab before the length", "POST / HTTP/1.1\r\n" HOST "Content-Length:\t5\r\n\r\n",
      "error 400: a tab around the content-length\n" },
    { "tab behind the length", "POST / HTTP/1.1\r\n" HOST "Content-Length: 5\t\r\n\r\n",
      "error 400: a tab around the content-length\n" },
    { "two codings", "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
      "error 400: a second transfer-encoding\n" },
    { "two lengths", "POST / HTTP/1.1\r\n" HOST "Content-Length: 5\r\nContent-Length: 6\r\n\r\n",
      "error 400: a second content-length\n" },
    { "two equal lengths", "POST / HTTP/1.1\r\n" HOST "Content-Length: 5\r\nContent-Length: 5\r\n\r\n",
      "error 400: a second content-length\n" },
#define BAD_LENGTH(name, value) \
    { \
        name, "POST / HTTP/1.1\r\n" HOST "Content-Length: " value "\r\n\r\n", \
            "error 400: the content-length is not a decimal number, or too large\n" \
    }
    BAD_LENGTH("length list", "5, 5"),
    BAD_LENGTH("length with plus", "+5"),
    BAD_LENGTH("length with minus", "-5"),
    BAD_LENGTH("length with space", "5 5"),
    BAD_LENGTH("length in hex", "0x5"),
    BAD_LENGTH("length with a letter", "5a"),
    BAD_LENGTH("length empty", ""),
    BAD_LENGTH("length with a point", "5.0"),
    BAD_LENGTH("length one past INT64_MAX", "9223372036854775808"),
    BAD_LENGTH("length past UINT64_MAX", "18446744073709551621"),
    BAD_LENGTH("length with many digits", "100000000000000000000000000000005"),
#undef BAD_LENGTH
    { "expectation unknown", "GET / HTTP/1.1\r\n" HOST "Expect: 200-ok\r\n\r\n",
      "error 417: the only expectation known is 100-continue\n" },
    { "expectation list", "GET / HTTP/1.1\r\n" HOST "Expect: 100-continue, x\r\n\r\n",
      "error 417: the only expectation known is 100-continue\n" },
    { "chunk size empty", CHUNKS "\r\nx",
      "error 400: a chunk size is not a hexadecimal number followed by CR LF or an extension\n" },
    { "chunk size sign", CHUNKS "+5\r\n",
      "error 400: a chunk size is not a hexadecimal number followed by CR LF or an extension\n" },
    { "chunk size prefix", CHUNKS "0x5\r\n",
      "error 400: a chunk size is not a hexadecimal number followed by CR LF or an extension\n" },
    { "chunk size letter", CHUNKS "5g\r\n",
      "error 400: a chunk size is not a hexadecimal number followed by CR LF or an extension\n" },
    { "space before the size", CHUNKS " 5\r\n",
      "error 400: a chunk size is not a hexadecimal number followed by CR LF or an extension\n" },
    { "space behind the size", CHUNKS "5 \r\n",
      "error 400: a chunk size is not a hexadecimal number followed by CR LF or an extension\n" },
    { "space before the extension", CHUNKS "5 ;a\r\n",
      "error 400: a chunk size is not a hexadecimal number followed by CR LF or an extension\n" },
    { "bare LF behind the size", CHUNKS "5\nhello\r\n",
      "error 400: a chunk size is not a hexadecimal number followed by CR LF or an extension\n" },
    { "bare CR behind the size", CHUNKS "5\rhello\r\n", "error 400: a CR stands without its LF\n" },
    { "chunk size too large", CHUNKS "8000000000000000\r\n", "error 400: a chunk size is too large\n" },
    { "chunk size that wraps", CHUNKS "10000000000000005\r\n", "error 400: a chunk size is too large\n" },
    { "extension without name", CHUNKS "5;\r\n", "error 400: a chunk extension has no name\n" },
    { "extension with space", CHUNKS "5; a\r\n", "error 400: a chunk extension has no name\n" },
    { "extension without value", CHUNKS "5;a=\r\n", "error 400: a chunk extension has no value behind its =\n" },
    { "extension with a control character", CHUNKS "5;a\x01\r\n",
      "error 400: a chunk extension is not name[=value]\n" },
    { "extension with bare LF", CHUNKS "5;a\nhello\r\n", "error 400: a chunk extension is not name[=value]\n" },
    { "extension value with bare LF", CHUNKS "5;a=b\nhello\r\n", "error 400: a chunk extension is not name[=value]\n" },
    { "extension quoted with CR LF", CHUNKS "5;a=\"\r\n\"\r\n",
      "error 400: a control character stands in a chunk extension\n" },
    { "extension quoted with escaped LF", CHUNKS "5;a=\"\\\n\"\r\n",
      "error 400: a control character stands in a chunk extension\n" },
    { "extension with text behind the quote", CHUNKS "5;a=\"b\"c\r\n",
      "error 400: a chunk extension is not name[=value]\n" },
    { "chunk longer than its size", CHUNKS "5\r\nhello!\r\n",
      "{hello...}\nerror 400: a chunk is longer than its size\n" },
    { "chunk ended by LF", CHUNKS "5\r\nhello\n0\r\n\r\n", "{hello...}\nerror 400: a chunk is longer than its size\n" },
    { "chunk ended by CR", CHUNKS "5\r\nhello\r0\r\n\r\n", "{hello...}\nerror 400: a CR stands without its LF\n" },
    { "trailer without colon", CHUNKS "0\r\nabc\r\n\r\n",
      "error 400: a trailer field's name is not a token and a colon\n" },
    { "trailer folded", CHUNKS "0\r\na: b\r\n c\r\n\r\n",
      "error 400: a trailer line does not start with a field name\n" },
    { "trailer with space before the colon", CHUNKS "0\r\na : b\r\n\r\n",
      "error 400: a trailer field's name is not a token and a colon\n" },
    { "trailer with a control character", CHUNKS "0\r\na: \x02\r\n\r\n",
      "error 400: a control character stands in a trailer field\n" },
    { "trailer ended by LF", CHUNKS "0\r\na: b\n\r\n", "error 400: a control character stands in a trailer field\n" },
    { "trailer with bare CR", CHUNKS "0\r\na: b\rc\r\n\r\n", "error 400: a CR stands without its LF\n" },
    { "body ended by LF", CHUNKS "0\r\n\n", "error 400: a trailer line does not start with a field name\n" },
    { "body ended by CR", CHUNKS "0\r\n\rGET", "error 400: a CR stands without its LF\n" },
    { "garbage behind a request", "GET / HTTP/1.1\r\n" HOST "\r\n\x01", "{}\nerror 400: a control character\n" },
};

static const struct parse_case responses[] = {
    { "nothing", "", "eof more\n" },
    { "least", "HTTP/1.1 204 No Content\r\n\r\n", "204 \"No Content\" 1.1 keep [] {}\neof more\n" },
    { "length", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi",
      "200 \"OK\" 1.1 keep [Content-Length=2] length=2 {hi}\neof more\n" },
    { "length 0", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
      "200 \"OK\" 1.1 keep [Content-Length=0] length=0 {}\neof more\n" },
    { "chunked", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nx: y\r\n\r\n",
      "200 \"OK\" 1.1 keep [Transfer-Encoding=chunked] chunked {hi}\neof more\n" },
    { "to the close", "HTTP/1.1 200 OK\r\n\r\nhello\r\n\r\n", "200 \"OK\" 1.1 close [] {hello\r\n\r\n}\neof end\n" },
    { "to the close, empty", "HTTP/1.1 200 OK\r\n\r\n", "200 \"OK\" 1.1 close [] {}\neof end\n" },
    { "1.0", "HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx",
      "200 \"OK\" 1.0 close [Content-Length=1] length=1 {x}\n" },
    { "1.0 kept", "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\nx",
      "200 \"OK\" 1.0 keep [Connection=keep-alive|Content-Length=1] length=1 {x}\neof more\n" },
    { "1.0 kept without length", "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n\r\nx",
      "200 \"OK\" 1.0 close [Connection=keep-alive] {x}\neof end\n" },
    { "no reason", "HTTP/1.1 204 \r\n\r\n", "204 \"\" 1.1 keep [] {}\neof more\n" },
    { "no reason and no space", "HTTP/1.1 204\r\n\r\n", "204 \"\" 1.1 keep [] {}\neof more\n" },
    { "odd reason", "HTTP/1.1 204 A \tb  \xe9\r\n\r\n", "204 \"A \tb  \xe9\" 1.1 keep [] {}\neof more\n" },
    { "304 with a length", "HTTP/1.1 304 Not Modified\r\nContent-Length: 500\r\n\r\n",
      "304 \"Not Modified\" 1.1 keep [Content-Length=500] length=500 {}\neof more\n" },
    { "204 with length 0", "HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n",
      "204 \"No Content\" 1.1 keep [Content-Length=0] length=0 {}\neof more\n" },
    { "interim",
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\nConnection: close\r\n\r\nHTTP/1.1 204 No "
      "Content\r\na: b\r\n\r\n",
      "204 \"No Content\" 1.1 keep [a=b] {}\neof more\n" },
    { "interim alone", "HTTP/1.1 100 Continue\r\n\r\n", "eof error 502\n" },
    { "several hosts and expectations mean nothing", "HTTP/1.1 204 No\r\nHost: /\r\nHost: b\r\nExpect: x\r\n\r\n",
      "204 \"No\" 1.1 keep [Host=/|Host=b|Expect=x] {}\neof more\n" },
    { "599", "HTTP/1.1 599 x\r\nContent-Length: 0\r\n\r\n",
      "599 \"x\" 1.1 keep [Content-Length=0] length=0 {}\neof more\n" },
    { "two in a row", "HTTP/1.1 204 a\r\n\r\nHTTP/1.1 204 b\r\n\r\n",
      "204 \"a\" 1.1 keep [] {}\n204 \"b\" 1.1 keep [] {}\neof more\n" },
    { "cut in the head", "HTTP/1.1 200 OK\r\nContent", "eof error 502\n" },
    { "cut in the body", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nhi",
      "200 \"OK\" 1.1 keep [Content-Length=3] length=3 {hi...}\neof error 502\n" },
    { "cut in the chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n",
      "200 \"OK\" 1.1 keep [Transfer-Encoding=chunked] chunked {hi...}\neof error 502\n" },
    { "101", "HTTP/1.1 101 Switching Protocols\r\n\r\n", "error 502: 101 without an upgrade having been asked for\n" },
    { "status 099", "HTTP/1.1 099 x\r\n\r\n", "error 502: the status is not a number from 100 to 599\n" },
    { "status 600", "HTTP/1.1 600 x\r\n\r\n", "error 502: the status is not a number from 100 to 599\n" },
    { "status of two digits", "HTTP/1.1 20 OK\r\n\r\n", "error 502: the status is not a number from 100 to 599\n" },
    { "status of four digits", "HTTP/1.1 2000 OK\r\n\r\n", "error 502: no space stands behind the status\n" },
    { "status missing", "HTTP/1.1\r\n\r\n", "error 502: the status is not a number from 100 to 599\n" },
    { "two spaces", "HTTP/1.1  200 OK\r\n\r\n", "error 502: the status is not a number from 100 to 599\n" },
    { "HTTP/2", "HTTP/2 200\r\n", "error 502: this is not an HTTP/1 response\n" },
    { "HTTP/1.x", "HTTP/1.x 200\r\n", "error 502: the version is not HTTP/ digit . digit\n" },
    { "not HTTP", "SSH-2.0-", "error 502: this is not an HTTP/1 response\n" },
    { "empty line in front", "\r\nHTTP/1.1 204 x\r\n\r\n", "error 502: this is not an HTTP/1 response\n" },
    { "control character in the reason", "HTTP/1.1 200 O\x01K\r\n\r\n", "error 502: a control character\n" },
    { "length and chunked", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n",
      "error 502: transfer-encoding beside content-length\n" },
    { "chunked in 1.0", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
      "error 502: transfer-encoding in HTTP/1.0\n" },
    { "gzip", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
      "error 502: the transfer-encoding is not chunked alone\n" },
    { "two equal lengths", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\n",
      "error 502: a second content-length\n" },
    { "204 with a length", "HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\n",
      "error 502: a status without a body announces one\n" },
    { "204 chunked", "HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n",
      "error 502: a status without a body announces one\n" },
    { "interim with a length", "HTTP/1.1 100 Continue\r\nContent-Length: 2\r\n\r\n",
      "error 502: a status without a body announces one\n" },
    { "folded field", "HTTP/1.1 200 OK\r\na: b\r\n c\r\n\r\n", "error 502: a folded field line\n" },
    { "bare LF", "HTTP/1.1 200 OK\nContent-Length: 0\n\n", "error 502: a LF without CR\n" },
};

static const struct parse_case head_responses[] = {
    { "length", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
      "200 \"OK\" 1.1 keep [Content-Length=2] length=2 {}\n200 \"OK\" 1.1 keep [Transfer-Encoding=chunked] chunked "
      "{}\neof more\n" },
    { "neither", "HTTP/1.1 404 Not Found\r\n\r\n", "404 \"Not Found\" 1.1 keep [] {}\neof more\n" },
    { "interim", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\n", "200 \"OK\" 1.1 keep [] {}\neof more\n" },
    { "both", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n",
      "error 502: transfer-encoding beside content-length\n" },
};

static const struct {
    const char *name;
    struct http1_trace how;
    const struct parse_case *cases;
    size_t n_cases;
} tables[] = {
    { "good requests", { .side = HTTP1_REQUEST }, good_requests, VSR_COUNT(good_requests) },
    { "bad requests", { .side = HTTP1_REQUEST }, bad_requests, VSR_COUNT(bad_requests) },
    { "responses", { .side = HTTP1_RESPONSE }, responses, VSR_COUNT(responses) },
    { "responses to HEAD",
      { .side = HTTP1_RESPONSE, .head_request = true },
      head_responses,
      VSR_COUNT(head_responses) },
};

/* ---- cutting */

struct cut_plan {
    size_t first; /* length of the first slice, then the rest; 0: by `random` */
    size_t len_max;
    uint64_t random;
};

static size_t cut_by_plan(void *ctx, size_t left) {
    struct cut_plan *plan = ctx;
    size_t len = left;
    if (plan->first) {
        len = plan->first;
        plan->first = SIZE_MAX;
    } else {
        plan->random = plan->random * 6364136223846793005u + 1442695040888963407u;
        len = 1 + (plan->random >> 33) % plan->len_max;
    }
    return len < left ? len : left;
}

/* The trace of `input`, cut by `plan` when that is given. */
static void trace(struct buf *out, struct http1_trace how, vsr_str input, struct cut_plan *plan) {
    if (plan) {
        how.cut = cut_by_plan;
        how.ctx = plan;
    }
    buf_reset(out);
    http1_trace(out, &how, input);
    assert_false(buf_failed(out));
}

static void check_cut(struct http1_trace how, vsr_str input, struct cut_plan plan, const struct buf *whole,
                      const char *name) {
    struct cut_plan asked = plan;
    struct buf cut;
    buf_init(&cut, TRACE_LEN_MAX);
    trace(&cut, how, input, &plan);
    CHECK_MSG(str_eq(buf_str(&cut), buf_str(whole)), "case \"%s\" cut at %zu, by %zu: got \"%.*s\", want \"%.*s\"",
              name, asked.first, asked.len_max, VSR_FMT(buf_str(&cut)), VSR_FMT(buf_str(whole)));
    buf_done(&cut);
}

/* Every cut in two, byte by byte, and some random cuts give what the whole gives. */
static void check_all_cuts(struct http1_trace how, vsr_str input, const char *name) {
    struct buf whole;
    buf_init(&whole, TRACE_LEN_MAX);
    trace(&whole, how, input, NULL);
    for (size_t at = 1; at < input.len; at++)
        check_cut(how, input, (struct cut_plan){ .first = at }, &whole, name);
    check_cut(how, input, (struct cut_plan){ .len_max = 1 }, &whole, name);
    for (uint64_t seed = 0; seed < 20; seed++)
        check_cut(how, input, (struct cut_plan){ .len_max = 3 + seed, .random = seed }, &whole, name);
    buf_done(&whole);
}

/* ---- tables */

TEST(tables_whole) {
    struct buf got;
    buf_init(&got, TRACE_LEN_MAX);
    for (size_t t = 0; t < VSR_COUNT(tables); t++) {
        for (size_t i = 0; i < tables[t].n_cases; i++) {
            const struct parse_case *c = &tables[t].cases[i];
            trace(&got, tables[t].how, str_from_c(c->input), NULL);
            if (tables[t].cases == bad_requests)
                CHECK_MSG(str_ends(buf_str(&got), str_from_c(c->want)), "case \"%s\": got \"%.*s\", want \"...%s\"",
                          c->name, VSR_FMT(buf_str(&got)), c->want);
            else
                CHECK_STR(buf_str(&got), c->want, c->name);
        }
    }
    buf_done(&got);
}

TEST(tables_cut_anywhere) {
    for (size_t t = 0; t < VSR_COUNT(tables); t++) {
        for (size_t i = 0; i < tables[t].n_cases; i++)
            check_all_cuts(tables[t].how, str_from_c(tables[t].cases[i].input), tables[t].cases[i].name);
    }
}

TEST(nul_bytes_are_errors) {
    static const struct {
        const char *name;
        vsr_str input;
        const char *want;
    } cases[] = {
        { "method", VSR_STR_INIT("GE\0T / HTTP/1.1\r\n"), "error 400: a control character\n" },
        { "target", VSR_STR_INIT("GET /\0 HTTP/1.1\r\n"), "error 400: a control character\n" },
        { "name", VSR_STR_INIT("GET / HTTP/1.1\r\na\0b: c\r\n"), "error 400: a control character\n" },
        { "value", VSR_STR_INIT("GET / HTTP/1.1\r\na: b\0c\r\n"), "error 400: a control character\n" },
        { "behind CR", VSR_STR_INIT("GET / HTTP/1.1\r\0\n"), "error 400: a CR without LF\n" },
    };
    struct buf got;
    buf_init(&got, TRACE_LEN_MAX);
    for (size_t i = 0; i < VSR_COUNT(cases); i++) {
        struct http1_trace how = { .side = HTTP1_REQUEST };
        trace(&got, how, cases[i].input, NULL);
        CHECK_STR(buf_str(&got), cases[i].want, cases[i].name);
        check_all_cuts(how, cases[i].input, cases[i].name);
    }
    buf_done(&got);
}

/* Each byte value, in each place of a message: what the RFC's grammar says. */
TEST(every_byte_everywhere) {
    struct buf input, got;
    buf_init(&input, TRACE_LEN_MAX);
    buf_init(&got, TRACE_LEN_MAX);
    for (unsigned c = 0; c < 256; c++) {
        static const struct {
            const char *before, *behind;
            unsigned char_class;
        } places[] = {
            { "G", "T / HTTP/1.0\r\n\r\n", HTTP1_CHAR_TOKEN },
            { "GET /", " HTTP/1.0\r\n\r\n", HTTP1_CHAR_TARGET },
            { "GET / HTTP/1.0\r\na", "b: c\r\n\r\n", HTTP1_CHAR_TOKEN },
            { "GET / HTTP/1.0\r\na: ", "c\r\n\r\n", HTTP1_CHAR_TEXT },
        };
        for (size_t p = 0; p < VSR_COUNT(places); p++) {
            bool want = http1_char_is((char)c, places[p].char_class), accepted;
            if ((c == ' ' && p == 0) || (c == ':' && p == 2))
                continue; /* moves the border between the parts */
            buf_reset(&input);
            buf_append_c(&input, places[p].before);
            buf_append_char(&input, (char)c);
            buf_append_c(&input, places[p].behind);
            trace(&got, (struct http1_trace){ .side = HTTP1_REQUEST }, buf_str(&input), NULL);
            accepted = str_ends(buf_str(&got), VSR_STR(" {}\n"));
            CHECK_MSG(accepted == want, "byte 0x%02x in place %zu: %.*s", c, p, VSR_FMT(buf_str(&got)));
        }
    }
    buf_done(&input);
    buf_done(&got);
}

/* ---- limits, each at and one past */

static void repeat(struct buf *out, const char *text, size_t n) {
    for (size_t i = 0; i < n; i++)
        buf_append_c(out, text);
}

struct limit_case {
    const char *name;
    enum http1_side side;
    const char *before, *repeated, *behind;
    size_t n_max;
    const char *at, *past; /* how the trace ends */
};

static const struct limit_case limits[] = {
    { "method", HTTP1_REQUEST, "", "M", " / HTTP/1.0\r\n\r\n", HTTP1_METHOD_LEN_MAX, " {}\n",
      "error 501: the method is too long to be one\n" },
    { "target", HTTP1_REQUEST, "GET /", "a", " HTTP/1.0\r\n\r\n", HTTP1_TARGET_LEN_MAX - 1, " {}\n",
      "error 414: the target is too long\n" },
    { "request line", HTTP1_REQUEST, "GET /", "a", "", HTTP1_METHOD_LEN_MAX + HTTP1_TARGET_LEN_MAX + 10 + 1 - 5,
      "eof error 400\n", "error 414: the request line is too long\n" },
    { "fields", HTTP1_REQUEST, "GET / HTTP/1.0\r\n", "a: b\r\n", "\r\n", HTTP1_FIELDS_MAX, "|a=b] {}\n",
      "error 431: too many fields\n" },
    { "head", HTTP1_REQUEST, "GET / HTTP/1.0\r\na: ", "b", "\r\n\r\n", HTTP1_HEAD_LEN_MAX - 16 - 3 - 4, "b] {}\n",
      "error 431: the head is too large\n" },
    { "head without end", HTTP1_REQUEST, "GET / HTTP/1.0\r\na: ", "b", "", HTTP1_HEAD_LEN_MAX - 16 - 3,
      "eof error 400\n", "error 431: the head is too large\n" },
    { "empty lines", HTTP1_REQUEST, "", "\r\n", "GET / HTTP/1.0\r\n\r\n", HTTP1_EMPTY_LINES_MAX, " {}\n",
      "error 400: too many empty lines before the request\n" },
    { "chunk size line", HTTP1_REQUEST, CHUNKS, "0", "\r\n\r\n", HTTP1_CHUNK_LINE_LEN_MAX, "{}\neof more\n",
      "error 400: a chunk size line is too long\n" },
    { "chunk size line with extension", HTTP1_REQUEST, CHUNKS "0;", "a", "\r\n\r\n", HTTP1_CHUNK_LINE_LEN_MAX - 2,
      "{}\neof more\n", "error 400: a chunk size line is too long\n" },
    { "extensions of all chunks", HTTP1_REQUEST, CHUNKS, "1;345678\r\nx\r\n", "0\r\n\r\n", HTTP1_EXTENSIONS_LEN_MAX / 6,
      "x}\neof more\n", "error 400: the chunk extensions of the message are too long\n" },
    { "trailer", HTTP1_REQUEST, CHUNKS "0\r\na:", "b", "\r\n\r\n", HTTP1_TRAILER_LEN_MAX - 4, "{}\neof more\n",
      "error 431: the trailer is too long\n" },
    { "trailer lines", HTTP1_REQUEST, CHUNKS "0\r\n", "a: bcd\r\n", "\r\n", HTTP1_TRAILER_LEN_MAX / 8, "{}\neof more\n",
      "error 431: the trailer is too long\n" },
    { "interim responses", HTTP1_RESPONSE, "", "HTTP/1.1 102 Wait\r\n\r\n", "HTTP/1.1 204 x\r\n\r\n", HTTP1_INTERIM_MAX,
      "204 \"x\" 1.1 keep [] {}\neof more\n", "error 502: too many interim responses\n" },
    { "head of a response", HTTP1_RESPONSE, "HTTP/1.1 204 ", "b", "\r\n\r\n", HTTP1_HEAD_LEN_MAX - 13 - 4,
      "keep [] {}\neof more\n", "error 502: the head is too large\n" },
};

static void check_limit(const struct limit_case *c, size_t n, const char *want) {
    struct http1_trace how = { .side = c->side };
    struct buf input, got;
    buf_init(&input, TRACE_LEN_MAX);
    buf_init(&got, TRACE_LEN_MAX);
    buf_append_c(&input, c->before);
    repeat(&input, c->repeated, n);
    buf_append_c(&input, c->behind);
    trace(&got, how, buf_str(&input), NULL);
    CHECK_MSG(str_ends(buf_str(&got), str_from_c(want)),
              "limit \"%s\" with %zu: want \"...%s\", got %zu bytes: \"...%.*s\"", c->name, n, want, got.len,
              VSR_FMT(str_sub(buf_str(&got), got.len > 200 ? got.len - 200 : 0, got.len)));
    check_cut(how, buf_str(&input), (struct cut_plan){ .len_max = 1 }, &got, c->name);
    for (size_t len = 2; len < 6000; len = len * 3 + 1)
        check_cut(how, buf_str(&input), (struct cut_plan){ .len_max = len, .random = len }, &got, c->name);
    for (size_t back = 0; back < 12; back++)
        check_cut(how, buf_str(&input), (struct cut_plan){ .first = input.len - back - 1 }, &got, c->name);
    buf_done(&input);
    buf_done(&got);
}

TEST(limits_at_and_past) {
    for (size_t i = 0; i < VSR_COUNT(limits); i++) {
        check_limit(&limits[i], limits[i].n_max, limits[i].at);
        check_limit(&limits[i], limits[i].n_max + 1, limits[i].past);
    }
}

TEST(sizes_at_and_past) {
    static const struct parse_case cases[] = {
        { "length INT64_MAX", "POST / HTTP/1.0\r\nContent-Length: 9223372036854775807\r\n\r\n",
          "POST / 1.0 close [Content-Length=9223372036854775807] length=9223372036854775807 {...}\neof error 400\n" },
        { "chunk INT64_MAX", CHUNKS "7fffffffffffffff\r\n",
          "POST / 1.1 keep [Host=a|Transfer-Encoding=chunked] chunked {...}\neof error 400\n" },
    };
    struct buf got;
    buf_init(&got, TRACE_LEN_MAX);
    for (size_t i = 0; i < VSR_COUNT(cases); i++) {
        trace(&got, (struct http1_trace){ .side = HTTP1_REQUEST }, str_from_c(cases[i].input), NULL);
        CHECK_STR(buf_str(&got), cases[i].want, cases[i].name);
    }
    buf_done(&got);
}

/* A head whose buffer must grow while its lines are being read is the same message, and its spans are right. */
TEST(large_heads_grow_the_buffer) {
    struct buf input;
    buf_init(&input, TRACE_LEN_MAX);
    buf_append_c(&input, "\r\nPOST /grow HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n");
    for (int i = 0; i < 100; i++)
        buf_printf(&input, "x-%d: %0500d\r\n", i, i);
    buf_append_c(&input, "\r\nabcGET / HTTP/1.0\r\n\r\n");
    for (size_t len = 1; len < 70000; len = len * 2 + 1) {
        struct http1_trace how = { .side = HTTP1_REQUEST };
        struct buf whole;
        buf_init(&whole, TRACE_LEN_MAX);
        trace(&whole, how, buf_str(&input), NULL);
        assert_true(str_ends(buf_str(&whole), VSR_STR("99] length=3 {abc}\nGET / 1.0 close [] {}\n")));
        check_cut(how, buf_str(&input), (struct cut_plan){ .len_max = len, .random = len }, &whole, "large head");
        buf_done(&whole);
    }
    buf_done(&input);
}

TEST(reset_drops_the_memory_of_a_huge_head) {
    struct http1_parser parser;
    struct vsr_err err;
    struct buf input;
    vsr_str bytes, body;
    buf_init(&input, TRACE_LEN_MAX);
    buf_append_c(&input, "GET / HTTP/1.0\r\na: ");
    repeat(&input, "b", 60000);
    buf_append_c(&input, "\r\n\r\n");
    bytes = buf_str(&input);
    http1_init(&parser, HTTP1_REQUEST);
    assert_int_equal(http1_feed(&parser, &bytes, &body, &err), HTTP1_HEAD);
    assert_true(parser.head_bytes.cap > 60000);
    http1_reset(&parser);
    assert_int_equal(parser.head_bytes.cap, 0);
    bytes = VSR_STR("GET / HTTP/1.0\r\n\r\n");
    assert_int_equal(http1_feed(&parser, &bytes, &body, &err), HTTP1_HEAD);
    http1_reset(&parser);
    assert_true(parser.head_bytes.cap > 0);
    http1_done(&parser);
    buf_done(&input);
}

/* ---- the interface */

TEST(events_one_by_one) {
    struct http1_parser parser;
    struct vsr_err err;
    vsr_str bytes = VSR_STR("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nabcdGET"), body = { NULL, 0 };
    vsr_str none = { NULL, 0 };
    http1_init(&parser, HTTP1_REQUEST);
    assert_false(http1_in_message(&parser));
    assert_int_equal(http1_feed(&parser, &none, &body, &err), HTTP1_MORE);
    assert_int_equal(http1_feed(&parser, &bytes, &body, &err), HTTP1_HEAD);
    assert_true(http1_in_message(&parser));
    assert_int_equal(http1_feed(&parser, &none, &body, &err), HTTP1_MORE);
    assert_int_equal(http1_feed(&parser, &bytes, &body, &err), HTTP1_BODY);
    CHECK_STR(body, "abcd", "body");
    assert_int_equal(http1_feed(&parser, &bytes, &body, &err), HTTP1_END);
    assert_int_equal(http1_feed(&parser, &bytes, &body, &err), HTTP1_END);
    CHECK_STR(bytes, "GET", "what follows is not consumed");
    CHECK_STR(parser.head.method, "POST", "the head lives on");
    assert_false(http1_in_message(&parser));
    assert_int_equal(http1_eof(&parser, &err), HTTP1_END);
    http1_reset(&parser);
    assert_int_equal(http1_feed(&parser, &bytes, &body, &err), HTTP1_MORE);
    assert_true(http1_in_message(&parser));
    http1_done(&parser);
}

TEST(errors_name_the_place) {
    static const struct {
        const char *name;
        enum http1_side side;
        const char *input, *want;
        int code;
    } cases[] = {
        { "request line", HTTP1_REQUEST, "GET / HTTP/x\r\n", "request head:1:7: the version is not HTTP/ digit . digit",
          VSR_E_PROTOCOL },
        { "field", HTTP1_REQUEST, "\r\nGET / HTTP/1.1\r\nHost: a\r\nAb : c\r\n",
          "request head:4:3: white space before a field's colon", VSR_E_PROTOCOL },
        { "response", HTTP1_RESPONSE, "HTTP/1.1 200 OK\r\nContent-Length: 1x\r\n",
          "response head:2:17: the content-length is not a decimal number, or too large", VSR_E_PROTOCOL },
        { "the head as a whole", HTTP1_REQUEST, "GET / HTTP/1.1\r\n\r\n", "no host field", VSR_E_PROTOCOL },
        { "chunk", HTTP1_REQUEST, CHUNKS "z",
          "a chunk size is not a hexadecimal number followed by CR LF or an extension", VSR_E_PROTOCOL },
    };
    for (size_t i = 0; i < VSR_COUNT(cases); i++) {
        struct http1_parser parser;
        struct vsr_err err = VSR_ERR_NONE;
        char text[256];
        vsr_str bytes = str_from_c(cases[i].input), body;
        enum http1_event event;
        http1_init(&parser, cases[i].side);
        while ((event = http1_feed(&parser, &bytes, &body, &err)) != HTTP1_ERROR)
            CHECK(event != HTTP1_MORE, cases[i].name);
        CHECK_STR(str_from_c(err_print(&err, text, sizeof(text))), cases[i].want, cases[i].name);
        CHECK_INT(err.code, cases[i].code, cases[i].name);
        http1_done(&parser);
    }
}

TEST(fields_are_found_without_case) {
    struct http1_field fields[] = {
        { VSR_STR("Accept"), VSR_STR("a") }, { VSR_STR("connection"), VSR_STR("x ,\tKeep-Alive") },
        { VSR_STR("ACCEPT"), VSR_STR("b") }, { VSR_STR("Connection"), VSR_STR(",, close,") },
        { VSR_STR("Empty"), VSR_STR("") },
    };
    struct http1_head head = { .fields = fields, .n_fields = VSR_COUNT(fields) };
    CHECK_STR(http1_field(&head, VSR_STR("aCCept")), "a", "the first");
    assert_null(http1_field(&head, VSR_STR("acc")).ptr);
    assert_non_null(http1_field(&head, VSR_STR("empty")).ptr);
    assert_true(http1_field_has_token(&head, VSR_STR("Connection"), VSR_STR("keep-alive")));
    assert_true(http1_field_has_token(&head, VSR_STR("Connection"), VSR_STR("close")));
    assert_true(http1_field_has_token(&head, VSR_STR("Connection"), VSR_STR("x")));
    assert_false(http1_field_has_token(&head, VSR_STR("Connection"), VSR_STR("keep")));
    assert_false(http1_field_has_token(&head, VSR_STR("Accept"), VSR_STR("x")));
    assert_false(http1_field_has_token(&head, VSR_STR("Other"), VSR_STR("x")));
}

TEST(host_syntax) {
    static const struct {
        const char *host;
        bool want;
    } cases[] = {
        { "a", true },     { "a.b-c.d:8080", true }, { "127.0.0.1", true }, { "[::1]", true },     { "[::1]:80", true },
        { "a:", true },    { "%41_~", true },        { "[v1.x]", true },    { "", false },         { ":80", false },
        { "a:b", false },  { "a:123456", false },    { "a b", false },      { "a/b", false },      { "u@a", false },
        { "[::1", false }, { "[]", false },          { "[::1]x", false },   { "::1", false },      { "a?b", false },
        { "a#b", false },  { "a\\b", false },        { "a:80:80", false },  { "\xc3\xa9", false },
    };
    for (size_t i = 0; i < VSR_COUNT(cases); i++)
        CHECK_INT(http1_host_ok(str_from_c(cases[i].host)), cases[i].want, cases[i].host);
}

TEST(names_values_targets) {
    assert_true(http1_name_ok(VSR_STR("x-vsr")));
    assert_false(http1_name_ok(VSR_STR("")));
    assert_false(http1_name_ok(VSR_STR("a b")));
    assert_false(http1_name_ok(VSR_STR("a:")));
    assert_true(http1_value_ok(VSR_STR("")));
    assert_true(http1_value_ok(VSR_STR("a\tb \xff")));
    assert_false(http1_value_ok(VSR_STR("a\r\nb: c")));
    assert_false(http1_value_ok(VSR_STR("a\0")));
    assert_true(http1_target_ok(VSR_STR("/a?b")));
    assert_false(http1_target_ok(VSR_STR("")));
    assert_false(http1_target_ok(VSR_STR("/ b")));
}

/* The block-wise scan against the table, with the odd byte at every offset and length. */
TEST(text_span_is_the_naive_one) {
    for (unsigned c = 0; c < 256; c++) {
        for (size_t len = 1; len <= 50; len++) {
            char *text = malloc(len);
            memset(text, 'a', len);
            for (size_t at = 0; at < len; at++) {
                vsr_str span = { text, len };
                text[at] = (char)c;
                CHECK_INT(http1_text_span(span), http1_span(span, HTTP1_CHAR_TEXT), "span");
                text[at] = (char)(0x80 + at);
            }
            free(text);
        }
    }
}

/* ---- writing */

TEST(writes_heads) {
    struct buf out;
    buf_init(&out, 4096);
    http1_write_request_line(&out, VSR_STR("POST"), VSR_STR("/v1/x?y"));
    http1_write_field(&out, VSR_STR("host"), VSR_STR("a:1"));
    http1_write_field(&out, VSR_STR("empty"), VSR_STR(""));
    http1_write_field_u64(&out, VSR_STR("content-length"), 0);
    http1_write_field_u64(&out, VSR_STR("big"), UINT64_MAX);
    http1_write_head_end(&out);
    CHECK_STR(buf_str(&out),
              "POST /v1/x?y HTTP/1.1\r\nhost: a:1\r\nempty: \r\ncontent-length: 0\r\nbig: 18446744073709551615\r\n\r\n",
              "request");
    buf_done(&out);
}

TEST(writes_every_status) {
    struct buf out;
    char want[128];
    buf_init(&out, 4096);
    for (int status = 100; status <= 599; status++) {
        buf_reset(&out);
        http1_write_status_line(&out, status);
        snprintf(want, sizeof(want), "HTTP/1.1 %d %s\r\n", status, http1_reason(status));
        CHECK_STR(buf_str(&out), want, "status line");
    }
    CHECK_STR(str_from_c(http1_reason(200)), "OK", "reason");
    CHECK_STR(str_from_c(http1_reason(431)), "Request Header Fields Too Large", "reason");
    CHECK_STR(str_from_c(http1_reason(299)), "Unknown", "reason");
    CHECK_STR(str_from_c(http1_reason(-1)), "Unknown", "reason");
    buf_done(&out);
}

static void write_chunk(struct buf *out, vsr_str data) {
    http1_write_chunk_begin(out, data.len);
    buf_append(out, data);
    http1_write_chunk_end(out);
}

TEST(writes_chunks) {
    static const struct {
        size_t len;
        const char *want;
    } cases[] = { { 1, "1\r\n" },
                  { 15, "f\r\n" },
                  { 16, "10\r\n" },
                  { 0xabcdef, "abcdef\r\n" },
                  { SIZE_MAX, "ffffffffffffffff\r\n" } };
    struct buf out;
    buf_init(&out, 4096);
    for (size_t i = 0; i < VSR_COUNT(cases); i++) {
        buf_reset(&out);
        http1_write_chunk_begin(&out, cases[i].len);
        CHECK_STR(buf_str(&out), cases[i].want, "size line");
    }
    buf_done(&out);
}

TEST(what_is_written_is_read) {
    struct buf out, got;
    buf_init(&out, TRACE_LEN_MAX);
    buf_init(&got, TRACE_LEN_MAX);
    http1_write_status_line(&out, 200);
    http1_write_field(&out, VSR_STR("transfer-encoding"), VSR_STR("chunked"));
    http1_write_head_end(&out);
    write_chunk(&out, VSR_STR("hello "));
    write_chunk(&out, VSR_STR("wonderful new world"));
    http1_write_last_chunk(&out);
    http1_write_status_line(&out, 529);
    http1_write_field_u64(&out, VSR_STR("content-length"), 2);
    http1_write_head_end(&out);
    buf_append_c(&out, "no");
    trace(&got, (struct http1_trace){ .side = HTTP1_RESPONSE }, buf_str(&out), NULL);
    CHECK_STR(buf_str(&got),
              "200 \"OK\" 1.1 keep [transfer-encoding=chunked] chunked {hello wonderful new world}\n"
              "529 \"Overloaded\" 1.1 keep [content-length=2] length=2 {no}\neof more\n",
              "round trip");
    check_all_cuts((struct http1_trace){ .side = HTTP1_RESPONSE }, buf_str(&out), "round trip");
    buf_done(&out);
    buf_done(&got);
}

TEST(writing_past_the_ceiling_fails_the_buffer) {
    struct buf out;
    buf_init(&out, 20);
    http1_write_status_line(&out, 200);
    http1_write_field(&out, VSR_STR("a"), VSR_STR("b"));
    assert_int_equal(buf_failed(&out), VSR_E_LIMIT);
    CHECK_STR(buf_str(&out), "HTTP/1.1 200 OK\r\n", "whole pieces only");
    http1_write_head_end(&out);
    assert_int_equal(buf_failed(&out), VSR_E_LIMIT);
    buf_done(&out);
}

RUN_TESTS(T(tables_whole), T(tables_cut_anywhere), T(nul_bytes_are_errors), T(every_byte_everywhere),
          T(limits_at_and_past), T(sizes_at_and_past), T(large_heads_grow_the_buffer),
          T(reset_drops_the_memory_of_a_huge_head), T(events_one_by_one), T(errors_name_the_place),
          T(fields_are_found_without_case), T(host_syntax), T(names_values_targets), T(text_span_is_the_naive_one),
          T(writes_heads), T(writes_every_status), T(writes_chunks), T(what_is_written_is_read),
          T(writing_past_the_ceiling_fails_the_buffer))
