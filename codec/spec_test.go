package codec_test

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// elsewhere names the tests of requirements that no bytes can show: they bind the gateway or the device.
var elsewhere = map[string][]string{
	"F-015": {"simulator/device", "TestFirstFrameIsHello"},
	"F-017": {"gateway/hub", "TestFourByteTagIsRefusedOnIPLinks"},
	"F-022": {"simulator/device", "TestRepeatsSameBytesUntilAcknowledged"},
	"F-026": {"gateway/hub", "TestCounterReuseIsAnAlarmAndChangesNothing"},
	"F-027": {"gateway/hub", "TestRetentionRaisesTheFloorForGood"},
	"F-028": {"simulator/device", "TestRestartNeverReusesCounter"},
	"F-040": {"gateway/hub", "TestUnknownMessageIsKeptRaw"},
	"F-044": {"simulator/device", "TestFirstFrameIsHello"},
	"F-071": {"simulator/device", "TestObeysRequests"},
	"F-075": {"gateway/hub", "TestFragmentsAreForgotten"},
	"F-076": {"gateway/hub", "TestFragmentStatusSaysWhatIsMissing"},
	"F-078": {"gateway/hub", "TestFragmentsWithinFragmentsStayRaw"},
	"F-050": {"gateway/hub", "TestWhatIsSettledSurvivesPowerLoss"},
	"F-080": {"simulator/device", "TestBurstProgramme"},
	"F-131": {"simulator/device", "TestCountsFromAcknowledgedStatusesOnly"},
	"F-132": {"gateway/hub", "TestParkedUntilTheBaseComes"},
	"F-113": {"gateway/hub", "TestRekey"},
	"F-118": {"simulator/device", "TestObeysRekey"},
	"F-122": {"simulator/device", "TestJoinsAfterLongSilence"},
	"F-125": {"simulator/device", "TestForgottenChallenge"},
	"F-150": {"simulator/device", "TestAttemptThatSomebodyElseUsed"},
	"F-148": {"simulator/device", "TestImageIsTheOneThatWasSigned"},
	"F-149": {"simulator/device", "TestSequenceBelongsToTheSoftware"},
	"F-053": {"simulator/device", "TestRepeatsSameBytesUntilAcknowledged"},
}

// Every requirement of the specification is named by a vector or a test, and every requirement that is named is one.
func TestEveryRequirementIsTested(t *testing.T) {
	spec, err := os.ReadFile("SPEC.md")
	if err != nil {
		t.Fatal(err)
	}
	named := make(map[string]bool)
	for _, v := range readVectors(t) {
		for id := range strings.FieldsSeq(v.get("spec")) {
			named[id] = true
		}
	}
	id := regexp.MustCompile(`F-\d{3}`)
	// A comment that begins a test names what the test is for.
	comment := regexp.MustCompile(`(?m)((?:^//.*\n)+)func Test`)
	for _, path := range slices.Concat(glob(t, "*_test.go"), glob(t, "session/*_test.go"), glob(t, "manifest/*_test.go")) {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range comment.FindAllSubmatch(b, -1) {
			for _, s := range id.FindAllString(string(m[1]), -1) {
				named[s] = true
			}
		}
	}
	for s, where := range elsewhere {
		found := false
		for _, path := range glob(t, filepath.Join("..", where[0], "*_test.go")) {
			b, err := os.ReadFile(path)
			found = found || err == nil && bytes.Contains(b, []byte("func "+where[1]+"("))
		}
		if !found {
			t.Errorf("%s: no %s in %s", s, where[1], where[0])
		}
		named[s] = true
	}
	defined := make(map[string]bool)
	for _, m := range regexp.MustCompile(`\*\*(F-\d{3})\*\*`).FindAllStringSubmatch(string(spec), -1) {
		defined[m[1]] = true
		if !named[m[1]] {
			t.Errorf("%s is named by no vector and no test", m[1])
		}
	}
	for s := range named {
		if !defined[s] {
			t.Errorf("%s is no requirement", s)
		}
	}
	if len(defined) < 39 {
		t.Errorf("%d requirements found", len(defined))
	}
}

func glob(t *testing.T, pattern string) []string {
	t.Helper()
	paths, err := filepath.Glob(pattern)
	if err != nil {
		t.Fatal(err)
	}
	return paths
}
