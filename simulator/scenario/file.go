package scenario

import (
	"time"
)

// file is a scenario file as it is written, but for its products, which are read one by one. doc.go explains each key.
type file struct {
	Title    string `toml:"title"`
	Story    string `toml:"story"`
	Look     string `toml:"look"`
	Currency string `toml:"currency"`

	Seed    int64         `toml:"seed"`
	Start   time.Time     `toml:"start"`
	Length  time.Duration `toml:"length"`
	Sample  time.Duration `toml:"sample"`
	Publish time.Duration `toml:"publish"`
	Stream  time.Duration `toml:"stream"`
	Keep    time.Duration `toml:"keep"`
	Chaos   bool          `toml:"chaos"`
}

type linkTable struct {
	Name        string        `toml:"name"`
	Network     string        `toml:"network"`
	Bearer      string        `toml:"bearer"`
	Ack         string        `toml:"ack"`
	Metered     bool          `toml:"metered"`
	Keeps       bool          `toml:"keeps"`
	Linger      time.Duration `toml:"linger"`
	UplinkMax   int           `toml:"uplink_max"`
	DownlinkMax int           `toml:"downlink_max"`
	PerMessage  int           `toml:"per_message"`
}

type groupTable struct {
	Name    string   `toml:"name"`
	Count   int      `toml:"count"`
	First   int      `toml:"first"`
	Product string   `toml:"product"`
	Link    string   `toml:"link"`
	Links   []string `toml:"links"`
	Network string   `toml:"network"`

	Attrition  float64       `toml:"attrition"`
	Importance float64       `toml:"importance"`
	Region     string        `toml:"region"`
	Retires    time.Duration `toml:"retires"`

	Version     string        `toml:"version"`
	Hardware    string        `toml:"hardware"`
	CounterBits int           `toml:"counter_bits"`
	Tag         int           `toml:"tag"`
	Clock       bool          `toml:"clock"`
	Interval    time.Duration `toml:"interval"`
	Sample      time.Duration `toml:"sample"`
	Retry       time.Duration `toml:"retry"`
	RetryMax    time.Duration `toml:"retry_max"`
	PendingMax  int           `toml:"pending_max"`
	Silence     time.Duration `toml:"silence"`
	Chatter     time.Duration `toml:"chatter"`
	Report      time.Duration `toml:"report"`
	ReportBytes int           `toml:"report_bytes"`
	FreeMemory  int64         `toml:"free_memory"`
	Rate        int64         `toml:"rate"`
	Owner       string        `toml:"owner"`
	Power       string        `toml:"power"`

	Alarms  []alarmTable `toml:"alarm"`
	Mishaps mishapTable  `toml:"mishaps"`
	Battery batteryTable `toml:"battery"`
}

type alarmTable struct {
	Field string  `toml:"field"`
	Code  int     `toml:"code"`
	Limit float64 `toml:"limit"`
	Below bool    `toml:"below"`
	Clear float64 `toml:"clear"`
	Text  string  `toml:"text"`
}

type mishapTable struct {
	Memory   float64 `toml:"memory"`
	Download float64 `toml:"download"`
	Verify   float64 `toml:"verify"`
	Install  float64 `toml:"install"`
	Start    float64 `toml:"start"`

	InstallCode uint8 `toml:"install_code"`

	BrickDownload float64 `toml:"brick_download"`
	BrickInstall  float64 `toml:"brick_install"`
	BrickReboot   float64 `toml:"brick_reboot"`

	BrickLater float64 `toml:"brick_later"`
	Loop       float64 `toml:"loop"`
	RollBack   float64 `toml:"roll_back"`
	Drain      float64 `toml:"drain"`
	Late       float64 `toml:"late"`
	LoseLog    float64 `toml:"lose_log"`

	BrickAfter time.Duration `toml:"brick_after"`
}

type batteryTable struct {
	Capacity      float64 `toml:"capacity"`
	Panel         float64 `toml:"panel"`
	Idle          float64 `toml:"idle"`
	Frame         float64 `toml:"frame"`
	Byte          float64 `toml:"byte"`
	SelfDischarge float64 `toml:"self_discharge"`
	Cold          float64 `toml:"cold"`
	Empty         float64 `toml:"empty"`
	Full          float64 `toml:"full"`
	CutOff        float64 `toml:"cut_off"`
	Resume        float64 `toml:"resume"`
}

type incidentTable struct {
	Kind    string        `toml:"kind"`
	At      time.Duration `toml:"at"`
	For     time.Duration `toml:"for"`
	Every   time.Duration `toml:"every"`
	Group   string        `toml:"group"`
	Link    string        `toml:"link"`
	Share   float64       `toml:"share"`
	Version string        `toml:"version"`
	Factor  float64       `toml:"factor"`
}

type modelTable struct {
	Loss      float64         `toml:"loss"`
	Duplicate float64         `toml:"duplicate"`
	Reorder   float64         `toml:"reorder"`
	Truncate  float64         `toml:"truncate"`
	Delay     delayTable      `toml:"delay"`
	HoldBack  delayTable      `toml:"hold_back"`
	Bursts    burstTable      `toml:"bursts"`
	Passes    passTable       `toml:"passes"`
	Pauses    []time.Duration `toml:"pauses"`
	Validity  time.Duration   `toml:"validity"`
	Reports   bool            `toml:"reports"`
	SizeMax   int             `toml:"size_max"`
	Pending   int             `toml:"pending"`
	Tariff    tariffTable     `toml:"tariff"`
}

type delayTable struct {
	Least time.Duration `toml:"least"`
	Mean  time.Duration `toml:"mean"`
	Most  time.Duration `toml:"most"`
	Tail  float64       `toml:"tail"`
}

type burstTable struct {
	Good time.Duration `toml:"good"`
	Bad  time.Duration `toml:"bad"`
	Loss float64       `toml:"loss"`
}

type passTable struct {
	Period time.Duration `toml:"period"`
	Length time.Duration `toml:"length"`
	Jitter time.Duration `toml:"jitter"`
	Hidden float64       `toml:"hidden"`
	Wait   time.Duration `toml:"wait"`
}

type tariffTable struct {
	Message  string `toml:"message"`
	Unit     int    `toml:"unit"`
	Price    string `toml:"price"`
	Least    int    `toml:"least"`
	Overhead int    `toml:"overhead"`
	Included int64  `toml:"included"`
	Failed   bool   `toml:"failed"`
}
