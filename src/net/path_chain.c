#include "net/path_chain.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct walk {
    char at[PATH_MAX];   /* where the lookups have led: absolute, without links, no slash at the end; "" is the root */
    char rest[PATH_MAX]; /* what is still to be looked up */
    int n_links;
};

/* Takes the first name off `rest`. False when there is none. */
static bool next_name(struct walk *walk, char name[static NAME_MAX + 1]) {
    const char *begin = walk->rest;
    size_t len;
    while (*begin == '/')
        begin++;
    len = strcspn(begin, "/");
    if (len == 0 || len > NAME_MAX)
        return false;
    memcpy(name, begin, len);
    name[len] = '\0';
    memmove(walk->rest, begin + len, strlen(begin + len) + 1);
    return true;
}

static void go_up(struct walk *walk) {
    char *slash = strrchr(walk->at, '/');
    if (slash)
        *slash = '\0';
}

/* The link's target takes the place of its name. False when there are too many links or the path grows too long. */
static bool follow(struct walk *walk, const char *link) {
    char target[PATH_MAX], joined[PATH_MAX];
    ssize_t len = readlink(link, target, sizeof(target) - 1);
    if (len <= 0 || ++walk->n_links > PATH_CHAIN_LINKS_MAX)
        return false;
    target[len] = '\0';
    if (snprintf(joined, sizeof(joined), "%s/%s", target, walk->rest) >= (int)sizeof(joined))
        return false;
    memcpy(walk->rest, joined, sizeof(joined));
    if (target[0] == '/')
        walk->at[0] = '\0';
    return true;
}

static bool look_up(struct walk *walk, const char *name, path_chain_fn *fn, void *data) {
    char full[PATH_MAX];
    struct stat status;
    fn(data, walk->at[0] ? walk->at : "/", name);
    if (snprintf(full, sizeof(full), "%s/%s", walk->at, name) >= (int)sizeof(full) || lstat(full, &status) != 0)
        return false;
    if (S_ISLNK(status.st_mode))
        return follow(walk, full);
    memcpy(walk->at, full, sizeof(full));
    return true;
}

bool path_chain_walk(const char *path, path_chain_fn *fn, void *data, char *ret_end) {
    struct walk walk = { .n_links = 0 };
    char name[NAME_MAX + 1];
    if (snprintf(walk.rest, sizeof(walk.rest), "%s", path) >= (int)sizeof(walk.rest))
        return false;
    while (next_name(&walk, name)) {
        if (strcmp(name, ".") == 0)
            continue;
        if (strcmp(name, "..") == 0)
            go_up(&walk);
        else if (!look_up(&walk, name, fn, data))
            return false;
    }
    (void)snprintf(ret_end, PATH_MAX, "%s", walk.at[0] ? walk.at : "/"); /* no longer than `at` */
    return strspn(walk.rest, "/") == strlen(walk.rest);
}
