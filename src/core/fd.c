#include "core/fd.h"

#include <errno.h>
#include <unistd.h>

int fd_write_all(int fd, vsr_str bytes) {
    while (bytes.len > 0) {
        ssize_t n = write(fd, bytes.ptr, bytes.len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        bytes = str_sub(bytes, (size_t)n, bytes.len);
    }
    return 0;
}
