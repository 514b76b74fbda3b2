/*
 * The device's side of the Godwit frame: see godwit.h. In this order: bytes, SHA-256 and keys, AES-CCM, the session and its record, frames, statuses,
 * messages, receiving, joins.
 *
 * It is written for little code on a 32-bit core without division: one function where two would do, 32 bits where the format allows, keys derived where they
 * are used, and no operation that needs a helper of the compiler's library but shifts of 64 bits. What is inlined and what is not was measured (make c).
 */
#include "godwit.h"

#include <string.h>

/* An int of 16 bits would cut headers and counters without a word. */
typedef char godwit_int_has_32_bits[sizeof(int) >= 4 ? 1 : -1];

enum {
	KIND_KEYFRAME = 1 << 6, /* bits of a header (SPEC §2); a delta has none */
	KIND_BATCH = 2 << 6,
	KIND_EXTENDED = 3 << 6,
	EXTENDED_EXPLICIT = KIND_EXTENDED | 1 << 3,
	CONTROL_REQUEST = KIND_EXTENDED | 7 << 3, /* the clear control frames (SPEC §5) */
	CONTROL_ACCEPT,
	CONTROL_CHALLENGE,
	CONTROL_CONFIRM,
	CONTROL_ACK,

	SLOT_RESERVED = 7,
	TAG_LEN = 8,           /* of all but statuses on metered links */
	MAC_LEN = 8,           /* of control frames */
	NONCE_LEN = 8,
	HASH_LEN = 32,
	BLOCK_LEN = 64,        /* of SHA-256 */

	DISTANCE_MAX = 32,     /* of a base, in counters */
	DISTANCE_EXPLICIT = 7, /* as base in the header: a byte with the distance follows */
	KEYFRAME_EVERY = 32,   /* the most frames of statuses from one that needs no base to the next (F-131) */
	BATCH_MAX = 257,
	FIELDS_MAX = 60,
	VERSION_EXPLICIT = 63,

	STEPS_MAX = 64,
	STEP_CLOCK = 15,
	NESTING_MAX = 4,       /* levels of CBOR (F-006, F-041) */
	PAIRS_MAX = 64,
	TEXT_LEN_MAX = 64,     /* of a text but a URL */
	DAY_MINUTES = 1440,
	SECONDS_HIGH = 255     /* of Unix seconds in bits from the 32nd on: they are below 2^40 (F-065) */
};

/*
 * A compiler that inlines a function saves time, which is not short here. Of those that are APART GCC also forgets what it knows of their insides: what it
 * does with that is larger.
 */
#ifdef __GNUC__
#define NOINLINE __attribute__((noinline))
#else
#define NOINLINE
#endif
#if defined __GNUC__ && !defined __clang__ && __GNUC__ >= 8
#define APART __attribute__((noipa))
#else
#define APART NOINLINE
#endif

/* --- Bytes --- */

/* The low n bytes of v, big-endian. */
static NOINLINE void put_be(uint8_t *p, uint32_t v, unsigned n)
{
	while (n > 0) {
		p[--n] = (uint8_t)v;
		v >>= 8;
	}
}

static uint32_t get_be(const uint8_t *p, unsigned n)
{
	uint32_t v = 0;

	while (n-- > 0)
		v = v << 8 | *p++;
	return v;
}

/* Where something is written. What does not fit is dropped and noted. */
struct writer {
	uint8_t *p;
	int32_t n, cap;
	int error;
	const struct godwit_out *out; /* of a frame */
};

static APART void put_bytes(struct writer *w, const void *data, size_t n)
{
	if (n > (size_t)(w->cap - w->n)) {
		if (w->error == 0)
			w->error = GODWIT_E_SPACE;
		return;
	}
	if (n > 0)
		memmove(w->p + w->n, data, n);
	w->n += (int32_t)n;
}

static NOINLINE void put_int(struct writer *w, uint32_t v, unsigned n)
{
	uint8_t b[8]; /* a counter of a text is the longest */

	put_be(b, v, n);
	put_bytes(w, b, n);
}

static NOINLINE void put(struct writer *w, unsigned b)
{
	put_int(w, b, 1);
}

static NOINLINE void put_u32(struct writer *w, uint32_t v)
{
	put_int(w, v, 4);
}

/* A CBOR head in its shortest form (F-002); major is in its upper three bits. */
static NOINLINE void put_head(struct writer *w, unsigned major, uint32_t v)
{
	unsigned size = 0;

	if (v < 24) {
		major |= v;
	} else {
		major |= 24;
		for (size = 1; v >> (4 * size) >> (4 * size) != 0; size *= 2) /* in two halves: 32 at once are too many */
			major++;
	}
	put(w, major);
	put_int(w, v, size);
}

enum { TEXT_AT = 16 + 2, TEXT_MAX = 48 };

enum { CBOR_UINT = 0, CBOR_BYTES = 0x40, CBOR_TEXT = 0x60, CBOR_ARRAY = 0x80, CBOR_MAP = 0xa0 };

/* --- SHA-256 (FIPS 180-4), HMAC (RFC 2104), HKDF (RFC 5869) --- */

/*
 * HMAC replaces its key. All keys have 32 bytes here: what is shorter, as a salt, has zeros behind it, which HMAC would put there itself.
 */
#ifdef GODWIT_HMAC
#define hmac godwit_hmac
#else

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

/* The words of the state stand backwards, h before a: so a round moves them and the block by one place in one go. */
static const uint32_t sha256_start[8] = {
	0x5be0cd19, 0x1f83d9ab, 0x9b05688c, 0x510e527f, 0xa54ff53a, 0x3c6ef372, 0xbb67ae85, 0x6a09e667,
};

/* The state, and what a block does with it. */
struct sha256 {
	uint32_t v[8 + 16 + 1]; /* h to a, the next 16 words of the schedule, of which the first are the block, and the one behind these */
	const uint32_t *before; /* the state before the block: the start, or that of the block before */
	uint32_t h[8];          /* the state after it */
};

static uint32_t rotate(uint32_t x, unsigned n)
{
	return x >> n | x << (32 - n);
}

/* The four sigmas: three rotations, of which one is a shift in the schedule; it is one here and is made one there. */
static NOINLINE uint32_t mix(uint32_t x, unsigned a, unsigned b, unsigned c)
{
	return rotate(x, a) ^ rotate(x, b) ^ rotate(x, c);
}

static NOINLINE void sha256_block(struct sha256 *s)
{
	uint32_t *v = s->v;
	unsigned i;

	memcpy(v, s->before, sizeof s->h);
	for (i = 0; i < 64; i++) {
		v[24] = (mix(v[9], 7, 18, 3) ^ v[9] << 29) + (mix(v[22], 17, 19, 10) ^ v[22] << 22) + v[8] + v[17];
		v[8] += v[0] + sha256_k[i] + (v[1] ^ (v[3] & (v[2] ^ v[1]))) + mix(v[3], 6, 11, 25);
		v[4] += v[8];
		v[8] += ((v[7] & (v[6] | v[5])) | (v[6] & v[5])) + mix(v[7], 2, 13, 22); /* the word that was used up becomes a */
		memmove(v, v + 1, 24 * sizeof v[0]);
	}
	for (i = 0; i < 8; i++)
		s->h[i] = v[i] + s->before[i];
	s->before = s->h;
}

/* Hashes data, behind a block of a key of 32 bytes and zeros that a byte was added to in each place, if that is not 0. */
static NOINLINE void hash(uint8_t out[HASH_LEN], const uint8_t *data, size_t n, const uint8_t *key, unsigned pad)
{
	struct sha256 s;
	uint32_t b, *w;
	size_t end = BLOCK_LEN + n, i = 0; /* what is hashed here is far below 2^29 bytes */

	s.before = sha256_start;
	if (pad == 0)
		i = BLOCK_LEN;
	else
		n = end;
	do {
		if (i < HASH_LEN)
			b = key[i] ^ pad;
		else if (i < BLOCK_LEN)
			b = pad;
		else if (i < end)
			b = *data++;
		else
			b = i == end ? 0x80 : 0;
		w = &s.v[8 + i / 4 % 16];
		*w = *w << 8 | b;
		i++;
		if (i % BLOCK_LEN == 0)
			sha256_block(&s);
	} while (i <= end || i % BLOCK_LEN != BLOCK_LEN - 8);
	s.v[8 + 14] = 0;
	s.v[8 + 15] = (uint32_t)n * 8;
	sha256_block(&s);
	for (i = 0; i < 8; i++)
		put_be(out + 4 * i, s.h[7 - i], 4);
}

void godwit_sha256(const uint8_t *data, size_t n, uint8_t out[32])
{
	hash(out, data, n, NULL, 0);
}

static NOINLINE void hmac(uint8_t key[HASH_LEN], const uint8_t *data, size_t n)
{
	uint8_t inner[HASH_LEN];

	hash(inner, data, n, key, 0x36);
	hash(key, inner, sizeof inner, key, 0x5c);
}

#endif

/*
 * What a frame is sealed, opened or acknowledged with: a text that is under a MAC, and the key that belongs to it. The text stands where CCM has its
 * associated data, behind the first block of its MAC and two bytes with the length.
 */
struct work {
	struct writer w; /* into the text */
	const struct godwit *g;
	struct godwit_epoch *epoch;       /* NULL: of joins, which are of none */
	unsigned label;                   /* of the key: where it is in words */
	unsigned header;                  /* in the text, if it is not 0 */
	uint64_t counter;                 /* of a frame for CCM, as all that follows but the key */
	unsigned tag_len;
	unsigned open;                    /* 1: data is ciphertext */
	unsigned index;                   /* of the next block of the key stream */
	uint8_t mac[16];                  /* the tag, at the end */
	uint8_t key[HASH_LEN];            /* and what was made with it; for CCM 16 bytes of AES and 13 of the IV */
	uint8_t block[16 + 2 + TEXT_MAX];
};

/* The salt of what is of no epoch, and behind it the labels of keys: a place in one text is less code than a pointer to each. */
static const char words[] = "godwit/1 root\0\0\0up8\0up4\0dn\0join\0ack";
enum { UP8 = GODWIT_SALT, UP4 = UP8 + 4, DOWN = UP4 + 4, JOIN = DOWN + 3, ACK = JOIN + 5 };

enum { OF_KEY = '|' }; /* no header */

/*
 * Begins the text of a key, which has its label between bars, or another one that is under a MAC, which has the label behind a space, without the digit at
 * its end, and maybe a header. All else is the same.
 */
static NOINLINE void text_begin(struct work *x, unsigned header)
{
	const char *label;
	char last = '9';

	x->w.p = x->block + TEXT_AT;
	x->w.n = 0;
	x->w.cap = TEXT_MAX;
	put_bytes(&x->w, words, 9); /* with the space */
	if (header == OF_KEY) {
		x->w.p[8] = OF_KEY;
		last = 0;
	}
	for (label = words + x->label; *label > last; label++)
		put(&x->w, (uint8_t)*label);
	if (header != 0)
		put(&x->w, header);
	put_u32(&x->w, x->g->config->number);
	if (x->epoch != NULL)
		put_u32(&x->w, x->epoch->number);
}

/* Computes the HMAC of the text. */
static NOINLINE void text_hmac(struct work *x)
{
	hmac(x->key, x->w.p, (size_t)x->w.n);
}

/* Derives a key of an epoch, or the one of joins (SPEC §2.1, §5.2), and begins its text. No key is longer than the first block of HKDF-Expand. */
static NOINLINE void derive(struct work *x)
{
	memset(x->key, 0, HASH_LEN);
	memcpy(x->key, x->epoch != NULL ? (const void *)x->epoch->salt : words, GODWIT_SALT); /* that of epoch 0 is all zeros, as none would be */
	hmac(x->key, x->g->config->key, GODWIT_KEY);
	text_begin(x, OF_KEY);
	put(&x->w, 1);
	text_hmac(x);
	text_begin(x, x->header);
}

void godwit_fleet_key(const uint8_t *fleet, uint32_t number, uint8_t *out)
{
	uint8_t info[3 + 4 + 1] = "dev\0\0\0\0\1";

	put_be(info + 3, number, 4);
	memset(out, 0, HASH_LEN);
	memcpy(out, "godwit/1 fleet", 14);
	hmac(out, fleet, GODWIT_KEY);
	hmac(out, info, sizeof info);
}

/* Compares in constant time. Returns 0 if they are the same. */
static APART unsigned differ(const uint8_t *a, const uint8_t *b, size_t n)
{
	unsigned d = 0;

	while (n-- > 0)
		d |= (unsigned)(a[n] ^ b[n]);
	return d;
}

/* --- AES-128-CCM (RFC 3610) with L = 2 --- */

static NOINLINE void aes(struct work *x, uint8_t block[16])
{
	x->g->config->aes(x->g->config->aes_context, x->key, block, block);
}

static NOINLINE void xor_block(uint8_t *a, const uint8_t *b, size_t n)
{
	while (n-- > 0)
		a[n] ^= b[n];
}

/* Goes over data block by block: puts it into the MAC, or encrypts or decrypts it. */
static APART void ccm_blocks(struct work *x, unsigned crypt, uint8_t *data, size_t n)
{
	while (n > 0) {
		size_t size = n < 16 ? n : 16;

		if (crypt) {
			uint8_t *pad = x->block + 16; /* what was there is in the MAC by now */

			memcpy(pad, x->block, 16);
			put_be(pad + 14, x->index++, 2);
			aes(x, pad);
			xor_block(data, pad, size);
		} else {
			xor_block(x->mac, data, size);
			aes(x, x->mac);
		}
		data += size;
		n -= size;
	}
}

/* Encrypts data in place, or decrypts it, and computes the tag of the plaintext. */
static NOINLINE void ccm(struct work *x, uint8_t *data, size_t n)
{
	/* the AAD (SPEC §2.2), two blocks with its length before it and zeros behind it */
	derive(x);
	put_u32(&x->w, (uint32_t)(x->counter >> 32));
	put_u32(&x->w, (uint32_t)x->counter);
	put_int(&x->w, 0, 2);

	x->block[0] = (uint8_t)(0x39 + 4 * x->tag_len);
	memcpy(x->block + 1, x->key + 16, 13); /* nonce = IV XOR (0^5 || counter u64) */
	xor_block(x->block + 6, x->block + TEXT_AT + 20, 8);
	put_be(x->block + 14, (uint32_t)n << 16 | 28, 4); /* lengths of the data and of the AAD */
	memset(x->mac, 0, sizeof x->mac);
	ccm_blocks(x, 0, x->block, 48);
	x->block[0] = 1;
	x->index = 1;
	ccm_blocks(x, x->open, data, n); /* the MAC is of the plaintext */
	ccm_blocks(x, 1 - x->open, data, n);
	x->index = 0;
	ccm_blocks(x, 1, x->mac, 16);
}

/* --- The session and its record --- */

enum { CHECK_LEN = 8, CHECK_AT = 8, JOIN_FRAMES = 1 << 21 };

/* The last counter is given up, so that there is a number above each. The format has 2^40 of them, of which a device uses the first 2^32. */
#define COUNTER_END UINT32_MAX

/* A record is good if it is whole and this device's: CHECK_LEN bytes of this from CHECK_AT on say so. Those before were the check of an earlier layout. */
static void record_check(const struct godwit_config *config, const uint8_t *record, uint8_t check[HASH_LEN])
{
	memcpy(check, config->key, GODWIT_KEY);
	hmac(check, record + CHECK_LEN, GODWIT_RECORD - CHECK_LEN);
}

int godwit_boot(struct godwit *g, const struct godwit_config *config, const uint8_t *record)
{
	uint8_t check[HASH_LEN];

	memset(g, 0, sizeof *g);
	g->config = config;
	g->entered = 1;
	if (record == NULL) {
		g->memory.known = 1;
		return 0;
	}
	record_check(config, record, check);
	if (differ(check + CHECK_AT, record, CHECK_LEN))
		return GODWIT_E_MALFORMED;
	memcpy(&g->memory, record, GODWIT_RECORD);
	g->next = g->promised = g->memory.epochs[0].end;
	return 0;
}

/* Whether permanent memory holds what is known, but for the counters: not, or not until what the last record holds is there. */
enum { CHANGED = 1 }; /* and more bits once a record has it */

int godwit_record(struct godwit *g, uint8_t record[GODWIT_RECORD])
{
	struct godwit_memory *m = &g->memory;
	uint32_t end = m->epochs[0].end;
	uint8_t check[HASH_LEN];

	g->promised = end;
	if (g->next >= end) { /* F-028 */
		g->promised = g->next + (UINT32_C(64) >> 2 * g->config->short_counter);
		if (g->promised < g->next)
			g->promised = COUNTER_END;
	}
	if (g->promised == end && !g->changed)
		return 0;
	g->changed |= (uint8_t)(g->changed << 1);
	m->epochs[0].end = g->promised;
	memcpy(record, m, GODWIT_RECORD);
	m->epochs[0].end = end;
	record_check(g->config, record, check);
	memcpy(record, check + CHECK_AT, CHECK_LEN);
	return 1;
}

void godwit_stored(struct godwit *g)
{
	g->memory.epochs[0].end = g->promised;
	if (g->changed != CHANGED)
		g->changed = 0;
}

/* Begins an epoch. Nothing is sealed in it before the record is written, for no counter is taken ahead. */
static NOINLINE void enter(struct godwit *g, uint32_t number, const uint8_t *salt)
{
	struct godwit_epoch *e = g->memory.epochs;

	e[0].end = g->next;
	e[1] = e[0];
	if (g->memory.known < 2) /* the one before is none if nothing was known */
		g->memory.known++;
	e[0].number = number;
	e[0].end = g->next = g->promised = 0;
	e[0].down = 0;
	memcpy(e[0].salt, salt, GODWIT_SALT);
	g->entered++;
	g->joining = 0;
	g->changed = CHANGED;
}

uint32_t godwit_last(const struct godwit *g)
{
	return g->next - 1;
}

int godwit_join_due(const struct godwit *g)
{
	return g->memory.known == 0 || g->next >= JOIN_FRAMES;
}

/* --- Frames (SPEC §2) --- */

/* In the buffer: room for array, cid 5, head 3, and the header with the longest counter. */
enum { BODY_AT = 9 + 1 + 5 };

/* Begins the body of a frame, behind room for all that may come before it. */
static NOINLINE void begin(struct writer *w, const struct godwit *g, const struct godwit_out *out)
{
	w->p = out->buffer + BODY_AT;
	w->out = out;
	w->n = w->error = 0;
	w->cap = (int32_t)out->cap - GODWIT_OVERHEAD;
	if (g->memory.known == 0) /* F-108 */
		w->error = GODWIT_E_JOIN;
	else if (g->next >= g->memory.epochs[0].end) /* also at the end of F-024 */
		w->error = GODWIT_E_RESERVE;
	else if (w->cap < 0)
		w->error = GODWIT_E_SPACE;
	if (w->error != 0)
		w->cap = 0;
}

/* Puts the heads before a content that lies behind room for them, or elsewhere. Returns the length of the item. */
static NOINLINE int envelope(const struct godwit *g, const uint8_t *content, size_t n, const struct godwit_out *out)
{
	struct writer w;

	w.p = out->buffer;
	w.n = 0;
	w.cap = out->cap;
	if ((out->flags & GODWIT_ADDRESSED) != 0) {
		put(&w, 0x82);
		put_head(&w, CBOR_UINT, g->config->number);
	}
	put_head(&w, CBOR_BYTES, (uint32_t)n);
	put_bytes(&w, content, n);
	return (int)w.n;
}

/* Seals the body under the next counter and puts together the item at the start of the buffer. Returns its length. */
static NOINLINE int finish(struct writer *w, struct godwit *g, unsigned header)
{
	struct work x;
	unsigned n = (unsigned)w->n, ctr_len, cut = 0;
	uint8_t *content = w->p;
	const struct godwit_out *out = w->out;
	unsigned flags = out->flags;

	if (w->error != 0)
		return w->error;
	if (header < KIND_EXTENDED) {
		while (n > 0 && content[n - 1] == 0) /* F-016 */
			n--;
		cut = flags / GODWIT_METERED & g->config->short_tag; /* F-017 */
	}
	x.tag_len = TAG_LEN - 4 * cut;
	x.label = UP8 + (UP4 - UP8) * cut;
	x.g = g;
	x.epoch = g->memory.epochs;
	x.counter = g->next;
	x.open = 0;
	x.header = header | (header & flags & GODWIT_ASK) / GODWIT_ASK; /* keyframes and what is extended can ask */
	ccm(&x, content, n);
	memcpy(content + n, x.mac, x.tag_len);
	ctr_len = g->config->short_counter ? 2 : 3;
	if ((x.header & ~1u) == EXTENDED_EXPLICIT)
		ctr_len = 6;
	put_be(content - 5, g->next++, 5);
	content -= ctr_len;
	*content = (uint8_t)x.header;
	return envelope(g, content, ctr_len + n + x.tag_len, out);
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

/* 4096 - P[0..31] of SPEC §3.2; P[i] is 4096 - P[63 - i] from there on. */
static const uint16_t likelier[32] = {
	4095, 4095, 4094, 4094, 4093, 4092, 4091, 4089, 4087, 4084, 4081, 4076, 4070, 4063, 4053, 4041,
	4024, 4004, 3977, 3943, 3900, 3845, 3777, 3691, 3586, 3458, 3305, 3126, 2920, 2691, 2442, 2181,
};

/*
 * Writes statuses. A keyframe is a status against the state of before the first one, in which nothing is known: each decision is then the plain bit that a
 * keyframe has in its place. Its bits come out of the range code as they are, for the width is a power of two from the beginning on.
 */
struct encoder {
	struct writer w;
	uint32_t low, width;
	unsigned packed;                    /* 0 in a keyframe */
	const struct godwit_template *t;
	struct godwit_state *st;            /* of the status before, which becomes that of this one */
	int32_t distance;                   /* to it, in counters */
	int32_t passed;                     /* since then, in units of time */
	const struct godwit_coding *coding; /* of the field that is written, with moved */
	int64_t moved;
};

/* Adds to low, and narrows the interval to a width: the bytes that are settled go out. A carry adds one to those that went before; it ends within them if all fitted. */
static NOINLINE void range(struct encoder *e, uint32_t d, uint32_t width)
{
	int32_t i = e->w.n;

	e->low += d;
	if (e->low < d && e->w.error == 0)
		while (++e->w.p[--i] == 0)
			;
	while (width >> 24 == 0) {
		put(&e->w, e->low >> 24);
		e->low <<= 8;
		width <<= 8;
	}
	e->width = width;
}

/* Bits of which nothing is expected. */
static NOINLINE void plain(struct encoder *e, unsigned bits, uint64_t v)
{
	while (bits > 0) {
		unsigned n = bits < 8 ? bits : 8;
		uint32_t width = e->width >> n;

		bits -= n;
		range(e, ((uint32_t)(v >> bits) & ((1u << n) - 1)) * width, width);
	}
}

/* Whether there are deltas and batches: without them the compiler leaves out what only they need. */
#ifdef GODWIT_NO_DELTA
enum { DELTAS = 0 };
#else
enum { DELTAS = 1 };
#endif

/* A decision of which index gives the probability of 0. */
static NOINLINE void decide(struct encoder *e, unsigned index, unsigned one)
{
	uint32_t bound;

	if (!DELTAS || !e->packed) {
		plain(e, 1, one);
		return;
	}
	if (index < 32)
		one ^= 1;
	else
		index = 63 - index;
	bound = (e->width >> 12) * likelier[index];
	if (one)
		range(e, bound, e->width - bound);
	else
		range(e, 0, bound);
}

/* A decision of the model. */
static NOINLINE void say(struct encoder *e, unsigned at, unsigned one)
{
	const uint8_t *model = e->coding->model;

	if (model == NULL)
		model = default_model;
	decide(e, model[at], one);
}

/* The shortest number within the interval, of these the smallest: it has no byte more, or one. */
static void range_end(struct encoder *e)
{
	uint32_t up = 0 - e->low, width = 1 << 24;

	if (up >= e->width) {
		up &= 0xffffff;
		width = 1 << 16;
	}
	range(e, up, width);
}

/* One less than the magnitude of v, which is not 0. */
static NOINLINE uint64_t beyond_one(int64_t v)
{
	return v < 0 ? ~(uint64_t)v : (uint64_t)v - 1;
}

/* What is said of a residual. */
static NOINLINE void residual(struct encoder *e, int64_t v)
{
	uint64_t rest, part;
	unsigned active = 0, minus = 0, more, bits, at = 0, half = 0;

	if (e->moved != 0) { /* how much it moved last: up to 2^spread, up to four times that, more */
		rest = beyond_one(e->moved) >> e->coding->spread;
		active = rest == 0 ? 1 : rest < 4 ? 2 : 3;
		minus = e->moved < 0 ? 1 : 2;
	}
	say(e, MOVED + active, v != 0);
	if (v == 0)
		return;
	say(e, MINUS + minus, v < 0);
	bits = e->coding->order;
	rest = beyond_one(v) + (UINT32_C(1) << bits); /* so class j has the highest bit order + j */
	more = MORE + 8 * active;
	while ((part = rest >> bits) != 1) {
		say(e, more + at, 1);
		if (at < 7)
			at++;
		half = (unsigned)part & 1;
		bits++;
	}
	say(e, more + at, 0);
	if (at > 0) {
		bits--;
		say(e, at < 6 ? HALF - 1 + at : HALF + 5, half);
	}
	plain(e, bits, rest);
}

/* a / b towards the earlier, for b up to 2^31. Bit by bit: the compiler's library has a larger one. */
static APART int64_t floor_div(int64_t a, uint32_t b)
{
	uint32_t sign = a < 0 ? UINT32_MAX : 0, high = (uint32_t)((uint64_t)a >> 32) ^ sign, low = (uint32_t)a ^ sign, rest = 0;
	unsigned i;

	for (i = 0; i < 64; i++) {
		rest = rest << 1 | high >> 31;
		high = high << 1 | low >> 31;
		low <<= 1;
		if (rest >= b) {
			rest -= b;
			low++;
		}
	}
	return (int64_t)((uint64_t)(high ^ sign) << 32 | (low ^ sign));
}

enum { FIELD_MEASURED = 1, FIELD_SEEN = 2 };

/* v at the nearest end of the field's range if it is outside (F-031). All ones mean "not measured" where there is no presence bit. */
static NOINLINE int64_t clamp(const struct godwit_coding *c, int64_t v)
{
	int64_t top = (int64_t)((UINT64_MAX >> (64 - c->width)) ^ (1u - c->optional));

	if (v > top)
		v = top;
	return v < 0 ? 0 : v;
}

static NOINLINE int64_t last_move(const struct godwit_field_state *fs)
{
	return (int64_t)((uint64_t)(int64_t)fs->moved_high << 32 | fs->moved_low);
}

/* A product of more than 32 bits, from two that fit: n has 16. The compiler's library has a larger one. */
static int64_t times(int32_t a, int32_t n)
{
	uint32_t low = ((uint32_t)a & 0xffff) * (uint32_t)n;
	int32_t high = (a >> 16) * n + (int32_t)(low >> 16);

	return (int64_t)((uint64_t)(uint32_t)(high >> 16) << 32 | ((uint32_t)high << 16 | (low & 0xffff)));
}

/* The upper half of GODWIT_NONE is that of no value. */
static int measured(const int64_t *value)
{
	return (int32_t)(*value >> 32) != INT32_MIN;
}

static void put_field(struct encoder *e, const struct godwit_field *f, struct godwit_field_state *fs, const int64_t *value)
{
	unsigned was = fs->flags & FIELD_MEASURED, is = (unsigned)measured(value);
	const struct godwit_coding *c = &f->coding;
	int64_t n, expected;

	e->coding = c;
	if ((DELTAS && e->packed) || c->optional)
		say(e, TURNED + 1 - was, is ^ was);
	else if (!is)
		plain(e, c->width, ~(uint64_t)0);
	if (!is) {
		fs->flags &= FIELD_SEEN;
		return;
	}
	n = clamp(c, (int64_t)((uint64_t)*value - (uint64_t)f->offset));
	expected = n;
	if (!DELTAS || fs->flags == 0) {
		plain(e, c->width, (uint64_t)n);
	} else {
		int64_t before = (int64_t)((uint64_t)fs->n_high << 32 | fs->n_low);

		e->moved = last_move(fs);
		expected = before;
		if (f->predictor == 1)
			expected += floor_div(times(e->passed, f->rise), f->per);
		else if (f->predictor == 3)
			expected = 0;
		else if (f->predictor == 2)
			expected += last_move(fs);
		else if (f->predictor == 4 && fs[-1].flags & FIELD_MEASURED)
			expected += last_move(&fs[-1]);
		expected = clamp(c, expected);
		residual(e, n - expected);
		if ((f->predictor & 1) == 0)
			expected = before;
	}
	fs->n_low = (uint32_t)n;
	fs->n_high = (uint8_t)(n >> 32);
	n -= expected; /* the move */
	fs->moved_low = (uint32_t)n;
	fs->moved_high = (int16_t)(n >> 32);
	fs->flags = FIELD_SEEN | FIELD_MEASURED;
}

/* How much later b is than a, from minus a quarter of the window to below three quarters. */
static NOINLINE int32_t between(int32_t a, int32_t b, int32_t mask)
{
	int32_t quarter = (mask >> 2) + 1;

	return ((b - a + quarter) & mask) - quarter;
}

/* The time of a status. */
static NOINLINE void put_time(struct encoder *e, const struct godwit_status *s)
{
	const struct godwit_coding *c = &e->t->time;
	struct godwit_state *st = e->st;
	unsigned valid = s->clock_valid;
	int32_t mask = (INT32_C(1) << c->width) - 1, at, off;

	e->coding = c;
	e->passed = st->step * e->distance;
	at = (st->time + e->passed) & mask; /* the expected time */
	say(e, TURNED + 1 - st->timed, valid ^ st->timed);
	if (!valid) {
		st->time = at; /* of no matter if no time is known */
		return;
	}
	off = at;
	at = (int32_t)(uint32_t)floor_div(s->time, e->t->unit) & mask;
	if (!DELTAS || !st->timed) {
		plain(e, c->width, (uint32_t)at);
		st->timed = 1;
		st->time = at;
		e->passed = 0;
		return;
	}
	off = between(off, at, mask);
	e->moved = st->jitter;
	residual(e, off);
	st->jitter = st->step == 0 ? 0 : off;
	e->passed = between(st->time, at, mask);
	st->time = at;
	/* Learned is a step that was seen twice: a gap comes once, another interval stays. */
	off = e->passed;
	if (off < 0)
		off += e->distance - 1; /* rounded towards 0 */
	off = (int32_t)floor_div(off, (uint32_t)e->distance);
	if (st->step == 0 || (off == st->once && off != 0))
		st->step = off;
	if (off == st->step)
		off = 0;
	st->once = off;
}

/* A status against the state, which becomes the one after it. */
static NOINLINE void put_status(struct encoder *e, const struct godwit_status *s)
{
	/* Bits of version, boot_changed, has_step, step, step_code, has_policy and policy; times 16 how many of them follow only if it is 1. */
	static const uint8_t rare[] = {6, 1, 2 << 4 | 1, 4, 8, 1 << 4 | 1, 8};
	const struct godwit_field *f = e->t->fields, *end = f + e->t->count;
	struct godwit_state *st = e->st;
	struct godwit_field_state none, *fs = DELTAS ? (struct godwit_field_state *)(st + 1) : &none;
	const int64_t *value = s->values;
	unsigned present = 1, i;

	put_time(e, s);
	for (; f != end; f++)
		present |= (unsigned)measured(value++) << f->group;
	for (i = 1; i <= e->t->groups; i++)
		decide(e, INDEX_GROUP, (present ^ st->groups) >> i & 1);
	st->groups = (uint16_t)present;
	for (f = e->t->fields, value = s->values; f != end; f++, value++) {
		if (!DELTAS) /* nothing is known of any field */
			none.flags = 0;
		if ((present >> f->group & 1) == 0) /* F-032 */
			fs->flags &= FIELD_SEEN;
		else
			put_field(e, f, fs, value);
		fs += DELTAS;
	}
	decide(e, INDEX_RARE, s->rare);
	if (!s->rare)
		return;
	for (i = 0; i < sizeof rare; i++) {
		unsigned v = ((const uint8_t *)s)[offsetof(struct godwit_status, version) + i], bits = rare[i] & 15;

		if (v >> bits != 0)
			e->w.error = GODWIT_E_ARGUMENT;
		plain(e, bits, v);
		if (i == 0 && v == VERSION_EXPLICIT)
			plain(e, 32, s->build);
		i += (rare[i] >> 4) & (v - 1); /* of a flag that is 0 */
	}
}

/* The state behind another, without its wrap at the end: it and those of its fields are in one piece. */
static struct godwit_state *behind(const struct godwit_history *h, struct godwit_state *s)
{
	return (struct godwit_state *)(void *)((uint8_t *)s + h->size);
}

void godwit_history_init(struct godwit_history *h, const struct godwit_template *t, uint8_t slot, struct godwit_state *states, uint8_t count)
{
	size_t size = sizeof *states + t->count * sizeof(struct godwit_field_state);

	h->t = t;
	h->states = h->oldest = states;
	h->base = NULL;
	h->size = (uint16_t)size;
	h->slot = slot;
	h->run = h->entered = 0;
	size *= count;
	h->end = states;
	if (!DELTAS)
		return;
	memset(states, 0, size); /* entered 0: none is one */
	h->end = (struct godwit_state *)(void *)((uint8_t *)states + size);
}

static struct godwit_state *next_state(const struct godwit_history *h, struct godwit_state *s)
{
	s = behind(h, s);
	return s == h->end ? h->states : s;
}

/* Where the next state goes. The oldest one is missed least, but for the base: what is older than that will be no base. */
static struct godwit_state *spare_state(const struct godwit_history *h)
{
	return h->oldest == h->base ? next_state(h, h->oldest) : h->oldest;
}

int godwit_batch(struct godwit *g, struct godwit_history *h, const struct godwit_status *s, size_t count, const struct godwit_out *out)
{
	struct encoder e;
	struct godwit_state none, *base = h->base;
	unsigned header = h->slot * 8u;
	int n;

	if (h->slot >= SLOT_RESERVED || count - 1 > (DELTAS ? BATCH_MAX - 1 : 0))
		return GODWIT_E_ARGUMENT;
	begin(&e.w, g, out);
	if (e.w.error != 0)
		return e.w.error;
	e.t = h->t;
	e.st = &none;
	e.packed = 1;
	e.low = 0;
	e.width = UINT32_MAX;
	e.distance = 1;
	if (DELTAS) {
		if (h->entered != g->entered || (base != NULL && g->next - base->counter > DISTANCE_MAX)) /* counters of another epoch name other frames */
			base = h->base = NULL;
		h->entered = g->entered;
		e.st = spare_state(h);
		if (h->run >= KEYFRAME_EVERY - 1 || (out->flags & (GODWIT_ASK | GODWIT_KEYFRAME)) != 0)
			base = NULL;
	}
	if (DELTAS && base != NULL) {
		memcpy(e.st, base, h->size);
		e.distance = (int32_t)(g->next - base->counter);
		if (e.distance < DISTANCE_EXPLICIT) {
			header += (unsigned)e.distance;
		} else { /* F-130 */
			header += DISTANCE_EXPLICIT;
			put(&e.w, (unsigned)e.distance);
		}
	} else {
		memset(e.st, 0, DELTAS ? h->size : sizeof none);
		e.st->step = (int32_t)h->t->interval;
		if (count == 1) {
			header += KIND_KEYFRAME;
			e.packed = 0;
			e.width = 1 << 24; /* as if a byte of zeros was behind: it goes out to where the counter will be */
			e.w.n--;
		}
	}
	if (count > 1) {
		header += KIND_BATCH;
		put(&e.w, (unsigned)count - 2);
		e.distance = 1;
	}
	if (DELTAS)
		e.st->entered = (uint8_t)(h->entered - 1); /* until the frame is made */
	do
		put_status(&e, s++);
	while (--count > 0);
	range_end(&e);
	n = finish(&e.w, g, header);
	if (DELTAS && n >= 0) {
		e.st->counter = godwit_last(g);
		e.st->entered = h->entered;
		h->oldest = next_state(h, e.st);
		h->run = base != NULL ? (uint8_t)(h->run + 1) : 0;
	}
	return n;
}

int64_t godwit_hold(const struct godwit_history *h, unsigned field, uint32_t band, int64_t value)
{
	const struct godwit_field *f = h->t->fields + field;
	const struct godwit_field_state *fs;
	int64_t before;

	if (h->base == NULL || f->predictor != 0 || !measured(&value))
		return value;
	fs = (const struct godwit_field_state *)(h->base + 1) + field;
	before = (int64_t)((uint64_t)fs->n_high << 32 | fs->n_low);
	if ((fs->flags & FIELD_MEASURED) == 0 || (!f->coding.optional && before == clamp(&f->coding, INT64_MAX))) /* it is as much or more: nobody knows by how much */
		return value;
	before += f->offset;
	return before - (int64_t)band < value && value < before + (int64_t)band ? before : value;
}

#if !defined GODWIT_NO_DELTA && !defined GODWIT_NO_FILL

uint32_t godwit_billed(const struct godwit_bearer *b, uint32_t n)
{
	if (b->quantum > 1)
		n = (uint32_t)floor_div((int64_t)n + b->quantum - 1, b->quantum) * b->quantum;
	return n < b->minimum ? b->minimum : n;
}

/* A queue on its way into a frame. */
struct filler {
	struct godwit *g;
	struct godwit_history *h;
	const struct godwit_queue *q;
	const struct godwit_bearer *bearer;
	const struct godwit_out *out;
};

static void weightless(void *context, const uint8_t key[16], const uint8_t in[16], uint8_t out[16])
{
	(void)context;
	(void)key;
	(void)in;
	(void)out;
}

/*
 * The length of the frame of the last n statuses, if it fits into the buffer and a message. It is made for that, with a cipher that does nothing, and taken back
 * afterwards: so one content is sealed under one counter, however many are weighed (F-022). Lost is what is lost when a frame cannot be made: the spare state, and
 * a base that is none any more, which is forgotten before its place is.
 */
static NOINLINE int weigh(const struct filler *f, size_t n)
{
	const struct godwit_config *config = f->g->config;
	struct godwit_config light = *config;
	struct godwit_history *h = f->h;
	struct godwit_state *oldest = h->oldest;
	uint8_t run = h->run;
	int len;

	light.aes = weightless;
	f->g->config = &light;
	len = godwit_batch(f->g, h, f->q->statuses + f->q->count - n, n, f->out);
	f->g->config = config;
	if (len < 0)
		return len;
	f->g->next--;
	h->oldest = oldest;
	h->run = run;
	spare_state(h)->entered--; /* nobody sent the status of this state */
	return f->bearer->maximum != 0 && len > f->bearer->maximum ? GODWIT_E_SPACE : len;
}

/*
 * How many statuses fit, n being known to, and most the limit, in a frame that is billed for no more than bill. By halving, for more are longer. Where they are not,
 * as a gap in time can be dearer than the steps in it, these may be fewer than could be; one more does not fit.
 */
static NOINLINE size_t fit(const struct filler *f, size_t n, size_t most, uint32_t bill)
{
	while (n < most) {
		size_t more = n + (most - n + 1) / 2;
		int len = weigh(f, more);

		if (len < 0 || godwit_billed(f->bearer, (uint32_t)len) > bill)
			most = more - 1;
		else
			n = more;
	}
	return n;
}

int godwit_fill(struct godwit *g, struct godwit_history *h, struct godwit_queue *q, const struct godwit_bearer *bearer, const struct godwit_out *out)
{
	struct filler f;
	size_t n = 1, most = q->count < BATCH_MAX ? q->count : BATCH_MAX;
	int len;

	if (q->due - 1 >= q->count)
		return GODWIT_E_ARGUMENT;
	f.g = g;
	f.h = h;
	f.q = q;
	f.bearer = bearer;
	f.out = out;
	len = weigh(&f, 1);
	if (len < 0)
		return len;
	if (h->run < KEYFRAME_EVERY - 1 && (out->flags & (GODWIT_ASK | GODWIT_KEYFRAME)) == 0) { /* a keyframe goes alone */
		n = fit(&f, 1, q->due < most ? q->due : most, UINT32_MAX);
		if (n > 1)
			len = weigh(&f, n);
		n = fit(&f, n, most, godwit_billed(bearer, (uint32_t)len)); /* F-135 */
	}
	memset(out->buffer, 0, out->cap); /* what was weighed is there in clear */
	len = godwit_batch(g, h, q->statuses + q->count - n, n, out);
	q->count -= n;
	q->due -= n < q->due ? n : q->due;
	return len;
}

#endif

/* The newest status that is on the gateway's disk serves as the base. */
static NOINLINE void confirm(struct godwit_history *h, unsigned entered, const struct godwit_ack *ack)
{
	struct godwit_state *s;

	for (s = h->states; s != h->end; s = behind(h, s))
		if (s->entered == entered && (h->base == NULL || s->counter > h->base->counter) && godwit_ack_covers(ack, s->counter))
			h->base = s;
}

void godwit_delivered(struct godwit_history *h, uint32_t counter)
{
	struct godwit_ack ack;

	ack.counter = counter;
	ack.bitmap = 0;
	confirm(h, h->entered, &ack);
}

/* --- Messages (SPEC §4) --- */

int godwit_send_hello(struct godwit *g, const struct godwit_say values[GODWIT_HELLO_KEYS], const struct godwit_out *out)
{
	/* By key: its type, of a list also that of the elements; the most bytes, elements, or the number, and 0 for any number (F-043). */
	static const uint8_t rules[][2] = {
		{CBOR_TEXT, TEXT_LEN_MAX}, {CBOR_BYTES, 32}, {CBOR_TEXT, TEXT_LEN_MAX}, {CBOR_TEXT, TEXT_LEN_MAX}, {CBOR_UINT, 0}, {CBOR_UINT, 0},
		{CBOR_UINT, 255}, {CBOR_ARRAY | CBOR_BYTES, 7}, {CBOR_ARRAY | CBOR_TEXT, 8}, {CBOR_UINT, 0},
	};
	const uint8_t *rule;
	struct writer w;
	unsigned key;

	begin(&w, g, out);
	put_int(&w, GODWIT_HELLO << 8 | CBOR_MAP, 2);
	for (key = 1, rule = rules[0]; key <= GODWIT_HELLO_KEYS; key++, rule += 2) {
		const struct godwit_say *text = ++values;
		unsigned type = rule[0];
		uint32_t n = key == GODWIT_HELLO_KEYS ? g->next : text->n;

		if (n == 0)
			continue;
		if (n - 1 > rule[1] - UINT32_C(1))
			w.error = GODWIT_E_ARGUMENT;
		if (w.error == 0)
			w.p[1]++;
		put(&w, key);
		if (type - 0x40 < 0x40) {
			n = 1;
		} else {
			put_head(&w, type & 0x80, n);
			if (type == 0)
				continue;
			text = text->at;
		}
		for (; n > 0; n--) {
			put_head(&w, type & 0x7f, text->n);
			put_bytes(&w, text->at, text->n);
			text++;
		}
	}
	return finish(&w, g, EXTENDED_EXPLICIT | 1);
}

int godwit_send(struct godwit *g, uint8_t type, const uint8_t *body, size_t n, const struct godwit_out *out)
{
	struct writer w;

	if (type == GODWIT_HELLO) /* F-015 */
		return GODWIT_E_ARGUMENT;
	begin(&w, g, out);
	put(&w, type);
	put_bytes(&w, body, n);
	return finish(&w, g, KIND_EXTENDED);
}

/*
 * An age of so many bits: three of exponent e, m others of mantissa f (SPEC §4.2, F-061). It is (2^m + f) × 2^(e-1) minutes, and as a number e × 2^m + f,
 * which is what is left of the minutes and 2^m for each time that they were halved.
 */
static NOINLINE uint32_t pack_age(uint32_t minutes, unsigned bits)
{
	uint32_t one = UINT32_C(1) << (bits - 3), e = 0;

	for (; minutes >> (bits - 2) != 0; e += one)
		minutes >>= 1;
	e += minutes;
	one <<= 3;
	return e < one ? e : one - 1;
}

int godwit_send_steps(struct godwit *g, const struct godwit_step_log *log, const struct godwit_out *out)
{
	struct writer w;
	const struct godwit_step *s = log->steps;
	unsigned i;

	begin(&w, g, out);
	if (log->count - 1u >= STEPS_MAX)
		w.error = GODWIT_E_ARGUMENT;
	put(&w, GODWIT_STEP_LOG);
	put_head(&w, CBOR_UINT, log->rollout);
	for (i = log->count; i > 0; i--, s++) {
		unsigned bits = 10; /* of the age */
		uint32_t head = s->step * 2u;

		if (s->step >= STEP_CLOCK)
			w.error = GODWIT_E_ARGUMENT;
		if (s->code > 1) {
			head = (s->step | 16u) << 8;
			bits = 11;
		}
		put_int(&w, (head | s->code) << bits | pack_age(s->age_minutes, bits), bits - 8);
	}
	if (log->clock_valid) {
		put_int(&w, 0xf80000 | ((uint32_t)floor_div(log->time, 60) & 0xffff), 3);
	}
	return finish(&w, g, KIND_EXTENDED);
}

/* --- Receiving --- */

/* A CBOR reader. */
struct reader {
	const uint8_t *p;
	size_t left;
	uint32_t v;         /* argument of the head that was read; of one above 32 bits more than there can be, with its lowest bit */
	uint32_t low, high; /* the same in 64 bits */
	unsigned info;
	unsigned shortest;  /* of a transmission: heads are of the shortest (F-002), and there are tags; else of a message, which has none (F-041) */
};

static void reader_init(struct reader *r, const uint8_t *p, size_t left, unsigned shortest)
{
	r->p = p;
	r->left = left;
	r->shortest = shortest;
}

static void pass(struct reader *r, size_t n)
{
	r->p += n;
	r->left -= n;
}

/* Reads a head. Returns its major type, or GODWIT_E_MALFORMED also for what is cut. */
static NOINLINE int read_head(struct reader *r)
{
	const uint8_t *p = r->p;
	unsigned size = 0, info, i;
	int major;
	uint32_t v, high = 0;

	if (r->left == 0)
		return GODWIT_E_MALFORMED;
	major = *p >> 5;
	v = info = *p++ & 31u;
	r->info = info;
	if (info >= 24) {
		size = 1u << (info - 24);
		if (info >= 28 || r->left <= size)
			return GODWIT_E_MALFORMED;
		for (v = 0, i = size; i > 0; i--) {
			high = high << 8 | v >> 24;
			v = v << 8 | *p++;
		}
		if (r->shortest && major != 7 && high == 0 && (v < 24 || v >> 2 * size >> 2 * size == 0)) /* half the bytes would do */
			return GODWIT_E_MALFORMED;
	}
	r->p = p;
	r->left -= 1 + size;
	r->low = v;
	r->high = high;
	r->v = high == 0 ? v : v | ~UINT32_C(1);
	return major;
}

/* Passes over an item within so many levels; with it there are NESTING_MAX at most (F-006, F-041). Without recursion: what is left of each is counted. */
static NOINLINE int skip_item(struct reader *r, unsigned within)
{
	uint32_t left[NESTING_MAX + 1], *level = left + within;

	*level = 1;
	for (;;) {
		const uint8_t *head;
		int major;

		while (*level == 0) {
			if (level == left + within)
				return 0;
			level--;
		}
		--*level;
		head = r->p;
		major = read_head(r);
		if (major == 7) {
			if (r->info < 20 || r->info == 24)
				return GODWIT_E_MALFORMED;
			/* no number, or none that is finite: the exponent, behind the sign, is all ones */
			if (r->info > 24 && !r->shortest && get_be(head + 1, 2) << 17 >= 0 - (UINT32_C(1) << (102 - 3 * r->info)))
				return GODWIT_E_MALFORMED;
		} else if (major > 1) {
			uint32_t n = r->v;

			if (major == 6) { /* a tag has one child, where there are any */
				n = r->shortest;
				if (n == 0)
					return GODWIT_E_MALFORMED;
			}
			if (n > r->left) /* each child has a byte at least */
				return GODWIT_E_MALFORMED;
			if (major < 4) {
				pass(r, n);
				continue;
			}
			if (major == 5)
				n += n;
			if (level == left + NESTING_MAX)
				return GODWIT_E_MALFORMED;
			*++level = n;
		} else if (major < 0) {
			return GODWIT_E_MALFORMED;
		}
	}
}

int godwit_next(struct godwit_item *item)
{
	struct reader r;
	unsigned first;

	if (item->left == 0)
		return 0;
	item->raw = item->rest;
	item->len = 0;
	first = *item->raw;
	reader_init(&r, item->raw, item->left, 1);
	if ((first >= 0xa0 && first <= 0xbb) || first == 0xd2) {
		if (skip_item(&r, 0) < 0)
			return GODWIT_E_MALFORMED;
	} else {
		if (first == 0x82) {
			pass(&r, 1);
			if (read_head(&r) != 0 || r.high != 0) /* F-005 */
				return GODWIT_E_MALFORMED;
		}
		if (read_head(&r) != 2 || r.info > 25 || r.v > r.left) /* F-001 */
			return GODWIT_E_MALFORMED;
		item->content = item->raw + (r.p - item->raw);
		item->len = r.v;
		pass(&r, r.v);
	}
	item->rest = item->raw + (r.p - item->raw);
	item->left = r.left;
	return 1;
}

int godwit_ack_covers(const struct godwit_ack *ack, uint32_t counter)
{
	uint32_t d = ack->counter - counter; /* far above 32 if the counter is the later one */

	return d == 0 || (d <= 32 && (ack->bitmap >> (d - 1) & 1) != 0);
}

/* An acknowledgement (SPEC §5.1) of an epoch. */
static int open_ack(struct work *x, const struct godwit_item *item, struct godwit_received *r)
{
	const uint8_t *bitmap = item->content + 3;
	uint32_t back, end = r->previous ? x->epoch->end : x->g->next; /* the counters below it were used */
	size_t size = item->len - 1 - 2 - MAC_LEN;

	if (size > 4 || (size > 1 && bitmap[size - 1] == 0)) /* F-106, F-051 */
		return GODWIT_E_MALFORMED;
	/* the largest counter, not above the last one, with these low bits (F-052) */
	back = (end - 1 - get_be(item->content + 1, 2)) & 0xffff;
	if (back >= end)
		return GODWIT_E_AUTH; /* a counter that was never used */
	r->ack.counter = end - 1 - back;
	x->label = ACK;
	derive(x);
	put_int(&x->w, r->ack.counter, 8);
	put(&x->w, CONTROL_ACK);
	put_bytes(&x->w, bitmap, size);
	text_hmac(x);
	if (differ(x->key, bitmap + size, MAC_LEN))
		return GODWIT_E_AUTH;
	r->ack.bitmap = 0;
	while (size-- > 0)
		r->ack.bitmap = r->ack.bitmap << 8 | bitmap[size];
	return GODWIT_GOT_ACK;
}

/* A message of an epoch (SPEC §2). What does not verify is as it came afterwards: nobody uses it by mistake (F-021), and another key can be tried. */
static int open_message(struct work *x, const struct godwit_item *item, struct godwit_received *r)
{
	uint8_t *content = item->content + 1;
	size_t n = item->len - 1 - 2 - TAG_LEN;
	uint64_t down = x->epoch->down;

	x->label = DOWN;
	x->tag_len = TAG_LEN;
	x->open = 1;
	if ((x->header & ~1u) == EXTENDED_EXPLICIT) {
		if (n <= 3) /* there is a type at least */
			return GODWIT_E_MALFORMED;
		n -= 3;
		x->counter = (uint64_t)*content << 32 | get_be(content + 1, 4);
		content += 3;
		if (x->counter < down)
			return GODWIT_E_REPLAY;
	} else { /* F-025: the nearest to the expected one, of two the larger. One before it is none, if there is any. */
		unsigned low = (get_be(content, 2) - (unsigned)down) & 0xffff;

		x->counter = down + low;
		if (low > 0x8000 && x->counter >> 16 != 0)
			return GODWIT_E_REPLAY;
	}
	content += 2;
	ccm(x, content, n);
	if (differ(x->mac, content + n, TAG_LEN)) {
		x->open = 0;
		ccm(x, content, n);
		return GODWIT_E_AUTH;
	}
	x->epoch->down = x->counter + 1;
	r->ack_asked = x->header & 1;
	r->type = content[0];
	r->body = content + 1;
	r->len = n - 1;
	return GODWIT_GOT_MESSAGE;
}

/* A rekey has a reader of its own: one for all messages is larger, and not every device needs that. */
int godwit_rekey(struct godwit *g, const uint8_t *body, size_t len)
{
	struct reader r;
	const uint8_t *salt = NULL;
	uint32_t pairs, key, epoch = 0;

	reader_init(&r, body, len, 0);
	if (read_head(&r) != 5)
		return GODWIT_E_MALFORMED;
	for (pairs = r.v; pairs > 0; pairs--) {
		const uint8_t *value;

		if (read_head(&r) != 0)
			return GODWIT_E_MALFORMED;
		key = r.v;
		value = r.p;
		if (skip_item(&r, 1) < 0)
			return GODWIT_E_MALFORMED;
		if ((key & 1) == 0) /* F-064 */
			continue;
		if (*value >> 5 != key - 1) /* types 0 and 2 */
			return GODWIT_E_MALFORMED;
		if (key == 1 && epoch == 0 && r.high == 0 && r.v != 0) /* F-070; F-041: no key twice */
			epoch = r.v;
		else if (key == 3 && salt == NULL && r.v == GODWIT_SALT)
			salt = r.p - GODWIT_SALT;
		else
			return GODWIT_E_MALFORMED;
	}
	if (r.left > 0 || epoch == 0 || salt == NULL)
		return GODWIT_E_MALFORMED;
	if (g->memory.known == 0 || epoch <= g->memory.epochs[0].number) /* F-117 */
		return GODWIT_E_ARGUMENT;
	enter(g, epoch, salt);
	return 0;
}

/* --- What the gateway says (SPEC §4.4) --- */

/* What the value of a key must be. */
struct rule {
	uint8_t key;
	uint8_t must;  /* 1: the key must be there */
	uint8_t major; /* type of the value */
	uint8_t shift; /* of a number: high is that of its bits from shift on */
	uint16_t low;  /* the least number, or the fewest bytes */
	uint16_t high; /* the greatest number, or the most bytes, elements or pairs */
	int (*elements)(struct reader *r, uint32_t count);
};

/* Reads a value and holds it against a rule. */
static int read_value(struct reader *r, const struct rule *rule, struct godwit_value *v)
{
	int major = read_head(r);

	if (major != rule->major)
		return GODWIT_E_MALFORMED;
	v->at = r->p;
	v->number = (uint64_t)r->high << 32 | r->low;
	if (major == 7) {
		v->number = r->info - 20u;
		return v->number > 1 ? GODWIT_E_MALFORMED : 0;
	}
	if (v->number < rule->low || v->number >> rule->shift > rule->high)
		return GODWIT_E_MALFORMED;
	if (rule->elements != NULL)
		return rule->elements(r, r->v);
	if (major > 1) {
		if (r->v > r->left)
			return GODWIT_E_MALFORMED;
		pass(r, r->v);
	}
	return 0;
}

/* Reads a map by its rules into values by key, which are all zero before. Heads must be the shortest if that is asked for. */
static int read_map(const struct rule *first, unsigned count, const uint8_t *body, size_t len, unsigned shortest, struct godwit_value *values)
{
	const struct rule *rule, *end = first + count;
	struct reader r;
	uint32_t pairs;

	reader_init(&r, body, len, shortest);
	if (read_head(&r) != 5 || r.v > PAIRS_MAX)
		return GODWIT_E_MALFORMED;
	for (pairs = r.v; pairs > 0; pairs--) {
		if (read_head(&r) != 0)
			return GODWIT_E_MALFORMED;
		for (rule = first; rule < end && rule->key != r.v; rule++)
			;
		if (rule == end ? (r.v & 1) != 0 || skip_item(&r, 1) < 0                                        /* F-064 */
		                : values[rule->key].at != NULL || read_value(&r, rule, &values[rule->key]) < 0) /* F-041: no key twice */
			return GODWIT_E_MALFORMED;
	}
	for (rule = first; rule < end; rule++)
		if (rule->must && values[rule->key].at == NULL) /* F-065 */
			return GODWIT_E_MALFORMED;
	return r.left > 0 ? GODWIT_E_MALFORMED : 0;
}

enum { UINT, BYTES = 2, TEXT, LIST, PAIRS, FLAG = 7, U32 = UINT16_MAX }; /* U32: with a shift of 16 */

/* A text of UTF-8 (RFC 3629), behind its head. */
static int text(struct reader *r, uint32_t n)
{
	static const uint32_t least[4] = {0, 0x80, 0x800, 0x10000};

	if (n > r->left)
		return GODWIT_E_MALFORMED;
	while (n > 0) {
		uint32_t c = *r->p;
		unsigned more = c < 0x80 ? 0 : c < 0xe0 ? 1 : c < 0xf0 ? 2 : 3, i;

		if ((c & 0xc0) == 0x80 || c > 0xf4 || more >= n)
			return GODWIT_E_MALFORMED;
		if (more > 0)
			c &= 0x3fu >> more;
		for (i = 1; i <= more; i++) {
			if ((r->p[i] & 0xc0) != 0x80)
				return GODWIT_E_MALFORMED;
			c = c << 6 | (r->p[i] & 0x3fu);
		}
		if (c < least[more] || c > 0x10ffff || c >> 11 == 0x1b)
			return GODWIT_E_MALFORMED;
		pass(r, 1 + more);
		n -= 1 + more;
	}
	return 0;
}

static int texts(struct reader *r, uint32_t count)
{
	while (count-- > 0)
		if (read_head(r) != 3 || r->v > TEXT_LEN_MAX || text(r, r->v) < 0)
			return GODWIT_E_MALFORMED;
	return 0;
}

/* Quiet hours: from and to in turn (F-066). */
static int spans(struct reader *r, uint32_t count)
{
	uint32_t from = 0, i;

	for (i = 0; i < count; i++) {
		if (read_head(r) != 0 || r->v >= DAY_MINUTES || ((i & 1) != 0 && r->v == from))
			return GODWIT_E_MALFORMED;
		from = r->v;
	}
	return (count & 1) != 0 ? GODWIT_E_MALFORMED : 0;
}

/* A burst programme (F-068). */
static int rising(struct reader *r, uint32_t count)
{
	int64_t before = -1;

	for (; count > 0; count--) {
		if (read_head(r) != 0 || r->v > UINT16_MAX || r->v <= before)
			return GODWIT_E_MALFORMED;
		before = r->v;
	}
	return 0;
}

/* Deadbands by field. */
static int deadbands(struct reader *r, uint32_t count)
{
	uint32_t seen[256 / 32] = {0};

	for (; count > 0; count--) {
		uint32_t field, bit;

		if (read_head(r) != 0 || r->v > 255)
			return GODWIT_E_MALFORMED;
		field = r->v;
		bit = UINT32_C(1) << field % 32;
		if ((seen[field / 32] & bit) != 0 || read_head(r) != 0 || r->high != 0)
			return GODWIT_E_MALFORMED;
		seen[field / 32] |= bit;
	}
	return 0;
}

static const struct rule policy_rules[] = {
	{GODWIT_POLICY_INTERVAL, 0, UINT, 16, 0, U32, NULL},   {GODWIT_POLICY_BEARERS, 0, LIST, 0, 0, 8, texts},
	{GODWIT_POLICY_CODE, 0, UINT, 0, 0, 63, NULL},
	{GODWIT_POLICY_QUIET, 0, LIST, 0, 0, 16, spans},       {GODWIT_POLICY_DEADBANDS, 0, PAIRS, 0, 0, FIELDS_MAX, deadbands},
	{GODWIT_POLICY_REVISION, 0, UINT, 16, 0, U32, NULL},
};

static const struct rule offer_rules[] = {
	{GODWIT_OFFER_ROLLOUT, 1, UINT, 16, 0, U32, NULL},      {GODWIT_OFFER_VERSION, 0, TEXT, 0, 0, TEXT_LEN_MAX, text},
	{GODWIT_OFFER_URL, 1, TEXT, 0, 1, 255, text},           {GODWIT_OFFER_BURST, 0, LIST, 0, 0, 16, rising},
	{GODWIT_OFFER_SIZE, 1, UINT, 48, 0, UINT16_MAX, NULL},  {GODWIT_OFFER_EXPIRES, 0, UINT, 32, 0, SECONDS_HIGH, NULL},
	{GODWIT_OFFER_HASH, 1, BYTES, 0, 16, HASH_LEN, NULL},   {GODWIT_OFFER_MEMORY, 0, UINT, 48, 0, UINT16_MAX, NULL},
	{GODWIT_OFFER_CONSENT, 0, FLAG, 0, 0, 0, NULL},         {GODWIT_OFFER_NOT_BEFORE, 0, UINT, 32, 0, SECONDS_HIGH, NULL},
};

static const struct rule request_rules[] = {{GODWIT_REQUEST_WHAT, 1, UINT, 0, 1, 7, NULL}}; /* F-069 */

static const struct rule time_rules[] = {
	{GODWIT_TIME_SECONDS, 1, UINT, 32, 0, SECONDS_HIGH, NULL}, {GODWIT_TIME_ACCURACY, 0, UINT, 0, 0, UINT16_MAX, NULL},
};

static const struct rule rekey_rules[] = {
	{GODWIT_REKEY_EPOCH, 1, UINT, 16, 1, U32, NULL}, {GODWIT_REKEY_SALT, 1, BYTES, 0, GODWIT_SALT, GODWIT_SALT, NULL}, /* F-070 */
};

static const struct rule template_rules[] = {
	{GODWIT_TEMPLATE_SLOT, 1, UINT, 0, 0, SLOT_RESERVED - 1, NULL}, {GODWIT_TEMPLATE_HASH, 1, BYTES, 0, 8, 8, NULL},
};

static const struct rule sleep_rules[] = {{GODWIT_SLEEP_SECONDS, 0, UINT, 16, 0, U32, NULL}};

#define RULES(r) {r, sizeof r / sizeof r[0]}

/* By type, from GODWIT_POLICY on. */
static const struct {
	const struct rule *first;
	unsigned count;
} rules[] = {
	RULES(policy_rules), RULES(offer_rules), RULES(request_rules), RULES(time_rules), RULES(rekey_rules), RULES(template_rules), RULES(sleep_rules),
};

/* The interval of a code instead of seconds (F-079). */
static int decode_interval(struct godwit_value *seconds, const struct godwit_value *code)
{
	static const uint32_t quarters[4] = {943718400, 1122276636, 1334619360, 1587138839};
	unsigned k = (unsigned)code->number;

	if (code->at == NULL)
		return 0;
	if (seconds->at != NULL)
		return GODWIT_E_MALFORMED;
	seconds->at = code->at;
	seconds->number = ((quarters[k & 3] >> (19 - (k >> 2))) + 1) >> 1;
	return 0;
}

int godwit_read(const struct godwit_received *r, struct godwit_value values[GODWIT_KEYS])
{
	int err;

	if (r->type < GODWIT_POLICY || r->type > GODWIT_SLEEP)
		return GODWIT_E_ARGUMENT;
	memset(values, 0, GODWIT_KEYS * sizeof *values);
	err = read_map(rules[r->type - GODWIT_POLICY].first, rules[r->type - GODWIT_POLICY].count, r->body, r->len, 0, values);
	if (err == 0 && r->type == GODWIT_POLICY)
		err = decode_interval(&values[GODWIT_POLICY_INTERVAL], &values[GODWIT_POLICY_CODE]);
	return err;
}

void godwit_element(const uint8_t **at, struct godwit_value *v)
{
	struct reader r;
	int major;

	reader_init(&r, *at, SIZE_MAX, 0);
	major = read_head(&r);
	v->at = r.p;
	v->number = r.v;
	*at = major == 3 ? r.p + r.v : r.p;
}

/* --- Manifests (SPEC §7) --- */

#ifndef GODWIT_NO_MANIFEST

/* Versions that a release may be installed from: none is empty. */
static int versions(struct reader *r, uint32_t count)
{
	while (count-- > 0)
		if (read_head(r) != 3 || r->v == 0 || r->v > TEXT_LEN_MAX || text(r, r->v) < 0)
			return GODWIT_E_MALFORMED;
	return 0;
}

/* F-143. Sizes have 40 bits, as times do. */
static const struct rule manifest_rules[] = {
	{GODWIT_MANIFEST_PRODUCT, 1, TEXT, 0, 1, TEXT_LEN_MAX, text},     {GODWIT_MANIFEST_VERSION, 1, TEXT, 0, 1, TEXT_LEN_MAX, text},
	{GODWIT_MANIFEST_SEQUENCE, 1, UINT, 16, 1, U32, NULL},            {GODWIT_MANIFEST_SIZE, 1, UINT, 32, 1, SECONDS_HIGH, NULL},
	{GODWIT_MANIFEST_SHA256, 1, BYTES, 0, HASH_LEN, HASH_LEN, NULL},  {GODWIT_MANIFEST_URL, 1, TEXT, 0, 1, 255, text},
	{GODWIT_MANIFEST_BUILD, 0, BYTES, 0, 4, HASH_LEN, NULL},          {GODWIT_MANIFEST_MEMORY, 0, UINT, 32, 1, SECONDS_HIGH, NULL},
	{GODWIT_MANIFEST_IN_PLACE, 0, FLAG, 0, 0, 0, NULL},               {GODWIT_MANIFEST_MINIMUM, 0, UINT, 16, 1, U32, NULL},
	{GODWIT_MANIFEST_FROM, 0, LIST, 0, 1, 8, versions},               {GODWIT_MANIFEST_NOT_AFTER, 0, UINT, 32, 1, SECONDS_HIGH, NULL},
	{GODWIT_MANIFEST_NOTES, 0, TEXT, 0, 1, 255, text},
};

/* Reads a byte string: its content, and r is behind it. */
static const uint8_t *read_bytes(struct reader *r)
{
	const uint8_t *at;

	if (read_head(r) != 2 || r->v > r->left)
		return NULL;
	at = r->p;
	r->p += r->v; /* not by pass, which has so few callers that it is inlined */
	r->left -= r->v;
	return at;
}

/* Reads a payload in its one encoding (F-140): heads are the shortest, keys rise. */
static int read_payload(const uint8_t *p, size_t n, struct godwit_value values[GODWIT_KEYS])
{
	struct reader r;
	uint32_t pairs, low = 0, high = 0, i;

	memset(values, 0, GODWIT_KEYS * sizeof *values);
	if (read_map(manifest_rules, sizeof manifest_rules / sizeof manifest_rules[0], p, n, 1, values) < 0)
		return GODWIT_E_MALFORMED;
	reader_init(&r, p, n, 1);
	read_head(&r);
	for (pairs = r.v, i = 0; i < pairs; i++) {
		read_head(&r);
		if (i > 0 && (r.high < high || (r.high == high && r.low <= low)))
			return GODWIT_E_MALFORMED;
		low = r.low;
		high = r.high;
		skip_item(&r, 1);
	}
	if (values[GODWIT_MANIFEST_IN_PLACE].at != NULL && values[GODWIT_MANIFEST_IN_PLACE].number == 0)
		return GODWIT_E_MALFORMED;
	return values[GODWIT_MANIFEST_MINIMUM].number < values[GODWIT_MANIFEST_SEQUENCE].number ? 0 : GODWIT_E_MALFORMED;
}

int godwit_manifest(uint8_t *buffer, size_t n, const struct godwit_value *hash, godwit_verify_fn *verify, void *context,
                    struct godwit_value values[GODWIT_KEYS])
{
	static const uint8_t begin[12] = "\x84\x6aSignature1"; /* of a Sig_structure (RFC 9052 §4.4), and no 0 behind it */
	uint8_t *const signed_at = buffer + GODWIT_MANIFEST_ROOM, *unprotected, sum[HASH_LEN];
	const uint8_t *protected, *payload, *signature, *kid;
	struct reader r, p;
	size_t payload_len;
	int known;

	if (n > GODWIT_MANIFEST_MAX || n < 2)
		return GODWIT_E_MALFORMED;
	godwit_sha256(signed_at, n, sum);
	if (hash->number > HASH_LEN || hash->number < 16 || differ(sum, hash->at, (size_t)hash->number)) /* F-145 */
		return GODWIT_E_AUTH;
	if (signed_at[0] != 0xd2 || signed_at[1] != 0x84)
		return GODWIT_E_MALFORMED;
	reader_init(&r, signed_at + 2, n - 2, 1);
	if ((protected = read_bytes(&r)) == NULL || r.v < 5 || protected[0] != 0xa2 || protected[1] != 1 || (protected[2] != 0x26 && protected[2] != 0x27) || protected[3] != 4)
		return GODWIT_E_MALFORMED;
	reader_init(&p, protected + 4, r.v - 4, 1);
	if ((kid = read_bytes(&p)) == NULL || p.left > 0 || p.v == 0 || p.v > 32 || r.left == 0 || *r.p != 0xa0) /* F-141 */
		return GODWIT_E_MALFORMED;
	unprotected = signed_at + (r.p++ - signed_at);
	r.left--;
	if ((payload = read_bytes(&r)) == NULL)
		return GODWIT_E_MALFORMED;
	payload_len = r.v;
	if ((signature = read_bytes(&r)) == NULL || r.v != GODWIT_SIGNATURE || r.left > 0 || read_payload(payload, payload_len, values) < 0)
		return GODWIT_E_MALFORMED;
	/* What is signed is what is here, but for its beginning and one byte (F-142). */
	memcpy(buffer, begin, sizeof begin);
	*unprotected = 0x40;
	known = verify(context, protected[2] - 0x20 + 1, kid, p.v, buffer, (size_t)(payload - buffer) + payload_len, signature);
	signed_at[0] = 0xd2;
	signed_at[1] = 0x84;
	*unprotected = 0xa0;
	return known ? 0 : GODWIT_E_AUTH;
}

uint64_t godwit_manifest_need(const struct godwit_value values[GODWIT_KEYS])
{
	uint64_t size = values[GODWIT_MANIFEST_SIZE].number, memory = values[GODWIT_MANIFEST_MEMORY].number;

	if (values[GODWIT_MANIFEST_IN_PLACE].number != 0)
		return memory != 0 ? memory : size;
	return memory > 2 * size ? memory : 2 * size;
}

/* 1 if a text of a message is the one that ends in 0. */
static int text_is(const struct godwit_value *v, const char *string)
{
	size_t i;

	for (i = 0; i < v->number; i++)
		if (string[i] == 0 || v->at[i] != (uint8_t)string[i])
			return 0;
	return string[i] == 0;
}

int godwit_manifest_admits(const struct godwit_value values[GODWIT_KEYS], const struct godwit_target *t)
{
	const struct godwit_value *from = &values[GODWIT_MANIFEST_FROM], *end = &values[GODWIT_MANIFEST_NOT_AFTER];
	const uint8_t *at = from->at;
	uint64_t left;
	int known = at == NULL;

	if (!text_is(&values[GODWIT_MANIFEST_PRODUCT], t->product) || values[GODWIT_MANIFEST_SEQUENCE].number <= t->sequence ||
	    values[GODWIT_MANIFEST_MINIMUM].number > t->sequence)
		return 6;
	for (left = from->number; left > 0; left--) {
		struct godwit_value one;

		godwit_element(&at, &one);
		known |= text_is(&one, t->version);
	}
	if (!known)
		return 6;
	if (end->at != NULL && t->now > 0 && (uint64_t)t->now > end->number)
		return 10;
	return godwit_manifest_need(values) > t->free_memory ? 2 : 1;
}

#endif

/* --- Fragments (SPEC §4.5) --- */

#ifndef GODWIT_NO_FRAGMENTS

enum { CHECK_BYTES = 4, FRAGMENTS_MAX = 2048, FRAGMENTED_MAX = 65536 };

void godwit_assembly_init(struct godwit_assembly *a, uint8_t *buffer, size_t cap)
{
	memset(a, 0, sizeof *a);
	a->buffer = buffer;
	a->cap = cap;
}

/* Bits by index, at the end of the buffer: which fragments are there. */
static uint8_t *arrived(const struct godwit_assembly *a)
{
	return a->buffer + a->cap - (a->last / 8 + 1);
}

static int bit_of(const uint8_t *bits, unsigned index)
{
	return bits[index / 8] >> index % 8 & 1;
}

/* Where a fragment is: the last one before the bits, until the message is whole. */
static uint8_t *place(const struct godwit_assembly *a, unsigned index)
{
	return index == a->last && a->missing > 0 ? arrived(a) - a->final : a->buffer + index * a->size;
}

int godwit_assemble(struct godwit_assembly *a, struct godwit_received *r)
{
	struct godwit_assembly next = *a;
	struct reader in;
	unsigned last, index;
	size_t n;
	uint8_t hash[HASH_LEN];

	if (r->type != GODWIT_FRAGMENT || r->len == 0)
		return GODWIT_E_MALFORMED;
	reader_init(&in, r->body + 1, r->len - 1, 1);
	if (read_head(&in) != 0 || in.v >= FRAGMENTS_MAX)
		return GODWIT_E_MALFORMED;
	last = in.v;
	if (read_head(&in) != 0 || in.v > last)
		return GODWIT_E_MALFORMED;
	index = in.v;
	n = in.left;
	if (last == 0 || n == 0 || n > FRAGMENTED_MAX || (index < last && n * last >= FRAGMENTED_MAX + CHECK_BYTES)) /* F-072 */
		return GODWIT_E_MALFORMED;

	if (next.last == last && next.set == r->body[0]) {
		if (bit_of(arrived(a), index)) {
			if ((index < last ? a->size : a->final) == n && !differ(place(a, index), in.p, n))
				return 0;
			next.last = 0; /* F-074 */
		} else if (index < last ? (next.size != 0 && next.size != n) || next.final > n : next.size != 0 && next.size < n) {
			next.last = 0;
		}
	}
	if (next.last != last || next.set != r->body[0]) { /* it begins anew */
		next.set = r->body[0];
		next.last = (uint16_t)last;
		next.missing = (uint16_t)(last + 1);
		next.size = next.final = 0;
	}
	if (index < last)
		next.size = n;
	else
		next.final = n;
	/* what is not known yet is one byte at least, or as much as the last fragment */
	if ((size_t)last * (next.size > 0 ? next.size : next.final) + (next.final > 0 ? next.final : 1) + last / 8 + 1 > next.cap)
		return GODWIT_E_SPACE;
	if (next.missing == last + 1)
		memset(arrived(&next), 0, last / 8 + 1);
	*a = next;
	memcpy(place(a, index), in.p, n);
	arrived(a)[index / 8] |= (uint8_t)(1 << index % 8);
	if (a->missing > 1) {
		a->missing--;
		return 0;
	}
	memmove(a->buffer + last * a->size, place(a, last), a->final);
	a->missing = 0;
	n = last * a->size + a->final;
	if (n > CHECK_BYTES)
		godwit_sha256(a->buffer, n - CHECK_BYTES, hash);
	if (n <= CHECK_BYTES || n > FRAGMENTED_MAX + CHECK_BYTES || differ(hash, a->buffer + n - CHECK_BYTES, CHECK_BYTES)) { /* F-073 */
		a->last = 0;
		return GODWIT_E_MALFORMED;
	}
	if (a->buffer[0] == GODWIT_FRAGMENT || a->buffer[0] == GODWIT_FRAGMENT_STATUS) /* F-078 */
		return GODWIT_E_MALFORMED;
	r->type = a->buffer[0];
	r->body = a->buffer + 1;
	r->len = n - CHECK_BYTES - 1;
	return GODWIT_GOT_MESSAGE;
}

int godwit_send_fragment_status(struct godwit *g, const struct godwit_assembly *a, uint8_t set, const struct godwit_out *out)
{
	struct writer w;
	unsigned missing = 0, i;
	int32_t end;

	begin(&w, g, out);
	if (w.error != 0)
		return w.error;
	put(&w, GODWIT_FRAGMENT_STATUS);
	put(&w, set);
	if (a->last == 0 || a->set != set) { /* nothing is known of it */
		put(&w, 0);
		return finish(&w, g, KIND_EXTENDED);
	}
	while (missing <= a->last && bit_of(arrived(a), missing))
		missing++;
	put_head(&w, CBOR_UINT, missing);
	end = w.n;
	for (i = 0; missing + 1 + i <= a->last; i++) {
		if (i % 8 == 0)
			put(&w, 0);
		if (bit_of(arrived(a), missing + 1 + i)) {
			w.p[w.n - 1] |= (uint8_t)(1 << i % 8); /* astray within the buffer if that is full: of a frame that will not be */
			end = w.n;
		}
	}
	w.n = end; /* F-077 */
	return finish(&w, g, KIND_EXTENDED);
}

int godwit_parcel_init(struct godwit_parcel *p, uint8_t set, const uint8_t *message, size_t n, size_t room, uint8_t *there, size_t there_len)
{
	uint8_t hash[HASH_LEN];
	unsigned heads;
	size_t size;

	if (n <= room || n > FRAGMENTED_MAX || message[0] == GODWIT_HELLO || message[0] == GODWIT_FRAGMENT || message[0] == GODWIT_FRAGMENT_STATUS)
		return GODWIT_E_ARGUMENT;
	for (heads = 2; heads <= 6; heads += 2) { /* last and index have the same room: one byte, two or three */
		size_t count;

		if (room <= 2 + heads)
			break;
		size = room - 2 - heads;
		count = (size_t)floor_div((int64_t)(n + CHECK_BYTES + size - 1), (uint32_t)size);
		if (count <= (heads == 2 ? 24u : heads == 4 ? 256u : (unsigned)FRAGMENTS_MAX)) {
			if ((count + 7) / 8 > there_len)
				break;
			godwit_sha256(message, n, hash);
			memset(p, 0, sizeof *p);
			memcpy(p->check, hash, CHECK_BYTES);
			p->message = message;
			p->len = n;
			p->size = size;
			p->last = (uint16_t)(count - 1);
			p->there = there;
			p->set = set;
			memset(there, 0, (count + 7) / 8);
			return (int)count;
		}
	}
	return GODWIT_E_SPACE;
}

/* The first index from one on that is not known to be there; above the last if there is none. */
static unsigned next_missing(const struct godwit_parcel *p, unsigned from)
{
	while (from <= p->last && bit_of(p->there, from))
		from++;
	return from;
}

int godwit_send_fragment(struct godwit *g, struct godwit_parcel *p, const struct godwit_out *out)
{
	struct writer w;
	unsigned index = next_missing(p, p->next);
	size_t at = index * p->size, end = at + p->size;
	unsigned header = KIND_EXTENDED;
	int n;

	if (index > p->last)
		return 0;
	begin(&w, g, out);
	put(&w, GODWIT_FRAGMENT);
	put(&w, p->set);
	put_head(&w, CBOR_UINT, p->last);
	put_head(&w, CBOR_UINT, index);
	for (; at < end && at < p->len + CHECK_BYTES; at++)
		put(&w, at < p->len ? p->message[at] : p->check[at - p->len]);
	if (next_missing(p, index + 1) > p->last) /* the round ends */
		header |= 1;
	n = finish(&w, g, header);
	if (n > 0) {
		p->next = (uint16_t)(index + 1);
		if ((header & 1) != 0)
			p->asked = (uint16_t)index;
	}
	return n;
}

int godwit_parcel_status(struct godwit_parcel *p, const struct godwit_received *r)
{
	struct reader in;
	unsigned i, missing = 0;

	if (r->type != GODWIT_FRAGMENT_STATUS || r->len == 0)
		return GODWIT_E_MALFORMED;
	reader_init(&in, r->body + 1, r->len - 1, 1);
	if (read_head(&in) != 0 || in.v > FRAGMENTS_MAX || (in.left > 0 && in.p[in.left - 1] == 0) || in.v + 8 * in.left > FRAGMENTS_MAX + 6) /* F-077 */
		return GODWIT_E_MALFORMED;
	if (r->body[0] != p->set)
		return GODWIT_E_ARGUMENT;
	for (i = 0; i <= p->last; i++) {
		unsigned bit = i - in.v - 1; /* far above all others if it is before them */
		int there = i < in.v || (i > in.v && bit / 8 < in.left && bit_of(in.p, bit));

		p->there[i / 8] = (uint8_t)((p->there[i / 8] & ~(1u << i % 8)) | (unsigned)there << i % 8);
		missing += !there;
	}
	p->next = 0;
	return (int)missing;
}

void godwit_parcel_probe(struct godwit_parcel *p)
{
	p->next = p->asked;
}

#endif

#ifndef GODWIT_NO_JOIN

/* --- Joins (SPEC §5.2) --- */

enum { EPOCH_LEN = 4, ATTEMPT_AT = 13, ATTEMPT_LEN = 1 + 12 }; /* in the text under a MAC: the header, and what names the attempt */

/* Computes a MAC of a join. What it says behind the attempt is the nonce but in a request, and the epoch, which is given in an acceptance. */
static NOINLINE void join_mac(struct work *x, const uint8_t *nonce)
{
	const struct godwit *g = x->g;

	x->epoch = NULL;
	x->label = JOIN;
	derive(x);
	put_u32(&x->w, g->memory.boot);
	put_u32(&x->w, g->random);
	if (x->header != CONTROL_REQUEST)
		put_bytes(&x->w, nonce, NONCE_LEN);
	if (x->header == CONTROL_ACCEPT)
		put_bytes(&x->w, nonce - EPOCH_LEN, EPOCH_LEN);
	text_hmac(x);
}

void godwit_join(struct godwit *g, uint32_t random)
{
	g->memory.boot++;
	g->random = random;
	g->joining = CONTROL_REQUEST;
	g->changed = CHANGED;
}

int godwit_send_join(const struct godwit *g, const struct godwit_out *out)
{
	struct work x;
	uint8_t *said = x.block + TEXT_AT + ATTEMPT_AT;

	if (g->joining == 0)
		return GODWIT_E_ARGUMENT;
	if (g->changed) /* F-107 */
		return GODWIT_E_RESERVE;
	if (out->cap < GODWIT_JOIN)
		return GODWIT_E_SPACE;
	x.g = g;
	x.header = g->joining;
	join_mac(&x, g->nonce);
	memcpy(said + ATTEMPT_LEN, x.key, MAC_LEN);
	return envelope(g, said, ATTEMPT_LEN + MAC_LEN, out);
}

/* An acceptance or a challenge, for the attempt under way. */
static int open_join(struct godwit *g, struct work *x, const uint8_t *content, size_t n)
{
	uint8_t *salt = x->block + TEXT_AT + ATTEMPT_AT + 9;
	unsigned accepted = x->header == CONTROL_ACCEPT;
	const uint8_t *nonce = content + 1 + accepted * EPOCH_LEN;
	uint32_t epoch;

	if (n != 1 + accepted * EPOCH_LEN + NONCE_LEN + MAC_LEN) /* F-106 */
		return GODWIT_E_MALFORMED;
	if (g->joining == 0)
		return GODWIT_E_AUTH;
	join_mac(x, nonce);
	if (differ(x->key, nonce + NONCE_LEN, MAC_LEN))
		return GODWIT_E_AUTH;
	if (!accepted) {
		if (g->joining == CONTROL_CONFIRM && !differ(g->nonce, nonce, NONCE_LEN))
			return GODWIT_E_REPLAY; /* F-125: who says it again must not make the device speak */
		memcpy(g->nonce, nonce, NONCE_LEN);
		g->joining = CONTROL_CONFIRM;
		return GODWIT_GOT_CHALLENGE;
	}
	epoch = get_be(content + 1, EPOCH_LEN);
	if (epoch == 0) /* F-105 */
		return GODWIT_E_MALFORMED;
	/* The salt is random number, boot counter, nonce; the text has them as boot counter, random number, nonce. */
	memcpy(salt + 8, nonce, NONCE_LEN);
	memcpy(salt + 4, salt - 4, 4);
	enter(g, epoch, salt);
	return GODWIT_GOT_EPOCH;
}

#endif

/* --- What comes --- */

int godwit_receive(struct godwit *g, struct godwit_history *h, const struct godwit_item *item, struct godwit_received *r)
{
	struct work x;
	unsigned i;
	int got = GODWIT_E_AUTH;

	if (item->len < 1 + 2 + 1 + MAC_LEN) /* of the shortest acknowledgement, and of the shortest message (F-014) */
		return GODWIT_E_MALFORMED;
	x.g = g;
	x.header = *item->content;
#ifndef GODWIT_NO_JOIN
	if (x.header == CONTROL_ACCEPT || x.header == CONTROL_CHALLENGE)
		return open_join(g, &x, item->content, item->len);
#endif
	if (x.header == CONTROL_ACK)
		x.header = 0; /* its text has it elsewhere */
	else if ((x.header & 0xf6) != KIND_EXTENDED) /* the gateway sends nothing else: F-010 to F-013, F-106 */
		return GODWIT_E_MALFORMED;
	x.epoch = g->memory.epochs;
	for (i = 0; i < g->memory.known && got < 0; i++, x.epoch++) { /* F-119 */
		r->previous = (uint8_t)i;
		got = x.header == 0 ? open_ack(&x, item, r) : open_message(&x, item, r);
	}
	if (got == GODWIT_GOT_MESSAGE)
		g->changed = CHANGED;
	if (got == GODWIT_GOT_ACK && !r->previous) {
		if (DELTAS && h != NULL)
			confirm(h, g->entered, &r->ack);
		if (!godwit_join_due(g)) /* answered: an attempt for which silence was the reason is over (F-122) */
			g->joining = 0;
	}
	return got;
}
