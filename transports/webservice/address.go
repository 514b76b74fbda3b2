package webservice

import (
	"fmt"
	"net/netip"
	"net/url"
)

// CheckAddress reports what is wrong with the address of a web service that gets credentials. key is what the address is called, which its error begins
// with; the address itself is not repeated, for it may have credentials in it.
func CheckAddress(key, address, example string) error {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return fmt.Errorf("%s is not the address of a web service, such as %s; credentials have keys of their own", key, example)
	}
	if addr, err := netip.ParseAddr(u.Hostname()); u.Scheme == "http" && (err != nil || !addr.IsLoopback()) && u.Hostname() != "localhost" {
		return fmt.Errorf("%s begins with http: credentials would go over the network as they are; want https, or an address of the loopback interface", key)
	}
	return nil
}
