/*
 * Tests of godwit.c, driven by ../device_c_test.go:
 *
 *     godwit_test vectors FILE...        runs what files of ../testdata/vectors a device can run
 *     godwit_test fuzz COUNT FILE...     mutates the inputs of vectors and hands them to the parsers
 *     godwit_test serve                  is a device: a command a line in, an answer a line out (see serve)
 *
 * It is one unit with the source, so that it reaches what the header does not show.
 */
#include "godwit.c"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#ifdef GODWIT_HMAC
void godwit_sha256(const uint8_t *data, size_t n, uint8_t out[32]); /* of whoever has the HMAC */
#endif

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

static const uint8_t *parse_coding(struct reader *r, uint8_t *order, uint8_t *spread, uint8_t model[47])
{
	if (integer(r) != 3)
		die("coding");
	*order = (uint8_t)integer(r);
	*spread = (uint8_t)integer(r);
	return octets(r, model, 47) > 0 ? model : NULL;
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
	p->t.minutes = (uint8_t)integer(&r);
	p->t.interval = (uint32_t)integer(&r);
	p->t.model = parse_coding(&r, &p->t.order, &p->t.spread, p->models[FIELDS_MAX]);
	p->t.count = (uint8_t)integer(&r);
	p->t.fields = p->fields;
	for (i = 0; i < p->t.count; i++) {
		struct godwit_field *f = &p->fields[i];

		integer(&r); /* the array */
		integer(&r); /* id */
		octets(&r, (uint8_t *)p->names[i], 32);
		octets(&r, unit, 32);
		f->coef = (uint32_t)integer(&r);
		f->exp = (int8_t)integer(&r);
		f->offset = integer(&r);
		f->width = (uint8_t)integer(&r);
		f->optional = (uint8_t)integer(&r);
		f->group = (uint8_t)integer(&r);
		f->predictor = (uint8_t)integer(&r);
		f->model = parse_coding(&r, &f->order, &f->spread, p->models[i]);
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
	long n;

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
	d->config.ctr_bits = number(v, "ctr-bits") == 16 ? 16 : 8;
	d->config.tag_len = number(v, "tag") == 4 ? 4 : 8;
	if (godwit_boot(&d->g, &d->config, NULL) != 0)
		die("boot");
	d->g.memory.epochs[0].number = (uint32_t)number(v, "epoch");
	unhex(get(v, "salt"), d->g.memory.epochs[0].salt, GODWIT_SALT);
}

/* What came of a vector. Reasons that a device need not tell apart are one. */
enum outcome { OK, AUTH, CONTROL, REFUSED, WRONG, NOT_FOR_A_DEVICE };

enum { E_CONTROL = -100 };

static enum outcome outcome_of(int err)
{
	return err >= 0 ? OK : err == GODWIT_E_AUTH ? AUTH : err == E_CONTROL ? CONTROL : REFUSED;
}

static enum outcome run_derive(const struct vector *v)
{
	struct device d;
	const char *label = get(v, "label");
	char name[8];
	uint8_t out[32], key[32];

	device_of(&d, v);
	snprintf(name, sizeof name, "|%s|", label);
	if (strcmp(label, "fleet") == 0) {
		unhex(get(v, "fleet-key"), key, sizeof key);
		godwit_fleet_key(key, d.config.number, out);
	} else {
		derive(&d.g, strcmp(label, "join") == 0 ? NULL : &d.g.memory.epochs[0], name, out);
	}
	return v->len <= 32 && memcmp(out, v->input, v->len) == 0 ? OK : WRONG;
}

static enum outcome run_sequence(const struct vector *v)
{
	static const char *const names[] = {"", "sealed", "addressed", "open", "signed"};
	uint8_t *b = copy(v->input, v->len), *at = b;
	size_t left = v->len;
	char forms[256] = "";
	unsigned count = 0;
	int err = 0;

	while (left > 0 && err == 0) {
		struct godwit_item item;

		if (count++ == 16) {
			err = GODWIT_E_MALFORMED;
			break;
		}
		if ((err = godwit_next(&at, &left, &item)) == 0) {
			if (forms[0] != 0)
				strcat(forms, " ");
			strcat(forms, names[item.form]);
		}
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
	} else if (slot == SLOT_RESERVED || (kind == 1 && base > 1)) { /* F-010, F-013 */
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

static int unseal(const struct godwit *g, const struct ccm *p, uint8_t *data, size_t n)
{
	struct ccm c = *p;

	c.g = g;
	c.open = 1;
	ccm(&c, data, n);
	return equal(c.mac, data + n, c.tag_len) ? 0 : GODWIT_E_AUTH;
}

/* Seals the plaintext again: by the device's own way if it is an uplink with a counter that a device uses. */
static int seals_as(struct device *d, const struct vector *v, const struct sealed *s, const struct ccm *p, const uint8_t *plain, int with_cid)
{
	uint8_t out[2048];
	struct ccm c = *p;
	struct writer w;
	int n;

	if (strcmp(p->label, "|dn|") == 0 || p->counter >= COUNTER_END) {
		memcpy(out, plain, s->len);
		c.g = &d->g;
		c.open = 0;
		ccm(&c, out, s->len);
		return memcmp(out, v->input + v->len - s->tag_len - s->len, s->len) == 0 && memcmp(c.mac, v->input + v->len - s->tag_len, s->tag_len) == 0;
	}
	d->g.next = (uint32_t)p->counter;
	d->g.memory.epochs[0].end = COUNTER_END;
	begin(&d->g, &w, s->ctr_bits == 40, out, sizeof out);
	put_bytes(&w, plain, s->len);
	n = finish(&d->g, &w, s->header, (with_cid ? (unsigned)GODWIT_ADDRESSED : 0u) | (s->tag_len == 4 ? (unsigned)GODWIT_METERED : 0u));
	return n == (int)v->len && memcmp(out, v->input, v->len) == 0;
}

/* What a device itself says to a downlink, for which it is in the state of before it was taken. */
static int receives_as(struct device *d, const struct vector *v, uint64_t counter, const uint8_t *plain, size_t n, enum outcome want)
{
	uint8_t *b = copy(v->input, v->len), *at = b;
	struct godwit_item item;
	struct godwit_received r;
	size_t left = v->len;
	int got = godwit_next(&at, &left, &item), same;

	if (got == 0)
		got = godwit_receive(&d->g, NULL, &item, &r);
	same = outcome_of(got) == want &&
	       (got < 0 || (got == GODWIT_GOT_MESSAGE && r.counter == counter && r.type == plain[0] && r.len == n - 1 && memcmp(r.body, plain + 1, n - 1) == 0));
	free(b);
	return same;
}

static enum outcome run_open(const struct vector *v)
{
	struct device d;
	struct godwit_item item;
	struct sealed s;
	struct ccm p;
	uint8_t *b = copy(v->input, v->len), *at = b, want[2048];
	size_t left = v->len;
	enum outcome out;
	int err, down = strcmp(get(v, "direction"), "down") == 0;

	device_of(&d, v);
	err = godwit_next(&at, &left, &item);
	if (err == 0 && (left > 0 || item.content == NULL))
		err = GODWIT_E_MALFORMED;
	if (err == 0)
		err = parse_sealed(item.content, item.len, (uint8_t)number(v, "ctr-bits"), (uint8_t)number(v, "tag"), &s);
	if (err == 0) {
		p.label = down ? "|dn|" : number(v, "tag") == 4 ? "|up4|" : "|up8|";
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
	else if (out == OK && !seals_as(&d, v, &s, &p, s.body, item.form == GODWIT_WITH_CID))
		out = WRONG;
	if (down && number(v, "ctr-bits") == 16 && !receives_as(&d, v, p.counter, s.body, s.len, out))
		out = WRONG;
	free(b);
	return out;
}

static enum outcome run_ack(const struct vector *v)
{
	struct device d;
	struct godwit_item item;
	struct godwit_received r;
	uint8_t *b = copy(v->input, v->len), *at = b;
	size_t left = v->len;
	int err;

	device_of(&d, v);
	d.g.next = (uint32_t)number(v, "last") + 1;
	if ((err = godwit_next(&at, &left, &item)) == 0)
		err = godwit_receive(&d.g, NULL, &item, &r);
	free(b);
	if (err == GODWIT_GOT_ACK && (r.ack.counter != number(v, "counter") || r.ack.bitmap != strtoul(get(v, "bitmap"), NULL, 2)))
		return WRONG;
	return outcome_of(err);
}

/* The steps of a field that a number in decimal stands for: digits and a power of ten, divided by the scale. */
static int64_t parse_value(const struct godwit_field *f, const char *s)
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
	for (; v != 0 && exp > f->exp; exp--)
		v *= 10;
	v /= (int64_t)f->coef;
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

/* A keyframe is written, not read, by a device: what its status line says must give the input. */
static enum outcome run_keyframe(const struct vector *v)
{
	struct parsed p;
	struct godwit_status s;
	struct encoder e;
	struct godwit_state st;
	struct godwit_field_state field_states[FIELDS_MAX];
	int64_t values[FIELDS_MAX];
	uint8_t template[8192], out[1024];
	const char *at = get(v, "status"), *rare;
	unsigned i;
	char truth[6], step[6];
	unsigned version, number_, code;

	if (strcmp(get(v, "expect"), "ok") != 0)
		return NOT_FOR_A_DEVICE;
	parse_template(&p, template, unhex(get(v, "template"), template, sizeof template));
	memset(&s, 0, sizeof s);
	s.values = values;
	s.clock_valid = strncmp(at, "time=unsure", 11) != 0;
	if (s.clock_valid)
		s.time = parse_time(at + 5);
	for (i = 0; i < p.t.count; i++) {
		at = strchr(at, ' ') + 1 + strlen(p.names[i]);
		at += *at == '>' ? 2 : 1;
		values[i] = *at == '-' && digit(at[1]) < 0 ? GODWIT_NONE : parse_value(&p.fields[i], at);
	}
	if ((rare = strstr(at, " version=")) != NULL) {
		s.rare = 1;
		if (sscanf(rare, " version=%u build=%" SCNx32 " boot=%5s step=%5[a-z]/%u/%u", &version, &s.build, truth, step, &number_, &code) != 6)
			die("rare block");
		s.version = (uint8_t)version;
		s.boot_changed = truth[0] == 't';
		s.has_step = step[0] == 't';
		s.step = (uint8_t)number_;
		s.step_code = (uint8_t)code;
	}
	memset(&e, 0, sizeof e);
	e.t = &p.t;
	e.w.p = out;
	e.w.cap = sizeof out;
	e.width = 1 << 24;
	memset(&st, 0, sizeof st);
	memset(field_states, 0, sizeof field_states);
	e.fields = field_states;
	put_status(&e, &st, &s, 1);
	range_end(&e);
	while (e.w.n > 1 && out[e.w.n - 1] == 0)
		e.w.n--;
	return e.w.n == 1 + v->len && memcmp(out + 1, v->input, v->len) == 0 ? OK : WRONG;
}

static enum outcome run_template(const struct vector *v)
{
	uint8_t hash[32], want[8];

	if (strcmp(get(v, "expect"), "ok") != 0) /* a device is given its templates, it does not judge them */
		return NOT_FOR_A_DEVICE;
	godwit_sha256(v->input, v->len, hash);
	unhex(get(v, "hash"), want, sizeof want);
	return memcmp(hash, want, sizeof want) == 0 ? OK : WRONG;
}

/* Opens a frame of the device's own and compares its plaintext. */
static int says(struct device *d, uint8_t *frame, int n, unsigned type, const uint8_t *body, size_t len)
{
	struct godwit_item item;
	struct sealed s;
	struct ccm p;
	size_t left = (size_t)n;

	if (n < 0 || godwit_next(&frame, &left, &item) != 0 || parse_sealed(item.content, item.len, d->config.ctr_bits, 8, &s) != 0)
		return 0;
	p.epoch = &d->g.memory.epochs[0];
	p.counter = godwit_last(&d->g);
	p.header = s.header;
	p.label = "|up8|";
	p.tag_len = 8;
	return unseal(&d->g, &p, s.body, s.len) == 0 && s.len == len + 1 && s.body[0] == type && memcmp(s.body + 1, body, len) == 0;
}

static enum outcome run_step_log(const struct vector *v)
{
	static const char *const names[] = {"offered", "accepted", "declined", "deferred", "downloading", "downloaded", "verified", "installing", "rebooting",
		"confirmed", "rolled_back", "failed", "12", "13", "14"};
	struct device d;
	struct godwit_step s[STEPS_MAX];
	const char *at = strchr(get(v, "fields"), ' ');
	uint8_t out[512], count = 0;
	int64_t clock = -1;

	if (strcmp(get(v, "expect"), "ok") != 0)
		return NOT_FOR_A_DEVICE;
	for (; at != NULL; at = strchr(at, ' ')) {
		size_t n = strcspn(++at, "/= ");
		char *end;
		uint8_t i;

		if (at[n] == '=') {
			clock = strtoll(at + n + 1, NULL, 10) * 60;
			continue;
		}
		for (i = 0; i < 15 && (strlen(names[i]) != n || strncmp(names[i], at, n) != 0); i++)
			;
		s[count].step = i;
		s[count].code = (uint8_t)strtoul(at + n + 1, &end, 10);
		s[count].age_minutes = (uint32_t)strtoul(end + 1, &end, 10);
		if (*end == '+')
			s[count].age_minutes = UINT32_MAX;
		count++;
	}
	device_of(&d, v);
	d.g.memory.epochs[0].end = 1;
	return says(&d, out, godwit_send_steps(&d.g, (uint32_t)strtoul(get(v, "fields") + 8, NULL, 10), s, count, clock, 0, out, sizeof out), GODWIT_STEP_LOG,
	            v->input, v->len)
	           ? OK
	           : WRONG;
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
	struct godwit_item item;
	struct godwit_received r;
	uint8_t *b = copy(v->input, v->len), *at = b, out[64], want[GODWIT_SALT];
	size_t left = v->len;
	unsigned type;
	int got;

	device_of(&d, v);
	unhex(get(v, "random"), want, 4);
	d.g.memory.boot = (uint32_t)number(v, "boot") - 1;
	godwit_join(&d.g, get_be(want, 4));
	d.g.memory.changed = 0; /* as if it was written */
	got = godwit_next(&at, &left, &item);
	if (got != 0 || item.len == 0) {
		free(b);
		return REFUSED;
	}
	type = item.content[0];
	if (type == CONTROL_REQUEST || type == CONTROL_CONFIRM) { /* these are for a gateway: made here, and a device takes none */
		if (type == CONTROL_CONFIRM) {
			unhex(get(v, "nonce"), d.g.nonce, NONCE_LEN);
			d.g.memory.joining = CONTROL_CONFIRM;
		}
		got = godwit_send_join(&d.g, 0, out, sizeof out);
		got = got == (int)v->len && memcmp(out, v->input, v->len) == 0 ? OK : item.len == 21 ? AUTH : REFUSED;
		if (godwit_receive(&d.g, NULL, &item, &r) != GODWIT_E_MALFORMED)
			got = WRONG;
		free(b);
		return (enum outcome)got;
	}
	if (type == CONTROL_ACK) {
		free(b);
		return NOT_FOR_A_DEVICE; /* one is an acknowledgement here, and has vectors of its own */
	}
	got = godwit_receive(&d.g, NULL, &item, &r);
	free(b);
	if (got == GODWIT_GOT_CHALLENGE)
		return unhex(get(v, "nonce"), want, sizeof want) == NONCE_LEN && memcmp(want, d.g.nonce, NONCE_LEN) == 0 ? OK : WRONG;
	if (got == GODWIT_GOT_EPOCH) {
		const struct godwit_epoch *e = &d.g.memory.epochs[0];

		unhex(get(v, "salt"), want, sizeof want);
		return e->number == number(v, "epoch") && memcmp(e->salt, want, sizeof want) == 0 && d.g.memory.joining == 0 ? OK : WRONG;
	}
	if (type < CONTROL_REQUEST) /* a sealed frame is no join, and none that this device could open */
		return got == GODWIT_E_AUTH ? REFUSED : WRONG;
	return outcome_of(got);
}

static enum outcome run(const struct vector *v)
{
	const char *op = get(v, "operation");

	return strcmp(op, "derive") == 0     ? run_derive(v)
	       : strcmp(op, "sequence") == 0 ? run_sequence(v)
	       : strcmp(op, "open") == 0     ? run_open(v)
	       : strcmp(op, "ack") == 0      ? run_ack(v)
	       : strcmp(op, "keyframe") == 0 ? run_keyframe(v)
	       : strcmp(op, "template") == 0 ? run_template(v)
	       : strcmp(op, "step-log") == 0 ? run_step_log(v)
	       : strcmp(op, "rekey") == 0    ? run_rekey(v)
	       : strcmp(op, "join") == 0     ? run_join(v)
	                                     : NOT_FOR_A_DEVICE;
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
	unsigned ran = 0, skipped = 0, damaged = 0;
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
		if (got == NOT_FOR_A_DEVICE) {
			skipped++;
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
	printf("%u vectors, %u damaged ones, %u not for a device\n", ran, damaged, skipped);
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

/* Nothing that was changed is taken; a crash or a read beyond the input is for the sanitizers to see. */
static int fuzz(long count, int files, char **paths)
{
	struct vector *v = calloc((size_t)files, sizeof *v);
	struct device *devices = calloc((size_t)files, sizeof *devices);
	unsigned taken = 0;
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
		uint8_t work[4096], *b, *at;
		size_t n = seed->len < 2048 ? seed->len : 2048, left;
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
		at = b = copy(work, n);
		left = n;
		while (left > 0 && godwit_next(&at, &left, &item) == 0) /* a new head is no forgery: F-023 */
			if (godwit_receive(&g, NULL, &item, &r) > 0 && strcmp(get(seed, "expect"), "ok") == 0 &&
			    (item.len > seed->len || memcmp(work + (item.content - b), seed->input + seed->len - item.len, item.len) != 0)) {
				printf("%s: taken after a change: ", paths[which]);
				print_hex(work, n);
				printf("\n");
				taken++;
			}
		(void)godwit_rekey(&g, b, n);
		free(b);
	}
	for (i = 0; i < files; i++)
		unload(&v[i]);
	free(v);
	free(devices);
	printf("%ld inputs, %u forged ones taken\n", count, taken);
	return taken > 0;
}

/* --- A device on a pipe --- */

static struct device served;
static struct parsed served_template;
static struct godwit_state served_states[STATES];
static struct godwit_field_state served_fields[STATES * FIELDS_MAX];
static struct godwit_history history;
static char line[4 * BUFFER];
static uint8_t in[2 * BUFFER], out_buffer[BUFFER];

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

static void answer_frame(int n)
{
	if (n < 0) {
		printf("err %d\n", n);
		return;
	}
	printf("frame %" PRIu32 " ", godwit_last(&served.g));
	print_hex(out_buffer, (size_t)n);
	printf("\n");
}

/* time or -, rare, version, build, boot, has step, step, code, then a value for each field or -. */
static void read_status(char **at, struct godwit_status *s, int64_t *values)
{
	char *time = word(at);
	unsigned i;

	memset(s, 0, sizeof *s);
	s->clock_valid = strcmp(time, "-") != 0;
	s->time = strtoll(time, NULL, 10);
	s->rare = (uint8_t)word_number(at);
	s->version = (uint8_t)word_number(at);
	s->build = (uint32_t)word_number(at);
	s->boot_changed = (uint8_t)word_number(at);
	s->has_step = (uint8_t)word_number(at);
	s->step = (uint8_t)word_number(at);
	s->step_code = (uint8_t)word_number(at);
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
	served.config.ctr_bits = (uint8_t)word_number(&at);
	served.config.tag_len = (uint8_t)word_number(&at);
	served.config.key = served.key;
	served.config.aes = godwit_aes128;
	record = word(&at);
	if (*record != '-')
		unhex(record, in, sizeof in);
	printf("%d\n", godwit_boot(&served.g, &served.config, *record == '-' ? NULL : in));
	if (served_template.t.count > 0)
		godwit_history_init(&history, &served_template.t, 0, served_states, served_fields, STATES);
}

static void serve_batch(char *at)
{
	static struct godwit_status statuses[BATCH_MAX];
	static int64_t values[BATCH_MAX][FIELDS_MAX];
	unsigned flags = (unsigned)word_number(&at);
	uint8_t slot = (uint8_t)word_number(&at);
	size_t cap = (size_t)word_number(&at), count = (size_t)word_number(&at), i;

	for (i = 0; i < count && i < BATCH_MAX; i++)
		read_status(&at, &statuses[i], values[i]);
	history.slot = slot;
	answer_frame(godwit_batch(&served.g, &history, statuses, count, flags, out_buffer, cap));
}

static void serve_status(char *at)
{
	struct godwit_status status;
	int64_t values[FIELDS_MAX];
	unsigned flags = (unsigned)word_number(&at);
	uint8_t slot = (uint8_t)word_number(&at);
	size_t cap = (size_t)word_number(&at);

	read_status(&at, &status, values);
	history.slot = slot;
	answer_frame(godwit_status(&served.g, &history, &status, flags, out_buffer, cap));
}

static void serve_hello(char *at)
{
	static const char *const bearers[] = {"udp", "sms"};
	const struct godwit_template *templates[1];
	struct godwit_hello h;
	unsigned flags = (unsigned)word_number(&at);

	templates[0] = &served_template.t;
	memset(&h, 0, sizeof h);
	h.boot_count = (uint32_t)word_number(&at);
	h.free_memory = (uint32_t)word_number(&at);
	h.version = word(&at);
	h.product = word(&at);
	h.build_len = (uint8_t)unhex(word(&at), in, sizeof in);
	h.build = in;
	h.templates = templates;
	h.template_count = served_template.t.count > 0;
	h.bearers = bearers;
	h.bearer_count = 2;
	answer_frame(godwit_send_hello(&served.g, &h, flags, out_buffer, sizeof out_buffer));
}

static void serve_receive(char *at)
{
	size_t n = unhex(word(&at), in, sizeof in), left = n;
	uint8_t *b = copy(in, n), *p = b;

	while (left > 0) {
		struct godwit_item item;
		struct godwit_received r;
		int err = godwit_next(&p, &left, &item);

		if (err < 0) {
			printf("err %d;", err);
			break;
		}
		err = godwit_receive(&served.g, &history, &item, &r);
		if (err == GODWIT_GOT_ACK) {
			printf("ack%s %" PRIu32 " %" PRIu32 ";", r.previous ? " previous" : "", r.ack.counter, r.ack.bitmap);
		} else if (err == GODWIT_GOT_MESSAGE) {
			printf("message%s %" PRIu64 " %u ", r.previous ? " previous" : "", r.counter, r.type);
			print_hex(r.body, r.len);
			if (r.type == GODWIT_REKEY)
				printf(" %d", godwit_rekey(&served.g, r.body, r.len));
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
			godwit_history_init(&history, &served_template.t, 0, served_states, served_fields, STATES);
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
		} else if (strcmp(command, "hello") == 0) {
			serve_hello(at);
		} else if (strcmp(command, "send") == 0) {
			unsigned flags = (unsigned)word_number(&at);
			uint8_t type = (uint8_t)word_number(&at);
			size_t cap = (size_t)word_number(&at), n = unhex(word(&at), in, sizeof in);

			answer_frame(godwit_send(&served.g, type, in, n, flags, out_buffer, cap));
		} else if (strcmp(command, "delivered") == 0) {
			godwit_delivered(&history, (uint32_t)word_number(&at));
			printf("0\n");
		} else if (strcmp(command, "join") == 0) {
			godwit_join(&served.g, (uint32_t)word_number(&at));
			printf("0\n");
		} else if (strcmp(command, "send-join") == 0) {
			int n = godwit_send_join(&served.g, (unsigned)word_number(&at), out_buffer, GODWIT_JOIN);

			if (n < 0)
				printf("err %d", n);
			else
				printf("join ");
			if (n > 0)
				print_hex(out_buffer, (size_t)n);
			printf("\n");
		} else if (strcmp(command, "due") == 0) {
			printf("%d\n", godwit_join_due(&served.g));
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
