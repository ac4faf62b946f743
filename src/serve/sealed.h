/*
 * sealed - texts that clients keep for vsr and cannot read: AES-256-GCM with a key of this server.
 *
 * `include: ["reasoning.encrypted_content"]` gives a client the reasoning of a model as such a text; sent back, it is
 * opened again, by this server or by another one that has the same key. Whose it is is sealed along with it. The key is
 * $VSR_RESPONSES_KEY (32 bytes, in hexadecimal or base64); without it a random one lies in the state directory in
 * `responses.key`, readable by its owner alone, and without a directory it lasts as long as the process.
 *
 *     base64url( version 1 | nonce 12 | ciphertext | tag 16 )
 *
 * Immutable once made: any thread.
 */
#ifndef VSR_SERVE_SEALED_H
#define VSR_SERVE_SEALED_H

#include "core/err.h"
#include "core/str.h"

struct arena;
struct sealer;

enum { SEALED_KEY_LEN = 32, SEALED_LEN_MAX = 64 << 20 };

/*
 * `key` is the value of the variable; empty: from `state_dir`, where it is made when it is not there; that empty, too:
 * for this process alone. VSR_E_INVALID for a key that is none, VSR_E_IO for a directory that cannot be used.
 */
int sealer_new(vsr_str key, vsr_str state_dir, struct sealer **ret_sealer, struct vsr_err *err) VSR_MUST_CHECK;
void sealer_free(struct sealer *sealer); /* NULL is allowed */

/* In `arena`. VSR_E_LIMIT, VSR_E_NOMEM. */
int sealer_seal(const struct sealer *sealer, struct arena *arena, vsr_str owner, vsr_str plain, vsr_str *ret_sealed);
/* VSR_E_INVALID when it was not sealed with this key for this owner, or was changed; VSR_E_NOMEM. */
int sealer_open(const struct sealer *sealer, struct arena *arena, vsr_str owner, vsr_str sealed, vsr_str *ret_plain);

#endif
