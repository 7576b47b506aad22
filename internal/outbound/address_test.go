package outbound_test

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/logintrust/saml/internal/outbound"
)

// Which addresses are public, with each block's first and last address and its neighbours.
func TestGuard(t *testing.T) {
	t.Parallel()
	var strict outbound.Guard
	for _, public := range []string{"1.1.1.1", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255", "128.0.0.0",
		"169.253.255.255", "169.255.0.0", "172.15.255.255", "172.32.0.0", "192.0.1.0", "192.167.255.255", "192.169.0.0", "198.17.255.255", "198.20.0.0",
		"223.255.255.255", "::ffff:1.1.1.1", "2606:4700::1111", "2001:200::1", "2003::1", "2a00::1", "3ffe::1"} {
		assert.NoError(t, strict.Check(netip.MustParseAddr(public)), public)
	}
	for _, inner := range []string{"0.0.0.0", "0.255.255.255", "10.0.0.0", "10.255.255.255", "100.64.0.0", "100.127.255.255", "127.0.0.0", "127.0.0.1", "127.255.255.255",
		"169.254.0.0", "169.254.169.254", "169.254.255.255", "172.16.0.0", "172.31.255.255", "192.0.0.0", "192.0.0.192", "192.0.2.1", "192.88.99.1", "192.168.0.0", "192.168.255.255",
		"198.18.0.0", "198.19.255.255", "198.51.100.7", "203.0.113.7", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255",
		"::", "::1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::ffff:0:10.0.0.1", "64:ff9b::7f00:1", "64:ff9b::1.1.1.1", "64:ff9b:1::a00:1",
		"100::1", "2001::1", "2001:0:7f00:1::", "2001:1ff:ffff::1", "2001:db8::1", "2002:7f00:1::", "2002:a00:1::1", "3fff::1", "fc00::1", "fd00:ec2::254", "fdff:ffff::1",
		"fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1", "4000::1"} {
		assert.ErrorIs(t, strict.Check(netip.MustParseAddr(inner)), outbound.ErrAddress, inner)
	}
	assert.ErrorIs(t, strict.Check(netip.Addr{}), outbound.ErrAddress)

	allowed := outbound.Guard{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("fe80::/10"), netip.MustParsePrefix("64:ff9b::/96")}
	for address, ok := range map[string]bool{"127.0.0.1": true, "::ffff:127.0.0.1": true, "fe80::1%eth0": true, "64:ff9b::1.1.1.1": true, "10.0.0.1": false, "::1": false} {
		assert.Equal(t, ok, allowed.Check(netip.MustParseAddr(address)) == nil, address)
	}
}

func TestControl(t *testing.T) {
	t.Parallel()
	guard := outbound.Guard{}
	assert.NoError(t, guard.Control("tcp4", "1.1.1.1:443", nil))
	assert.NoError(t, guard.Control("tcp6", "[2606:4700::1111]:443", nil))
	for _, c := range [][2]string{{"tcp4", "127.0.0.1:443"}, {"tcp6", "[::ffff:127.0.0.1]:443"}, {"tcp6", "[fe80::1%eth0]:443"}, {"udp4", "1.1.1.1:443"},
		{"unix", "/run/docker.sock"}, {"tcp4", "1.1.1.1"}, {"tcp4", "localhost:443"}, {"tcp4", ""}} {
		assert.ErrorIs(t, guard.Control(c[0], c[1], nil), outbound.ErrAddress, c)
	}
}
