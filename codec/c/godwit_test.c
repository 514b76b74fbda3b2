/*
 * Tests of godwit.c, driven by ../device_c_test.go:
 *
 *     godwit_test vectors FILE...        runs files of ../testdata/vectors, and says which a device has no use for
 *     godwit_test fuzz COUNT FILE...     mutates the inputs of vectors and hands them to the parsers, and writes into buffers of any size
 *     godwit_test serve                  is a device: a command a line in, an answer a line out (see serve)
 *
 * It is one unit with the source, so that it reaches what the header does not show.
 */
#include "godwit.c"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { BUFFER = 70000, STATES = 4 };

static void die(const char *what)
{
	fprintf(stderr, "godwit_test: %s\n", what);
	exit(2);
}

static int digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Reads hex digits up to the end or to another character; returns the number of bytes. */
static size_t unhex(const char *s, uint8_t *out, size_t cap)
{
	size_t n = 0;

	for (; digit(s[0]) >= 0 && digit(s[1]) >= 0; s += 2) {
		if (n == cap)
			die("hex too long");
		out[n++] = (uint8_t)(digit(s[0]) << 4 | digit(s[1]));
	}
	return n;
}

static void print_hex(const uint8_t *b, size_t n)
{
	if (n == 0)
		putchar('-');
	while (n-- > 0)
		printf("%02x", *b++);
}

/* A copy of exactly so many bytes, so that a read beyond them is noticed. */
static uint8_t *copy(const uint8_t *b, size_t n)
{
	uint8_t *c = malloc(n > 0 ? n : 1);

	if (c == NULL)
		die("out of memory");
	if (n > 0)
		memcpy(c, b, n);
	return c;
}

/* --- Templates in their canonical form --- */

struct parsed {
	struct godwit_template t;
	struct godwit_field fields[FIELDS_MAX];
	char names[FIELDS_MAX][33];
	uint32_t coef[FIELDS_MAX];
	int exp[FIELDS_MAX];
	uint8_t models[FIELDS_MAX + 1][47];
};

static int64_t integer(struct reader *r)
{
	const uint8_t *at = r->p;
	int64_t v;
	int major = read_head(r);

	if (major < 0 || (major > 1 && major != 4 && major != 7))
		die("template");
	v = r->info < 27 ? (int64_t)r->v : (int64_t)((uint64_t)get_be(at + 1, 4) << 32 | get_be(at + 5, 4));
	return major == 1 ? -1 - v : major == 7 ? r->info == 21 : v;
}

static size_t octets(struct reader *r, uint8_t *out, size_t cap)
{
	int major = read_head(r);

	if ((major != 2 && major != 3) || r->v > cap || r->v > r->left)
		die("template");
	memcpy(out, r->p, r->v);
	pass(r, r->v);
	return r->v;
}

static void parse_coding(struct reader *r, struct godwit_coding *c, uint8_t model[47])
{
	if (integer(r) != 3)
		die("coding");
	c->order = (uint8_t)integer(r);
	c->spread = (uint8_t)integer(r);
	c->model = octets(r, model, 47) > 0 ? model : NULL;
}

/* How fast a field of predictor 1 rises: what `godwit template c` writes into tables. */
static void parse_rise(struct godwit_field *f, unsigned unit, uint32_t coef, int exp)
{
	uint64_t rise = unit, per = coef, a, b;

	for (; exp < 0; exp++)
		rise *= 10;
	for (; exp > 0; exp--)
		per *= 10;
	for (a = rise, b = per; b != 0;) {
		uint64_t rest = a % b;

		a = b;
		b = rest;
	}
	f->rise = (uint16_t)(rise / a);
	f->per = per / a > INT32_MAX ? INT32_MAX : (uint32_t)(per / a);
}

static void parse_template(struct parsed *p, const uint8_t *b, size_t n)
{
	struct reader r;
	uint8_t unit[33], hash[32];
	unsigned i;

	reader_init(&r, b, n, 1);
	memset(p, 0, sizeof *p);
	if (integer(&r) != 5 || integer(&r) != 1)
		die("template version");
	p->t.unit = integer(&r) != 0 ? 60 : 1;
	p->t.time.width = p->t.unit == 60 ? 16 : 20;
	p->t.interval = (uint32_t)integer(&r);
	parse_coding(&r, &p->t.time, p->models[FIELDS_MAX]);
	p->t.count = (uint8_t)integer(&r);
	p->t.fields = p->fields;
	for (i = 0; i < p->t.count; i++) {
		struct godwit_field *f = &p->fields[i];

		integer(&r); /* the array */
		integer(&r); /* id */
		octets(&r, (uint8_t *)p->names[i], 32);
		octets(&r, unit, 32);
		p->coef[i] = (uint32_t)integer(&r);
		p->exp[i] = (int)integer(&r);
		f->offset = integer(&r);
		f->coding.width = (uint8_t)integer(&r);
		f->coding.optional = integer(&r) != 0;
		f->group = (uint8_t)integer(&r);
		if (f->group > p->t.groups)
			p->t.groups = f->group;
		f->predictor = (uint8_t)integer(&r);
		if (f->predictor == 1)
			parse_rise(f, p->t.unit, p->coef[i], p->exp[i]);
		parse_coding(&r, &f->coding, p->models[i]);
	}
	godwit_sha256(b, n, hash);
	memcpy(p->t.hash, hash, sizeof p->t.hash);
}

/* --- Vectors --- */

/* Of a vector: a status line for each status of a batch, and some more. */
#define HEADERS_MAX 320

struct vector {
	char *text; /* of the file; lines end in 0 */
	char *headers[HEADERS_MAX][2];
	unsigned count;
	uint8_t *input;
	size_t len;
};

static char *read_file(const char *path)
{
	FILE *f = fopen(path, "rb");
	char *text;
	long n = 0;

	if (f == NULL || fseek(f, 0, SEEK_END) != 0 || (n = ftell(f)) < 0 || fseek(f, 0, SEEK_SET) != 0)
		die(path);
	text = malloc((size_t)n + 1);
	if (text == NULL || fread(text, 1, (size_t)n, f) != (size_t)n)
		die(path);
	text[n] = 0;
	fclose(f);
	return text;
}

static void load(struct vector *v, const char *path)
{
	char *line, *next;

	memset(v, 0, sizeof *v);
	line = v->text = read_file(path);
	v->input = malloc(strlen(line) / 2 + 1);
	for (; line != NULL && *line != 0 && *line != '\n'; line = next) {
		char *value = strstr(line, ": ");

		next = strchr(line, '\n');
		if (next != NULL)
			*next++ = 0;
		if (value == NULL || v->count == HEADERS_MAX)
			die("header");
		*value = 0;
		v->headers[v->count][0] = line;
		v->headers[v->count++][1] = value + 2;
	}
	while (line != NULL && *line == '\n') {
		line++;
		v->len += unhex(line, v->input + v->len, BUFFER);
		line = strchr(line, '\n');
	}
}

static void unload(struct vector *v)
{
	free(v->text);
	free(v->input);
}

static const char *get(const struct vector *v, const char *key)
{
	unsigned i;

	for (i = 0; i < v->count; i++)
		if (strcmp(v->headers[i][0], key) == 0)
			return v->headers[i][1];
	return "";
}

static uint64_t number(const struct vector *v, const char *key)
{
	return strtoull(get(v, key), NULL, 10);
}

/* A device as the headers say. */
struct device {
	struct godwit g;
	struct godwit_config config;
	uint8_t key[64];
};

static void device_of(struct device *d, const struct vector *v)
{
	memset(d, 0, sizeof *d);
	unhex(get(v, "device-key"), d->key, sizeof d->key);
	d->config.number = (uint32_t)number(v, "number");
	d->config.key = d->key;
	d->config.aes = godwit_aes128;
	d->config.short_counter = number(v, "ctr-bits") != 16;
	d->config.short_tag = number(v, "tag") == 4;
	if (godwit_boot(&d->g, &d->config, NULL) != 0)
		die("boot");
	d->g.memory.epochs[0].number = (uint32_t)number(v, "epoch");
	unhex(get(v, "salt"), d->g.memory.epochs[0].salt, GODWIT_SALT);
}

/* What came of a vector. Reasons that a device need not tell apart are one. From FOR_GATEWAY on it is not run, which has these reasons. */
enum outcome { OK, AUTH, CONTROL, REFUSED, WRONG, FOR_GATEWAY, NOT_JUDGED, LATER, BEYOND };

static const char *const reasons[] = {
	"an uplink that a gateway must refuse: a device makes none such and reads no uplinks",
	"a template that must be refused: a device has those that the gateway wrote, and does not read them",
	"keys of a later version, which this one does not write",
	"a counter above 2^32, which a device does not reach",
};

enum { E_CONTROL = -100 };

static enum outcome outcome_of(int err)
{
	return err >= 0 ? OK : err == GODWIT_E_AUTH ? AUTH : err == E_CONTROL ? CONTROL : REFUSED;
}

/* Where a label is in words. */
static unsigned label_of(const char *label)
{
	unsigned at = UP8;

	while (at < sizeof words && strcmp(words + at, label) != 0)
		at++;
	return at;
}

static enum outcome run_derive(const struct vector *v)
{
	struct device d;
	const char *label = get(v, "label");
	struct work x;
	uint8_t out[32], key[32];

	device_of(&d, v);
	if (strcmp(label, "fleet") == 0) {
		unhex(get(v, "fleet-key"), key, sizeof key);
		godwit_fleet_key(key, d.config.number, out);
	} else {
		x.g = &d.g;
		x.epoch = strcmp(label, "join") == 0 ? NULL : &d.g.memory.epochs[0];
		x.label = label_of(label);
		x.header = 0;
		derive(&x);
		memcpy(out, x.key, sizeof out);
	}
	return v->len <= 32 && memcmp(out, v->input, v->len) == 0 ? OK : WRONG;
}

static struct godwit_item transmission(uint8_t *b, size_t n)
{
	struct godwit_item item;

	memset(&item, 0, sizeof item);
	item.rest = b;
	item.left = n;
	return item;
}

/* Where a frame is written to. */
static struct godwit_out to(uint8_t *buffer, size_t cap, unsigned flags)
{
	struct godwit_out out;

	out.buffer = buffer;
	out.cap = cap < UINT16_MAX ? (uint16_t)cap : UINT16_MAX;
	out.flags = (uint8_t)flags;
	return out;
}

static enum outcome run_sequence(const struct vector *v)
{
	static const char *const names[] = {"sealed", "addressed", "open", "signed"};
	uint8_t *b = copy(v->input, v->len);
	struct godwit_item item = transmission(b, v->len);
	char forms[256] = "";
	unsigned count = 0;
	int err;

	while ((err = godwit_next(&item)) > 0) {
		if (count++ == 16) {
			err = GODWIT_E_MALFORMED;
			break;
		}
		if (forms[0] != 0)
			strcat(forms, " ");
		strcat(forms, names[*item.raw == 0xd2 ? 3 : item.len == 0 && *item.raw >= 0xa0 ? 2 : *item.raw == 0x82]);
	}
	free(b);
	return strcmp(forms, get(v, "forms")) != 0 ? WRONG : outcome_of(err);
}

/* A sealed frame, taken apart as a gateway does. */
struct sealed {
	uint8_t header, tag_len;
	uint8_t ctr_bits;
	uint64_t low;     /* bits of the counter */
	uint8_t *body;    /* ciphertext, behind it the tag */
	size_t len;       /* of the ciphertext */
};

static int parse_sealed(uint8_t *content, size_t n, uint8_t ctr_bits, uint8_t tag_len, struct sealed *s)
{
	unsigned kind, slot, base, ctr_len, i;

	if (n == 0)
		return GODWIT_E_MALFORMED;
	s->header = content[0];
	kind = s->header >> 6;
	slot = s->header >> 3 & 7u;
	base = s->header & 7u;
	if (kind == 3) {
		if (slot == 7)
			return E_CONTROL;
		if (slot > 1 || base > 1 || tag_len != TAG_LEN) /* F-011, F-012, F-017 */
			return GODWIT_E_MALFORMED;
		if (slot == 1)
			ctr_bits = 40;
	} else if (slot == SLOT_RESERVED || (kind == 1 && base > 1) || s->header == 0) { /* F-010, F-013, F-130 */
		return GODWIT_E_MALFORMED;
	}
	ctr_len = ctr_bits / 8u;
	if (n < 1 + ctr_len + (size_t)tag_len) /* F-014 */
		return GODWIT_E_MALFORMED;
	s->ctr_bits = ctr_bits;
	s->tag_len = tag_len;
	for (s->low = 0, i = 1; i <= ctr_len; i++)
		s->low = s->low << 8 | content[i];
	s->body = content + 1 + ctr_len;
	s->len = n - 1 - ctr_len - tag_len;
	return 0;
}

/* The whole counter: the value nearest to the expected one, of two the larger; expected 0 means that none was verified (F-025). */
static uint64_t complete(uint64_t low, unsigned bits, uint64_t expected)
{
	const uint64_t max = (UINT64_C(1) << 40) - 1;
	uint64_t window, c;

	if (bits >= 40 || expected == 0)
		return low;
	window = UINT64_C(1) << bits;
	c = (expected & ~(window - 1)) | low;
	if (c > max)
		return c - window;
	if (c + window / 2 <= expected && c + window <= max)
		return c + window;
	if (c > expected + window / 2 && c >= window)
		return c - window;
	return c;
}

static int unseal(const struct godwit *g, const struct work *p, uint8_t *data, size_t n)
{
	struct work c = *p;

	c.g = g;
	c.open = 1;
	ccm(&c, data, n);
	return differ(c.mac, data + n, c.tag_len) ? GODWIT_E_AUTH : 0;
}

/* Seals the plaintext again: by the device's own way if it is an uplink with a counter that a device uses. */
static int seals_as(struct device *d, const struct vector *v, const struct sealed *s, const struct work *p, const uint8_t *plain, int with_cid)
{
	uint8_t out[2048];
	struct godwit_out where = to(out, sizeof out, (with_cid ? (unsigned)GODWIT_ADDRESSED : 0u) | (s->tag_len == 4 ? (unsigned)GODWIT_METERED : 0u));
	struct work c = *p;
	struct writer w;
	int n;

	if (p->label == DOWN || p->counter >= COUNTER_END) {
		memcpy(out, plain, s->len);
		c.g = &d->g;
		c.open = 0;
		ccm(&c, out, s->len);
		return memcmp(out, v->input + v->len - s->tag_len - s->len, s->len) == 0 && memcmp(c.mac, v->input + v->len - s->tag_len, s->tag_len) == 0;
	}
	d->g.next = (uint32_t)p->counter;
	d->g.memory.epochs[0].end = COUNTER_END;
	begin(&w, &d->g, &where);
	put_bytes(&w, plain, s->len);
	n = finish(&w, &d->g, s->header);
	return n == (int)v->len && memcmp(out, v->input, v->len) == 0;
}

/* What a device itself says to a downlink, for which it is in the state of before it was taken. */
static int receives_as(struct device *d, const struct vector *v, uint64_t counter, const uint8_t *plain, size_t n, enum outcome want)
{
	uint8_t *b = copy(v->input, v->len);
	struct godwit_item item = transmission(b, v->len);
	struct godwit_received r;
	int got = godwit_next(&item), same;

	if (got == 0)
		got = GODWIT_E_MALFORMED;
	if (got > 0)
		got = godwit_receive(&d->g, NULL, &item, &r);
	same = outcome_of(got) == want &&
	       (got < 0 || (got == GODWIT_GOT_MESSAGE && d->g.memory.epochs[0].down - 1 == counter && r.type == plain[0] && r.len == n - 1 && memcmp(r.body, plain + 1, n - 1) == 0));
	free(b);
	return same;
}

static enum outcome run_open(const struct vector *v)
{
	struct device d;
	struct sealed s;
	struct work p;
	uint8_t *b = copy(v->input, v->len), want[2048];
	struct godwit_item item = transmission(b, v->len);
	enum outcome out;
	int err, down = strcmp(get(v, "direction"), "down") == 0;

	device_of(&d, v);
	err = godwit_next(&item) > 0 && item.left == 0 && item.content != NULL ? 0 : GODWIT_E_MALFORMED;
	if (err == 0)
		err = parse_sealed(item.content, item.len, (uint8_t)number(v, "ctr-bits"), (uint8_t)number(v, "tag"), &s);
	if (err == 0) {
		p.label = down ? DOWN : number(v, "tag") == 4 ? UP4 : UP8;
		p.epoch = &d.g.memory.epochs[0];
		p.header = s.header;
		p.tag_len = s.tag_len;
		p.counter = complete(s.low, s.ctr_bits, get(v, "highest")[0] != 0 ? number(v, "highest") + 1 : 0);
		err = unseal(&d.g, &p, s.body, s.len);
	}
	out = outcome_of(err);
	if (out == OK && s.header < KIND_EXTENDED && s.len > 0 && s.body[s.len - 1] == 0)
		out = REFUSED; /* F-016, which binds who opens uplinks */
	else if (out == OK && (s.len != unhex(get(v, "plaintext"), want, sizeof want) || memcmp(want, s.body, s.len) != 0 || p.counter != number(v, "counter")))
		out = WRONG;
	else if (out == OK && !seals_as(&d, v, &s, &p, s.body, *v->input == 0x82))
		out = WRONG;
	if (down && number(v, "ctr-bits") == 16 && !receives_as(&d, v, p.counter, s.body, s.len, out))
		out = WRONG;
	free(b);
	return out;
}

static enum outcome run_ack(const struct vector *v)
{
	struct device d;
	struct godwit_received r;
	uint8_t *b = copy(v->input, v->len);
	struct godwit_item item = transmission(b, v->len);
	int err;

	device_of(&d, v);
	d.g.next = (uint32_t)number(v, "last") + 1;
	err = godwit_next(&item) > 0 ? godwit_receive(&d.g, NULL, &item, &r) : GODWIT_E_MALFORMED;
	free(b);
	if (err == GODWIT_GOT_ACK && (r.ack.counter != number(v, "counter") || r.ack.bitmap != strtoul(get(v, "bitmap"), NULL, 2)))
		return WRONG;
	return outcome_of(err);
}

/* The steps of a field that a number in decimal stands for: digits and a power of ten, divided by the scale. */
static int64_t parse_value(uint32_t coef, int scale, const char *s)
{
	int64_t v = 0;
	int minus = *s == '-', exp = 0, zeros = 0, point = 0;

	for (s += minus; *s == '.' || (*s >= '0' && *s <= '9'); s++) {
		if (*s == '.') {
			point = 1;
			continue;
		}
		exp -= point;
		if (*s == '0') {
			zeros++;
			continue;
		}
		if (v != 0)
			for (; zeros > 0; zeros--)
				v *= 10;
		zeros = 0;
		v = v * 10 + (*s - '0');
	}
	exp += zeros;
	for (; v != 0 && exp > scale; exp--)
		v *= 10;
	v /= (int64_t)coef;
	return minus ? -v : v;
}

/* Unix seconds of an RFC 3339 time in UTC. */
static int64_t parse_time(const char *s)
{
	int year, month, day, hour, minute, second;
	int64_t days;

	if (sscanf(s, "%d-%d-%dT%d:%d:%d", &year, &month, &day, &hour, &minute, &second) != 6)
		die("time");
	if (month < 3) { /* years that begin in March have their odd day at the end */
		year--;
		month += 12;
	}
	days = 365LL * year + year / 4 - year / 100 + year / 400 + (153 * (month - 3) + 2) / 5 + day - 1 - 719468;
	return ((days * 24 + hour) * 60 + minute) * 60 + second;
}

/* Opens a frame of the device's own: it says these bytes. */
static int says(struct device *d, const uint8_t *frame, int n, unsigned header, const uint8_t *plain, size_t len)
{
	struct sealed s;
	struct work p;
	uint8_t *b = copy(frame, n < 0 ? 0 : (size_t)n);
	struct godwit_item item = transmission(b, n < 0 ? 0 : (size_t)n);
	int same = godwit_next(&item) > 0 && item.left == 0 && parse_sealed(item.content, item.len, d->config.short_counter ? 8 : 16, 8, &s) == 0;

	if (same) {
		p.epoch = &d->g.memory.epochs[0];
		p.counter = godwit_last(&d->g);
		p.header = s.header;
		p.label = UP8;
		p.tag_len = 8;
		same = unseal(&d->g, &p, s.body, s.len) == 0 && s.header == header && s.len == len && memcmp(s.body, plain, len) == 0;
	}
	free(b);
	return same;
}

/* A status line of a vector. */
static void parse_status(const struct parsed *p, const char *at, struct godwit_status *s, int64_t *values)
{
	const char *rare;
	char truth[6], step[6];
	unsigned i, version, number_, code;

	memset(s, 0, sizeof *s);
	s->values = values;
	s->clock_valid = strncmp(at, "time=unsure", 11) != 0;
	if (s->clock_valid)
		s->time = parse_time(at + 5);
	for (i = 0; i < p->t.count; i++) {
		at = strchr(at, ' ') + 1 + strlen(p->names[i]);
		at += *at == '>' ? 2 : 1;
		values[i] = *at == '-' && digit(at[1]) < 0 ? GODWIT_NONE : parse_value(p->coef[i], p->exp[i], at);
	}
	if ((rare = strstr(at, " version=")) == NULL)
		return;
	s->rare = 1;
	if (sscanf(rare, " version=%u build=%" SCNx32 " boot=%5s step=%5[a-z]/%u/%u", &version, &s->build, truth, step, &number_, &code) != 6)
		die("rare block");
	s->version = (uint8_t)version;
	s->boot_changed = truth[0] == 't';
	s->has_step = step[0] == 't';
	s->step = (uint8_t)number_;
	s->step_code = (uint8_t)code;
	if ((rare = strstr(rare, " policy=")) != NULL) {
		s->has_policy = 1;
		s->policy = (uint8_t)strtoul(rare + 8, NULL, 10);
	}
}

/* A state as the header of a vector has it. */
static void describe_state(const struct parsed *p, const struct godwit_state *st, char *out)
{
	unsigned i, none = 1;

	if (st->timed)
		out += sprintf(out, "time=%" PRId32, st->time);
	else
		out += sprintf(out, "time=-");
	out += sprintf(out, " step=%" PRId32 " once=%" PRId32 " jitter=%" PRId32 " groups=", st->step, st->once, st->jitter);
	for (i = 1; i <= 8; i++)
		if ((st->groups >> i & 1) != 0) {
			out += sprintf(out, "%s%u", none ? "" : ",", i);
			none = 0;
		}
	if (none)
		out += sprintf(out, "-");
	for (i = 0; i < p->t.count; i++) {
		const struct godwit_field_state *f = (const struct godwit_field_state *)(st + 1) + i;
		int64_t n = (int64_t)((uint64_t)f->n_high << 32 | f->n_low), moved = (int64_t)((uint64_t)(int64_t)f->moved_high << 32 | f->moved_low);

		if (f->flags == 0)
			out += sprintf(out, " %s=-", p->names[i]);
		else
			out += sprintf(out, (f->flags & FIELD_MEASURED) != 0 ? " %s=%" PRId64 "/%" PRId64 : " %s=(%" PRId64 "/%" PRId64 ")", p->names[i], n, moved);
	}
}

/* A device that makes the frames of a chain, each counted from the one before it. */
struct chain {
	struct device d;
	struct parsed p;
	struct godwit_history h;
	GODWIT_STATE(FIELDS_MAX) states[STATES];
	struct godwit_status statuses[BATCH_MAX];
	int64_t values[BATCH_MAX][FIELDS_MAX];
	size_t count; /* of statuses for the next frame */
};

static void chain_init(struct chain *c, const struct vector *v)
{
	uint8_t template[8192];

	memset(c, 0, sizeof *c);
	device_of(&c->d, v);
	c->d.g.memory.epochs[0].end = COUNTER_END;
	c->d.g.next = 1000;
	parse_template(&c->p, template, unhex(get(v, "template"), template, sizeof template));
	godwit_history_init(&c->h, &c->p.t, 0, &c->states[0].state, STATES);
}

/* Makes the next frame of the statuses that were read: it must have this header and this plaintext. */
static int chain_next(struct chain *c, uint8_t header, const uint8_t *plain, size_t n)
{
	unsigned kind = header >> 6, base = kind == 1 ? 0 : header & 7u, flags = base == 0 ? GODWIT_KEYFRAME : 0;
	uint8_t out[2048];
	struct godwit_out where;
	int len;

	if (base == DISTANCE_EXPLICIT)
		base = plain[0];
	if (kind == 1 && (header & 1) != 0)
		flags |= GODWIT_ASK;
	if (c->d.g.next > 1000) { /* the one before it arrived */
		godwit_delivered(&c->h, godwit_last(&c->d.g));
		c->d.g.next += base - (base > 0);
	}
	c->h.slot = header >> 3 & 7u;
	where = to(out, sizeof out, flags);
	len = godwit_batch(&c->d.g, &c->h, c->statuses, c->count, &where);
	c->count = 0;
	return says(&c->d, out, len, header, plain, n);
}

/* Keyframes, deltas and batches are written, not read, by a device: what the status lines say must give the input, and its base before it. */
static enum outcome run_status(const struct vector *v)
{
	static struct chain c;
	char state[4096];
	uint8_t header = KIND_KEYFRAME, given[512];
	struct godwit_state *st;
	unsigned i;

	if (strcmp(get(v, "expect"), "ok") != 0)
		return FOR_GATEWAY;
	chain_init(&c, v);
	for (i = 0; i < v->count; i++) {
		const char *key = v->headers[i][0], *value = v->headers[i][1];

		if (strcmp(key, "given") == 0) { /* a link of base, behind its status lines */
			size_t n = unhex(value + 3, given, sizeof given);

			unhex(value, &header, 1);
			if (!chain_next(&c, header, given, n))
				return WRONG;
		} else if (strcmp(key, "given-status") == 0 || strcmp(key, "status") == 0) {
			parse_status(&c.p, value, &c.statuses[c.count], c.values[c.count]);
			c.count++;
		}
	}
	header = KIND_KEYFRAME;
	unhex(get(v, "header"), &header, 1);
	if (!chain_next(&c, header, v->input, v->len))
		return WRONG;
	if (get(v, "state")[0] == 0)
		return OK;
	for (st = c.h.states; st->counter != godwit_last(&c.d.g); st = behind(&c.h, st))
		;
	describe_state(&c.p, st, state);
	return strcmp(state, get(v, "state")) == 0 ? OK : WRONG;
}

static enum outcome run_template(const struct vector *v)
{
	uint8_t hash[32], want[8];

	if (strcmp(get(v, "expect"), "ok") != 0)
		return NOT_JUDGED;
	godwit_sha256(v->input, v->len, hash);
	unhex(get(v, "hash"), want, sizeof want);
	return memcmp(hash, want, sizeof want) == 0 ? OK : WRONG;
}

/* Opens a message of the device's own: it is of this type and body. */
static enum outcome sends(struct device *d, const uint8_t *frame, int n, unsigned header, unsigned type, const struct vector *v)
{
	uint8_t *plain = malloc(1 + v->len);
	int same;

	if (plain == NULL)
		die("out of memory");
	plain[0] = (uint8_t)type;
	memcpy(plain + 1, v->input, v->len);
	same = says(d, frame, n, header, plain, 1 + v->len);
	free(plain);
	return same ? OK : WRONG;
}

static enum outcome run_step_log(const struct vector *v)
{
	static const char *const names[] = {"offered", "accepted", "declined", "deferred", "downloading", "downloaded", "verified", "installing", "rebooting",
		"confirmed", "rolled_back", "failed", "12", "13", "14"};
	struct device d;
	struct godwit_step s[STEPS_MAX];
	struct godwit_step_log log;
	const char *at = strchr(get(v, "fields"), ' ');
	uint8_t out[512];
	struct godwit_out where = to(out, sizeof out, 0);

	if (strcmp(get(v, "expect"), "ok") != 0)
		return FOR_GATEWAY;
	memset(&log, 0, sizeof log);
	log.rollout = (uint32_t)strtoul(get(v, "fields") + 8, NULL, 10);
	log.steps = s;
	for (; at != NULL; at = strchr(at, ' ')) {
		size_t n = strcspn(++at, "/= ");
		char *end;
		uint8_t i;

		if (at[n] == '=') {
			log.clock_valid = 1;
			log.time = strtoll(at + n + 1, NULL, 10) * 60;
			continue;
		}
		for (i = 0; i < 15 && (strlen(names[i]) != n || strncmp(names[i], at, n) != 0); i++)
			;
		s[log.count].step = i;
		s[log.count].code = (uint8_t)strtoul(at + n + 1, &end, 10);
		s[log.count].age_minutes = (uint32_t)strtoul(end + 1, &end, 10);
		if (*end == '+')
			s[log.count].age_minutes = UINT32_MAX;
		log.count++;
	}
	device_of(&d, v);
	d.g.memory.epochs[0].end = 1;
	return sends(&d, out, godwit_send_steps(&d.g, &log, &where), KIND_EXTENDED,
	             GODWIT_STEP_LOG, v);
}

static enum outcome run_hello(const struct vector *v)
{
	static uint8_t bytes[GODWIT_HELLO_KEYS][TEXT_LEN_MAX], elements[8][2][TEXT_LEN_MAX];
	struct godwit_say values[GODWIT_HELLO_KEYS], lists[2][8];
	struct device d;
	struct reader r;
	uint8_t out[2048];
	struct godwit_out where = to(out, sizeof out, 0);
	uint32_t pairs;
	unsigned i;

	if (strcmp(get(v, "expect"), "ok") != 0)
		return FOR_GATEWAY;
	memset(values, 0, sizeof values);
	device_of(&d, v);
	reader_init(&r, v->input, v->len, 1);
	for (read_head(&r), pairs = r.v; pairs > 0; pairs--) {
		int64_t key = integer(&r);

		if (key > GODWIT_HELLO_KEYS || *r.p >> 5 == 5)
			return LATER;
		if (key <= GODWIT_HELLO_HARDWARE) {
			values[key].at = bytes[key];
			values[key].n = (uint32_t)octets(&r, bytes[key], TEXT_LEN_MAX);
		} else if (key <= GODWIT_HELLO_RESET_CAUSE) {
			values[key].n = (uint32_t)integer(&r);
		} else if (key <= GODWIT_HELLO_BEARERS) {
			struct godwit_say *list = lists[key - GODWIT_HELLO_TEMPLATES];

			values[key].at = list;
			values[key].n = (uint32_t)integer(&r);
			for (i = 0; i < values[key].n; i++) {
				list[i].at = elements[i][key - GODWIT_HELLO_TEMPLATES];
				list[i].n = (uint32_t)octets(&r, elements[i][key - GODWIT_HELLO_TEMPLATES], TEXT_LEN_MAX);
			}
		} else {
			int64_t counter = integer(&r);

			if (counter > UINT32_MAX)
				return BEYOND;
			d.g.next = (uint32_t)counter;
		}
	}
	d.g.memory.epochs[0].end = COUNTER_END;
	return sends(&d, out, godwit_send_hello(&d.g, values, &where), EXTENDED_EXPLICIT | 1, GODWIT_HELLO, v);
}

/* A message of which the application makes the body. */
static enum outcome run_body(const struct vector *v, uint8_t type)
{
	struct device d;
	uint8_t out[2048];
	struct godwit_out where = to(out, sizeof out, 0);

	if (strcmp(get(v, "expect"), "ok") != 0)
		return FOR_GATEWAY;
	device_of(&d, v);
	d.g.memory.epochs[0].end = COUNTER_END;
	return sends(&d, out, godwit_send(&d.g, type, v->input, v->len, &where), KIND_EXTENDED, type, v);
}

static char *print_value(char *out, unsigned major, const struct godwit_value *value)
{
	struct godwit_value v = *value, e;
	uint64_t i;

	switch (major) {
	case BYTES:
		*out++ = '"';
		for (i = 0; i < v.number; i++)
			out += sprintf(out, "%02x", v.at[i]);
		return out + sprintf(out, "\"");
	case TEXT:
		return out + sprintf(out, "\"%.*s\"", (int)v.number, (const char *)v.at);
	case LIST:
	case PAIRS:
		*out++ = major == LIST ? '[' : '{';
		for (i = 0; i < v.number; i++) {
			const uint8_t *at = v.at;

			if (i > 0)
				*out++ = ',';
			godwit_element(&v.at, &e);
			if (major == PAIRS) {
				out += sprintf(out, "\"%" PRIu64 "\":", e.number);
				at = v.at;
				godwit_element(&v.at, &e);
			}
			out = print_value(out, *at >> 5 == 3 ? TEXT : UINT, &e);
		}
		*out++ = major == LIST ? ']' : '}';
		return out;
	case FLAG:
		return out + sprintf(out, v.number != 0 ? "true" : "false");
	default:
		return out + sprintf(out, "%" PRIu64, v.number);
	}
}

/* Values by key, as the header of a vector has them. */
static void describe_values(char *fields, const struct rule *rule, unsigned count, const struct godwit_value *values)
{
	const struct rule *end = rule + count;
	char *out = fields;

	for (; rule < end; rule++) {
		const struct godwit_value *value = &values[rule->key];

		if (value->at == NULL || (rule->major == FLAG && value->number == 0)) /* which is as good as left out */
			continue;
		out += sprintf(out, "%s%u=", out == fields ? "" : " ", rule->key);
		out = print_value(out, rule->major, value);
	}
}

static enum outcome run_downlink(const struct vector *v, uint8_t type)
{
	struct godwit_received r;
	struct godwit_value values[GODWIT_KEYS];
	uint8_t *b = copy(v->input, v->len);
	char fields[4096] = "";
	int err;

	memset(&r, 0, sizeof r);
	r.type = type;
	r.body = b;
	r.len = v->len;
	err = godwit_read(&r, values);
	if (type == GODWIT_POLICY && values[GODWIT_POLICY_CODE].at != NULL) /* the interval is made of it: run_interval */
		values[GODWIT_POLICY_INTERVAL].at = NULL;
	if (err == 0)
		describe_values(fields, rules[type - GODWIT_POLICY].first, rules[type - GODWIT_POLICY].count, values);
	free(b);
	return err == 0 && strcmp(fields, get(v, "fields")) != 0 ? WRONG : outcome_of(err);
}

/* What a key would have signed, and how: a signature has no randomness here, so that it can be compared. */
static int compare_signature(void *context, int algorithm, const uint8_t *kid, size_t kid_len, const uint8_t *message, size_t n, const uint8_t *signature)
{
	const struct vector *v = context;
	static uint8_t want[BUFFER];

	return strtol(get(v, "algorithm"), NULL, 10) == -algorithm && unhex(get(v, "key-id"), want, sizeof want) == kid_len && memcmp(want, kid, kid_len) == 0 &&
	       unhex(get(v, "signed"), want, sizeof want) == n && memcmp(want, message, n) == 0 &&
	       unhex(get(v, "signature"), want, sizeof want) == GODWIT_SIGNATURE && memcmp(want, signature, GODWIT_SIGNATURE) == 0;
}

/* A manifest in a buffer with the room that it needs. */
static uint8_t *manifest_buffer(const uint8_t *b, size_t n)
{
	uint8_t *buffer = malloc(GODWIT_MANIFEST_ROOM + n);

	if (buffer == NULL)
		die("out of memory");
	memset(buffer, 0xee, GODWIT_MANIFEST_ROOM);
	if (n > 0)
		memcpy(buffer + GODWIT_MANIFEST_ROOM, b, n);
	return buffer;
}

static enum outcome run_manifest(const struct vector *v)
{
	struct godwit_value values[GODWIT_KEYS], hash;
	struct godwit_target t;
	uint8_t *buffer = manifest_buffer(v->input, v->len), sum[32];
	char fields[4096] = "", product[65], version[65];
	int err;

	hash.at = sum;
	hash.number = unhex(get(v, "hash"), sum, sizeof sum);
	err = godwit_manifest(buffer, v->len, &hash, compare_signature, (void *)v, values);
	if (memcmp(buffer + GODWIT_MANIFEST_ROOM, v->input, v->len) != 0)
		err = WRONG;
	if (err == 0) {
		describe_values(fields, manifest_rules, sizeof manifest_rules / sizeof manifest_rules[0], values);
		if (strcmp(fields, get(v, "fields")) != 0)
			err = WRONG;
	}
	memset(&t, 0, sizeof t);
	if (err == 0 && sscanf(get(v, "device"), "%64s %64s %" SCNu32 " %" SCNu64 " %" SCNd64, product, version, &t.sequence, &t.free_memory, &t.now) == 5) {
		t.product = product;
		t.version = version;
		if (godwit_manifest_admits(values, &t) != (int)number(v, "result"))
			err = WRONG;
	}
	free(buffer);
	return err == WRONG ? WRONG : outcome_of(err);
}

/* Interval codes, each as a policy has it. */
static enum outcome run_interval(const struct vector *v)
{
	const char *at = get(v, "seconds");
	size_t i;

	for (i = 0; i < v->len; i++) {
		uint8_t body[4] = {0xa1, GODWIT_POLICY_CODE, 0x18};
		struct godwit_value values[GODWIT_KEYS];
		struct godwit_received r;
		char *end;

		memset(&r, 0, sizeof r);
		r.type = GODWIT_POLICY;
		r.body = body;
		r.len = v->input[i] < 24 ? 3 : 4;
		body[r.len - 1] = v->input[i];
		if (godwit_read(&r, values) != 0 || values[GODWIT_POLICY_INTERVAL].at == NULL || values[GODWIT_POLICY_INTERVAL].number != strtoull(at, &end, 10))
			return WRONG;
		at = end;
	}
	return *at == 0 ? OK : WRONG;
}

/* A fragment: what a device makes of the message that it is cut from, and what it takes. */
static enum outcome run_fragment(const struct vector *v)
{
	static uint8_t buffer[BUFFER], message[BUFFER];
	struct device d;
	struct godwit_assembly a;
	struct godwit_received r;
	struct godwit_parcel p;
	uint8_t *b = copy(v->input, v->len), out[2048];
	struct godwit_out where = to(out, sizeof out, 0);
	unsigned set, last, index;
	size_t n;
	int got;

	memset(&r, 0, sizeof r);
	r.type = GODWIT_FRAGMENT;
	r.body = b;
	r.len = v->len;
	godwit_assembly_init(&a, buffer, sizeof buffer);
	got = godwit_assemble(&a, &r);
	free(b);
	if (got < 0)
		return REFUSED;
	if (sscanf(get(v, "fields"), "set=%u last=%u index=%u data=", &set, &last, &index) != 3)
		die("fragment");
	n = unhex(strstr(get(v, "fields"), "data=") + 5, out, sizeof out);
	if (a.set != set || a.last != last || !bit_of(arrived(&a), index) || memcmp(place(&a, index), out, n) != 0)
		return WRONG;
	memset(&p, 0, sizeof p);
	memcpy(message + index * n, out, n);
	p.message = message;
	p.there = buffer;
	memset(buffer, 0, FRAGMENTS_MAX / 8);
	p.size = n;
	p.len = (size_t)(last + 1) * n;
	p.last = (uint16_t)last;
	p.next = (uint16_t)index;
	p.set = (uint8_t)set;
	device_of(&d, v);
	d.g.memory.epochs[0].end = COUNTER_END;
	return sends(&d, out, godwit_send_fragment(&d.g, &p, &where), KIND_EXTENDED | (index == last ? 1u : 0u), GODWIT_FRAGMENT, v);
}

/* What arrived of a set that has so many fragments, as the header of a vector has it. */
static void describe_there(const uint8_t *there, unsigned set, unsigned count, char *out)
{
	unsigned missing = 0, i, none = 1;

	while (missing < count && bit_of(there, missing))
		missing++;
	out += sprintf(out, "set=%u missing=%u have=", set, missing);
	for (i = missing + 1; i < count; i++)
		if (bit_of(there, i)) {
			out += sprintf(out, "%s%u", none ? "" : ",", i);
			none = 0;
		}
}

/* A fragment status: what a device takes, and what it makes of what arrived. */
static enum outcome run_fragment_status(const struct vector *v)
{
	struct device d;
	struct godwit_assembly a;
	struct godwit_received r;
	struct godwit_parcel p;
	uint8_t *b = copy(v->input, v->len), there[FRAGMENTS_MAX / 8], buffer[FRAGMENTS_MAX / 8], out[1024];
	struct godwit_out where = to(out, sizeof out, 0);
	char fields[16384];
	int got;

	memset(&r, 0, sizeof r);
	r.type = GODWIT_FRAGMENT_STATUS;
	r.body = b;
	r.len = v->len;
	memset(&p, 0, sizeof p);
	memset(there, 0, sizeof there);
	p.there = there;
	p.last = FRAGMENTS_MAX - 1;
	p.set = v->len > 0 ? b[0] : 0;
	got = godwit_parcel_status(&p, &r);
	free(b);
	if (got < 0)
		return REFUSED;
	describe_there(there, p.set, FRAGMENTS_MAX, fields);
	if (strcmp(fields, get(v, "fields")) != 0)
		return WRONG;
	godwit_assembly_init(&a, buffer, sizeof buffer);
	a.set = p.set;
	a.last = FRAGMENTS_MAX - 1;
	memcpy(arrived(&a), there, sizeof there);
	device_of(&d, v);
	d.g.memory.epochs[0].end = COUNTER_END;
	return sends(&d, out, godwit_send_fragment_status(&d.g, &a, p.set, &where), KIND_EXTENDED, GODWIT_FRAGMENT_STATUS, v);
}

static enum outcome run_reassembly(const struct vector *v)
{
	static uint8_t buffer[BUFFER], before[BUFFER];
	static char outcomes[BUFFER], messages[2 * BUFFER], fields[16384];
	struct godwit_assembly a, was;
	char *said = outcomes, *whole = messages;
	size_t at = 0, n;
	uint8_t set = 0;

	memset(buffer, 0, sizeof buffer);
	outcomes[0] = messages[0] = 0;
	godwit_assembly_init(&a, buffer, sizeof buffer);
	for (; at < v->len; at += n) {
		struct godwit_received r;
		uint8_t *b;
		int got;

		n = get_be(v->input + at, 2);
		at += 2;
		b = copy(v->input + at, n);
		memset(&r, 0, sizeof r);
		r.type = GODWIT_FRAGMENT;
		r.body = b;
		r.len = n;
		set = b[0];
		was = a;
		memcpy(before, buffer, sizeof buffer);
		got = godwit_assemble(&a, &r);
		if (got < 0 && a.last != 0)
			return WRONG;
		said += sprintf(said, "%s%s", said == outcomes ? "" : " ",
		                got == GODWIT_GOT_MESSAGE                                                            ? "complete"
		                : got < 0                                                                            ? "corrupt"
		                : memcmp(&was, &a, sizeof a) == 0 && memcmp(before, buffer, sizeof buffer) == 0 ? "duplicate"
		                                                                                                     : "kept");
		if (got == GODWIT_GOT_MESSAGE) {
			whole += sprintf(whole, "%02x", r.type);
			for (; r.len > 0; r.len--)
				whole += sprintf(whole, "%02x", *r.body++);
		}
		free(b);
	}
	if (a.last != 0 && a.set == set)
		describe_there(arrived(&a), set, a.last + 1u, fields);
	else
		sprintf(fields, "set=%u missing=0 have=", set);
	return strcmp(outcomes, get(v, "outcomes")) == 0 && strcmp(messages, get(v, "message")) == 0 && strcmp(fields, get(v, "fields")) == 0 ? OK : WRONG;
}

static enum outcome run_rekey(const struct vector *v)
{
	struct device d;
	uint8_t *b = copy(v->input, v->len);
	char fields[128];
	int err;
	unsigned i;

	device_of(&d, v);
	err = godwit_rekey(&d.g, b, v->len);
	free(b);
	if (err == 0) {
		snprintf(fields, sizeof fields, "1=%" PRIu32 " 3=\"", d.g.memory.epochs[0].number);
		for (i = 0; i < GODWIT_SALT; i++)
			snprintf(fields + strlen(fields), 3, "%02x", d.g.memory.epochs[0].salt[i]);
		if (strncmp(fields, get(v, "fields"), strlen(fields)) != 0)
			return WRONG;
	}
	return outcome_of(err);
}

/* A frame of a join: what a device says it makes anew, what it hears it takes. */
static enum outcome run_join(const struct vector *v)
{
	struct device d;
	struct godwit_received r;
	uint8_t *b = copy(v->input, v->len), out[64], want[GODWIT_SALT];
	struct godwit_item item = transmission(b, v->len);
	struct godwit_out where = to(out, sizeof out, 0);
	unsigned type;
	int got;

	device_of(&d, v);
	unhex(get(v, "random"), want, 4);
	d.g.memory.boot = (uint32_t)number(v, "boot") - 1;
	godwit_join(&d.g, get_be(want, 4));
	d.g.changed = 0; /* as if it was written */
	if (godwit_next(&item) <= 0 || item.len == 0) {
		free(b);
		return REFUSED;
	}
	type = item.content[0];
	if (type == CONTROL_REQUEST || type == CONTROL_CONFIRM) { /* these are for a gateway: made here, and a device takes none */
		if (type == CONTROL_CONFIRM) {
			unhex(get(v, "nonce"), d.g.nonce, NONCE_LEN);
			d.g.joining = CONTROL_CONFIRM;
		}
		got = godwit_send_join(&d.g, &where);
		got = got == (int)v->len && memcmp(out, v->input, v->len) == 0 ? OK : item.len == 21 ? AUTH : REFUSED;
		if (godwit_receive(&d.g, NULL, &item, &r) != GODWIT_E_MALFORMED)
			got = WRONG;
		free(b);
		return (enum outcome)got;
	}
	got = godwit_receive(&d.g, NULL, &item, &r);
	free(b);
	if (got == GODWIT_GOT_CHALLENGE)
		return unhex(get(v, "nonce"), want, sizeof want) == NONCE_LEN && memcmp(want, d.g.nonce, NONCE_LEN) == 0 ? OK : WRONG;
	if (got == GODWIT_GOT_EPOCH) {
		const struct godwit_epoch *e = &d.g.memory.epochs[0];

		unhex(get(v, "salt"), want, sizeof want);
		return e->number == number(v, "epoch") && memcmp(e->salt, want, sizeof want) == 0 && d.g.joining == 0 ? OK : WRONG;
	}
	if (type < CONTROL_REQUEST || type == CONTROL_ACK) /* neither a sealed frame nor an acknowledgement is a join, and this device can check neither */
		return got == GODWIT_E_AUTH ? REFUSED : WRONG;
	return outcome_of(got);
}

static enum outcome run(const struct vector *v)
{
	static const struct {
		const char *operation;
		enum outcome (*run)(const struct vector *v);
	} runs[] = {
		{"derive", run_derive}, {"sequence", run_sequence}, {"open", run_open}, {"ack", run_ack}, {"keyframe", run_status}, {"delta", run_status},
		{"batch", run_status}, {"template", run_template}, {"step-log", run_step_log}, {"hello", run_hello}, {"join", run_join}, {"fragment", run_fragment},
		{"fragment-status", run_fragment_status}, {"reassembly", run_reassembly}, {"interval", run_interval},
		{"manifest", run_manifest},
	};
	static const struct {
		const char *operation;
		uint8_t type;
	} messages[] = {
		{"open-status", GODWIT_OPEN}, {"alarm", GODWIT_ALARM}, {"policy", GODWIT_POLICY}, {"offer", GODWIT_OFFER}, {"request", GODWIT_REQUEST},
		{"time", GODWIT_TIME}, {"rekey", GODWIT_REKEY}, {"template-set", GODWIT_TEMPLATE}, {"sleep", GODWIT_SLEEP},
	};
	const char *operation = get(v, "operation");
	size_t i;

	for (i = 0; i < sizeof runs / sizeof runs[0]; i++)
		if (strcmp(operation, runs[i].operation) == 0)
			return runs[i].run(v);
	for (i = 0; i < sizeof messages / sizeof messages[0]; i++)
		if (strcmp(operation, messages[i].operation) == 0) {
			enum outcome got = messages[i].type < GODWIT_POLICY ? run_body(v, messages[i].type) : run_downlink(v, messages[i].type);

			return messages[i].type == GODWIT_REKEY && run_rekey(v) != got ? WRONG : got;
		}
	printf("no such operation: %s\n", operation);
	return WRONG;
}

/* F-021: whatever is cut off or flipped, it is refused. Returns the number of cases. */
static unsigned damage(struct vector *v, const char *path, int *wrong)
{
	size_t len = v->len, bit, cid = v->input[0] != 0x82 ? 0 : v->input[1] < 0x18 ? 1 : 1 + ((size_t)1 << (v->input[1] - 0x18));
	unsigned n = 0;

	for (v->len = 0; v->len < len; v->len++, n++)
		if (run(v) == OK) {
			printf("%s: cut to %zu bytes is taken\n", path, v->len);
			*wrong = 1;
		}
	for (bit = 0; bit < 8 * len; bit++) {
		if (bit / 8 > 0 && bit / 8 <= cid)
			continue; /* F-023 */
		v->input[bit / 8] ^= (uint8_t)(0x80 >> bit % 8);
		if (run(v) == OK) {
			printf("%s: taken with bit %zu flipped\n", path, bit);
			*wrong = 1;
		}
		v->input[bit / 8] ^= (uint8_t)(0x80 >> bit % 8);
		n++;
	}
	return n;
}

static int vectors(int count, char **paths)
{
	static const char *const names[] = {"ok", "auth", "control", "refused", "another result"};
	unsigned ran = 0, skipped[sizeof reasons / sizeof reasons[0]] = {0}, damaged = 0;
	int wrong = 0, i;

	for (i = 0; i < count; i++) {
		struct vector v;
		const char *want;
		enum outcome got;

		load(&v, paths[i]);
		want = get(&v, "expect");
		if (strcmp(want, "malformed") == 0 || strcmp(want, "truncated") == 0 || strcmp(want, "unsupported") == 0)
			want = "refused";
		got = run(&v);
		if (got >= FOR_GATEWAY) {
			skipped[got - FOR_GATEWAY]++;
			printf("not run: %s\n", paths[i]);
		} else {
			ran++;
			if (strcmp(names[got], want) != 0) {
				printf("%s: %s, want %s: %s\n", paths[i], names[got], want, get(&v, "comment"));
				wrong = 1;
			}
			if (got == OK && strstr(" open ack join ", get(&v, "operation")) != NULL)
				damaged += damage(&v, paths[i], &wrong);
		}
		unload(&v);
	}
	printf("%u vectors run, and %u damaged ones\n", ran, damaged);
	for (i = 0; i < (int)(sizeof reasons / sizeof reasons[0]); i++)
		printf("%u not run: %s\n", skipped[i], reasons[i]);
	return wrong;
}

/* --- Fuzzing --- */

static uint32_t random_state = 1;

static uint32_t random_below(uint32_t n)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 17;
	random_state ^= random_state << 5;
	return random_state % n;
}

static size_t mutate(uint8_t *b, size_t n, size_t cap)
{
	unsigned times = 1 + random_below(4);

	while (times-- > 0) {
		size_t at = random_below((uint32_t)n + 1);

		switch (random_below(4)) {
		case 0:
			n = at;
			break;
		case 1:
			if (n < cap) {
				memmove(b + at + 1, b + at, n - at);
				b[at] = (uint8_t)random_below(256);
				n++;
			}
			break;
		default:
			if (at < n)
				b[at] = (uint8_t)(random_below(2) != 0 ? random_below(256) : b[at] ^ 1u << random_below(8));
		}
	}
	return n;
}

/* Says that a signature is good, of what can be read whole. */
static int any_signature(void *context, int algorithm, const uint8_t *kid, size_t kid_len, const uint8_t *message, size_t n, const uint8_t *signature)
{
	unsigned *sum = context;

	for (; n > 0; n--)
		*sum += *message++;
	for (; kid_len > 0; kid_len--)
		*sum += *kid++;
	return algorithm != 0 && signature[GODWIT_SIGNATURE - 1] != *sum + 256;
}

static void fuzz_manifest(const uint8_t *b, size_t n)
{
	struct godwit_value values[GODWIT_KEYS], hash;
	struct godwit_target t = {"reefer-unit", "2.4.0", 6, 262144, 1};
	uint8_t *buffer = manifest_buffer(b, n), sum[32];
	unsigned read = 0;

	godwit_sha256(b, n, sum);
	hash.at = sum;
	hash.number = sizeof sum;
	if (godwit_manifest(buffer, n, &hash, any_signature, &read, values) == 0)
		(void)godwit_manifest_admits(values, &t);
	free(buffer);
}

/* Hands a body to all that reads messages. */
static void fuzz_messages(const uint8_t *b, size_t n)
{
	static uint8_t buffer[300], there[8];
	static struct godwit_assembly a;
	struct godwit_value values[GODWIT_KEYS];
	struct godwit_received r;
	struct godwit_parcel p;

	memset(&r, 0, sizeof r);
	memset(&p, 0, sizeof p);
	r.body = b;
	r.len = n;
	for (r.type = GODWIT_POLICY; r.type <= GODWIT_SLEEP; r.type++)
		(void)godwit_read(&r, values);
	fuzz_manifest(b, n);
	p.there = there;
	p.last = 63;
	p.set = n > 0 ? b[0] : 0;
	r.type = GODWIT_FRAGMENT_STATUS;
	(void)godwit_parcel_status(&p, &r);
	if (a.cap == 0)
		godwit_assembly_init(&a, buffer, sizeof buffer);
	r.type = GODWIT_FRAGMENT;
	(void)godwit_assemble(&a, &r); /* one message after another, as they come */
}

/* Has up to two statuses fill a frame, on a bearer of any kind. */
static int fuzz_fill(struct godwit *g, struct godwit_history *h, const struct godwit_status *statuses, const struct godwit_out *out)
{
#if defined GODWIT_NO_DELTA || defined GODWIT_NO_FILL
	return godwit_batch(g, h, statuses, 1, out);
#else
	struct godwit_bearer bearer;
	struct godwit_queue q, before;
	int n;

	bearer.quantum = (uint16_t)random_below(1u << random_below(17));
	bearer.minimum = (uint16_t)random_below(1u << random_below(17));
	bearer.maximum = (uint16_t)random_below(1u << random_below(17));
	q.statuses = statuses;
	q.count = random_below(3);
	q.due = random_below(4);
	before = q;
	n = godwit_fill(g, h, &q, &bearer, out);
	if (n < 0 ? memcmp(&before, &q, sizeof q) != 0 : q.count >= before.count || (bearer.maximum != 0 && n > bearer.maximum))
		die("a queue that is not what it should be");
	return n;
#endif
}

/* Cuts a message into fragments of any size and sends some. What is refused must leave the parcel as it was. */
static unsigned fuzz_parcel(struct godwit *g, const struct godwit_out *out)
{
	static uint8_t message[200] = {GODWIT_USER};
	uint8_t none[3] = {0}, *there;
	struct godwit_parcel p, before;
	unsigned wrong = 0, i;
	size_t there_len = random_below(sizeof none + 1);

	memset(&p, 0xaa, sizeof p);
	before = p;
	there = copy(none, there_len);
	if (godwit_parcel_init(&p, 1, message, random_below(sizeof message), random_below(40), there, there_len) < 0) {
		free(there);
		return memcmp(&before, &p, sizeof p) != 0;
	}
	for (i = 0; i < 4; i++) {
		int n;

		before = p;
		n = godwit_send_fragment(g, &p, out);
		wrong += n > (int)out->cap || (n <= 0 && memcmp(&before, &p, sizeof p) != 0);
	}
	free(there);
	return wrong;
}

/*
 * Writes messages of any content into buffers of any size, at whose ends the sanitizers watch. Returns how many are longer than their buffer, or left the
 * session other than it was though they were refused.
 */
static unsigned fuzz_writers(const struct device *d)
{
	static const uint8_t text[TEXT_LEN_MAX + 2];
	GODWIT_STATE(3) states[3];
	struct godwit_field fields[3];
	struct godwit_template t;
	struct godwit_history h;
	struct godwit g = d->g, before;
	unsigned wrong = 0, i, k;

	memset(fields, 0, sizeof fields);
	memset(&t, 0, sizeof t);
	for (i = 0; i < 3; i++) {
		struct godwit_coding *c = &fields[i].coding;

		fields[i].per = 1 + random_below(1000);
		fields[i].rise = (uint16_t)random_below(65536);
		fields[i].group = (uint8_t)random_below(2);
		fields[i].predictor = (uint8_t)random_below(i == 0 ? 4 : 5);
		c->order = (uint8_t)random_below(16);
		c->spread = (uint8_t)random_below(31);
		c->width = (uint8_t)(1 + random_below(40));
		c->optional = random_below(2) != 0;
	}
	t.fields = fields;
	t.count = 3;
	t.groups = 1;
	t.unit = 60;
	t.interval = random_below(100);
	t.time.width = 16;
	if (DELTAS)
		godwit_history_init(&h, &t, 0, &states[0].state, 3);
	else
		godwit_history_init(&h, &t, 0, NULL, 0);
	for (i = 0; i < 8; i++) {
		int64_t values[2][3];
		struct godwit_status s[2];
		struct godwit_say say[GODWIT_HELLO_KEYS];
		struct godwit_step step[2];
		struct godwit_step_log log;
		size_t cap = random_below(80);
		uint8_t *b = malloc(cap > 0 ? cap : 1);
		struct godwit_out out;
		int n;

		if (b == NULL)
			die("out of memory");
		memset(b, 0xff, cap); /* which a carry that is let loose would go through to what is before it */
		out = to(b, cap, random_below(4) | (random_below(8) == 0 ? (unsigned)GODWIT_ASK : 0u));
		g.memory.epochs[0].end = g.next + random_below(4);
		memcpy(&before, &g, sizeof g);
		switch (random_below(4)) {
		case 0:
			memset(say, 0, sizeof say);
			for (k = GODWIT_HELLO_VERSION; k <= GODWIT_HELLO_RESET_CAUSE; k++) {
				say[k].at = text;
				say[k].n = random_below(3) == 0 ? random_below(sizeof text) : 0;
			}
			n = godwit_send_hello(&g, say, &out);
			break;
		case 1:
			for (k = 0; k < 2; k++) {
				step[k].step = (uint8_t)random_below(16);
				step[k].code = (uint8_t)random_below(4);
				step[k].age_minutes = random_below(1u << random_below(31));
			}
			log.rollout = random_below(1u << random_below(31));
			log.steps = step;
			log.count = (uint8_t)random_below(3);
			log.clock_valid = random_below(2) != 0;
			log.time = 1700000000;
			n = godwit_send_steps(&g, &log, &out);
			break;
		case 2:
			n = godwit_send(&g, GODWIT_USER, text, random_below(sizeof text), &out);
			break;
		default:
			memset(s, 0, sizeof s);
			for (k = 0; k < 6; k++)
				values[k / 3][k % 3] = random_below(4) == 0 ? GODWIT_NONE : (int64_t)random_below(1u << random_below(31)) << random_below(12);
			for (k = 0; k < 2; k++) {
				s[k].time = 1700000000 + (int64_t)random_below(1000000);
				s[k].clock_valid = random_below(4) != 0;
				s[k].values = values[k];
				s[k].rare = random_below(2) != 0;
				s[k].version = (uint8_t)random_below(65);
			}
			n = random_below(2) == 0 ? fuzz_fill(&g, &h, s, &out) : godwit_batch(&g, &h, s, random_below(3), &out);
		}
		wrong += n > (int)cap || (n < 0 && memcmp(&before, &g, sizeof g) != 0);
		if (n > 0)
			godwit_delivered(&h, godwit_last(&g));
		wrong += fuzz_parcel(&g, &out);
		free(b);
	}
	return wrong;
}

/* Nothing that was changed is taken; a crash or a read beyond the input is for the sanitizers to see. */
static int fuzz(long count, int files, char **paths)
{
	struct vector *v = calloc((size_t)files, sizeof *v);
	struct device *devices = calloc((size_t)files, sizeof *devices);
	unsigned taken = 0, wrong = 0;
	long i;

	if (v == NULL || devices == NULL)
		die("out of memory");
	for (i = 0; i < files; i++) {
		load(&v[i], paths[i]);
		device_of(&devices[i], &v[i]);
	}
	for (i = 0; i < count; i++) {
		uint32_t which = random_below((uint32_t)files);
		const struct vector *seed = &v[which];
		struct godwit g = devices[which].g;
		uint8_t work[4096], *b;
		size_t n = seed->len < 2048 ? seed->len : 2048;
		struct godwit_item item;
		struct godwit_received r;

		g.next = (uint32_t)number(seed, "last") + 1;
		if (strcmp(get(seed, "operation"), "join") == 0) {
			unhex(get(seed, "random"), work, 4);
			g.memory.boot = (uint32_t)number(seed, "boot") - 1;
			godwit_join(&g, get_be(work, 4));
		}
		memcpy(work, seed->input, n);
		n = mutate(work, n, sizeof work);
		b = copy(work, n);
		item = transmission(b, n);
		while (godwit_next(&item) > 0) /* a new head is no forgery: F-023 */
			if (godwit_receive(&g, NULL, &item, &r) > 0 && strcmp(get(seed, "expect"), "ok") == 0 &&
			    (item.len > seed->len || memcmp(work + (item.content - b), seed->input + seed->len - item.len, item.len) != 0)) {
				printf("%s: taken after a change: ", paths[which]);
				print_hex(work, n);
				printf("\n");
				taken++;
			}
		(void)godwit_rekey(&g, b, n);
		fuzz_messages(b, n);
		free(b);
		if (i % 32 == 0)
			wrong += fuzz_writers(&devices[which]);
	}
	for (i = 0; i < files; i++)
		unload(&v[i]);
	free(v);
	free(devices);
	printf("%ld inputs, %u forged ones taken, %u messages written wrongly\n", count, taken, wrong);
	return taken > 0 || wrong > 0;
}

/* --- A device on a pipe --- */

static struct device served;
static struct parsed served_template;
static GODWIT_STATE(FIELDS_MAX) served_states[STATES];
static struct godwit_history history;
static struct godwit_assembly assembly;
static uint8_t assembled[BUFFER];
static struct godwit_parcel parcel;
static uint8_t parcel_message[BUFFER], parcel_there[FRAGMENTS_MAX / 8];
static char line[4 * BUFFER];
static uint8_t in[2 * BUFFER], out_buffer[BUFFER], *out_at;

static char *word(char **at)
{
	char *w = *at;

	if (w == NULL)
		die("a word is missing");
	*at = strchr(w, ' ');
	if (*at != NULL)
		*(*at)++ = 0;
	return w;
}

static int64_t word_number(char **at)
{
	return strtoll(word(at), NULL, 10);
}

/* The end of out_buffer: a write beyond it is noticed. */
static struct godwit_out serve_to(size_t cap, unsigned flags)
{
	out_at = out_buffer + sizeof out_buffer - cap;
	return to(out_at, cap, flags);
}

static void answer_frame(int n)
{
	if (n < 0) {
		printf("err %d\n", n);
		return;
	}
	printf("frame %" PRIu32 " ", godwit_last(&served.g));
	print_hex(out_at, (size_t)n);
	printf("\n");
}

/* time or -, rare, version, build, boot, has step, step, code, has policy, policy, then a value for each field or -. */
static void read_status(char **at, struct godwit_status *s, int64_t *values)
{
	char *time = word(at);
	unsigned i;

	memset(s, 0, sizeof *s);
	s->clock_valid = strcmp(time, "-") != 0;
	s->time = strtoll(time, NULL, 10);
	s->rare = word_number(at) != 0;
	s->version = (uint8_t)word_number(at);
	s->build = (uint32_t)word_number(at);
	s->boot_changed = word_number(at) != 0;
	s->has_step = word_number(at) != 0;
	s->step = (uint8_t)word_number(at);
	s->step_code = (uint8_t)word_number(at);
	s->has_policy = word_number(at) != 0;
	s->policy = (uint8_t)word_number(at);
	for (i = 0; i < served_template.t.count; i++) {
		char *v = word(at);

		values[i] = strcmp(v, "-") == 0 ? GODWIT_NONE : strtoll(v, NULL, 10);
	}
	s->values = values;
}

static void serve_boot(char *at)
{
	char *record;

	memset(&served, 0, sizeof served);
	served.config.number = (uint32_t)word_number(&at);
	unhex(word(&at), served.key, sizeof served.key);
	served.config.short_counter = word_number(&at) == 8;
	served.config.short_tag = word_number(&at) == 4;
	served.config.key = served.key;
	served.config.aes = godwit_aes128;
	record = word(&at);
	if (*record != '-')
		unhex(record, in, sizeof in);
	printf("%d\n", godwit_boot(&served.g, &served.config, *record == '-' ? NULL : in));
	godwit_assembly_init(&assembly, assembled, sizeof assembled);
	if (served_template.t.count > 0)
		godwit_history_init(&history, &served_template.t, 0, &served_states[0].state, STATES);
}

static void serve_batch(char *at)
{
	static struct godwit_status statuses[BATCH_MAX];
	static int64_t values[BATCH_MAX][FIELDS_MAX];
	unsigned flags = (unsigned)word_number(&at);
	uint8_t slot = (uint8_t)word_number(&at);
	struct godwit_out where = serve_to((size_t)word_number(&at), flags);
	size_t count = (size_t)word_number(&at), i;

	for (i = 0; i < count && i < BATCH_MAX; i++)
		read_status(&at, &statuses[i], values[i]);
	history.slot = slot;
	answer_frame(godwit_batch(&served.g, &history, statuses, count, &where));
}

#if !defined GODWIT_NO_DELTA && !defined GODWIT_NO_FILL

/* quantum, minimum, maximum of a bearer. */
static struct godwit_bearer read_bearer(char **at)
{
	struct godwit_bearer b;

	b.quantum = (uint16_t)word_number(at);
	b.minimum = (uint16_t)word_number(at);
	b.maximum = (uint16_t)word_number(at);
	return b;
}

/* flags, slot, room, a bearer, what is due, count, statuses: answers with how many went, how many are still due, and the frame. */
static void serve_fill(char *at)
{
	static struct godwit_status statuses[BATCH_MAX + 8];
	static int64_t values[BATCH_MAX + 8][FIELDS_MAX];
	unsigned flags = (unsigned)word_number(&at);
	uint8_t slot = (uint8_t)word_number(&at);
	struct godwit_out where = serve_to((size_t)word_number(&at), flags);
	struct godwit_bearer bearer = read_bearer(&at);
	struct godwit_queue q;
	size_t i;
	int n;

	q.due = (size_t)word_number(&at);
	q.count = (size_t)word_number(&at);
	q.statuses = statuses;
	for (i = 0; i < q.count; i++)
		read_status(&at, &statuses[i], values[i]);
	history.slot = slot;
	n = godwit_fill(&served.g, &history, &q, &bearer, &where);
	if (n > 0)
		printf("%zu %zu ", i - q.count, q.due);
	for (i = (size_t)n + BODY_AT; n > 0 && i < where.cap; i++) /* the frame was made with the room for heads before it */
		if (where.buffer[i] != 0)
			die("what was weighed is behind the frame");
	answer_frame(n);
}

#endif

static void serve_status(char *at)
{
	struct godwit_status status;
	int64_t values[FIELDS_MAX];
	unsigned flags = (unsigned)word_number(&at);
	uint8_t slot = (uint8_t)word_number(&at);
	struct godwit_out where = serve_to((size_t)word_number(&at), flags);

	read_status(&at, &status, values);
	history.slot = slot;
	answer_frame(godwit_status(&served.g, &history, &status, &where));
}

static void serve_hello(char *at)
{
	static const struct godwit_say bearers[] = {GODWIT_TEXT("udp"), GODWIT_TEXT("sms")};
	struct godwit_say values[GODWIT_HELLO_KEYS], hash;
	struct godwit_out where = serve_to(sizeof out_buffer, (unsigned)word_number(&at));

	memset(values, 0, sizeof values);
	values[GODWIT_HELLO_BOOT_COUNT].n = (uint32_t)word_number(&at);
	values[GODWIT_HELLO_FREE_MEMORY].n = (uint32_t)word_number(&at);
	values[GODWIT_HELLO_VERSION].at = word(&at);
	values[GODWIT_HELLO_VERSION].n = (uint32_t)strlen(values[GODWIT_HELLO_VERSION].at);
	values[GODWIT_HELLO_PRODUCT].at = word(&at);
	values[GODWIT_HELLO_PRODUCT].n = (uint32_t)strlen(values[GODWIT_HELLO_PRODUCT].at);
	values[GODWIT_HELLO_BUILD].n = (uint32_t)unhex(word(&at), in, sizeof in);
	values[GODWIT_HELLO_BUILD].at = in;
	hash.at = served_template.t.hash;
	hash.n = sizeof served_template.t.hash;
	values[GODWIT_HELLO_TEMPLATES].at = &hash;
	values[GODWIT_HELLO_TEMPLATES].n = served_template.t.count > 0;
	values[GODWIT_HELLO_BEARERS].at = bearers;
	values[GODWIT_HELLO_BEARERS].n = 2;
	answer_frame(godwit_send_hello(&served.g, values, &where));
}

/* flags, room, rollout, time or -, count, then of each step its number, code and age. */
static void serve_steps(char *at)
{
	static struct godwit_step steps[UINT8_MAX];
	struct godwit_step_log log;
	unsigned flags = (unsigned)word_number(&at);
	struct godwit_out where = serve_to((size_t)word_number(&at), flags);
	char *time;
	unsigned i;

	memset(&log, 0, sizeof log);
	log.rollout = (uint32_t)word_number(&at);
	time = word(&at);
	log.clock_valid = strcmp(time, "-") != 0;
	log.time = strtoll(time, NULL, 10);
	log.count = (uint8_t)word_number(&at);
	log.steps = steps;
	for (i = 0; i < log.count; i++) {
		steps[i].step = (uint8_t)word_number(&at);
		steps[i].code = (uint8_t)word_number(&at);
		steps[i].age_minutes = (uint32_t)word_number(&at);
	}
	answer_frame(godwit_send_steps(&served.g, &log, &where));
}

static void serve_receive(char *at)
{
	size_t n = unhex(word(&at), in, sizeof in);
	uint8_t *b = copy(in, n);
	struct godwit_item item = transmission(b, n);
	int err;

	while ((err = godwit_next(&item)) != 0) {
		struct godwit_received r;

		if (err < 0) {
			printf("err %d;", err);
			break;
		}
		err = godwit_receive(&served.g, &history, &item, &r);
		if (err == GODWIT_GOT_ACK) {
			printf("ack%s %" PRIu32 " %" PRIu32 ";", r.previous ? " previous" : "", r.ack.counter, r.ack.bitmap);
		} else if (err == GODWIT_GOT_MESSAGE) {
			printf("message%s %" PRIu64 " %u ", r.previous ? " previous" : "", served.g.memory.epochs[r.previous].down - 1, r.type);
			print_hex(r.body, r.len);
			if (r.type == GODWIT_REKEY) {
				printf(" %d", godwit_rekey(&served.g, r.body, r.len));
			} else if (r.type == GODWIT_FRAGMENT_STATUS) {
				printf(" %d", godwit_parcel_status(&parcel, &r));
			} else if (r.type == GODWIT_FRAGMENT) {
				printf(" %d", godwit_assemble(&assembly, &r));
				if (r.type != GODWIT_FRAGMENT) {
					printf(" %u ", r.type);
					print_hex(r.body, r.len);
				}
			}
			printf(";");
		} else if (err == GODWIT_GOT_CHALLENGE) {
			printf("challenge;");
		} else if (err == GODWIT_GOT_EPOCH) {
			printf("epoch %" PRIu32 ";", served.g.memory.epochs[0].number);
		} else {
			printf("err %d;", err);
		}
	}
	printf("\n");
	free(b);
}

/* set, room, the message: answers with the number of fragments. */
static void serve_parcel(char *at)
{
	uint8_t set = (uint8_t)word_number(&at);
	size_t room = (size_t)word_number(&at), n = unhex(word(&at), parcel_message, sizeof parcel_message);

	printf("%d\n", godwit_parcel_init(&parcel, set, parcel_message, n, room, parcel_there, sizeof parcel_there));
}

static void serve_fragment(char *at)
{
	unsigned flags = (unsigned)word_number(&at);
	struct godwit_out where = serve_to((size_t)word_number(&at), flags);
	int n = godwit_send_fragment(&served.g, &parcel, &where);

	if (n == 0)
		printf("over\n");
	else
		answer_frame(n);
}

/* Asks the other end whether a signature is good. */
static int ask_signature(void *context, int algorithm, const uint8_t *kid, size_t kid_len, const uint8_t *message, size_t n, const uint8_t *signature)
{
	(void)context;
	printf("verify %d ", -algorithm);
	print_hex(kid, kid_len);
	printf(" ");
	print_hex(message, n);
	printf(" ");
	print_hex(signature, GODWIT_SIGNATURE);
	printf("\n");
	fflush(stdout);
	return fgets(line, sizeof line, stdin) != NULL && line[0] == '1';
}

/* the manifest, hash of the offer: answers with a question about the signature, and then with what the manifest says. */
static void serve_manifest(char *at)
{
	struct godwit_value values[GODWIT_KEYS], hash;
	size_t n = unhex(word(&at), in, sizeof in);
	uint8_t *buffer = manifest_buffer(in, n), sum[64];
	char fields[4096] = "";
	int err;

	hash.at = sum;
	hash.number = unhex(word(&at), sum, sizeof sum);
	err = godwit_manifest(buffer, n, &hash, ask_signature, NULL, values);
	if (err == 0)
		describe_values(fields, manifest_rules, sizeof manifest_rules / sizeof manifest_rules[0], values);
	if (err == 0)
		printf("%s\n", fields);
	else
		printf("err %d\n", err);
	free(buffer);
}

static void serve(void)
{
	while (fgets(line, sizeof line, stdin) != NULL) {
		char *at = line, *command;

		line[strcspn(line, "\n")] = 0;
		command = word(&at);
		if (strcmp(command, "boot") == 0) {
			serve_boot(at);
		} else if (strcmp(command, "template") == 0) {
			parse_template(&served_template, in, unhex(word(&at), in, sizeof in));
			godwit_history_init(&history, &served_template.t, 0, &served_states[0].state, STATES);
			printf("%d\n", served_template.t.count);
		} else if (strcmp(command, "record") == 0) {
			uint8_t record[GODWIT_RECORD];

			print_hex(record, godwit_record(&served.g, record) ? sizeof record : 0);
			printf("\n");
		} else if (strcmp(command, "stored") == 0) {
			godwit_stored(&served.g);
			printf("0\n");
		} else if (strcmp(command, "status") == 0) {
			serve_status(at);
		} else if (strcmp(command, "batch") == 0) {
			serve_batch(at);
#if !defined GODWIT_NO_DELTA && !defined GODWIT_NO_FILL
		} else if (strcmp(command, "fill") == 0) {
			serve_fill(at);
		} else if (strcmp(command, "billed") == 0) {
			struct godwit_bearer bearer = read_bearer(&at);

			printf("%" PRIu32 "\n", godwit_billed(&bearer, (uint32_t)word_number(&at)));
#endif
		} else if (strcmp(command, "hello") == 0) {
			serve_hello(at);
		} else if (strcmp(command, "send") == 0) {
			unsigned flags = (unsigned)word_number(&at);
			uint8_t type = (uint8_t)word_number(&at);
			struct godwit_out where = serve_to((size_t)word_number(&at), flags);
			size_t n = unhex(word(&at), in, sizeof in);

			answer_frame(godwit_send(&served.g, type, in, n, &where));
		} else if (strcmp(command, "steps") == 0) {
			serve_steps(at);
		} else if (strcmp(command, "read") == 0) { /* type, body */
			struct godwit_value values[GODWIT_KEYS];
			struct godwit_received r;
			uint8_t *body;

			memset(&r, 0, sizeof r);
			r.type = (uint8_t)word_number(&at);
			r.len = unhex(word(&at), in, sizeof in);
			r.body = body = copy(in, r.len);
			printf("%d\n", godwit_read(&r, values));
			free(body);
		} else if (strcmp(command, "need") == 0) { /* size, memory, whether it is patched in place */
			struct godwit_value values[GODWIT_KEYS];

			memset(values, 0, sizeof values);
			values[GODWIT_MANIFEST_SIZE].number = (uint64_t)word_number(&at);
			values[GODWIT_MANIFEST_MEMORY].number = (uint64_t)word_number(&at);
			values[GODWIT_MANIFEST_IN_PLACE].number = *word(&at) == 't';
			printf("%" PRIu64 "\n", godwit_manifest_need(values));
		} else if (strcmp(command, "assembly") == 0) { /* its room */
			size_t cap = (size_t)word_number(&at);

			godwit_assembly_init(&assembly, assembled + sizeof assembled - cap, cap);
			printf("0\n");
		} else if (strcmp(command, "assemble") == 0) { /* a fragment; answers with the message if it is whole */
			struct godwit_received r;
			int got;

			memset(&r, 0, sizeof r);
			r.type = GODWIT_FRAGMENT;
			r.len = unhex(word(&at), in, sizeof in);
			r.body = in;
			got = godwit_assemble(&assembly, &r);
			printf("%d", got);
			if (got > 0) {
				printf(" %02x", r.type);
				print_hex(r.body, r.len);
			}
			printf("\n");
		} else if (strcmp(command, "parcel") == 0) {
			serve_parcel(at);
		} else if (strcmp(command, "fragment") == 0) {
			serve_fragment(at);
		} else if (strcmp(command, "probe") == 0) {
			godwit_parcel_probe(&parcel);
			printf("0\n");
		} else if (strcmp(command, "fragment-status") == 0) {
			uint8_t set = (uint8_t)word_number(&at);

			struct godwit_out where = serve_to(sizeof out_buffer, (unsigned)word_number(&at));

			answer_frame(godwit_send_fragment_status(&served.g, &assembly, set, &where));
		} else if (strcmp(command, "hold") == 0) {
			unsigned field = (unsigned)word_number(&at);
			uint32_t band = (uint32_t)word_number(&at);

			printf("%" PRId64 "\n", godwit_hold(&history, field, band, strtoll(word(&at), NULL, 10)));
		} else if (strcmp(command, "delivered") == 0) {
			godwit_delivered(&history, (uint32_t)word_number(&at));
			printf("0\n");
		} else if (strcmp(command, "join") == 0) {
			godwit_join(&served.g, (uint32_t)word_number(&at));
			printf("0\n");
		} else if (strcmp(command, "send-join") == 0) {
			unsigned flags = (unsigned)word_number(&at);
			struct godwit_out where = serve_to(at != NULL ? (size_t)word_number(&at) : GODWIT_JOIN, flags);
			int n = godwit_send_join(&served.g, &where);

			if (n < 0)
				printf("err %d", n);
			else
				printf("join ");
			if (n > 0)
				print_hex(out_at, (size_t)n);
			printf("\n");
		} else if (strcmp(command, "used") == 0) { /* so many counters are, and permanent memory says so */
			served.g.next = served.g.memory.epochs[0].end = served.g.promised = (uint32_t)word_number(&at);
			printf("0\n");
		} else if (strcmp(command, "covers") == 0) { /* counter and bitmap of an acknowledgement, a counter */
			struct godwit_ack ack;

			ack.counter = (uint32_t)word_number(&at);
			ack.bitmap = (uint32_t)word_number(&at);
			printf("%d\n", godwit_ack_covers(&ack, (uint32_t)word_number(&at)));
		} else if (strcmp(command, "due") == 0) {
			printf("%d\n", godwit_join_due(&served.g));
		} else if (strcmp(command, "manifest") == 0) {
			serve_manifest(at);
		} else if (strcmp(command, "receive") == 0) {
			serve_receive(at);
		} else {
			die(command);
		}
		fflush(stdout);
	}
}

int main(int argc, char **argv)
{
	if (argc > 2 && strcmp(argv[1], "vectors") == 0)
		return vectors(argc - 2, argv + 2);
	if (argc > 3 && strcmp(argv[1], "fuzz") == 0)
		return fuzz(strtol(argv[2], NULL, 10), argc - 3, argv + 3);
	if (argc == 2 && strcmp(argv[1], "serve") == 0)
		serve();
	else
		die("vectors FILE..., fuzz COUNT FILE... or serve");
	return 0;
}
