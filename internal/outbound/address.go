package outbound

import (
	"net/netip"
	"slices"
	"syscall"
)

// ErrAddress says that a place is at an address that may not be dialled. It does not say which: whoever may name a place
// would learn the internal names of a network.
const ErrAddress = sentinel("its address is not a public one, nor one that is allowed")

type sentinel string

func (s sentinel) Error() string { return string(s) }

// plainV4 are the IPv4 blocks that are not the public internet (RFC 6890 and the IANA registry behind it).
var plainV4 = prefixes("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
	"192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
	"224.0.0.0/4", "240.0.0.0/4")

// Of IPv6 only global unicast addresses are public, and among them not those that stand for others: Teredo and the other
// protocol assignments, 6to4, and documentation. NAT64 (64:ff9b::/96), which stands for IPv4 ones, is outside.
var (
	globalV6 = netip.MustParsePrefix("2000::/3")
	plainV6  = prefixes("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")
)

func prefixes(list ...string) (all []netip.Prefix) {
	for _, s := range list {
		all = append(all, netip.MustParsePrefix(s))
	}
	return all
}

// A Guard says which addresses may be dialled: public ones, and those in its prefixes.
type Guard []netip.Prefix

// Check refuses an address that may not be dialled.
func (g Guard) Check(addr netip.Addr) error {
	addr = addr.Unmap().WithZone("")
	in := func(p netip.Prefix) bool { return p.Contains(addr) }
	switch {
	case slices.ContainsFunc(g, in):
		return nil
	case addr.Is4() && !slices.ContainsFunc(plainV4, in):
		return nil
	case addr.Is6() && globalV6.Contains(addr) && !slices.ContainsFunc(plainV6, in):
		return nil
	}
	return ErrAddress
}

// Control is for net.Dialer: it sees each address that is about to be dialled, whatever name led to it.
func (g Guard) Control(network, address string, _ syscall.RawConn) error {
	addr, err := netip.ParseAddrPort(address)
	if err != nil || network != "tcp4" && network != "tcp6" {
		return ErrAddress
	}
	return g.Check(addr.Addr())
}
