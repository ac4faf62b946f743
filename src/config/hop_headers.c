#include "config/hop_headers.h"

const vsr_str hop_headers[HOP_HEADERS] = {
    VSR_STR_INIT("host"),
    VSR_STR_INIT("content-length"),
    VSR_STR_INIT("connection"),
    VSR_STR_INIT("keep-alive"),
    VSR_STR_INIT("proxy-connection"),
    VSR_STR_INIT("proxy-authenticate"),
    VSR_STR_INIT("proxy-authorization"),
    VSR_STR_INIT("transfer-encoding"),
    VSR_STR_INIT("upgrade"),
    VSR_STR_INIT("te"),
    VSR_STR_INIT("trailer"),
    VSR_STR_INIT("expect"),
    VSR_STR_INIT("accept-encoding"), /* answers must be readable, so vsr asks for identity */
};

bool hop_headers_have(vsr_str name) {
    for (size_t i = 0; i < HOP_HEADERS; i++)
        if (str_eq_nocase(hop_headers[i], name))
            return true;
    return false;
}
