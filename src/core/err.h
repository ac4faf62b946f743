/*
 * err - what went wrong, for programs and for people.
 *
 * A function that can fail returns 0 or a negative VSR_E_* code and adds what it knows to the error: err_set() where it
 * happens, err_wrap() on the way up. Only the outermost layer logs or answers. An error is a plain struct on the
 * caller's stack; text past its size is cut. Passing NULL where an error is expected is allowed and drops the text.
 */
#ifndef VSR_CORE_ERR_H
#define VSR_CORE_ERR_H

#include <stddef.h>
#include <stdint.h>

#include "core/str.h"

/* name, value, text */
#define VSR_ERRORS(X) \
    X(NOMEM, -1, "out of memory") \
    X(LIMIT, -2, "a limit was reached") \
    X(SYNTAX, -3, "malformed input") \
    X(INVALID, -4, "invalid value") \
    X(NOT_FOUND, -5, "not found") \
    X(EXISTS, -6, "exists already") \
    X(IO, -7, "input or output failed") \
    X(TIMEOUT, -8, "timed out") \
    X(CANCELLED, -9, "cancelled") \
    X(CLOSED, -10, "connection closed") \
    X(REFUSED, -11, "connection refused") \
    X(TLS, -12, "TLS failed") \
    X(DNS, -13, "name resolution failed") \
    X(PROTOCOL, -14, "protocol violated") \
    X(UNAVAILABLE, -15, "unavailable") \
    X(INTERNAL, -16, "internal error")

enum vsr_code {
    VSR_OK = 0,
#define X(name, value, text) VSR_E_##name = value,
    VSR_ERRORS(X)
#undef X
};

enum { VSR_ERR_TEXT_LEN = 480, VSR_ERR_WHERE_LEN = 160 };

struct vsr_err {
    int code;                      /* VSR_OK until set */
    uint32_t line, col;            /* 1-based; 0 when there is no source position */
    char where[VSR_ERR_WHERE_LEN]; /* file name or JSON path; "" when unknown */
    char text[VSR_ERR_TEXT_LEN];
};

#define VSR_ERR_NONE ((struct vsr_err){ .code = VSR_OK })

/* Stores code and text, forgetting what was there. Returns `code`, so that `return err_set(...)` reads well. */
int err_set(struct vsr_err *err, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));
#ifdef __clang_analyzer__ /* it does not see that the result is the code, and takes failures for success */
#define err_set(err, code, ...) ((void)(err_set)(err, code, __VA_ARGS__), (code))
#endif

/* Puts "context: " before the text. Returns the error's code. */
int err_wrap(struct vsr_err *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Says where: a file or path, and a 1-based position (0 when unknown). */
void err_at(struct vsr_err *err, vsr_str where, uint32_t line, uint32_t col);

/* "where:line:col: text" without the parts that are unknown, NUL-terminated, cut to `len`. Returns `out`. */
const char *err_print(const struct vsr_err *err, char *out, size_t len);

/* The general text of a code, never NULL. */
const char *err_code_text(int code);

#define VSR_MUST_CHECK __attribute__((warn_unused_result))

#endif
