//go:build e2e

package e2e_test

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/godwit-gateway/godwit/codec"
	"github.com/godwit-gateway/godwit/codec/manifest"
)

// running are calls while the gateway runs, in this order: what one does the next may find.
var running = []row{
	{args: "status", out: "events published"},
	{args: "status -o json"},
	{args: "status --fly", code: 2, err: "Try: godwit status --help"},
	{args: "status --api unix:$DIR/none.sock --token-file $TOKEN", code: 1, err: "is it running?"},
	{args: "status --token-file $KEY", code: 1, err: "token"},

	{args: "run", code: 1, err: "another process"},
	{args: "run now", code: 2, err: "unexpected argument now"},

	{args: "config default", out: "[gateway]"},
	{args: "config default -o json"},
	{args: "config default now", code: 2, err: "unexpected argument now"},
	{args: "config check", out: "udp on 127.0.0.1:"},
	{args: "config check -o json"},
	{args: "config check --set nats.mode=pigeon", code: 1, err: "1 mistake in the configuration"},
	{args: "config check --set nats.mode=pigeon -o json", code: 1, out: "nats.mode", err: "1 mistake"},
	{args: "config check --fly", code: 2, err: "--fly"},

	{args: "device list", out: "dev-1 "},
	{args: "device list --state pending -o json", out: `"dev-5001"`},
	{args: "device list --product ghost -o json", out: "[]"},
	{args: "device list --state asleep", code: 2, err: "--state"},
	{args: "device list --limit -1", code: 2, err: "--limit"},
	{args: "device list --api unix:$DIR/none.sock --token-file $TOKEN", code: 1, err: "is it running?"},

	{args: "device show dev-1", out: "key"},
	{args: "device show 1 --last 2 -o json", out: `"history"`},
	{args: "device show ghost", code: 1, err: "ghost"},
	{args: "device show", code: 2, err: "<device>"},
	{args: "device show dev-1 --last -1", code: 2, err: "--last"},

	{args: "device import $CSV --dry-run", out: "2 devices could be imported"},
	{args: "device import - --dry-run -o json", stdin: "number,name,product,customer,key\n900,x,buoy-demo,acme,fleet:test\n", out: `"done": false`},
	{args: "device import $CSV", out: "2 devices imported"},
	{args: "device import $CSV", code: 1, out: "fleet.csv:3:", err: "2 of 2 rows"},
	{args: "device import $DIR/none.csv", code: 1, err: "none.csv"},
	{args: "device import", code: 2, err: "<file>"},

	{args: "device export $DIR/moved.csv --transfer-key-file $DIR/transfer.key", out: "devices exported"},
	{args: "device export $DIR/moved2.csv --transfer-key-file $DIR/transfer.key --expand -o json", out: `"devices"`},
	{args: "device export $DIR/moved.csv --transfer-key-file $DIR/transfer.key", code: 1, err: "moved.csv"},
	{args: "device export $DIR/moved3.csv", code: 2, err: "--transfer-key-file"},

	{args: "device approve dev-5001 --customer port", out: "port"},
	{args: "device approve dev-5002 -o json", out: `"active"`},
	{args: "device approve dev-5001", code: 1, err: "a device that is active"},
	{args: "device approve", code: 2, err: "<device>"},
	{args: "device reject dev-5003 --reason stolen", out: "rejected"},
	{args: "device reject 5004 -o json", out: `"rejected"`},
	{args: "device show dev-5003 -o json", out: `"rejected": "20`}, // since when
	{args: "device reject ghost", code: 1, err: "ghost"},
	{args: "device reject", code: 2, err: "<device>"},
	{args: "device suspend dev-1 --link udp --from 2099-12-01 -o json", out: `"from": "2099-12-01"`},
	{args: "device suspend dev-1 --link udp", code: 1, err: "suspended from 2099-12-01 on"},
	{args: "device suspend dev-1 --link nope -o json", code: 1, err: "there is no link"},
	{args: "device suspend dev-1", code: 2, err: "--link"},
	{args: "device show dev-1", out: "udp from 2099-12-01 until it is resumed"},
	{args: "device resume dev-1 --link udp --from 2099-12-24 -o json", out: `"until": "2099-12-24"`},
	{args: "device resume dev-1 --link udp", code: 1, err: "not suspended"},
	{args: "device resume dev-1 --link udp --from soon", code: 2, err: "--from"},
	{args: "device retire dev-5001 --reason sunk", out: "retired"},
	{args: "device retire dev-5001", code: 1, err: "a device that is retired"},
	{args: "device approve dev-5001 --customer port", out: "active"},
	{args: "device retire dev-5002 -o json", out: `"retired"`},
	{args: "device retire", code: 2, err: "<device>"},
	{args: "device address tank-1 sms:+491700000001", out: "tank-1"},
	{args: "device address tank-1 sms:+491700000001 -o json", out: `"accepted": true`},
	{args: "device address tank-1 sms:+491700000009", code: 1, err: "never heard from"},
	{args: "device address tank-1 sms:+491700000009 --new", out: "tank-1"},
	{args: "device address tank-1 sms:4711 --new", code: 1, err: "E.164"},
	{args: "device address tank-1 4711", code: 2, err: "bearer:id"},

	{args: "device request dev-1 --what keyframe,hello --ttl 2h", out: "request"},
	{args: "device request dev-1 --what poll --link udp -o json", out: `"queued"`},
	{args: "device request ghost --what poll", code: 1, err: "ghost"},
	{args: "device request dev-1 --what poll --link ghost", code: 1, err: "ghost"},
	{args: "device request dev-1 --what song", code: 2, err: "--what"},
	{args: "device request dev-1", code: 2, err: "--what"},
	{args: "device time dev-1", out: "time"},
	{args: "device time dev-1 -o json", out: `"kind": "time"`},
	{args: "device time ghost", code: 1, err: "ghost"},
	{args: "device time dev-1 --ttl soon", code: 2, err: "--ttl"},
	{args: "device time dev-1 --ttl 8d", code: 2, err: "--ttl"},
	{args: "device sleep dev-1 --for 6h", out: "sleep"},
	{args: "device sleep dev-1 -o json", out: `"kind": "sleep"`},
	{args: "device sleep ghost", code: 1, err: "ghost"},
	{args: "device sleep dev-1 --for -1h", code: 2, err: "--for"},
	{args: "device template dev-1 --slot 1 --product truck-demo", out: "template"},
	{args: "device template dev-1 -o json", out: `"kind": "template"`},
	{args: "device template dev-1 --product ghost", code: 1, err: "ghost"},
	{args: "device template dev-1 --slot 7", code: 2, err: "--slot"},
	{args: "device offer dev-1 --rollout 7 --version 2.5.0 --url https://updates.example/m --sha256 9f86d081884c7d659a2feaa0c55ad015 --size 262144", out: "offer"},
	{args: "device offer dev-1 --rollout 8 --version 2.6.0 --url https://updates.example/n --sha256 9f86d081884c7d659a2feaa0c55ad015 --size 1 -o json", out: `"kind": "offer"`},
	{args: "device offer dev-1 --rollout 7 --version 2.5.0 --url https://updates.example/m --sha256 9f --size 262144", code: 2, err: "--sha256"},
	{args: "device offer dev-1 --rollout 7 --version 2.5.0 --url https://updates.example/m --sha256 9f86d081884c7d659a2feaa0c55ad015 --size 1 --expires soon", code: 2, err: "--expires"},
	{args: "device offer ghost --rollout 7 --version 2.5.0 --url https://updates.example/m --sha256 9f86d081884c7d659a2feaa0c55ad015 --size 1", code: 1, err: "ghost"},
	{args: "device offer dev-1", code: 2, err: "--rollout"},
	{args: "device policy dev-1 --interval 1h --links udp,sms --quiet 22:00-05:00 --deadband battery=5 --revision 3", out: "policy"},
	{args: "device policy dev-1 --interval 2h -o json", out: `"kind": "policy"`},
	{args: "device policy dev-1 --deadband song=5", code: 1, err: "song"},
	{args: "device policy dev-1", code: 2, err: "--interval"},
	{args: "device policy dev-1 --quiet late", code: 2, err: "--quiet"},
	{args: "device policy dev-1 --quiet 05:00-05:00", code: 2, err: "--quiet"},
	{args: "device rekey dev-2", out: "queued"},
	{args: "device rekey dev-2 -o json", out: `"ref"`},
	{args: "device rekey ghost", code: 1, err: "ghost"},
	{args: "device rekey", code: 2, err: "<device>"},

	{args: "message send dev-1 --hex 0102ff", out: "queued"},
	{args: "message send dev-1 --text hello -o json", out: `"kind": "message"`},
	{args: "message send ghost --text hello", code: 1, err: "ghost"},
	{args: "message send dev-1 --hex 0", code: 2, err: "--hex"},
	{args: "message list dev-1", out: "policy"},
	{args: "message list dev-1 -o json", out: `"queued"`},
	{args: "message list ghost", code: 1, err: "ghost"},
	{args: "message list", code: 2, err: "<device>"},

	{args: "frame decode $FRAME", out: "battery"},
	{args: "frame decode - -o json", stdin: "$FRAME", out: `"battery"`},
	{args: "frame decode $BARE --device dev-1", out: "battery"},
	{args: "frame decode $FRAME --device ghost", code: 1, err: "ghost"},
	{args: "frame decode $BARE", code: 1, err: "name the device"},
	{args: "frame decode ffff", code: 1, err: "godwit:"},
	{args: "frame decode xyz", code: 2, err: "hex"},
	{args: "frame inspect $FRAME --number 1 --fleet-key $KEY", out: "battery"},
	{args: "frame inspect $FRAME -o json", out: `"parts"`},
	{args: "frame inspect $BARE --number 2 --fleet-key $KEY", code: 1, err: "would be refused: byte 15: tag: does not verify"},
	{args: "frame decode $FRAME --prices", out: "on rockblock"},
	{args: "frame inspect $FRAME --prices", out: "on cellular-session"},
	{args: "frame inspect $FRAME --prices -o json", out: `"currency": "GBP"`},
	{args: "frame inspect xyz", code: 2, err: "hex"},
	{args: "frame explain $FRAME --number 1 --fleet-key $KEY", out: "battery"},
	{args: "frame explain $FRAME -o json", out: `"parts"`},
	{args: "frame explain ffff", code: 1, err: "would be refused"},
	{args: "frame explain", code: 2, err: "<hex>"},
	{args: "frame encode --number 1 --fleet-key $KEY --counter 6 battery=12.6", out: "8201"},
	{args: "frame encode --number 1 --fleet-key $KEY --counter 6 --hello 2.4.0 -o json", out: `"frame"`},
	{args: "frame encode --number 1 --fleet-key $KEY --counter 6 --product-file $DIR/bad.toml", code: 1, err: "bad.toml"},
	{args: "frame encode --counter 6 battery=12.6", code: 2, err: "--number"},

	{args: "template show buoy-demo", out: "wind_speed"},
	{args: "template show $DRAFT -o json", out: `"hash"`},
	{args: "template show $DIR/bad.toml", code: 1, err: "bad.toml"},
	{args: "template show ghost", code: 2, err: "ghost"},
	{args: "template hash buoy-demo truck-demo", out: "truck-demo"},
	{args: "template hash $DRAFT -o json", out: `"hash"`},
	{args: "template hash $DIR/bad.toml", code: 1, err: "bad.toml"},
	{args: "template hash ghost", code: 2, err: "ghost"},
	{args: "template lint $DRAFT", out: "no model"},
	{args: "template lint $DRAFT -o json", out: `"remark"`},
	{args: "template lint $DRAFT $DIR/bad.toml", code: 1, err: "bad.toml"},
	{args: "template lint ghost", code: 2, err: "ghost"},
	{args: "template diff buoy-demo buoy-demo"},
	{args: "template diff $DRAFT $DRAFT -o json", out: "[]"},
	{args: "template diff buoy-demo truck-demo", code: 1, out: "field[", err: "differ"},
	{args: "template diff buoy-demo truck-demo -o json", code: 1, out: "field[", err: "differ"},
	{args: "template diff buoy-demo ghost", code: 2, err: "ghost"},
	{args: "template c buoy-demo", out: "struct godwit_template buoy_demo_template"},
	{args: "template c $DRAFT -o json", out: `"hash"`},
	{args: "template c $DIR/bad.toml", code: 1, err: "bad.toml"},
	{args: "template c buoy-demo --name 9", code: 2, err: "--name"},
	{args: "template train $DATA --product $DRAFT --out $DIR/trained.toml", out: "godwit"},
	{args: "template train $DATA --product $DRAFT -o json", out: `"bytes_per_status"`},
	{args: "template train $CSV --product $DRAFT", code: 2, err: "no column"},
	{args: "template train $TRACES/bad.csv --product $DRAFT", code: 1, err: "bad.csv"},
	{args: "template train $DATA --product $DRAFT --train 0%", code: 2, err: "--train"},
	{args: "template train $DATA", code: 2, err: "--product"},

	{args: "release keygen $DIR/releases.key", out: "EdDSA"},
	{args: "release keygen $DIR/chip.key --algorithm es256 -o json", out: `"ES256"`},
	{args: "release keygen $DIR/releases.key", code: 1, err: "exists"},
	{args: "release keygen $DIR/rsa.key --algorithm rsa", code: 2, err: "--algorithm"},
	{args: "release sign $DIR/release.toml --key $DIR/releases.key --out $DIR/release.cose", out: "sequence 20"},
	{args: "release sign $DIR/release.toml --key $DIR/chip.key -o json", out: `"manifest": "0oRN`},
	{args: "release sign $DIR/release.toml --key $DIR/releases.key --out $DIR/release.cose", code: 1, err: "exists"},
	{args: "release sign $DIR/bad.toml --key $DIR/releases.key", code: 1, err: "bad.toml"},
	{args: "release sign $DIR/release.toml", code: 2, err: "--key"},
	{args: "release verify $DIR/release.cose --key $DIR/chip.key.pub --key $DIR/releases.key.pub --image $DATA", out: "good"},
	{args: "release verify $DIR/release.cose --key $DIR/releases.key.pub -o json", out: `"verified": true`},
	{args: "release verify $DIR/release.cose --key $DIR/releases.key.pub --image $CSV", code: 1, err: "not the image"},
	{args: "release verify $DIR/release.cose --key $DIR/chip.key.pub", code: 1, err: "no known key"},
	{args: "release verify $DIR/release.cose", code: 1, err: "no known key"}, // the configuration has another signer
	{args: "release verify $MANIFEST", out: "good"},
	{args: "release verify", code: 2, err: "<manifest>"},
	{args: "release inspect $DIR/release.cose", out: "not verified"},
	{args: "release inspect $DIR/release.cose -o json", out: `"manifest_sha256"`},
	{args: "release inspect $CSV", code: 1, err: "fleet.csv"},
	{args: "release inspect", code: 2, err: "<manifest>"},

	{args: "tariff price --tariff rockblock --bytes 51", out: "0.22 GBP"},
	{args: "tariff price --tariff cellular-session --bytes 1 --open 24h -o json", out: `"billed_bytes": 4000`},
	{args: "tariff price --link udp --bytes 8 --count 3 --direction mt --at 2026-11-29 --set link.udp.tariff=ntn", out: "0.135 USD"},
	{args: "tariff price --link udp --bytes 8 --set link.udp.tariff=", code: 1, err: "link.udp.tariff"},
	{args: "tariff price --link ghost --bytes 8", code: 1, err: "ghost"},
	{args: "tariff price --tariff ghost --bytes 8", code: 1, err: "ghost"},
	{args: "tariff price --tariff sms", code: 2, err: "--bytes"},
	{args: "tariff price --bytes 8", code: 2, err: "--tariff"},
	{args: "tariff price --tariff sms --bytes -8", code: 2, err: "--bytes"},
	{args: "tariff price --tariff sms --bytes 8 --at soon", code: 2, err: "--at"},
	{args: "tariff price --tariff sms --bytes 8 --direction up", code: 2, err: "--direction"},
	{args: "tariff list", out: "check with your provider"},
	{args: "tariff list -o json --set link.udp.tariff=sms", out: `"udp"`},
	{args: "tariff list --set link.udp.tariff=ghost", code: 1, err: "link.udp.tariff"},
	{args: "tariff list all", code: 2, err: "unexpected argument all"},
	{args: "tariff show idp", out: "7.50 per kB"},
	{args: "tariff show idp --at 2026-01-01 -o json", out: `"increment": 10`},
	{args: "tariff show ghost", code: 1, err: "ghost"},
	{args: "tariff show", code: 2, err: "<name>"},

	{args: "schedule explain dev-1", out: "runs"},
	{args: "schedule explain 1 -o json", out: `"sentence"`},
	{args: "schedule explain ghost", code: 1, err: "ghost"},
	{args: "schedule explain", code: 2, err: "<device>"},
	{args: "schedule plan", out: "money for contacts"},
	{args: "schedule plan", out: " of 300000 bytes used, until "},
	{args: "schedule plan --what-if --budget 1.00 -o json", out: `"would"`},
	{args: "schedule plan --what-if --law fixed --interval 6h --tail 2", out: "WOULD BE"},
	{args: "schedule plan --what-if --tariff udp=ghost", code: 1, err: "ghost"},
	{args: "schedule plan --what-if --interval 6h", code: 1, err: "is of no use to the law price"},
	{args: "schedule plan --what-if --longest 2d --shortest 1h", out: "WOULD BE"},
	{args: "schedule plan --what-if --longest 1h --shortest 2h", code: 1, err: "limits 7200 and 3600 s"},
	{args: "schedule plan --what-if --policy ghost --longest 2d", code: 1, err: "no policy"},
	{args: "schedule plan --what-if --policy ghost", code: 2, err: "--policy"},
	{args: "schedule plan --budget 1.00", code: 2, err: "--what-if"},
	{args: "schedule plan --what-if --budget lots", code: 2, err: "--budget"},
	{args: "schedule attend dev-1 --for 36h", out: "counts 5 times as much until "},
	{args: "schedule attend dev-1 --factor 20 -o json", out: `"sentence"`},
	{args: "schedule attend ghost", code: 1, err: "ghost"},
	{args: "schedule attend dev-1 --for soon", code: 2, err: "--for"},
	{args: "schedule silent", out: "EVIDENCE"},
	{args: "schedule silent --class dead -o json", out: "[]"},
	{args: "schedule silent --api unix:$DIR/none.sock --token-file $TOKEN", code: 1, err: "is it running?"},
	{args: "schedule silent --limit -1", code: 2, err: "--limit"},

	{args: "spend show", out: "PRICE"},
	{args: "spend show --by pool,cause", out: " of 300000 bytes used, until "},
	{args: "spend show --by cause,direction -o json", out: `"totals"`},
	{args: "spend show --devices", out: "dev-1"},
	{args: "spend show --api unix:$DIR/none.sock --token-file $TOKEN", code: 1, err: "is it running?"},
	{args: "spend show --month soon", code: 2, err: "month"},
	{args: "spend show --customer nobody --link udp", out: "is not known yet", err: "nothing is booked of customer nobody and link udp in "},
	{args: "spend show --link nope", err: "no link of that name is configured"},
	{args: "spend show --cause fee", out: "PRICE"},
	{args: "spend show --devices --link udp", out: "dev-1"},
	{args: "spend show --devices --product nope", err: "nothing is booked of product nope"},
	{args: "spend show --devices --pool p", code: 2, err: "--pool, --campaign and --cause do not go with --devices"},
	{args: "spend budgets", out: "SPENT_AT"},
	{args: "spend budgets -o json", out: "[]"},
	{args: "spend budgets --api unix:$DIR/none.sock --token-file $TOKEN", code: 1, err: "is it running?"},
	{args: "spend budgets all", code: 2, err: "unexpected argument all"},
	{args: "spend runaway", out: "MEDIAN"},
	{args: "spend runaway -o json", out: "[]"},
	{args: "spend runaway --api unix:$DIR/none.sock --token-file $TOKEN", code: 1, err: "is it running?"},
	{args: "spend runaway all", code: 2, err: "unexpected argument all"},
	{args: "spend reconcile - --link udp --month 2020-01", stdin: "device,time\n", out: "theirs"},
	{args: "spend reconcile $RECORDS --link udp --month 2020-01 --time at --comma ; --layout unix -o json", out: `"outside": 1`},
	{args: "spend reconcile $RECORDS --link udp --month 2024-02 --time at --comma ; --layout unix --bytes kb --unit 1000", code: 1, out: "missing here", err: "1 differences"},
	{args: "spend reconcile $RECORDS --link udp --month 2020-01", code: 1, err: "no column"},
	{args: "spend reconcile $DIR/none.csv --link udp --month 2020-01", code: 1, err: "none.csv"},
	{args: "spend reconcile $RECORDS --link udp --month soon", code: 2, err: "--month"},
	{args: "spend reconcile $RECORDS --link udp --month 2020-01 --tolerance soon", code: 2, err: "--tolerance"},
	{args: "spend close 2020-01", out: "2020-01 is closed"},
	{args: "spend close 2020-02 -o json", out: `"closed": true`},
	{args: "spend close 2020-01", code: 1, err: "closed already"},
	{args: "spend close soon", code: 2, err: "month"},

	{args: "event tail --from 1 --max 1", out: "io.godwit."},
	{args: "event tail --since 1h --max 2 --subject godwit.v1.gw1.event.> -o json", out: `"specversion"`},
	{args: "event tail --api unix:$DIR/none.sock --token-file $TOKEN", code: 1, err: "is it running?"},
	{args: "event tail --since yesterday", code: 2, err: "yesterday"},
	{args: "quarantine list", out: "REASON"},
	{args: "quarantine list --link udp --limit 1 -o json", out: `"reason"`},
	{args: "quarantine list --link ghost", code: 1, err: "ghost"},
	{args: "quarantine list --limit 0", code: 2, err: "--limit"},
	{args: "link list", out: "udp"},
	{args: "link list -o json", out: `"received"`},
	{args: "link list --api unix:$DIR/none.sock --token-file $TOKEN", code: 1, err: "is it running?"},
	{args: "link list ghost", code: 2, err: "unexpected argument ghost"},

	{args: "token create grafana --role viewer --ttl 1d", out: "godwit_"},
	{args: "token create operator -o json", out: `"token"`},
	{args: "token create grafana", code: 1, err: "grafana"},
	{args: "token create grafana --role king", code: 2, err: "--role"},
	{args: "token list", out: "grafana"},
	{args: "token list -o json", out: `"grafana"`},
	{args: "token list --api unix:$DIR/none.sock --token-file $TOKEN", code: 1, err: "is it running?"},
	{args: "token list all", code: 2, err: "unexpected argument all"},
	{args: "token revoke grafana", out: "grafana is revoked"},
	{args: "token revoke operator -o json", out: `"revoked"`},
	{args: "token revoke grafana", code: 1, err: "grafana"},
	{args: "token revoke", code: 2, err: "<name>"},

	{args: "release add $MANIFEST --url https://updates.example/2.6.0.cose", out: "signed by"},
	{args: "release add $DIR/2.7.0.cose --url https://updates.example/2.7.0.cose -o json", out: `"signer": "releases"`},
	{args: "release add $MANIFEST --url https://updates.example/2.6.0.cose", code: 1, err: "exists already"},
	{args: "release add $DIR/stranger.cose --url https://updates.example/9.cose", code: 1, err: "no known key signed this"},
	{args: "release add $MANIFEST", code: 2, err: "--url"},
	{args: "release add $MANIFEST --url here", code: 2, err: "--url"},
	{args: "release list", out: "2.6.0"},
	{args: "release list --product ghost -o json", out: "[]"},
	{args: "release list -o csv", out: "product,version,sequence"},
	{args: "release list --api unix:$DIR/none.sock --token-file $TOKEN", code: 1, err: "is it running?"},
	{args: "release list all", code: 2, err: "unexpected argument all"},
	{args: "release show buoy-demo 2.6.0", out: "https://updates.example/2.6.0.cose"},
	{args: "release show buoy-demo 2.6.0 -o json", out: `"sequence": 26`},
	{args: "release show buoy-demo 9.9", code: 1, err: "9.9"},
	{args: "release show buoy-demo", code: 2, err: "<version>"},

	{args: "rollout plan buoy-demo 2.6.0 --wave 50%,2h,0.5 --wave 100%,proof --hold-out 5%", out: "wave 2"},
	{args: "rollout plan buoy-demo 2.6.0 --device dev-1", out: "1 device, 1 with those before"},
	{args: "rollout plan buoy-demo 2.6.0 --device dev-1 -o json", out: `"waves"`},
	{args: "rollout plan buoy-demo 9.9", code: 1, err: "9.9"},
	{args: "rollout plan buoy-demo 2.6.0 --wave 200%", code: 2, err: "--wave"},
	{args: "rollout plan buoy-demo 2.6.0 --wave 4%", code: 2, err: "100%"},
	{args: "rollout plan buoy-demo 2.6.0 --window 25-30", code: 2, err: "--window"},
	{args: "rollout create buoy-demo 2.6.0 --device dev-1 --device dev-2 --wave 50% --wave 100%,by-hand --remark spring", out: "draft"},
	{args: "rollout create buoy-demo 2.6.0 --device dev-2 --wave 50% --wave 100%,by-hand --window mon,tue:22-06 --safe -o json", out: `"id": 2`},
	{args: "rollout create buoy-demo 2.7.0 --device dev-2 --consent", out: "draft"},
	{args: "rollout create buoy-demo 2.7.0 --device dev-2", out: "draft"},
	{args: "rollout create buoy-demo 2.7.0 --link ghost", code: 1, err: "ghost"},
	{args: "rollout create buoy-demo 2.7.0 --soak 0", code: 2, err: "--soak"},
	{args: "rollout submit 1 --remark tested", out: "submitted"},
	{args: "rollout submit 2 -o json", out: `"submitted"`},
	{args: "rollout submit 3", out: "submitted"},
	{args: "rollout submit 4", out: "submitted"},
	{args: "rollout submit 99", code: 1, err: "rollout 99"},
	{args: "rollout submit", code: 2, err: "<rollout>"},
	{args: "rollout approve 1 --remark mine", code: 1, err: "nobody approves what the same token created"},
	{args: "rollout approve 1 --remark fine --token-file $SECOND", out: "approved"},
	{args: "rollout approve 2 --remark fine --token-file $SECOND -o json", out: `"approver": "second"`},
	{args: "rollout approve 3 --token-file $SECOND", code: 2, err: "--remark"},
	{args: "rollout deny 3 --remark no --token-file $SECOND", out: "denied"},
	{args: "rollout deny 4 --remark no --token-file $SECOND -o json", out: `"denied"`},
	{args: "rollout deny 4 --remark no --token-file $SECOND", code: 1, err: "denied"},
	{args: "rollout deny 4", code: 2, err: "--remark"},
	{args: "rollout start 1", out: "running"},
	{args: "rollout start 2 -o json", out: `"running"`},
	{args: "rollout start 4", code: 1, err: "denied"},
	{args: "rollout start", code: 2, err: "<rollout>"},
	{args: "rollout pause 1 --remark storm", out: "paused"},
	{args: "rollout pause 2 -o json", out: `"paused"`},
	{args: "rollout pause 4", code: 1, err: "denied"},
	{args: "rollout pause now", code: 2, err: "<rollout>"},
	{args: "rollout resume 1", out: "running"},
	{args: "rollout resume 2 -o json", out: `"running"`},
	{args: "rollout resume 2", code: 1, err: "running"},
	{args: "rollout resume", code: 2, err: "<rollout>"},
	{args: "rollout advance 1 --remark now --token-file $SECOND", out: "running"},
	{args: "rollout advance 2 --remark now --token-file $SECOND -o json", out: `"running"`},
	{args: "rollout advance 4 --remark now --token-file $SECOND", code: 1, err: "denied"},
	{args: "rollout advance 1", code: 2, err: "--remark"},
	{args: "rollout halt 1 --remark calls", out: "halted"},
	{args: "rollout halt 2 --remark calls -o json", out: `"halted"`},
	{args: "rollout halt 4 --remark calls", code: 1, err: "denied"},
	{args: "rollout halt 1", code: 2, err: "--remark"},
	{args: "rollout override 1 --remark mistake --token-file $SECOND", out: "running"},
	{args: "rollout override 2 --remark mistake --token-file $SECOND -o json", out: `"running"`},
	{args: "rollout override 1 --remark mistake", code: 1, err: "same token"},
	{args: "rollout override 1", code: 2, err: "--remark"},
	{args: "rollout retry 99", code: 1, err: "99"},
	{args: "rollout retry", code: 2, err: "<rollout>"},
	{args: "rollout list", out: "buoy-demo 2.6.0"},
	{args: "rollout list --state denied -o json", out: `"id": 4`},
	{args: "rollout list --api unix:$DIR/none.sock --token-file $TOKEN", code: 1, err: "is it running?"},
	{args: "rollout list --state asleep", code: 2, err: "--state"},
	{args: "rollout show 1", out: "wave 2"},
	{args: "rollout show 1 -o json", out: `"gates"`},
	{args: "rollout show 99", code: 1, err: "99"},
	{args: "rollout show", code: 2, err: "<rollout>"},
	{args: "rollout watch 1 --since 1h --max 2", out: "submitted"},
	{args: "rollout watch 1 --since 1h --max 1 -o json", out: "io.godwit.rollout.created"},
	{args: "rollout watch 4", code: 1, out: "denied", err: "without being completed"},
	{args: "rollout watch 1 --max -1", code: 2, err: "--max"},
	{args: "rollout report 1", out: "silences"},
	{args: "rollout report 1 -o json", out: `"calls"`},
	{args: "rollout report 99", code: 1, err: "99"},
	{args: "rollout report", code: 2, err: "<rollout>"},
	{args: "rollout funnel 1", out: "REACHED"},
	{args: "rollout funnel 1 -o json", out: `"offered"`},
	{args: "rollout funnel 99", code: 1, err: "99"},
	{args: "rollout funnel", code: 2, err: "<rollout>"},
	{args: "rollout adoption 1 --step 1h", out: "ATTEMPTED"},
	{args: "rollout adoption 1 --as-of 2030-01-01T00:00:00Z -o json", out: "["},
	{args: "rollout adoption 99", code: 1, err: "99"},
	{args: "rollout adoption 1 --as-of soon", code: 2, err: "--as-of"},
	{args: "rollout adoption 1 --step 1s", code: 2, err: "--step"},
	{args: "rollout devices 1 --customer acme", out: "dev-1"},
	{args: "rollout devices 1 --standing failed --behind --silent -o json", out: "[]"},
	{args: "rollout devices 1 --standing asleep", code: 1, err: `standing "asleep": unknown, want one of held_out, waiting`},
	{args: "rollout devices 1 --limit -1", code: 2, err: "--limit"},
	{args: "device show dev-1", out: "rollout 1"},
	{args: "device list --behind 2.6.0 --product buoy-demo", out: "dev-1"},
	{args: "device list --silent -o json", out: "[]"},
	{args: "rollout stop 1 --remark over", out: "stopped"},
	{args: "rollout stop 2 -o json", out: `"stopped"`},
	{args: "rollout stop 1", code: 1, err: "stopped"},
	{args: "rollout stop", code: 2, err: "<rollout>"},
	{args: "release withdraw buoy-demo 2.6.0 --remark late", out: "withdrawn"},
	{args: "release withdraw buoy-demo 2.7.0 --remark late -o json", out: `"why": "late"`},
	{args: "release withdraw buoy-demo 9.9 --remark late", code: 1, err: "9.9"},
	{args: "release withdraw buoy-demo 2.7.0", code: 2, err: "--remark"},

	{args: "audit list", out: "token.revoke"},
	{args: "audit list --after 1 --limit 2 -o json", out: `"previous"`},
	{args: "audit list --api unix:$DIR/none.sock --token-file $TOKEN", code: 1, err: "is it running?"},
	{args: "audit list --limit -1", code: 2, err: "--limit"},
	{args: "audit verify", out: "the chain is sound"},
	{args: "audit verify -o json", out: `"sound": true`},
	{args: "audit verify --head 1:0000000000000000000000000000000000000000000000000000000000000000", code: 1, out: "not the one that was seen before"},
	{args: "audit verify --offline", code: 1, err: "another process"},
	{args: "audit verify --head 1:00", code: 2, err: "--head"},

	{args: "store check", code: 1, err: "another process"},
	{args: "store backup $DIR/backup", out: "godwit store check --backup"},
	{args: "store backup $DIR/backup2 -o json", out: `"live": true`},
	{args: "store backup $DIR/backup", code: 1, err: "not empty"},
	{args: "store backup", code: 2, err: "<dir>"},
	{args: "store check --backup $DIR/backup", out: "no fault found"},
	{args: "audit verify --backup $DIR/backup", out: "the chain is sound"},
	{args: "store check --backup $DIR", code: 1, err: "not finished"},
	{args: "store restore $DIR/backup", code: 1, err: "not empty"},
	{args: "store restore $DIR/nowhere", code: 2, err: "nowhere"},
	{args: "store restored", code: 1, err: "another process"},
	{args: "store accept-loss --yes", code: 1, err: "another process"},
	{args: "store rewrap --kek-file $DIR/kek2", code: 1, err: "another process"},

	{args: "bench gateway --dir $DIR --devices 10 --frames 100 --fleet 100 --acks 3", out: "frames"},
	{args: "bench gateway --dir $DIR --devices 10 --frames 100 --fleet 100 --acks 3 -o json", out: "ingest"},
	{args: "bench gateway --dir $DIR/none", code: 2, err: "--dir"},
	{args: "bench gateway --dir /proc", code: 1, err: "/proc"},
	{args: "bench gateway --devices 0", code: 2, err: "--devices"},
	{args: "bench size --data $DIR --devices 1000", out: "tank"},
	{args: "bench size --data $DIR --devices 1000 -o json", out: "tank"},
	{args: "bench size --data $DIR --traces $TRACES --devices 1000", code: 1, err: "bad.csv"},
	{args: "bench size --data $DIR --devices 0", code: 2, err: "--devices"},

	{args: "version", out: "godwit"},
	{args: "version -o json", out: `"version"`},
	{args: "version 2", code: 2, err: "unexpected argument 2"},
}

// stopped are calls after the gateway has ended.
var stopped = []row{
	{args: "store check", out: "no fault found"},
	{args: "store check -o json", out: `"problems_found": 0`},
	{args: "store backup $DIR/backup3", out: "files"},
	{args: "store restore $DIR/backup --set gateway.state_dir=$DIR/restored --set store.kek_file=$DIR/state/kek", out: "start the gateway"},
	{args: "store restore $DIR/backup3 --set gateway.state_dir=$DIR/restored2 --set store.kek_file=$DIR/state/kek -o json", out: `"stream": false`},
	{args: "store check all", code: 2, err: "unexpected argument all"},
	{args: "store restored", out: "backup"},
	{args: "store restored -o json", out: `"restored": true`},
	{args: "store restored now", code: 2, err: "unexpected argument now"},
	{args: "store accept-loss --yes", out: "register"},
	{args: "store accept-loss --yes -o json", out: `"accepted": true`},
	{args: "store accept-loss", code: 2, err: "--yes"},
	{args: "store rewrap --kek-file $DIR/kek2", out: "keys wrapped anew"},
	{args: "store rewrap --kek-file $DIR/kek2 --set store.kek_file=$DIR/kek2 -o json", out: `"rewrapped": 0`},
	{args: "store rewrap", code: 2, err: "--kek-file"},
	{args: "store check", code: 1, out: "problem", err: "not as it should be"}, // the configuration still names the old key
}

// TestCommands walks every command of godwit against a gateway: what it is for, JSON, wrong use, failure.
func TestCommands(t *testing.T) {
	t.Parallel()
	commands := leaves(t, "godwit")
	covered(t, commands, append(append([]row{}, running...), stopped...), map[string]string{
		"run good":             "the gateway itself is that",
		"run json":             "it prints a log",
		"config default fails": "it needs nothing",
		"version fails":        "it needs nothing",
		"rollout retry good":   "that takes a device that did not take an update: TestUpdate does it",
		"rollout retry json":   "likewise",
	})
	s := newSite(t)
	w := commandFiles(t, s)
	p := s.gateway(t)
	w["$TOKEN"] = filepath.Join(s.dir, "state", "api.token")
	w["$SECOND"] = s.token(t, "second", "approver")
	introduce(t, s)
	w["$FRAME"] = encoded(t, w, "--counter 5 battery=12.6")
	w["$BARE"] = encoded(t, w, "--counter 5 battery=12.6 --bare")
	check := func(rows []row) {
		for _, r := range rows {
			if raceEnabled && r.code == 0 && strings.HasPrefix(r.args, "bench ") {
				continue // with the race detector a measurement takes minutes and says nothing
			}
			r.stdin = word.ReplaceAllStringFunc(r.stdin, func(name string) string { return w[name] })
			r.check(t, "godwit", w, "--config", s.config)
		}
	}
	check(running)
	if err := p.stop(t); err != nil {
		t.Errorf("the gateway ended with %v\n%s", err, p.out)
	}
	check(stopped)
}

// token makes a token and keeps it in a file.
func (s *site) token(t *testing.T, name, role string) string {
	t.Helper()
	got := call(t, "godwit", "", "token", "create", name, "--role", role, "-o", "json", "--config", s.config)
	var made struct{ Token string }
	if err := json.Unmarshal([]byte(got.out), &made); err != nil || got.code != 0 {
		t.Fatalf("token: exit code %d, %v\n%s", got.code, err, got.errout)
	}
	path := filepath.Join(s.dir, name+".token")
	if err := os.WriteFile(path, []byte(made.Token), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// signer makes a key that signs releases, and names it in the configuration.
func (s *site) signer(t *testing.T) manifest.SigningKey {
	t.Helper()
	key, err := manifest.GenerateKey(rand.Reader, manifest.EdDSA)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(s.dir, "signer.pub")
	if err := os.WriteFile(path, key.Public().PEM(), 0o600); err != nil {
		t.Fatal(err)
	}
	s.add(t, "[[signer]]\nid = \"releases\"\nfile = %q\n", path)
	return key
}

// signed writes a manifest of a version of buoy-demo, and returns its path.
func (s *site) signed(t *testing.T, key manifest.SigningKey, file, version string, sequence uint32) string {
	t.Helper()
	b, err := manifest.Sign(&manifest.Manifest{
		Product: "buoy-demo", Version: version, Sequence: sequence, Size: 1000, URL: "https://updates.example/" + version + ".bin",
	}, key)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(s.dir, file)
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// commandFiles writes what the rows name.
func commandFiles(t *testing.T, s *site) words {
	t.Helper()
	w := words{
		"$DIR": s.dir, "$KEY": filepath.Join(s.dir, "fleet.key"), "$CSV": filepath.Join(s.dir, "fleet.csv"), "$DRAFT": filepath.Join(s.dir, "draft.toml"),
		"$DATA": filepath.Join(s.dir, "data.csv"), "$TRACES": filepath.Join(s.dir, "traces"),
		"$RECORDS": filepath.Join(s.dir, "records.csv"),
	}
	var data strings.Builder
	data.WriteString("time,level\n")
	for i := range 60 {
		fmt.Fprintf(&data, "%d,%.1f\n", 1_700_000_000+3600*i, 5+float64(i%7)/10)
	}
	if err := os.Mkdir(w["$TRACES"], 0o700); err != nil {
		t.Fatal(err)
	}
	own := strings.Repeat("1f", 32)
	for path, text := range map[string]string{
		w["$CSV"]:                              "number,name,product,customer,key,msisdn\n700001,tank-1,buoy-demo,acme," + own + ",+491700000001\n4900,tank-2,buoy-demo,acme,fleet:test,\n",
		w["$DATA"]:                             data.String(),
		w["$RECORDS"]:                          "device;at;kb\ndev-1;1707000000;3\n",
		w["$DRAFT"]:                            "name = \"tank\"\ntime_unit = \"seconds\"\n[[field]]\nid = 1\nname = \"level\"\nunit = \"m\"\nscale = \"0.1\"\nbits = 7\n",
		filepath.Join(s.dir, "release.toml"):   "product = \"buoy-demo\"\nversion = \"2.5.0\"\nsequence = 25\nminimum = 20\nimage = \"data.csv\"\nurl = \"https://updates.example/2.5.0.bin\"\n",
		filepath.Join(s.dir, "bad.toml"):       "name = \"bad\"\n[[field]]\nid = 900\n",
		filepath.Join(w["$TRACES"], "bad.csv"): "nothing\n",
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	key := s.signer(t)
	w["$MANIFEST"] = s.signed(t, key, "2.6.0.cose", "2.6.0", 26)
	s.signed(t, key, "2.7.0.cose", "2.7.0", 27)
	stranger, err := manifest.GenerateKey(rand.Reader, manifest.ES256)
	if err != nil {
		t.Fatal(err)
	}
	s.signed(t, stranger, "stranger.cose", "9.0.0", 90)
	s.edit(t, func(text string) string {
		text = strings.Replace(text, `kind = "udp"`, "kind = \"udp\"\ntariff = \"air\"", 1) + `
[[tariff]]
name = "air"
as_of = "2026-11-29"
currency = "USD"
[[tariff.term]]
unit = "byte"
min = 50
price = "0.0009"
[tariff.term.allowance]
amount = 100000
pooled = true
each = true

[[pool]]
name = "air"
members = 3
reserve = 0.2
`
		return strings.Replace(text, "1-100000", "1-4999", 1) + fmt.Sprintf(`
[[fleet_key]]
id = "pending"
file = %q
numbers = "5001-5010"
product = "buoy-demo"
customer = "acme"
name = "dev-{number}"
ctr_bits = 16
tag = 8
register = "pending"
`, w["$KEY"])
	})
	return w
}

// introduce lets devices register, and others wait for approval; and a stranger leaves something that nobody understands.
func introduce(t *testing.T, s *site) {
	t.Helper()
	for _, number := range []uint32{1, 2, 5001, 5002, 5003, 5004} {
		d := newDevice(t, number, s.udp, 1)
		counter, hello := d.frame(t)
		if number == 1 {
			hello = append(hello, codec.AppendAddressed(nil, 77, []byte{0x4c, 0xc0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11})...)
		}
		buf := make([]byte, 2048)
		until(t, 30*time.Second, "the gateway to know the device", func() bool {
			if _, err := d.conn.Write(hello); err != nil {
				return false
			}
			if d.awaitAck(buf, counter) {
				return true
			}
			return number > 5000 && call(t, "godwit", "", "device", "show", fmt.Sprint(number), "--config", s.config).code == 0
		})
	}
}

// encoded makes a frame of device 1.
func encoded(t *testing.T, w words, args string) string {
	t.Helper()
	got := call(t, "godwit", "", append(w.split(t, "frame encode --number 1 --fleet-key $KEY -o json"), strings.Fields(args)...)...)
	var made struct{ Frame string }
	if err := json.Unmarshal([]byte(got.out), &made); err != nil || made.Frame == "" {
		t.Fatalf("%v: %s%s", err, got.out, got.errout)
	}
	return made.Frame
}

// simulator are calls of godwit-sim.
var simulator = []row{
	{args: "demo --for 1s --devices 6 --interval 300ms --sms-interval 1s", out: "lost"},
	{args: "demo --for 1s --devices 6 --interval 300ms --sms-interval 1s -o json", out: `"lost":0`},
	{args: "demo --for 1s --state $KEY/none", code: 1, err: "godwit-sim:"},
	{args: "demo --devices 100000", code: 2, err: "100000 devices"},
	{args: "demo --for -1s", code: 2, err: "--for"},
	{args: "serve --udp 127.0.0.1:9 --fleet-key $KEY --state $KEY/none", code: 1, err: "state folder"},
	{args: "serve --udp 127.0.0.1:9 --fleet-key $KEY --state $DIR/devices --product ghost", code: 2, err: "ghost"},
	{args: "serve --fleet-key $KEY --state $DIR/devices", code: 2, err: "nothing to serve"},
	{args: "serve --udp nowhere --fleet-key $KEY --state $DIR/devices", code: 2, err: "nowhere"},
	{args: "serve --udp 127.0.0.1:9 --fleet-key $KEY --state $DIR/devices --trust $CSV", code: 2, err: "fleet.csv"},
	{args: "serve --udp 127.0.0.1:9 --fleet-key $CSV --state $DIR/devices", code: 2, err: "64 hexadecimal digits"},
	{args: "data --devices 1 --statuses 3", out: "time,battery,"},
	{args: "data --statuses 0", code: 2, err: "0 statuses"},
	{args: "data --product ghost", code: 2, err: "ghost"},
	{args: "run disk-lost --devices-scale 0.02 --length 2d --html $DIR/page.html --json $DIR/report.json", out: "Every invariant held"},
	{args: "run replay --devices-scale 0.01 --length 1d --seed 7 -o json", out: `"verdict":"held"`},
	{args: "run --list", out: "vehicles"},
	{args: "run --show tanks", out: "[[group]]"},
	{args: "run --keys", out: "[link.radio]"},
	{args: "run --kinds", out: "disk-lost"},
	{args: "run $KEY", code: 1, err: ":1:"},
	{args: "run vehicles --html $KEY/none", code: 1, err: "report:"},
	{args: "run ghost", code: 2, err: "built in are"},
	{args: "run", code: 2, err: "want a scenario"},
	{args: "run vehicles --length 3", code: 2, err: "--length"},
	{args: "run vehicles --devices-scale 0", code: 2, err: "0 times as many devices"},
	{args: "seeds --count 1 --once", out: "worlds 1, failed 0"},
	{args: "seeds --count 1 --once -o json", out: `"failed":[]`},
	{args: "seeds --only $KEY", code: 1, err: "line 1"},
	{args: "seeds --for -1s", code: 2, err: "--for"},
	{args: "seeds --count 1 --once --without storms", code: 2, err: "want one of"},
	{args: "bench world --devices 20 --days 2 --rounds 1 --year 3", out: "of the gateway alone"},
	{args: "bench world --devices 20 --days 2 --rounds 1 --year 0 -o json", out: `"virtual_ratio":`},
	{args: "bench world --rounds 0", code: 2, err: "--rounds 0"},
	{args: "bench schedule --devices 100 --million 1000", out: `"decide_allocs":0,`},
	{args: "bench schedule --devices 100 --million 0 -o json", out: `"of_monthly":`},
	{args: "bench schedule --devices 1", code: 2, err: "--devices 1"},
	{args: "bench rollout --devices 400 --runs 5 --speed 1000", out: `{"good_runs":5,"false_halts":0,`},
	{args: "bench rollout --devices 400 --runs 5 --speed 0 --burst 10,60 -o json", out: `"mean_evidence":`},
	{args: "bench rollout --burst 60,10", code: 2, err: "--burst"},
	{args: "bench satellite --messages 20 --rounds 1 --webhooks 0", out: "into synced events"},
	{args: "bench satellite --messages 20 --rounds 1 --webhooks 40 -o json", out: `"webhook_p99_ms":`},
	{args: "bench satellite --dir /proc", code: 1, err: "/proc"},
	{args: "bench satellite --rounds 0", code: 2, err: "--rounds 0"},
	{args: "faults --list", out: "36. "},
	{args: "faults 20 --list -o json", out: `"number":20`},
	{args: "faults 32 -o json", out: `"passed":1`},
	{args: "faults 20 --source $DIR", code: 1, err: "source tree"},
	{args: "faults 37", code: 2, err: "no row 37"},
	{args: "version", out: "godwit-sim"},
	{args: "version -o json", out: `"version"`},
	{args: "version 2", code: 2, err: "unexpected argument 2"},
}

// TestSimulatorCommands walks every command of godwit-sim.
func TestSimulatorCommands(t *testing.T) {
	t.Parallel()
	commands := leaves(t, "godwit-sim")
	covered(t, commands, simulator, map[string]string{
		"serve good":           "below: it runs until it is stopped",
		"serve json":           "it prints nothing but how things go",
		"data json":            "it prints CSV",
		"data fails":           "it needs nothing",
		"version fails":        "it needs nothing",
		"bench world fails":    "it needs nothing",
		"bench schedule fails": "it needs nothing",
		"bench rollout fails":  "it needs nothing",
	})
	s := newSite(t)
	w := commandFiles(t, s)
	for _, r := range simulator {
		r.check(t, "godwit-sim", w)
	}
	gateway := s.gateway(t)
	p := start(t, "godwit-sim", w.split(t, "serve --udp "+s.udp+" --fleet-key $KEY --state $DIR/devices --devices 2 --first 10 --interval 200ms --perfect")...)
	until(t, 30*time.Second, "the simulated devices to be known", func() bool {
		return call(t, "godwit", "", "device", "show", "11", "--config", s.config).code == 0
	})
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := p.wait(t); err != nil {
		t.Errorf("godwit-sim serve ended with %v\n%s", err, p.out)
	}
	if err := gateway.stop(t); err != nil {
		t.Errorf("the gateway ended with %v\n%s", err, gateway.out)
	}
}
