// Server is a small application that people sign in to by SAML, with a demonstration identity provider beside it:
//
//	go run -C examples/server .
//
// main.go puts it together, session.go remembers who is signed in, pages.go is what people see.
package main

import (
	"bytes"
	"cmp"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/logintrust/saml"
	"github.com/logintrust/saml/samltest"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := run(ctx, os.Args[1:], os.Stdout, slog.Default())
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintf(os.Stderr, "server: %v.\n", err)
		os.Exit(1)
	}
}

// run serves until ctx ends.
func run(ctx context.Context, args []string, out io.Writer, log *slog.Logger) error {
	o, err := parse(args, out)
	if err != nil {
		return err
	}
	d, err := newDemo(o, log)
	if err != nil {
		return err
	}
	d.introduce(out)
	return d.serve(ctx)
}

// Options are the flags.
type options struct {
	addr, idpAddr string
	baseURL       string
	metadata      []string
	key           string
	noDemoIdP     bool
}

func parse(args []string, out io.Writer) (options, error) {
	var o options
	flags := flag.NewFlagSet("server", flag.ContinueOnError)
	flags.StringVar(&o.addr, "addr", "127.0.0.1:8080", "listen on this `address`")
	flags.StringVar(&o.idpAddr, "idp-addr", "127.0.0.1:8081", "the demonstration identity provider listens on this `address`")
	flags.StringVar(&o.baseURL, "base-url", "", "the `URL` under which browsers find the server (default http://ADDR)")
	flags.Func("idp-metadata", "trust the identity provider that this metadata `file` describes; may be repeated", func(name string) error {
		o.metadata = append(o.metadata, name)
		return nil
	})
	flags.StringVar(&o.key, "key", "", "sign requests with the private key in this PEM `file`, which may hold its certificate too")
	flags.BoolVar(&o.noDemoIdP, "no-demo-idp", false, "start no demonstration identity provider")

	flags.SetOutput(io.Discard) // main says what is wrong, in one sentence
	err := flags.Parse(args)
	if errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(out, "Usage: server [flags]")
		flags.SetOutput(out)
		flags.PrintDefaults()
	}
	if err == nil && flags.NArg() > 0 {
		err = fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	if err != nil {
		return o, fmt.Errorf("%w; -h lists the flags", err)
	}
	return o, nil
}

// A demo is the service provider and, unless it is not wanted, the identity provider, each on its port.
type demo struct {
	app   *app
	idp   *samltest.IdP // nil if there is none
	sites []site
}

type site struct {
	listener net.Listener
	handler  http.Handler
}

// newDemo listens and puts everything together. It serves nothing yet.
func newDemo(o options, log *slog.Logger) (*demo, error) {
	d := &demo{}
	if err := d.assemble(o, log); err != nil {
		d.close()
		return nil, err
	}
	return d, nil
}

func (d *demo) assemble(o options, log *slog.Logger) error {
	origin, err := d.listen("addr", o.addr)
	if err != nil {
		return err
	}
	trusts := saml.NewMemoryTrusts()
	if !o.noDemoIdP {
		if err := d.startIdP(o.idpAddr, trusts); err != nil {
			return err
		}
	}
	keys, err := readKeys(o.key)
	if err == nil && d.idp != nil && o.key == "" && len(o.metadata) == 0 {
		keys, err = makeKey()
	}
	if err != nil {
		return err
	}
	if err := trustMetadata(o.metadata, trusts); err != nil {
		return err
	}
	if d.app, err = newApp(cmp.Or(o.baseURL, origin), trusts, newUsers(o), keys, log); err != nil {
		return err
	}
	for _, trust := range trusts.All() {
		for _, problem := range d.app.sp.Problems(trust) {
			log.Warn("a login trust asks for what this server was not given; -key gives it a key that signs", "domain", trust.Domain, "field", problem.Field, "problem", problem.Problem)
		}
	}
	d.sites[0].handler = d.app.handler()
	if d.idp != nil {
		return d.idp.AddSPMetadata(d.app.sp.Metadata())
	}
	return nil
}

// listen opens a port and returns the origin under which it is reached.
func (d *demo) listen(flag, addr string) (origin string, err error) {
	l, origin, err := samltest.Listen(addr)
	if err != nil {
		return "", fmt.Errorf("-%s: %w; choose another address with -%s", flag, err, flag)
	}
	d.sites = append(d.sites, site{listener: l})
	return origin, nil
}

// startIdP makes the demonstration identity provider, and trusts it.
func (d *demo) startIdP(addr string, trusts *saml.MemoryTrusts) error {
	origin, err := d.listen("idp-addr", addr)
	if err != nil {
		return err
	}
	if d.idp, err = samltest.New(samltest.Options{SSOURL: origin + "/sso"}); err != nil {
		return err
	}
	d.sites[1].handler = d.idp.Handler()
	trust := d.idp.Trust()
	trust.Description = "the demonstration identity provider"
	trust.AllowIdPInitiated = true
	trust.Organization = organization
	trust.EmailDomains = []string{"example.com"}
	trust.CreateUsers, trust.DefaultRole = true, "member"
	trusts.Set(trust)
	return nil
}

// organization is the one whose people use this application. One with many customers has one for each, and each trust names
// its own.
const organization = "the demonstration"

// newUsers is the list of users. Bob is not in it: his first login puts him there. With identity providers of which nobody
// knows what they call their people there is no list, and whoever they name is signed in.
func newUsers(o options) saml.UserDirectory {
	if len(o.metadata) > 0 {
		return nil
	}
	return saml.NewMemoryUsers(saml.User{Username: "alice", Organization: organization, FirstName: "Alice", LastName: "Smith",
		Email: "alice@example.com", Roles: []string{"administrator"}, State: saml.UserActive})
}

// trustMetadata adds a trust for each file. In a real application an administrator looks at a trust before it is active.
func trustMetadata(files []string, trusts *saml.MemoryTrusts) error {
	for _, name := range files {
		metadata, err := os.ReadFile(name)
		if err != nil {
			return fmt.Errorf("-idp-metadata: %w", err)
		}
		trust, err := saml.TrustFromMetadata(metadata, "", time.Now())
		if err != nil {
			return fmt.Errorf("-idp-metadata %s: %w", name, err)
		}
		if _, known, _ := trusts.FindTrust(context.Background(), trust.Domain); known {
			return fmt.Errorf("-idp-metadata %s: there is a trust for %s already", name, trust.Domain)
		}
		trust.State = saml.Active
		trust.AllowIdPInitiated = true
		trusts.Set(trust)
	}
	return nil
}

// readKeys reads the key that signs requests; no file is no key.
func readKeys(name string) ([]saml.KeyPair, error) {
	if name == "" {
		return nil, nil
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("-key: %w", err)
	}
	var pair saml.KeyPair
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		switch block.Type {
		case "PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY":
			if pair.Signer, err = parseKey(block.Bytes); err != nil {
				return nil, fmt.Errorf("-key %s: %w", name, err)
			}
		case "CERTIFICATE":
			if pair.Certificate == nil { // others are of its issuers
				pair.Certificate = bytes.Clone(block.Bytes)
			}
		}
	}
	if pair.Signer == nil {
		return nil, fmt.Errorf("-key %s: the file holds no private key in PEM without password", name)
	}
	return []saml.KeyPair{pair}, nil
}

// makeKey is a key for as long as the server runs: enough for the demonstration identity provider, which reads our metadata
// anew each time.
func makeKey() ([]saml.KeyPair, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	return []saml.KeyPair{{Signer: key}}, err
}

func parseKey(der []byte) (crypto.Signer, error) {
	if key, err := x509.ParsePKCS8PrivateKey(der); err == nil {
		if signer, ok := key.(crypto.Signer); ok {
			return signer, nil
		}
	}
	if key, err := x509.ParsePKCS1PrivateKey(der); err == nil {
		return key, nil
	}
	if key, err := x509.ParseECPrivateKey(der); err == nil {
		return key, nil
	}
	return nil, errors.New("the private key is neither RSA nor EC")
}

// introduce says what to do next.
func (d *demo) introduce(out io.Writer) {
	home := d.app.baseURL + "/"
	fmt.Fprintf(out, "The application is at %s\nIts metadata, for identity providers, is at %s\n", home, d.app.sp.EntityID())
	if d.idp == nil {
		fmt.Fprintf(out, "\nOpen %s in a browser. Ctrl-C ends the server.\n", home)
		return
	}
	idpHome, err := url.JoinPath(d.idp.SSOURL, "../")
	if err != nil {
		idpHome = d.idp.SSOURL
	}
	fmt.Fprintf(out, "The demonstration identity provider is at %s\n\n"+
		"Open %s in a browser and sign in as alice or bob, with the password \"password\". Ctrl-C ends the server.\n", idpHome, home)
}

func (d *demo) close() {
	for _, s := range d.sites {
		_ = s.listener.Close() // nothing was served
	}
}

// serve serves all sites until ctx ends or one of them fails.
func (d *demo) serve(ctx context.Context) (err error) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	ended := make(chan error, len(d.sites))
	for _, s := range d.sites {
		go func() { ended <- samltest.Serve(ctx, s.listener, s.handler) }()
	}
	for range d.sites {
		err = errors.Join(err, <-ended)
		stop()
	}
	return err
}
