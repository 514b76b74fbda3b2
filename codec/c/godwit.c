/*
 * The device's side of the Godwit frame: see godwit.h. In this order: bytes, SHA-256 and keys, AES-CCM, the session and its record, frames, statuses,
 * messages, receiving.
 */
#include "godwit.h"

#include <string.h>

enum {
	E_CONTROL = -100, /* a clear control frame; never leaves this file */

	KIND_DELTA = 0,
	KIND_KEYFRAME = 1,
	KIND_BATCH = 2,
	KIND_EXTENDED = 3,

	SLOT_RESERVED = 7,
	EXTENDED_SHORT = 0,    /* slots of kind 3 (SPEC §2) */
	EXTENDED_EXPLICIT = 1,
	EXTENDED_CONTROL = 7,

	HEADER_ACK = KIND_EXTENDED << 6 | EXTENDED_CONTROL << 3 | 4,

	DOWN_CTR_BITS = 16,
	TAG_LEN = 8,           /* of all but statuses on metered links */
	HASH_LEN = 32,
	BLOCK_LEN = 64,        /* of SHA-256 */

	DISTANCE_MAX = 32,     /* of a base, in counters */
	DISTANCE_EXPLICIT = 7, /* as base in the header: a byte with the distance follows */
	KEYFRAME_EVERY = 32,   /* the most statuses from one keyframe to the next (F-131) */
	BATCH_MAX = 257,
	FIELDS_MAX = 60,
	VERSION_EXPLICIT = 63,

	STEPS_MAX = 64,
	STEP_CLOCK = 15,
	NESTING_MAX = 4        /* levels of CBOR (F-006, F-041) */
};

#define COUNTER_MAX ((UINT64_C(1) << 40) - 1)

/* --- Bytes --- */

/* The low n bytes of v, big-endian. */
static void put_be(uint8_t *p, uint64_t v, unsigned n)
{
	while (n > 0) {
		p[--n] = (uint8_t)v;
		v >>= 8;
	}
}

static uint64_t get_be(const uint8_t *p, unsigned n)
{
	uint64_t v = 0;

	while (n-- > 0)
		v = v << 8 | *p++;
	return v;
}

/* Where the body of a frame is written. What does not fit is dropped and noted. */
struct writer {
	uint8_t *p;
	size_t n, cap;
	uint8_t free_bits; /* of the last byte, while bits are written */
	uint8_t full;
};

static void put(struct writer *w, uint8_t b)
{
	if (w->n < w->cap)
		w->p[w->n++] = b;
	else
		w->full = 1;
}

static void put_bytes(struct writer *w, const void *data, size_t n)
{
	if (n > w->cap - w->n) {
		w->full = 1;
		return;
	}
	if (n > 0)
		memmove(w->p + w->n, data, n);
	w->n += n;
}

/* Bits from the most significant on (SPEC §3.1). */
static void put_bits(struct writer *w, uint64_t v, unsigned width)
{
	while (width-- > 0) {
		if (w->free_bits == 0) {
			put(w, 0);
			w->free_bits = 8;
		}
		w->free_bits--;
		if ((v >> width & 1) != 0 && !w->full)
			w->p[w->n - 1] = (uint8_t)(w->p[w->n - 1] | 1u << w->free_bits);
	}
}

/* A CBOR head in its shortest form (F-002). Returns its length, at most 9. */
static unsigned cbor_head(uint8_t *p, unsigned major, uint64_t v)
{
	unsigned size = 1, info = 24;

	if (v < 24) {
		*p = (uint8_t)(major << 5 | (unsigned)v);
		return 1;
	}
	while (size < 8 && v >> (8 * size) != 0) {
		size *= 2;
		info++;
	}
	*p = (uint8_t)(major << 5 | info);
	put_be(p + 1, v, size);
	return 1 + size;
}

static void put_head(struct writer *w, unsigned major, uint64_t v)
{
	uint8_t head[9];

	put_bytes(w, head, cbor_head(head, major, v));
}

/* --- SHA-256 (FIPS 180-4), HMAC (RFC 2104), HKDF (RFC 5869) --- */

static const uint32_t sha256_k[64] = {
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
	0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
	0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
	0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
	0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
	0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
	0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
	0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static const uint32_t sha256_start[8] = {
	0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
};

struct sha256 {
	uint32_t h[8];
	uint32_t n; /* bytes so far; what is hashed here is far below 2^29 */
	uint8_t block[BLOCK_LEN];
};

static uint32_t rotate(uint32_t x, unsigned n)
{
	return x >> n | x << (32 - n);
}

static void sha256_block(struct sha256 *s)
{
	uint32_t w[16], v[8];
	unsigned i;

	memcpy(v, s->h, sizeof v);
	for (i = 0; i < 64; i++) {
		uint32_t t1, t2, x;

		if (i < 16) {
			x = (uint32_t)get_be(s->block + 4 * i, 4);
		} else { /* the schedule in a ring of 16 words: on a stack of a few hundred bytes 64 are too many */
			uint32_t a = w[(i + 1) % 16], b = w[(i + 14) % 16];

			x = w[i % 16] + w[(i + 9) % 16] + (rotate(a, 7) ^ rotate(a, 18) ^ a >> 3) + (rotate(b, 17) ^ rotate(b, 19) ^ b >> 10);
		}
		w[i % 16] = x;
		t1 = v[7] + (rotate(v[4], 6) ^ rotate(v[4], 11) ^ rotate(v[4], 25)) + ((v[4] & v[5]) ^ (~v[4] & v[6])) + sha256_k[i] + x;
		t2 = (rotate(v[0], 2) ^ rotate(v[0], 13) ^ rotate(v[0], 22)) + ((v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]));
		memmove(v + 1, v, 7 * sizeof v[0]);
		v[4] += t1;
		v[0] = t1 + t2;
	}
	for (i = 0; i < 8; i++)
		s->h[i] += v[i];
}

static void sha256_init(struct sha256 *s)
{
	memcpy(s->h, sha256_start, sizeof s->h);
	s->n = 0;
}

static void sha256_add(struct sha256 *s, const uint8_t *data, size_t n)
{
	while (n-- > 0) {
		s->block[s->n++ % BLOCK_LEN] = *data++;
		if (s->n % BLOCK_LEN == 0)
			sha256_block(s);
	}
}

static void sha256_end(struct sha256 *s, uint8_t out[HASH_LEN])
{
	uint8_t tail[8];
	unsigned i;
	static const uint8_t mark = 0x80, zero = 0;

	put_be(tail, (uint64_t)s->n * 8, 8);
	sha256_add(s, &mark, 1);
	while (s->n % BLOCK_LEN != BLOCK_LEN - sizeof tail)
		sha256_add(s, &zero, 1);
	sha256_add(s, tail, sizeof tail);
	for (i = 0; i < 8; i++)
		put_be(out + 4 * i, s->h[i], 4);
}

void godwit_sha256(const uint8_t *data, size_t n, uint8_t out[32])
{
	struct sha256 s;

	sha256_init(&s);
	sha256_add(&s, data, n);
	sha256_end(&s, out);
}

/* Takes a key of at most 64 bytes, as all here are, XORed with the byte of the inner or outer hash. */
static void hmac_pad(struct sha256 *s, const uint8_t *key, size_t n, unsigned pad)
{
	size_t i;

	sha256_init(s);
	for (i = 0; i < BLOCK_LEN; i++) {
		uint8_t b = (uint8_t)(i < n ? key[i] ^ pad : pad);

		sha256_add(s, &b, 1);
	}
}

/* HMAC of one message; out may be the key. */
static void hmac(const uint8_t *key, size_t key_len, const uint8_t *data, size_t n, uint8_t out[HASH_LEN])
{
	struct sha256 s;
	uint8_t inner[HASH_LEN];

	hmac_pad(&s, key, key_len, 0x36);
	sha256_add(&s, data, n);
	sha256_end(&s, inner);
	hmac_pad(&s, key, key_len, 0x5c);
	sha256_add(&s, inner, sizeof inner);
	sha256_end(&s, out);
}

/* The first block of HKDF-Expand(HKDF-Extract(salt, secret), info): no key here is longer. Extract is in prk already. info has room for a byte behind it. */
static void expand(const uint8_t prk[HASH_LEN], uint8_t *info, size_t info_len, uint8_t out[HASH_LEN])
{
	info[info_len] = 1;
	hmac(prk, HASH_LEN, info, info_len + 1, out);
}

void godwit_fleet_key(const uint8_t *fleet, uint32_t number, uint8_t *out)
{
	static const char salt[] = "godwit/1 fleet";
	uint8_t info[3 + 4 + 1] = "dev", prk[HASH_LEN];

	put_be(info + 3, number, 4);
	hmac((const uint8_t *)salt, sizeof salt - 1, fleet, GODWIT_KEY, prk);
	expand(prk, info, 3 + 4, out);
}

/* Derives n bytes for a label (SPEC §2.1). */
static void derive(const struct godwit *g, const uint8_t prk[HASH_LEN], const char *label, uint8_t *out, size_t n)
{
	uint8_t info[9 + 3 + 1 + 8 + 1] = "godwit/1|", okm[HASH_LEN];
	size_t at = 9;

	while (*label != 0)
		info[at++] = (uint8_t)*label++;
	info[at++] = '|';
	put_be(info + at, g->config->number, 4);
	put_be(info + at + 4, g->epoch, 4);
	expand(prk, info, at + 8, okm);
	memcpy(out, okm, n);
}

static void derive_seal_key(const struct godwit *g, const uint8_t prk[HASH_LEN], const char *label, struct godwit_seal_key *k)
{
	uint8_t both[16 + 13];

	derive(g, prk, label, both, sizeof both);
	memcpy(k->key, both, 16);
	memcpy(k->iv, both + 16, 13);
}

/* The keys of the epoch. */
static void derive_keys(struct godwit *g)
{
	uint8_t prk[HASH_LEN];

	hmac(g->salt, g->epoch == 0 ? 0 : sizeof g->salt, g->config->key, GODWIT_KEY, prk);
	derive_seal_key(g, prk, "up8", &g->up8);
	derive_seal_key(g, prk, "up4", &g->up4);
	derive_seal_key(g, prk, "dn", &g->dn);
	derive(g, prk, "ack", g->ack_key, sizeof g->ack_key);
}

/* Compares in constant time. */
static int equal(const uint8_t *a, const uint8_t *b, size_t n)
{
	uint8_t d = 0;

	while (n-- > 0)
		d = (uint8_t)(d | (*a++ ^ *b++));
	return d == 0;
}

/* --- AES-128-CCM (RFC 3610) with L = 2 --- */

/* Which frame this is: bound into its tag. */
struct position {
	const struct godwit_seal_key *key;
	uint64_t counter;
	uint8_t header;
	uint8_t down;
	uint8_t tag_len;
};

static void aes(const struct godwit *g, const struct position *p, const uint8_t in[16], uint8_t out[16])
{
	g->config->aes(g->config->aes_context, p->key->key, in, out);
}

static void xor_block(uint8_t *a, const uint8_t *b, size_t n)
{
	while (n-- > 0)
		*a++ ^= *b++;
}

/* Encrypts data in place, or decrypts it if open, and computes the tag of the plaintext. */
static void ccm(const struct godwit *g, const struct position *p, uint8_t *data, size_t n, int open, uint8_t tag[TAG_LEN])
{
	uint8_t mac[16], ctr[16], pad[16], aad[32];
	size_t at;
	unsigned i;

	/* nonce = IV XOR (0^5 || counter u64), in the counter block of index 0 */
	ctr[0] = 1;
	memcpy(ctr + 1, p->key->iv, 13);
	put_be(pad, p->counter, 8);
	xor_block(ctr + 6, pad, 8);
	ctr[14] = ctr[15] = 0;

	memcpy(mac, ctr, 14);
	mac[0] = (uint8_t)(1u << 6 | (p->tag_len - 2u) / 2u << 3 | 1u);
	put_be(mac + 14, n, 2);
	aes(g, p, mac, mac);

	/* the AAD (SPEC §2.2) with its length before it: 30 bytes, two blocks */
	memset(aad, 0, sizeof aad);
	aad[1] = 28;
	memcpy(aad + 2, p->down ? "godwit/1 dn" : "godwit/1 up", 11);
	aad[13] = p->header;
	put_be(aad + 14, g->config->number, 4);
	put_be(aad + 18, g->epoch, 4);
	put_be(aad + 22, p->counter, 8);
	for (i = 0; i < sizeof aad; i += 16) {
		xor_block(mac, aad + i, 16);
		aes(g, p, mac, mac);
	}

	for (at = 0, i = 1; at < n; at += 16, i++) {
		size_t size = n - at < 16 ? n - at : 16;

		put_be(ctr + 14, i, 2);
		aes(g, p, ctr, pad);
		if (open)
			xor_block(data + at, pad, size);
		xor_block(mac, data + at, size);
		if (!open)
			xor_block(data + at, pad, size);
		aes(g, p, mac, mac);
	}
	ctr[14] = ctr[15] = 0;
	aes(g, p, ctr, pad);
	xor_block(mac, pad, 16);
	memcpy(tag, mac, TAG_LEN);
}

/* Opens ciphertext and tag in place. What does not verify is wiped: nobody uses it by mistake (F-021). */
static int unseal(const struct godwit *g, const struct position *p, uint8_t *data, size_t n)
{
	uint8_t tag[TAG_LEN];

	ccm(g, p, data, n, 1, tag);
	if (equal(tag, data + n, p->tag_len))
		return 0;
	memset(data, 0, n);
	return GODWIT_E_AUTH;
}

/* --- The session and its record --- */

enum { RECORD_VERSION = 1, RECORD_CHECK = 31 };

/* version 1 | reserved 5 | down 5 | epoch 4 | salt 16 | first 4 bytes of SHA-256 over these */
static void record_check(const uint8_t *record, uint8_t check[4])
{
	uint8_t hash[HASH_LEN];

	godwit_sha256(record, RECORD_CHECK, hash);
	memcpy(check, hash, 4);
}

int godwit_boot(struct godwit *g, const struct godwit_config *config, const uint8_t *record)
{
	uint8_t check[4];

	if (config->key == NULL || config->aes == NULL || (config->ctr_bits != 8 && config->ctr_bits != 16) || (config->tag_len != 8 && config->tag_len != 4))
		return GODWIT_E_ARGUMENT;
	if (record != NULL) {
		record_check(record, check);
		if (record[0] != RECORD_VERSION || !equal(check, record + RECORD_CHECK, sizeof check))
			return GODWIT_E_MALFORMED;
	}
	memset(g, 0, sizeof *g);
	g->config = config;
	if (record != NULL) {
		g->reserved = g->promised = g->next = get_be(record + 1, 5);
		g->down = g->down_stored = g->down_promised = get_be(record + 6, 5);
		g->epoch = (uint32_t)get_be(record + 11, 4);
		memcpy(g->salt, record + 15, GODWIT_SALT);
	}
	derive_keys(g);
	return 0;
}

int godwit_record(struct godwit *g, uint8_t record[GODWIT_RECORD])
{
	if (g->next < g->reserved && g->down == g->down_stored)
		return 0;
	g->promised = g->reserved;
	if (g->next >= g->reserved) { /* F-028 */
		g->promised = g->next + (g->config->ctr_bits == 8 ? 16 : 64);
		if (g->promised > COUNTER_MAX) /* the last counter is given up, so that the number has 5 bytes */
			g->promised = COUNTER_MAX;
	}
	if (g->promised == g->reserved && g->down == g->down_stored)
		return 0; /* at the end of the epoch there is nothing more to take */
	g->down_promised = g->down;
	record[0] = RECORD_VERSION;
	put_be(record + 1, g->promised, 5);
	put_be(record + 6, g->down, 5);
	put_be(record + 11, g->epoch, 4);
	memcpy(record + 15, g->salt, GODWIT_SALT);
	record_check(record, record + RECORD_CHECK);
	return 1;
}

void godwit_stored(struct godwit *g)
{
	g->reserved = g->promised;
	g->down_stored = g->down_promised;
}

int godwit_epoch(struct godwit *g, uint32_t epoch, const uint8_t *salt)
{
	if (epoch <= g->epoch) /* an old rekey, or none */
		return GODWIT_E_ARGUMENT;
	g->epoch = epoch;
	memcpy(g->salt, salt, GODWIT_SALT);
	g->next = g->reserved = g->promised = 0; /* so that nothing is sealed before the record is written */
	g->down = g->down_stored = g->down_promised = 0;
	derive_keys(g);
	return 0;
}

uint64_t godwit_last(const struct godwit *g)
{
	return g->next - 1;
}

/* --- Frames (SPEC §2) --- */

enum { BODY_AT = GODWIT_OVERHEAD - TAG_LEN }; /* room for array, cid 5, head 3, header, counter 5 */

/* Begins the body of a frame, behind room for all that may come before it. */
static int begin(const struct godwit *g, struct writer *w, uint8_t *out, size_t cap)
{
	if (g->next > COUNTER_MAX - 1) /* F-024; see godwit_record */
		return GODWIT_E_EXHAUSTED;
	if (g->next >= g->reserved)
		return GODWIT_E_RESERVE;
	if (cap < GODWIT_OVERHEAD)
		return GODWIT_E_SPACE;
	memset(w, 0, sizeof *w);
	w->p = out + BODY_AT;
	w->cap = cap - GODWIT_OVERHEAD;
	if (w->cap > 65535 - 6 - TAG_LEN) /* a byte string has at most 65,535 bytes */
		w->cap = 65535 - 6 - TAG_LEN;
	return 0;
}

/* Seals the body under the next counter, puts together the item and moves it to the start of out. Returns its length. */
static int finish(struct godwit *g, struct writer *w, uint8_t header, unsigned flags, uint8_t *out)
{
	struct position p;
	uint8_t *start = w->p, head[9];
	unsigned ctr_len = g->config->ctr_bits / 8u, size;
	size_t n;

	if (w->full)
		return GODWIT_E_SPACE;
	p.key = &g->up8;
	p.counter = g->next;
	p.header = header;
	p.down = 0;
	p.tag_len = TAG_LEN;
	if (header >> 6 == KIND_EXTENDED) {
		if ((header >> 3 & 7) == EXTENDED_EXPLICIT)
			ctr_len = 5;
	} else {
		while (w->n > 0 && w->p[w->n - 1] == 0) /* F-016 */
			w->n--;
		if ((flags & GODWIT_METERED) != 0 && g->config->tag_len == 4) { /* F-017 */
			p.key = &g->up4;
			p.tag_len = 4;
		}
	}
	ccm(g, &p, w->p, w->n, 0, w->p + w->n);
	n = w->n + p.tag_len;

	start -= ctr_len;
	put_be(start, p.counter, ctr_len);
	*--start = header;
	n += ctr_len + 1;
	size = cbor_head(head, 2, n);
	start -= size;
	memcpy(start, head, size);
	n += size;
	if ((flags & GODWIT_ADDRESSED) != 0) {
		size = cbor_head(head, 0, g->config->number);
		start -= size;
		memcpy(start, head, size);
		*--start = 0x82;
		n += size + 1;
	}
	memmove(out, start, n);
	g->next++;
	return (int)n;
}

/* --- Statuses (SPEC §3) --- */

static const uint8_t default_model[47] = {
	55, 44, 37, 30, 26, 24, 32, 32, 32,                                                               /* turned, moved, minus */
	35, 35, 36, 36, 37, 37, 38, 38, 33, 33, 34, 34, 35, 35, 36, 36, 31, 31, 32, 32, 33, 33, 34, 34, /* more */
	29, 29, 30, 30, 31, 31, 32, 32, 33, 33, 33, 33, 33, 33,                                         /* more, half */
};

enum { /* where the decisions of a kind begin in a model, and the two of which the index is the same everywhere */
	TURNED = 0,
	MOVED = 2,
	MINUS = 6,
	MORE = 9,
	HALF = 41,
	INDEX_GROUP = 47,
	INDEX_RARE = 56
};

/* P[0..31] of SPEC §3.2; P[i] is 4096 - P[63 - i] from there on. */
static const uint16_t probability[32] = {
	1, 1, 2, 2, 3, 4, 5, 7, 9, 12, 15, 20, 26, 33, 43, 55, 72, 92, 119, 153, 196, 251, 319, 405, 510, 638, 791, 970, 1176, 1405, 1654, 1915,
};

/* Writes a status: plain bits of a keyframe, or decisions by the range coder of a delta. */
struct encoder {
	struct writer w;
	const struct godwit_template *t;
	size_t start; /* of the range code within w */
	uint32_t low, width;
	uint8_t packed;
};

static void range_begin(struct encoder *e)
{
	e->packed = 1;
	e->start = e->w.n;
	e->low = 0;
	e->width = UINT32_MAX;
}

/* Adds to low. A carry adds one to the bytes that went out; it ends within them. */
static void range_add(struct encoder *e, uint32_t d)
{
	size_t i = e->w.n;

	e->low += d;
	if (e->low >= d)
		return;
	while (i > e->start && ++e->w.p[--i] == 0)
		;
}

static void range_normalize(struct encoder *e)
{
	while (e->width < UINT32_C(1) << 24) {
		put(&e->w, (uint8_t)(e->low >> 24));
		e->low <<= 8;
		e->width <<= 8;
	}
}

/* A decision of which index gives the probability of 0. */
static void decide(struct encoder *e, unsigned index, int one)
{
	int likelier_is_one = index < 32;
	uint32_t bound = (e->width >> 12) * (4096u - probability[likelier_is_one ? index : 63 - index]);

	if (one == likelier_is_one) {
		e->width = bound;
	} else {
		range_add(e, bound);
		e->width -= bound;
	}
	range_normalize(e);
}

/* Bits of which nothing is expected. */
static void plain(struct encoder *e, uint64_t v, unsigned bits)
{
	if (!e->packed) {
		put_bits(&e->w, v, bits);
		return;
	}
	while (bits > 0) {
		unsigned n = bits < 8 ? bits : 8;

		bits -= n;
		e->width >>= n;
		range_add(e, ((uint32_t)(v >> bits) & ((1u << n) - 1)) * e->width);
		range_normalize(e);
	}
}

/* The shortest number within the interval, of these the smallest. */
static void range_end(struct encoder *e)
{
	uint32_t mask = UINT32_MAX, up;
	unsigned n = 0;

	for (;;) {
		up = (0 - e->low) & mask; /* to the next number of n bytes */
		if (n == 4 || up < e->width)
			break;
		n++;
		mask >>= 8;
	}
	range_add(e, up);
	while (n-- > 0) {
		put(&e->w, (uint8_t)(e->low >> 24));
		e->low <<= 8;
	}
}

/* How much a field moved last: not at all, up to 2^spread, up to four times that, more. */
static unsigned activity(int64_t moved, unsigned spread)
{
	if (moved < 0)
		moved = -moved;
	if (moved == 0)
		return 0;
	if (moved <= INT64_C(1) << spread)
		return 1;
	return moved <= INT64_C(4) << spread ? 2 : 3;
}

/* What is said of a residual: the coding of the field, and its last move. */
static void residual(struct encoder *e, const uint8_t *model, unsigned order, unsigned spread, int64_t moved, int64_t v)
{
	unsigned active = activity(moved, spread), class = 0, bits = order;
	const uint8_t *more = model + MORE + 8 * active;
	uint64_t rest;

	decide(e, model[MOVED + active], v != 0);
	if (v == 0)
		return;
	decide(e, model[MINUS + (moved < 0 ? 1 : moved > 0 ? 2 : 0)], v < 0);
	rest = (uint64_t)(v < 0 ? -v : v) - 1;
	while (rest >> bits != 0) { /* class j spans 2^(order+j) magnitudes */
		decide(e, more[class < 7 ? class : 7], 1);
		rest -= UINT64_C(1) << bits;
		class++;
		bits++;
	}
	decide(e, more[class < 7 ? class : 7], 0);
	if (class > 0) {
		bits--;
		decide(e, model[HALF + (class < 6 ? class - 1 : 5)], (rest >> bits & 1) != 0);
	}
	plain(e, rest, bits);
}

enum { FIELD_SEEN = 1, FIELD_MEASURED = 2 };

static int64_t last_n(const struct godwit_field_state *s)
{
	return (int64_t)((uint64_t)s->n_high << 32 | s->n_low);
}

/* moved is at least -2^40: its upper part is taken from it shifted up, for shifting a negative number is not the same everywhere. */
static int64_t last_move(const struct godwit_field_state *s)
{
	return (int64_t)s->moved_high * (INT64_C(1) << 32) + (int64_t)s->moved_low;
}

static void set_field(struct godwit_field_state *s, int64_t n, int64_t moved)
{
	s->n_low = (uint32_t)n;
	s->n_high = (uint8_t)(n >> 32);
	s->moved_low = (uint32_t)moved;
	s->moved_high = (int16_t)((moved - (int64_t)s->moved_low) / (INT64_C(1) << 32));
	s->flags = FIELD_SEEN | FIELD_MEASURED;
}

/* The highest n that is a value: all ones mean "not measured" in a field without a presence bit. */
static int64_t top(const struct godwit_field *f)
{
	return (INT64_C(1) << f->width) - (f->optional ? 1 : 2);
}

/* The n of a value, at the nearest end of the range if it is outside (F-031). */
static int64_t steps(const struct godwit_field *f, int64_t value)
{
	uint64_t n = (uint64_t)value - (uint64_t)f->offset;

	if (value < f->offset)
		return 0;
	return n > (uint64_t)top(f) ? top(f) : (int64_t)n;
}

static unsigned present_groups(const struct godwit_template *t, const struct godwit_status *s)
{
	unsigned present = 1, i;

	for (i = 0; i < t->count; i++)
		if (s->values[i] != GODWIT_NONE)
			present |= 1u << t->fields[i].group;
	return present;
}

static unsigned highest_group(const struct godwit_template *t)
{
	unsigned highest = 0, i;

	for (i = 0; i < t->count; i++)
		if (t->fields[i].group > highest)
			highest = t->fields[i].group;
	return highest;
}

/* a / b towards the earlier, for b above 0. */
static int64_t floor_div(int64_t a, int64_t b)
{
	int64_t q = a / b;

	return q * b > a ? q - 1 : q;
}

static unsigned time_bits(const struct godwit_template *t)
{
	return t->minutes ? 16 : 20;
}

static int32_t window_mask(const struct godwit_template *t)
{
	return (INT32_C(1) << time_bits(t)) - 1;
}

/* A time as it is on air: in units of the template, modulo its window. */
static int32_t time_field(const struct godwit_template *t, int64_t seconds)
{
	return (int32_t)((uint64_t)(t->minutes ? floor_div(seconds, 60) : seconds) & (uint64_t)window_mask(t));
}

/* How much later b is than a, from minus a quarter of the window to below three quarters. */
static int32_t between(const struct godwit_template *t, int32_t a, int32_t b)
{
	int32_t mask = window_mask(t);
	int32_t d = (int32_t)((uint32_t)b - (uint32_t)a) & mask;

	return d >= (mask + 1) / 4 * 3 ? d - mask - 1 : d;
}

static void put_rare(struct encoder *e, const struct godwit_status *s)
{
	plain(e, s->version, 6);
	if (s->version == VERSION_EXPLICIT)
		plain(e, s->build, 32);
	plain(e, s->boot_changed != 0, 1);
	plain(e, s->has_step != 0, 1);
	if (s->has_step) {
		plain(e, s->step, 4);
		plain(e, s->step_code, 8);
	}
}

/* A keyframe (SPEC §3.1). */
static void put_keyframe(struct encoder *e, const struct godwit_status *s)
{
	const struct godwit_template *t = e->t;
	unsigned present = present_groups(t, s), groups = highest_group(t), i;

	plain(e, s->clock_valid != 0, 1);
	if (s->clock_valid)
		plain(e, (uint64_t)time_field(t, s->time), time_bits(t));
	for (i = 1; i <= groups; i++)
		plain(e, present >> i & 1, 1);
	for (i = 0; i < t->count; i++) {
		const struct godwit_field *f = &t->fields[i];
		int measured = s->values[i] != GODWIT_NONE;

		if ((present >> f->group & 1) == 0) /* F-032 */
			continue;
		if (f->optional)
			plain(e, (uint64_t)measured, 1);
		if (measured)
			plain(e, (uint64_t)steps(f, s->values[i]), f->width);
		else if (!f->optional)
			plain(e, UINT64_MAX, f->width);
	}
	plain(e, s->rare != 0, 1);
	if (s->rare)
		put_rare(e, s);
}

/* Makes a state that of before the first status. */
static void reset_state(const struct godwit_template *t, struct godwit_state *st)
{
	memset(st->fields, 0, t->count * sizeof st->fields[0]);
	st->time = st->once = st->jitter = 0;
	st->step = (int32_t)t->interval;
	st->groups = 0;
	st->timed = 0;
}

/* The state after a keyframe. */
static void keyframe_state(const struct godwit_template *t, struct godwit_state *st, const struct godwit_status *s)
{
	unsigned i;

	reset_state(t, st);
	if (s->clock_valid) {
		st->time = time_field(t, s->time);
		st->timed = 1;
	}
	for (i = 0; i < t->count; i++)
		if (s->values[i] != GODWIT_NONE)
			set_field(&st->fields[i], steps(&t->fields[i], s->values[i]), 0);
	st->groups = (uint16_t)present_groups(t, s);
}

/* Takes a step that was seen twice for the expected one: a gap comes once, another interval stays. */
static void learn(struct godwit_state *st, int32_t step)
{
	if (st->step == 0 || (step == st->once && step != 0)) {
		st->step = step;
		st->once = 0;
		return;
	}
	st->once = step == st->step ? 0 : step;
}

static const uint8_t *model_of(const uint8_t *model)
{
	return model != NULL ? model : default_model;
}

/* The time of a packed status. Returns how much time has passed since the one before, in units of the template. */
static int32_t put_time(struct encoder *e, struct godwit_state *st, const struct godwit_status *s, int32_t distance)
{
	const struct godwit_template *t = e->t;
	const uint8_t *model = model_of(t->model);
	int32_t expected = (st->time + st->step * distance) & window_mask(t), at, passed, off;
	int valid = s->clock_valid != 0;

	decide(e, model[TURNED + (st->timed ? 0 : 1)], valid != (st->timed != 0));
	if (!valid) {
		st->time = expected; /* of no matter if no time is known */
		return st->step * distance;
	}
	at = time_field(t, s->time);
	if (!st->timed) {
		plain(e, (uint64_t)at, time_bits(t));
		st->time = at;
		st->timed = 1;
		return 0;
	}
	off = between(t, expected, at);
	residual(e, model, t->order, t->spread, st->jitter, off);
	passed = between(t, st->time, at);
	st->jitter = st->step == 0 ? 0 : off;
	learn(st, passed / distance);
	st->time = at;
	return passed;
}

/* A time in seconds as steps of a field that counts time, rounded down. */
static int64_t elapsed(const struct godwit_field *f, int64_t seconds)
{
	int64_t coef = (int64_t)f->coef;
	int e;

	for (e = f->exp; e < 0; e++)
		seconds *= 10;
	for (e = f->exp; e > 0; e--)
		coef *= 10;
	return floor_div(seconds, coef);
}

static void put_field(struct encoder *e, const struct godwit_field *f, struct godwit_field_state *fs, int64_t value, int32_t passed)
{
	const uint8_t *model = model_of(f->model);
	int was = (fs->flags & FIELD_MEASURED) != 0, is = value != GODWIT_NONE;
	int64_t n, expected, moved;

	decide(e, model[TURNED + (was ? 0 : 1)], is != was);
	if (!is) {
		fs->flags &= FIELD_SEEN;
		return;
	}
	n = steps(f, value);
	if ((fs->flags & FIELD_SEEN) == 0) {
		plain(e, (uint64_t)n, f->width);
		set_field(fs, n, 0);
		return;
	}
	moved = last_move(fs);
	expected = last_n(fs);
	if (f->predictor == 1)
		expected += elapsed(f, (int64_t)passed * (e->t->minutes ? 60 : 1));
	else if (f->predictor == 2)
		expected += moved;
	if (expected < 0)
		expected = 0;
	if (expected > top(f))
		expected = top(f);
	residual(e, model, f->order, f->spread, moved, n - expected);
	set_field(fs, n, n - (f->predictor == 1 ? expected : last_n(fs)));
}

/* A status against the state of one so many counters before, which becomes the state after it. */
static void put_packed(struct encoder *e, struct godwit_state *st, const struct godwit_status *s, int32_t distance)
{
	const struct godwit_template *t = e->t;
	unsigned present = present_groups(t, s), groups = highest_group(t), i;
	int32_t passed = put_time(e, st, s, distance);

	for (i = 1; i <= groups; i++)
		decide(e, INDEX_GROUP, ((present ^ st->groups) >> i & 1) != 0);
	for (i = 0; i < t->count; i++) {
		const struct godwit_field *f = &t->fields[i];

		if ((present >> f->group & 1) == 0)
			st->fields[i].flags &= FIELD_SEEN;
		else
			put_field(e, f, &st->fields[i], s->values[i], passed);
	}
	st->groups = (uint16_t)present;
	decide(e, INDEX_RARE, s->rare != 0);
	if (s->rare)
		put_rare(e, s);
}

int godwit_history_init(struct godwit_history *h, struct godwit_state *states, struct godwit_field_state *fields, uint8_t count, uint8_t field_count)
{
	unsigned i;

	if (count < 2 || field_count == 0 || field_count > FIELDS_MAX)
		return GODWIT_E_ARGUMENT;
	memset(states, 0, count * sizeof *states);
	for (i = 0; i < count; i++)
		states[i].fields = fields + (size_t)i * field_count;
	h->states = states;
	h->count = count;
	h->run = 0;
	h->epoch = 0;
	return 0;
}

enum { STATE_FREE, STATE_SENT, STATE_KNOWN };

/* Finds the newest base that a frame of the next counter can have, NULL if there is none, and the state that is missed least. */
static struct godwit_state *choose(const struct godwit *g, struct godwit_history *h, struct godwit_state **room)
{
	struct godwit_state *base = NULL, *s;

	if (h->epoch != g->epoch) { /* counters of another epoch name other frames */
		for (s = h->states; s < h->states + h->count; s++)
			s->use = STATE_FREE;
		h->epoch = g->epoch;
	}
	for (s = h->states; s < h->states + h->count; s++)
		if (s->use == STATE_KNOWN && g->next - s->counter <= DISTANCE_MAX && (base == NULL || s->counter > base->counter))
			base = s;
	*room = NULL;
	for (s = h->states; s < h->states + h->count; s++) {
		if (s == base)
			continue;
		if (s->use != STATE_SENT) { /* free, or a base older than the newest */
			*room = s;
			break;
		}
		if (*room == NULL || s->counter < (*room)->counter)
			*room = s;
	}
	(*room)->use = STATE_FREE;
	return base;
}

static void copy_state(struct godwit_state *to, const struct godwit_state *from, uint8_t fields)
{
	struct godwit_field_state *own = to->fields;

	*to = *from;
	to->fields = own;
	memcpy(own, from->fields, fields * sizeof *own);
}

static int check_template(const struct godwit_template *t, uint8_t slot)
{
	return slot < SLOT_RESERVED && t->count > 0 && t->count <= FIELDS_MAX;
}

static int check_status(const struct godwit_status *s)
{
	return s->values != NULL && s->version <= VERSION_EXPLICIT && s->step <= 15;
}

/* Writes the distance of a base where the header has no room for it (F-130). Returns the base bits. */
static uint8_t put_distance(struct encoder *e, uint64_t distance)
{
	if (distance < DISTANCE_EXPLICIT)
		return (uint8_t)distance;
	put(&e->w, (uint8_t)distance);
	return DISTANCE_EXPLICIT;
}

/* Seals what the encoder holds and keeps the state after it. */
static int finish_status(struct godwit *g, struct encoder *e, unsigned header, unsigned flags, struct godwit_history *h, struct godwit_state *room,
                         unsigned run, uint8_t *out)
{
	uint64_t counter = g->next;
	int n = finish(g, &e->w, (uint8_t)header, flags, out);

	if (n < 0 || h == NULL)
		return n;
	room->counter = counter;
	room->use = STATE_SENT;
	h->run = (uint8_t)run;
	return n;
}

int godwit_status(struct godwit *g, const struct godwit_template *t, uint8_t slot, struct godwit_history *h, const struct godwit_status *status,
                  unsigned flags, uint8_t *out, size_t cap)
{
	struct encoder e;
	struct godwit_state *base = NULL, *room = NULL;
	unsigned header;
	int err;

	if (!check_template(t, slot) || !check_status(status))
		return GODWIT_E_ARGUMENT;
	if ((err = begin(g, &e.w, out, cap)) < 0)
		return err;
	e.t = t;
	e.packed = 0;
	if (h != NULL)
		base = choose(g, h, &room);
	if (base == NULL || h->run >= KEYFRAME_EVERY - 1 || (flags & (GODWIT_ASK | GODWIT_KEYFRAME)) != 0) {
		put_keyframe(&e, status);
		if (h != NULL)
			keyframe_state(t, room, status);
		header = (unsigned)KIND_KEYFRAME << 6 | (unsigned)slot << 3 | ((flags & GODWIT_ASK) != 0);
		return finish_status(g, &e, header, flags, h, room, 0, out);
	}
	copy_state(room, base, t->count);
	room->use = STATE_FREE;
	header = (unsigned)KIND_DELTA << 6 | (unsigned)slot << 3 | put_distance(&e, g->next - base->counter);
	range_begin(&e);
	put_packed(&e, room, status, (int32_t)(g->next - base->counter));
	range_end(&e);
	return finish_status(g, &e, header, flags, h, room, h->run + 1u, out);
}

int godwit_batch(struct godwit *g, const struct godwit_template *t, uint8_t slot, struct godwit_history *h, const struct godwit_status *statuses,
                 size_t count, unsigned flags, uint8_t *out, size_t cap)
{
	struct encoder e;
	struct godwit_state *base, *room;
	unsigned header = (unsigned)KIND_BATCH << 6 | (unsigned)slot << 3, run = 0;
	size_t i;
	int err;

	if (!check_template(t, slot) || h == NULL || count < 2 || count > BATCH_MAX || (flags & GODWIT_ASK) != 0)
		return GODWIT_E_ARGUMENT;
	for (i = 0; i < count; i++)
		if (!check_status(&statuses[i]))
			return GODWIT_E_ARGUMENT;
	if ((err = begin(g, &e.w, out, cap)) < 0)
		return err;
	e.t = t;
	base = choose(g, h, &room);
	if (base == NULL || h->run >= KEYFRAME_EVERY - 1 || (flags & GODWIT_KEYFRAME) != 0) {
		reset_state(t, room);
	} else {
		copy_state(room, base, t->count);
		room->use = STATE_FREE;
		header |= put_distance(&e, g->next - base->counter);
		run = h->run + 1u;
	}
	put(&e.w, (uint8_t)(count - 2));
	range_begin(&e);
	for (i = 0; i < count; i++)
		put_packed(&e, room, &statuses[i], 1);
	range_end(&e);
	return finish_status(g, &e, header, flags, h, room, run, out);
}

void godwit_delivered(struct godwit_history *h, uint64_t counter)
{
	struct godwit_state *s;

	for (s = h->states; s < h->states + h->count; s++)
		if (s->use == STATE_SENT && s->counter == counter)
			s->use = STATE_KNOWN;
}

/* --- Messages (SPEC §4) --- */

enum { MESSAGE_HEADER = KIND_EXTENDED << 6 | EXTENDED_SHORT << 3, HELLO_HEADER = KIND_EXTENDED << 6 | EXTENDED_EXPLICIT << 3 | 1 };

/* A text of a hello. One that is too long for it spoils the frame, as one that does not fit. */
static void put_text(struct writer *w, const char *text)
{
	size_t n = 0;

	while (n <= 64 && text[n] != 0)
		n++;
	if (n > 64) { /* F-043 */
		w->full = 1;
		return;
	}
	put_head(w, 3, n);
	put_bytes(w, text, n);
}

/* Key and text; nothing if there is none. Returns the number of pairs. */
static unsigned put_key_text(struct writer *w, unsigned key, const char *text)
{
	if (text == NULL || *text == 0)
		return 0;
	put_head(w, 0, key);
	put_text(w, text);
	return 1;
}

static unsigned put_key_number(struct writer *w, unsigned key, uint64_t v)
{
	if (v == 0)
		return 0;
	put_head(w, 0, key);
	put_head(w, 0, v);
	return 1;
}

int godwit_send_hello(struct godwit *g, const struct godwit_hello *hello, unsigned flags, uint8_t *out, size_t cap)
{
	struct writer w;
	size_t map;
	unsigned pairs = 0, i;
	int err;

	if (hello->build_len > 32 || hello->template_count > 7 || hello->bearer_count > 8)
		return GODWIT_E_ARGUMENT;
	if ((err = begin(g, &w, out, cap)) < 0)
		return err;
	put(&w, GODWIT_HELLO);
	map = w.n;
	put(&w, 0); /* the head of the map, when the pairs are counted */
	pairs += put_key_text(&w, 1, hello->version);
	if (hello->build_len > 0) {
		put_head(&w, 0, 2);
		put_head(&w, 2, hello->build_len);
		put_bytes(&w, hello->build, hello->build_len);
		pairs++;
	}
	pairs += put_key_text(&w, 3, hello->product);
	pairs += put_key_text(&w, 4, hello->hardware);
	pairs += put_key_number(&w, 5, hello->free_memory);
	pairs += put_key_number(&w, 6, hello->boot_count);
	pairs += put_key_number(&w, 7, hello->reset_cause);
	if (hello->template_count > 0) {
		put_head(&w, 0, 8);
		put_head(&w, 4, hello->template_count);
		for (i = 0; i < hello->template_count; i++) {
			put_head(&w, 2, 8);
			put_bytes(&w, hello->templates[i]->hash, 8);
		}
		pairs++;
	}
	if (hello->bearer_count > 0) {
		put_head(&w, 0, 9);
		put_head(&w, 4, hello->bearer_count);
		for (i = 0; i < hello->bearer_count; i++)
			put_text(&w, hello->bearers[i]);
		pairs++;
	}
	pairs += put_key_number(&w, 10, g->next);
	if (w.full)
		return GODWIT_E_SPACE;
	w.p[map] = (uint8_t)(5u << 5 | pairs);
	return finish(g, &w, HELLO_HEADER, flags, out);
}

int godwit_send(struct godwit *g, uint8_t type, const uint8_t *body, size_t n, unsigned flags, uint8_t *out, size_t cap)
{
	struct writer w;
	int err;

	if (type == GODWIT_HELLO) /* F-015 */
		return GODWIT_E_ARGUMENT;
	if ((err = begin(g, &w, out, cap)) < 0)
		return err;
	w.n = w.cap > 0 ? 1 : 0;
	put_bytes(&w, body, n);
	if (w.full || w.n == 0)
		return GODWIT_E_SPACE;
	w.p[0] = type; /* last: body may lie where it goes */
	return finish(g, &w, (uint8_t)(MESSAGE_HEADER | ((flags & GODWIT_ASK) != 0)), flags, out);
}

/* An age of so many bits: three of exponent, the others of mantissa (SPEC §4.2, F-061). */
static uint32_t pack_age(uint32_t minutes, unsigned bits)
{
	unsigned m = bits - 3, e = 0;
	uint32_t f = minutes;

	if (f >= UINT32_C(1) << m) {
		e = 1;
		while (f >= UINT32_C(2) << m) {
			f >>= 1;
			e++;
		}
		if (e > 7)
			return (UINT32_C(1) << bits) - 1;
		f -= UINT32_C(1) << m;
	}
	return (uint32_t)e << m | f;
}

int godwit_send_steps(struct godwit *g, uint32_t rollout, const struct godwit_step *steps_, uint8_t count, int64_t clock, unsigned flags, uint8_t *out,
                      size_t cap)
{
	struct writer w;
	unsigned i;
	int err;

	if (count == 0 || count > STEPS_MAX)
		return GODWIT_E_ARGUMENT;
	for (i = 0; i < count; i++)
		if (steps_[i].step >= STEP_CLOCK)
			return GODWIT_E_ARGUMENT;
	if ((err = begin(g, &w, out, cap)) < 0)
		return err;
	put(&w, GODWIT_STEP_LOG);
	put_head(&w, 0, rollout);
	for (i = 0; i < count; i++) {
		const struct godwit_step *s = &steps_[i];

		if (s->code <= 1)
			put_bits(&w, (uint32_t)s->step << 11 | (uint32_t)s->code << 10 | pack_age(s->age_minutes, 10), 16);
		else
			put_bits(&w, UINT32_C(1) << 23 | (uint32_t)s->step << 19 | (uint32_t)s->code << 11 | pack_age(s->age_minutes, 11), 24);
	}
	if (clock >= 0)
		put_bits(&w, UINT32_C(0xf8) << 16 | (uint32_t)((uint64_t)clock / 60 & 0xffff), 24);
	return finish(g, &w, (uint8_t)(MESSAGE_HEADER | ((flags & GODWIT_ASK) != 0)), flags, out);
}

/* --- Receiving --- */

/* A CBOR reader. Its functions return 0, or GODWIT_E_MALFORMED also for what is cut. */
struct reader {
	const uint8_t *p;
	size_t left;
};

/* Reads a head. shortest refuses longer ones than need be (F-002); floats are never longer. */
static int read_head(struct reader *r, int shortest, unsigned *major, unsigned *info, uint64_t *v)
{
	unsigned size = 0;

	if (r->left == 0)
		return GODWIT_E_MALFORMED;
	*major = *r->p >> 5;
	*info = *r->p & 31u;
	*v = *info;
	if (*info >= 28)
		return GODWIT_E_MALFORMED;
	if (*info >= 24)
		size = 1u << (*info - 24);
	if (r->left < 1 + size)
		return GODWIT_E_MALFORMED;
	if (size > 0) {
		*v = get_be(r->p + 1, size);
		if (shortest && *major != 7 && (size == 1 ? *v < 24 : *v >> (4 * size) == 0))
			return GODWIT_E_MALFORMED;
	}
	r->p += 1 + size;
	r->left -= 1 + size;
	return 0;
}

/* Passes over an item of up to NESTING_MAX levels (F-006), without recursion: what is left of each level is counted. */
static int skip_item(struct reader *r, int shortest)
{
	uint64_t left[NESTING_MAX + 1], v;
	unsigned depth = 0, major, info;

	left[0] = 1;
	for (;;) {
		while (left[depth] == 0) {
			if (depth == 0)
				return 0;
			depth--;
		}
		left[depth]--;
		if (read_head(r, shortest, &major, &info, &v) < 0)
			return GODWIT_E_MALFORMED;
		if (major == 7 ? info < 20 || info == 24 : major == 2 || major == 3 ? v > r->left : 0)
			return GODWIT_E_MALFORMED;
		if (major == 2 || major == 3) {
			r->p += (size_t)v;
			r->left -= (size_t)v;
		}
		if (major < 4 || major == 7)
			continue;
		if (depth == NESTING_MAX || (major != 6 && v > r->left)) /* each child has a byte at least */
			return GODWIT_E_MALFORMED;
		left[++depth] = major == 6 ? 1 : major == 5 ? 2 * v : v;
	}
}

int godwit_next(uint8_t **at, size_t *left, struct godwit_item *item)
{
	struct reader r;
	unsigned major, info;
	uint64_t v;
	uint8_t first;

	r.p = *at;
	r.left = *left;
	if (r.left == 0)
		return GODWIT_E_MALFORMED;
	first = *r.p;
	memset(item, 0, sizeof *item);
	item->raw = *at;
	if ((first >= 0xa0 && first <= 0xbb) || first == 0xd2) {
		item->form = first == 0xd2 ? GODWIT_SIGNED : GODWIT_MAP;
		if (skip_item(&r, 1) < 0)
			return GODWIT_E_MALFORMED;
	} else {
		item->form = GODWIT_SEALED;
		if (first == 0x82) {
			item->form = GODWIT_WITH_CID;
			r.p++;
			r.left--;
			if (read_head(&r, 1, &major, &info, &v) < 0 || major != 0 || v > UINT32_MAX) /* F-005 */
				return GODWIT_E_MALFORMED;
			item->cid = (uint32_t)v;
		}
		if (read_head(&r, 1, &major, &info, &v) < 0 || major != 2 || info > 25 || v > r.left) /* F-001 */
			return GODWIT_E_MALFORMED;
		item->content = *at + (r.p - *at);
		item->len = (size_t)v;
		r.p += item->len;
		r.left -= item->len;
	}
	item->raw_len = *left - r.left;
	*at += item->raw_len;
	*left = r.left;
	return 0;
}

/* A sealed frame, taken apart. */
struct sealed {
	uint8_t header, tag_len;
	uint8_t ctr_bits;
	uint64_t low;     /* bits of the counter */
	uint8_t *body;    /* ciphertext, behind it the tag */
	size_t len;       /* of the ciphertext */
};

static int parse_sealed(uint8_t *content, size_t n, uint8_t ctr_bits, uint8_t tag_len, struct sealed *s)
{
	unsigned kind, slot, base, ctr_len;

	if (n == 0)
		return GODWIT_E_MALFORMED;
	s->header = content[0];
	kind = s->header >> 6;
	slot = s->header >> 3 & 7u;
	base = s->header & 7u;
	if (kind == KIND_EXTENDED) {
		if (slot == EXTENDED_CONTROL)
			return E_CONTROL;
		if (slot > EXTENDED_EXPLICIT || base > 1 || tag_len != TAG_LEN) /* F-011, F-012, F-017 */
			return GODWIT_E_MALFORMED;
		if (slot == EXTENDED_EXPLICIT)
			ctr_bits = 40;
	} else if (slot == SLOT_RESERVED || (kind == KIND_KEYFRAME && base > 1)) { /* F-010, F-013 */
		return GODWIT_E_MALFORMED;
	}
	ctr_len = ctr_bits / 8u;
	if (n < 1 + ctr_len + (size_t)tag_len) /* F-014 */
		return GODWIT_E_MALFORMED;
	s->ctr_bits = ctr_bits;
	s->tag_len = tag_len;
	s->low = get_be(content + 1, ctr_len);
	s->body = content + 1 + ctr_len;
	s->len = n - 1 - ctr_len - tag_len;
	return 0;
}

/* The whole counter: the value nearest to the expected one, of two the larger; expected 0 means that none was verified (F-025). */
static uint64_t complete(uint64_t low, unsigned bits, uint64_t expected)
{
	uint64_t window, c;

	if (bits >= 40 || expected == 0)
		return low;
	window = UINT64_C(1) << bits;
	c = (expected & ~(window - 1)) | low;
	if (c > COUNTER_MAX)
		return c - window;
	if (c + window / 2 <= expected && c + window <= COUNTER_MAX)
		return c + window;
	if (c > expected + window / 2 && c >= window)
		return c - window;
	return c;
}

int godwit_ack_covers(const struct godwit_ack *ack, uint64_t counter)
{
	uint64_t d = ack->counter - counter; /* far above 32 if the counter is the later one */

	return d == 0 || (d <= 32 && (ack->bitmap >> (d - 1) & 1) != 0);
}

/* An acknowledgement (SPEC §5.1), of a device that used the counters below next. */
static int open_ack(const struct godwit *g, const uint8_t *content, size_t n, uint64_t next, struct godwit_ack *ack)
{
	uint8_t text[12 + 4 + 4 + 8 + 1 + 4] = "godwit/1 ack", mac[HASH_LEN];
	unsigned size, i;

	if (content[0] != HEADER_ACK || n < 1 + 2 + 1 + 8 || n > 1 + 2 + 4 + 8)
		return GODWIT_E_MALFORMED;
	size = (unsigned)n - 1 - 2 - 8;
	if (size > 1 && content[3 + size - 1] == 0) /* F-051 */
		return GODWIT_E_MALFORMED;
	if (next == 0)
		return GODWIT_E_AUTH;
	/* the largest counter, not above the last one, with these low bits (F-052) */
	ack->counter = next - 1 - ((next - 1 - get_be(content + 1, 2)) & 0xffff);
	if (ack->counter >= next)
		return GODWIT_E_AUTH; /* a counter that was never used */
	put_be(text + 12, g->config->number, 4);
	put_be(text + 16, g->epoch, 4);
	put_be(text + 20, ack->counter, 8);
	text[28] = content[0];
	memcpy(text + 29, content + 3, size);
	hmac(g->ack_key, sizeof g->ack_key, text, 29 + size, mac);
	if (!equal(mac, content + 3 + size, 8))
		return GODWIT_E_AUTH;
	ack->bitmap = 0;
	for (i = 0; i < size; i++)
		ack->bitmap |= (uint32_t)content[3 + i] << (8 * i);
	return 0;
}

int godwit_receive(struct godwit *g, struct godwit_history *h, const struct godwit_item *item, struct godwit_received *r)
{
	struct sealed s;
	struct position p;
	struct godwit_state *st;
	int err;

	memset(r, 0, sizeof *r);
	if (item->content == NULL)
		return GODWIT_E_MALFORMED;
	err = parse_sealed(item->content, item->len, DOWN_CTR_BITS, TAG_LEN, &s);
	if (err == E_CONTROL) {
		if ((err = open_ack(g, item->content, item->len, g->next, &r->ack)) < 0)
			return err;
		if (h != NULL && h->epoch == g->epoch)
			for (st = h->states; st < h->states + h->count; st++)
				if (st->use == STATE_SENT && godwit_ack_covers(&r->ack, st->counter))
					st->use = STATE_KNOWN;
		return GODWIT_GOT_ACK;
	}
	if (err < 0)
		return err;
	if (s.header >> 6 != KIND_EXTENDED) /* the gateway sends nothing else */
		return GODWIT_E_MALFORMED;
	p.key = &g->dn;
	p.counter = complete(s.low, s.ctr_bits, g->down);
	p.header = s.header;
	p.down = 1;
	p.tag_len = s.tag_len;
	if (p.counter < g->down)
		return GODWIT_E_REPLAY;
	if ((err = unseal(g, &p, s.body, s.len)) < 0)
		return err;
	g->down = p.counter + 1;
	if (s.len == 0)
		return GODWIT_E_MALFORMED; /* authentic, and without even a type */
	r->counter = p.counter;
	r->ack_asked = s.header & 1;
	r->type = s.body[0];
	r->body = s.body + 1;
	r->len = s.len - 1;
	return GODWIT_GOT_MESSAGE;
}

int godwit_rekey(struct godwit *g, const uint8_t *body, size_t len)
{
	struct reader r;
	const uint8_t *salt = NULL;
	unsigned major, info;
	uint64_t pairs, key, epoch = 0, v;

	r.p = body;
	r.left = len;
	if (read_head(&r, 0, &major, &info, &pairs) < 0 || major != 5 || pairs > 64)
		return GODWIT_E_MALFORMED;
	for (; pairs > 0; pairs--) {
		if (read_head(&r, 0, &major, &info, &key) < 0 || major != 0)
			return GODWIT_E_MALFORMED;
		if (key != 1 && key != 3) {
			if ((key & 1) != 0 || skip_item(&r, 0) < 0) /* F-064 */
				return GODWIT_E_MALFORMED;
			continue;
		}
		if (read_head(&r, 0, &major, &info, &v) < 0)
			return GODWIT_E_MALFORMED;
		if (key == 1) {
			if (major != 0 || v == 0 || v > UINT32_MAX || epoch != 0) /* F-070, F-041: no key twice */
				return GODWIT_E_MALFORMED;
			epoch = v;
			continue;
		}
		if (major != 2 || v != GODWIT_SALT || r.left < GODWIT_SALT || salt != NULL)
			return GODWIT_E_MALFORMED;
		salt = r.p;
		r.p += GODWIT_SALT;
		r.left -= GODWIT_SALT;
	}
	if (r.left > 0 || epoch == 0 || salt == NULL)
		return GODWIT_E_MALFORMED;
	return godwit_epoch(g, (uint32_t)epoch, salt);
}
