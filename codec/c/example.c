/*
 * A whole device on a host: boot, hello, statuses, acknowledgements, a restart, and a join after its memory was lost. What stands for the hardware is in the
 * functions at the top: permanent memory, the radio, random numbers, the sensors. Replace them and keep the rest.
 *
 *     cc -std=c99 -o example example.c godwit.c godwit_aes.c && ./example
 */
#include "godwit.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

/* --- The template of the product, as the gateway has it --- */

enum { FIELDS = 2, STATES = 3, QUEUE = 24 };

static const struct godwit_field fields[FIELDS] = {
	{.offset = 250, .coding = {.width = 8}},  /* battery in steps of 0.01 V */
	{.offset = -140, .coding = {.width = 7}}, /* signal in dBm */
};

static const uint8_t ids[FIELDS] = {1, 2}; /* by which the gateway names them in a policy */

static const struct godwit_template template = {
	.fields = fields, .count = FIELDS, .unit = 1, .interval = 3600, .time = {.width = 20},
	.hash = {0xf2, 0xa3, 0x44, 0x20, 0xfc, 0x65, 0xc9, 0x8e}, /* of example.toml; `godwit template c` writes such tables */
};

/* --- Hardware --- */

/* Two places, written one after the other: whenever the power goes, one is good, and one that decays later has its copy. Erased flash is all ones. */
static uint8_t flash[2][GODWIT_RECORD];
static int never_written = 1; /* what tells a new device from one that lost its memory: a fuse, a page of its own, the factory's mark */

static int flash_write(const uint8_t *record)
{
	unsigned i;

	never_written = 0;
	for (i = 0; i < 2; i++) {
		memcpy(flash[i], record, GODWIT_RECORD);
		if (memcmp(flash[i], record, GODWIT_RECORD) != 0) /* read back before the other place is touched */
			return 0;
	}
	return 1;
}

static void flash_erase(void)
{
	memset(flash, 0xff, sizeof flash);
}

/* From the hardware's generator, or from noise gathered since boot: nobody may guess it. */
static uint32_t random_number(void)
{
	return 0x6b8b4567;
}

static void radio_send(const char *what, const uint8_t *frame, int n)
{
	printf("%-9s %3d bytes:", what, n);
	while (n-- > 0)
		printf(" %02x", *frame++);
	printf("\n");
}

/* What would come by radio, a transmission at a time; 0 if there is none. Without a gateway there is nothing: a device must live with that. */
static size_t radio_receive(uint8_t *buffer, size_t cap)
{
	(void)buffer;
	(void)cap;
	return 0;
}

/* Fetches what is at a URL, at most cap bytes, over whatever link the device has for that. Returns its length; 0 if it cannot. */
static size_t fetch(const uint8_t *url, size_t url_len, uint8_t *buffer, size_t cap)
{
	(void)url;
	(void)url_len;
	(void)buffer;
	(void)cap;
	return 0;
}

/* A secure element, or the bootloader's library: 1 if the key that is kept for this algorithm and id verifies. */
static int verify(void *context, int algorithm, const uint8_t *kid, size_t kid_len, const uint8_t *message, size_t n, const uint8_t *signature)
{
	(void)context;
	(void)algorithm;
	(void)kid;
	(void)kid_len;
	(void)message;
	(void)n;
	(void)signature;
	return 0;
}

static void measure(int64_t values[FIELDS], int64_t now)
{
	values[0] = 371 - now / 3600 % 24; /* in steps of 0.01 V */
	values[1] = now / 3600 % 24 == 1 ? GODWIT_NONE : -93;
}

/* --- The device --- */

static const uint8_t key[GODWIT_KEY] = {1, 2, 3}; /* from where the factory put it; never in the source */

/* Both sides must say the same: this is what `godwit device import` makes of a row without msisdn, imei, mobile_id, ctr_bits and tag. */
static const struct godwit_config config = {.number = 1001, .key = key, .aes = godwit_aes128, .short_counter = 1, .short_tag = 0};

static struct godwit device;
static struct godwit_history history;
static GODWIT_STATE(FIELDS) states[STATES];
static struct godwit_assembly assembly; /* of what is too long for a frame */
static uint8_t large[1024];
static uint32_t interval = 3600;
static int64_t now; /* of a clock that was set; the intervals of the example pass at once, so they begin some hours ago */

/* What the link bills: here 50 bytes at least. A satellite's credits are a quantum of 50, a text message of 140 bytes is a quantum and a maximum. */
static const struct godwit_bearer bearer = {.minimum = 50};

static struct godwit_status queue[QUEUE]; /* readings that were not sent, oldest first */
static int64_t values[QUEUE][FIELDS];
static size_t waiting;     /* so many */
static uint32_t base_less; /* seconds since the last frame of statuses that needs no base */

static uint8_t policy;             /* low bits of the revision in force; permanent memory is the place for it, interval and deadbands */
static uint32_t deadbands[FIELDS]; /* changes that are not worth sending */
static enum { NOTHING, OWED, SAID } receipt; /* of the policy */
static uint32_t said;              /* counter of the last status that was one */

/* Frames of which nobody said yet that they arrived, oldest first. They are sent again as they are (F-022), until that is said or the place is needed. */
static struct {
	uint32_t counter;
	int len;
	int previous; /* of the epoch before this one, */
	int tries;    /* and sent again so often since that ended */
	uint8_t frame[GODWIT_OVERHEAD + 128];
} kept[4];

static unsigned keeping;

enum { KEPT = sizeof kept / sizeof kept[0], TRIES = 8 };

/* Sends a frame that was just made. */
static void send_and_keep(const char *what, const uint8_t *frame, int n)
{
	radio_send(what, frame, n);
	if (keeping == KEPT)
		memmove(kept, kept + 1, --keeping * sizeof kept[0]);
	kept[keeping].counter = godwit_last(&device);
	kept[keeping].len = n;
	kept[keeping].previous = 0;
	memcpy(kept[keeping].frame, frame, (size_t)n);
	keeping++;
}

/* What is of the epoch before goes a few times more: a gateway that still has that epoch takes it at once, one that lost it never does (F-119). */
static void send_again(void)
{
	unsigned i, left = 0;

	for (i = 0; i < keeping; i++)
		if (!kept[i].previous || kept[i].tries++ < TRIES) {
			radio_send("again", kept[i].frame, kept[i].len);
			kept[left++] = kept[i];
		}
	keeping = left;
}

/* Lets go of what is on the gateway's disk. */
static void let_go(const struct godwit_ack *ack, int previous)
{
	unsigned i, left = 0;

	for (i = 0; i < keeping; i++)
		if (kept[i].previous != previous || !godwit_ack_covers(ack, kept[i].counter))
			kept[left++] = kept[i];
	keeping = left;
}

/* A new epoch: what was sealed in the one before it may still be sent, what is older may not (F-119). */
static void turn_over(void)
{
	unsigned i, left = 0;

	for (i = 0; i < keeping; i++)
		if (!kept[i].previous) {
			kept[left] = kept[i];
			kept[left].tries = 0;
			kept[left++].previous = 1;
		}
	keeping = left;
}

/* Writes the record if it must be. To be called before each frame and after each received transmission. */
static int persist(void)
{
	uint8_t record[GODWIT_RECORD];

	if (!godwit_record(&device, record))
		return 1;
	if (!flash_write(record))
		return 0; /* nothing may be sent: the counter would be used again after a restart */
	godwit_stored(&device);
	return 1;
}

static int send_hello(void)
{
	static const struct godwit_say templates[] = {{template.hash, sizeof template.hash}};
	static const struct godwit_say bearers[] = {GODWIT_TEXT("udp")};
	static const struct godwit_say hello[GODWIT_HELLO_KEYS] = {
		[GODWIT_HELLO_VERSION] = GODWIT_TEXT("1.0.0"),   [GODWIT_HELLO_PRODUCT] = GODWIT_TEXT("example"), [GODWIT_HELLO_BOOT_COUNT] = {NULL, 1},
		[GODWIT_HELLO_TEMPLATES] = {templates, 1},       [GODWIT_HELLO_BEARERS] = {bearers, 1},
	};
	uint8_t frame[GODWIT_OVERHEAD + 128];
	const struct godwit_out out = {frame, sizeof frame, GODWIT_ADDRESSED};
	int n;

	if (!persist() || (n = godwit_send_hello(&device, hello, &out)) < 0)
		return 0;
	send_and_keep("hello", frame, n);
	return 1;
}

/* Says what the attempt to join has to say: the request, or the answer to a challenge. */
static int send_join(void)
{
	uint8_t frame[GODWIT_JOIN];
	const struct godwit_out out = {frame, sizeof frame, GODWIT_ADDRESSED};
	int n;

	if (!persist() || (n = godwit_send_join(&device, &out)) < 0)
		return 0;
	radio_send("join", frame, n);
	return 1;
}

enum { HOUR = 3600, DAY = 24 * HOUR };

static int unanswered;         /* something was sent since the device was last heard */
static uint64_t silence;       /* seconds since the first of that */
static uint64_t waited = HOUR; /* seconds since the last attempt to join, */
static uint32_t patience = HOUR; /* of which there must be so many */

/* Begins an attempt. Where nobody answers, the next follows ever more seldom, but within a day, or a week on a link that keeps messages (F-150). */
static int join(void)
{
	godwit_join(&device, random_number());
	waited = 0;
	patience = patience < DAY / 2 ? 2 * patience : DAY;
	return send_join();
}

/* Asks for a new epoch where there must be one (F-121), or where nobody answers for an hour (F-122). What the device has it goes on with meanwhile. */
static void join_if_due(void)
{
	if (waited >= patience && (silence >= HOUR || godwit_join_due(&device)))
		(void)join();
}

/* Something authentic came. */
static void heard(void)
{
	unanswered = 0;
	silence = 0;
	if (!godwit_join_due(&device))
		patience = HOUR;
}

static int send_keyframe(void);

/* Looks at an update that is offered: its manifest says what it is, and whoever signed that answers for it. Says in a step log why it is not installed. */
static void consider(const struct godwit_value offer[GODWIT_KEYS])
{
	static uint8_t buffer[GODWIT_MANIFEST_ROOM + GODWIT_MANIFEST_MAX];
	static const struct godwit_target self = {.product = "example", .version = "1.0.0", .sequence = 1, .free_memory = 65536};
	struct godwit_value manifest[GODWIT_KEYS];
	struct godwit_step step = {.step = 11}; /* failed */
	const struct godwit_step_log log = {.rollout = (uint32_t)offer[GODWIT_OFFER_ROLLOUT].number, .steps = &step, .count = 1};
	uint8_t frame[GODWIT_OVERHEAD + 16];
	const struct godwit_out out = {frame, sizeof frame, GODWIT_ADDRESSED | GODWIT_ASK};
	size_t n = fetch(offer[GODWIT_OFFER_URL].at, (size_t)offer[GODWIT_OFFER_URL].number, buffer + GODWIT_MANIFEST_ROOM, GODWIT_MANIFEST_MAX);
	int err = n == 0 ? 0 : godwit_manifest(buffer, n, &offer[GODWIT_OFFER_HASH], verify, NULL, manifest), sent;

	step.code = (uint8_t)(n == 0 ? 7 : err == GODWIT_E_AUTH ? 5 : err < 0 ? 6 : godwit_manifest_admits(manifest, &self));
	if (step.code == 1)
		return; /* fetch the image, compare its SHA-256, install it and keep the sequence with it (F-148, F-149) */
	if (persist() && (sent = godwit_send_steps(&device, &log, &out)) > 0)
		send_and_keep("steps", frame, sent);
}

/* What the gateway says. */
static void obey(const struct godwit_received *r)
{
	struct godwit_value v[GODWIT_KEYS];

	if (r->type == GODWIT_REKEY) {
		if (godwit_rekey(&device, r->body, r->len) == 0) {
			turn_over();
			(void)send_hello();
		}
		return;
	}
	if (godwit_read(r, v) < 0)
		return; /* bytes of the application, or what this firmware does not know */
	if (r->type == GODWIT_POLICY && v[GODWIT_POLICY_INTERVAL].at != NULL)
		interval = (uint32_t)v[GODWIT_POLICY_INTERVAL].number;
	if (r->type == GODWIT_POLICY && v[GODWIT_POLICY_REVISION].at != NULL) { /* F-036 */
		policy = (uint8_t)v[GODWIT_POLICY_REVISION].number;
		receipt = OWED;
	}
	if (r->type == GODWIT_POLICY && v[GODWIT_POLICY_DEADBANDS].at != NULL) { /* F-066: an empty one takes away what was set */
		const uint8_t *at = v[GODWIT_POLICY_DEADBANDS].at;
		uint64_t left = v[GODWIT_POLICY_DEADBANDS].number;
		struct godwit_value id, least;
		unsigned i;

		memset(deadbands, 0, sizeof deadbands);
		for (; left > 0; left--) {
			godwit_element(&at, &id);
			godwit_element(&at, &least);
			for (i = 0; i < FIELDS; i++)
				if (ids[i] == id.number)
					deadbands[i] = (uint32_t)least.number;
		}
	}
	if (r->type == GODWIT_OFFER)
		consider(v);
	if (r->type == GODWIT_REQUEST && (v[GODWIT_REQUEST_WHAT].number & 2) != 0)
		(void)send_hello();
	if (r->type == GODWIT_REQUEST && (v[GODWIT_REQUEST_WHAT].number & 1) != 0)
		(void)send_keyframe();
}

static void take(struct godwit_received *r, int got)
{
	uint8_t frame[GODWIT_OVERHEAD + 261], set;
	const struct godwit_out out = {frame, sizeof frame, GODWIT_ADDRESSED};
	int n, asked;

	switch (got) {
	case GODWIT_GOT_ACK:
		printf("on disk:  counter %lu\n", (unsigned long)r->ack.counter);
		let_go(&r->ack, r->previous);
		if (receipt == SAID && !r->previous && godwit_ack_covers(&r->ack, said))
			receipt = NOTHING;
		return;
	case GODWIT_GOT_CHALLENGE:
		(void)send_join();
		return;
	case GODWIT_GOT_EPOCH:
		turn_over();
		(void)send_hello();
		return;
	default:
		break;
	}
	if (!persist()) /* before it is acted on: it must not be taken again after a restart */
		return;
	printf("message:  type %u, %lu bytes\n", r->type, (unsigned long)r->len);
	if (r->type != GODWIT_FRAGMENT) {
		obey(r);
		return;
	}
	set = r->len > 0 ? r->body[0] : 0;
	asked = r->ack_asked;
	if (godwit_assemble(&assembly, r) == GODWIT_GOT_MESSAGE)
		obey(r);
	if (asked && persist() && (n = godwit_send_fragment_status(&device, &assembly, set, &out)) > 0)
		radio_send("fragments", frame, n);
}

/* All that came: an acknowledgement that is left in the radio comes an interval late, and the frame has gone again by then. */
static void receive(void)
{
	static uint8_t buffer[1232]; /* the most that the gateway sends over UDP */
	struct godwit_item item;
	struct godwit_received r;
	int items, got;

	while ((item.left = radio_receive(buffer, sizeof buffer)) > 0) {
		item.rest = buffer;
		for (items = 0; items < 16 && godwit_next(&item) > 0; items++)
			if ((got = godwit_receive(&device, &history, &item, &r)) > 0) {
				heard();
				take(&r, got);
			}
	}
}

/* Takes a reading. The queue forgets the oldest where it is full. */
static void read_sensors(void)
{
	unsigned i;

	if (waiting == QUEUE) {
		waiting--;
		memmove(queue, queue + 1, waiting * sizeof queue[0]);
		memmove(values, values + 1, waiting * sizeof values[0]);
		for (i = 0; i < waiting; i++)
			queue[i].values = values[i];
	}
	measure(values[waiting], now);
	for (i = 0; i < FIELDS; i++)
		values[waiting][i] = godwit_hold(&history, i, deadbands[i], values[waiting][i]);
	memset(&queue[waiting], 0, sizeof queue[0]);
	queue[waiting].values = values[waiting];
	queue[waiting].clock_valid = 1;
	queue[waiting].time = now;
	waiting++;
}

/* Sends the last reading, and those before it that cost nothing more. What could not be sent goes with what follows. */
static int send_status(unsigned flags)
{
	uint8_t frame[GODWIT_OVERHEAD + 128];
	const struct godwit_out out = {frame, sizeof frame, (uint8_t)(GODWIT_ADDRESSED | flags)};
	struct godwit_queue q = {.statuses = queue, .due = 1};
	struct godwit_status *last;
	int n;

	if (waiting == 0) /* all that there was is on its way */
		read_sensors();
	q.count = waiting;
	last = &queue[waiting - 1];
	last->rare = last->has_policy = receipt != NOTHING;
	last->version = 1; /* in the product's release table */
	last->policy = policy;
	if (!persist() || (n = godwit_fill(&device, &history, &q, &bearer, &out)) < 0)
		return 0;
	if (receipt != NOTHING) {
		receipt = SAID;
		said = godwit_last(&device);
	}
	send_and_keep(waiting - q.count > 1 ? "batch" : history.run == 0 ? "keyframe" : "delta", frame, n);
	waiting = q.count;
	if (history.run == 0)
		base_less = 0;
	return 1;
}

static int send_keyframe(void)
{
	return send_status(GODWIT_KEYFRAME);
}

enum { READINGS = 4 }; /* in an interval */

/* What there is to do in an interval. */
static int work(void)
{
	int sent, i;

	for (i = 0; i < READINGS; i++) { /* with time between them */
		now += interval / READINGS;
		read_sensors();
	}
	waited += interval;
	if (unanswered)
		silence += interval;
	send_again();
	base_less += interval;
	sent = send_status(base_less >= DAY ? GODWIT_KEYFRAME : 0); /* F-131: a network may have been wrong about what it delivered */
	unanswered = 1;
	receive();
	join_if_due();
	return sent;
}

static int boot(void)
{
	keeping = 0; /* RAM is lost */
	godwit_assembly_init(&assembly, large, sizeof large);
	godwit_history_init(&history, &template, 0, &states[0].state, STATES);
	if (never_written)
		return godwit_boot(&device, &config, NULL) == 0 && send_hello();
	if ((godwit_boot(&device, &config, flash[0]) == 0 || godwit_boot(&device, &config, flash[1]) == 0) && !godwit_join_due(&device))
		return send_hello();
	return join(); /* neither is good, or it waited to be accepted: nothing may be sealed, for nobody knows which counters were used */
}

/* The network says that it delivered the last frame, as some do; where they do not, an acknowledgement says so. */
static void delivered(void)
{
	const struct godwit_ack word = {.counter = godwit_last(&device)};

	godwit_delivered(&history, word.counter);
	let_go(&word, 0);
	heard(); /* a device that gets acknowledgements is heard by nothing else */
}

int main(void)
{
	int round;

	now = (int64_t)time(NULL) - 8 * HOUR;
	if (!boot())
		return 1;
	delivered();
	for (round = 0; round < 3; round++) {
		if (!work())
			return 1;
		delivered();
	}
	printf("restart\n"); /* RAM is lost, permanent memory is not: counters go on above all that were used */
	memset(&device, 0, sizeof device);
	if (!boot() || !work()) /* nobody said that the hello arrived: it goes again */
		return 1;
	printf("memory lost\n"); /* until the gateway answers, there is nothing but the join */
	flash_erase();
	memset(&device, 0, sizeof device);
	if (!boot() || work())
		return 1;
	printf("restart\n"); /* still not accepted: asked again */
	memset(&device, 0, sizeof device);
	return boot() ? 0 : 1;
}
