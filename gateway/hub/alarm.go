package hub

import (
	"time"

	"github.com/godwit-gateway/godwit/gateway/fleet"
)

// An Alarm is the code of an event of kind KindAlarm: what somebody should look at.
type Alarm string

// The alarms.
const (
	AlarmCounterReuse   Alarm = "counter_reuse"    // a counter came again with other content
	AlarmDevice         Alarm = "device_alarm"     // the device itself says so
	AlarmForgeries      Alarm = "forgeries"        // too many frames in the device's name did not verify
	AlarmMissing        Alarm = "messages_missing" // the network took messages of the device that never came
	AlarmJoinUnanswered Alarm = "join_unanswered"  // a device that lost its memory cannot be answered
	AlarmRekeyFailed    Alarm = "rekey_failed"     // an epoch that came to its end could not be followed by another
)

// Alarms are all of them.
func Alarms() []Alarm {
	return []Alarm{AlarmCounterReuse, AlarmDevice, AlarmForgeries, AlarmMissing, AlarmJoinUnanswered, AlarmRekeyFailed}
}

// alarm emits an event about a device that an operator should look at.
func (h *Hub) alarm(c *commit, i fleet.Index, at time.Time, code Alarm, text string, counter uint64) {
	e := h.gatewayEvent(c, i, KindAlarm, at)
	e.payload = appendTextMember(e.payload, "level", "alarm")
	e.payload = appendTextMember(e.payload, "code", string(code))
	e.payload = appendTextMember(e.payload, "message", text)
	e.payload = appendUintMember(e.payload, "counter", counter)
	h.emit(c, nil, e)
}
