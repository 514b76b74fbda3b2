package idpterm_test

import (
	"os"
	"testing"

	"github.com/godwit-gateway/godwit/transports/transporttest"
)

func TestMain(m *testing.M) { os.Exit(transporttest.Main(m)) }
