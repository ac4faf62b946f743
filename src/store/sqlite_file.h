/*
 * sqlite_file - the SQLite file that responses are kept in: made, brought to today's schema, and its statements.
 *
 * Write-ahead log, synchronous=NORMAL: what was committed survives the end of the process, whatever its kind, and all
 * but the last moments survive a loss of power. Several processes may share a file. One thread.
 */
#ifndef VSR_STORE_SQLITE_FILE_H
#define VSR_STORE_SQLITE_FILE_H

#include <sqlite3.h>
#include <stdint.h>

#include "core/err.h"
#include "core/str.h"

enum sqlite_statement {
    SQL_BEGIN,
    SQL_COMMIT,
    SQL_ROLLBACK,
    SQL_PUT,
    SQL_PROGRESS,
    SQL_STATE,
    SQL_GET,
    SQL_DELETE,
    SQL_FORGET,
    SQL_DELETE_LOG,
    SQL_DELETE_EVENTS,
    SQL_LOG_GET,
    SQL_LOG_PUT,
    SQL_LOG_SIZE,
    SQL_EVENT_PUT,
    SQL_EVENT_FIRST,
    SQL_EVENTS,
    SQL_EVENTS_TRIM,
    SQL_UNFINISHED,
    SQL_EXPIRE,
    SQL_OLDEST_LOG,
    SQL_TRIM,
    SQL_TRIM_UNFINISHED,
    SQL_STATEMENTS,
};

struct sqlite_file {
    sqlite3 *db;
    sqlite3_stmt *statements[SQL_STATEMENTS];
};

/* Makes the file, readable by its owner alone, and the directories above it. Free with sqlite_file_close(), also after
 * a failure. */
int sqlite_file_open(struct sqlite_file *file, const char *path, uint64_t len_max, struct vsr_err *err) VSR_MUST_CHECK;
void sqlite_file_close(struct sqlite_file *file);

/* The statement, with nothing bound. */
sqlite3_stmt *sqlite_file_use(struct sqlite_file *file, enum sqlite_statement which);
/* Runs it to its end. VSR_E_IO with what SQLite says. */
int sqlite_file_do(struct sqlite_file *file, enum sqlite_statement which, struct vsr_err *err);
int sqlite_file_failed(struct sqlite_file *file, struct vsr_err *err);

/* Bytes in use. */
uint64_t sqlite_file_len(struct sqlite_file *file);
/* Gives space that is not in use back to the file system, some of it. */
void sqlite_file_shrink(struct sqlite_file *file);

void sqlite_bind_str(sqlite3_stmt *statement, int index, vsr_str text);
void sqlite_bind_bytes(sqlite3_stmt *statement, int index, vsr_str bytes);
/* Valid until the statement moves on. */
vsr_str sqlite_str(sqlite3_stmt *statement, int column);

#endif
