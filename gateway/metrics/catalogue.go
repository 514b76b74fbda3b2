package metrics

import "github.com/prometheus/client_golang/prometheus"

// Labels.
const (
	labelLink     = "link"
	labelClass    = "class"
	labelCustomer = "customer"
	labelCurrency = "currency"
	labelScope    = "scope"
	labelModem    = "modem"
	labelReason   = "reason"
	labelOutcome  = "outcome"
	labelKind     = "kind"
	labelState    = "state"
	labelVersion  = "version"
	labelRollout  = "rollout"
	labelGo       = "go_version"
)

// family is one metric with all its labels.
type family struct {
	desc *prometheus.Desc
	kind prometheus.ValueType // of no meaning for a histogram
}

func counter(name, help string, labels ...string) family {
	return family{prometheus.NewDesc(name, help, labels, nil), prometheus.CounterValue}
}

func gauge(name, help string, labels ...string) family {
	return family{prometheus.NewDesc(name, help, labels, nil), prometheus.GaugeValue}
}

func histogram(name, help string, labels ...string) family { return gauge(name, help, labels...) }

// The way of frames, by link.
var (
	framesReceived    = counter("godwit_frames_received_total", "Payloads that the driver handed over.", labelLink)
	framesStored      = counter("godwit_frames_stored_total", "Payloads with at least one new frame, now on disk.", labelLink)
	framesDuplicate   = counter("godwit_frames_duplicate_total", "Payloads whose frames were on disk already.", labelLink)
	framesQuarantined = counter("godwit_frames_quarantined_total", "Payloads put into the quarantine.", labelLink)
	framesRejected    = counter("godwit_frames_rejected_total", "Frames that were not stored, by reason.", labelLink, labelReason)
	frameDelay        = histogram("godwit_frame_delay_seconds", "From the network's time stamp to receipt, where there is one.", labelLink)
	bytesPayload      = counter("godwit_bytes_payload_total", "Bytes of payload that the driver handed over.", labelLink)
	bytesBilled       = counter("godwit_bytes_billed_total", "Bytes that the network counts for what came and went, before a tariff rounds them.", labelLink)
	events            = counter("godwit_events_total", "Events made of what came over the link.", labelLink)
	replies           = counter("godwit_replies_total", "Acknowledgements given to the driver in answer to a payload.", labelLink)
)

// The fleet and what waits for it.
var (
	devices        = gauge("godwit_devices", "Devices by state.", labelState)
	downlinkQueue  = gauge("godwit_downlink_queue", "Downlinks that the network has not taken yet.", labelLink)
	downlinkOldest = gauge("godwit_downlink_oldest_seconds", "Age of the oldest downlink that the network has not taken yet.")
	devicesSilent  = gauge("godwit_devices_silent", "Devices that were heard, by what their silence is taken for; due is none.", labelClass)
	spendMicros    = counter("godwit_spend_micros_total", "What was spent in the open months, in millionths of the currency; a month that is closed and forgotten leaves it.", labelLink, labelCustomer, labelCurrency)
	budgetLeft     = gauge("godwit_budget_remaining_micros", "What is left of budgets in this month, in millionths of the currency; not of those of devices.", labelScope)
	rolloutDevices = gauge("godwit_rollout_devices", "Devices of rollouts that have begun and not ended, by where they stand.", labelRollout, labelState)
	rolloutExcess  = gauge("godwit_rollout_excess_silent", "How many more devices of a rollout are silent than would be without the update.", labelRollout)
	quarantineRows = gauge("godwit_quarantine_rows", "Payloads in the quarantine.")
	quarantineGone = counter("godwit_quarantine_evicted_total", "Payloads that left the quarantine to make room.")
)

// The store.
var (
	storeHealthy = gauge("godwit_store_healthy", "1 while the store takes writes.")
	storeCommit  = histogram("godwit_store_commit_seconds", "Time of synced commits.")
	storeWritten = counter("godwit_store_written_bytes_total", "Bytes of committed batches.")
	storeStalls  = counter("godwit_store_stalls_total", "Times that the store held writes back.")
	storeSlow    = counter("godwit_store_slow_operations_total", "Disk operations that took more than five seconds.")
	storeDisk    = gauge("godwit_store_disk_bytes", "Bytes that the store takes on its disk.")
	storeFree    = gauge("godwit_store_free_bytes", "Bytes free on the disk of the store.")
)

// The outbox and the stream.
var (
	outboxPending       = gauge("godwit_outbox_pending", "Events on disk that are not on the stream yet.")
	outboxOldest        = gauge("godwit_outbox_oldest_seconds", "Age of the oldest event that is not on the stream yet.")
	outboxRows          = gauge("godwit_outbox_rows", "Events that the outbox holds, on the stream or not.")
	publisherReady      = gauge("godwit_publisher_ready", "1 while events flow to the stream.")
	publisherPublished  = counter("godwit_publisher_published_total", "Events that the stream confirmed.")
	publisherVerified   = counter("godwit_publisher_verified_total", "Events read back from the stream.")
	publisherReconciles = counter("godwit_publisher_reconciles_total", "Times that outbox and stream were compared.")
	publisherLost       = counter("godwit_publisher_lost_total", "Confirmed events that the stream lost; they are published again.")
	publisherReplayed   = counter("godwit_publisher_replayed_total", "Events published again into holes of the stream.")
	publisherAdopted    = counter("godwit_publisher_adopted_total", "Events that the stream had and the store did not.")
	streamRestarts      = counter("godwit_stream_restarts_total", "Times that the embedded NATS server was started anew since it took no events.")
)

// The links' lines, and the gateway itself.
var (
	transportUp       = gauge("godwit_transport_up", "1 while the link's line is up, by the driver's word.", labelLink)
	transportRestarts = counter("godwit_transport_restarts_total", "Times that the link's driver lost its line.", labelLink)
	udpDropped        = counter("godwit_udp_dropped_total", "Datagrams that the driver dropped by itself, by reason.", labelLink, labelReason)
	refused           = counter("godwit_connections_refused_total", "Connections that the driver closed without taking anything, by reason.", labelLink, labelReason)
	sessions          = counter("godwit_satellite_sessions_total", "What the network told of beside payloads, by kind.", labelLink, labelKind)
	confirmations     = counter("godwit_confirmations_total", "Messages by what their network was told of them.", labelLink, labelOutcome)
	callsFailed       = counter("godwit_calls_failed_total", "Calls of a web service that failed, by what that means for the next one.", labelLink, labelReason)
	missing           = counter("godwit_satellite_missing_total", "Messages that the network numbered and that never came.", labelLink)
	modemUp           = gauge("godwit_modem_up", "1 while the modem is set up and can send.", labelModem)
	modemSignal       = gauge("godwit_modem_signal_dbhz", "Carrier to noise of the satellite at the terminal, as it last said.", labelModem)
	modemResets       = counter("godwit_modem_resets_total", "Times that a modem that went on failing was told to start over.", labelModem)
	simUsed           = gauge("godwit_sim_slots_used", "Slots taken in the modem's message storages.", labelModem)
	simSlots          = gauge("godwit_sim_slots", "Slots of the modem's message storages.", labelModem)
	ready             = gauge("godwit_ready", "1 while frames are taken in and events flow, as /readyz.")
	configReloads     = counter("godwit_config_reloads_total", "Times that the configuration was read anew on SIGHUP, by what came of it.", labelOutcome)
	buildInfo         = gauge("godwit_build_info", "Always 1; the labels tell the build.", labelVersion, labelGo)
)

// families is all of the above.
var families = []family{
	framesReceived, framesStored, framesDuplicate, framesQuarantined, framesRejected, frameDelay, bytesPayload, bytesBilled, events, replies,
	devices, devicesSilent, rolloutDevices, rolloutExcess, spendMicros, budgetLeft, downlinkQueue, downlinkOldest, quarantineRows, quarantineGone,
	storeHealthy, storeCommit, storeWritten, storeStalls, storeSlow, storeDisk, storeFree,
	outboxPending, outboxOldest, outboxRows, publisherReady, publisherPublished, publisherVerified, publisherReconciles, publisherLost,
	publisherReplayed, publisherAdopted, streamRestarts,
	transportUp, transportRestarts, udpDropped, refused, sessions, confirmations, callsFailed, missing, modemUp, modemSignal, modemResets, simUsed, simSlots,
	ready, configReloads, buildInfo,
}
