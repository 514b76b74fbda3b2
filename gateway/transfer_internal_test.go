package main

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	"github.com/godwit-gateway/godwit/gateway/hub"
	"github.com/godwit-gateway/godwit/gateway/store"
)

func TestUnsealKeys(t *testing.T) {
	kek, err := store.NewKEK(bytes.Repeat([]byte{1}, 32))
	if err != nil {
		t.Fatal(err)
	}
	other, err := store.NewKEK(bytes.Repeat([]byte{2}, 32))
	if err != nil {
		t.Fatal(err)
	}
	key := [32]byte{3, 4}
	wrapped, err := kek.Wrap(7, hub.TransferVersion, store.OriginFactory, &key)
	if err != nil {
		t.Fatal(err)
	}
	sealed := "sealed:" + base64.RawURLEncoding.EncodeToString(wrapped)
	text := "number,name,key\n7,a," + sealed + "\n8,\"b, c\",fleet:x\n"
	got, err := unsealKeys([]byte(text), kek)
	if want := strings.Replace(text, sealed, hex.EncodeToString(key[:]), 1); err != nil || string(got) != want {
		t.Errorf("%s, %v", got, err)
	}
	if _, err := unsealKeys([]byte(text), other); !errors.Is(err, errTransferKey) {
		t.Errorf("another transfer key: %v", err)
	}
	for _, header := range []string{"\ufeffnumber,name,key", "Number, NAME , Key "} { // as a table program saves it
		edited := header + "\n 7 ,a," + sealed + " \n"
		if got, err := unsealKeys([]byte(edited), kek); err != nil || !strings.Contains(string(got), ","+hex.EncodeToString(key[:])+"\n") {
			t.Errorf("%q: %s, %v", header, got, err)
		}
	}
	lines := "number,name,key\n\n\n8,\"b\nc\",fleet:x\n\n9,d,fleet:y\n"
	if got, err := unsealKeys([]byte(lines), kek); err != nil || string(got) != lines {
		t.Errorf("%q, %v, want the rows in their lines: %q", got, err, lines)
	}
	// Whatever is wrong is told at once, each with its line.
	_, err = unsealKeys([]byte("number,name,key\n7,a,sealed:!\n8,b,"+sealed+"\n9,c\n"+text[len("number,name,key\n"):]), kek)
	for _, want := range []string{"line 2: ", "line 3: ", "line 4: "} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	if err != nil && strings.Contains(err.Error(), "line 5") {
		t.Errorf("%v: line 5 is good", err)
	}
	for _, bad := range []string{
		"number,name,key\n8,a," + sealed + "\n", "number,name,key\nx,a," + sealed + "\n", "number,name,key\n7,a,sealed:!\n", "number,name,key\n7,a,sealed:\n",
		"name,key\na," + sealed + "\n", "number,name,key\n7,a\n",
	} {
		if got, err := unsealKeys([]byte(bad), kek); err == nil {
			t.Errorf("%q gives %q", bad, got)
		} else if strings.Contains(err.Error(), hex.EncodeToString(key[:4])) {
			t.Errorf("the error shows the key: %v", err)
		}
	}
}
