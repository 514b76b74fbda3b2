package webservice_test

import (
	"strings"
	"testing"

	"github.com/godwit-gateway/godwit/transports/webservice"
)

func TestCheckAddress(t *testing.T) {
	for _, good := range []string{"https://api.example/v1/", "http://127.0.0.1:8080", "http://[::1]/x", "http://localhost/"} {
		if err := webservice.CheckAddress("url", good, "https://x"); err != nil {
			t.Errorf("%s: %v", good, err)
		}
	}
	for _, bad := range []string{"", "api.example", "ftp://api.example", "http://api.example/", "http://192.0.2.1/", "https://fleet:hunter2@api.example", "https://api.example/?token=hunter2", "https://api.example/#hunter2", "https://%zz"} {
		if err := webservice.CheckAddress("url", bad, "https://x"); err == nil || !strings.HasPrefix(err.Error(), "url ") || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v", bad, err)
		}
	}
}
