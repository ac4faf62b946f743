#include "store/sqlite_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    BUSY_MS = 2000, /* another process writes */
    JOURNAL_LEN_MAX = 16 << 20,
    SHRINK_PAGES = 1000,
};

/* Each brings a file from the version of its index to the next. Never changed once released; new ones are added. */
static const char *const migrations[] = {
    "CREATE TABLE responses ("
    " id TEXT NOT NULL UNIQUE, previous_id TEXT NOT NULL, conversation_id TEXT NOT NULL, owner TEXT NOT NULL,"
    " status TEXT NOT NULL, final INTEGER NOT NULL, instance TEXT NOT NULL, object BLOB NOT NULL, input BLOB NOT NULL,"
    " created_s INTEGER NOT NULL, expires_s INTEGER NOT NULL, input_tokens INTEGER NOT NULL,"
    " output_tokens INTEGER NOT NULL);"
    "CREATE INDEX responses_expires ON responses (expires_s);"
    "CREATE INDEX responses_unfinished ON responses (instance) WHERE final = 0;"
    "CREATE TABLE event_logs ("
    " id TEXT PRIMARY KEY, n INTEGER NOT NULL, len INTEGER NOT NULL, last_seq INTEGER NOT NULL,"
    " expires_s INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE INDEX event_logs_expires ON event_logs (expires_s);"
    "CREATE TABLE events ("
    " log TEXT NOT NULL, seq INTEGER NOT NULL, type TEXT NOT NULL, json BLOB NOT NULL, last INTEGER NOT NULL,"
    " PRIMARY KEY (log, seq)) WITHOUT ROWID;",
};
enum { VERSION = VSR_COUNT(migrations) };

static const char *const statements[SQL_STATEMENTS] = {
    [SQL_BEGIN] = "BEGIN IMMEDIATE",
    [SQL_COMMIT] = "COMMIT",
    [SQL_ROLLBACK] = "ROLLBACK",
    [SQL_PUT] = "INSERT INTO responses (id, previous_id, conversation_id, owner, status, final, instance, object,"
                " input, created_s, expires_s, input_tokens, output_tokens)"
                " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)"
                " ON CONFLICT (id) DO UPDATE SET previous_id = ?2, conversation_id = ?3, owner = ?4, status = ?5,"
                " final = ?6, instance = ?7, object = ?8, input = ?9, created_s = ?10, expires_s = ?11,"
                " input_tokens = ?12, output_tokens = ?13"
                " WHERE final = 0 OR expires_s <= ?14 OR (?15 AND status = ?5)",
    [SQL_PROGRESS] = "UPDATE responses SET status = 'in_progress', expires_s = max(expires_s, ?2)"
                     " WHERE id = ?1 AND final = 0",
    [SQL_STATE] = "SELECT final, status, expires_s FROM responses WHERE id = ?1 AND expires_s > ?2",
    [SQL_GET] = "SELECT id, previous_id, conversation_id, owner, status, object, input, created_s, expires_s,"
                " input_tokens, output_tokens FROM responses WHERE id = ?1 AND expires_s > ?2 AND status <> 'deleted'",
    /* what stays is the mark; ?4: also where nothing was */
    [SQL_DELETE] = "INSERT INTO responses (id, previous_id, conversation_id, owner, status, final, instance, object,"
                   " input, created_s, expires_s, input_tokens, output_tokens)"
                   " SELECT ?1, '', '', '', 'deleted', 1, '', x'', x'', 0, ?2, 0, 0"
                   " WHERE ?4 OR EXISTS (SELECT 1 FROM responses WHERE id = ?1 AND expires_s > ?3)"
                   " ON CONFLICT (id) DO UPDATE SET previous_id = '', conversation_id = '', owner = '',"
                   " status = 'deleted', final = 1, instance = '', object = x'', input = x'', created_s = 0,"
                   " expires_s = ?2, input_tokens = 0, output_tokens = 0 WHERE status <> 'deleted' OR expires_s <= ?3",
    [SQL_FORGET] = "DELETE FROM responses WHERE id = ?1",
    [SQL_DELETE_LOG] = "DELETE FROM event_logs WHERE id = ?1",
    [SQL_DELETE_EVENTS] = "DELETE FROM events WHERE log = ?1",
    [SQL_LOG_GET] = "SELECT n, len, last_seq FROM event_logs WHERE id = ?1 AND expires_s > ?2",
    [SQL_LOG_PUT] = "INSERT OR REPLACE INTO event_logs (id, n, len, last_seq, expires_s)"
                    " VALUES (?1, ?2, ?3, ?4, ?5)",
    [SQL_LOG_SIZE] = "SELECT count(*), coalesce(sum(length(type) + length(json)), 0) FROM events WHERE log = ?1",
    [SQL_EVENT_PUT] = "INSERT OR REPLACE INTO events (log, seq, type, json, last) VALUES (?1, ?2, ?3, ?4, ?5)",
    [SQL_EVENT_FIRST] = "SELECT min(seq) FROM events WHERE log = ?1",
    [SQL_EVENTS] = "SELECT seq, type, json, last FROM events WHERE log = ?1 AND seq > ?2 ORDER BY seq LIMIT ?3",
    [SQL_EVENTS_TRIM] = "DELETE FROM events WHERE log = ?1 AND seq IN"
                        " (SELECT seq FROM events WHERE log = ?1 ORDER BY seq LIMIT ?2)",
    [SQL_UNFINISHED] = "SELECT id FROM responses WHERE instance = ?1 AND final = 0 LIMIT ?2",
    [SQL_EXPIRE] = "DELETE FROM responses WHERE rowid IN"
                   " (SELECT rowid FROM responses WHERE expires_s <= ?1 LIMIT ?2)",
    [SQL_OLDEST_LOG] = "SELECT id FROM event_logs WHERE expires_s <= ?1 ORDER BY expires_s LIMIT 1",
    [SQL_TRIM] = "DELETE FROM responses WHERE rowid IN"
                 " (SELECT rowid FROM responses WHERE final = 1 ORDER BY rowid LIMIT ?1)",
    [SQL_TRIM_UNFINISHED] =
        "DELETE FROM responses WHERE rowid IN (SELECT rowid FROM responses ORDER BY rowid LIMIT ?1)",
};

int sqlite_file_failed(struct sqlite_file *file, struct vsr_err *err) {
    return err_set(err, VSR_E_IO, "%s", file->db ? sqlite3_errmsg(file->db) : "no memory");
}

static int exec(struct sqlite_file *file, const char *sql, struct vsr_err *err) {
    return sqlite3_exec(file->db, sql, NULL, NULL, NULL) == SQLITE_OK ? 0 : sqlite_file_failed(file, err);
}

/* One value of a pragma; 0 when there is none. */
static int64_t pragma(struct sqlite_file *file, const char *sql) {
    sqlite3_stmt *statement;
    int64_t value = 0;
    if (sqlite3_prepare_v2(file->db, sql, -1, &statement, NULL) == SQLITE_OK) {
        if (sqlite3_step(statement) == SQLITE_ROW)
            value = sqlite3_column_int64(statement, 0);
        sqlite3_finalize(statement);
    }
    return value;
}

/* ---- the file */

static int make_directories(const char *path, struct vsr_err *err) {
    char dir[PATH_MAX];
    if (snprintf(dir, sizeof(dir), "%s", path) >= (int)sizeof(dir))
        return err_set(err, VSR_E_LIMIT, "the path is too long");
    for (char *slash = strchr(dir + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = 0;
        if (mkdir(dir, 0700) != 0 && errno != EEXIST)
            return err_set(err, VSR_E_IO, "cannot make %s: %s", dir, strerror(errno));
        *slash = '/';
    }
    return 0;
}

/* What people asked and were answered is nobody else's business; the files of the log take over the mode. */
static int make_private(const char *path, struct vsr_err *err) {
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return err_set(err, VSR_E_IO, "cannot write it: %s", strerror(errno));
    (void)close(fd);
    return 0;
}

static int migrate(struct sqlite_file *file, struct vsr_err *err) {
    int64_t version;
    int rc = exec(file, "BEGIN IMMEDIATE", err);
    if (rc < 0)
        return rc;
    version = pragma(file, "PRAGMA user_version");
    if (version > VERSION)
        rc = err_set(err, VSR_E_INVALID,
                     "its schema has version %lld, and this program knows those up to %d: use the newer program, or "
                     "another state directory",
                     (long long)version, VERSION);
    for (; rc == 0 && version < VERSION; version++)
        rc = exec(file, migrations[version], err);
    if (rc == 0) {
        char sql[64];
        (void)snprintf(sql, sizeof(sql), "PRAGMA user_version = %d", VERSION);
        rc = exec(file, sql, err);
    }
    if (rc == 0)
        rc = exec(file, "COMMIT", err);
    else
        (void)exec(file, "ROLLBACK", NULL);
    return rc;
}

static int set_up(struct sqlite_file *file, uint64_t len_max, struct vsr_err *err) {
    char sql[128];
    int64_t page_len;
    int rc;
    (void)sqlite3_busy_timeout(file->db, BUSY_MS);
    rc = exec(file, "PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL", err);
    if (rc < 0)
        return rc;
    page_len = pragma(file, "PRAGMA page_size");
    (void)snprintf(sql, sizeof(sql), "PRAGMA journal_size_limit = %d; PRAGMA max_page_count = %llu", JOURNAL_LEN_MAX,
                   (unsigned long long)(len_max + len_max / 8) / (unsigned long long)(page_len > 0 ? page_len : 4096));
    rc = exec(file, sql, err);
    return rc < 0 ? rc : migrate(file, err);
}

static int prepare(struct sqlite_file *file, struct vsr_err *err) {
    for (size_t i = 0; i < SQL_STATEMENTS; i++)
        if (sqlite3_prepare_v3(file->db, statements[i], -1, SQLITE_PREPARE_PERSISTENT, &file->statements[i], NULL) !=
            SQLITE_OK)
            return sqlite_file_failed(file, err);
    return 0;
}

int sqlite_file_open(struct sqlite_file *file, const char *path, uint64_t len_max, struct vsr_err *err) {
    int rc;
    *file = (struct sqlite_file){ 0 };
    rc = make_directories(path, err);
    if (rc == 0)
        rc = make_private(path, err);
    if (rc == 0 && sqlite3_open_v2(path, &file->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK)
        rc = sqlite_file_failed(file, err);
    if (rc == 0)
        rc = set_up(file, len_max, err);
    if (rc == 0)
        rc = prepare(file, err);
    if (rc < 0)
        err_wrap(err, "%s", path);
    return rc;
}

void sqlite_file_close(struct sqlite_file *file) {
    for (size_t i = 0; i < SQL_STATEMENTS; i++)
        sqlite3_finalize(file->statements[i]);
    (void)sqlite3_close(file->db);
    *file = (struct sqlite_file){ 0 };
}

/* ---- statements */

sqlite3_stmt *sqlite_file_use(struct sqlite_file *file, enum sqlite_statement which) {
    sqlite3_stmt *statement = file->statements[which];
    (void)sqlite3_reset(statement);
    (void)sqlite3_clear_bindings(statement);
    return statement;
}

int sqlite_file_do(struct sqlite_file *file, enum sqlite_statement which, struct vsr_err *err) {
    sqlite3_stmt *statement = file->statements[which];
    int rc = sqlite3_step(statement);
    int result = rc == SQLITE_DONE || rc == SQLITE_ROW ? 0 : sqlite_file_failed(file, err);
    (void)sqlite3_reset(statement);
    return result;
}

uint64_t sqlite_file_len(struct sqlite_file *file) {
    int64_t pages = pragma(file, "PRAGMA page_count") - pragma(file, "PRAGMA freelist_count");
    return (uint64_t)(pages > 0 ? pages : 0) * (uint64_t)pragma(file, "PRAGMA page_size");
}

void sqlite_file_shrink(struct sqlite_file *file) {
    char sql[64];
    (void)snprintf(sql, sizeof(sql), "PRAGMA incremental_vacuum(%d)", SHRINK_PAGES);
    (void)exec(file, sql, NULL); /* next time, then */
}

void sqlite_bind_str(sqlite3_stmt *statement, int index, vsr_str text) {
    (void)sqlite3_bind_text(statement, index, text.len ? text.ptr : "", (int)text.len, SQLITE_STATIC);
}

void sqlite_bind_bytes(sqlite3_stmt *statement, int index, vsr_str bytes) {
    (void)sqlite3_bind_blob(statement, index, bytes.len ? bytes.ptr : "", (int)bytes.len, SQLITE_STATIC);
}

vsr_str sqlite_str(sqlite3_stmt *statement, int column) {
    const char *bytes = sqlite3_column_blob(statement, column);
    return str_make(bytes, (size_t)sqlite3_column_bytes(statement, column));
}
