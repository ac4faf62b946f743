#include "cli/socket_text.h"

bool socket_text_read(const char *text, vsr_str *ret_address, uint16_t *ret_port) {
    vsr_str all = str_from_c(text), address = all, digits;
    uint64_t port;
    if (str_eq(all, VSR_STR("off")))
        return true; /* an empty address */
    while (address.len && address.ptr[address.len - 1] != ':')
        address.len--;
    digits = str_sub(all, address.len, all.len);
    if (address.len < 2 || !str_to_u64(digits, &port) || port > UINT16_MAX)
        return false;
    address.len--;
    if (address.ptr[0] == '[' && address.ptr[address.len - 1] == ']')
        address = str_sub(address, 1, address.len - 1);
    *ret_address = address;
    *ret_port = (uint16_t)port;
    return address.len > 0;
}
