#include "nn/pages.h"

#include <sys/mman.h>

enum { HUGE_PAGE_LEN = 2 << 20 };

int pages_new(size_t len, const char *what, struct pages *ret, struct vsr_err *err) {
    void *data;
    *ret = (struct pages){ .data = NULL };
    if (len == 0)
        return 0;
    data = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (data == MAP_FAILED)
        return err_set(err, VSR_E_NOMEM, "no memory for %s: %zu bytes", what, len);
    if (len >= HUGE_PAGE_LEN)
        (void)madvise(data, len, MADV_HUGEPAGE); /* a wish: small pages work as well */
    *ret = (struct pages){ .data = data, .len = len };
    return 0;
}

void pages_free(struct pages *pages) {
    if (pages->data)
        (void)munmap(pages->data, pages->len); /* of exactly what was mapped */
    *pages = (struct pages){ .data = NULL };
}

int pages_grow(struct pages *pages, size_t len, struct vsr_err *err) {
    struct pages larger;
    int rc;
    if (pages->len >= len)
        return 0;
    rc = pages_new(len + len / 2, "working memory", &larger, err);
    if (rc < 0)
        return rc;
    pages_free(pages);
    *pages = larger;
    return 0;
}
