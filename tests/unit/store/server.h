/*
 * server - real servers for tests of store/: started on loopback in a directory of their own, killed, started again.
 *
 * Where the program of a server is not there the test that needs it says so and skips.
 */
#ifndef VSR_TESTS_STORE_SERVER_H
#define VSR_TESTS_STORE_SERVER_H

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/clock.h"
#include "test.h"

enum { SERVER_ARGS_MAX = 48, SERVER_START_MS_MAX = 30000, SERVER_PATH_LEN = 160 };

struct server_process {
    pid_t pid; /* 0: does not run */
    uint16_t port;
    char dir[64];
    char user[32]; /* runs as; "": as we do */
    char args[SERVER_ARGS_MAX][SERVER_PATH_LEN];
    size_t n_args;
};

static inline uint16_t server_free_port(void) {
    struct sockaddr_in addr = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof(addr);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(bind(fd, (struct sockaddr *)&addr, sizeof(addr)) == 0, "bind");
    CHECK(getsockname(fd, (struct sockaddr *)&addr, &len) == 0, "getsockname");
    close(fd);
    return ntohs(addr.sin_port);
}

static inline bool server_listens(uint16_t port) {
    struct sockaddr_in addr = { .sin_family = AF_INET,
                                .sin_port = htons(port),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool listens = connect(fd, (struct sockaddr *)&addr, sizeof(addr)) == 0;
    close(fd);
    return listens;
}

/* An argument of the server to be, as printf() writes it. */
__attribute__((format(printf, 2, 3))) static inline void server_arg(struct server_process *s, const char *format, ...) {
    va_list args;
    CHECK(s->n_args < SERVER_ARGS_MAX, "room for arguments");
    va_start(args, format);
    (void)vsnprintf(s->args[s->n_args++], SERVER_PATH_LEN, format, args);
    va_end(args);
}

/* A child of ours that dies with us; its output goes to <dir>/log. */
static inline pid_t server_spawn(struct server_process *s) {
    char *argv[SERVER_ARGS_MAX + 1] = { 0 }, log[SERVER_PATH_LEN];
    const struct passwd *user = s->user[0] ? getpwnam(s->user) : NULL;
    pid_t pid;
    for (size_t i = 0; i < s->n_args; i++)
        argv[i] = s->args[i];
    (void)snprintf(log, sizeof(log), "%s/log", s->dir);
    pid = fork();
    if (pid)
        return pid;
    int fd = open(log, O_WRONLY | O_CREAT | O_APPEND, 0666);
    (void)dup2(fd, STDOUT_FILENO);
    (void)dup2(fd, STDERR_FILENO);
    if (user && (setgid(user->pw_gid) != 0 || setuid(user->pw_uid) != 0))
        _exit(126);
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)chdir(s->dir);
    (void)execv(argv[0], argv);
    _exit(127);
}

static inline void server_print_log(const struct server_process *s) {
    char command[SERVER_PATH_LEN];
    (void)snprintf(command, sizeof(command), "tail -20 '%s/log' >&2", s->dir);
    (void)!system(command);
}

static inline void server_start(struct server_process *s) {
    uint64_t end = clock_mono_ms() + SERVER_START_MS_MAX;
    int status;
    s->pid = server_spawn(s);
    while (!server_listens(s->port)) {
        if (clock_mono_ms() > end) {
            server_print_log(s);
            fail_msg("%s did not start", s->args[0]);
        }
        usleep(10000);
        /* children of one that was killed may be in its way for a moment */
        if (waitpid(s->pid, &status, WNOHANG) == s->pid)
            s->pid = server_spawn(s);
    }
}

static inline void server_kill(struct server_process *s, int signum) {
    if (s->pid == 0)
        return;
    (void)kill(s->pid, signum);
    (void)waitpid(s->pid, NULL, 0);
    s->pid = 0;
}

/* The server and its children: they may be the ones that serve. */
static inline void server_signal_all(const struct server_process *s, int signum) {
    char path[96];
    FILE *file;
    int child;
    (void)kill(s->pid, signum);
    (void)snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)s->pid, (int)s->pid);
    file = fopen(path, "r");
    while (file && fscanf(file, "%d", &child) == 1)
        (void)kill(child, signum);
    if (file)
        (void)fclose(file);
}

static inline void server_make_dir(struct server_process *s) {
    (void)snprintf(s->dir, sizeof(s->dir), "/tmp/vsr-server-XXXXXX");
    if (!mkdtemp(s->dir))
        fail_msg("%s cannot be made", s->dir);
}

static inline void server_end(struct server_process *s) {
    char command[SERVER_PATH_LEN];
    server_kill(s, SIGKILL);
    if (!s->dir[0])
        return;
    (void)snprintf(command, sizeof(command), "rm -rf '%s'", s->dir);
    (void)!system(command);
    s->dir[0] = 0;
}

/* ---- Redis */

enum redis_flavour { REDIS_PLAIN, REDIS_PASSWORD, REDIS_TLS };
#define REDIS_TEST_PASSWORD "let me in, please"

static inline void server_openssl(const struct server_process *s) {
    char command[1024];
    (void)snprintf(command, sizeof(command),
                   "cd '%s' && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 "
                   "-keyout key.pem -out cert.pem -subj /CN=localhost -addext "
                   "'subjectAltName=DNS:localhost,IP:127.0.0.1' 2>log",
                   s->dir);
    CHECK(system(command) == 0, "openssl makes a certificate");
}

/* False, with the reason: there is no redis-server here. What was acknowledged is on the disk. */
static inline bool redis_server_begin(struct server_process *s, enum redis_flavour flavour, char *reason, size_t len) {
    static const char *const programs[] = { "/usr/bin/redis-server", "/usr/local/bin/redis-server" };
    const char *program = NULL;
    for (size_t i = 0; i < 2 && !program; i++)
        program = access(programs[i], X_OK) == 0 ? programs[i] : NULL;
    *s = (struct server_process){ 0 };
    if (!program) {
        (void)snprintf(reason, len, "skipped: there is no redis-server on this machine");
        return false;
    }
    server_make_dir(s);
    s->port = server_free_port();
    server_arg(s, "%s", program);
    server_arg(s, "--bind");
    server_arg(s, "127.0.0.1");
    server_arg(s, "--save");
    server_arg(s, "%s", "");
    server_arg(s, "--appendonly");
    server_arg(s, "yes");
    server_arg(s, "--appendfsync");
    server_arg(s, "always");
    server_arg(s, "--dir");
    server_arg(s, "%s", s->dir);
    server_arg(s, "--port");
    server_arg(s, "%u", flavour == REDIS_TLS ? 0 : s->port);
    if (flavour == REDIS_PASSWORD) {
        server_arg(s, "--requirepass");
        server_arg(s, "%s", REDIS_TEST_PASSWORD);
    }
    if (flavour == REDIS_TLS) {
        static const char *const files[][2] = { { "--tls-cert-file", "cert" },
                                                { "--tls-key-file", "key" },
                                                { "--tls-ca-cert-file", "cert" } };
        server_openssl(s);
        server_arg(s, "--tls-port");
        server_arg(s, "%u", s->port);
        for (size_t i = 0; i < 3; i++) {
            server_arg(s, "%s", files[i][0]);
            server_arg(s, "%s/%s.pem", s->dir, files[i][1]);
        }
    }
    server_start(s);
    return true;
}

/* ---- PostgreSQL */

static inline void server_write(const struct server_process *s, const char *name, const char *text) {
    char path[SERVER_PATH_LEN];
    FILE *file;
    (void)snprintf(path, sizeof(path), "%s/%s", s->dir, name);
    file = fopen(path, "w");
    CHECK(file && fputs(text, file) >= 0 && fclose(file) == 0, path);
}

#define POSTGRES_TEST_PASSWORD "p'ss w\\rd"

/* The newest one of Debian's, or none. */
static inline bool postgres_find(char *bin, size_t len) {
    DIR *dir = opendir("/usr/lib/postgresql");
    const struct dirent *entry;
    int best = 0;
    while (dir && (entry = readdir(dir))) {
        int version = (int)strtol(entry->d_name, NULL, 10);
        best = version > best ? version : best;
    }
    if (dir)
        closedir(dir);
    (void)snprintf(bin, len, "/usr/lib/postgresql/%d/bin", best);
    return best > 0;
}

/* The server refuses to be run by root: then it is the user postgres's. */
static inline bool postgres_server_begin(struct server_process *s, char *reason, size_t len) {
    char bin[96], command[1024], as[64] = "";
    *s = (struct server_process){ 0 };
    if (!postgres_find(bin, sizeof(bin))) {
        (void)snprintf(reason, len, "skipped: there is no PostgreSQL on this machine");
        return false;
    }
    if (geteuid() == 0 && !getpwnam("postgres")) {
        (void)snprintf(reason, len, "skipped: we are root, and there is no user postgres to run PostgreSQL");
        return false;
    }
    server_make_dir(s);
    s->port = server_free_port();
    if (geteuid() == 0) {
        const struct passwd *user = getpwnam("postgres");
        (void)snprintf(s->user, sizeof(s->user), "postgres");
        (void)snprintf(as, sizeof(as), "runuser -u postgres --");
        CHECK(chown(s->dir, user->pw_uid, user->pw_gid) == 0, "chown");
    }
    server_write(s, "password", POSTGRES_TEST_PASSWORD "\n");
    (void)snprintf(command, sizeof(command),
                   "cd '%s' && "
                   "%s %s/initdb -D '%s/data' -U vsr -A scram-sha-256 --pwfile='%s/password' -E UTF8 --locale=C "
                   "--no-sync > log 2>&1",
                   s->dir, as, bin, s->dir, s->dir);
    if (system(command) != 0) {
        server_print_log(s);
        fail_msg("initdb failed");
    }
    server_arg(s, "%s/postgres", bin);
    server_arg(s, "-D");
    server_arg(s, "%s/data", s->dir);
    server_arg(s, "-k");
    server_arg(s, "%s", s->dir);
    server_arg(s, "-c");
    server_arg(s, "listen_addresses=127.0.0.1");
    server_arg(s, "-p");
    server_arg(s, "%u", s->port);
    server_start(s);
    return true;
}

#endif
