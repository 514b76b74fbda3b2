package codec_test

// results are the states and statuses of the vectors, by name: worked out by hand from the decisions, and by the second implementation.
var results = map[string][]string{
	"batch-base": {
		"time=48250 step=10 once=0 jitter=0 groups=- level=8/0",
		"time=2026-03-01T12:00:00Z level=8",
		"time=2026-03-01T12:10:00Z level=8",
	},
	"batch-clock-lost": {
		"time=48260 step=10 once=0 jitter=0 groups=- level=7/0",
		"time=2026-03-01T12:00:00Z level=7",
		"time=unsure level=7",
		"time=2026-03-01T12:20:00Z level=7",
	},
	"batch-distance-32-nothing-new": {
		"time=48250 step=10 once=0 jitter=0 groups=- level=7/0",
		"time=2026-03-01T12:00:00Z level=7",
		"time=2026-03-01T12:10:00Z level=7",
	},
	"batch-distance-6": {
		"time=48250 step=10 once=0 jitter=0 groups=- level=8/0",
		"time=2026-03-01T12:00:00Z level=8",
		"time=2026-03-01T12:10:00Z level=8",
	},
	"batch-distance-7": {
		"time=48250 step=10 once=0 jitter=0 groups=- level=8/0",
		"time=2026-03-01T12:00:00Z level=8",
		"time=2026-03-01T12:10:00Z level=8",
	},
	"batch-no-base": {
		"time=48230 step=10 once=0 jitter=0 groups=- level=7/0",
		"time=2026-03-01T11:40:00Z level=7",
		"time=2026-03-01T11:50:00Z level=7",
	},
	"batch-no-base-given": {
		"time=48230 step=10 once=0 jitter=0 groups=- level=7/0",
		"time=2026-03-01T11:40:00Z level=7",
		"time=2026-03-01T11:50:00Z level=7",
	},
	"batch-no-base-interval": {
		"time=272960 step=600 once=0 jitter=0 groups=- level=100/0 uptime=510/0 tide=300/0",
		"time=2026-03-01T11:50:00Z level=100 uptime=30000 tide=100",
		"time=2026-03-01T12:00:00Z level=100 uptime=30600 tide=100",
	},
	"batch-no-base-three": {
		"time=48240 step=10 once=0 jitter=0 groups=- level=7/0",
		"time=2026-03-01T11:40:00Z level=7",
		"time=2026-03-01T11:50:00Z level=7",
		"time=2026-03-01T12:00:00Z level=7",
	},
	"batch-no-base-unsure": {
		"time=- step=0 once=0 jitter=0 groups=- level=-",
		"time=unsure level=-",
		"time=unsure level=-",
	},
	"batch-nothing-new": {
		"time=48250 step=10 once=0 jitter=0 groups=- level=7/0",
		"time=2026-03-01T12:00:00Z level=7",
		"time=2026-03-01T12:10:00Z level=7",
	},
	"batch-rare-in-between": {
		"time=48260 step=10 once=0 jitter=0 groups=- level=8/0",
		"time=2026-03-01T12:00:00Z level=7 version=7 build=00000000 boot=true step=false/0/0",
		"time=2026-03-01T12:10:00Z level=8",
		"time=2026-03-01T12:20:00Z level=8",
	},
	"batch-three-nothing-new": {
		"time=48260 step=10 once=0 jitter=0 groups=- level=7/0",
		"time=2026-03-01T12:00:00Z level=7",
		"time=2026-03-01T12:10:00Z level=7",
		"time=2026-03-01T12:20:00Z level=7",
	},
	"delta-along": {
		"time=272960 step=600 once=0 jitter=0 groups=- level=103/3 twin=123/3 door=0/0 warmth=50/0",
		"time=2026-03-01T12:00:00Z level=103 twin=123 door=0 warmth=50",
	},
	"delta-along-less": {
		"time=272960 step=600 once=0 jitter=0 groups=- level=103/3 twin=122/2 door=0/0 warmth=50/0",
		"time=2026-03-01T12:00:00Z level=103 twin=122 door=0 warmth=50",
	},
	"delta-along-lowest": {
		"time=272960 step=600 once=0 jitter=0 groups=- level=0/-100 twin=0/-5 door=0/0 warmth=50/0",
		"time=2026-03-01T12:00:00Z level=0 twin=0 door=0 warmth=50",
	},
	"delta-along-none": {
		"time=273560 step=600 once=0 jitter=0 groups=- level=(101/1) twin=121/0 door=0/0 warmth=50/0",
		"time=2026-03-01T12:10:00Z level=- twin=121 door=0 warmth=50",
	},
	"delta-carry": {
		"time=- step=0 once=0 jitter=0 groups=2,8 a=468279760892/0 b=3/0 c=1099510758792/0",
		"time=unsure a=-631231866884000000000000000000 b=1.099511627779 c=274877689698 version=63 build=ffffffff boot=true step=true/15/255",
	},
	"delta-clock-first": {
		"time=48240 step=0 once=0 jitter=0 groups=- level=7/0",
		"time=2026-03-01T12:00:00Z level=7",
	},
	"delta-clock-found": {
		"time=48261 step=10 once=11 jitter=1 groups=- level=7/0",
		"time=2026-03-01T12:21:00Z level=7",
	},
	"delta-clock-lost": {
		"time=48240 step=10 once=0 jitter=0 groups=- level=7/0",
		"time=unsure level=7",
	},
	"delta-clock-lost-still": {
		"time=48250 step=10 once=0 jitter=0 groups=- level=7/0",
		"time=unsure level=7",
	},
	"delta-clock-never": {
		"time=- step=0 once=0 jitter=0 groups=- level=7/0",
		"time=unsure level=7",
	},
	"delta-distance-2": {
		"time=48250 step=10 once=0 jitter=0 groups=- level=7/0",
		"time=2026-03-01T12:10:00Z level=7",
	},
	"delta-distance-32": {
		"time=48550 step=10 once=0 jitter=0 groups=- level=7/0",
		"time=2026-03-01T17:10:00Z level=7",
	},
	"delta-distance-32-moved": {
		"time=48551 step=10 once=0 jitter=1 groups=- level=7/0",
		"time=2026-03-01T17:11:00Z level=7",
	},
	"delta-distance-6": {
		"time=48295 step=10 once=0 jitter=5 groups=- level=7/0",
		"time=2026-03-01T12:55:00Z level=7",
	},
	"delta-distance-6-backwards": {
		"time=48225 step=10 once=0 jitter=-65 groups=- level=7/0",
		"time=2026-03-01T11:45:00Z level=7",
	},
	"delta-distance-6-learns": {
		"time=48301 step=10 once=11 jitter=11 groups=- level=7/0",
		"time=2026-03-01T13:01:00Z level=7",
	},
	"delta-distance-7": {
		"time=48300 step=10 once=0 jitter=0 groups=- level=7/0",
		"time=2026-03-01T13:00:00Z level=7",
	},
	"delta-elapsed": {
		"time=272960 step=600 once=0 jitter=0 groups=- level=100/0 uptime=510/0 tide=300/0",
		"time=2026-03-01T12:00:00Z level=100 uptime=30600 tide=100",
	},
	"delta-elapsed-backwards": {
		"time=272330 step=600 once=-30 jitter=-630 groups=- level=100/0 uptime=499/0 tide=300/0",
		"time=2026-03-01T11:49:30Z level=100 uptime=29940 tide=100",
	},
	"delta-elapsed-fine": {
		"time=272960 step=60 once=0 jitter=0 groups=- run=9571/0",
		"time=2026-03-01T12:00:00Z run=66.997",
	},
	"delta-elapsed-first": {
		"time=272960 step=600 once=0 jitter=0 groups=- level=100/0 uptime=500/0 tide=300/0",
		"time=2026-03-01T12:00:00Z level=100 uptime=30000 tide=100",
	},
	"delta-elapsed-late": {
		"time=272990 step=600 once=630 jitter=30 groups=- level=100/0 uptime=510/0 tide=300/0",
		"time=2026-03-01T12:00:30Z level=100 uptime=30600 tide=100",
	},
	"delta-elapsed-never": {
		"time=- step=600 once=0 jitter=0 groups=- level=100/0 uptime=530/0 tide=300/0",
		"time=unsure level=100 uptime=31800 tide=100",
	},
	"delta-elapsed-reboot": {
		"time=272960 step=600 once=0 jitter=0 groups=- level=100/0 uptime=2/-508 tide=300/0",
		"time=2026-03-01T12:00:00Z level=100 uptime=120 tide=100 version=0 build=00000000 boot=true step=false/0/0",
	},
	"delta-elapsed-top": {
		"time=272960 step=600 once=0 jitter=0 groups=- level=100/0 uptime=65534/0 tide=300/0",
		"time=2026-03-01T12:00:00Z level=100 uptime>=3932040 tide=100",
	},
	"delta-elapsed-unsure": {
		"time=272960 step=600 once=0 jitter=0 groups=- level=100/0 uptime=510/0 tide=300/0",
		"time=unsure level=100 uptime=30600 tide=100",
	},
	"delta-group-again": {
		"time=276559 step=3600 once=3599 jitter=-1 groups=1 battery=121/0 signal=47/0 lat=13712345/0 lon=17150001/1 alarm=1/0 wave=(25/0)",
		"time=2026-03-01T12:59:59Z battery=3.71 signal=-93 lat=47.12345 lon=-8.49999 alarm=1 wave=-",
	},
	"delta-group-appears": {
		"time=272960 step=3600 once=0 jitter=0 groups=1 battery=121/0 signal=47/0 lat=13712345/0 lon=17150000/0 alarm=- wave=-",
		"time=2026-03-01T12:00:00Z battery=3.71 signal=-93 lat=47.12345 lon=-8.5 alarm=- wave=-",
	},
	"delta-group-of-one": {
		"time=272960 step=3600 once=0 jitter=0 groups=1 battery=121/0 signal=47/0 lat=13712345/0 lon=- alarm=- wave=-",
		"time=2026-03-01T12:00:00Z battery=3.71 signal=-93 lat=47.12345 lon=- alarm=- wave=-",
	},
	"delta-groups-absent": {
		"time=272960 step=3600 once=0 jitter=0 groups=- battery=121/0 signal=47/0 lat=- lon=- alarm=- wave=-",
		"time=2026-03-01T12:00:00Z battery=3.71 signal=-93 lat=- lon=- alarm=- wave=-",
	},
	"delta-groups-stay": {
		"time=272960 step=3600 once=0 jitter=0 groups=1,2 battery=121/0 signal=47/0 lat=13712345/0 lon=17150000/0 alarm=1/0 wave=25/0",
		"time=2026-03-01T12:00:00Z battery=3.71 signal=-93 lat=47.12345 lon=-8.5 alarm=1 wave=1.25",
	},
	"delta-groups-vanish": {
		"time=272960 step=3600 once=0 jitter=0 groups=- battery=121/0 signal=47/0 lat=(13712345/0) lon=(17150000/0) alarm=1/0 wave=(25/0)",
		"time=2026-03-01T12:00:00Z battery=3.71 signal=-93 lat=- lon=- alarm=1 wave=-",
	},
	"delta-interval-first": {
		"time=48230 step=10 once=0 jitter=0 groups=- level=7/0",
		"time=2026-03-01T11:50:00Z level=7",
	},
	"delta-large-move": {
		"time=48260 step=10 once=0 jitter=0 groups=- level=172/5",
		"time=2026-03-01T12:20:00Z level=172",
	},
	"delta-lowest": {
		"time=48240 step=10 once=0 jitter=0 groups=- level=0/-7",
		"time=2026-03-01T12:00:00Z level=0",
	},
	"delta-measured-again": {
		"time=48260 step=10 once=0 jitter=0 groups=- level=7/-1",
		"time=2026-03-01T12:20:00Z level=7",
	},
	"delta-measured-first": {
		"time=48240 step=10 once=0 jitter=0 groups=- level=99/-1",
		"time=2026-03-01T12:00:00Z level=99",
	},
	"delta-middling-move": {
		"time=48250 step=10 once=0 jitter=0 groups=- level=9/-1",
		"time=2026-03-01T12:10:00Z level=9",
	},
	"delta-model": {
		"time=48242 step=10 once=12 jitter=2 groups=- level=981/-19",
		"time=2026-03-01T12:02:00Z level=981",
	},
	"delta-model-after": {
		"time=48251 step=10 once=9 jitter=-1 groups=- level=997/16",
		"time=2026-03-01T12:11:00Z level=997",
	},
	"delta-model-classes": {
		"time=48240 step=10 once=0 jitter=0 groups=- level=8371/7371",
		"time=2026-03-01T12:00:00Z level=8371",
	},
	"delta-model-half": {
		"time=48240 step=10 once=0 jitter=0 groups=- level=486/-514",
		"time=2026-03-01T12:00:00Z level=486",
	},
	"delta-model-middling": {
		"time=48260 step=10 once=0 jitter=0 groups=- level=974/-40",
		"time=2026-03-01T12:20:00Z level=974",
	},
	"delta-model-not": {
		"time=48240 step=10 once=0 jitter=0 groups=- level=(1000/0)",
		"time=unsure level=-",
	},
	"delta-never-measured": {
		"time=48230 step=10 once=0 jitter=0 groups=- level=100/0",
		"time=2026-03-01T11:50:00Z level=100",
	},
	"delta-never-measured-yet": {
		"time=48230 step=10 once=0 jitter=0 groups=- level=-",
		"time=2026-03-01T11:50:00Z level=-",
	},
	"delta-no-move": {
		"time=48250 step=10 once=0 jitter=0 groups=- level=8/0",
		"time=2026-03-01T12:10:00Z level=8",
	},
	"delta-not-measured": {
		"time=48240 step=10 once=0 jitter=0 groups=- level=(7/0)",
		"time=2026-03-01T12:00:00Z level=-",
	},
	"delta-not-measured-again": {
		"time=48260 step=10 once=0 jitter=0 groups=- level=(8/1)",
		"time=2026-03-01T12:20:00Z level=-",
	},
	"delta-nothing-new": {
		"time=48240 step=10 once=0 jitter=0 groups=- level=7/0",
		"time=2026-03-01T12:00:00Z level=7",
	},
	"delta-optional-appears": {
		"time=272960 step=3600 once=0 jitter=0 groups=- battery=121/0 signal=47/0 lat=- lon=- alarm=1/0 wave=-",
		"time=2026-03-01T12:00:00Z battery=3.71 signal=-93 lat=- lon=- alarm=1 wave=-",
	},
	"delta-optional-highest": {
		"time=272960 step=3600 once=0 jitter=0 groups=1,2 battery=121/0 signal=47/0 lat=13712345/0 lon=17150000/0 alarm=1/0 wave=511/486",
		"time=2026-03-01T12:00:00Z battery=3.71 signal=-93 lat=47.12345 lon=-8.5 alarm=1 wave=25.55",
	},
	"delta-optional-vanishes": {
		"time=272960 step=3600 once=0 jitter=0 groups=1 battery=121/0 signal=47/0 lat=13712345/0 lon=17150000/0 alarm=(1/0) wave=(25/0)",
		"time=2026-03-01T12:00:00Z battery=3.71 signal=-93 lat=47.12345 lon=-8.5 alarm=- wave=-",
	},
	"delta-rare-all": {
		"time=48240 step=10 once=0 jitter=0 groups=- level=7/0",
		"time=2026-03-01T12:00:00Z level=7 version=63 build=ffffffff boot=true step=true/15/255 policy=255",
	},
	"delta-rare-boot": {
		"time=48240 step=10 once=0 jitter=0 groups=- level=7/0",
		"time=2026-03-01T12:00:00Z level=7 version=62 build=00000000 boot=true step=false/0/0",
	},
	"delta-rare-build": {
		"time=48240 step=10 once=0 jitter=0 groups=- level=7/0",
		"time=2026-03-01T12:00:00Z level=7 version=63 build=deadbeef boot=false step=false/0/0",
	},
	"delta-rare-index": {
		"time=48240 step=10 once=0 jitter=0 groups=- level=7/0",
		"time=2026-03-01T12:00:00Z level=7 version=5 build=00000000 boot=false step=false/0/0",
	},
	"delta-rare-policy": {
		"time=48240 step=10 once=0 jitter=0 groups=- level=7/0",
		"time=2026-03-01T12:00:00Z level=7 version=1 build=00000000 boot=false step=false/0/0 policy=1",
	},
	"delta-rare-step": {
		"time=48240 step=10 once=0 jitter=0 groups=- level=7/0",
		"time=2026-03-01T12:00:00Z level=7 version=1 build=00000000 boot=false step=true/3/200",
	},
	"delta-rare-zeros": {
		"time=48240 step=10 once=0 jitter=0 groups=- level=7/0",
		"time=2026-03-01T12:00:00Z level=7 version=0 build=00000000 boot=false step=false/0/0",
	},
	"delta-saturated": {
		"time=48240 step=10 once=0 jitter=0 groups=- level=4094/4087",
		"time=2026-03-01T12:00:00Z level>=4094",
	},
	"delta-small-move": {
		"time=48250 step=10 once=0 jitter=0 groups=- level=9/1",
		"time=2026-03-01T12:10:00Z level=9",
	},
	"delta-step-down": {
		"time=48240 step=10 once=0 jitter=0 groups=- level=6/-1",
		"time=2026-03-01T12:00:00Z level=6",
	},
	"delta-step-up": {
		"time=48240 step=10 once=0 jitter=0 groups=- level=8/1",
		"time=2026-03-01T12:00:00Z level=8",
	},
	"delta-time-after-gap": {
		"time=48256 step=10 once=6 jitter=-4 groups=- level=7/0",
		"time=2026-03-01T12:16:00Z level=7",
	},
	"delta-time-after-late": {
		"time=48250 step=10 once=8 jitter=-2 groups=- level=7/0",
		"time=2026-03-01T12:10:00Z level=7",
	},
	"delta-time-backwards": {
		"time=48170 step=10 once=-60 jitter=-70 groups=- level=7/0",
		"time=2026-03-01T10:50:00Z level=7",
	},
	"delta-time-earliest": {
		"time=31856 step=10 once=-16374 jitter=-16384 groups=- level=7/0",
		"time=2026-02-18T02:56:00Z level=7",
	},
	"delta-time-early": {
		"time=48237 step=10 once=7 jitter=-3 groups=- level=7/0",
		"time=2026-03-01T11:57:00Z level=7",
	},
	"delta-time-gap": {
		"time=48250 step=10 once=20 jitter=10 groups=- level=7/0",
		"time=2026-03-01T12:10:00Z level=7",
	},
	"delta-time-gap-over": {
		"time=48260 step=10 once=0 jitter=0 groups=- level=7/0",
		"time=2026-03-01T12:20:00Z level=7",
	},
	"delta-time-late": {
		"time=48242 step=10 once=12 jitter=2 groups=- level=7/0",
		"time=2026-03-01T12:02:00Z level=7",
	},
	"delta-time-latest": {
		"time=31855 step=10 once=-16375 jitter=49151 groups=- level=7/0",
		"time=2026-02-18T02:55:00Z level=7",
	},
	"delta-time-new-interval": {
		"time=48270 step=20 once=0 jitter=10 groups=- level=7/0",
		"time=2026-03-01T12:30:00Z level=7",
	},
	"delta-time-new-interval-used": {
		"time=48290 step=20 once=0 jitter=0 groups=- level=7/0",
		"time=2026-03-01T12:50:00Z level=7",
	},
	"delta-time-same": {
		"time=48230 step=10 once=0 jitter=-10 groups=- level=7/0",
		"time=2026-03-01T11:50:00Z level=7",
	},
	"delta-time-wrap": {
		"time=5 step=10 once=0 jitter=0 groups=- level=7/0",
		"time=2026-03-13T12:21:00Z level=7",
	},
	"delta-trend": {
		"time=273560 step=600 once=0 jitter=0 groups=- level=100/0 uptime=520/0 tide=310/5",
		"time=2026-03-01T12:10:00Z level=100 uptime=31200 tide=110",
	},
	"delta-trend-below": {
		"time=273560 step=600 once=0 jitter=0 groups=- level=100/0 uptime=520/0 tide=0/-2",
		"time=2026-03-01T12:10:00Z level=100 uptime=31200 tide=-200",
	},
	"delta-trend-ends": {
		"time=273560 step=600 once=0 jitter=0 groups=- level=100/0 uptime=520/0 tide=305/0",
		"time=2026-03-01T12:10:00Z level=100 uptime=31200 tide=105",
	},
	"delta-trend-top": {
		"time=273560 step=600 once=0 jitter=0 groups=- level=100/0 uptime=520/0 tide=1022/2",
		"time=2026-03-01T12:10:00Z level=100 uptime=31200 tide>=822",
	},
	"delta-wide": {
		"time=- step=0 once=0 jitter=0 groups=2,8 a=1099511627774/0 b=3/0 c=1099511627775/0",
		"time=unsure a>=-2000000000000000000 b=1.099511627779 c=274877906943.75",
	},
	"delta-wide-down": {
		"time=- step=0 once=0 jitter=0 groups=- a=- b=- c=0/-1099511627775",
		"time=unsure a=- b=- c=0",
	},
	"delta-zero": {
		"time=272960 step=600 once=0 jitter=0 groups=- level=100/0 twin=120/0 door=4/4 warmth=54/4",
		"time=2026-03-01T12:00:00Z level=100 twin=120 door=4 warmth=54",
	},
	"delta-zero-again": {
		"time=273560 step=600 once=0 jitter=0 groups=- level=100/0 twin=120/0 door=4/4 warmth=58/4",
		"time=2026-03-01T12:10:00Z level=100 twin=120 door=4 warmth=58",
	},
	"delta-zero-over": {
		"time=273560 step=600 once=0 jitter=0 groups=- level=100/0 twin=120/0 door=0/0 warmth=50/-4",
		"time=2026-03-01T12:10:00Z level=100 twin=120 door=0 warmth=50",
	},
}
