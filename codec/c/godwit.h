/*
 * The device's side of the Godwit frame, version 1 (../SPEC.md is normative; F-… are its requirements).
 *
 * C99, no heap, no floating point, no recursion; of libc only memcpy, memmove and memset. Independent of the host's byte order. README.md beside
 * this file leads through an integration, example.c is a whole device.
 *
 * These leave something out, defined for all files that include this one: GODWIT_HMAC SHA-256, for that of the firmware; GODWIT_NO_DELTA deltas and batches:
 * statuses are keyframes; GODWIT_NO_FILL queues that fill frames; GODWIT_NO_FRAGMENTS messages in fragments; GODWIT_NO_MANIFEST manifests of updates;
 * GODWIT_NO_JOIN joins: such a device is silent for good when it loses its permanent memory.
 *
 * Functions return a length or another result from 0 on, or one of the negative codes of enum godwit_error. After an error nothing has changed but what the
 * output buffer holds, and that a history may have lost the oldest status that could have become a base. A struct godwit is for one caller at a time: lock it
 * if an interrupt sends.
 */
#ifndef GODWIT_H
#define GODWIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum godwit_error {
	GODWIT_E_ARGUMENT = -1,  /* a call that makes no sense; a mistake of the firmware */
	GODWIT_E_SPACE = -2,     /* the buffer is too small, or the frame too long for one */
	GODWIT_E_RESERVE = -3,   /* write godwit_record to permanent memory first (F-028); if there is nothing to write the counter is at its end: join (F-024) */
	GODWIT_E_MALFORMED = -5, /* what came, or the record of the permanent memory, is no such thing */
	GODWIT_E_AUTH = -6,      /* the tag or MAC does not verify */
	GODWIT_E_REPLAY = -7,    /* a downlink that was taken before, or is older than one that was */
	GODWIT_E_JOIN = -8       /* nothing is known of what was sealed before: join first (F-108) */
};

/* Lengths in bytes. */
enum {
	GODWIT_KEY = 32,      /* the device's key */
	GODWIT_SALT = 16,     /* of an epoch; epoch 0 has none */
	GODWIT_JOIN = 28,     /* the longest request or confirmation */
	GODWIT_OVERHEAD = 23  /* room that a buffer needs beyond the body of a frame, whatever form the frame takes */
};

/*
 * Encrypts one block with AES-128: out = AES(key, in). in and out may be the same. It is the only primitive that chips have in hardware; context is
 * that of struct godwit_config. godwit_aes128 of godwit_aes.c is one in software.
 */
typedef void godwit_aes_fn(void *context, const uint8_t key[16], const uint8_t in[16], uint8_t out[16]);
godwit_aes_fn godwit_aes128;

/* What a device is; it may be in flash and must live as long as struct godwit. The gateway's record of the device says the same. */
struct godwit_config {
	uint32_t number;              /* of the device, on air as its connection id */
	const uint8_t *key;           /* GODWIT_KEY bytes, secret */
	godwit_aes_fn *aes;
	void *aes_context;            /* handed to aes as it is */
	bool short_counter;           /* 8 low bits of the counter are on air, not 16 */
	bool short_tag;               /* the record allows the tag of 4 bytes on metered links (F-017) */
};

/* An epoch as a device keeps it. */
struct godwit_epoch {
	uint64_t down;   /* highest downlink counter taken, plus 1 */
	uint32_t number;
	uint32_t end;    /* counters of uplinks below it may be used; of the previous epoch: were used */
	uint8_t salt[GODWIT_SALT];
};

/* What permanent memory holds, in the layout of the machine: nobody else reads it. A version that changes it changes its length or its check, so that old ones are refused. */
struct godwit_memory {
	uint8_t check[8];
	uint32_t known;                /* so many epochs */
	uint32_t boot;                 /* of joins */
	struct godwit_epoch epochs[2]; /* the current one, the previous one */
};

enum { GODWIT_RECORD = sizeof(struct godwit_memory) }; /* length of the record in permanent memory: 80 on most machines */

/* The session of a device. Its fields are no concern of the firmware. Keys are not kept: they are derived for each frame. */
struct godwit {
	const struct godwit_config *config;
	uint32_t next;     /* the next counter */
	uint32_t promised; /* the end of the counters that the last record holds */
	uint32_t random;   /* of the attempt to join */
	uint8_t joining;   /* what there is to say: a header, or 0 */
	uint8_t changed;
	uint8_t entered;   /* epochs since boot, this one too */
	uint8_t nonce[8];  /* of the challenge */
	struct godwit_memory memory;
};

/* --- Booting and permanent memory --- */

/*
 * Starts a session. record is what permanent memory holds (GODWIT_RECORD bytes, the last that godwit_record gave), or NULL on a device that never wrote
 * one. NULL on a device that did is the one mistake that costs its security: counters would be used twice (F-022).
 *
 * Key and AES of config must be there, which is not checked.
 *
 * Returns 0; GODWIT_E_MALFORMED for a record that is damaged, or none (as erased flash): then the session is one that must join (godwit_join) before
 * anything is sealed. A device that lost its memory hands over any such record. So must one that was restarted while it waited to be accepted, and its record
 * is good: ask godwit_join_due after each boot.
 */
int godwit_boot(struct godwit *g, const struct godwit_config *config, const uint8_t *record);

/*
 * Makes the record that permanent memory must hold, if it does not: when the counters taken ahead are used up (64, or 16 with an 8-bit counter), after
 * each downlink that was taken, for each attempt to join, and at the beginning of an epoch. Write it, make sure that it is there, then call godwit_stored.
 * Call this before each frame and after each received transmission.
 *
 * Returns 1 if record was filled and must be written, 0 if there is nothing to write.
 */
int godwit_record(struct godwit *g, uint8_t record[GODWIT_RECORD]);

/* Says that permanent memory holds the record that godwit_record gave last. */
void godwit_stored(struct godwit *g);

/* The counter of the frame made last; ~0 if there was none in this epoch. */
uint32_t godwit_last(const struct godwit *g);

/* --- Templates and statuses (SPEC §3) --- */

/* How a field or the time is written. */
struct godwit_coding {
	const uint8_t *model; /* of deltas: 47 bytes, or NULL for the default */
	uint8_t order;        /* of deltas, 0 to 15 */
	uint8_t spread;       /* of deltas, 0 to 30 */
	uint8_t width;        /* bits in a keyframe: 1 to 40; of the time 20, or 16 if its unit is minutes */
	bool optional;        /* has a presence bit */
};

/* A field of a template, in its order on air. A value is in steps of its scale, counted from 0; offset is the lowest. */
struct godwit_field {
	int64_t offset;    /* lowest value, in steps */
	uint32_t per;      /* of predictor 1: in so many units of time, at most 2^31 - 1, */
	uint16_t rise;     /* it rises by so many steps */
	uint8_t group;     /* 0: none, 1 to 8 */
	uint8_t predictor; /* of deltas: 0 last value, 1 elapsed time, 2 trend, 3 zero, 4 along with the field before */
	struct godwit_coding coding;
};

/* A template. It must be the one of which hash is the name: a command of the gateway writes such tables. */
struct godwit_template {
	const struct godwit_field *fields;
	uint8_t count;     /* of fields, 1 to 60 */
	uint8_t groups;    /* the highest of the fields */
	uint8_t unit;      /* of time, in seconds: 1 or 60 */
	uint32_t interval; /* nominal, in units of time; 0: none */
	struct godwit_coding time;
	uint8_t hash[8];
};

/* A value that was not measured. */
#define GODWIT_NONE INT64_MIN

/* A status. All zero but values is one without a clock and without a rare block. */
struct godwit_status {
	int64_t time;          /* Unix seconds, if clock_valid; it must arrive within 12 days, 45 where the unit is minutes (F-035) */
	const int64_t *values; /* one for each field, in steps, or GODWIT_NONE; what is out of range, to 2^62, goes as its nearest end (F-031) */
	bool clock_valid;      /* the clock was set since boot and is to be believed */
	bool rare;             /* a rare block follows */
	uint32_t build;        /* first four bytes of the build's hash */
	uint8_t version;       /* index into the release table 0 to 62; 63: build. What follows is on air in this order */
	bool boot_changed;     /* restarted since the last status */
	bool has_step;         /* an update is under way */
	uint8_t step;          /* 0 to 15 */
	uint8_t step_code;
	bool has_policy;       /* a receipt of the policy in force (F-036) */
	uint8_t policy;        /* low 8 bits of its revision */
};

/* What a delta is counted from, of one field: 12 bytes. */
struct godwit_field_state {
	uint32_t n_low, moved_low;
	int16_t moved_high;
	uint8_t n_high;
	uint8_t flags;
};

/* The state after a status (SPEC §3.2). Those of its fields are behind it. */
struct godwit_state {
	int32_t time, step, once, jitter;
	uint16_t groups;
	uint8_t timed;
	uint8_t entered;  /* in which epoch since boot it was sent */
	uint32_t counter; /* of the status */
};

/* Memory for a state of a template with n fields: static GODWIT_STATE(FIELDS) states[3]; */
#define GODWIT_STATE(n) \
	struct { \
		struct godwit_state state; \
		struct godwit_field_state fields[n]; \
	}

/*
 * The statuses that a next one may be counted from. It lives in RAM only: the first status after a restart is a keyframe. It belongs to one template.
 */
struct godwit_history {
	const struct godwit_template *t;
	struct godwit_state *states, *end;
	struct godwit_state *oldest;
	struct godwit_state *base; /* the newest that is known to be on the gateway's disk, or NULL */
	uint16_t size;             /* of a state with those of its fields */
	uint8_t slot;
	uint8_t run;     /* frames of statuses since the last one that needs no base */
	uint8_t entered; /* the epoch since boot */
};

/*
 * Prepares a history of a template, which must live as long, in the slot 0 to 6 that the gateway has it in. Memory is the caller's: count times GODWIT_STATE
 * (2 or more: the base, and one for each status that may be under way), of which states is the first. With GODWIT_NO_DELTA it needs none: NULL, 0.
 */
void godwit_history_init(struct godwit_history *h, const struct godwit_template *t, uint8_t slot, struct godwit_state *states, uint8_t count);

/* Where a frame is written to, and how it goes out. */
struct godwit_out {
	uint8_t *buffer;
	uint16_t cap;  /* of the buffer */
	uint8_t flags; /* enum godwit_flag */
};

enum godwit_flag {
	GODWIT_ADDRESSED = 1, /* with the device's number before it: on UDP, and on other links until the gateway knows the address */
	GODWIT_METERED = 2,   /* the link is SMS or satellite: the short tag may be used for statuses (F-017) */
	GODWIT_ASK = 64,      /* asks for an acknowledgement; a status becomes a keyframe */
	GODWIT_KEYFRAME = 8   /* a keyframe, whatever is known: one a day where a network's word stands for acknowledgements (F-131) */
};

/*
 * Makes a batch of 2 to 257 statuses of the history's template, oldest first (SPEC §3.3). It needs no base and cannot ask for an acknowledgement: GODWIT_ASK
 * and GODWIT_KEYFRAME make one without a base. Returns as godwit_status. Of one status it makes what that makes.
 */
int godwit_batch(struct godwit *g, struct godwit_history *h, const struct godwit_status *statuses, size_t count, const struct godwit_out *out);

/*
 * Makes a status frame: a delta where the history holds a base and no keyframe is due (every 32nd frame of statuses), else a keyframe. out needs the plaintext and
 * GODWIT_OVERHEAD.
 *
 * Returns the length of the item in out; GODWIT_E_ARGUMENT, GODWIT_E_SPACE, GODWIT_E_RESERVE, GODWIT_E_JOIN.
 */
static inline int godwit_status(struct godwit *g, struct godwit_history *h, const struct godwit_status *status, const struct godwit_out *out)
{
	return godwit_batch(g, h, status, 1, out);
}

#if !defined GODWIT_NO_DELTA && !defined GODWIT_NO_FILL

/* How a network bills a message, in bytes of payload. */
struct godwit_bearer {
	uint16_t quantum; /* billed are multiples of it; 0 or 1: each byte */
	uint16_t minimum; /* billed at least */
	uint16_t maximum; /* carried by one message; 0: as much as the buffer has room for */
};

/* What a payload of n bytes is billed for. */
uint32_t godwit_billed(const struct godwit_bearer *b, uint32_t n);

/* Statuses that wait, oldest first. The last is the one that is due now; those before it were not sent. */
struct godwit_queue {
	const struct godwit_status *statuses;
	size_t count; /* of them, 1 or more */
	size_t due;   /* so many of the last have to go in any case, 1 or more; the others go where they cost nothing */
};

/*
 * Makes the frame that pays most for a queue: of its last status, or a batch of its last ones (F-135). Those that have to go in any case go together as far as a
 * message carries them, however many steps of the bill that takes: each frame more would cost its overhead and the minimum anew. Then the others that are the
 * nearest fill what is paid for, as many as leave the bill as it is. Where a keyframe is wanted, by flags or as every 32nd frame, the last status goes alone.
 *
 * What is in the frame leaves the queue, which gets shorter at its end: while it has something due, the next call makes the next frame. Keep the statuses until the
 * frame is acknowledged if they are to be said anew after a join (F-119). The bytes of the bearer are those of the item in out: take headers that are billed too off its minimum.
 *
 * It weighs what it might send, about 2 log2(count) frames with up to count statuses, at the price of making them without AES. out needs the maximum, or the plaintext
 * if that is less, and GODWIT_OVERHEAD. Returns as godwit_status; GODWIT_E_SPACE also if the last status alone is too long.
 */
int godwit_fill(struct godwit *g, struct godwit_history *h, struct godwit_queue *q, const struct godwit_bearer *bearer, const struct godwit_out *out);

#endif

/*
 * The value to send of a field that was measured, where a change below band steps is not worth sending (the deadband of a policy, F-067): that of the base if it
 * is nearer than band, else the value itself, as for fields of other predictors than 0, and where there is no base. field is its index in the template.
 */
int64_t godwit_hold(const struct godwit_history *h, unsigned field, uint32_t band, int64_t value);

/*
 * Says that the network delivered the frame of a counter of the present epoch (SMS status report, MO status): it may serve as a base. Acknowledgements need
 * no such call.
 */
void godwit_delivered(struct godwit_history *h, uint32_t counter);

/* --- Messages (SPEC §4) --- */

enum godwit_type {
	GODWIT_HELLO = 1,
	GODWIT_OPEN = 2,
	GODWIT_USER = 3,
	GODWIT_STEP_LOG = 4,
	GODWIT_ALARM = 5,
	GODWIT_FRAGMENT = 6,
	GODWIT_FRAGMENT_STATUS = 7,
	GODWIT_POLICY = 16,
	GODWIT_OFFER = 17,
	GODWIT_REQUEST = 18,
	GODWIT_TIME = 19,
	GODWIT_REKEY = 20,
	GODWIT_TEMPLATE = 21,
	GODWIT_SLEEP = 22
};

/* What is said under a key: at and n of a text of UTF-8, of bytes, or of a list of these; a number is n. Nothing is said where n is 0. */
struct godwit_say {
	const void *at;
	uint32_t n;
};

#define GODWIT_TEXT(literal) {literal, sizeof literal - 1}

/* Keys of a hello. */
enum {
	GODWIT_HELLO_VERSION = 1, /* text up to 64 bytes */
	GODWIT_HELLO_BUILD,       /* hash of the build, up to 32 bytes */
	GODWIT_HELLO_PRODUCT,     /* text up to 64 bytes */
	GODWIT_HELLO_HARDWARE,    /* text up to 64 bytes */
	GODWIT_HELLO_FREE_MEMORY, /* number of bytes */
	GODWIT_HELLO_BOOT_COUNT,  /* number */
	GODWIT_HELLO_RESET_CAUSE, /* number below 256 */
	GODWIT_HELLO_TEMPLATES,   /* list of hashes, 8 bytes each, by slot: up to 7 */
	GODWIT_HELLO_BEARERS,     /* list of texts: up to 8 */
	GODWIT_HELLO_KEYS
};

/*
 * Makes a hello; it asks for an acknowledgement and has its whole counter in clear (F-015). Send it after each boot and update, and monthly (F-044).
 * out needs the texts, 10 bytes a template, 60 more and GODWIT_OVERHEAD. Returns as godwit_status.
 */
int godwit_send_hello(struct godwit *g, const struct godwit_say values[GODWIT_HELLO_KEYS], const struct godwit_out *out);

/*
 * Makes a message of any type but hello of body's n bytes, as they are: GODWIT_USER for bytes of the application. body may lie within out, GODWIT_OVERHEAD
 * bytes from its start or more. out needs n + 1 bytes and GODWIT_OVERHEAD. Returns as godwit_status.
 */
int godwit_send(struct godwit *g, uint8_t type, const uint8_t *body, size_t n, const struct godwit_out *out);

/* A step of an update (SPEC §4.2). */
struct godwit_step {
	uint8_t step;         /* 0 to 14 */
	uint8_t code;         /* 0 began, 1 done, others as in the specification */
	uint32_t age_minutes; /* before now; what is too long ago to be said is cut */
};

struct godwit_step_log {
	uint32_t rollout;
	const struct godwit_step *steps;
	uint8_t count;    /* 1 to 64 */
	bool clock_valid; /* time is to be said */
	int64_t time;     /* Unix seconds */
};

/* Makes a step log. out needs 3 bytes a step, 9 more and GODWIT_OVERHEAD. Returns as godwit_status. */
int godwit_send_steps(struct godwit *g, const struct godwit_step_log *log, const struct godwit_out *out);

/* --- Receiving --- */

/* A transmission and an item of it. */
struct godwit_item {
	uint8_t *rest;    /* what was not looked at yet: at first the transmission */
	size_t left;      /* its length */
	uint8_t *raw;     /* the item, up to rest */
	uint8_t *content; /* of its byte string */
	size_t len;       /* 0 if it has none: an open map (first byte 0xa0 to 0xbb) or something signed (0xd2) */
};

/*
 * Takes the next item of a transmission. It has at most 16: take no more (F-003). Returns 1; 0 at the end; GODWIT_E_MALFORMED, as any further call then does: the
 * rest is to be dropped, items before stand (F-004).
 */
int godwit_next(struct godwit_item *item);

/* What an acknowledgement says (SPEC §5.1): the frame of counter is on the gateway's disk, and for each bit i of bitmap that of counter - 1 - i. */
struct godwit_ack {
	uint32_t counter;
	uint32_t bitmap;
};

/* 1 if the acknowledgement covers the frame of a counter, else 0. Let go only of frames that were sent: a number never used may be covered by no fault. */
int godwit_ack_covers(const struct godwit_ack *ack, uint32_t counter);

/* What came. */
struct godwit_received {
	struct godwit_ack ack; /* of GODWIT_GOT_ACK */
	const uint8_t *body;   /* behind the type byte; within the item */
	size_t len;
	uint8_t type;          /* enum godwit_type, or one of a later version: ignore that */
	bool ack_asked;
	uint8_t previous;      /* 1: of the epoch before this one; an acknowledgement covers the frames that were sealed in it */
};

enum {
	GODWIT_GOT_ACK = 1,
	GODWIT_GOT_MESSAGE = 2,
	GODWIT_GOT_CHALLENGE = 3, /* answer with godwit_send_join */
	GODWIT_GOT_EPOCH = 4      /* accepted: write the record, then send a hello at once (F-118) */
};

/*
 * Verifies an item and takes it. A message is decrypted in place; it is taken once: write the record before you act on it, so that it is not taken again
 * after a restart. An acknowledgement marks the statuses of h that it covers as bases; h may be NULL.
 *
 * Returns one of GODWIT_GOT_…; GODWIT_E_MALFORMED (also for forms that the device does not open), GODWIT_E_AUTH, GODWIT_E_REPLAY.
 */
int godwit_receive(struct godwit *g, struct godwit_history *h, const struct godwit_item *item, struct godwit_received *r);

/*
 * Takes the body of a rekey (GODWIT_REKEY) and begins its epoch: other keys, counters from 0. Write the record, then send a hello at once (F-118). What was
 * sealed before stays as it is and may still be sent. Returns 0; GODWIT_E_MALFORMED for another message or an odd key that is not known (F-064);
 * GODWIT_E_ARGUMENT for an epoch that is not above the present.
 */
int godwit_rekey(struct godwit *g, const uint8_t *body, size_t len);

/* --- What the gateway says (SPEC §4.4) --- */

/* A value of a message. */
struct godwit_value {
	uint64_t number;   /* the number; 0 or 1 of a flag; of bytes and texts their length, of lists how many elements there are, of maps how many pairs */
	const uint8_t *at; /* bytes, text, or the first element, within the message; NULL if the message does not have the key */
};

/* Keys of messages; those with an asterisk are always there. */
enum {
	GODWIT_POLICY_INTERVAL = 1,  /* seconds between statuses, 32 bits; also where the message has their code */
	GODWIT_POLICY_BEARERS = 2,   /* list of texts: in the order in which to try them */
	GODWIT_POLICY_CODE = 3,      /* of the interval (F-079) */
	GODWIT_POLICY_QUIET = 4,     /* list of numbers: from, to, from, to … in minutes of the UTC day (F-066) */
	GODWIT_POLICY_DEADBANDS = 6, /* map: field id, the least change worth sending in steps of the field (F-067) */
	GODWIT_POLICY_REVISION = 8,  /* the next statuses say its low 8 bits (F-036) */

	GODWIT_OFFER_ROLLOUT = 1,     /* * */
	GODWIT_OFFER_VERSION = 2,     /* text */
	GODWIT_OFFER_URL = 3,         /* * text: of the signed manifest */
	GODWIT_OFFER_BURST = 4,       /* list of numbers: minutes after the boot of the new software at which to report (F-068) */
	GODWIT_OFFER_SIZE = 5,        /* * bytes to fetch */
	GODWIT_OFFER_EXPIRES = 6,     /* Unix seconds */
	GODWIT_OFFER_HASH = 7,        /* * bytes: the first 16 to 32 of SHA-256 over the manifest */
	GODWIT_OFFER_MEMORY = 9,      /* bytes that must be free */
	GODWIT_OFFER_CONSENT = 11,    /* flag: somebody at the device must agree */
	GODWIT_OFFER_NOT_BEFORE = 13, /* Unix seconds before which nothing is installed */

	GODWIT_REQUEST_WHAT = 1, /* * the sum of 1 keyframe, 2 hello, 4 whatever waits (F-071) */

	GODWIT_TIME_SECONDS = 1,  /* * Unix seconds when it was sealed */
	GODWIT_TIME_ACCURACY = 2, /* seconds by which it may be wrong */

	GODWIT_REKEY_EPOCH = 1, /* * 32 bits, not 0; godwit_rekey takes it by itself */
	GODWIT_REKEY_SALT = 3,  /* * 16 bytes */

	GODWIT_TEMPLATE_SLOT = 1, /* * 0 to 6 */
	GODWIT_TEMPLATE_HASH = 3, /* * 8 bytes */

	GODWIT_SLEEP_SECONDS = 2, /* for which nothing will come; without it until the device speaks */

	GODWIT_KEYS = 14
};

/*
 * Reads a message from GODWIT_POLICY to GODWIT_SLEEP into values by key. All of it is checked, lists and maps too: act on it as a whole or not at all. Even
 * keys of a later version are passed over (F-064). Values lead into r->body. Returns 0; GODWIT_E_MALFORMED; GODWIT_E_ARGUMENT for another type.
 */
int godwit_read(const struct godwit_received *r, struct godwit_value values[GODWIT_KEYS]);

/* The next number or text of a list or map that godwit_read has checked: *at begins as at of its value and moves behind the element. */
void godwit_element(const uint8_t **at, struct godwit_value *v);

#ifndef GODWIT_NO_MANIFEST

/* --- Manifests: what an offer leads to (SPEC §7) --- */

/* Keys of a manifest; those with an asterisk are always there. */
enum {
	GODWIT_MANIFEST_PRODUCT = 1,    /* * text */
	GODWIT_MANIFEST_VERSION = 2,    /* * text */
	GODWIT_MANIFEST_SEQUENCE = 3,   /* * 32 bits: keep that of the software with the software */
	GODWIT_MANIFEST_SIZE = 4,       /* * bytes of the image */
	GODWIT_MANIFEST_SHA256 = 5,     /* * 32 bytes, of the image */
	GODWIT_MANIFEST_URL = 6,        /* * text: of the image */
	GODWIT_MANIFEST_BUILD = 7,      /* bytes: hash of the build */
	GODWIT_MANIFEST_MEMORY = 8,     /* bytes that must be free, see godwit_manifest_need */
	GODWIT_MANIFEST_IN_PLACE = 9,   /* flag: the device patches what it runs */
	GODWIT_MANIFEST_MINIMUM = 10,   /* sequence that must run */
	GODWIT_MANIFEST_FROM = 11,      /* list of texts: versions of which one must run */
	GODWIT_MANIFEST_NOT_AFTER = 12, /* Unix seconds */
	GODWIT_MANIFEST_NOTES = 13      /* text */
};

enum {
	GODWIT_MANIFEST_ROOM = 10,  /* bytes before a manifest in its buffer */
	GODWIT_MANIFEST_MAX = 2048, /* the longest manifest */
	GODWIT_SIGNATURE = 64,
	GODWIT_ES256 = 7, /* ECDSA on P-256 with SHA-256: r and s, 32 bytes each */
	GODWIT_EDDSA = 8  /* Ed25519 */
};

/* Verifies a signature by the key that the firmware has for this algorithm and key id. Returns 1 if it is good, 0 if not or if there is no such key. */
typedef int godwit_verify_fn(void *context, int algorithm, const uint8_t *kid, size_t kid_len, const uint8_t *message, size_t n,
                             const uint8_t signature[GODWIT_SIGNATURE]);

/*
 * Reads a manifest of n bytes, which begins GODWIT_MANIFEST_ROOM bytes behind buffer, into values by key, if it is the one of the offer (hash is its
 * GODWIT_OFFER_HASH) and verify knows who signed it. The buffer is written to for that, and the manifest is there unchanged afterwards. Values lead into it.
 *
 * Returns 0; GODWIT_E_MALFORMED (report code 6) for what is no manifest, or one that asks for something that this version does not know; GODWIT_E_AUTH
 * (code 5). Nothing else is to be fetched before this returned 0 (F-068).
 */
int godwit_manifest(uint8_t *buffer, size_t n, const struct godwit_value *hash, godwit_verify_fn *verify, void *context,
                    struct godwit_value values[GODWIT_KEYS]);

/* What a device is, for godwit_manifest_admits. */
struct godwit_target {
	const char *product, *version; /* as its hello says */
	uint32_t sequence;             /* of the software that runs; 0 if that came without a manifest */
	uint64_t free_memory;          /* in bytes */
	int64_t now;                   /* Unix seconds; 0: not known */
};

/* 1 if the device may install this, else the code to report: 2 memory, 6 not for it, not newer, or another release first, 10 too late (F-146). */
int godwit_manifest_admits(const struct godwit_value values[GODWIT_KEYS], const struct godwit_target *t);

/* The bytes that must be free (F-147). */
uint64_t godwit_manifest_need(const struct godwit_value values[GODWIT_KEYS]);

#endif

#ifndef GODWIT_NO_FRAGMENTS

/* --- Fragments: messages that do not fit into a frame (SPEC §4.5) --- */

/* A message on its way here. Its fields are no concern of the firmware. */
struct godwit_assembly {
	uint8_t *buffer;
	size_t cap;
	size_t size;      /* of each fragment but the last, 0 if it is not known */
	size_t final;     /* of the last fragment, 0 if it is not there */
	uint16_t last;    /* index of the last fragment, 0 if nothing is known */
	uint16_t missing; /* so many are not there */
	uint8_t set;
};

/*
 * Prepares for messages that fit with 4 bytes and a bit for each fragment into a buffer of the caller, which nobody else writes to. There is one message at
 * a time: a fragment of another one begins anew. Call it also when nothing came of a message for 24 hours (F-075).
 */
void godwit_assembly_init(struct godwit_assembly *a, uint8_t *buffer, size_t cap);

/*
 * Takes a fragment. If it makes the message whole, r becomes that message as if it had come in one frame, and its body is in the buffer: act on it before
 * the next fragment is taken. Where r->ack_asked, answer with godwit_send_fragment_status (F-076), and write the record before, as for any message.
 *
 * Returns GODWIT_GOT_MESSAGE for a message that is whole, 0 for a fragment that was kept or is known; GODWIT_E_MALFORMED for one that is none, or that
 * completes what is no message (F-073, F-078); GODWIT_E_SPACE for a message that does not fit into the buffer.
 */
int godwit_assemble(struct godwit_assembly *a, struct godwit_received *r);

/* Makes the status of a set, the first byte of a fragment's body. out needs 261 bytes and GODWIT_OVERHEAD at most. Returns as godwit_status. */
int godwit_send_fragment_status(struct godwit *g, const struct godwit_assembly *a, uint8_t set, const struct godwit_out *out);

/* A message on its way to the gateway. */
struct godwit_parcel {
	const uint8_t *message;
	uint8_t *there; /* bits by index: what is known to have arrived */
	size_t len;
	size_t size;    /* of each fragment but the last */
	uint16_t last;  /* index of the last fragment */
	uint16_t next;  /* indices below it had their turn in this round */
	uint16_t asked; /* index of the fragment that ended the last round */
	uint8_t check[4];
	uint8_t set;
};

/*
 * Cuts a message of n bytes, a type of enum godwit_type and its body, into fragments for frames with room bytes of plaintext: what a frame may have but for
 * GODWIT_OVERHEAD. set names the message, another one each time. message and there, a bit for each fragment, are the caller's and must live as long.
 *
 * Returns how many fragments there are; GODWIT_E_ARGUMENT for a message that fits into one frame, has more than 65,536 bytes or a type that may not be cut;
 * GODWIT_E_SPACE if they are more than 2,048 or than there has room for.
 */
int godwit_parcel_init(struct godwit_parcel *p, uint8_t set, const uint8_t *message, size_t n, size_t room, uint8_t *there, size_t there_len);

/*
 * Makes the frame of the next fragment that is not known to have arrived. The last of a round asks for a status. Each is a frame with a counter of its own,
 * also where it repeats a fragment. out needs room and GODWIT_OVERHEAD.
 *
 * Returns as godwit_status; 0 if the round is over: wait for a status, or after a while call godwit_parcel_probe.
 */
int godwit_send_fragment(struct godwit *g, struct godwit_parcel *p, const struct godwit_out *out);

/*
 * Takes a fragment status (GODWIT_FRAGMENT_STATUS) and begins the next round. Returns how many fragments are missing: 0 if the message arrived;
 * GODWIT_E_MALFORMED; GODWIT_E_ARGUMENT for the status of another set. Give up if it stays the same for long: each round may cost money.
 */
int godwit_parcel_status(struct godwit_parcel *p, const struct godwit_received *r);

/* Has the fragment that ended the round made again: no status came, so it was lost, or its answer was. */
void godwit_parcel_probe(struct godwit_parcel *p);

#endif

/* --- Joins: a new epoch for a device that lost its memory, or that nobody answers (SPEC §5.2) --- */

/*
 * 1 if the device must or should join: nothing is known of what it sealed, or 2^21 counters of the epoch are used (F-121). It should also join if it waits
 * for acknowledgements and hears nothing authentic for an hour, then ever more seldom (F-122).
 */
int godwit_join_due(const struct godwit *g);

#ifndef GODWIT_NO_JOIN
/*
 * Begins an attempt, which ends one before it. random is unpredictable, another for each attempt (F-107). Write the record, then send what
 * godwit_send_join makes. The device goes on in its epoch, if it has one, until it is accepted.
 */
void godwit_join(struct godwit *g, uint32_t random);

/*
 * Makes the request of the attempt under way, or once a challenge came the answer to that. It may be sent again. out needs GODWIT_JOIN bytes. Returns the
 * length; GODWIT_E_ARGUMENT if there is no attempt (any more), GODWIT_E_RESERVE if the record must be written first, GODWIT_E_SPACE.
 */
int godwit_send_join(const struct godwit *g, const struct godwit_out *out);
#endif

/* --- Primitives --- */

/* SHA-256 (FIPS 180-4) of n bytes, fewer than 2^29. With GODWIT_HMAC that of the firmware, which is needed for fragments and manifests. */
void godwit_sha256(const uint8_t *data, size_t n, uint8_t out[32]);

#ifdef GODWIT_HMAC
/* HMAC-SHA-256 (RFC 2104) of the firmware: what becomes of data under a key takes the place of the key. */
void godwit_hmac(uint8_t key[32], const uint8_t *data, size_t n);
#endif

/* The key of a device of a fleet key (SPEC §2.1), for provisioning. fleet and out have GODWIT_KEY bytes and do not overlap. */
void godwit_fleet_key(const uint8_t *fleet, uint32_t number, uint8_t *out);

#ifdef __cplusplus
}
#endif

#endif
